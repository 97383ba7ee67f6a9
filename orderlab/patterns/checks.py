"""Refuse a setting or a time that makes no sense, in one line that names it."""

import math


def whole(name: str, number: int) -> int:
    """`number`, when it is whole and at least 1; ValueError otherwise."""
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} is a whole number, at least 1, got {number!r}")
    return number


def seconds(name: str, length: float) -> float:
    """`length`, when it is a finite number of seconds above 0; ValueError otherwise."""
    if not (math.isfinite(length) and length > 0):
        raise ValueError(f"{name} is seconds above 0, got {length!r}")
    return length


def finite(name: str, time: float) -> float:
    """`time`, when it is finite: with one NaN in a state machine's memory no comparison is ever true again."""
    if not math.isfinite(time):
        raise ValueError(f"{name} is seconds, a finite number, got {time!r}")
    return time
