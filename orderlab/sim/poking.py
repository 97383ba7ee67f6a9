"""A circuit breaker that is poked: so many calls fail, time passes, so many ask, and one of them is answered.

The breaker is the one that ships, with its default settings. For a lesson that draws it, and for a judge of answers
that are given one.

Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

from dataclasses import dataclass

from orderlab.patterns.breaker import CLOSED, HALF_OPEN, OPEN, CircuitBreaker, Open, Permit

__all__ = ["CLOSED", "HALF_OPEN", "OPEN", "CircuitBreaker", "Open", "Poked", "poke"]


@dataclass(frozen=True)
class Poked:
    """What came of it: the breaker, its states in order, how many calls failed, and how many were let in later."""

    breaker: CircuitBreaker
    path: tuple[str, ...]
    failed: int
    let_in: int


def poke(failures: int, waited: float, calls: int, works: bool) -> Poked:
    """At 0 s `failures` calls fail one after the other, as far as they are let in; after `waited` seconds `calls` ask.

    The first of these that is let in succeeds if it `works`, and fails else; the others are still under way.
    """
    breaker, path, failed = CircuitBreaker(), [CLOSED], 0

    def ask(now: float) -> Permit | None:
        permit = breaker.allow(now)
        _go(path, breaker.state)
        return permit

    for _ in range(failures):
        permit = ask(0.0)
        if permit is not None:
            breaker.failure(0.0, permit)
            failed += 1
            _go(path, breaker.state)
    passed = [permit for permit in [ask(float(waited)) for _ in range(calls)] if permit is not None]
    if passed:
        (breaker.success if works else breaker.failure)(float(waited), passed[0])
        _go(path, breaker.state)
    return Poked(breaker, tuple(path), failed, len(passed))


def _go(path: list[str], state: str) -> None:
    if path[-1] != state:
        path.append(state)
