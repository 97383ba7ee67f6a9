"""What goes wrong with a service, and when: out of order, slow and failing, or cold after a restart.

A fault is a trigger. What the lessons are about is what happens after its end: whether the system comes back by itself,
or stays down because retries keep it busy (a metastable failure).

Source: N. Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021.
Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math
from dataclasses import dataclass
from typing import Literal

from orderlab.patterns.checks import seconds

How = Literal["refuse", "silent", "stall"]


@dataclass(frozen=True)
class Outage:
    """Nothing works from `start` to `end`, in seconds; what was in service before is still finished.

    how  "refuse"  every request is refused at once: connection refused, 503
         "silent"  requests are lost and never answered: only a time-out helps
         "stall"   requests queue up, and none begins to be served until the end
    """

    start: float
    end: float
    how: How = "refuse"

    def __post_init__(self) -> None:
        _span(self.start, self.end)
        if self.how not in ("refuse", "silent", "stall"):
            raise ValueError(f'how is "refuse", "silent" or "stall", got {self.how!r}')


@dataclass(frozen=True)
class BrownOut:
    """From `start` to `end`, in seconds, service takes `slower` times as long, and a share `failing` of it fails."""

    start: float
    end: float
    slower: float = 1.0
    failing: float = 0.0

    def __post_init__(self) -> None:
        _span(self.start, self.end)
        _factor(self.slower)
        if not 0 <= self.failing <= 1:
            raise ValueError(f"failing is a share between 0 and 1, got {self.failing!r}")


@dataclass(frozen=True)
class SlowStart:
    """A cold cache: at `start` service takes `slower` times as long, `seconds` later as long as ever; linear between.

    Before `start` it changes nothing.
    """

    start: float
    seconds: float
    slower: float

    def __post_init__(self) -> None:
        seconds("seconds", self.seconds)
        _span(self.start, self.start + self.seconds)
        _factor(self.slower)


Fault = Outage | BrownOut | SlowStart


def out_of_order(faults: tuple[Fault, ...], now: float) -> How | None:
    """How the service is out of order at `now`, in seconds; None when it is not."""
    return next((fault.how for fault in faults if isinstance(fault, Outage) and fault.start <= now < fault.end), None)


def slowdown(faults: tuple[Fault, ...], now: float) -> float:
    """The factor on the time of a service that begins at `now`, in seconds."""
    factor = 1.0
    for fault in faults:
        if isinstance(fault, BrownOut) and fault.start <= now < fault.end:
            factor *= fault.slower
        elif isinstance(fault, SlowStart) and fault.start <= now < fault.start + fault.seconds:
            factor *= fault.slower + (1 - fault.slower) * (now - fault.start) / fault.seconds
    return factor


def failing(faults: tuple[Fault, ...], now: float) -> float:
    """The share of attempts that fail because of brown-outs, of those whose service ends at `now`, in seconds."""
    well = 1.0
    for fault in faults:
        if isinstance(fault, BrownOut) and fault.start <= now < fault.end:
            well *= 1 - fault.failing
    return 1 - well


def _span(start: float, end: float) -> None:
    if not (math.isfinite(start) and 0 <= start < end):
        raise ValueError(f"a fault lasts from start to end, seconds, 0 <= start < end, got {start!r} to {end!r}")


def _factor(slower: float) -> None:
    if not (math.isfinite(slower) and slower > 0):
        raise ValueError(f"slower is a factor on the service time, above 0, got {slower!r}")
