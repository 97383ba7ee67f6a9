"""Event source mapping SQS -> Lambda: Lambda polls the queue, invokes the function with a batch, and deletes.

The function never sees SQS. A message that it does not report as done stays in the queue, hidden until its visibility
timeout ends. A throttled batch is tried again until that timeout is nearly over, then it is dropped back. At most
MaximumConcurrency batches run at once; without it 5, and 300 more for each minute in which messages are left over, up
to 1,000. What the filters do not match is deleted and never invoked. Source: Lambda developer guide, services-sqs,
services-sqs-errorhandling, services-sqs-scaling.
Departures: one batch is gathered at a time; a quiet queue's longer window (up to 20 s) and the slower polling after
errors are not modelled. Taught in notebooks/04_the_queue.ipynb
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..functions.service import Functions, Result
from ..queues.service import Queues
from ..scheduler import Scheduler, Timer
from ..wire.answers import Refusal
from .partial import judge
from .records import of_message
from .settings import Mapping

POLL = (0.005, 0.020)  # seconds from a message being there to its receive; AWS promises none
THROTTLED = (0.25, 10.0)  # seconds: a throttled batch's first wait at most, and its longest; AWS publishes none
FIRST_SLOTS, MORE_SLOTS, MOST_SLOTS = 5, 300, 1000
PAYLOAD = 6 * 1024 * 1024  # bytes of one invocation
FRAME = 1024  # bytes that a record counts for here beside its body


@dataclass(frozen=True)
class Held:
    """A message in a mapping's hands: its handle, record, size in bytes, until when it is hidden, and its hops."""

    id: str
    handle: str
    record: dict[str, Any]
    size: int
    until: float
    hops: int


class Poller:
    """One mapping at work. `running` counts its invocations; `due` tells that the gathered batch waits for no more."""

    def __init__(self, mapping: Mapping, scheduler: Scheduler, queues: Queues, functions: Functions) -> None:
        self.mapping, self.scheduler, self.queues, self.functions = mapping, scheduler, queues, functions
        self.running, self.slots, self.removed, self.due = 0, FIRST_SLOTS, False, False
        self.batch: list[Held] = []
        self.poll_timer: Timer | None = None
        self.window_timer: Timer | None = None
        self.growth_timer: Timer | None = None

    @property
    def stopped(self) -> bool:
        """Is it to receive and invoke nothing more?"""
        return self.removed or not self.mapping.enabled

    def stop(self) -> None:
        """End; what it has received and not invoked comes back after the visibility timeout."""
        self.removed = True

    def become(self, mapping: Mapping) -> None:
        """Take over other settings. A disabled mapping lets go of what it has gathered."""
        self.mapping = mapping
        if self.stopped:
            self.batch, self.due = [], False
        self.look()

    @property
    def limit(self) -> int:
        """How many invocations may run at once now."""
        return self.mapping.maximum_concurrency or self.slots

    def look(self) -> None:
        """Something may be receivable, or an invocation ended: invoke what is due, plan the next receive."""
        while self.due and self.running < self.limit and not self.stopped:
            self.running += 1
            self._invoke(self._portion(), 0)
        if self.stopped or self.poll_timer is not None:
            return
        if not self.due and not self.queues.receivable(self.mapping.source):
            self.slots = FIRST_SLOTS
            if self.growth_timer is not None:
                self.growth_timer.cancel()
                self.growth_timer = None
        elif self.running < self.limit:
            self.poll_timer = self.scheduler.after(self.scheduler.latency(*POLL), self._poll)
        elif self.growth_timer is None and self.mapping.maximum_concurrency is None and self.slots < MOST_SLOTS:
            self.growth_timer = self.scheduler.after(60.0, self._grow)

    def _poll(self) -> None:
        """Receive and filter; the batch is due when it is full or there is no window to wait for."""
        self.poll_timer, mapping = None, self.mapping
        if self.stopped or self.running >= self.limit or not self.queues.receivable(mapping.source):
            return  # what cannot be invoked stays in the queue, uncounted
        for message in self.queues.receive(mapping.source, mapping.batch_size - len(self.batch)):
            shown = of_message(message, mapping)
            if mapping.wants(shown):
                size = len(message.body.encode()) + FRAME
                self.batch.append(Held(message.id, message.handle, shown, size, message.visible_at, message.hops))
            else:
                self.queues.delete(mapping.source, message.handle, why="filtered")
        full = len(self.batch) == mapping.batch_size or sum(held.size for held in self.batch) >= PAYLOAD
        self.due = bool(self.batch) and (full or mapping.window == 0)
        if self.batch and not self.due and self.window_timer is None:
            self.window_timer = self.scheduler.after(mapping.window, self._close_window)
        self.look()

    def _close_window(self) -> None:
        self.window_timer, self.due = None, bool(self.batch)
        self.look()

    def _portion(self) -> list[Held]:
        """As much of the gathered batch as fits into one invocation; the rest is due next."""
        size, count = 0, 0
        for held in self.batch:
            size += held.size
            if count and size > PAYLOAD:
                break
            count += 1
        portion, self.batch = self.batch[:count], self.batch[count:]
        self.due = bool(self.batch)
        if self.window_timer is not None:
            self.window_timer.cancel()
            self.window_timer = None
        return portion

    def _invoke(self, batch: list[Held], attempt: int) -> None:
        if self.stopped:
            self.running -= 1
        else:
            event = {"Records": [held.record for held in batch]}
            source = self.mapping.source.rpartition(":")[2]
            done, ids = partial(self._answered, batch, attempt), [held.id for held in batch]
            with self.scheduler.carrying(min(held.hops for held in batch)):
                self.functions.start(self.mapping.function, event, done, source=source, ids=ids)

    def _answered(self, batch: list[Held], attempt: int, result: Result) -> None:
        """Delete what the answer allows; a throttled batch waits and is tried again while it is hidden."""
        if result.throttled:
            first, longest = THROTTLED
            wait = self.scheduler.latency(0.0, min(longest, first * 2.0 ** min(attempt, 16)))
            if self.scheduler.now + wait < min(held.until for held in batch):
                self.scheduler.after(wait, partial(self._invoke, batch, attempt + 1))
                return
        done = judge([held.id for held in batch], result, self.mapping.report_batch_item_failures)
        for held in (held for held in batch if held.id in done):
            with suppress(Refusal):  # the function ran longer than a FIFO queue's handle was valid, or it is gone
                self.queues.delete(self.mapping.source, held.handle)
        self.running -= 1
        self.look()

    def _grow(self) -> None:
        self.growth_timer, self.slots = None, min(MOST_SLOTS, self.slots + MORE_SLOTS)
        self.look()
