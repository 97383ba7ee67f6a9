"""Numbers in event patterns: the numeric operator, equality, and which numbers AWS can compare at all.

AWS reads a number of an event or a pattern as a double and compares it only if the double holds every digit that was
written: 0.1 and 5.0 and 300 are fine, 12345678901234567 is not. Such a number is refused in a comparison when the rule
is made, is never inside a range, and equals only itself. true and "5" are no numbers. Source: the behaviour of
`ComparableNumber` and `Range` in aws/event-ruler 2.0.1, the service's open engine.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def exact(text: str) -> float | Decimal:
    """Reads a JSON number with a point or an exponent: a float, or a Decimal where a float would lose digits."""
    number = float(text)
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(text) else Decimal(text)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def comparable(value: Any) -> bool:
    """Whether `value` is a number that a double holds without losing a digit."""
    if isinstance(value, float):
        return math.isfinite(value)
    if not is_number(value):
        return False
    if isinstance(value, int) and -(2**53) <= value <= 2**53:  # the usual case: no need to go by way of digits
        return True
    try:
        return Decimal(repr(float(value))) == value
    except OverflowError:
        return False


def equal(number: Any) -> Callable[[Any], bool]:
    """A test for this number, however it is written: 5 is 5.0 is 5e0."""
    return lambda value: is_number(value) and bool(value == number)


def comparison(wanted: Any) -> Callable[[Any], bool]:
    """The test of {"numeric": wanted}: one comparison, or a lower bound and then an upper one: [">", 0, "<=", 5].

    Raises ValueError, in AWS's words.
    """
    if not isinstance(wanted, list):
        raise ValueError("Value of numeric must be an array.")
    if not wanted or not isinstance(wanted[0], str):
        raise ValueError(f"Invalid member in numeric match: {json.dumps(wanted[0]) if wanted else ']'}")
    first, *rest = wanted
    if first not in _COMPARE:
        raise ValueError(f"Unrecognized numeric range operator: {first}")
    low, *rest = _bound("equals" if first == "=" else first, rest)
    above = _COMPARE[first]
    if not rest:
        refuse_incomparable(low)
        return lambda value: comparable(value) and above(value, low)
    if first not in (">", ">="):
        raise ValueError("Too many elements in numeric expression")
    second, *rest = rest
    if not isinstance(second, str):
        raise ValueError(f"Bad value in numeric range: {json.dumps(second)}")
    if second not in ("<", "<="):
        raise ValueError(f"Bad numeric range operator: {second}")
    high, *rest = _bound(second, rest)
    if rest:
        raise ValueError("Too many terms in numeric range expression")
    refuse_incomparable(low, high)
    if low >= high:
        raise ValueError("Bottom must be less than top")
    below = _COMPARE[second]
    return lambda value: comparable(value) and above(value, low) and below(value, high)


def refuse_incomparable(*numbers: Any) -> None:
    """Raises ValueError for the first number that AWS cannot compare."""
    for number in numbers:
        if not comparable(number):
            raise ValueError(f"Cannot compare number : {number}")


def _bound(name: str, rest: list[Any]) -> list[Any]:
    if not rest or not is_number(rest[0]):
        raise ValueError(f"Value of {name} must be numeric")
    return rest
