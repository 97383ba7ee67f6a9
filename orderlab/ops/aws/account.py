"""How the commands talk with AWS: one call at a time, patient when AWS is busy, and on the record if you wish.

botocore itself tries a throttled call five times on AWS. What is still throttled then is tried again here, with waits
of 2 to 32 seconds, since a deploy must not end because another one is under way in the same account.

Taught in notebooks/12_ship_it.ipynb
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from .record import Record
from .target import Target

WAITS = (2.0, 4.0, 8.0, 16.0, 32.0)  # seconds
THROTTLED = frozenset(
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "PriorRequestNotComplete",
        "RequestThrottledException",
    ]
)


def code_of(error: BaseException) -> str:
    """The code of an error that AWS answered, such as AccessDenied; empty for every other error."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


class Account:
    """An account as the commands see it. Its methods raise what botocore raises."""

    def __init__(
        self, target: Target, sleep: Callable[[float], None] = time.sleep, record: Record | None = None
    ) -> None:
        self.target, self.sleep, self.record = target, sleep, record
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self.target.client(service)
            if self.record is not None:
                self.record.listen(self._clients[service])
        return self._clients[service]

    def ask(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """One call, such as ask("sts", "get_caller_identity")."""
        call = getattr(self.client(service), operation)
        return self._patiently(lambda: call(**request))

    def every(self, service: str, operation: str, path: str, **request: Any) -> list[Any]:
        """What the JMESPath expression finds in the answer, on all its pages."""
        client = self.client(service)
        if not client.can_paginate(operation):
            return list(jmespath.search(path, self.ask(service, operation, **request)) or ())
        pages: Iterator[Any] = iter(client.get_paginator(operation).paginate(**request))
        found: list[Any] = []
        while (page := self._patiently(lambda: next(pages, None))) is not None:
            found += jmespath.search(path, page) or ()
        return found

    def pause(self, seconds: float) -> None:
        """Wait before asking again; an account on this machine need not be waited for."""
        self.sleep(0 if self.target.endpoint else seconds)

    def _patiently(self, call: Callable[[], Any]) -> Any:
        for wait in WAITS:
            try:
                return call()
            except ClientError as error:
                if code_of(error) not in THROTTLED:
                    raise
                self.pause(wait)
        return call()
