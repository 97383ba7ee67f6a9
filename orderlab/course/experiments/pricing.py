"""`month()`: the bill of a month as a figure; `priced()`: what 1,000 orders cost through an outage, by pattern.

`month` rests on the day that every estimate rests on (orderlab.ops.bill.sample). `priced` plays a history of its own:
orders that come one after the other while the payment provider hangs, which is when a retry policy costs.

Not run on AWS: no bill has been compared with these. Taught in notebooks/12_ship_it.ipynb
"""

from contextlib import contextmanager
from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from orderlab.ops.bill.estimate import Estimate, bill, estimate
from orderlab.ops.bill.facts import read
from orderlab.ops.bill.meter import metered
from orderlab.ops.bill.sample import FLOOR
from orderlab.ops.bill.trace import from_trace
from orderlab.ops.days.play import turn_knob

from ..drawing import style
from ..drawing.figures import Plot
from ..shop import open_shop, order_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orderlab.cloud import Cloud

FUNCTION, PROVIDER = "ChargePayment", "PaymentProvider"  # the second is somebody else's, and is not counted
APART, HANGS = 60.0, 30.0  # seconds: between two orders; that the provider takes, longer than anybody waits


@lru_cache(maxsize=64)
def monthly(orders: int, cache: bool) -> Estimate:
    """The estimate of a month."""
    return estimate({"Cache": "on" if cache else "off"}, orders)


def month(orders: int = 1000, cache: int = 0) -> Plot:
    """Draw the bill of a month by pattern: so many orders, with a price cache (1) or without (0)."""
    found = monthly(orders, bool(cache))
    moving = {use.pattern for use in found.moving.units}
    still = {"watching": "alarms", "polls": "looks into empty queues", "cache": "the price cache, by the hour"}
    parts = {still.get(use.pattern, use.pattern): found.dollars(found.still.only(pattern=use.pattern))
             for use in found.still.units}  # fmt: skip
    ordered = {("logs" if name == "watching" else name): found.dollars(found.moving.only(pattern=name))
               for name in moving}  # fmt: skip
    rows = sorted([*parts.items(), *ordered.items()], key=lambda one: one[1])
    figure = style.new_figure()
    axes = figure.add_subplot()
    idle = [name in parts for name, _ in rows]
    bars = axes.barh(
        [name for name, _ in rows], [dollars for _, dollars in rows],
        color=[style.VERMILLION if one else style.BLUE for one in idle], hatch=["//" if one else "" for one in idle],
        edgecolor="white",
    )  # fmt: skip
    axes.bar_label(bars, [f" ${dollars:.2f}" if dollars >= 0.01 else " <1 cent" for _, dollars in rows])
    axes.set_xlim(0, 1.15 * rows[-1][1])
    axes.set_xlabel("US dollars a month (hatched: also while nobody orders)")
    axes.set_title(f"A month with {orders:,} orders: ${found.total:.2f}")
    return Plot(figure, _facts(found, orders, parts))


def _facts(found: Estimate, orders: int, parts: dict[str, float]) -> str:
    named = ", ".join(f"{name} {dollars:.2f}" for name, dollars in sorted(parts.items(), key=lambda one: -one[1]))
    ordered = found.total - found.standing
    return (  # without dollar signs: in a notebook, two of them are a formula
        f"A month with {orders:,} orders at list prices: {found.total:.2f} dollars. While nobody orders: {named}. "
        f"The orders themselves: {ordered:.2f}, or {ordered / found.total:.0%}."
    )


@contextmanager
def replaced(cloud: "Cloud", charge: "Callable[[Any, Any], Any]") -> "Iterator[None]":
    """Let `charge` stand in ChargePayment's place within this context, and what ships after it."""
    cloud.replace(FUNCTION, charge)
    try:
        yield
    finally:
        cloud.replace(FUNCTION, resolve_name(cloud.stack.resources[FUNCTION].properties["Handler"]))


def priced(cloud: "Cloud", charge: "Callable[[Any, Any], Any]", minutes: float = 0.0, orders: int = 10) -> Estimate:
    """What 1,000 orders cost, US dollars, by this ChargePayment: of one history, in which the provider hangs at first.

    The world begins anew, and the shipped ChargePayment stands in it again at the end. An order comes every minute.
    Left out are what costs by the month, and the provider's stand-in, which is a function here.
    """
    with replaced(cloud, charge):
        cloud.reset()
        open_shop(cloud)
        with metered(cloud) as meter:
            _hang(cloud, minutes, orders)
            used = from_trace(cloud.trace, read(), meter.rows, FLOOR)
    used = used - used.only(who=PROVIDER)
    return bill(used * (1000 / orders), title=f"1,000 orders, of one history of {orders} (seed {cloud.seed})")


def _hang(cloud: "Cloud", minutes: float, orders: int) -> None:
    """Orders come one after the other, while the provider hangs at first; then all of them come to an end."""
    begun = cloud.now
    for n in range(orders):
        cloud.request_at(begun + n * APART, "POST", "/orders", **order_request(cloud, f"o-{n}", {"mug": 1}, "C"))
    turn_knob(cloud.client, cloud.outputs, latency=HANGS if minutes else 0.0)
    cloud.run(until=begun + minutes * 60)
    turn_knob(cloud.client, cloud.outputs, latency=0.0)
    cloud.run()
