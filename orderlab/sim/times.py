"""How long things take: a time is a function `draw(rng) -> seconds`, where `rng` draws from [0, 1).

Exponential times are the M of M/M/1: memoryless, with a long tail, which is what queueing formulas assume and what
real services roughly do. A constant hides queues, a uniform or normal time nearly does: try them against each other.

Source: M. Harchol-Balter, "Performance Modeling and Design of Computer Systems", 2013, chapters 11 and 14.
Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable

from orderlab.patterns.backoff import Rng

Draw = Callable[[Rng], float]
"""`draw(rng)`: seconds, at least 0."""


def constant(length: float) -> Draw:
    """Always `length` seconds. Raises ValueError below 0."""
    _check("length", length)
    return lambda rng: length


def exponential(mean: float) -> Draw:
    """Exponentially distributed, `mean` seconds on average. Raises ValueError below 0."""
    _check("mean", mean)
    log = math.log
    return lambda rng: -mean * log(1.0 - rng())


def uniform(low: float, high: float) -> Draw:
    """Anything between `low` and `high` seconds, all equally likely. Raises ValueError unless 0 <= low <= high."""
    _check("low", low)
    _check("high", high)
    if high < low:
        raise ValueError(f"low and high are seconds, low <= high, got low={low!r}, high={high!r}")
    return lambda rng: low + (high - low) * rng()


def normal(mean: float, sd: float) -> Draw:
    """Normally distributed with that mean and standard deviation in seconds; what falls below 0 is folded back up."""
    _check("mean", mean)
    _check("sd", sd)
    sqrt, log, cos = math.sqrt, math.log, math.cos
    return lambda rng: abs(mean + sd * sqrt(-2.0 * log(1.0 - rng())) * cos(math.tau * rng()))


def _check(name: str, length: float) -> None:
    if not (math.isfinite(length) and length >= 0):
        raise ValueError(f"{name} is seconds, finite and at least 0, got {length!r}")
