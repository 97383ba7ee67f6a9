"""Discrete-event simulation: a heap of what happens next, and a loop that lets it happen.

Time jumps from event to event, so an hour with nothing in it costs nothing, and nothing ever sleeps. What happens at
the same instant happens in the order in which it was planned. Chance comes from streams of its own for arrivals,
strategies and services, all from the seed: two strategies under the same seed meet the same arrivals.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from itertools import count
from random import Random

from orderlab.patterns.backoff import Rng

from .asking import Asking, Event
from .clients import Clients, ClosedLoop, Factory, OpenLoop, Serial, Strategy, steps
from .log import Log
from .results import Run
from .service import Service
from .serving import Serving

MOST_AT_ONCE = 200_000  # events in which the time must go on


class _Over(Exception):
    """The time is up."""


def simulate(clients: Clients, service: Service, *, seconds: float, seed: int) -> Run:
    """Let `clients` call `service` from 0 to `seconds`; the same seed gives the same run, bit by bit.

    What is under way at the end stays so. math.inf seconds last until nothing is left to do, which comes to an end only
    with a ClosedLoop whose clients have a number of requests. Raises ValueError for settings that make no sense, and
    for those with which time stands still.
    """
    if not seconds > 0 or (seconds == math.inf and getattr(clients, "requests", None) is None):
        raise ValueError(f"seconds is a length above 0 (math.inf only for a ClosedLoop of requests), got {seconds!r}")
    heap: list[Event] = []
    tick = count().__next__
    asking, layers = _layers(clients.strategy, clients.clients, service, heap, tick, seed)
    heappush(heap, (seconds, -1, _stop, 0))
    arrivals, arrive = _source(clients, asking, heap, tick, seed)
    try:
        _loop(heap, arrivals, arrive)
    except _Over:
        pass
    run: Run | None = None
    for layer, log in reversed(layers):
        run = Run.read(log, layer, seconds, seed, run)
    assert run is not None
    return run


def _layers(
    strategy: Factory, clients: int, service: Service, heap: list[Event], tick: Callable[[], int], seed: int
) -> tuple[Asking, list[tuple[Service, Log]]]:
    """Set up the service and those below it; the clients of the first, and the log of each, from above."""
    made: list[tuple[Asking, Service, Rng]] = []
    layer: Service | None = service
    while layer is not None:
        chance, luck = (Random(f"{seed} {what} {len(made)}").random for what in ("strategies", "service"))
        strategies = [strategy() for _ in range(clients)]
        wrong = next((one for one in strategies if not isinstance(one, Strategy)), None)
        if wrong is not None:
            raise ValueError(f"strategy makes a Strategy for each client, got {wrong!r}")
        made.append((Asking(strategies, Log(), heap, tick, chance), layer, luck))
        below = layer.calls
        layer = None
        if below is not None:
            strategy, clients, layer = below.strategy, below.clients, below.service
    for (asking, layer, luck), under in zip(made, [*made[1:], None], strict=True):
        Serving(layer, asking, under and under[0], heap, tick, luck)
    return made[0][0], [(layer, asking.log) for asking, layer, _ in made]


def _source(
    clients: Clients, asking: Asking, heap: list[Event], tick: Callable[[], int], seed: int
) -> tuple[Iterator[float], Callable[[float], None]]:
    """When requests arrive from outside, and what then happens."""
    rng = Random(f"{seed} arrivals").random
    many = clients.clients
    if isinstance(clients, OpenLoop):
        request = asking.request
        arrive = (lambda now: request(now, int(many * rng()))) if many > 1 else (lambda now: request(now, 0))
    elif isinstance(clients, Serial):
        arrive = _one_by_one(many, asking, heap, tick, rng)
    else:
        _again_and_again(clients, asking, heap, tick, rng)
        return iter(()), lambda now: None
    return _poisson(steps(clients.rate), Random(f"{seed} gaps").random), arrive


def _one_by_one(
    many: int, asking: Asking, heap: list[Event], tick: Callable[[], int], rng: Rng
) -> Callable[[float], None]:
    """Each client does its work in turn, and keeps the rest waiting."""
    work: list[deque[int]] = [deque() for _ in range(many)]  # rows of requests, the one under way first
    log = asking.log
    log.asked = []

    def arrive(now: float) -> None:
        client = int(many * rng())
        mine = work[client]
        mine.append(asking.queue(now, client))
        if len(mine) == 1:
            asking.begin(now, mine[0])

    def done(now: float, r: int, ok: bool) -> None:
        mine = work[log.client[r]]
        mine.popleft()
        if mine:
            heappush(heap, (now, tick(), asking.begin, mine[0]))

    asking.done = done
    return arrive


def _again_and_again(
    clients: ClosedLoop, asking: Asking, heap: list[Event], tick: Callable[[], int], rng: Rng
) -> None:
    """Each client waits for its answer, thinks, and asks again."""
    left = [math.inf if clients.requests is None else clients.requests] * clients.clients
    log, think = asking.log, clients.think

    def done(now: float, r: int, ok: bool) -> None:
        client = log.client[r]
        left[client] -= 1
        if left[client] > 0:
            wait = 0.0 if think is None else think(rng)
            if not wait >= 0:
                raise ValueError(f"think draws seconds, at least 0, got {wait!r}")
            heappush(heap, (now + wait, tick(), asking.request, client))

    asking.done = done
    for client in range(clients.clients):
        heappush(heap, (0.0, tick(), asking.request, client))


def _poisson(rates: list[tuple[float, float]], rng: Rng) -> Iterator[float]:
    """The times of a Poisson process, in seconds; memoryless, so each step of the rate begins afresh."""
    log = math.log
    for (now, rate), (end, _) in zip(rates, [*rates[1:], (math.inf, 0.0)], strict=True):
        while rate:
            now -= log(1.0 - rng()) / rate
            if now >= end:
                break
            yield now


def _loop(heap: list[Event], arrivals: Iterator[float], arrive: Callable[[float], None]) -> None:
    coming = next(arrivals, math.inf)
    now = -1.0
    while True:
        before = now
        for _ in range(MOST_AT_ONCE):
            if heap[0][0] <= coming:
                now, _, act, row = heappop(heap)
                act(now, row)
            else:
                now = coming
                arrive(now)
                coming = next(arrivals, math.inf)
        if now == before:
            raise ValueError(f"time stands still at {now:g} s: retries without delay, of a service that answers at once")


def _stop(now: float, row: int) -> None:
    raise _Over
