"""Time to live: rows whose time has passed are deleted, some time later.

A table may name one attribute that holds the second (since the epoch) from which a row is of no more use. DynamoDB
deletes such rows in the background, "typically within a few days": until then they are read, changed and counted like
any other row, so code that minds must compare the attribute with its own clock, and a condition too. A value that is no
number never expires, nor does one that is more than five years old. The deletion's stream record is a REMOVE by the
service itself: `userIdentity` is {"type": "Service", "principalId": "dynamodb.amazonaws.com"}.
Source: DynamoDB developer guide, TTL, howitworks-ttl, time-to-live-ttl-streams.
Departures: all tables are looked through every 1 to 12 hours (by the seed), so a row goes within 12 hours, where AWS
promises nothing; a changed setting holds at once and may be changed again at once (AWS takes up to an hour for each).
Taught in notebooks/06_where_state_lives.ipynb
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from moto.dynamodb.models import Item, Table

from ..scheduler import Scheduler
from ..stack.resources import Resource
from ..stack.template import TemplateError
from ..trace import Trace
from ..wire.answers import Refusal

ROUND = (3600.0, 12 * 3600.0)  # seconds between two looks at the tables
OLDEST = 5 * 365 * 86400.0  # seconds: what expired before that is taken for a mistake
SERVICE = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class Expiry:
    """The deletion of expired rows; `changed` is called after each round that deleted some."""

    def __init__(self, scheduler: Scheduler, trace: Trace, backend: Any, changed: Callable[[], None]) -> None:
        self.scheduler, self.trace, self.backend, self.changed = scheduler, trace, backend, changed

    def start(self, seed: int, described: list[Resource]) -> None:
        """From here on look at the tables, each with the setting of its description in the template."""
        self._rng = random.Random(f"expiry {seed}")
        for table in self.backend.tables.values():
            table.ttl = {"TimeToLiveStatus": "DISABLED"}
        for resource in described:
            setting = resource.properties.get("TimeToLiveSpecification") or {}
            if str(setting.get("Enabled")).lower() == "true":
                if not setting.get("AttributeName"):
                    raise TemplateError(f"{resource.logical_id}: TimeToLiveSpecification needs an AttributeName")
                setting = {"AttributeName": setting["AttributeName"], "Enabled": True}
                self.backend.update_time_to_live(resource.physical_id, setting)
        self._plan()

    def update(self, parameters: dict[str, Any]) -> None:
        """Refuse an UpdateTimeToLive that changes nothing; moto does the rest."""
        table, setting = self.backend.tables.get(parameters.get("TableName")), parameters.get("TimeToLiveSpecification")
        wanted = "ENABLED" if (setting or {}).get("Enabled") else "DISABLED"
        if table is not None and table.ttl["TimeToLiveStatus"] == wanted:
            raise Refusal("ValidationException", f"TimeToLive is already {wanted.lower()}")

    def _plan(self) -> None:
        self.scheduler.after(self._rng.uniform(*ROUND), self._look, background=True)

    def _look(self) -> None:
        self._plan()
        gone = [(table, item) for table in self.backend.tables.values() for item in expired(table, self.scheduler.now)]
        for table, item in gone:
            table.delete_item(item.hash_key, item.range_key)
            if table.stream_shard is not None:
                table.stream_shard.items[-1].record["userIdentity"] = dict(SERVICE)
            key = "/".join(str(part.value) for part in (item.hash_key, item.range_key) if part is not None)
            self.trace.add("expire", table.name, key)
        if gone:
            self.changed()


def expired(table: Table, now: float) -> Iterator[Item]:
    """The rows of a table that are past their time."""
    if table.ttl["TimeToLiveStatus"] != "ENABLED":
        return
    for held in table.items.values():
        for item in held.values() if isinstance(held, dict) else (held,):
            value = item.attrs.get(table.ttl["AttributeName"])
            if value is not None and value.type == "N" and now - OLDEST < float(value.value) < now:
                yield item
