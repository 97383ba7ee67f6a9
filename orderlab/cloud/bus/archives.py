"""Archives: what a bus remembers.

An archive keeps every event of its bus that matches its pattern, for RetentionDays (0: for ever), but never an event
that comes from a replay: AWS's own rule for an archive wants no `replay-name`.
moto keeps the archives' descriptions. Source: EventBridge user guide, eb-archive; API reference, CreateArchive; texts
as recorded in localstack's test_archive_and_replay.
Departures: an event is in its archive at once (AWS: minutes later) and out of it on time, and the counts are right at
once (AWS: within a day). The size is what PutEvents counts for an entry (AWS counts some 20 bytes more).

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..scheduler import Scheduler
from ..wire.answers import Refusal

DAY = 86_400.0  # seconds
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """An event in an archive: its own time and when the bus took it (seconds since the epoch), its size in bytes."""

    text: str
    time: float
    since: float
    size: int

    @property
    def event(self) -> dict[str, Any]:
        """The event, to be changed at will."""
        event: dict[str, Any] = json.loads(self.text)
        return event


class Archives:
    """The archives of one local cloud. `matches(pattern, event)` decides for a pattern's text, None for no pattern."""

    def __init__(self, scheduler: Scheduler, backend: Any, matches: Callable[[str | None, Answer], bool]) -> None:
        self.scheduler, self.backend, self.matches = scheduler, backend, matches
        self._kept: dict[str, list[Kept]] = {}

    def operations(self) -> dict[tuple[str, str], Callable[[Answer], Answer | None]]:
        """What is answered here; moto answers the other operations on archives."""
        return {("eventbridge", "DescribeArchive"): self.describe}

    def keep(self, bus: str, event: dict[str, Any], time: float, size: int) -> None:
        """An event of this size in bytes has come to a bus: keep it in each archive that wants it."""
        for archive in self.backend.archives.values():
            if archive.event_bus_name == bus and self.matches(archive.event_pattern.dump(), event):
                kept = Kept(json.dumps(event), time, self.scheduler.now, size)
                self._kept.setdefault(archive.uuid, []).append(kept)

    def kept(self, archive: Any) -> list[Kept]:
        """What an archive (moto's) holds now."""
        oldest = self.scheduler.now - (int(archive.retention) * DAY or float("inf"))
        held = self._kept[archive.uuid] = [kept for kept in self._kept.get(archive.uuid, []) if kept.since > oldest]
        return held

    def describe(self, asked: Answer) -> Answer:
        """The operation DescribeArchive."""
        archive = self.backend.archives.get(asked["ArchiveName"])
        if archive is None:
            raise Refusal("ResourceNotFoundException", f"Archive {asked['ArchiveName']} does not exist.")
        kept = self.kept(archive)
        told = {**archive.describe(), "EventCount": len(kept), "SizeBytes": sum(each.size for each in kept)}
        return {name: value for name, value in told.items() if value not in (None, "")}

    def clear(self) -> None:
        """Forget all events."""
        self._kept.clear()
