"""The calls of functions and gateway in a local run, as they went over the wire: who, which operation, with what.

A call counts from the moment when it is made: one that is refused, lost or throttled needed its rights as well.

Taught in notebooks/12_ship_it.ipynb
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.wire.calls import Heard


@dataclass(frozen=True)
class Call:
    """One call: the function's logical id or "gateway", "service.Operation", and what was asked."""

    caller: str
    operation: str
    asked: dict[str, Any] = field(repr=False)

    def arn(self, service: str, rest: str) -> str:
        """The ARN of something in the account and region of the local cloud."""
        from orderlab.cloud import guard

        return f"arn:aws:{service}:{guard.REGION}:{guard.ACCOUNT}:{rest}"


@contextmanager
def listening(cloud: "Cloud") -> Iterator[list[Call]]:
    """The calls of this cloud's functions and gateway in this context; the list grows as they are made."""
    calls: list[Call] = []

    def hear(heard: "Heard") -> None:
        if not heard.answered:
            calls.append(read(heard.caller, heard.service, heard.operation, heard.request))

    with cloud.listening(hear):
        yield calls


def read(caller: str, service: str, operation: str, request: Any) -> Call:
    """A call from its HTTP request. For S3 what was asked is `bucket` and `key`, for Lambda's Invoke `function`."""
    address = urlsplit(request.url)
    if service == "s3":
        host, path = address.netloc, unquote(address.path).lstrip("/")
        bucket = host.partition(".s3.")[0] if ".s3." in host else ""  # the other style has it first in the path
        asked = (
            {"bucket": bucket, "key": path}
            if bucket
            else dict(zip(("bucket", "key"), path.split("/", 1), strict=False))
        )
    elif service == "lambda":
        found = re.search(r"/functions/([^/]+)/", unquote(address.path))
        asked = {"function": found[1] if found else ""}
    else:
        asked = json.loads(request.body or "{}")
    return Call(caller, f"{service}.{operation}", asked)
