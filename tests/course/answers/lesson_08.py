"""Answers to the exercises of lesson 08: further right ones, and one wrong one for each misconception of the lesson."""

from collections.abc import Callable
from typing import Any

Call = Callable[[], Any]
Sleep = Callable[[float], None]
Uniform = Callable[[float, float], float]
Rng = Callable[[], float]


def mended(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Right: the article's, with its three bugs mended."""
    for retry in range(3):
        try:
            return call()
        except TimeoutError:
            wait = uniform(0, 0.5 * 2**retry)
            if wait >= remaining():
                raise
            pause(wait)
    return call()


def counting(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Right: the loop is another one."""
    window, left = 0.5, 3
    while True:
        try:
            return call()
        except TimeoutError:
            wait = uniform(0, 1) * window
            if not left or remaining() <= wait:
                raise
        pause(wait)
        window, left = 2 * window, left - 1


def retries_all(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: a bug is tried again."""
    for retry in range(3):
        try:
            return call()
        except Exception:
            wait = uniform(0, 0.5 * 2**retry)
            if wait >= remaining():
                raise
            pause(wait)
    return call()


def sleeps_on(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: does not ask how much time is left."""
    for retry in range(3):
        try:
            return call()
        except TimeoutError:
            pause(uniform(0, 0.5 * 2**retry))
    return call()


def sleeps_after_the_last(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: a wait after the last try."""
    last: Exception | None = None
    for retry in range(4):
        try:
            return call()
        except TimeoutError as error:
            last, wait = error, uniform(0, 0.5 * 2**retry)
            if wait >= remaining():
                raise
            pause(wait)
    assert last is not None
    raise last


def hides_the_error(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: returns nothing where it should raise."""
    for retry in range(4):
        try:
            return call()
        except TimeoutError:
            wait = uniform(0, 0.5 * 2**retry)
            if retry == 3 or wait >= remaining():
                return None
            pause(wait)


def never_early(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: the article's jitter, on top of the delay."""
    for retry in range(3):
        try:
            return call()
        except TimeoutError:
            delay = 0.5 * 2**retry
            wait = delay + uniform(0, delay)
            if wait >= remaining():
                raise
            pause(wait)
    return call()


def never_longer(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: no backoff."""
    for _ in range(3):
        try:
            return call()
        except TimeoutError:
            wait = uniform(0, 0.5)
            if wait >= remaining():
                raise
            pause(wait)
    return call()


def one_too_few(call: Call, pause: Sleep, uniform: Uniform, remaining: Rng) -> Any:
    """Wrong: three calls."""
    for retry in range(2):
        try:
            return call()
        except TimeoutError:
            wait = uniform(0, 0.5 * 2**retry)
            if wait >= remaining():
                raise
            pause(wait)
    return call()


def as_long_as_a_try(attempt: int, previous: float, rng: Rng) -> float:
    """Right: full jitter whose first window is one try long."""
    return min(2.0, 0.04 * 2 ** (attempt - 1)) * rng()


def slower_growth(attempt: int, previous: float, rng: Rng) -> float:
    """Right: begins longer, and grows more slowly."""
    return min(1.2, 0.09 * 1.8 ** (attempt - 1)) * rng()


def full(attempt: int, previous: float, rng: Rng) -> float:
    """Right, and with the score of full jitter."""
    return min(2.0, 0.01 * 2 ** (attempt - 1)) * rng()


def alike(attempt: int, previous: float, rng: Rng) -> float:
    """Wrong: no chance."""
    return min(2.0, 0.01 * 2 ** (attempt - 1))


def too_short(attempt: int, previous: float, rng: Rng) -> float:
    """Wrong: with chance, and without backoff."""
    return 0.05 * rng()


def too_long(attempt: int, previous: float, rng: Rng) -> float:
    """Wrong: as if there were always a hundred."""
    return 2.0 * rng()


def negative(attempt: int, previous: float, rng: Rng) -> float:
    """Wrong: below 0."""
    return 0.04 * 2 ** (attempt - 1) * (rng() - 0.5)


def nothing(attempt: int, previous: float, rng: Rng) -> None:
    """Wrong: computes, and does not return."""
    print(0.04 * attempt * rng())


RIGHT: dict[str, list[Any]] = {
    "8.1": [45, 45.0],
    "8.2": [mended, counting],
    "8.3": [as_long_as_a_try, slower_growth, full],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "8.1": [
        (11, "You have added the layers"),
        (9, "The queue is a layer, too"),
        (15, "One of the three layers is missing"),
        (54, "The sixth receive never reaches the function"),
        (80, "three attempts are two retries"),
        (27, "five times, not three"),
    ],
    "8.2": [
        (retries_all, "retries whatever went wrong"),
        (sleeps_on, "sleeps until Lambda kills it"),
        (sleeps_after_the_last, "sleeps once more, for nothing"),
        (hides_the_error, "hides the last error"),
        (never_early, "Nobody is ever early"),
        (never_longer, "from the same window"),
        (one_too_few, "calls three times at most"),
    ],
    "8.3": [
        (alike, "Everybody waits equally long"),
        (too_short, "they meet again and again"),
        (too_long, "it takes too long"),
        (negative, "finite and at least 0"),
        (nothing, "finite and at least 0"),
    ],
}
