"""The runtime of a process: ask Lambda's Runtime API for an event, call the handler, post its answer, and ask again.

This file runs in the child process (`python -I runtime.py OFFSET FOLDER`), standard library only. AWS's own runtime
does the same and runs against the same parent. What this one adds: the clock that the handler reads is the cloud's,
boto3's calls go to the parent (both in `line`), and the process ends with its parent. `time.sleep` is real here.
Source: Lambda developer guide, runtimes-api, runtimes-custom. Taught in notebooks/06_where_state_lives.ipynb
"""

import builtins
import datetime
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


def end_with_parent() -> None:
    """Standard input is the parent's leash: when it ends, so does this process, whatever the handler is doing."""
    leash = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)

    def watch() -> None:
        os.read(leash, 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def prepare(offset: float, folder: str) -> tuple[Any, Any]:
    """The process as a handler finds it: clock, output, and where its modules are. Returns `line` and `handlers`."""
    sys.path += [_HERE, os.path.dirname(_HERE)]
    import guard
    import handlers
    import line
    import virtual

    for module in ("guard", "handlers", "line", "virtual"):
        del sys.modules[module]  # the function may have modules of these names
    line.offset = offset
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:] = [root, *(path for path in sys.path[:-2] if path != folder), folder]
    sys.argv[1:] = []
    guard.install()
    sys.stdout = sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(line.Output(1, "wb", closefd=False)), "utf-8", "backslashreplace", line_buffering=True
    )
    vars(time).update(virtual.virtual_time(line.now, time.sleep))
    datetime.datetime = virtual.virtual_datetime(line.now)  # type: ignore[misc]
    builtins.__import__ = line.importing
    return line, handlers


def context(headers: Any, line: Any) -> SimpleNamespace:
    """What Lambda hands to a handler beside the event."""
    deadline = int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 + line.offset  # the header is in real time
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
        get_remaining_time_in_millis=lambda: max(0, int((deadline - line.now()) * 1000)),
    )


def report(error: Exception, request_id: str) -> dict[str, Any]:
    """An error as Lambda reports it."""
    own = (__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", importlib.__file__)
    found = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in own]
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in found]  # no ^^^^, as on AWS
    trace = [line.replace(os.environ["LAMBDA_TASK_ROOT"], "/var/task") for line in traceback.format_list(frames)]
    kind, trace = getattr(error, "kind", type(error).__name__), list(getattr(error, "lines", trace))
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def main(line: Any, handlers: Any) -> None:
    """The loop. It ends when the parent closes the Runtime API."""
    try:
        handler = handlers.find(os.environ["_HANDLER"], importlib.import_module)
    except Exception as error:
        line.talk("POST", f"{API}/init/error", json.dumps(report(error, "")).encode())
        sys.exit(1)
    while True:
        event, headers = line.talk("GET", f"{API}/invocation/next")
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        request_id, kind = headers["Lambda-Runtime-Aws-Request-Id"], "response"
        try:
            body = handlers.marshal(handler(json.loads(event), context(headers, line)))
        except Exception as error:
            kind, body = "error", json.dumps(report(error, request_id))
        line.talk("POST", f"{API}/invocation/{request_id}/{kind}", body.encode())


if __name__ == "__main__":
    end_with_parent()
    main(*prepare(float(sys.argv[1]), sys.argv[2]))
