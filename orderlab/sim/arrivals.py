"""When requests come: a Poisson process from outside, or the end of the request before.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappush

from orderlab.patterns.backoff import Rng

from .asking import Asking, Event
from .clients import ClosedLoop, OpenLoop, Rate, Serial, steps


def whenever(clients: OpenLoop, asking: Asking, rng: Rng) -> None:
    """Open loop: each arrival is sent, by a random client."""
    many, request = clients.clients, asking.request
    _from_outside(clients.rate, asking, rng, lambda now: request(now, int(many * rng()) if many > 1 else 0))


def one_by_one(clients: Serial, asking: Asking, rng: Rng) -> None:
    """Serial: each client does its work in turn, and keeps the rest waiting."""
    many = clients.clients
    work: list[deque[int]] = [deque() for _ in range(many)]  # rows of requests, the one under way first
    log = asking.log
    log.asked = []

    def arrive(now: float) -> Event | None:
        client = int(many * rng())
        mine = work[client]
        mine.append(asking.queue(now, client))
        return asking.begin(now, mine[0]) if len(mine) == 1 else None

    def done(now: float, r: int, ok: bool) -> Event | None:
        mine = work[log.client[r]]
        mine.popleft()
        return (now, asking.tick(), asking.begin, mine[0]) if mine else None

    asking.done = done
    _from_outside(clients.rate, asking, rng, arrive)


def again_and_again(clients: ClosedLoop, asking: Asking, rng: Rng) -> None:
    """Closed loop: each client waits for its answer, thinks, and asks again."""
    left = [math.inf if clients.requests is None else clients.requests] * clients.clients
    log, think = asking.log, clients.think

    def done(now: float, r: int, ok: bool) -> Event | None:
        client = log.client[r]
        left[client] -= 1
        if left[client] <= 0:
            return None
        wait = 0.0 if think is None else think(rng)
        if not wait >= 0:
            raise ValueError(f"think draws seconds, at least 0, got {wait!r}")
        return now + wait, asking.tick(), asking.request, client

    asking.done = done
    for client in range(clients.clients):
        heappush(asking.heap, (0.0, asking.tick(), asking.request, client))


def _from_outside(rate: Rate, asking: Asking, rng: Rng, arrive: Callable[[float], Event | None]) -> None:
    """Let `arrive(now)` happen at the times of a Poisson process."""
    heap, tick, times = asking.heap, asking.tick, poisson(steps(rate), rng)

    def arrival(now: float, row: int) -> Event | None:
        event = arrive(now)
        if event is not None:
            heappush(heap, event)
        coming = next(times, None)
        return None if coming is None else (coming, tick(), arrival, 0)

    first = next(times, None)
    if first is not None:
        heappush(heap, (first, tick(), arrival, 0))


def poisson(rates: list[tuple[float, float]], rng: Rng) -> Iterator[float]:
    """The times of a Poisson process, in seconds; memoryless, so each step of the rate begins afresh."""
    log = math.log
    for (now, rate), (end, _) in zip(rates, [*rates[1:], (math.inf, 0.0)], strict=True):
        while rate:
            now -= log(1.0 - rng()) / rate
            if now >= end:
                break
            yield now
