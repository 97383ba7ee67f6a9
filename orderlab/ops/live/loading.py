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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from orderlab.sim.arrivals import poisson

from . import shopping
from .rest import LOOK, pending
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

    `submit` runs a request beside this loop; a pool of threads unless one is given.
    """
    rng = random.Random(f"load {seed} articles")
    skus = shopping.stocked(site, run, ARTICLES, max(1, len(times)))
    bodies = [shopping.order_of(run, n, rng.choice(skus)) for n in range(len(times))]
    sent: list[Sent] = []
    begun = site.clock()

    def send(number: int, due: float) -> None:
        at = site.clock() - begun
        answer = site.door.place(f"{run}-{number}", bodies[number])
        taken = site.clock() - begun - due
        sent.append(Sent(due, at, answer.status, taken, str(answer.body.get("orderId", ""))))

    with ThreadPoolExecutor(WORKERS) as pool:
        for number, due in enumerate(times):
            wait = begun + due - site.clock()
            if wait > 0:
                site.sleep(wait)
            if site.clock() >= deadline:
                say(f"the time is over: {len(times) - number} of {len(times)} requests are not sent")
                break
            (submit or pool.submit)(lambda number=number, due=due: send(number, due))  # type: ignore[misc]
    accepted = {one.order_id for one in sent if one.status == 202}
    say(f"{len(sent)} requests are answered, {len(accepted)} orders accepted; waiting until they are decided")
    while (left := pending(site, accepted)) and site.clock() < deadline:
        site.sleep(LOOK)
    return Load(tuple(sorted(sent, key=lambda one: one.due)), ends(site, accepted - {*left}), tuple(left))


def ends(site: Site, order_ids: Collection[str]) -> dict[str, tuple[str, float]]:
    """The status of each of these decided orders, and the seconds from its acceptance to its end, by its own row."""
    tables, table, found = site.client("dynamodb"), site.outputs["OrdersTableName"], dict[str, tuple[str, float]]()
    for order_id in sorted(order_ids):
        key = {"orderId": {"S": order_id}, "part": {"S": "ORDER"}}
        row = tables.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
        ended = datetime.fromisoformat(json.loads(row["event"]["M"]["detail"]["S"])["at"])
        taken = (ended - datetime.fromisoformat(row["placedAt"]["S"])).total_seconds()
        found[order_id] = (row["status"]["S"], taken)
    return found


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
        "post": _spread(answered),
        "decided": dict(sorted(Counter(status.lower() for status, _ in found.decided.values()).items())),
        "pending": len(found.pending),
        "to_decided": _spread(took),
        "latest_start": round(max((one.begun - one.due for one in found.sent), default=0.0), 3),
    }


def _spread(values: Collection[float]) -> dict[str, float]:
    named = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(values, share), 3) for name, share in named.items()}
