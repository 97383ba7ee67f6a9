"""The shared circuit breaker's record in DynamoDB: read consistently, replaced only if nobody was faster.

Compare-and-set on a version number, so that of fifty environments one trips the breaker and one gets the probe. boto3
sends a write again whose answer was lost: then the condition fails on our own row, which the writer's mark tells apart.
A record that is saved open has just tripped: it is counted as a metric, so that an alarm can tell a person.
Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

import os
import time
import uuid
from dataclasses import dataclass
from typing import Any

from orderlab.orders import log, rows


@dataclass(frozen=True)
class BreakerStore:
    """Where the breaker of one dependency is kept: the row `name` of the table BREAKER_TABLE."""

    name: str

    def load(self) -> tuple[dict[str, Any] | None, int]:
        """The record and its version; (None, 0) before the first save."""
        return _read(rows.get(os.environ["BREAKER_TABLE"], name=self.name))

    def save(self, record: dict[str, Any], version: int) -> tuple[dict[str, Any] | None, int] | None:
        """Replace the record if it still has that version. None: done; else what `load` would answer now."""
        table, mark = os.environ["BREAKER_TABLE"], uuid.uuid4().hex
        row = {"name": self.name, "version": version + 1, "record": record, "mark": mark}
        old = rows.put(rows.over(table, row, version, of="version") if version else rows.new(table, row))
        if old is not None and old.get("mark") != mark:
            return _read(old)
        if record.get("state") == "open":
            log.metric("BreakerOpened", 1, time.time(), breaker=f"{table}/{self.name}")
        return None


def _read(row: rows.Row | None) -> tuple[dict[str, Any] | None, int]:
    return (row["record"], row["version"]) if row else (None, 0)
