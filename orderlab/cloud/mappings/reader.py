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

from dataclasses import dataclass
from functools import partial
from typing import Any

from ..functions.service import Functions, Result
from ..scheduler import Scheduler, Timer
from ..trace import Trace
from .partial import named_failures
from .records import discarded, of_stream
from .settings import Mapping

POLL = (0.02, 0.12)  # seconds from a write to its invocation here; AWS polls about four times a second
RETRY_FIRST, RETRY_MAX = 1.0, 60.0
KEPT = 86_400.0  # seconds for which a stream keeps a record


@dataclass
class Batch:
    """The records of one invocation, where each stands in the stream, and where the next batch begins."""

    records: list[dict[str, Any]]
    places: list[int]
    end: int


class Reader:
    """One mapping's place in one stream (`table` is moto's). `position` counts the records that it is done with.

    `ends` are the ends of the batches that are being tried again, the nearest last: a batch, its half, that one's half.
    """

    def __init__(self, mapping: Mapping, table: Any, scheduler: Scheduler, trace: Trace, functions: Functions) -> None:
        self.mapping, self.table = mapping, table
        self.scheduler, self.trace, self.functions = scheduler, trace, functions
        self.position, self.failures, self.busy, self.removed = 0, 0, False, False
        self.ends: list[int] = []
        self.last: Result | None = None  # the answer to the last attempt that failed
        self.timer: Timer | None = None
        self.hops: list[int] = []  # of each record, the buses that its write came through

    @property
    def items(self) -> list[Any]:
        """All records of the stream, moto's."""
        found: list[Any] = self.table.stream_shard.items
        return found

    @property
    def waiting(self) -> int:
        """How many records it has not dealt with yet."""
        return len(self.items) - self.position

    def begin(self) -> None:
        """Begin at the starting position."""
        while self.waiting and (self.mapping.latest or self._age(of_stream(self.items[self.position], "")) > KEPT):
            self.position += 1
        self.look()

    def become(self, mapping: Mapping) -> None:
        """Go on with other settings where it stands."""
        self.mapping = mapping
        self.look()

    def stop(self) -> None:
        """End; an invocation that is under way ends without it."""
        self.removed = True
        if self.timer is not None:
            self.timer.cancel()

    def written(self, hops: int) -> None:
        """The table may have been written to, so many hops after whatever set it off."""
        self.hops += [hops] * (len(self.items) - len(self.hops))
        self.look()

    def look(self, delay: float | None = None) -> None:
        """Plan the next read, `delay` seconds from now or as soon as the window allows."""
        full = self.waiting >= self.mapping.batch_size
        soon = self.scheduler.now + POLL[1]
        if full and delay is None and not self.ends and self.timer is not None and self.timer.when > soon:
            self.timer.cancel()  # no more waiting for the window
            self.timer = None
        idle = self.busy or self.removed or not self.mapping.enabled
        if idle or self.waiting <= 0 or self.timer is not None:
            return
        wait = self.scheduler.latency(*POLL) if delay is None else delay
        if delay is None and not full:
            wait += self.mapping.window
        self.timer = self.scheduler.after(wait, self._read)

    def _batch(self) -> Batch:
        """The next records that the filters let through, up to the batch size or to the end of what is tried again."""
        found, bound = Batch([], [], self.position), self.ends[-1] if self.ends else len(self.items)
        while found.end < bound and len(found.places) < self.mapping.batch_size:
            shown = of_stream(self.items[found.end], self.mapping.source)
            if self.mapping.wants(shown):
                found.records.append(shown)
                found.places.append(found.end)
            found.end += 1
        return found

    def _move(self, position: int) -> None:
        """Everything before `position` is done with."""
        self.position, self.failures, self.last = position, 0, None
        while self.ends and position >= self.ends[-1]:
            self.ends.pop()

    def _go_on(self, position: int) -> None:
        self._move(position)
        self.look()

    def _age(self, shown: dict[str, Any]) -> float:
        return float(self.scheduler.now - shown["dynamodb"]["ApproximateCreationDateTime"])

    def _read(self) -> None:
        self.timer = None
        batch = self._batch()
        if not self.mapping.enabled:
            return
        if not batch.records:
            return self._go_on(batch.end)
        for reason, age in (("RecordAgeExceeded", self.mapping.age), ("Expired", KEPT)):
            old = sum(self._age(shown) > age >= 0 for shown in batch.records)
            if old:
                end = batch.places[old] if old < len(batch.places) else batch.end
                return self._discard(batch.records[:old], reason, end)
        self.busy = True
        with self.scheduler.carrying(min(self.hops[self.position : batch.end], default=0)):
            done, event = partial(self._answered, batch), {"Records": batch.records}
            age = round(self._age(batch.records[-1]), 3)
            self.functions.start(self.mapping.function, event, done, source=self.mapping.name, age=age)

    def _answered(self, batch: Batch, result: Result) -> None:
        if self.removed:
            return
        self.busy, whole, named = False, result.error is not None or result.throttled, None
        if not whole and self.mapping.report_batch_item_failures:
            try:
                numbers = [shown["dynamodb"]["SequenceNumber"] for shown in batch.records]
                named = min((numbers.index(name) for name in named_failures(result.payload)), default=None)
            except ValueError:  # as for SQS: an answer that cannot be read, or a name that is not of this batch
                whole = True
        if not whole and named is None:
            return self._go_on(batch.end)
        first = named or 0
        if first:  # everything before the named record is done with
            self._move(batch.places[first])
        places, self.last = batch.places[first:], result
        if batch.end not in self.ends:
            self.ends.append(batch.end)
        if whole and self.mapping.bisect and len(places) > 1 and not result.throttled:
            self.ends.append(places[len(places) // 2])
        elif not result.throttled:
            self.failures += 1
        if 0 <= self.mapping.attempts < self.failures:
            return self._discard(batch.records[first:], "RetryAttemptsExhausted", batch.end)
        wait = min(RETRY_MAX, RETRY_FIRST * 2 ** min(max(self.failures - 1, 0), 10))
        self.trace.add("retry", self.mapping.name, f"in {wait:g} s", records=len(places), attempt=self.failures)
        self.look(wait)

    def _discard(self, records: list[dict[str, Any]], reason: str, end: int) -> None:
        """Give records up: to the on-failure destination, unless the stream has lost them, and go on behind them."""
        mapping = self.mapping
        self.trace.add("discard", mapping.name, reason, records=len(records))
        if mapping.on_failure is not None and reason != "Expired":
            to, arn = self.functions.destinations, self.functions.resolve(mapping.function).arn
            shard = self.table.stream_shard.id
            told = discarded(records, reason, mapping, shard, arn, self.last, self.failures, to.timestamp())
            where = to.send(mapping.on_failure, told, source=mapping.name, folder=f"{mapping.name}/{shard}")
            self.trace.add("destination", mapping.name, where or "not there: lost", records=len(records))
        self._go_on(end)
