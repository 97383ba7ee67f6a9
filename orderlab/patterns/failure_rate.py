"""The share of calls that failed lately: a second way for a circuit breaker to trip.

Five failures in a row never come if every other call works: at a failure rate of 50 % a breaker that counts to five
waits for 62 calls on average, at 10 % for 111,110. A rate over a window sees both after `min_calls`. As in resilience4j
the limit itself counts as reached, and below `min_calls` nothing trips.

Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math
from dataclasses import dataclass, field

from orderlab.patterns.checks import seconds, whole


@dataclass
class FailureRate:
    """Trip when, of at least `min_calls` results in the last `window` seconds, a share of `limit` (0-1) failed.

    The window moves on by tenths of its length, so it holds between nine and ten of them, whatever the traffic. Raises
    ValueError, naming the argument, when one makes no sense.
    """

    limit: float
    window: float = 60.0
    min_calls: int = 10
    tenths: list[list[int]] = field(default_factory=list, init=False, repr=False)
    """Number of the tenth since 0, calls, failures."""

    def __post_init__(self) -> None:
        if not 0 < self.limit <= 1:
            raise ValueError(f"limit is a share above 0 and at most 1, got {self.limit!r}")
        seconds("window", self.window)
        whole("min_calls", self.min_calls)

    def reached(self, now: float, failed: bool) -> bool:
        """Count one result at `now`, in seconds, and say whether the limit is reached."""
        tenth = math.floor(now * 10 / self.window)
        if not self.tenths or self.tenths[-1][0] != tenth:
            self.tenths = [old for old in self.tenths if abs(tenth - old[0]) < 10] + [[tenth, 0, 0]]
        self.tenths[-1][1] += 1
        self.tenths[-1][2] += failed
        calls = sum(calls for _, calls, _ in self.tenths)
        failures = sum(failures for _, _, failures in self.tenths)
        return calls >= self.min_calls and failures >= self.limit * calls
