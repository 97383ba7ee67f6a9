"""The estimate: each use times its price, by service, by function and by pattern; and what an idle system costs.

The free tier is told apart and never taken off: an account may have used it up, or be too old or too new for it.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from ..prices import Price, Prices, price
from ..prices import read as read_prices
from .facts import POLLS, Facts
from .facts import read as read_facts
from .meter import KB
from .sample import ACCESS, ORDERS, ROWS, sample, told
from .usage import Usage, Use, collect

HONEST = (
    "Not run on AWS: no bill has been compared with this. List prices without taxes and transfer; a poor month of "
    "retries costs more."
)


@dataclass(frozen=True)
class Line:
    """One line of a bill: the service and what of it, how many units, the price of one, and US dollars."""

    what: str
    quantity: float
    unit: str
    price: Price
    dollars: float

    def __str__(self) -> str:
        return f"{self.what:<46}{_number(self.quantity):>12} {self.unit:<15}${self.dollars:>9.4f}"


@dataclass(frozen=True)
class Estimate:
    """What a month costs, US dollars: `moving` by what is ordered, `still` by the month, used or not.

    `notes` says in a line each what the estimate leaves out or assumes.
    """

    moving: Usage
    still: Usage
    prices: Prices
    title: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """A line for each price that is used, dearest first."""
        usage = self.moving + self.still
        found = [self._line(one, usage.of(one)) for one in {use.price for use in usage.units}]
        return tuple(sorted(found, key=lambda line: (-line.dollars, line.what)))

    @property
    def total(self) -> float:
        """Dollars a month, standing cost and all; nothing free taken off."""
        return self.dollars(self.moving) + self.standing

    @property
    def standing(self) -> float:
        """Dollars a month while nobody orders anything."""
        return self.dollars(self.still)

    @property
    def free(self) -> float:
        """Dollars a month that the free tier would take off, for an account that has all of it left."""
        usage = self.moving + self.still
        return sum(price(one.price).of(min(one.units, usage.of(one.price))) for one in self.prices.free)

    def dollars(self, usage: Usage) -> float:
        """What a usage costs."""
        return sum(self.prices.prices[use.price].of(units) for use, units in usage.units.items())

    def by(self, key: Callable[[Use], str]) -> dict[str, float]:
        """Dollars by anything that a use has, dearest first: `estimate.by(lambda use: use.pattern)`."""
        sums: dict[str, float] = {}
        for use, units in self.moving + self.still:
            sums[key(use)] = sums.get(key(use), 0.0) + self.prices.prices[use.price].of(units)
        return dict(sorted(sums.items(), key=lambda one: (-one[1], one[0])))

    def services(self) -> dict[str, float]:
        """Dollars by service of AWS."""
        return self.by(lambda use: self.prices.prices[use.price].service)

    def patterns(self) -> dict[str, float]:
        """Dollars by pattern; `trace.PATTERNS` says what each is."""
        return self.by(lambda use: use.pattern)

    def functions(self) -> dict[str, float]:
        """Dollars by function, queue or other part of the system."""
        return self.by(lambda use: use.who)

    def __str__(self) -> str:
        first = [
            self.title,
            f"list prices of {self.prices.region}, as of {self.prices.as_of}; they change, and other regions differ",
        ]
        rows = [str(line) for line in self.lines]
        sums = [("in all", self.total, "a month" if self.still.units else "")]
        if self.still.units:
            sums.append(("  of it while idle", self.standing, "a month, from the deploy to the destroy"))
            sums.append(("  free tier", -self.free, "if this account has all of it left; not taken off above"))
        summed = [f"{what:<74}{_dollars(amount)}{'  ' + note if note else ''}" for what, amount, note in sums]
        return "\n".join([line for line in first if line] + rows + summed + [f"  {note}" for note in self.notes])

    def _line(self, id: str, units: float) -> Line:
        found = self.prices.prices[id]
        return Line(
            f"{found.service}: {found.what.split(',')[0].split(';')[0]}", units, found.unit, found, found.of(units)
        )


def bill(usage: Usage, title: str = "") -> Estimate:
    """What a usage costs."""
    return Estimate(usage, Usage(), read_prices(), title)


def standing(facts: Facts) -> Usage:
    """What a month uses while nobody orders anything: looks into empty queues, alarms, a cache."""
    polls = ((Use("sqs-request", queue, "polls"), POLLS) for queue in facts.polled.values())
    months = (
        (Use(one, one, "cache" if one.startswith("cache") else "watching"), n) for one, n in facts.monthly.items()
    )
    return collect((*polls, *months))


def estimate(parameters: Mapping[str, str] | None = None, orders_a_month: float = 1000) -> Estimate:
    """What a month of a stack with these parameters costs, at so many orders; read from files, in half a second.

    Raises KeyError for a parameter that the template does not have, ValueError for orders below 0.
    """
    if not orders_a_month >= 0:
        raise ValueError(f"orders a month are a number of at least 0, got {orders_a_month!r}")
    facts = read_facts(parameters)
    orchestrated = (parameters or {}).get("Saga") == "orchestration"
    day = told(sample("orchestration" if orchestrated else "choreography"), facts) * (orders_a_month / ORDERS)
    kept = price("row-storage").of(1_000_000 * ROWS / KB**2)
    notes = [
        HONEST,
        f"Storage is not in it: some {ROWS:g} KB of rows an order stay until the destroy, ${kept:.2f} a month for each "
        "million orders. Nor is the breaker's metric, which is charged for the hours in which it opens.",
    ]
    if "cache-storage" in facts.monthly:
        notes.append(
            "Cache=on is charged by the hour, also while nobody uses it; its requests are not in it, and what it saves "
            "in reads is not taken off."
        )
    if (parameters or {}).get("AccessLogs") == "on":
        day += collect([(Use("log", "API", "watching"), day.of("api-request") * ACCESS / KB**3)])
    if facts.traced:
        notes.append("Tracing=on is counted as if all were traced: above one a second X-Ray records one in twenty.")
    if facts.unpriced:
        notes.append(f"Not in it, because nobody has priced them here: {', '.join(facts.unpriced)}.")
    title = f"{orders_a_month:,.0f} orders a month, {'orchestration' if orchestrated else 'choreography'}"
    return Estimate(day, standing(facts), read_prices(), title, tuple(notes))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.2f}" if value >= 1 else f"{value:.4f}"


def _dollars(amount: float) -> str:
    return f"{'-' if amount < 0 else ''}${abs(amount):.2f}".rjust(10)
