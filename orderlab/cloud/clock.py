"""moto's clock becomes the virtual clock; the process around it keeps its own.

moto reads the time through three functions of `moto.core.utils`. Replacing their code objects reaches every
`from moto.core.utils import unix_time` that was made already, and touches nothing else: no time machine, so the
Jupyter kernel, its threads and its widgets never see virtual time.
"""

import datetime
from collections.abc import Callable
from types import CodeType

import moto.core.utils

_NAMES = ("utcnow", "unix_time", "unix_time_millis")
_originals: dict[str, CodeType] = {}


def iso(at: float, precision: str = "seconds") -> str:
    """An instant (seconds since the epoch) as most of AWS writes it: UTC, to the second or to the millisecond."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def utcnow() -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=_orderlab_now())  # type: ignore[name-defined]  # noqa: F821


def unix_time(dt: datetime.datetime | None = None) -> float:
    if dt is None:
        return _orderlab_now()  # type: ignore[name-defined]  # noqa: F821
    return (dt - datetime.datetime(1970, 1, 1)).total_seconds()


def unix_time_millis(dt: datetime.datetime | None = None) -> float:
    return unix_time(dt) * 1000.0


def install(now: Callable[[], float]) -> None:
    """From here on moto reads `now` (seconds since the epoch)."""
    target = vars(moto.core.utils)
    target["_orderlab_now"] = now
    for name in _NAMES:
        _originals.setdefault(name, target[name].__code__)
        target[name].__code__ = globals()[name].__code__


def uninstall() -> None:
    """Give moto its own clock back."""
    target = vars(moto.core.utils)
    for name, code in _originals.items():
        target[name].__code__ = code
    _originals.clear()
    target.pop("_orderlab_now", None)
