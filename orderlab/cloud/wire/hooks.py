"""How botocore and moto come to ask a Wire; without one they refuse."""

import random
from typing import Any

import botocore.endpoint
import botocore.handlers
import botocore.retries.standard
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import BotocoreStubber

from .. import guard
from .calls import Wire, client_config, moto_call

_active: Wire | None = None


def _before_send(stubber: Any, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    if _active is None:
        if stubber.enabled or guard.is_open() or guard.is_loopback(request.url):
            return moto_call(stubber, event_name, request)
        raise guard.Refused(f"no local cloud is open, and {request.url.split('?')[0]} is not on this machine")
    return _active.call(event_name, request, stubber)


def _remember_config(request: Any, **_: Any) -> None:
    client_config.set(request.context.get("client_config"))


def _unsigned(**_: Any) -> Any:
    return UNSIGNED if _active is not None else None


class _VirtualTime:
    """Stands for the `time` module inside botocore: its own back-off waits in virtual time."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sleep(self, seconds: float) -> None:
        _active.scheduler.sleep(seconds) if _active is not None else self._real.sleep(seconds)


def _chance() -> float:
    """What botocore's own jitter draws: the cloud's seed while one is open."""
    return (_active.scheduler.rng if _active is not None else random).random()


def connect(wire: Wire) -> None:
    """From here on every boto3 call of this process is answered by `wire`."""
    global _active
    _install()
    _active = wire


def disconnect(wire: Wire) -> None:
    """Close it: later calls are refused, not sent."""
    global _active
    if _active is wire:
        _active = None


def _install() -> None:
    """Put the hooks in place, once a process. They stay: without a local cloud they refuse."""
    if BotocoreStubber.__call__ is _before_send:
        return
    BotocoreStubber.__call__ = _before_send  # type: ignore[assignment,method-assign]
    botocore.handlers.BUILTIN_HANDLERS.append(("request-created", _remember_config))
    botocore.handlers.BUILTIN_HANDLERS.append(("choose-signer", _unsigned))
    botocore.endpoint.time = _VirtualTime(botocore.endpoint.time)
    backoff = botocore.retries.standard.ExponentialBackoff.__init__
    backoff.__defaults__ = tuple(_chance if value is random.random else value for value in backoff.__defaults__ or ())
    guard.install()
