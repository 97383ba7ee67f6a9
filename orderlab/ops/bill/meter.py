"""What a call to DynamoDB or EventBridge counts for: read units, write units, events of 64 KB.

DynamoDB charges by the size of the row, not of the request: a write one unit for each KB, twice that in a transaction,
whether or not its condition holds; a consistent read one unit for each 4 KB, any other read half of that. EventBridge
charges each event that is published, once for each 64 KB of it. The trace of a cloud has no sizes, so a meter listens
while a day is played. Source: DynamoDB developer guide, read-write-operations, CapacityUnitCalculations; EventBridge
pricing. Departures: a row is measured after the write, so that an update that shrinks it counts less, and a delete
counts one unit. Taught in notebooks/12_ship_it.ipynb
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.wire.calls import Heard

Units = dict[str, float]  # a price's id -> units
Size = Callable[[str, dict[str, Any]], int]  # (table, key or row in DynamoDB's JSON) -> bytes of the row that is there

KB, CHUNK = 1024, 64 * 1024  # bytes
ENVELOPE = 300  # bytes that EventBridge puts around a detail: id, time, account, region, source, type


class Unmetered(ValueError):
    """A call that nobody has priced yet; the message names it."""


class Meter:
    """The units of each metered call, by the number of its row in the trace."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.rows: dict[int, Units] = {}

    def __call__(self, heard: "Heard") -> None:
        """Note what an answered call counts for; one to a service that charges otherwise is left to the trace."""
        if heard.answered and heard.service == "dynamodb":
            self.rows[heard.row] = dynamodb(heard.operation, json.loads(heard.request.body or "{}"), self.size)
        elif heard.answered and heard.operation == "PutEvents":
            self.rows[heard.row] = events(json.loads(heard.request.body or "{}"))


@contextmanager
def metered(cloud: "Cloud") -> Iterator[Meter]:
    """A meter that listens to a cloud's calls until the context ends."""
    meter = Meter(cloud.tables.size)
    with cloud.listening(meter):
        yield meter


def dynamodb(operation: str, asked: dict[str, Any], size: Size) -> Units:
    """The units of one call to DynamoDB. Raises Unmetered for an operation that is not told here."""
    if operation in ("PutItem", "UpdateItem", "DeleteItem"):
        return {"row-write": _write(asked, size)}
    if operation == "TransactWriteItems":
        return {"row-write": 2 * sum(_write(next(iter(one.values())), size) for one in asked["TransactItems"])}
    if operation == "GetItem":
        return {"row-read": _read(asked["TableName"], asked["Key"], bool(asked.get("ConsistentRead")), size)}
    if operation == "BatchGetItem":
        wanted = [(name, key, one) for name, one in asked["RequestItems"].items() for key in one["Keys"]]
        return {"row-read": sum(_read(name, key, bool(one.get("ConsistentRead")), size) for name, key, one in wanted)}
    raise Unmetered(f"nobody has told what dynamodb.{operation} counts for: add it to orderlab/ops/bill/meter.py")


def events(asked: dict[str, Any]) -> Units:
    """The units of one PutEvents: events of 64 KB, and the GB that an archive of them takes in."""
    sizes = [len(str(entry.get("Detail", "")).encode()) + ENVELOPE for entry in asked["Entries"]]
    return {"event": float(sum(max(1, ceil(each / CHUNK)) for each in sizes)), "archive": sum(sizes) / KB**3}


def _write(action: dict[str, Any], size: Size) -> float:
    row = action["Item"] if "Item" in action else action["Key"]
    return float(max(1, ceil(size(action["TableName"], row) / KB)))


def _read(table: str, key: dict[str, Any], consistent: bool, size: Size) -> float:
    return max(1, ceil(size(table, key) / (4 * KB))) * (1.0 if consistent else 0.5)
