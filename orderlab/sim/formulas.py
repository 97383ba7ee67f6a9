"""What retries, budgets, layers and breakers do to the load, in closed form: the numbers a simulation must come to.

All assume that attempts fail independently of each other and of the load. Where retries themselves cause the failures,
as in an overload, the truth is worse, and only `vulnerable_above` speaks of that. Each raises ValueError, naming the
argument, for a share that is none or a count that is not whole. Queueing formulas are in `queueing`.

Taught in notebooks/08_waiting_well.ipynb and 09_knowing_when_to_stop.ipynb.
"""

import math

from orderlab.patterns.checks import whole


def retry_load(failure: float, retries: int) -> float:
    """Attempts per request when a share `failure` of attempts fails, and up to `retries` follow the first.

    (1 - f ** (n + 1)) / (1 - f), and n + 1 when all fail. Source: the geometric sum, as in M. Brooker, "Fixing retries
    with token buckets and circuit breakers", 2022.
    """
    return float(sum(_share(failure) ** n for n in range(whole("retries + 1", retries + 1))))


def retry_success(failure: float, retries: int) -> float:
    """The share of requests, 0 to 1, that succeed within 1 + `retries` attempts: 1 - f ** (n + 1). Source: as above."""
    return 1 - _share(failure) ** whole("retries + 1", retries + 1)


def budget_load(per_call: float, capacity: float, requests: float) -> float:
    """The most attempts per request that a token bucket allows a client that has made `requests` requests.

    Each adds `per_call` tokens, and the full bucket of `capacity` is spent once: 1 + per_call + capacity / requests.
    Hence the effect of the client count: many clients with few requests each own many full buckets. Source: as above.
    """
    return 1 + per_call + capacity / requests


def layered_load(attempts: int, layers: int) -> int:
    """Attempts at the bottom for one request at the top, when each of `layers` makes `attempts` and all fail.

    attempts ** layers: 27 for three layers of three. Source: Site Reliability Engineering (Google, 2016), chapter 22,
    "Addressing Cascading Failures": 64 for three layers of four.
    """
    return int(whole("attempts", attempts) ** whole("layers", layers))


def calls_until_open(failure: float, threshold: int = 5) -> float:
    """The expected number of calls until a breaker that counts `threshold` failures in a row opens.

    (f ** -k - 1) / (1 - f): 62 calls at f = 0.5, 111,110 at 0.1, math.inf at 0. Source: W. Feller, "An Introduction to
    Probability Theory and Its Applications", volume 1, XIII.7, the mean recurrence time of a run.
    """
    whole("threshold", threshold)
    return float(sum(_share(failure) ** -n for n in range(1, threshold + 1))) if failure else math.inf


def vulnerable_above(capacity: float, retries: int) -> float:
    """The load in requests/s above which a service of `capacity` requests/s, once overloaded, stays overloaded.

    Every request then times out and comes `1 + retries` times: capacity / (1 + retries). Below, the service recovers by
    itself when the trigger is gone. Source: N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS'21.
    """
    return capacity / whole("retries + 1", retries + 1)


def _share(failure: float) -> float:
    if not 0 <= failure <= 1:
        raise ValueError(f"failure is a share of attempts, 0 to 1, got {failure!r}")
    return failure
