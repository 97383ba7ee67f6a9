"""What becomes of an error: which retrier or catcher takes it, and how long a retry waits.

A wait is IntervalSeconds, times BackoffRate for every retry before, MaxDelaySeconds at most; with JitterStrategy FULL
it is anything between 0 and that. States.ALL names every error but States.Runtime, which nothing takes,
States.TaskFailed all but States.Timeout too.
Source: Amazon States Language specification, "Errors"; Step Functions developer guide, concepts-error-handling.
States.ALL takes States.DataLimitExceeded, as recorded in localstack's test_states_errors, although the guide says that
it does not.
Taught in notebooks/10_undoing.ipynb
"""

import random
from collections.abc import Callable
from typing import Any

RUNTIME, TIMEOUT, TOO_LARGE = "States.Runtime", "States.Timeout", "States.DataLimitExceeded"

FOREVER = 99_999_999  # seconds, or attempts
RETRIER: dict[str, tuple[Any, Callable[[Any], bool]]] = {  # field: its kind, and what is allowed
    "IntervalSeconds": (int, lambda value: 1 <= value <= FOREVER),
    "MaxAttempts": (int, lambda value: 0 <= value <= FOREVER),
    "BackoffRate": ((int, float), lambda value: value >= 1),
    "MaxDelaySeconds": (int, lambda value: 0 < value <= 31_622_400),
    "JitterStrategy": (str, lambda value: value in ("FULL", "NONE")),
}


class Failed(Exception):
    """A state or a call failed, with this error name and this cause."""

    def __init__(self, error: str, cause: str | None) -> None:
        super().__init__(error)
        self.error, self.cause = error, cause

    def said(self) -> dict[str, str]:
        """The two as the history has them."""
        return {"error": self.error, **({} if self.cause is None else {"cause": self.cause})}


def too_large(what: str) -> Failed:
    """What comes of a state or task was more than may be passed on."""
    text = f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
    return Failed(TOO_LARGE, text)


def takes(part: dict[str, Any], error: str) -> bool:
    """Does this retrier or catcher take this error?"""
    names = part["ErrorEquals"]
    if error == RUNTIME:
        return False
    return error in names or "States.ALL" in names or ("States.TaskFailed" in names and error != TIMEOUT)


def again(parts: list[dict[str, Any]], error: str, tried: dict[int, int]) -> tuple[dict[str, Any], int] | None:
    """The first retrier that takes this error and which attempt it is, counted in `tried`; None for no more."""
    for n, part in enumerate(parts):
        if takes(part, error):
            tried[n] = tried.get(n, 0) + 1
            return (part, tried[n]) if tried[n] <= part.get("MaxAttempts", 3) else None
    return None


def pause(retrier: dict[str, Any], used: int, rng: random.Random) -> float:
    """Seconds before the `used`th retry that this retrier allows."""
    wait, rate = float(retrier.get("IntervalSeconds", 1)), float(retrier.get("BackoffRate", 2.0))
    most = float(retrier.get("MaxDelaySeconds", 31_536_000))
    for _ in range(used - 1):
        wait = min(wait * rate, most)
    wait = min(wait, most)
    return rng.uniform(0.0, wait) if retrier.get("JitterStrategy") == "FULL" else wait


def check(part: dict[str, Any], last: bool) -> None:
    """Raise ValueError for a retrier or catcher (the last of its list?) that AWS would refuse."""
    names = part.get("ErrorEquals")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("ErrorEquals must be a non-empty array of names")
    if "States.ALL" in names and (len(names) > 1 or not last):
        raise ValueError("States.ALL must stand alone, and last,")
    for name, (kind, allowed) in RETRIER.items():
        if name in part and (
            isinstance(part[name], bool) or not isinstance(part[name], kind) or not allowed(part[name])
        ):
            raise ValueError(f"{name} cannot be {part[name]!r}")
