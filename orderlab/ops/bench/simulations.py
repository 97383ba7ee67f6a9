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
from typing import Any

from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.retry import Retry
from orderlab.sim import ClosedLoop, OpenLoop, Service, Strategy, simulate, times

from . import simpy_models

Act = Callable[[int], float]  # how many customers or clients to how many events

TURNS = 15
CUSTOMERS, RATE = 10_000, 0.8
CLIENTS, SLOTS, MEAN = 1_000, 10, 0.01
GROWTH = ((10_000, 15), (100_000, 7), (1_000_000, 3))  # events, turns
QUEUEING = Strategy(retry=Retry(3, retry_on=Exception))
PATIENT = Strategy(retry=Retry(10**9, full_jitter(0.01, 2.0), retry_on=Exception))


def ours_queue(customers: int) -> float:
    """M/M/1 for so many customers, on average; the number of events: two for each."""
    service, seconds = Service(time=times.exponential(1.0)), customers / RATE
    return 2.0 * len(simulate(OpenLoop(RATE, lambda: QUEUEING), service, seconds=seconds, seed=1).asked)


def ours_herd(clients: int) -> float:
    """A herd until all are done; the number of events: one for each attempt, and one for each end."""
    service, everyone = (
        Service(SLOTS, times.exponential(MEAN), queue=0),
        ClosedLoop(clients, lambda: PATIENT, requests=1),
    )
    return float(len(simulate(everyone, service, seconds=math.inf, seed=1).sent) + clients)


def simpys_queue(customers: int) -> float:
    """The same with SimPy."""
    return 2.0 * len(simpy_models.queue(customers, RATE, QUEUEING, 1))


def simpys_herd(clients: int) -> float:
    """The same with SimPy."""
    return float(len(simpy_models.herd(clients, SLOTS, MEAN, PATIENT, 1)[0]) + clients)


def queue() -> dict[str, Any]:
    """M/M/1: seconds an event, ours and SimPy's."""
    return _in_turn(ours_queue, simpys_queue, CUSTOMERS)


def herd() -> dict[str, Any]:
    """A thundering herd: seconds an event, ours and SimPy's."""
    return _in_turn(ours_herd, simpys_herd, CLIENTS)


def growth() -> dict[str, Any]:
    """M/M/1 of 10^4, 10^5 and 10^6 events: seconds an event."""
    return {f"{events}": min(_each(ours_queue, events // 2) for _ in range(turns)) for events, turns in GROWTH}


def _in_turn(ours: Act, simpy: Act, size: int) -> dict[str, Any]:
    pairs = [(_each(ours, size), _each(simpy, size)) for _ in range(TURNS)]
    return {"ours": min(pair[0] for pair in pairs), "theirs": min(pair[1] for pair in pairs)}


def _each(act: Act, size: int) -> float:
    gc.collect()
    begun = process_time()
    events = act(size)
    return (process_time() - begun) / events


RUNS = {act.__name__: act for act in (queue, herd, growth)}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1]]()))
