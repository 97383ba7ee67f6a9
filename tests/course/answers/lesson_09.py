"""Answers to the exercises of lesson 09: further right ones, and one wrong one for each misconception of the lesson."""

from collections.abc import Callable
from typing import Any

from orderlab.patterns.breaker import CircuitBreaker, Open

Ask = Callable[[], Any]
State = tuple[int, float, bool]
FIRST: State = (
    0,
    -1.0,
    False,
)  # failures in a row, when it opened (below 0: it is closed), whether a probe is under way


def by_call(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Right: the breaker does it all."""
    return breaker.call(ask, clock=lambda: now, ignore=(ValueError,))


def refusal_is_an_answer(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Right: a refusal proves that the provider lives."""
    permit = breaker.allow(now)
    if permit is None:
        raise Open
    try:
        answer = ask()
    except ValueError:
        breaker.success(now, permit)
        raise
    except Exception:
        breaker.failure(now, permit)
        raise
    breaker.success(now, permit)
    return answer


def asks_the_state(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: an open circuit stays so, since nobody asks `allow`."""
    if breaker.state == "open":
        raise Open
    return by_call(breaker, ask, now)


def counts_refusals(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: the caller's mistakes open it."""
    return breaker.call(ask, clock=lambda: now)


def tells_no_success(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: only failures are told, and refusals released."""
    permit = breaker.allow(now)
    if permit is None:
        raise Open
    try:
        return ask()
    except ValueError:
        breaker.release(now, permit)
        raise
    except Exception:
        breaker.failure(now, permit)
        raise


def forgets_the_refused_probe(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: a refusal is told to nobody."""
    permit = breaker.allow(now)
    if permit is None:
        raise Open
    try:
        answer = ask()
    except ValueError:
        raise
    except Exception:
        breaker.failure(now, permit)
        raise
    breaker.success(now, permit)
    return answer


def without_permits(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: results of another period count."""
    if breaker.allow(now) is None:
        raise Open
    try:
        answer = ask()
    except ValueError:
        breaker.release(now)
        raise
    except Exception:
        breaker.failure(now)
        raise
    breaker.success(now)
    return answer


def swallows(breaker: CircuitBreaker, ask: Ask, now: float) -> Any:
    """Wrong: the error does not get out."""
    try:
        return by_call(breaker, ask, now)
    except Exception:
        return None


def small(
    state: State | None,
    event: str,
    now: float,
    *,
    crowd: bool = False,
    resets: bool = True,
    forgets: bool = True,
    again: bool = True,
    drifts: bool = False,
    threshold: int = 5,
    wait: float = 30.0,
) -> tuple[State, bool]:
    """Right as it is; each setting is a way to be wrong."""
    failures, opened, probing = state or FIRST
    if event == "ask":
        if opened < 0:
            return (failures, opened, probing), True
        may = now >= opened + wait and (crowd or not probing)
        late = now if drifts and not may else opened
        return (failures, late, probing or may), may
    if opened >= 0 and not probing:
        return (failures, opened, False), False
    if event == "worked":
        if probing:
            return (0 if forgets else failures, -1.0, False), False
        return (0 if resets else failures, opened, False), False
    if probing:
        return (failures, now if again else opened, False), False
    return (failures + 1, now if failures + 1 >= threshold else -1.0, False), False


def written_out(state: dict[str, Any] | None, event: str, now: float) -> tuple[dict[str, Any], bool]:
    """Right: by name of the state."""
    new = dict(state or {"is": "closed", "failures": 0, "since": 0.0})
    if event == "ask":
        if new["is"] == "open" and now - new["since"] >= 30:
            new["is"] = "half-open"
            return new, True
        return new, new["is"] == "closed"
    if event == "worked" and new["is"] != "open":
        new |= {"is": "closed", "failures": 0}
    elif event == "failed" and new["is"] != "open":
        new["failures"] += 1
        if new["is"] == "half-open" or new["failures"] >= 5:
            new |= {"is": "open", "since": now}
    return new, False


def all_probe(state: Any, event: str, now: float) -> Any:
    """Wrong: half-open lets everyone in."""
    return small(state, event, now, crowd=True)


def adds_up(state: Any, event: str, now: float) -> Any:
    """Wrong: failures add up over successes."""
    return small(state, event, now, resets=False)


def remembers(state: Any, event: str, now: float) -> Any:
    """Wrong: closed again with the old count."""
    return small(state, event, now, forgets=False)


def timer_of_the_trip(state: Any, event: str, now: float) -> Any:
    """Wrong: a failed probe does not begin a new wait."""
    return small(state, event, now, again=False)


def every_ask_waits(state: Any, event: str, now: float) -> Any:
    """Wrong: whoever asks while it is open makes the wait longer."""
    return small(state, event, now, drifts=True)


def six(state: Any, event: str, now: float) -> Any:
    """Wrong: more than five failures."""
    return small(state, event, now, threshold=6)


def for_ever(state: Any, event: str, now: float) -> Any:
    """Wrong: open is the end."""
    return small(state, event, now, wait=1e9)


RIGHT: dict[str, list[Any]] = {
    "9.1": [300 / 1.1, 272, 273],
    "9.2": [by_call, refusal_is_an_answer],
    "9.3": [small, written_out],
}
WRONG: dict[str, list[tuple[Any, str]]] = {
    "9.1": [
        (150, "the bound without a budget"),
        (270, "Ten per cent of the load"),
        (300, "no room for a retry"),
        (330, "More than the database can do"),
    ],
    "9.2": [
        (asks_the_state, "It never asks again"),
        (counts_refusals, "A refusal is counted"),
        (tells_no_success, "never hears of a success"),
        (forgets_the_refused_probe, "keeps its place"),
        (without_permits, "A late result counts"),
        (swallows, "The caller must hear"),
    ],
    "9.3": [
        (all_probe, "Half-open is for one call"),
        (adds_up, "does not set the count back"),
        (remembers, "the count begins anew"),
        (timer_of_the_trip, "opens it for 30 s more"),
        (every_ask_waits, "must not make the wait longer"),
        (six, "It opens too late"),
        (for_ever, "It stays open for ever"),
    ],
}
