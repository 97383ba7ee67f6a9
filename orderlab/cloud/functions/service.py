"""Lambda functions: synchronous and asynchronous invokes of the real handlers, in virtual time.

A synchronous invoke runs the handler and answers with what it returned; an error of the handler is a 200 with
`FunctionError`. An asynchronous one answers 202 at once; Lambda keeps the event and tries again after 1 and 2 minutes
before it gives up to the on-failure destination. Every event gets an execution environment to itself: an idle warm one,
or a new one after a cold start; above the reserved concurrency it is throttled with 429.
Source: Lambda developer guide, invocation-sync, invocation-async-error-handling, lambda-runtime-environment.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from moto.awslambda.models import LambdaFunction

from ..faults import Faults
from ..queues.service import Queues
from ..scheduler import Outcome, Scheduler, Task
from ..stack import Stack
from ..trace import Trace
from ..wire import READ_TIMEOUT, Crash, reply
from .destinations import AsyncEvent, Destinations, asynchronous_retry
from .environment import Environment
from .package import open_package

_moto_invoke = LambdaFunction.invoke
COLD_START = (0.15, 0.35)  # seconds to make an environment; AWS promises none
IDLE_LIFE = 900.0  # seconds after which an idle environment is taken away here; AWS promises none


@dataclass(frozen=True)
class Function:
    """The settings of one function: timeout in seconds, memory in MB."""

    name: str
    arn: str
    logical_id: str
    handler: str
    timeout: float
    memory: int
    variables: dict[str, str]
    reserved: int | None
    code: bytes = field(repr=False)


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
    deadline: float = 0.0
    dead: bool = False
    timed_out: bool = False
    cold: bool = False
    environment: "Warm | None" = None


class Warm:
    """An environment and since when it is idle."""

    def __init__(self, environment: Environment) -> None:
        self.environment, self.idle_since = environment, 0.0
        self.handler: Callable[[Any, Any], Any] | None = None  # loaded at the cold start


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


class Functions:
    """The functions of one local cloud and their execution environments."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, faults: Faults, stack: Stack, queues: Queues, backend: Any, seed: int
    ) -> None:
        self.scheduler, self.trace, self.faults, self.stack, self.backend = scheduler, trace, faults, stack, backend
        self.destinations = Destinations(stack, queues)
        self._rng = random.Random(f"functions {seed}")
        self._idle: dict[str, list[Warm]] = {}
        self._running: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._replaced: dict[str, Callable[[Any, Any], Any]] = {}
        self._known: dict[str, tuple[Any, Function]] = {}
        self.variables: dict[str, dict[str, str]] = {}  # what this machine adds: function name to variables

    def resolve(self, name: str) -> Function:
        """The function of this ARN, physical name or logical id. Raises KeyError when there is none."""
        short = name.split(":function:")[-1].split(":")[0]
        if short in self.stack.resources:
            short = self.stack.resources[short].physical_id
        found = self.backend.get_function(short)
        known = self._known.get(short)
        if known is not None and known[0] is found:
            return known[1]
        variables = {**(found.environment_vars or {}), **self.variables.get(found.function_name, {})}
        function = Function(
            found.function_name,
            found.function_arn,
            self.stack.logical_id(found.function_name) or found.function_name,
            found.handler,
            float(found.timeout),
            int(found.memory_size),
            {"AWS_REGION": self.stack.region, "AWS_LAMBDA_FUNCTION_NAME": found.function_name, **variables},
            None if found.reserved_concurrency is None else int(found.reserved_concurrency),
            found.code_bytes,
        )
        self._known[short] = (found, function)
        return function

    def replace(self, name: str, handler: Callable[[Any, Any], Any]) -> None:
        """From the next cold start on, run `handler` in this function's place; its environments are taken away."""
        function = self.resolve(name)
        self._replaced[function.name] = handler
        self.recycle(name)

    def recycle(self, name: str) -> None:
        """Take this function's idle environments away: its next events meet cold starts."""
        for warm in self._idle.pop(self.resolve(name).name, []):
            warm.environment.retire()

    def install(self) -> None:
        """Have what moto itself invokes (SNS, S3 notifications) queued here: a handler never runs inside moto."""

        def invoke(function: LambdaFunction, body: str | bytes, request_headers: Any, response_headers: Any) -> str:
            self.enqueue(function.function_name, json.loads(body or "{}"), source="moto")
            return "{}"

        LambdaFunction.invoke = invoke  # type: ignore[assignment,method-assign]

    def uninstall(self) -> None:
        """Give moto its own way back."""
        LambdaFunction.invoke = _moto_invoke  # type: ignore[method-assign]

    def reset(self, seed: int) -> None:
        """Forget all environments and everything that runs."""
        self._rng.seed(f"functions {seed}")
        self._made.clear()
        for pool in self._idle.values():
            for warm in pool:
                warm.environment.retire()
        self._idle.clear()
        self._running.clear()

    def start(self, name: str, event: Any, done: Callable[[Result], None], *, source: str, **told: Any) -> None:
        """Invoke as a service does that waits for the answer; `done` gets it in the loop, the trace gets `told`."""
        function = self.resolve(name)
        label, request_id = function.logical_id, self._request_id()
        running = self._running.get(function.name, 0)
        if function.reserved is not None and running >= function.reserved:
            self.trace.add("throttled", label, f"from {source}", running=running, reserved=function.reserved, **told)
            done(Result(throttled=True, request_id=request_id))
            return
        self._running[function.name] = running + 1
        invocation = Invocation(function, label, request_id, done, self.scheduler.now)
        warm = invocation.environment = self._take(function)
        invocation.cold = warm.handler is None
        self.trace.add("invoke", label, f"from {source}", request=request_id[:8], cold=invocation.cold, **told)
        text = json.dumps(event)  # what crosses the boundary is JSON, here as on AWS
        task: Task = self.scheduler.spawn(
            lambda: self._work(invocation, warm, text, task), partial(self._finished, invocation), invocation
        )

    def enqueue(self, name: str, event: Any, *, source: str) -> str:
        """Invoke asynchronously: Lambda keeps the event and tries until it succeeds or gives up."""
        function = self.resolve(name)
        waiting = AsyncEvent(function.arn, function.logical_id, event, self._request_id(), self.scheduler.now)
        self.trace.add("queued", function.logical_id, f"from {source}", request=waiting.request_id[:8])
        self.scheduler.after(self.scheduler.latency(0.01, 0.03), partial(self._attempt, waiting, source))
        return waiting.request_id

    def answer_invoke(self, request: AWSPreparedRequest, config: Any) -> AWSResponse:
        """The boto3 operation Invoke, over the HTTP request that botocore has made."""
        name = unquote(request.url.split("/functions/")[1].split("/invocations")[0])
        headers = {key.lower(): value for key, value in request.headers.items()}
        kind = _text(headers.get("x-amz-invocation-type", "RequestResponse"))
        try:
            function = self.resolve(name)
        except Exception:
            return _error(request, 404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            event = json.loads(_text(request.body) or "{}")
        except ValueError as error:
            return _error(
                request, 400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            )
        if kind == "DryRun":
            return reply(request, 204, {}, b"")
        if kind == "Event":
            return reply(request, 202, {"x-amzn-requestid": self.enqueue(function.arn, event, source="invoke")}, b"")
        results: list[Result] = []
        patience = float(getattr(config, "read_timeout", None) or READ_TIMEOUT)
        self.start(function.arn, event, results.append, source="invoke")
        if not self.scheduler.wait(lambda: bool(results), patience):
            raise ReadTimeoutError(endpoint_url=request.url)  # the caller gives up; the callee goes on
        result = results[0]
        if result.throttled:
            return _error(request, 429, "TooManyRequestsException", "Rate Exceeded.")
        answer = {"x-amzn-requestid": result.request_id, "x-amz-executed-version": "$LATEST"}
        if result.error is not None:
            answer["x-amz-function-error"] = "Unhandled"
        return reply(request, 200, answer, result.payload if result.error is None else json.dumps(result.error))

    def _take(self, function: Function) -> Warm:
        pool = self._idle.setdefault(function.name, [])
        while pool:
            warm = pool.pop()  # the one used last: what is idle longest ages away
            if self.scheduler.now - warm.idle_since <= IDLE_LIFE:
                return warm
            warm.environment.retire()
        made = self._made[function.name] = self._made.get(function.name, 0) + 1
        return Warm(
            Environment(
                open_package(function.code),
                function.variables,
                now=lambda: self.scheduler.now,
                sleep=self._sleep,
                write=lambda line: self._log(function.logical_id, line),
                seed=f"{function.name} {made} {self._rng.random()}",
                skew=self.faults.amount("clock-skew", function.logical_id),
            )
        )

    def _log(self, name: str, line: str) -> None:
        self.trace.add("log", name, line)

    def _sleep(self, seconds: float) -> None:
        task = self.scheduler.current()
        if task is not None and task.context.dead:
            raise Crash
        self.scheduler.sleep(seconds)

    def _work(self, invocation: Invocation, warm: Warm, text: str, task: Task) -> str:
        function = invocation.function
        if warm.handler is None:
            self.scheduler.sleep(self.scheduler.latency(*COLD_START))
            replaced = self._replaced.get(function.name)
            environment = warm.environment
            warm.handler = environment.adopt(replaced) if replaced else environment.load(function.handler)
        invocation.deadline = self.scheduler.now + function.timeout
        timer = self.scheduler.at(invocation.deadline, partial(self._time_out, invocation, task))
        try:
            answer = warm.handler(json.loads(text), Context(invocation, lambda: self.scheduler.now))
            return json.dumps(answer)
        finally:
            timer.cancel()

    def _time_out(self, invocation: Invocation, task: Task) -> None:
        invocation.dead = invocation.timed_out = True
        self.trace.add("timeout", invocation.name, f"after {invocation.function.timeout:g} s")
        self.scheduler.kill(task, Crash())

    def _finished(self, invocation: Invocation, outcome: Outcome) -> None:
        function, warm, error = invocation.function, invocation.environment, outcome.error
        assert warm is not None
        self._running[function.name] -= 1
        crashed = invocation.dead or isinstance(error, Crash | SystemExit)
        if crashed or warm.handler is None:
            invocation.dead = True
            warm.environment.retire()
        else:
            warm.idle_since = self.scheduler.now
            self._idle.setdefault(function.name, []).append(warm)
        failure = _failure(invocation, error) if error is not None or invocation.timed_out else None
        duration = round(self.scheduler.now - invocation.started, 6)
        self.trace.add(
            "error" if failure else "end",
            invocation.name,
            failure["errorType"] if failure else "ok",
            request=invocation.request_id[:8],
            seconds=duration,
            **({"message": failure["errorMessage"]} if failure else {}),
        )
        payload = outcome.value if failure is None else json.dumps(failure)
        invocation.done(Result(payload, failure, invocation.timed_out, request_id=invocation.request_id))

    def _attempt(self, waiting: AsyncEvent, source: str) -> None:
        self.start(waiting.arn, waiting.event, partial(self._attempted, waiting, source), source=source)

    def _attempted(self, waiting: AsyncEvent, source: str, result: Result) -> None:
        settings = self.destinations.settings(waiting.logical_id)
        again = asynchronous_retry(waiting, result, settings, self.scheduler.now)
        if again is not None:
            self.trace.add("retry", waiting.logical_id, f"in {again:g} s", request=waiting.request_id[:8])
            self.scheduler.after(again, partial(self._attempt, waiting, source))
            return
        where = self.destinations.deliver(waiting, result, settings, self.scheduler.now)
        if where:
            self.trace.add("destination", waiting.logical_id, where, request=waiting.request_id[:8])
        elif result.error is not None or result.throttled:
            self.trace.add("dropped", waiting.logical_id, "no on-failure destination", request=waiting.request_id[:8])

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def _failure(invocation: Invocation, error: BaseException | None) -> dict[str, Any]:
    """The error object that Lambda returns for a handler that raised, died or ran out of time."""
    if invocation.timed_out:
        message = f"{invocation.request_id} Task timed out after {invocation.function.timeout:.2f} seconds"
        return {"errorType": "Sandbox.Timedout", "errorMessage": message}
    if isinstance(error, Crash | SystemExit):
        message = f"RequestId: {invocation.request_id} Error: Runtime exited with error: exit status 1"
        return {"errorType": "Runtime.ExitError", "errorMessage": message}
    kind = "Runtime.ImportModuleError" if isinstance(error, ImportError) else type(error).__name__
    return {"errorMessage": str(error), "errorType": kind, "requestId": invocation.request_id, "stackTrace": []}


def _error(request: AWSPreparedRequest, status: int, code: str, message: str) -> AWSResponse:
    body = json.dumps({"Type": "User", "Message": message, "message": message})
    return reply(request, status, {"x-amzn-errortype": code, "content-type": "application/json"}, body)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else (value or "")
