"""What Lambda answers for an invocation that failed: the error object that goes with `FunctionError: Unhandled`.

A handler's own error is told by its type, its message and its stack, one text for each frame. What goes wrong around
the handler has names of Lambda's own (see `handlers`); so have an answer that is too large, a process that ends, and a
time-out. An error while the module is loaded has no request id. Source: awslambdaric, bootstrap.py; recorded calls.
Departure: the stack has the package's own frames and no library's, whose lines differ from machine to machine.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import traceback
from typing import Any

from ..wire.calls import Crash
from .handlers import RuntimeFault
from .invocation import Invocation
from .package import Package

LARGEST_ANSWER = 6_291_556  # bytes


def of(invocation: Invocation, error: BaseException | None) -> dict[str, Any]:
    """The error object that Lambda returns for a handler that raised, died or ran out of time."""
    if invocation.timed_out or error is None:
        reason = f"Task timed out after {invocation.function.timeout:.2f} seconds"
        return exit_error("Sandbox.Timedout", invocation.request_id, reason)
    report = getattr(error, "report", None)
    if report is not None:  # what a process said, or how it ended
        return dict(report)
    if isinstance(error, Crash | SystemExit):
        status = 1 if isinstance(error, Crash) or isinstance(error.code, str) else error.code
        reason = f"with error: exit status {status}" if status else "without providing a reason"
        return exit_error("Runtime.ExitError", invocation.request_id, f"Runtime exited {reason}")
    initialised, package = invocation.warm.handler is not None, getattr(invocation.warm.environment, "package", None)
    fault = error if isinstance(error, RuntimeFault) else None
    return {
        "errorMessage": str(error),
        "errorType": fault.kind if fault else type(error).__name__,
        "requestId": invocation.request_id if initialised else "",
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


def _stack(error: BaseException, package: Package | None) -> list[str]:
    lines = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        file = frame.f_code.co_filename
        if package is not None and file.startswith("/var/task/"):
            text = package.line(file, number)
            lines.append(f'  File "{file}", line {number}, in {frame.f_code.co_name}\n    {text}\n')
    return lines
