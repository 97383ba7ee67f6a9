"""A child's line to its parent: the Runtime API, and boto3's calls, which stop at `before-send` as they do in process.

This file runs in the child process, standard library only. Every answer of the parent brings the cloud's clock, and
every question how much was printed before it. A call to AWS is one line of JSON (botocore's event, the request, how
long its client waits) and the body; its answer is a line too (status and headers, or null when it was lost on its way).
Source: Lambda developer guide, runtimes-api. Taught in notebooks/06_where_state_lives.ipynb
"""

import builtins
import http.client
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

_real_time, _import, _parent = time.time, __import__, os.environ.get("AWS_LAMBDA_RUNTIME_API", "")
_patience: ContextVar[float] = ContextVar("patience", default=60.0)
offset = 0.0  # seconds that the cloud's clock is ahead of the real one


class Output(io.FileIO):
    """Standard output that counts its bytes, so that the parent can wait for what was printed before a call."""

    written = 0

    def write(self, data: Any) -> int:
        done = super().write(data)
        Output.written += done
        return done


class Raw(io.BytesIO):
    """The body of an answer, as botocore reads one from the network."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


def now() -> float:
    """The cloud's time, seconds since the epoch."""
    return _real_time() + offset


def talk(method: str, path: str, body: bytes | None = None) -> tuple[bytes, Any]:
    """Ask the parent: the answer's body and headers. Where the parent is no more, this process ends."""
    global offset
    sys.stdout.flush()
    line = http.client.HTTPConnection(_parent)
    try:
        line.request(method, path, body, {"Orderlab-Written": str(Output.written)})
        response = line.getresponse()
        found = response.read()
    except (OSError, http.client.HTTPException):
        os._exit(0)
    finally:
        line.close()
    offset = float(response.headers["Orderlab-Clock"])
    return found, response.headers


def send(request: Any, event_name: str, **_: Any) -> Any:
    """botocore's `before-send`: the parent answers in the network's place."""
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import ReadTimeoutError

    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    headers = {name: v.decode() if isinstance(v, bytes) else str(v) for name, v in request.headers.items()}
    head = json.dumps([event_name, request.method, request.url, headers, _patience.get()]).encode()
    answer, _headers = talk("POST", "/aws", head + b"\n" + (body.encode() if isinstance(body, str) else body))
    told, _newline, content = answer.partition(b"\n")
    if told == b"null":
        raise ReadTimeoutError(endpoint_url=request.url)
    return AWSResponse(request.url, *json.loads(told), Raw(content))


def remember(request: Any, **_: Any) -> None:
    """botocore's `request-created`: how long the client waits for an answer, in seconds."""
    _patience.set(float(getattr(request.context.get("client_config"), "read_timeout", 60)))


def importing(name: str, *values: Any, **named: Any) -> Any:
    """Stands for `__import__` until botocore is there, and then gives it these two."""
    module = _import(name, *values, **named)
    handlers = getattr(sys.modules.get("botocore.handlers"), "BUILTIN_HANDLERS", None)
    if handlers is not None and builtins.__import__ is importing:
        handlers += [("request-created", remember), ("before-send", send)]
        builtins.__import__ = _import
    return module
