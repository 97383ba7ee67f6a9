"""`take_orders()` and `chained()`: a shop that asks its services in turn, or tells them, and how its orders fare.

The services are stand-ins that work for a moment and fail at a known rate, so that what is measured can stand beside
what is computed: shares multiply, and waits add up. Taught in notebooks/01_ask_or_tell.ipynb
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import shop
from ..broken import chain_of_asks
from ..drawing import style
from ..drawing.figures import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from orderlab.cloud import Cloud
    from orderlab.cloud.trace import Trace

SERVICES = {"ReserveStock": "stock", "ChargePayment": "payment", "Notify": "mail"}
MEAN = sum(chain_of_asks.SECONDS) / 2  # seconds that a service works
WIDE, HIGH = 10.0, 4.6  # inches
LOOKS = {  # colour, line, marker
    "computed": (style.BLACK, ":", ""),
    "asked": (style.VERMILLION, "", "s"),
    "told": (style.BLUE, "-", "o"),
}


@dataclass(frozen=True)
class Taken:
    """How orders fared, by the number of services that were asked or told so far, 0 to 3.

    `left` counts the orders that got so far; `seconds` is the mean time since PlaceOrder was called. `answered` orders
    had an answer of 2xx. Of the pieces of work, one for each order and service, `done` were done in the end; Lambda
    gave up `kept` into a destination, and `gone` without one. `billed` is the mean time in seconds that PlaceOrder ran.
    """

    orders: int
    seed: int
    left: tuple[int, ...]
    seconds: tuple[float, ...]
    answered: int
    done: int
    kept: int
    gone: int
    billed: float

    def __repr__(self) -> str:
        return (
            f"{self.orders} orders, {self.answered} with a good answer; {self.done} of {self.orders * len(SERVICES)} "
            f"pieces of work done, {self.kept} in a destination, {self.gone} gone; PlaceOrder runs {self.billed:.3f} s"
        )


def take_orders(cloud: "Cloud", orders: int, telling: bool = False) -> Taken:
    """Begin the world anew, and let a shop of stand-ins ask (or tell) its services for each of so many orders."""
    cloud.reset()
    chain_of_asks.build(cloud, telling=telling, stand_ins=True)
    shop.open_shop(cloud)
    answers = [shop.place(cloud, f"order-{n}", {"mug": 1}) for n in range(orders)]
    cloud.run()
    waits = _waits(cloud.trace, "queued" if telling else "end")
    ran = [row.detail["seconds"] for row in cloud.trace.select("end", "error", actor="PlaceOrder")]
    return Taken(
        orders,
        cloud.seed,
        tuple(len(found) for found in waits),
        tuple(sum(found) / len(found) for found in waits),
        sum(answer.status < 300 for answer in answers),
        sum(len(cloud.trace.select("end", actor=name)) for name in SERVICES),
        len(cloud.trace.select("destination")),
        len(cloud.trace.select("dropped")),
        sum(ran) / len(ran),
    )


def _waits(trace: "Trace", good: str) -> list[list[float]]:
    """Seconds from PlaceOrder's call to its first call of Lambda, and to each service's `good` row.

    One order comes after the other, and one that fails goes no further, so the rows come in the order of the steps.
    """
    orders: list[list[float]] = []
    for row in trace.select("invoke", "call", good):
        if row.kind == "invoke" and row.actor == "PlaceOrder":
            orders.append([row.at])
        elif (row.kind == "call" and row.what == "lambda.Invoke" and len(orders[-1]) == 1) or (
            row.kind == good and row.actor in SERVICES
        ):
            orders[-1].append(row.at)
    return [[times[n] - times[0] for times in orders if len(times) > n] for n in range(1, len(SERVICES) + 2)]


def chained(asked: Taken, told: Taken) -> Plot:
    """Draw both shops by the number of services: the share of orders left, and the wait until then."""
    figure = style.new_figure(WIDE, HIGH)
    left, right = figure.subplots(1, 2)
    steps = range(len(SERVICES) + 1)
    shares = [(1 - chain_of_asks.FAILS) ** n for n in steps]
    spread = [2 * (share * (1 - share) / asked.orders) ** 0.5 for share in shares]
    low, high = ([100 * (share + sign * by) for share, by in zip(shares, spread, strict=True)] for sign in (-1, 1))
    left.fill_between(steps, low, high, color=style.BLACK, alpha=0.12, linewidth=0)
    _panel(left, "Orders not refused so far", (0.25, 74), {
        "told": [100 * count / told.orders for count in told.left],
        "computed": [100 * share for share in shares],
        "asked": [100 * count / asked.orders for count in asked.left],
    })  # fmt: skip
    left.set_ylim(0, 105)
    left.yaxis.set_major_formatter("{x:g} %")
    _panel(right, "The customer's wait so far", (1.6, 180), {
        "told": [1000 * seconds for seconds in told.seconds],
        "computed": [1000 * (asked.seconds[0] + n * MEAN) for n in steps],
        "asked": [1000 * seconds for seconds in asked.seconds],
    })  # fmt: skip
    right.set_ylim(0, 500)
    right.yaxis.set_major_formatter("{x:g} ms")
    return Plot(figure, _facts(asked, told, shares))


def _panel(axes: "Axes", title: str, room: tuple[float, float], values: dict[str, list[float]]) -> None:
    """Three rows of values, one for each number of services, with their names; what is computed has its name at `room`.

    The names of the measured ones stand at their ends.
    """
    for name, row in values.items():
        colour, line, marker = LOOKS[name]
        axes.plot(range(len(row)), row, color=colour, linestyle=line, marker=marker, zorder=3 if marker else 2)
        axes.text(*((len(row) - 0.8, row[-1]) if marker else room), name, va="center")
    axes.set_title(title)
    axes.set_xticks(range(len(SERVICES) + 1), ["none", *SERVICES.values()])
    axes.tick_params(axis="x", pad=8)
    axes.set_xlabel("services asked or told so far")
    axes.set_xlim(-0.15, len(SERVICES) + 0.95)


def _facts(asked: Taken, told: Taken, shares: Sequence[float]) -> str:
    """The sentence: what was measured beside what is computed, and what the other shop did."""
    names = ", ".join(SERVICES.values())
    found, computed = (
        ", ".join(f"{100 * share:.0f} %" for share in row)
        for row in ([count / asked.orders for count in asked.left[1:]], shares[1:])
    )
    return (
        f"One history each (seed {asked.seed}), of {asked.orders} orders asked and {told.orders} told; each service "
        f"fails at {100 * chain_of_asks.FAILS:.0f} % of its calls. Asked: after {names} {found} of the orders are left "
        f"(computed {computed}), and the wait is {1000 * asked.seconds[-1]:.0f} ms "
        f"(computed {1000 * (asked.seconds[0] + len(SERVICES) * MEAN):.0f} ms). "
        f"Told: {100 * told.answered / told.orders:.0f} % are answered, after {1000 * told.seconds[-1]:.0f} ms."
    )
