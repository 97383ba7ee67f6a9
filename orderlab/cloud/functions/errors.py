"""What Lambda answers for an invocation that failed: the error object that goes with `FunctionError: Unhandled`.

A handler's own error is told by its type, its message and its stack, one text for each frame. What goes wrong around
the handler has names of Lambda's own: a module that cannot be imported, a handler that is not in it, an answer that is
no JSON or is too large, a process that ends, a time-out. An error while the module is loaded has no request id.
Source: AWS's runtime for Python (awslambdaric, bootstrap.py and lambda_runtime_marshaller.py); recorded calls.
Departures: the stack has the package's own frames and no library's, whose lines differ from machine to machine; a
handler that returns bytes is not done. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import math
import traceback
from decimal import Decimal
from typing import Any

from ..wire import Crash
from .package import Package

LARGEST_ANSWER = 6_291_556  # bytes


class RuntimeFault(Exception):
    """An error that has one of the runtime's own names (`kind`), and the lines of a stack, if any."""

    def __init__(self, kind: str, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.lines = kind, lines


def marshal(answer: Any) -> str:
    """A handler's answer as JSON text. Raises RuntimeFault for what is no JSON; a Decimal becomes a number."""
    try:
        return json.dumps(answer, default=_number)
    except Exception as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def failure(error: BaseException, package: Package | None, request_id: str, *, initialised: bool) -> dict[str, Any]:
    """The error object for what a handler, or the loading of its module, raised."""
    if isinstance(error, Crash | SystemExit):
        status = 1 if isinstance(error, Crash) or isinstance(error.code, str) else error.code
        reason = f"with error: exit status {status}" if status else "without providing a reason"
        return exit_error("Runtime.ExitError", request_id, f"Runtime exited {reason}")
    fault = error if isinstance(error, RuntimeFault) else None
    return {
        "errorMessage": str(error),
        "errorType": fault.kind if fault else type(error).__name__,
        "requestId": request_id if initialised else "",
        "stackTrace": list(fault.lines) if fault else _stack(error, package),
    }


def exit_error(kind: str, request_id: str, reason: str) -> dict[str, Any]:
    """The error object for a process that is no more."""
    return {"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {reason}"}


def too_large(answer: str) -> dict[str, Any] | None:
    """The error object for an answer above 6 MB, None for one below."""
    if len(answer.encode()) <= LARGEST_ANSWER:
        return None
    message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
    return {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}


def _number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return math.nan if value.is_nan() else int(value) if value == value.to_integral_value() else float(value)


def _stack(error: BaseException, package: Package | None) -> list[str]:
    lines = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if package is not None and file.startswith("/var/task/"):
            text = package.line(file, number)
            lines.append(f'  File "{file}", line {number}, in {frame.f_code.co_name}\n    {text}\n')
    return lines
