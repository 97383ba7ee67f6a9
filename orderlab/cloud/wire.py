"""Where every boto3 call ends: botocore's `before-send`, one step before the network.

boto3 is untouched. What the local cloud does itself (messages, events, invocations) is answered here; the rest goes to
moto. Calls from the threads of a cell take their turn, because moto is not atomic. Nothing ever goes on to the network.

Around each call of a handler stands what AWS puts there: time passes, other code runs, an environment dies before or
after the effect, an answer is lost, a service throttles.
"""

import gzip
import json
import random
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Protocol

import botocore.endpoint
import botocore.handlers
import botocore.retries.standard
import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import botocore_stubber

from . import guard
from .faults import Faults
from .scheduler import Scheduler
from .trace import Trace

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
_client_config: ContextVar[Any] = ContextVar("client_config", default=None)
_active: "Wire | None" = None
_moto_call = BotocoreStubber.__call__


class Refusal(Exception):
    """An error that AWS would answer: boto3 raises it as a ClientError with this code, and with `more` in its body."""

    def __init__(self, code: str, message: str, status: int = 400, *, more: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.more = code, message, status, more or {}


class NotYet(NotImplementedError):
    """Something that AWS does and this local cloud does not do yet. It says so instead of pretending."""


def refusing(service: str, names: str, why: str) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
    """Answers for operations (their names, separated by blanks) that are not done here: each says so, and why."""

    def answer(name: str, params: dict[str, Any]) -> dict[str, Any]:
        raise NotYet(f"{service} {name}: {why}")

    return {(service, name): partial(answer, name) for name in names.split()}


class Crash(BaseException):
    """The execution environment dies here: no `except Exception` and no `finally` of the handler matters any more."""


class Caller(Protocol):
    """Whose code is calling: an invocation."""

    name: str
    request_id: str
    dead: bool


def reply(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: str | bytes) -> AWSResponse:
    """An HTTP answer as botocore expects it."""
    return AWSResponse(request.url, status, headers, MockRawResponse(body))


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

    def ask_dynamodb(self, action: str, body: bytes) -> tuple[int, str]:
        """DynamoDB's HTTP API, for a service inside a task that calls it itself: status and body."""
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{action}", "Content-Type": "application/x-amz-json-1.0"}
        url = f"https://dynamodb.{guard.REGION}.amazonaws.com/"
        request = AWSPreparedRequest("POST", url, headers, body, False)
        refusal = _unreadable(action, body)
        if refusal is not None:
            response = refuse(request, refusal)
        else:
            response = self.call(f"before-send.dynamodb.{action}", request, botocore_stubber)
        return response.status_code, response.text

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
        _client_config.set(config)
        return self._call_from_handler(caller, service, operation, request, botocore_stubber)

    def _call_from_handler(
        self, caller: Caller, service: str, operation: str, request: AWSPreparedRequest, stubber: Any
    ) -> AWSResponse:
        if caller.dead:
            raise Crash
        config = _client_config.get()  # before any hand-over
        what, faults = f"{service}.{operation}", self.faults
        self.scheduler.sleep(self.scheduler.latency(*LATENCY))
        self.steps += 1
        step, target = self.steps, _target(service, request)
        told = {"step": step, "request": caller.request_id[:8], **target, **_written(service, request)}
        row = self.trace.add("call", caller.name, what, **told)
        told = self.trace.rows[row].detail  # where its error goes
        heard = Heard(row, caller.name, service, operation, request, answered=False)
        self._tell(heard)
        place = f"{caller.name} {what} {' '.join(target.values())}"
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
            told["error"] = _code(response)
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
            return raw(request, config if config is not None else _client_config.get())
        own = self._answers.get((service, operation))
        if own is not None:
            try:
                result = own(json.loads(_body(request)))
            except Refusal as refusal:
                return refuse(request, refusal)
            if result is not None:
                return reply(request, 200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(result))
        response = _moto_call(stubber, f"before-send.{service}.{operation}", request)
        if response is None:
            raise guard.Refused(f"the local cloud has no {service} {operation} ({request.url})")
        if service in self._after:
            self._after[service](operation)
        return response


def _unreadable(action: str, body: bytes) -> Refusal | None:
    """What DynamoDB says of a request that boto3 would not have sent, and that moto would stumble over."""
    try:
        report = ParamValidator().validate(json.loads(body), _dynamodb().operation_model(action).input_shape)
    except ValueError:
        return Refusal("SerializationException", "the body is not JSON")
    except OperationNotFoundError:
        return Refusal("UnknownOperationException", f"{action} is no operation")
    return Refusal("ValidationException", report.generate_report()) if report.has_errors() else None


@lru_cache(maxsize=1)
def _dynamodb() -> Any:
    return botocore.session.get_session().get_service_model("dynamodb")


def refuse(request: AWSPreparedRequest, refusal: Refusal) -> AWSResponse:
    """The HTTP answer that says no, in any of AWS's protocols."""
    shape = getattr(refusal, "shape", refusal.code)  # SQS has two names for an error: boto3's classes go by the shape
    body = json.dumps({"__type": shape, "message": refusal.message, "Message": refusal.message, **refusal.more})
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-errortype": shape,
        "x-amzn-query-error": f"{refusal.code};Sender",
    }
    if "//sns." in request.url:
        error = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{refusal.message}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    if ".s3." in request.url or "//s3." in request.url:
        body = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
    return reply(request, refusal.status, headers, body)


def _code(response: AWSResponse) -> str:
    """The code of an error that AWS answered, wherever its protocol puts it."""
    found = re.search(r'(?:"__type": ?"[^"]*?|<Code>)(\w+)["<]', response.content.decode(errors="replace"))
    return found.group(1) if found else str(response.headers.get("x-amzn-errortype", response.status_code))


def _target(service: str, request: AWSPreparedRequest) -> dict[str, str]:
    """What a call is about, for the trace: its table, queue, topic, function or object."""
    if service == "dynamodb":
        return {"table": ",".join(dict.fromkeys(re.findall(r'"TableName": ?"([^"]+)"', _text(request.body))))}
    if service == "sqs":
        found = re.search(r'"QueueUrl": ?"[^"]*/([^"/]+)"', _text(request.body))
        return {"queue": found.group(1)} if found else {}
    if service == "sns":
        found = re.search(r"(?:Topic|Target)Arn=[^&]*%3A([\w-]+)", _text(request.body))
        return {"topic": found.group(1)} if found else {}
    if service == "lambda":
        found = re.search(r"/functions/([^/]+)/", request.url)
        return {"function": found.group(1)} if found else {}
    if service == "s3":
        return {"object": request.url.split("?")[0].rsplit("amazonaws.com/", 1)[-1]}
    return {}


def _written(service: str, request: AWSPreparedRequest) -> dict[str, str]:
    """The attribute `state` of a row that a call writes, as a circuit breaker's has it, for the trace."""
    found = re.search(r'"state": ?\{"S": ?"([^"]{1,32})"\}', _text(request.body)) if service == "dynamodb" else None
    return {"state": found.group(1)} if found else {}


def _body(request: AWSPreparedRequest) -> Any:
    """The body as it was before botocore compressed it (gzip), which it does with a PutMetricData above 10 KB."""
    body: Any = request.body or "{}"
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _text(body: Any) -> str:
    return body if isinstance(body, str) else (body or b"").decode()


def _before_send(stubber: Any, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    if _active is None:
        if stubber.enabled or guard.is_open() or guard.is_loopback(request.url):
            return _moto_call(stubber, event_name, request)
        raise guard.Refused(f"no local cloud is open, and {request.url.split('?')[0]} is not on this machine")
    return _active.call(event_name, request, stubber)


def _remember_config(request: Any, **_: Any) -> None:
    _client_config.set(request.context.get("client_config"))


def _unsigned(**_: Any) -> Any:
    return UNSIGNED if _active is not None else None


class _VirtualTime:
    """Stands for the `time` module inside botocore: its own back-off waits in virtual time."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sleep(self, seconds: float) -> None:
        _active.scheduler.sleep(seconds) if _active is not None else self._real.sleep(seconds)


def _chance() -> float:
    """What botocore's own jitter draws: the cloud's seed while one is open."""
    return (_active.scheduler.rng if _active is not None else random).random()


def connect(wire: "Wire") -> None:
    """From here on every boto3 call of this process is answered by `wire`."""
    global _active
    _install()
    _active = wire


def disconnect(wire: "Wire") -> None:
    """Close it: later calls are refused, not sent."""
    global _active
    if _active is wire:
        _active = None


def _install() -> None:
    """Put the hooks in place, once a process. They stay: without a local cloud they refuse."""
    if BotocoreStubber.__call__ is _before_send:
        return
    BotocoreStubber.__call__ = _before_send  # type: ignore[assignment,method-assign]
    botocore.handlers.BUILTIN_HANDLERS.append(("request-created", _remember_config))
    botocore.handlers.BUILTIN_HANDLERS.append(("choose-signer", _unsigned))
    botocore.endpoint.time = _VirtualTime(botocore.endpoint.time)
    backoff = botocore.retries.standard.ExponentialBackoff.__init__
    backoff.__defaults__ = tuple(_chance if value is random.random else value for value in backoff.__defaults__ or ())
    guard.install()
