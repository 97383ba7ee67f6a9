"""Replays: an archive's events are put on their bus again.

A replay sends the events whose own time lies in its window, the end not included, to all rules of the archive's bus or
to those in FilterArns: minute by minute of that window, in no order within a minute, each with the `replay-name`. The
consumers meet the same facts again, so they must be idempotent. StartReplay answers before anything is sent.
Source: EventBridge user guide, eb-replay-archived-event; API reference, StartReplay, Replay; texts and states as
recorded in localstack's test_archive_and_replay.
Departures: AWS publishes no waits, here 5 s and 1 s for each minute that has events. A replayed event keeps its id (AWS
does not say). The texts about an ARN that is no archive's and about FilterArns are ours. AWS's limit of 10 replays at a
time is not done; a replay is not cancelled, and replays are not listed: both are refused by name.

Taught in notebooks/03_the_bus.ipynb.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..guard import ACCOUNT, REGION
from ..trace import Trace
from ..wire.answers import Refusal
from .archives import Answer, Archives, Kept

BEGIN, MINUTE = 5.0, 1.0  # seconds until a replay runs, and from one minute of events to the next


@dataclass
class Replay:
    """One replay: what StartReplay asked for, and what has become of it (times in seconds since the epoch)."""

    asked: Answer
    started: float
    state: str = "STARTING"
    reached: float | None = None
    ended: float | None = None

    @property
    def arn(self) -> str:
        return f"arn:aws:events:{REGION}:{ACCOUNT}:replay/{self.asked['ReplayName']}"

    @property
    def archive(self) -> str:
        """The archive's name."""
        return str(self.asked["EventSourceArn"]).rsplit("/", 1)[-1]


class Replays:
    """The replays of one local cloud. `send(bus, event, rule_arns)` puts an event on its bus, for some rules or all."""

    def __init__(
        self, archives: Archives, trace: Trace, send: Callable[[str, dict[str, Any], list[str] | None], None]
    ) -> None:
        self.archives, self.trace, self.send = archives, trace, send
        self.scheduler, self.backend = archives.scheduler, archives.backend
        self._all: dict[str, Replay] = {}

    def operations(self) -> dict[tuple[str, str], Callable[[Answer], Answer | None]]:
        """The operations on replays; moto is not asked."""
        return {("eventbridge", "StartReplay"): self.start, ("eventbridge", "DescribeReplay"): self.describe}

    def start(self, asked: Answer) -> Answer:
        """The operation StartReplay."""
        name, to, source = asked["ReplayName"], asked["Destination"]["Arn"], asked["EventSourceArn"]
        start, end = float(asked["EventStartTime"]), float(asked["EventEndTime"])
        if ":event-bus/" not in to:
            raise _invalid("Destination.Arn", "Must contain an event bus ARN.")
        bus, archive = (
            self.backend.event_buses.get(to.rsplit("/", 1)[-1]),
            self.backend.archives.get(source.rsplit("/", 1)[-1]),
        )
        if bus is None:
            raise Refusal("ResourceNotFoundException", f"Event bus {to.rsplit('/', 1)[-1]} does not exist.")
        if ":archive/" not in source:
            raise _invalid("EventSourceArn", "Must contain an archive ARN.")
        if archive is None:
            raise _invalid("EventSourceArn", f"Archive {source.rsplit('/', 1)[-1]} does not exist.")
        if archive.source_arn != to:
            raise _invalid("Destination.Arn", "Cross event bus replay is not permitted.")
        if start >= end:
            raise _invalid("EventEndTime", "EventStartTime must be before EventEndTime.")
        for arn in asked["Destination"].get("FilterArns") or ():
            if arn not in [rule.arn for rule in bus.rules.values()]:
                raise _invalid("Destination.FilterArns", f"{arn} is no rule of the event bus {bus.name}.")
        if name in self._all:
            raise Refusal("ResourceAlreadyExistsException", f"Replay {name} already exists.")
        events = [kept for kept in self.archives.kept(archive) if start <= kept.time < end]
        self.scheduler.rng.shuffle(events)
        events.sort(key=lambda kept: int((kept.time - start) // 60))
        replay = self._all[name] = Replay(asked, self.scheduler.now)
        self.trace.add("replay", archive.name, "started", replay=name, events=len(events))
        self.scheduler.after(BEGIN, partial(self._go_on, replay, events))
        return {"ReplayArn": replay.arn, "State": replay.state, "ReplayStartTime": replay.started}

    def describe(self, asked: Answer) -> Answer:
        """The operation DescribeReplay."""
        if asked["ReplayName"] not in self._all:
            raise Refusal("ResourceNotFoundException", f"Replay {asked['ReplayName']} does not exist.")
        replay = self._all[asked["ReplayName"]]
        told = {
            **replay.asked,
            "ReplayArn": replay.arn,
            "State": replay.state,
            "ReplayStartTime": replay.started,
            "EventLastReplayedTime": replay.reached,
            "ReplayEndTime": replay.ended,
        }
        return {name: value for name, value in told.items() if value is not None}

    def clear(self) -> None:
        """Forget all replays."""
        self._all.clear()

    def _go_on(self, replay: Replay, events: list[Kept]) -> None:
        """Send the events of the next minute, and come again for the others."""
        if not events:
            replay.state, replay.ended = "COMPLETED", self.scheduler.now
            self.trace.add("replay", replay.archive, "completed", replay=replay.asked["ReplayName"])
            return
        replay.state, to, start = "RUNNING", replay.asked["Destination"], float(replay.asked["EventStartTime"])
        minute = (events[0].time - start) // 60
        while events and (events[0].time - start) // 60 == minute:
            kept = events.pop(0)
            event = {**kept.event, "replay-name": replay.asked["ReplayName"]}
            self.send(to["Arn"].rsplit("/", 1)[-1], event, to.get("FilterArns"))
            replay.reached = kept.time
        self.scheduler.after(MINUTE, partial(self._go_on, replay, events))


def _invalid(parameter: str, reason: str) -> Refusal:
    return Refusal("ValidationException", f"Parameter {parameter} is not valid. Reason: {reason}")
