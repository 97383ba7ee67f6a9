"""The runtime of a process: ask Lambda's Runtime API for an event, call the handler, post its answer, and ask again.

This file runs in the child process (`python -I runtime.py OFFSET FOLDER`), standard library only. AWS's own runtime
does the same and runs against the same parent. What this one adds: the clock that the handler reads is the cloud's
(real time and an offset, which each answer of the parent brings), a lost answer is a time-out without the wait, and the
process ends with its parent. `time.sleep` is real here.
Source: Lambda developer guide, runtimes-api, runtimes-custom. Taught in notebooks/06_where_state_lives.ipynb
"""

import builtins
import datetime
import http.client
import importlib
import io
import json
import os
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any

API = "/2018-06-01/runtime"
_HERE = os.path.dirname(os.path.abspath(__file__))
_real_time, _offset = time.time, 0.0
_begin, _end_headers, _import = http.client.HTTPResponse.begin, http.client.HTTPConnection.endheaders, __import__


class Fault(Exception):
    """Something that the runtime, not the handler, has to say: the first argument is its `errorType`."""


class Output(io.FileIO):
    """Standard output that counts its bytes, so that the parent can wait for what was printed before a call."""

    written = 0

    def write(self, data: Any) -> int:
        done = super().write(data)
        Output.written += done
        return done


def now() -> float:
    """The cloud's time, seconds since the epoch."""
    return _real_time() + _offset


def begin(response: Any) -> None:
    """Read the head of an answer: with the parent's word on the time, and on whether it was lost on its way."""
    global _offset
    _begin(response)
    _offset = float(response.headers.get("Orderlab-Clock", _offset))
    if "Orderlab-Lost" in response.headers:
        raise TimeoutError("timed out")


def end_headers(connection: Any, *values: Any, **named: Any) -> None:
    """Send the head of a request, with how much was printed before it."""
    sys.stdout.flush()
    connection.putheader("Orderlab-Written", str(Output.written))
    _end_headers(connection, *values, **named)


def importing(name: str, *values: Any, **named: Any) -> Any:
    """Once botocore is there, have its requests tell the time-out of their client."""
    module = _import(name, *values, **named)
    handlers = getattr(sys.modules.get("botocore.handlers"), "BUILTIN_HANDLERS", None)
    if handlers is not None:
        handlers.append(("request-created", tell_patience))
        builtins.__import__ = _import
    return module


def tell_patience(request: Any, **_: Any) -> None:
    """How long the client waits for an answer, in seconds."""
    request.headers["Orderlab-Patience"] = str(getattr(request.context.get("client_config"), "read_timeout", 60))


def end_with_parent() -> None:
    """Standard input is the parent's leash: when it ends, so does this process, whatever the handler is doing."""
    leash = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def watch() -> None:
        os.read(leash, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def prepare(offset: float, folder: str) -> None:
    """The process as a handler finds it: clock, output, and where its modules are."""
    global _offset
    _offset = offset
    sys.path += [_HERE, os.path.dirname(_HERE)]
    import guard
    import virtual

    for module in ("guard", "virtual"):
        del sys.modules[module]  # the function may have modules of these names
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:] = [root, *(path for path in sys.path[:-2] if path != folder), folder]
    sys.argv[1:] = []
    guard.install()
    sys.stdout = sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(Output(1, "wb", closefd=False)), "utf-8", "backslashreplace", line_buffering=True
    )
    vars(time).update(virtual.virtual_time(now, time.sleep))
    datetime.datetime = virtual.virtual_datetime(now)  # type: ignore[misc]
    http.client.HTTPResponse.begin = begin  # type: ignore[method-assign,assignment]
    http.client.HTTPConnection.endheaders = end_headers  # type: ignore[method-assign,assignment]
    builtins.__import__ = importing


def find(handler: str) -> Any:
    """The handler, its module imported. Raises Fault as Lambda's runtime names it, or what the module raises."""
    module, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module}': {error}") from error
    except SyntaxError as error:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}") from error
    if not hasattr(found, name):
        raise Fault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module}'")
    return getattr(found, name)


def context(headers: Any) -> SimpleNamespace:
    """What Lambda hands to a handler beside the event."""
    deadline = int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 + _offset  # the header is in real time
    given = os.environ
    return SimpleNamespace(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        function_name=given["AWS_LAMBDA_FUNCTION_NAME"],
        function_version=given["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=given["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=given["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=given["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: max(0, int((deadline - now()) * 1000)),
    )


def report(error: Exception, request_id: str) -> dict[str, Any]:
    """An error as Lambda reports it."""
    if isinstance(error, Fault):
        kind, message = error.args
        return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": []}
    own = (__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", importlib.__file__)
    found = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in own]
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in found]  # no ^^^^, as on AWS
    trace = [line.replace(os.environ["LAMBDA_TASK_ROOT"], "/var/task") for line in traceback.format_list(frames)]
    return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request_id, "stackTrace": trace}


def answer(handler: Any, event: bytes, headers: Any) -> tuple[str, str]:
    """("response" or "error", its JSON)."""
    try:
        result = handler(json.loads(event), context(headers))
        try:
            return "response", json.dumps(result)
        except (TypeError, ValueError) as error:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    except Exception as error:
        return "error", json.dumps(report(error, headers["Lambda-Runtime-Aws-Request-Id"]))


def main() -> None:
    """The loop. It ends when the parent closes the Runtime API."""
    parent = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(method: str, path: str, body: str | None = None) -> tuple[bytes, Any]:
        try:
            parent.request(method, API + path, body.encode() if body is not None else None)
            response = parent.getresponse()
            return response.read(), response.headers
        except (OSError, http.client.HTTPException):
            os._exit(0)

    try:
        handler = find(os.environ["_HANDLER"])
    except Exception as error:
        ask("POST", "/init/error", json.dumps(report(error, "")))
        sys.exit(1)
    while True:
        event, headers = ask("GET", "/invocation/next")
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        kind, body = answer(handler, event, headers)
        ask("POST", f"/invocation/{headers['Lambda-Runtime-Aws-Request-Id']}/{kind}", body)


if __name__ == "__main__":
    end_with_parent()
    prepare(float(sys.argv[1]), sys.argv[2])
    main()
