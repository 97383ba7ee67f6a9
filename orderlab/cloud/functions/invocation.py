"""A function, an invocation of it, and how it ends: the facts that the rest of this folder works with.

Source: Lambda developer guide, python-context, lambda-runtime-environment. Departure: versions, aliases, layers and
images are refused by name. Taught in notebooks/01_ask_or_tell.ipynb
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..guard import ACCOUNT
from ..stack.resources import Stack
from ..wire.answers import NotYet, Refusal


@dataclass(frozen=True)
class Function:
    """The settings of one function: timeout in seconds, memory in MB. `described` is moto's, for what changes."""

    name: str
    arn: str
    logical_id: str
    handler: str
    timeout: float
    memory: int
    variables: dict[str, str]
    code: bytes = field(repr=False)
    described: Any = field(repr=False)

    @property
    def reserved(self) -> int | None:
        """The reserved concurrency as it is now."""
        reserved = self.described.reserved_concurrency
        return None if reserved is None else int(reserved)


def read(name: str, stack: Stack, backend: Any, added: dict[str, dict[str, str]]) -> Function:
    """The function of this ARN, physical name or logical id, as moto has it now, with the variables `added` to it.

    Raises Refusal when there is none, NotYet for what is not run.
    """
    short, _, qualifier = name.split(":function:")[-1].partition(":")
    if qualifier not in ("", "$LATEST"):
        raise NotYet(f"{name}: versions and aliases of functions")
    if short in stack.resources:
        short = stack.resources[short].physical_id
    try:
        found = backend.get_function(short)
    except Exception:  # moto's own error types
        arn = f"arn:aws:lambda:{stack.region}:{ACCOUNT}:function:{short}:$LATEST"
        raise Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404) from None
    if not str(found.run_time).startswith("python") or found.layers:
        raise NotYet(f"function {short}: only Python zip packages without layers are run, not {found.run_time}")
    own = {"AWS_REGION": stack.region, "AWS_LAMBDA_FUNCTION_NAME": found.function_name}
    return Function(
        found.function_name,
        found.function_arn,
        stack.logical_id(found.function_name) or found.function_name,
        found.handler,
        float(found.timeout),
        int(found.memory_size),
        {**own, **(found.environment_vars or {}), **added.get(found.function_name, {})},
        found.code_bytes,
        found,
    )


class Sandbox(Protocol):
    """An execution environment of either runner: `environment`, in process, or `processes`."""

    cold_start: tuple[float, float]

    def load(self, handler: str) -> Callable[[Any, Any], Any]: ...
    def adopt(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]: ...
    def retire(self) -> None: ...


@dataclass
class Warm:
    """An environment, what it was made for, and since when it is idle. `handler` is loaded at the cold start."""

    environment: Sandbox
    function: Function
    idle_since: float = 0.0
    handler: Callable[[Any, Any], Any] | None = None


@dataclass(frozen=True)
class Result:
    """How an invocation ended: the payload (JSON text), or the error as Lambda reports it."""

    payload: str = "null"
    error: dict[str, Any] | None = None
    timed_out: bool = False
    throttled: bool = False
    request_id: str = ""


@dataclass
class Invocation:
    """One event on its way through one environment. `name` is the function's logical id, as the trace shows it."""

    function: Function
    name: str
    request_id: str
    done: Callable[[Result], None]
    started: float
    warm: Warm
    hops: int  # the buses that its event has come through, see `hops`
    deadline: float = 0.0
    dead: bool = False
    timed_out: bool = False


class Context:
    """What Lambda hands to a handler beside the event."""

    def __init__(self, invocation: Invocation, now: Callable[[], float]) -> None:
        function = invocation.function
        self._deadline, self._now = invocation.deadline, now
        self.function_name, self.function_version = function.name, "$LATEST"
        self.invoked_function_arn = function.arn
        self.memory_limit_in_mb = str(function.memory)
        self.aws_request_id = invocation.request_id
        self.log_group_name, self.log_stream_name = f"/aws/lambda/{function.name}", "local"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds of virtual time before Lambda stops this invocation."""
        return max(0, int((self._deadline - self._now()) * 1000))
