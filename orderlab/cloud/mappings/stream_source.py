"""A table's stream as a function's event source: the mapping's settings, what AWS refuses of them, and the records.

Source: Lambda API reference, CreateEventSourceMapping; Lambda developer guide, services-ddb,
invocation-eventfiltering; recorded calls. Taught in notebooks/06_where_state_lives.ipynb
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .. import rules
from ..wire import NotYet
from .event_source import HONOURED, filters, invalid

STREAM_ONLY = {
    "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "ParallelizationFactor", "StartingPosition", "TumblingWindowInSeconds",
}  # fmt: skip
DEFAULTS: dict[str, Any] = {  # what AWS tells of a mapping that was made without them
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
RANGES = {
    "BatchSize": (1, 10_000, None),
    "MaximumBatchingWindowInSeconds": (0, 300, None),
    "MaximumRecordAgeInSeconds": (60, 604_800, -1),
    "MaximumRetryAttempts": (-1, 10_000, None),
}


@dataclass(frozen=True)
class StreamMapping:
    """The settings of one mapping: `stream` is an ARN, times are in seconds, -1 is for ever, `filters` are JSON."""

    name: str
    stream: str
    function: str
    latest: bool
    batch_size: int
    window: float
    bisect: bool
    report_batch_item_failures: bool
    age: float
    attempts: int
    on_failure: str | None
    filters: tuple[str, ...]
    enabled: bool

    def wants(self, record: dict[str, Any]) -> bool:
        """Does a record match one of the filters?"""
        if not self.filters:
            return True
        text = json.dumps(record)
        return any(rules.matches(pattern, text) for pattern in self.filters)


def read(name: str, properties: dict[str, Any]) -> StreamMapping:
    """A mapping from its CloudFormation properties. Raises Refusal as AWS does, NotYet for what is not honoured."""
    given = {**DEFAULTS, **properties}
    unknown = sorted(set(properties) - HONOURED - STREAM_ONLY | set(properties) & {"ScalingConfig"})
    if unknown:
        raise NotYet(f"{name}: the event source mapping's {', '.join(unknown)}")
    for setting, default in (("ParallelizationFactor", 1), ("TumblingWindowInSeconds", 0)):
        if int(given[setting]) != default:
            raise NotYet(f"{name}: the event source mapping's {setting} {given[setting]}")
    for setting, (low, high, also) in RANGES.items():
        if not low <= int(given[setting]) <= high and int(given[setting]) != also:
            raise invalid(f"{name}: {setting} {given[setting]} is not between {low} and {high}")
    start, stream = given.get("StartingPosition"), str(given["EventSourceArn"])
    if start is None:
        words = "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
        raise invalid(f"{name}: {words}Member must not be null.")
    if start not in ("TRIM_HORIZON", "LATEST"):
        raise invalid(f"{name}: Unsupported starting position for arn type: {stream}")
    destination = ((given["DestinationConfig"] or {}).get("OnFailure") or {}).get("Destination")
    if destination and str(destination).split(":")[2] not in ("sqs", "sns", "s3"):
        raise invalid(f"{name}: the on-failure destination {destination} is no queue, topic or bucket")
    return StreamMapping(
        name,
        stream,
        str(given["FunctionName"]),
        start == "LATEST",
        int(given["BatchSize"]),
        float(given["MaximumBatchingWindowInSeconds"]),
        str(given["BisectBatchOnFunctionError"]).lower() == "true",
        "ReportBatchItemFailures" in (given.get("FunctionResponseTypes") or []),
        float(given["MaximumRecordAgeInSeconds"]),
        int(given["MaximumRetryAttempts"]),
        destination or None,
        filters(name, given),
        str(given.get("Enabled", True)).lower() == "true",
    )


def table_of(mapping: StreamMapping, tables: Any) -> Any:
    """moto's table behind a mapping's stream. Raises Refusal when there is none."""
    for table in tables.values():
        if table.stream_shard is not None and mapping.stream == f"{table.table_arn}/stream/{table.latest_stream_label}":
            return table
    raise invalid(f"{mapping.name}: Stream not found: {mapping.stream}")


def record(item: Any, stream: str) -> dict[str, Any]:
    """A stream record (moto's) as Lambda hands it to a function."""
    change = dict(item.record["dynamodb"])
    created = change["ApproximateCreationDateTime"]
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.replace(tzinfo=UTC).timestamp()
    change["SequenceNumber"] = str(change["SequenceNumber"])
    return {**item.record, "dynamodb": change, "eventSourceARN": stream}
