"""How long a Wait state waits: so many seconds, or until an instant, as it is written or as the input says.

Source: Step Functions developer guide, state-wait; texts and limits as recorded in localstack's base/test_wait.
Taught in notebooks/10_undoing.ipynb
"""

from typing import Any

from . import choice, paths

LONGEST = 2**31 - 1  # seconds


def seconds(state: dict[str, Any], given: Any, context: Any, now: float) -> float:
    """Seconds from now. Raises NotFound, with AWS's text, for an input that says no such thing."""
    if "Seconds" in state:
        return float(state["Seconds"])
    if "Timestamp" in state:
        return _until(state["Timestamp"], now)
    field = "SecondsPath" if "SecondsPath" in state else "TimestampPath"
    path = state[field]
    try:
        value = paths.find(path, given, context)
    except paths.NotFound:
        raise paths.NotFound(f"The {field} parameter does not reference an input value: {path}") from None
    if field == "TimestampPath":
        if choice.timestamp(value) is None:
            form = "a valid ISO-8601 extended offset date-time format string"
            raise paths.NotFound(f"The {field} parameter does not reference {form}: {path} == {value}")
        return _until(value, now)
    if type(value) is not int:
        raise paths.NotFound(f"The {field} parameter cannot be parsed as a long value: {path} == {value}")
    if value < 0:
        raise paths.NotFound(f"The {field} parameter references a negative value: {path} == {value}")
    return float(value)


def _until(timestamp: str, now: float) -> float:
    instant = choice.timestamp(timestamp)
    assert instant is not None  # checked: when the machine was created, or just before
    wait = max(0.0, instant.timestamp() - now)
    if wait > LONGEST:
        raise paths.NotFound("Wait state delay is too long.")
    return wait
