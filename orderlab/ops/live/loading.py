"""Load on a deployed system: orders at random times, whether or not the last ones are answered.

An open loop, as users are: the arrivals are a seeded Poisson process. A latency is counted from the moment at which the
request was due, so a client that is late because the system is slow makes nothing look better. Nobody asks again: what
is throttled or lost is counted. How long an order takes to be decided comes from its own row: both times are AWS's.
Source: B. Schroeder et al., "Open Versus Closed: A Cautionary Tale", NSDI 2006; G. Tene, "How NOT to Measure Latency"
(coordinated omission). Taught in notebooks/12_ship_it.ipynb
"""

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from orderlab.sim.arrivals import poisson

from ..audit.books import ORDER_ID
from . import shopping
from .auditing import check_new
from .rest import LOOK, pending, rows
from .site import Site

ARTICLES = 50  # so that not every order is at the same row
WORKERS = 64  # requests in flight at most
Submit = Callable[[Callable[[], None]], Any]


@dataclass(frozen=True)
class Sent:
    """One request: when it was due and when it was sent, seconds from the start; its status and its latency."""

    due: float
    begun: float
    status: int
    seconds: float
    order_id: str = ""

    @property
    def accepted(self) -> bool:
        """Was it answered 202, with an order's id? Without one nobody can follow it."""
        return self.status == 202 and bool(ORDER_ID.fullmatch(self.order_id))


@dataclass(frozen=True)
class Load:
    """What came of it: every request, and for each decided order its status and the seconds that it took."""

    sent: tuple[Sent, ...]
    decided: dict[str, tuple[str, float]]
    pending: tuple[str, ...]


def arrivals(rate: float, seconds: float, seed: int) -> list[float]:
    """The times of a Poisson process, seconds from its start: `rate` a second, for so many seconds."""
    rng = random.Random(f"load {seed}").random
    return list(takewhile(lambda moment: moment < seconds, poisson([(0.0, rate)], rng)))


def load(
    site: Site,
    run: str,
    times: Sequence[float],
    deadline: float,
    say: Callable[[str], None],
    submit: Submit | None = None,
    seed: int = 0,
) -> Load:
    """Send an order at each of these times, wait until all are decided or `deadline`, and read how it went.

    A request that is still waiting for a free connection at `deadline`, or when this loop is stopped, is not sent.
    `submit` runs a request beside this loop; a pool of threads unless one is given. Raises Problem for a known run.
    """
    check_new(site, run, shopping.code(run, 0))
    rng = random.Random(f"load {seed} articles")
    skus = shopping.stocked(site, run, ARTICLES, max(1, len(times)))
    bodies = [shopping.order_of(run, n, rng.choice(skus)) for n in range(len(times))]
    sent: list[Sent] = []
    begun = site.clock()

    def send(number: int, due: float) -> None:
        if site.clock() >= deadline:
            return
        at = site.clock() - begun
        answer = site.door.place(f"{run}-{number}", bodies[number])
        taken = site.clock() - begun - due
        sent.append(Sent(due, at, answer.status, taken, str(answer.body.get("orderId", ""))))

    pool, under_way = ThreadPoolExecutor(WORKERS), list[Any]()
    try:
        for number, due in enumerate(times):
            wait = begun + due - site.clock()
            if wait > 0:
                site.sleep(wait)
            if site.clock() >= deadline:
                break
            under_way.append((submit or pool.submit)(lambda number=number, due=due: send(number, due)))  # type: ignore[misc]
    except BaseException:  # Ctrl-C: what has not begun never does
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
    for one in under_way:
        if isinstance(one, Future):
            one.result()  # what a thread could not even ask, such as credentials that ended, is told
    if len(sent) < len(times):
        say(f"the time is over: {len(times) - len(sent)} of {len(times)} requests are not sent")
    accepted = {one.order_id for one in sent if one.accepted}
    say(f"{len(sent)} requests are sent, {len(accepted)} orders accepted; waiting until they are decided")
    left = pending(site, accepted)
    while left and site.clock() < deadline:
        site.sleep(LOOK)
        left = pending(site, left)
    return Load(tuple(sorted(sent, key=lambda one: one.due)), ends(site, accepted - {*left}), tuple(left))


def ends(site: Site, order_ids: Collection[str]) -> dict[str, tuple[str, float]]:
    """The status of each of these decided orders, and the seconds from its acceptance to its end, by its own row."""
    found = dict[str, tuple[str, float]]()
    for row in rows(site, order_ids):
        ended = datetime.fromisoformat(json.loads(row["event"]["M"]["detail"]["S"])["at"])
        taken = (ended - datetime.fromisoformat(row["placedAt"]["S"])).total_seconds()
        found[row["orderId"]["S"]] = (row["status"]["S"], taken)
    return dict(sorted(found.items()))


def percentile(values: Collection[float], share: float) -> float:
    """The least value that at least this share of them does not exceed (nearest rank); 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def summary(found: Load) -> dict[str, Any]:
    """The object that `load --json` prints; seconds."""
    answered = [one.seconds for one in found.sent if one.status]
    took = [seconds for _, seconds in found.decided.values()]
    return {
        "sent": len(found.sent),
        "statuses": {str(status): count for status, count in sorted(Counter(one.status for one in found.sent).items())},
        "throttled": sum(one.status == 429 for one in found.sent),
        "accepted": sum(one.accepted for one in found.sent),
        "post": _spread(answered),
        "decided": dict(sorted(Counter(status.lower() for status, _ in found.decided.values()).items())),
        "pending": len(found.pending),
        "to_decided": _spread(took),
        "latest_start": round(max((one.begun - one.due for one in found.sent), default=0.0), 3),
    }


def _spread(values: Collection[float]) -> dict[str, float]:
    named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(values, share), 3) for name, share in named.items()}
