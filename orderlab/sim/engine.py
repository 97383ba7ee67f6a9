"""Discrete-event simulation: a heap of what happens next, and a loop that lets it happen.

Time jumps from event to event, so an hour with nothing in it costs nothing, and nothing ever sleeps. What happens at
the same instant happens in the order in which it was planned. Chance comes from streams of its own for arrivals,
strategies and services, all from the seed: two strategies under the same seed meet the same arrivals.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable
from heapq import heappop, heapreplace
from itertools import count
from random import Random

from orderlab.patterns.backoff import Rng

from .arrivals import again_and_again, one_by_one, whenever
from .asking import Asking, Event
from .clients import Clients, ClosedLoop, Factory, Serial, Strategy
from .log import Log
from .results import Run
from .service import Call, Service
from .serving import Serving

AT_ONCE = 100_000  # events in which the time must go on, beside those that were planned before


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
    heap: list[Event] = [(seconds, -1, _stop, 0)]
    tick = count().__next__
    askings, layers = _layers(clients.strategy, clients.clients, service, heap, tick, seed)
    asking, rng = askings[0], Random(f"{seed} arrivals").random
    if isinstance(clients, ClosedLoop):
        again_and_again(clients, asking, rng)
    elif isinstance(clients, Serial):
        one_by_one(clients, asking, rng)
    else:
        whenever(clients, asking, rng)
    try:
        _loop(heap)
    finally:
        heap.clear()  # what is left would keep all of this alive until the garbage collector comes by
        for each in askings:
            vars(each).clear()
    run: Run | None = None
    for layer, log in reversed(layers):
        run = Run(log, layer, seconds, seed, run)
    assert run is not None
    return run


def _layers(
    strategy: Factory, clients: int, service: Service, heap: list[Event], tick: Callable[[], int], seed: int
) -> tuple[list[Asking], list[tuple[Service, Log]]]:
    """Set up the service and those below it: the clients of each, and each with its log, from above."""
    made: list[tuple[Asking, Service, Rng]] = []
    call: Call | None = Call(service, strategy, clients)
    while call is not None:
        strategies = [call.strategy() for _ in range(call.clients)]
        wrong = next((one for one in strategies if not isinstance(one, Strategy)), None)
        if wrong is not None:
            raise ValueError(f"strategy makes a Strategy for each client, got {wrong!r}")
        chance, luck = (Random(f"{seed} {whose} {len(made)}").random for whose in ("clients", "service"))
        made.append((Asking(strategies, Log(), heap, tick, chance), call.service, luck))
        call = call.service.calls
    for (asking, layer, luck), under in zip(made, [*made[1:], None], strict=True):
        Serving(layer, asking, under and under[0], heap, tick, luck)
    return [asking for asking, _, _ in made], [(layer, asking.log) for asking, layer, _ in made]


def _loop(heap: list[Event]) -> None:
    try:
        while True:
            before = heap[0][0]
            for _ in range(AT_ONCE + 2 * len(heap)):
                now, _, act, row = heap[0]  # it stays there meanwhile: nothing that is pushed comes before it
                event = act(now, row)
                if event is None:
                    heappop(heap)
                else:
                    heapreplace(heap, event)
            if now == before:
                raise ValueError(f"time stands still at {now:g} s: retries without delay of what is refused at once")
    except _Over:
        return


def _stop(now: float, row: int) -> None:
    raise _Over
