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
from typing import Any

RUNTIME, TIMEOUT, TOO_LARGE = "States.Runtime", "States.Timeout", "States.DataLimitExceeded"


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


def pause(retrier: dict[str, Any], used: int, rng: random.Random) -> float:
    """Seconds before the `used`th retry that this retrier allows."""
    wait, rate = float(retrier.get("IntervalSeconds", 1)), float(retrier.get("BackoffRate", 2.0))
    most = float(retrier.get("MaxDelaySeconds", 31_536_000))
    for _ in range(used - 1):
        wait = min(wait * rate, most)
    wait = min(wait, most)
    return rng.uniform(0.0, wait) if retrier.get("JitterStrategy") == "FULL" else wait
