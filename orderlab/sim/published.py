"""The set-ups of published experiments: a lesson draws the very runs whose results a test holds to their source.

Each function returns what `simulate` takes. The tests are tests/sim/test_sim_published_*.py, one file per source:
  M. Brooker, "Fixing retries with token buckets and circuit breakers" (2022) and "What is backoff for?" (2022), whose
      code is retry_sim in github.com/mbrooker/simulator_example: `failing`, `RETRIES`, RatioBreaker;
  M. Brooker, simple_collapse_sim in the same repository (2023): `collapse`, SPIKE, RAMP;
  N. Bronson et al., "Metastable Failures in Distributed Systems" (HotOS 2021), section 2.1: `metastable`.
Taught in notebooks/08_waiting_well.ipynb and 09_knowing_when_to_stop.ipynb.
"""

import math
from collections.abc import Callable
from typing import Literal

from orderlab.patterns.backoff import Backoff, Rng, none
from orderlab.patterns.budget import Budget
from orderlab.patterns.failure_rate import FailureRate
from orderlab.patterns.retry import Retry
from orderlab.sim import Failed, OpenLoop, Outage, Service, Strategy, times

FOR_EVER = 1e9  # seconds


class RatioBreaker(Budget):
    """Brooker's circuit breaker, which stops retries only: they are free until more than `limit` per call have failed.

    In our terms a budget: it is asked about retries, and never about a first attempt. FailureRate counts failures among
    all that it is told of, calls and failures, so that `limit` per call is limit / (1 + limit) there; and a hair more,
    since his limit itself still passes. Departs from his in that a last attempt's failure, after which nobody asks, is
    not counted.
    """

    def __init__(self, limit: float) -> None:
        super().__init__(1.0)
        self.rate = FailureRate(limit / (1 + limit) + 1e-12, window=FOR_EVER, min_calls=1)

    def call(self, now: float) -> None:
        """A call begins: counted as one that did not fail, until it does."""
        self.rate.reached(now, False)

    def take(self, now: float) -> bool:
        """An attempt has failed: may it be made again?"""
        return not self.rate.reached(now, True)


RETRIES: dict[str, Callable[[], Strategy]] = {
    "no retries": Strategy,
    "three retries": lambda: Strategy(Retry(4, none(), retry_on=Failed)),
    "token bucket": lambda: Strategy(Retry(4, none(), retry_on=Failed, budget=Budget(5, per_call=0.1))),
    "breaker": lambda: Strategy(Retry(4, none(), retry_on=Failed, budget=RatioBreaker(0.1))),
}
"""Brooker's four strategies, each made anew for each client: three retries but for the first, 10 % for the last two."""


def failing(share: float) -> Service:
    """Brooker's server: answers at once, fails a share of attempts, each by itself; each way takes exp(10 ms)."""
    return Service(math.inf, times.constant(0.0), failure=share, network=times.exponential(0.010))


SPIKE = [(0.0, 40.0), (20.0, 80.0), (25.0, 40.0)]
"""Requests/s from which second on: for five seconds twice as many."""

RAMP = [(float(second), max(0.1, 80 - 1.6 * abs(second + 0.5 - 25))) for second in range(76)]
"""From 40 requests/s to 80 at 25 s and back, to 0.1 at 75 s, in steps of a second."""


def collapse(load: list[tuple[float, float]], backoff: Backoff) -> tuple[OpenLoop, Service]:
    """A server that takes 1 s and 10 ms more for each request it has; clients wait 3 s and try three times.

    Published: `none()`, or `full_jitter(20, 40)`. There is no queue and no limit: what collapses is only slow.
    """

    def slower(rng: Rng, busy: int) -> float:
        return 1 + 0.01 * busy

    def strategy() -> Strategy:
        return Strategy(Retry(3, backoff, retry_on=TimeoutError), timeout=3.0)

    return OpenLoop(load, strategy), Service(math.inf, slower, network=times.exponential(0.1))


def metastable(
    load: float,
    strategy: Callable[[], Strategy],
    *,
    discipline: Literal["fifo", "lifo", "drop-dead"] = "fifo",
    outage: float = 10.0,
    queue: int | None = None,
) -> tuple[OpenLoop, Service]:
    """A database of 300 queries/s (exponential), and an outage from 10 s on, in which queries wait unanswered.

    Published: a load of 280 queries/s, one retry, a time-out of 1 s. The work on a query that its client has given up
    is done all the same, unless `discipline` is "drop-dead". Not published: a `queue` of so many, beyond which the
    database refuses a query at once.
    """
    faults = (Outage(10.0, 10.0 + outage, how="stall"),) if outage else ()
    return OpenLoop(load, strategy), Service(
        1, times.exponential(1 / 300), queue=queue, discipline=discipline, faults=faults
    )


def once_more(backoff: Backoff | None = None, budget: float | None = None) -> Callable[[], Strategy]:
    """The published client: one retry after a time-out of 1 s; `budget` retries per call at most, if given."""

    def strategy() -> Strategy:
        bucket = None if budget is None else Budget(10, per_call=budget)
        return Strategy(Retry(2, backoff or none(), retry_on=TimeoutError, budget=bucket), timeout=1.0)

    return strategy
