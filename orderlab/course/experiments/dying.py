"""Where PlaceOrder may die: a crash before and after each of its two writes, and what the books say afterwards.

The crash points are read from a history without faults, as the hunt does (`orderlab.ops.hunt`): the put of the row and
the first PutEvents, whichever function makes them. What only reads changes nothing, and is left out. On AWS nobody can
place a crash; there it happens at every point in the end. Taught in notebooks/07_exactly_once_nearly.ipynb
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orderlab.ops.audit.books import books_of
from orderlab.ops.audit.findings import Expected, was_captured
from orderlab.ops.audit.verdict import audit

from ..drawing import style
from ..drawing.figures import Plot, count
from ..shop import open_shop, place

if TYPE_CHECKING:
    from orderlab.cloud import Cloud, Faults

FINE, LOST, PAID = "fine", "lost", "paid, no order"
CALLS = {"dynamodb.PutItem": "row", "eventbridge.PutEvents": "event"}
MARKS = {FINE: ("o", style.CONCEPTS["done"]), LOST: ("X", style.CONCEPTS["failed"]), PAID: ("^", style.PURPLE)}
TRIES = 3  # of a customer who asks again


@dataclass(frozen=True)
class Death:
    """One crash: just before or just after which call, of which function, and how it ended: FINE, LOST or PAID."""

    when: str
    call: str
    function: str
    end: str

    def __repr__(self) -> str:
        return f"{self.when} the {self.call}: {self.end}"


def deaths(cloud: "Cloud", handler: Callable[[Any, Any], Any], asks_again: bool = True) -> list[Death]:
    """Crash once at each point on the way of one order, with `handler` in PlaceOrder's place; each in a new world.

    The customer asks again at once, with the same key, until there is a 202; or, without `asks_again`, never.
    """
    from orderlab.cloud import Faults

    cloud.replace("PlaceOrder", handler)
    _order(cloud, 1, None)
    rows = [row for row in cloud.trace.select("call") if row.actor in ("PlaceOrder", "Relay") and row.what in CALLS]
    found = []
    for row in rows[: len(CALLS)]:
        for when in ("before", "after"):
            crash = Faults(0).at_step(row.detail["step"], f"crash-{when}")
            expected = _order(cloud, TRIES if asks_again else 1, crash)
            found.append(Death(when, CALLS[row.what], row.actor, _end(cloud, expected)))
    return found


def _order(cloud: "Cloud", tries: int, faults: "Faults | None") -> Expected:
    """Order one lamp in a new world, and let it come to rest. What the books should agree with."""
    cloud.reset(faults=faults)
    opening, accepted = open_shop(cloud), []
    for _ in range(tries):
        answer = place(cloud, "order-1", {"lamp": 1})
        if answer.status == 202:
            accepted.append(answer.json()["orderId"])
            break
    cloud.run()
    return Expected(opening, accepted)


def _end(cloud: "Cloud", expected: Expected) -> str:
    books = books_of(cloud)
    ordered = {order_id for order_id, parts in books.orders.items() if "ORDER" in parts}
    if any(was_captured(row) and row["key"] not in ordered for row in books.ledger):
        return PAID
    return LOST if audit(books, expected).findings else FINE


def where_it_may_die(lanes: dict[str, list[Death]]) -> Plot:
    """Draw the crash points of each lane on either side of the call that they are at, marked by how they ended."""
    from matplotlib.patches import FancyBboxPatch

    font = style.FONT * style.scale()
    figure = style.new_figure(height=style.HEIGHT * (0.7 + 0.3 * style.scale()))
    most = max(map(len, lanes.values())) // 2
    axes = figure.add_subplot(xlim=(-0.55, most - 0.45), ylim=(len(lanes) - 0.4, -0.6))
    for y, found in enumerate(lanes.values()):
        axes.plot([-0.5, len(found) / 2 - 0.5], [y, y], color="#BBBBBB", linewidth=2, linestyle="-", zorder=0)
        for n, death in enumerate(found):
            marker, colour = MARKS[death.end]
            x = n // 2 + (-0.36 if death.when == "before" else 0.36)
            axes.scatter([x], [y], s=150, marker=marker, color=colour, edgecolors="black", linewidths=0.8, zorder=2)
            if death.when == "before":
                own = death.function == "PlaceOrder"
                look: dict[str, Any] = {"facecolor": "white", "linewidth": 2, "linestyle": "-" if own else "--"}
                look["edgecolor"] = style.CONCEPTS["function"] if own else style.BLACK
                box = FancyBboxPatch((n // 2 - 0.21, y - 0.22), 0.42, 0.44, boxstyle="round,pad=0.02", **look)
                axes.add_patch(box)
                axes.text(n // 2, y, death.call, ha="center", va="center", fontsize=font)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.set_xticks([])
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    words = {FINE: "in order", LOST: "never worked on", PAID: PAID}
    for end, (marker, colour) in MARKS.items():
        axes.scatter([], [], s=150, marker=marker, color=colour, edgecolors="black", linewidths=0.8, label=words[end])
    axes.legend(loc="upper center", bbox_to_anchor=(0.36, 0.0), ncols=3, frameon=False, handletextpad=0.1,
                columnspacing=0.8, borderaxespad=0.2)  # fmt: skip
    title = {"x": 0.01, "ha": "left", "fontsize": style.TITLE * style.scale()}
    figure.suptitle("One crash, before or after each of the two writes", **title)
    return Plot(figure, _facts(lanes))


def _facts(lanes: dict[str, list[Death]]) -> str:
    told = []
    for name, found in lanes.items():
        ends = [death.end for death in found]
        bad = [f"{ends.count(end)} {words}" for end, words in ((LOST, "lost"), (PAID, "paid without an order"))
               if end in ends]  # fmt: skip
        told.append(f"{' '.join(name.split())}: {' and '.join(bad) or 'all fine'}")
    total = sum(map(len, lanes.values()))
    return f"{count(total, 'history', 'histories')} (seed 0) of one order and one crash. {'; '.join(told)}."
