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

from orderlab.patterns.backoff import Rng

from .asking import Act, Asking, Event
from .faults import Outage, failing, out_of_order, slowdown
from .log import PENDING, Log
from .service import Service
from .times import Draw


class Serving:
    """One service in one run. `below` are its clients of the layer below, None when there is none.

    Raises ValueError when a time that is drawn is below 0 or not a number.
    """

    def __init__(
        self, service: Service, asking: Asking, below: Asking | None, heap: list[Event], tick: Callable[[], int], rng: Rng
    ) -> None:
        self.service, self.asking, self.below, self.heap, self.tick, self.rng = service, asking, below, heap, tick, rng
        self.log: Log = asking.log
        self.capacity, self.time, self.faults, self.network = service.capacity, service.time, service.faults, service.network
        self.by_load = len(signature(service.time).parameters) > 1
        self.room = math.inf if service.queue is None else service.queue
        self.busy = 0
        self.waiting: deque[int] = deque()
        self.take = self.waiting.pop if service.discipline == "lifo" else self.waiting.popleft
        self.drops = service.discipline == "drop-dead"
        self.holders: list[int] = []  # attempts that asked the layer below, by the row of their request there
        asking.send = self.arrive if service.network is None else self.over_the_network
        if below is not None:
            below.done = self.back
        for fault in self.faults:
            if isinstance(fault, Outage) and fault.how == "stall":
                heappush(heap, (fault.end, tick(), self.fill, -1))

    def over_the_network(self, now: float, a: int) -> None:
        """An attempt is on its way."""
        heappush(self.heap, (now + self.delay(self.network), self.tick(), self.arrive, a))

    def arrive(self, now: float, a: int) -> None:
        """An attempt is here."""
        how = out_of_order(self.faults, now) if self.faults else None
        if how is None and self.busy < self.capacity:
            self.serve(now, a)
        elif how in (None, "stall") and len(self.waiting) < self.room:
            self.waiting.append(a)
        elif how != "silent":
            self.answer(now, a, self.asking.refused)

    def serve(self, now: float, a: int) -> None:
        """Its turn has come: it takes a slot."""
        self.busy += 1
        self.log.begun[a] = now
        time = self.time(self.rng, self.busy) if self.by_load else self.time(self.rng)
        if self.faults:
            time *= slowdown(self.faults, now)
        if not time >= 0:
            raise ValueError(f"time draws seconds, at least 0, got {time!r}")
        heappush(self.heap, (now + time, self.tick(), self.finish, a))

    def finish(self, now: float, a: int) -> None:
        """The service time is over: failed, or done, or the layer below is asked."""
        service = self.service
        if service.failure and self.rng() < service.failure or self.faults and self.rng() < failing(self.faults, now):
            self.leave(now, a, self.asking.broke)
        elif self.below is None:
            self.leave(now, a, self.asking.worked)
        else:
            client = len(self.holders) % len(self.below.strategies)
            self.holders.append(a)
            self.below.request(now, client)

    def back(self, now: float, r: int, worked: bool) -> None:
        """The layer below has answered, or was given up."""
        self.leave(now, self.holders[r], self.asking.worked if worked else self.asking.broke)

    def leave(self, now: float, a: int, answer: Act) -> None:
        """The slot is free, for the next at once; the answer goes back."""
        self.log.left[a] = now
        self.busy -= 1
        if self.waiting:
            self.fill(now)
        self.answer(now, a, answer)

    def fill(self, now: float, _: int = 0) -> None:
        """Serve who waits, while there are slots."""
        if self.faults and out_of_order(self.faults, now) == "stall":
            return
        while self.waiting and self.busy < self.capacity:
            a = self.take()
            if not self.drops or self.log.outcome[a] == PENDING:
                self.serve(now, a)

    def answer(self, now: float, a: int, answer: Act) -> None:
        """Back to the client."""
        if self.network is None:
            answer(now, a)
        else:
            heappush(self.heap, (now + self.delay(self.network), self.tick(), answer, a))

    def delay(self, draw: Draw) -> float:
        """Seconds on the way."""
        length = draw(self.rng)
        if not length >= 0:
            raise ValueError(f"network draws seconds, at least 0, got {length!r}")
        return length
