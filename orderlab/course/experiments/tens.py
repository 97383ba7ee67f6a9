"""`ten()`: ten orders whose messages reach ReserveStock as one batch, one of them bad, and what became of each.

The mapping is stopped while the customers order, as for a deployment; then all ten messages lie in the queue. The
handler is one of `broken.one_bad_message`, whose log says how far it came with each message. In the local cloud a queue
hands its messages out in the order of sending; AWS promises a standard queue no order.
Taught in notebooks/05_some_of_them_failed.ipynb
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..drawing.figures import count
from ..shop import audited, open_shop, place

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

FUNCTION, QUEUE, ORDERS, BAD = "ReserveStock", "orderlab-stock", 10, 4
FLAG = ["ReportBatchItemFailures"]


@dataclass(frozen=True)
class Life:
    """One message: each delivery's seconds since the first one, "done", "failed" or "untried"; its end, "" if none yet.

    It ends as "deleted" or as "dead", a dead letter, after `ended` seconds.
    """

    deliveries: tuple[tuple[float, str], ...]
    end: str
    ended: float

    @property
    def lost(self) -> bool:
        """Was it deleted, and never done?"""
        return self.end == "deleted" and not self.times("done")

    def times(self, what: str) -> int:
        """Deliveries that came to this."""
        return sum(came == what for _, came in self.deliveries)


@dataclass(frozen=True, repr=False)
class Ten:
    """What became of ten orders under a handler of this name. `orders` counts their ends, by the audit."""

    seed: int
    handler: str
    lives: tuple[Life, ...]
    orders: dict[str, int]
    invocations: int
    errors: int

    @property
    def deliveries(self) -> int:
        """How often a message was given to the function."""
        return sum(len(life.deliveries) for life in self.lives)

    @property
    def done(self) -> int:
        """How often a message was done, the first time and again."""
        return sum(life.times("done") for life in self.lives)

    @property
    def dead(self) -> int:
        """Messages that became dead letters."""
        return sum(life.end == "dead" for life in self.lives)

    @property
    def lost(self) -> int:
        """Messages that were deleted and never done."""
        return sum(life.lost for life in self.lives)

    def __repr__(self) -> str:
        deleted = sum(life.end == "deleted" for life in self.lives)
        again = self.done - sum(life.times("done") > 0 for life in self.lives)
        return (
            f"{self.handler}: {self.deliveries} deliveries, {self.done} times done, {again} of them again\n"
            f"  invocations: {self.invocations}, of which {self.errors} failed\n"
            f"  messages:    {deleted} deleted, {count(self.dead, 'dead letter')}\n"
            f"  orders:      {', '.join(f'{number} {end}' for end, number in self.orders.items())}"
        )


def ten(cloud: "Cloud", handler: Callable[[Any, Any], Any], report: bool = True) -> Ten:
    """Empty the cloud, put the handler in ReserveStock's place, let ten customers order, and run to the end.

    Nine order a mug; the fourth orders the metal lantern, which has no colour. `report` says whether the mapping has
    its ReportBatchItemFailures meanwhile.
    """
    cloud.reset()
    cloud.replace(FUNCTION, handler)
    opening, mapping = open_shop(cloud), mapping_of(cloud)
    mapping(Enabled=False)
    ids = []
    for n in range(1, ORDERS + 1):
        ids.append(place(cloud, f"order-{n}", {"lamp" if n == BAD else "mug": 1}, f"C-{n}").json()["orderId"])
        cloud.advance(1)  # so that the messages come in the order of the orders
    mapping(Enabled=True, FunctionResponseTypes=FLAG if report else [])
    cloud.run()
    mapping(FunctionResponseTypes=FLAG)
    ends = Counter(end.state for end in audited(cloud, opening, ids).ends.values())
    runs, errors = (len(cloud.trace.select(kind, actor=FUNCTION)) for kind in ("invoke", "error"))
    return Ten(cloud.seed, handler.__name__, _lives(cloud), dict(sorted(ends.items())), runs, errors)


def mapping_of(cloud: "Cloud") -> Callable[..., Any]:
    """What changes the settings of ReserveStock's mapping."""
    client = cloud.client("lambda")
    found = client.list_event_source_mappings()["EventSourceMappings"]
    uuid = next(one["UUID"] for one in found if one["EventSourceArn"].endswith(f":{QUEUE}"))
    return lambda **settings: client.update_event_source_mapping(UUID=uuid, **settings)


def _lives(cloud: "Cloud") -> tuple[Life, ...]:
    """Each message's life, out of the trace, in the order of sending."""
    came: dict[str, list[tuple[float, str]]] = {row.what: [] for row in cloud.trace.select("send", actor=QUEUE)}
    ends: dict[str, tuple[str, float]] = {}
    first = cloud.trace.select("invoke", actor=FUNCTION)[0].at
    for row in cloud.trace.rows:
        if row.kind == "invoke" and row.actor == FUNCTION:
            for one in row.detail["ids"]:
                came[one].append((row.at - first, "untried"))
        elif row.kind == "log" and row.actor == FUNCTION and '"reserve"' in row.what:
            line = json.loads(row.what)
            mine = came[line["messageId"]]
            mine[-1] = (mine[-1][0], "done" if line["reserve"] == "done" else "failed")
        elif row.kind in ("delete", "dead") and row.what in came:
            ends[row.what] = ("deleted" if row.kind == "delete" else "dead", row.at - first)
    return tuple(Life(tuple(mine), *ends.get(one, ("", 0.0))) for one, mine in came.items())
