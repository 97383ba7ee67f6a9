"""How long to wait before the next try: six answers to the same question.

A strategy is a function `delay(attempt, previous, rng) -> seconds`. `attempt` counts retries from 1, `previous` is the
delay before this one (0.0 at the first), `rng` draws from [0, 1). The window of attempt n is `base * 2 ** (n - 1)`,
at most `cap`; no strategy waits longer than `cap`. The factories raise ValueError unless 0 <= base <= cap.

AWS's own simulator for its article on backoff and jitter counts its first retry as attempt 1 of `base * 2 ** attempt`,
so its first window is twice its base: to reproduce it, give `exponential`, `equal_jitter` and `full_jitter` twice that
base (`decorrelated_jitter` takes it as it is), as `orderlab.sim.contention` does. And AWS's clients: botocore's
standard mode is `full_jitter(0.05, 20)`, base 0.025 for DynamoDB and 1.0 when throttled; its legacy mode waits for
DynamoDB without any jitter.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable

Rng = Callable[[], float]
"""Draws a float from [0, 1), such as `random.Random(7).random`."""

Backoff = Callable[[int, float, Rng], float]
"""`delay(attempt, previous, rng)`: seconds to wait before retry number `attempt`."""


def none(base: float = 0.0, cap: float = 0.0) -> Backoff:
    """Retry at once. Takes and ignores `base` and `cap`, so that one strategy can stand in for another."""
    return lambda attempt, previous, rng: 0.0


def exponential(base: float, cap: float) -> Backoff:
    """The whole window, without jitter: clients that failed together come back together. Seconds."""
    window = _window(base, cap)
    return lambda attempt, previous, rng: window(attempt)


def equal_jitter(base: float, cap: float) -> Backoff:
    """Half of the window, and a random part of the other half. Seconds."""
    window = _window(base, cap)
    return lambda attempt, previous, rng: window(attempt) * (0.5 + 0.5 * rng())


def full_jitter(base: float, cap: float) -> Backoff:
    """A random part of the window: the fewest calls for the least waiting. Seconds."""
    window = _window(base, cap)
    return lambda attempt, previous, rng: window(attempt) * rng()


def decorrelated_jitter(base: float, cap: float) -> Backoff:
    """Between `base` and three times the previous delay: grows with what was drawn, not with the count. Seconds."""
    _check(base, cap)

    def delay(attempt: int, previous: float, rng: Rng) -> float:
        return min(cap, base + (3 * max(base, previous) - base) * rng())

    return delay


def additive_jitter(base: float, cap: float) -> Backoff:
    """The window, and a random part of it on top: what the article's `retry_with_backoff` does. Seconds.

    It is called jitter there, but is never shorter than the plain exponential delay: everybody waits longer, and at the
    cap the jitter is gone.
    """
    window = _window(base, cap)
    return lambda attempt, previous, rng: min(cap, window(attempt) * (1 + rng()))


def _window(base: float, cap: float) -> Callable[[int], float]:
    _check(base, cap)
    windows = [base]  # a table up to the cap: no power that could overflow
    while 0 < windows[-1] < cap:
        windows.append(min(cap, 2 * windows[-1]))
    size = len(windows)

    def window(attempt: int) -> float:
        if attempt < 1:
            raise ValueError(f"attempt counts retries from 1, got {attempt!r}")
        return windows[attempt - 1] if attempt < size else windows[-1]

    return window


def _check(base: float, cap: float) -> None:
    if not (math.isfinite(base) and math.isfinite(cap) and 0 <= base <= cap):
        raise ValueError(f"base and cap are seconds, 0 <= base <= cap, got base={base!r}, cap={cap!r}")
