"""How the commands talk with AWS: one call at a time, patient when AWS is busy, and on the record if you wish.

botocore itself tries a throttled call five times on AWS. What is still throttled then is tried again here, with waits
of 2 to 32 seconds, since a deploy must not end because another one is under way in the same account.

Taught in notebooks/12_ship_it.ipynb
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import jmespath
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

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


BUSY = THROTTLED | {"OperationAborted"}  # S3, while it still deletes a bucket of that name


class Account:
    """An account as the commands see it. Its methods raise what botocore raises."""

    def __init__(
        self, target: Target, sleep: Callable[[float], None] = time.sleep, record: Record | None = None
    ) -> None:
        self.target, self.sleep, self.record = target, sleep, record
        self._clients: dict[str, Any] = {}
        self._told = ""

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
        try:
            answer: dict[str, Any] = self._patiently(lambda: call(**request))
        except KeyError as error:  # botocore's parser, on a page that is no answer of AWS's
            raise ResponseParserError(f"{operation} was answered without {error}") from error
        self._told = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
        return answer

    def now(self) -> datetime:
        """The time by AWS's clock, or a played account's, as its last answer told it; else by this machine's."""
        return parsedate_to_datetime(self._told) if self._told else datetime.now(UTC)

    def every(self, service: str, operation: str, path: str, **request: Any) -> list[Any]:
        """What the JMESPath expression finds in the answer, on all its pages, all of them or an error."""
        client = self.client(service)
        if not client.can_paginate(operation):  # botocore does not know how; AWS says NextToken all the same
            return [found for page in self._pages(service, operation, request) for found in _found(path, page)]
        pager = client.get_paginator(operation)
        # From the first page again when AWS was busy: a paginator that raised has ended, and would seem complete.
        pages = self._patiently(lambda: list(pager.paginate(**request)))
        return [found for page in pages for found in _found(path, page)]

    def _pages(self, service: str, operation: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        page = self.ask(service, operation, **request)
        yield page
        while page.get("NextToken"):
            page = self.ask(service, operation, **request, NextToken=page["NextToken"])
            yield page

    def pause(self, seconds: float) -> None:
        """Wait before asking again; an account on this machine need not be waited for."""
        self.sleep(0 if self.target.endpoint else seconds)

    def _patiently(self, call: Callable[[], Any]) -> Any:
        for wait in WAITS:
            try:
                return call()
            except ClientError as error:
                if code_of(error) not in BUSY:
                    raise
                self.pause(wait)
        return call()


def _found(path: str, page: dict[str, Any]) -> list[Any]:
    return list(jmespath.search(path, page) or ())
