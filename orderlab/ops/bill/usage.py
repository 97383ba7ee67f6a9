"""So many units of something that has a price, for whom, and for the sake of which pattern.

Taught in notebooks/12_ship_it.ipynb
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Use(NamedTuple):
    """What is charged: a price's id in infra/prices.json, the function or queue it is for, and the pattern."""

    price: str
    who: str
    pattern: str


@dataclass(frozen=True)
class Usage:
    """Units by use. Usages can be added, subtracted (what a change costs) and multiplied."""

    units: Mapping[Use, float] = field(default_factory=dict)

    def __add__(self, other: "Usage") -> "Usage":
        return collect((*self.units.items(), *other.units.items()))

    def __sub__(self, other: "Usage") -> "Usage":
        return self + other * -1

    def __mul__(self, factor: float) -> "Usage":
        return Usage({use: units * factor for use, units in self.units.items()})

    def __iter__(self) -> Iterator[tuple[Use, float]]:
        return iter(sorted(self.units.items()))

    def of(self, price: str) -> float:
        """All units of one price."""
        return sum(units for use, units in self.units.items() if use.price == price)

    def only(self, *, who: str | None = None, pattern: str | None = None) -> "Usage":
        """The part of one function or queue, or of one pattern."""
        fits = {
            use: units
            for use, units in self.units.items()
            if (who is None or use.who == who) and (pattern is None or use.pattern == pattern)
        }
        return Usage(fits)


def collect(uses: Iterable[tuple[Use, float]]) -> Usage:
    """Add up; what comes to nothing is left out."""
    sums: Counter[Use] = Counter()
    for use, units in uses:
        sums[use] += units  # type: ignore[assignment]
    return Usage({use: units for use, units in sums.items() if units})
