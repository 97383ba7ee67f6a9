"""What AWS charges and what it allows: one file of figures, each with its page, and the date of all of them.

The file is `infra/prices.json`. Nothing else in the course states a price; a lesson prints or computes from here, and
says with it that prices change.

Taught in notebooks/02_the_front_door.ipynb and 12_ship_it.ipynb
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from .described import INFRA

FILE = INFRA / "prices.json"


@dataclass(frozen=True)
class Price:
    """A price: `price` US dollars for `per` units."""

    id: str
    service: str
    what: str
    price: float
    per: int
    unit: str
    source: str

    def of(self, units: float) -> float:
        """US dollars for so many units."""
        return self.price * units / self.per

    def __str__(self) -> str:
        whole, _, cents = f"{self.price:.10f}".rstrip("0").partition(".")
        dollars = f"{whole}.{cents:0<2}"  # two digits, or all that there are
        unit = self.unit if self.per > 1 else self.unit.removesuffix("s")
        return f"${dollars} per {f'{self.per:,} ' if self.per > 1 else ''}{unit}"


@dataclass(frozen=True)
class Limit:
    """A quota: `value` in `unit`."""

    id: str
    service: str
    what: str
    value: float
    unit: str
    source: str

    def __str__(self) -> str:
        return f"{self.value:,} {self.unit}"


@dataclass(frozen=True)
class Free:
    """What AWS lets an account use each month without a charge: `units` of a price, and until when."""

    price: str
    units: float
    until: str
    source: str


@dataclass(frozen=True)
class Prices:
    """All figures by id; `as_of` is a date, `region` one of AWS's."""

    as_of: str
    region: str
    prices: dict[str, Price]
    limits: dict[str, Limit]
    free: tuple[Free, ...] = ()

    def find(self, id: str) -> Price | Limit:
        """The figure of this id. Raises KeyError, naming those that there are."""
        found = self.prices.get(id) or self.limits.get(id)
        if found is None:
            raise KeyError(
                f"no price and no limit is called {id!r}; there are {', '.join([*self.prices, *self.limits])}"
            )
        return found


@lru_cache(maxsize=1)
def read() -> Prices:
    """The figures in the file."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    return Prices(
        data["as of"],
        data["region"],
        {each["id"]: Price(**each) for each in data["prices"]},
        {each["id"]: Limit(**each) for each in data["limits"]},
        tuple(Free(**each) for each in data["free"]),
    )


def price(id: str) -> Price:
    """A price by its id. Raises KeyError, naming those that there are."""
    found = read().find(id)
    if not isinstance(found, Price):
        raise KeyError(f"{id!r} is a limit, not a price")
    return found
