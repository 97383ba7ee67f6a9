"""The service's side of a simulated call: a free slot, a place in the queue or a refusal; then work, then an answer.

With a layer below, the slot is held while that is asked: this is how one slow dependency fills up all that stand above
it, and how retries multiply, layer by layer.

Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math
from collections import deque
from collections.abc import Callable
from heapq import heappush
from inspect import signature
from typing import Any

from orderlab.patterns.backoff import Rng

from .asking import Asking, Event
from .faults import Outage, failing, out_of_order, slowdown
from .log import FAILED, NEVER, OK, PENDING, REFUSED
from .service import Service


class Serving:
    """One service in one run. `below` are its clients of the layer below, None when there is none.

    Raises ValueError when a time that is drawn is below 0 or not a number.
    """

    def __init__(
        self,
        service: Service,
        asking: Asking,
        below: Asking | None,
        heap: list[Event],
        tick: Callable[[], int],
        rng: Rng,
    ) -> None:
        self.asking, self.log, self.below = asking, asking.log, below
        self.heap, self.tick, self.rng = heap, tick, rng
        self.capacity, self.network = service.capacity, service.network
        self.time: Any = service.time
        self.by_load = len(signature(service.time).parameters) > 1
        self.failure, self.faults = service.failure, service.faults
        self.room = math.inf if service.queue is None else service.queue
        self.drops = service.discipline == "drop-dead"
        self.waiting: deque[int] = deque()  # attempts
        self.take = self.waiting.pop if service.discipline == "lifo" else self.waiting.popleft
        self.busy = 0
        self.holders: list[int] = []  # services that ask the layer below, by the row of their request there
        asking.send = self.arrive if self.network is None else self.over_the_network
        self.refuse = asking.failed if self.network is None else self.answer
        if below is not None:
            below.done = self.back
        for fault in self.faults:
            if isinstance(fault, Outage) and fault.how == "stall":
                heappush(heap, (fault.end, tick(), self.fill, -1))

    def over_the_network(self, now: float, a: int) -> Event:
        """An attempt is on its way."""
        return now + self.delay(), self.tick(), self.arrive, a

    def arrive(self, now: float, a: int) -> Event | None:
        """An attempt is here."""
        room = self.room
        if self.faults and (how := out_of_order(self.faults, now)) is not None:
            if how == "silent":
                return None
            if how == "refuse":
                room = 0
        elif self.busy < self.capacity:
            return self.serve(now, a)
        if len(self.waiting) < room:
            self.waiting.append(a)
            return None
        return self.refuse(now, a, REFUSED)

    def serve(self, now: float, a: int) -> Event:
        """Its turn has come: it takes a slot. From here on the row is that of the service."""
        self.busy += 1
        time = self.time(self.rng, self.busy) if self.by_load else self.time(self.rng)
        if self.faults:
            time *= slowdown(self.faults, now)
        if not time >= 0:
            raise ValueError(f"time draws seconds, at least 0, got {time!r}")
        log, end = self.log, now + time
        log.served.append(a)
        log.begun.append(now)
        log.left.append(end)
        return end, self.tick(), self.finish, len(log.left) - 1

    def finish(self, now: float, row: int) -> Event | None:
        """The service time is over: failed, or done, or the layer below is asked."""
        failure, below = self.failure, self.below
        if (failure and self.rng() < failure) or (self.faults and self.rng() < failing(self.faults, now)):
            return self.leave(now, row, FAILED)
        if below is None:
            return self.leave(now, row, OK)
        self.log.left[row] = NEVER
        client = len(self.holders) % len(below.strategies)
        self.holders.append(row)
        return below.request(now, client)

    def back(self, now: float, r: int, ok: bool) -> Event | None:
        """The layer below has answered, or was given up."""
        row = self.holders[r]
        self.log.left[row] = now
        return self.leave(now, row, OK if ok else FAILED)

    def leave(self, now: float, row: int, outcome: int) -> Event | None:
        """The slot is free, for the next at once; the answer goes back."""
        self.busy -= 1
        first = self.fill(now) if self.waiting else None
        a = self.log.served[row]
        if self.network is None and outcome == OK:
            answered = self.asking.worked(now, a)
        else:
            answered = self.answer(now, a, outcome)
        if answered is None:
            return first
        if first is not None:
            heappush(self.heap, first)
        return answered

    def fill(self, now: float, row: int = -1) -> Event | None:
        """Serve who waits, while there are slots."""
        if self.faults and out_of_order(self.faults, now) == "stall":
            return None
        event: Event | None = None
        while self.waiting and self.busy < self.capacity:
            a = self.take()
            if self.drops and self.log.outcome[a] != PENDING:
                continue
            if event is not None:
                heappush(self.heap, event)
            event = self.serve(now, a)
        return event

    def answer(self, now: float, a: int, outcome: int) -> Event | None:
        """Back to the client."""
        if self.network is not None:
            return now + self.delay(), self.tick(), self.asking.replies[outcome], a
        return self.asking.worked(now, a) if outcome == OK else self.asking.failed(now, a, outcome)

    def delay(self) -> float:
        """Seconds on the way."""
        assert self.network is not None
        length = self.network(self.rng)
        if not length >= 0:
            raise ValueError(f"network draws seconds, at least 0, got {length!r}")
        return length
