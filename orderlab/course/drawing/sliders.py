"""`slider()`: the facts of one slider of a panel: where it begins and ends, its steps, where it stands, its name."""

import math
from dataclasses import dataclass
from decimal import Decimal

from ..answers.showing import safe_repr


@dataclass(frozen=True)
class Slider:
    """From `low` to `high` in steps of `step`, at first at `value`; all of them whole numbers, or all of them floats.

    Raises ValueError for ends and steps that do not meet, and for a value where the slider cannot stand.
    """

    low: float
    high: float
    value: float
    step: float = 1
    label: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        for name in ("low", "high", "value", "step"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise ValueError(f"a slider's {name} is a number, not {safe_repr(number)}")
        if self.low >= self.high:
            raise ValueError(f"a slider goes upwards: its low, {self.low}, must be less than its high, {self.high}")
        if self.step <= 0:
            raise ValueError(f"a slider's step is more than 0, not {self.step}")
        if not self._meets(self.high):
            below = self._at(math.floor((self.high - self.low) / self.step))
            end = f"{below} or {self._at(math.ceil((self.high - self.low) / self.step))}"
            raise ValueError(f"from {self.low} in steps of {self.step} a slider misses its end {self.high}: take {end}")
        if not self.low <= self.value <= self.high:
            raise ValueError(f"a slider from {self.low} to {self.high} cannot stand at {self.value}")
        if not self._meets(self.value):
            raise ValueError(
                f"from {self.low} in steps of {self.step} a slider misses {self.value}: take {self.nearest(self.value)}"
            )

    @property
    def whole(self) -> bool:
        """Does it know whole numbers only?"""
        return all(isinstance(number, int) for number in (self.low, self.high, self.value, self.step))

    def nearest(self, value: float) -> int | float:
        """The place nearest to `value` where the slider can stand: an int when all its facts are, else a float."""
        return self._at(round((min(max(value, self.low), self.high) - self.low) / self.step))

    def title(self, name: str) -> str:
        """What a reader sees and hears: the label (or the name) with the range and the unit, "Pause (1 to 9 s)"."""
        label = self.label or name.replace("_", " ").capitalize()
        return f"{label} ({self.low} to {self.high}{' ' if self.unit else ''}{self.unit})"

    def _meets(self, value: float) -> bool:
        steps = (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-6)

    def _at(self, steps: int) -> int | float:
        """So many steps from the low end, without the noise of binary fractions: 3 steps of 0.1 are 0.3."""
        value = self.low + steps * self.step
        return value if self.whole else round(float(value), max(_decimals(self.low), _decimals(self.step)))


def slider(low: float, high: float, value: float, step: float = 1, label: str = "", unit: str = "") -> Slider:
    """A slider of a `panel`, such as `slider(10, 120, 60, step=10, label="Visibility timeout", unit="s")`.

    Raises ValueError when it cannot stand at `value`, or its steps do not lead from `low` to `high`.
    """
    return Slider(low, high, value, step, label, unit)


def _decimals(number: float) -> int:
    """Digits after the point: 2 for 0.25, 0 for 10."""
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
