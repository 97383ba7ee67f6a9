"""The calls to AWS of one local cloud: who answers each, and what goes wrong on the way.

Around each call of a handler stands what AWS puts there: time passes, other code runs, an environment dies before or
after the effect, an answer is lost, a service throttles.
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.models import botocore_stubber

from .. import guard
from ..faults import Faults
from ..scheduler import Scheduler
from ..trace import Trace
from .answers import Refusal, error_code, refuse, reply
from .reading import body_of, target, written

LATENCY = (0.002, 0.008)  # seconds that a call from a handler takes here; AWS promises none
READ_TIMEOUT = 60.0  # botocore's default, seconds
_THROTTLING = {  # the error and its status; all others: ThrottlingException
    "lambda": ("TooManyRequestsException", 429),
    "sns": ("Throttled", 429),
    "sqs": ("RequestThrottled", 400),
    "s3": ("SlowDown", 503),
}
_INTERNAL = {  # a service's own failure, always with status 500; all others: InternalError
    "dynamodb": "InternalServerError",
    "eventbridge": "InternalException",
    "lambda": "ServiceException",
}
# What meets a transaction at its rows, and only that: the fault "conflict" passes all other calls by.
_CONFLICTING = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "TransactGetItems"}
client_config: ContextVar[Any] = ContextVar("client_config", default=None)
moto_call = BotocoreStubber.__call__


class Crash(BaseException):
    """The execution environment dies here: no `except Exception` and no `finally` of the handler matters any more."""


class Caller(Protocol):
    """Whose code is calling: an invocation."""

    name: str
    request_id: str
    dead: bool


@dataclass(frozen=True)
class Heard:
    """A call to AWS as a listener hears it: once when it is made, and once more when it was answered.

    `row` is its number in the trace. One that is lost, refused by a fault, or cut off by a crash is heard once.
    """

    row: int
    caller: str
    service: str
    operation: str
    request: AWSPreparedRequest
    answered: bool


Listener = Callable[[Heard], None]


class Wire:
    """The calls to AWS of one local cloud: who answers them, and what goes wrong on the way."""

    def __init__(self, scheduler: Scheduler, trace: Trace, faults: Faults) -> None:
        self.scheduler, self.trace, self.faults = scheduler, trace, faults
        self.steps = 0
        self.listeners: list[Listener] = []  # see `Cloud.listening`
        self._answers: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]] = {}
        self._raw: dict[tuple[str, str], Callable[[AWSPreparedRequest, Any], AWSResponse]] = {}
        self._after: dict[str, Callable[[str], None]] = {}
        self.refusals: dict[tuple[str, str], Callable[[dict[str, Any]], Refusal]] = {}  # (service, fault) to its answer

    def own(self, service: str, operation: str, answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Answer a JSON operation here: parameters in, result out; None means "checked, moto goes on"."""
        self._answers[service, operation] = answer

    def own_raw(self, service: str, operation: str, answer: Callable[[AWSPreparedRequest, Any], AWSResponse]) -> None:
        """Answer an operation here from its HTTP request and its client's Config."""
        self._raw[service, operation] = answer

    def after(self, service: str, notice: Callable[[str], None]) -> None:
        """Have `notice(operation)` called after each call that moto answered for this service."""
        self._after[service] = notice

    def call(self, event_name: str, request: AWSPreparedRequest, stubber: Any) -> AWSResponse:
        """Answer one call. Raises what botocore would raise: a lost answer is a ReadTimeoutError."""
        _, service, operation = event_name.split(".", 2)
        task = self.scheduler.current()
        caller: Caller | None = task.context if task is not None else None
        if caller is None:
            with self.scheduler.lock:
                return self._answer(service, operation, request, stubber)
        return self._call_from_handler(caller, service, operation, request, stubber)

    def call_for(
        self, caller: Caller, service: str, operation: str, request: AWSPreparedRequest, config: Any
    ) -> AWSResponse:
        """Answer a call that a handler made in a process of its own; `config` has its client's `read_timeout`."""
        client_config.set(config)
        return self._call_from_handler(caller, service, operation, request, botocore_stubber)

    def _call_from_handler(
        self, caller: Caller, service: str, operation: str, request: AWSPreparedRequest, stubber: Any
    ) -> AWSResponse:
        if caller.dead:
            raise Crash
        config = client_config.get()  # before any hand-over
        what, faults = f"{service}.{operation}", self.faults
        self.scheduler.sleep(self.scheduler.latency(*LATENCY))
        self.steps += 1
        step, about = self.steps, target(service, request)
        told = {"step": step, "request": caller.request_id[:8], **about, **written(service, request)}
        row = self.trace.add("call", caller.name, what, **told)
        told = self.trace.rows[row].detail  # where its error goes
        heard = Heard(row, caller.name, service, operation, request, answered=False)
        self._tell(heard)
        place = f"{caller.name} {what} {' '.join(about.values())}"
        fate = faults.steps.get(step)
        if fate == "crash-before" or faults.strikes("crash-before", place):
            self.trace.add("fault", caller.name, "crash-before", step=step)
            told["error"] = "not done"
            raise Crash
        for kind in ("throttle", "error", "conflict") if operation in _CONFLICTING else ("throttle", "error"):
            if fate == kind or faults.strikes(kind, place):
                self.trace.add("fault", caller.name, kind, step=step)
                refusal = self._not_now(kind, service, request)
                told["error"] = refusal.code
                return refuse(request, refusal)
        if fate == "put-events":
            faults.at_rate("put-events", 1.0, limit=1)  # the bus, which is next, refuses the first entry
        slow = faults.amount("slow", place)
        patience = float(getattr(config, "read_timeout", None) or READ_TIMEOUT)
        if slow:
            self.trace.add("fault", caller.name, "slow", step=step, seconds=slow)
            self.scheduler.sleep(min(slow, patience))
        response = self._answer(service, operation, request, stubber, config)
        if response.status_code >= 400:
            told["error"] = error_code(response)
        self._tell(replace(heard, answered=True))
        if fate == "crash-after" or faults.strikes("crash-after", place):
            self.trace.add("fault", caller.name, "crash-after", step=step)
            raise Crash
        if slow >= patience or fate == "lost-response" or faults.strikes("lost-response", place):
            if slow < patience:
                self.trace.add("fault", caller.name, "lost-response", step=step)
                self.scheduler.sleep(patience)
            raise ReadTimeoutError(endpoint_url=request.url)
        return response

    def _tell(self, heard: "Heard") -> None:
        for hear in self.listeners:
            hear(heard)

    def _not_now(self, kind: str, service: str, request: AWSPreparedRequest) -> Refusal:
        """How a service says that it is asked too much, that it has failed, or that something else is at its rows."""
        if kind == "error":
            return Refusal(_INTERNAL.get(service, "InternalError"), "Internal service failure", 500)
        answer = self.refusals.get((service, kind))
        if answer is not None:
            return answer(json.loads(request.body or "{}"))
        code, status = _THROTTLING.get(service, ("ThrottlingException", 400))
        return Refusal(code, "Rate exceeded", status)

    def _answer(
        self, service: str, operation: str, request: AWSPreparedRequest, stubber: Any, config: Any = None
    ) -> AWSResponse:
        raw = self._raw.get((service, operation))
        if raw is not None:
            return raw(request, config if config is not None else client_config.get())
        own = self._answers.get((service, operation))
        if own is not None:
            try:
                result = own(json.loads(body_of(request)))
            except Refusal as refusal:
                return refuse(request, refusal)
            if result is not None:
                return reply(request, 200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(result))
        response = moto_call(stubber, f"before-send.{service}.{operation}", request)
        if response is None:
            raise guard.Refused(f"the local cloud has no {service} {operation} ({request.url})")
        if service in self._after:
            self._after[service](operation)
        return response
