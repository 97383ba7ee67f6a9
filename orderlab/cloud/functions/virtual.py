"""Virtual time for Python code: what stands in for `time` and `datetime` in an execution environment of either runner.

Standard library only: the parent process uses it, and so does each child process that runs a handler.
Taught in notebooks/06_where_state_lives.ipynb
"""

import datetime as real_datetime
import time as real_time
from collections.abc import Callable
from typing import Any

_real = real_datetime.datetime


def virtual_time(now: Callable[[], float], sleep: Callable[[float], None]) -> dict[str, Any]:
    """The names of the module `time` that read the clock or wait. `now` gives seconds since the epoch."""

    def broken_down(kind: str) -> Callable[..., Any]:
        plain = getattr(real_time, kind)
        return lambda seconds=None: plain(now() if seconds is None else seconds)

    return {
        "time": now,
        "time_ns": lambda: int(now() * 1e9),
        "monotonic": now,
        "monotonic_ns": lambda: int(now() * 1e9),
        "perf_counter": now,
        "perf_counter_ns": lambda: int(now() * 1e9),
        "sleep": sleep,
        "gmtime": broken_down("gmtime"),
        "localtime": broken_down("gmtime"),  # Lambda's time zone is UTC
    }


def virtual_datetime(now: Callable[[], float]) -> type:
    """The class `datetime.datetime` with another clock. What it makes are real datetimes."""

    class Kind(type(_real)):  # type: ignore[misc]
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, _real) if cls is datetime else super().__instancecheck__(value)

    class datetime(_real, metaclass=Kind):
        def __new__(cls, *values: Any, **named: Any) -> Any:
            return _real(*values, **named) if cls is datetime else super().__new__(cls, *values, **named)

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return _real.fromtimestamp(now(), tz or real_datetime.UTC).replace(tzinfo=tz)

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now(None)

        @classmethod
        def today(cls) -> Any:
            return cls.now(None)

        @classmethod
        def fromtimestamp(cls, *values: Any, **named: Any) -> Any:
            return _real.fromtimestamp(*values, **named)

        @classmethod
        def fromisoformat(cls, text: str) -> Any:
            return _real.fromisoformat(text)

        @classmethod
        def strptime(cls, *values: Any) -> Any:
            return _real.strptime(*values)

    return datetime
