"""Event source mapping DynamoDB Streams -> Lambda: records in order, and nothing passes a record that fails.

One invocation at a time per shard reads up to BatchSize records. When the function fails, the mapping tries the same
records again, halves the batch (BisectBatchOnFunctionError), or starts again at the lowest sequence number that the
function named in `batchItemFailures`; a record that is too old (MaximumRecordAgeInSeconds) or was tried too often goes
to the on-failure destination, and the shard moves on. Until then everything behind it waits.
Source: Lambda developer guide, services-ddb, services-ddb-batchfailurereporting, kinesis/ddb on-failure destinations.
Departures: moto keeps one shard per table; AWS publishes no waits between retries, here 1 s doubling to 60 s.
Taught in notebooks/06_where_state_lives.ipynb
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..functions.service import Functions, Result
from ..scheduler import Scheduler, Timer
from ..stack import Resource, Stack
from ..trace import Trace
from ..wire import NotYet
from .partial import named_failures

POLL = (0.02, 0.12)  # seconds from a write to its invocation here; AWS polls about four times a second
RETRY_FIRST, RETRY_MAX = 1.0, 60.0
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}


@dataclass
class Reader:
    """One mapping's place in one stream. `position` counts the records that it is done with."""

    logical_id: str
    function: str
    table: Any
    arn: str
    batch: int
    window: float
    bisect: bool
    report: bool
    age: float
    attempts: int
    on_failure: str | None
    position: int = 0
    limit: int | None = None  # how far the half of a bisected batch goes
    failures: int = 0
    busy: bool = False
    timer: Timer | None = field(default=None, repr=False)


class Streams:
    """The stream mappings of one local cloud."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, functions: Functions, stack: Stack, tables: Any, s3: Callable[[], Any]
    ) -> None:
        self.scheduler, self.trace, self.functions, self._s3 = scheduler, trace, functions, s3
        self.readers: list[Reader] = []
        by_stream = {table.latest_stream_label: table for table in tables.values() if table.stream_shard is not None}
        for resource in stack.of_type("AWS::Lambda::EventSourceMapping"):
            source = str(resource.properties.get("EventSourceArn"))
            if ":dynamodb:" in source:
                self.readers.append(_reader(resource, by_stream[source.rsplit("/", 1)[-1]], source))

    def poke(self, operation: str) -> None:
        """A table may have been written to: look at the streams."""
        if operation in WRITES:
            for reader in self.readers:
                self._plan(reader)

    def behind(self, logical_id: str) -> int:
        """How many records this mapping has not dealt with yet."""
        return sum(len(r.table.stream_shard.items) - r.position for r in self.readers if r.logical_id == logical_id)

    def clear(self) -> None:
        """Start again at the beginning of emptied streams."""
        for reader in self.readers:
            reader.position, reader.limit, reader.failures, reader.busy, reader.timer = 0, None, 0, False, None

    def _plan(self, reader: Reader, delay: float | None = None) -> None:
        waiting = len(reader.table.stream_shard.items) - reader.position
        if reader.busy or waiting <= 0 or reader.timer is not None:
            return
        wait = self.scheduler.latency(*POLL) if delay is None else delay
        if delay is None and waiting < reader.batch:
            wait += reader.window
        reader.timer = self.scheduler.after(wait, lambda: self._read(reader))

    def _read(self, reader: Reader) -> None:
        reader.timer = None
        items = reader.table.stream_shard.items
        end = min(reader.position + reader.batch, len(items), reader.limit or len(items))
        records = [_record(item, reader.arn) for item in items[reader.position : end]]
        if not records:
            return
        reader.busy = True
        self.functions.start(
            reader.function,
            {"Records": records},
            lambda result: self._answered(reader, records, result),
            source=reader.logical_id,
        )

    def _answered(self, reader: Reader, records: list[dict[str, Any]], result: Result) -> None:
        reader.busy = False
        failed_at = 0 if result.error is not None or result.throttled else _first_failure(reader, records, result)
        if failed_at is None:
            self._move(reader, reader.position + len(records))
            return
        if failed_at:  # everything before the named record is done with
            self._move(reader, reader.position + failed_at, plan=False)
            records = records[failed_at:]
        if not result.throttled:
            reader.failures += 1
        if result.error is not None and reader.bisect and len(records) > 1:
            reader.limit = reader.position + len(records) // 2
        if not self._give_up(reader, records, result):
            wait = min(RETRY_MAX, RETRY_FIRST * 2 ** min(max(reader.failures - 1, 0), 10))
            self.trace.add("retry", reader.logical_id, f"in {wait:g} s", records=len(records), attempt=reader.failures)
            self._plan(reader, wait)

    def _move(self, reader: Reader, position: int, plan: bool = True) -> None:
        reader.position, reader.failures = position, 0
        if reader.limit is not None and position >= reader.limit:
            reader.limit = None
        if plan:
            self._plan(reader)

    def _give_up(self, reader: Reader, records: list[dict[str, Any]], result: Result) -> bool:
        """Discard what is too old or was tried too often: to the on-failure destination, and go on behind it."""
        now, gone = self.scheduler.now, records
        old = sum(now - record["dynamodb"]["ApproximateCreationDateTime"] > reader.age >= 0 for record in records)
        if old:
            reason, gone = "RecordAgeExceeded", records[:old]
        elif 0 <= reader.attempts < reader.failures:
            reason = "RetryAttemptsExhausted"
        else:
            return False
        self.trace.add("discard", reader.logical_id, reason, records=len(gone))
        if reader.on_failure is not None:
            self._store(reader, gone, result, reason)
        self._move(reader, reader.position + len(gone))
        return True

    def _store(self, reader: Reader, records: list[dict[str, Any]], result: Result, reason: str) -> None:
        """Write the whole records to the on-failure bucket, as AWS does for S3 (a queue would get metadata only)."""
        assert reader.on_failure is not None
        if ":s3:::" not in reader.on_failure:
            raise NotYet(f"{reader.logical_id}: an on-failure destination that is not a bucket: {reader.on_failure}")
        now = datetime.fromtimestamp(self.scheduler.now, UTC)
        request_id = str(uuid.UUID(int=self.scheduler.rng.getrandbits(128), version=4))
        shard = reader.table.stream_shard.id
        function = self.functions.resolve(reader.function)
        body = {
            "requestContext": {
                "requestId": result.request_id,
                "functionArn": function.arn,
                "condition": reason,
                "approximateInvokeCount": reader.failures,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "DDBStreamBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
                "batchSize": len(records),
                "streamArn": reader.arn,
            },
            "payload": json.dumps({"Records": records}),
        }
        key = f"aws/lambda/{reader.logical_id}/{shard}/{now:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{request_id}"
        self._s3().put_object(Bucket=reader.on_failure.split(":::")[1], Key=key, Body=json.dumps(body).encode())
        self.trace.add("destination", reader.logical_id, reader.on_failure.split(":::")[1], records=len(records))


def _first_failure(reader: Reader, records: list[dict[str, Any]], result: Result) -> int | None:
    """Where the function says that it failed first: an index into the batch, or None when all went well.

    As for SQS, an identifier that is empty or not of this batch fails the whole batch.
    """
    if not reader.report:
        return None
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    try:
        return min((numbers.index(name) for name in named_failures(result.payload)), default=None)
    except ValueError:
        return 0


def _record(item: Any, arn: str) -> dict[str, Any]:
    """A stream record as Lambda hands it to a function."""
    record = item.record
    change = dict(record["dynamodb"])
    created = change["ApproximateCreationDateTime"]
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.replace(tzinfo=UTC).timestamp()
    change["SequenceNumber"] = str(change["SequenceNumber"])
    return {**record, "dynamodb": change, "eventSourceARN": arn}


def _reader(resource: Resource, table: Any, arn: str) -> Reader:
    given = resource.properties
    destination = ((given.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if given.get("StartingPosition") != "TRIM_HORIZON":
        raise NotYet(f"{resource.logical_id}: StartingPosition {given.get('StartingPosition')}; use TRIM_HORIZON")
    if given.get("FilterCriteria"):
        raise NotYet(f"{resource.logical_id}: FilterCriteria on a stream")
    return Reader(
        resource.logical_id,
        str(given["FunctionName"]),
        table,
        arn,
        int(given.get("BatchSize", 100)),
        float(given.get("MaximumBatchingWindowInSeconds", 0)),
        bool(given.get("BisectBatchOnFunctionError", False)),
        "ReportBatchItemFailures" in (given.get("FunctionResponseTypes") or []),
        float(given.get("MaximumRecordAgeInSeconds", -1)),
        int(given.get("MaximumRetryAttempts", -1)),
        destination,
    )
