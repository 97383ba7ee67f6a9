"""Event source mapping DynamoDB Streams -> Lambda: records in order, and nothing passes a record that fails.

One invocation at a time per shard reads up to BatchSize records. When the function fails, the mapping tries the same
records again, or halves of them one after the other (BisectBatchOnFunctionError; splitting is no attempt), or starts
again at the lowest sequence number that the function named in `batchItemFailures`; a record that is too old
(MaximumRecordAgeInSeconds) or was tried too often goes to the on-failure destination, and the shard moves on. Until
then everything behind it waits. What the filters do not match is passed over. A stream keeps a record for 24 hours.
Source: Lambda developer guide, services-ddb, services-ddb-batchfailurereporting, services-dynamodb-errors.
Departures: moto keeps one shard per table; AWS publishes no waits between retries, here 1 s doubling to 60 s; every
mapping's parallelization factor is 1, and there is no tumbling window. Taught in notebooks/06_where_state_lives.ipynb
"""

from dataclasses import dataclass, field
from typing import Any

from ..functions.service import Functions, Result
from ..scheduler import Scheduler, Timer
from ..stack import Stack, TemplateError
from ..trace import Trace
from ..wire import Refusal
from . import discards
from .event_source import conflict
from .partial import named_failures
from .stream_source import StreamMapping, read, record, table_of

POLL = (0.02, 0.12)  # seconds from a write to its invocation here; AWS polls about four times a second
RETRY_FIRST, RETRY_MAX = 1.0, 60.0
KEPT = 86_400.0  # seconds for which a stream keeps a record
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}


@dataclass
class Batch:
    """The records of one invocation, where each stands in the stream, and where the next batch begins."""

    records: list[dict[str, Any]]
    places: list[int]
    end: int


@dataclass
class Reader:
    """One mapping's place in one stream. `position` counts the records that it is done with.

    `ends` are the ends of the batches that are being tried again, the nearest last: a batch, its half, that one's half.
    """

    mapping: StreamMapping
    table: Any
    position: int = 0
    ends: list[int] = field(default_factory=list)
    failures: int = 0
    last: Result | None = None  # the answer to the last attempt that failed
    busy: bool = False
    timer: Timer | None = field(default=None, repr=False)
    hops: list[int] = field(default_factory=list, repr=False)  # of each record, the buses that its write came through

    @property
    def waiting(self) -> int:
        """How many records it has not dealt with yet."""
        return len(self.table.stream_shard.items) - self.position

    def batch(self) -> Batch:
        """The next records that the filters let through, up to the batch size or to the end of what is tried again."""
        items, found = self.table.stream_shard.items, Batch([], [], self.position)
        bound = self.ends[-1] if self.ends else len(items)
        while found.end < bound and len(found.places) < self.mapping.batch_size:
            shown = record(items[found.end], self.mapping.stream)
            if self.mapping.wants(shown):
                found.records.append(shown)
                found.places.append(found.end)
            found.end += 1
        return found

    def move(self, position: int) -> None:
        """Everything before `position` is done with."""
        self.position, self.failures, self.last = position, 0, None
        while self.ends and position >= self.ends[-1]:
            self.ends.pop()


class Streams:
    """The stream mappings of one local cloud, by name. Raises TemplateError for one that AWS would refuse."""

    def __init__(self, scheduler: Scheduler, trace: Trace, functions: Functions, stack: Stack, tables: Any) -> None:
        self.scheduler, self.trace, self.functions, self._tables = scheduler, trace, functions, tables
        self.readers: dict[str, Reader] = {}
        for resource in stack.of_type("AWS::Lambda::EventSourceMapping"):
            if ":dynamodb:" in str(resource.properties.get("EventSourceArn")):
                try:
                    self.add(resource.logical_id, resource.properties)
                except Refusal as refusal:
                    raise TemplateError(refusal.message) from None

    def add(self, name: str, properties: dict[str, Any]) -> None:
        """Start a mapping from its CloudFormation properties. Raises Refusal for what AWS refuses."""
        mapping = read(name, properties)
        known = [(each.mapping.name, each.mapping.stream, each.mapping.function) for each in self.readers.values()]
        conflict(mapping.name, mapping.stream, mapping.function, known)
        reader = self.readers[name] = Reader(mapping, table_of(mapping, self._tables))
        items = reader.table.stream_shard.items
        while reader.waiting and (mapping.latest or self._age(record(items[reader.position], "")) > KEPT):
            reader.position += 1
        self._plan(reader)

    def change(self, name: str, properties: dict[str, Any]) -> None:
        """Go on with other settings where the mapping stands. Raises Refusal, and changes nothing then."""
        reader = self.readers[name]
        reader.mapping = read(name, properties)
        self._plan(reader)

    def remove(self, name: str) -> None:
        """End a mapping; an invocation that is under way ends without it."""
        reader = self.readers.pop(name)
        reader.busy = True
        if reader.timer is not None:
            reader.timer.cancel()

    def poke(self, operation: str) -> None:
        """A table may have been written to: look at the streams."""
        if operation in WRITES:
            for reader in self.readers.values():
                reader.hops += [self.scheduler.hops] * (len(reader.table.stream_shard.items) - len(reader.hops))
                self._plan(reader)

    def behind(self, name: str) -> int:
        """How many records this mapping has not dealt with yet."""
        return self.readers[name].waiting if name in self.readers else 0

    def clear(self) -> None:
        """Start again at the beginning of emptied streams."""
        self.readers = {name: Reader(reader.mapping, reader.table) for name, reader in self.readers.items()}

    def _age(self, shown: dict[str, Any]) -> float:
        return float(self.scheduler.now - shown["dynamodb"]["ApproximateCreationDateTime"])

    def _plan(self, reader: Reader, delay: float | None = None) -> None:
        full = reader.waiting >= reader.mapping.batch_size
        soon = self.scheduler.now + POLL[1]
        if full and delay is None and not reader.ends and reader.timer is not None and reader.timer.when > soon:
            reader.timer.cancel()  # no more waiting for the window
            reader.timer = None
        if reader.busy or reader.waiting <= 0 or reader.timer is not None or not reader.mapping.enabled:
            return
        wait = self.scheduler.latency(*POLL) if delay is None else delay
        if delay is None and not full:
            wait += reader.mapping.window
        reader.timer = self.scheduler.after(wait, lambda: self._read(reader))

    def _read(self, reader: Reader) -> None:
        reader.timer = None
        batch = reader.batch()
        if not reader.mapping.enabled:
            return
        if not batch.records:
            reader.move(batch.end)
            self._plan(reader)
            return
        for reason, age in (("RecordAgeExceeded", reader.mapping.age), ("Expired", KEPT)):
            old = sum(self._age(shown) > age >= 0 for shown in batch.records)
            if old:
                end = batch.places[old] if old < len(batch.places) else batch.end
                self._discard(reader, batch.records[:old], reason, end)
                return
        reader.busy = True
        with self.scheduler.carrying(min(reader.hops[reader.position : batch.end], default=0)):
            self.functions.start(
                reader.mapping.function,
                {"Records": batch.records},
                lambda result: self._answered(reader, batch, result),
                source=reader.mapping.name,
            )

    def _answered(self, reader: Reader, batch: Batch, result: Result) -> None:
        if self.readers.get(reader.mapping.name) is not reader:
            return  # the mapping is no more
        reader.busy, whole, named = False, result.error is not None or result.throttled, None
        if not whole and reader.mapping.report_batch_item_failures:
            try:
                named = _first_failure(batch, result)
            except ValueError:
                whole = True
        if not whole and named is None:
            reader.move(batch.end)
            self._plan(reader)
            return
        first = named or 0
        if first:  # everything before the named record is done with
            reader.move(batch.places[first])
        places, reader.last = batch.places[first:], result
        if batch.end not in reader.ends:
            reader.ends.append(batch.end)
        if whole and reader.mapping.bisect and len(places) > 1 and not result.throttled:
            reader.ends.append(places[len(places) // 2])
        elif not result.throttled:
            reader.failures += 1
        if 0 <= reader.mapping.attempts < reader.failures:
            self._discard(reader, batch.records[first:], "RetryAttemptsExhausted", batch.end)
            return
        wait = min(RETRY_MAX, RETRY_FIRST * 2 ** min(max(reader.failures - 1, 0), 10))
        told = {"records": len(places), "attempt": reader.failures}
        self.trace.add("retry", reader.mapping.name, f"in {wait:g} s", **told)
        self._plan(reader, wait)

    def _discard(self, reader: Reader, records: list[dict[str, Any]], reason: str, end: int) -> None:
        """Give records up: to the on-failure destination, unless the stream has lost them, and go on behind them."""
        mapping = reader.mapping
        self.trace.add("discard", mapping.name, reason, records=len(records))
        if mapping.on_failure is not None and reason != "Expired":
            to, arn = self.functions.destinations, self.functions.resolve(mapping.function).arn
            shard = reader.table.stream_shard.id
            told = discards.describe(records, reason, mapping, shard, arn, reader.last, reader.failures, to.timestamp())
            where = to.send(mapping.on_failure, told, source=mapping.name, folder=f"{mapping.name}/{shard}")
            self.trace.add("destination", mapping.name, where or "not there: lost", records=len(records))
        reader.move(end)
        self._plan(reader)


def _first_failure(batch: Batch, result: Result) -> int | None:
    """Where the function says that it failed first: an index into the batch, or None when all went well.

    As for SQS, an identifier that is empty or not of this batch fails the whole batch: ValueError.
    """
    numbers = [shown["dynamodb"]["SequenceNumber"] for shown in batch.records]
    return min((numbers.index(name) for name in named_failures(result.payload)), default=None)
