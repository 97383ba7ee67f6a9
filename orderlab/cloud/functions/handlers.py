"""A handler: found in its module, and its answer as JSON, with the errors of Lambda's own runtime; for both runners.

Standard library only: the parent process uses it, and so does each child process that runs a handler.
Source: AWS's runtime for Python (awslambdaric, bootstrap.py and lambda_runtime_marshaller.py); recorded calls.
Departure: a handler that returns bytes is not done. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any


class RuntimeFault(Exception):
    """An error that has one of the runtime's own names (`kind`), and the lines of a stack, if any."""

    def __init__(self, kind: str, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind, self.lines = kind, lines


def find(handler: str, load: Callable[[str], Any]) -> Any:
    """The handler "module.function", its module loaded. Raises RuntimeFault, or what the module raises."""
    path, dot, name = handler.rpartition(".")
    if not dot:
        text = f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)"
        raise RuntimeFault("Runtime.MalformedHandlerName", text)
    try:
        found = load(path.replace("/", "."))
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{path}': {error}") from error
    except SyntaxError as error:
        lines = (f'  File "{error.filename}" Line {error.lineno}\n    {error.text}',)
        text = f"Syntax error in module '{path}': {error}"
        raise RuntimeFault("Runtime.UserCodeSyntaxError", text, lines) from error
    if not hasattr(found, name):
        raise RuntimeFault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{path}'")
    return getattr(found, name)


def marshal(answer: Any) -> str:
    """A handler's answer as JSON text. Raises RuntimeFault for what is no JSON; a Decimal becomes a number."""
    try:
        return json.dumps(answer, default=_number)
    except Exception as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return math.nan if value.is_nan() else int(value) if value == value.to_integral_value() else float(value)
