"""A thundering herd: many clients call at the same instant, most are refused, and all of them try again.

Without jitter they stay together, and every wave is refused again but for those that find a slot; with jitter they come
apart. If the service is down at first, the herd that has formed meanwhile meets it on its return. One row under
optimistic locking is in `contention`; this is a service with a limit on concurrency.

Source: "Timeouts, retries, and backoff with jitter", Amazon Builders' Library.
Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Iterable

from orderlab.patterns import backoff
from orderlab.patterns.retry import Retry

from . import times
from .clients import ClosedLoop, Strategy
from .faults import Outage
from .seeds import Runs, simulate_many
from .service import Service

WAYS = {  # by AWS's names, as in `contention`; and the one of the article that the course follows
    "None": backoff.none,
    "Exponential": backoff.exponential,
    "Additive": backoff.additive_jitter,
    "EqualJitter": backoff.equal_jitter,
    "FullJitter": backoff.full_jitter,
    "Decorr": backoff.decorrelated_jitter,
}
TRIES = 10**6  # nobody gives up


def herd(
    clients: int,
    slots: int,
    base: float,
    cap: float,
    seeds: Iterable[int],
    outage: float = 0.0,
    ways: Iterable[str] = tuple(WAYS),
) -> dict[str, Runs]:
    """Each of these ways of backing off (`base` and `cap` in seconds), until all `clients` are served, by seed.

    The service takes `slots` requests at a time, 10 ms each on average, and refuses the others; the network takes 4 to
    6 ms each way. For the first `outage` seconds it refuses all. Raises ValueError as its parts do.
    """
    seeds = tuple(seeds)
    faults = (Outage(0.0, outage),) if outage else ()
    network = times.uniform(0.004, 0.006)
    service = Service(slots, times.exponential(0.01), queue=0, network=network, faults=faults)
    found = {}
    for name in ways:
        strategy = Strategy(Retry(TRIES, WAYS[name](base, cap), retry_on=Exception))
        found[name] = simulate_many(_at_once(clients, strategy), service, seconds=math.inf, seeds=seeds)
    return found


def _at_once(clients: int, strategy: Strategy) -> ClosedLoop:
    return ClosedLoop(clients, lambda: strategy, requests=1)  # with neither budget nor breaker it has no state
