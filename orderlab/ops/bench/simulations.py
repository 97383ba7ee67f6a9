"""One measurement of the simulator in a process of its own: `python -m orderlab.ops.bench.simulations NAME`.

Prints a JSON object of seconds of CPU time, the least of several runs; what is compared takes turns. Runs on the
Python of an environment that has SimPy and numpy, with this package on its path.
"""

import gc
import json
import math
import sys
from collections.abc import Callable
from time import process_time

from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.retry import Retry
from orderlab.sim import ClosedLoop, OpenLoop, Service, Strategy, simulate, times

from . import simpy_models

TURNS = 7
CUSTOMERS, RATE = 20_000, 0.8
CLIENTS, SLOTS, MEAN = 1_000, 10, 0.01
QUEUEING = Strategy(retry=Retry(3, retry_on=Exception))
PATIENT = Strategy(retry=Retry(10**9, full_jitter(0.01, 2.0), retry_on=Exception))


def ours_queue(customers: int) -> float:
    """M/M/1 for so many customers on average; how many events there were: two for each."""
    run = simulate(
        OpenLoop(RATE, lambda: QUEUEING), Service(time=times.exponential(1.0)), seconds=customers / RATE, seed=1
    )
    return 2.0 * len(run.asked)


def ours_herd(clients: int) -> float:
    """A herd until all are done; how many events there were: one for each attempt, and one for each end."""
    service = Service(SLOTS, times.exponential(MEAN), queue=0)
    run = simulate(ClosedLoop(clients, lambda: PATIENT, requests=1), service, seconds=math.inf, seed=1)
    return float(len(run.sent) + clients)


def queue() -> dict[str, float]:
    """M/M/1: seconds an event, ours and SimPy's."""
    return _in_turn(lambda: ours_queue(CUSTOMERS), lambda: 2.0 * len(simpy_models.queue(CUSTOMERS, RATE, QUEUEING, 1)))


def herd() -> dict[str, float]:
    """A thundering herd of 1,000: seconds an event, ours and SimPy's."""

    def simpy() -> float:
        return float(len(simpy_models.herd(CLIENTS, SLOTS, MEAN, PATIENT, 1)[0]) + CLIENTS)

    return _in_turn(lambda: ours_herd(CLIENTS), simpy)


def growth() -> dict[str, float]:
    """M/M/1 of 10^4, 10^5 and 10^6 events: seconds an event."""
    return {f"{events}": min(_each(lambda: ours_queue(events // 2)) for _ in range(turns)) for events, turns in GROWTH}


GROWTH = ((10_000, 9), (100_000, 5), (1_000_000, 3))


def _in_turn(ours: Callable[[], float], simpy: Callable[[], float]) -> dict[str, float]:
    import importlib.metadata

    pairs = [(_each(ours), _each(simpy)) for _ in range(TURNS)]
    return {
        "ours": min(pair[0] for pair in pairs),
        "simpy": min(pair[1] for pair in pairs),
        "version": importlib.metadata.version("simpy"),  # type: ignore[dict-item]
    }


def _each(act: Callable[[], float]) -> float:
    gc.collect()
    begun = process_time()
    events = act()
    return (process_time() - begun) / events


RUNS = {act.__name__: act for act in (queue, herd, growth)}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1]]()))
