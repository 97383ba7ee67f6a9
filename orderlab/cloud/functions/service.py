"""Lambda functions: synchronous and asynchronous invokes of the real handlers, in virtual time.

A synchronous invoke runs the handler and answers with what it returned; an error of the handler is a 200 with
`FunctionError`. An asynchronous one answers 202 at once; Lambda keeps the event and tries again after 1 and 2 minutes
before it gives up to the on-failure destination. Every event gets an execution environment to itself: an idle warm one,
or a new one after a cold start; above the reserved concurrency it is throttled with 429.
What boto3 changes at run time counts at once: new code and settings take the idle environments away.
Source: Lambda developer guide, invocation-sync, invocation-async-error-handling, lambda-runtime-environment,
gettingstarted-limits; recorded calls. Departure: versions, aliases, layers and images are refused by name.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from moto.awslambda.models import LambdaFunction

from ..faults import Faults
from ..guard import ACCOUNT
from ..queues.service import Queues
from ..scheduler import Outcome, Scheduler, Task
from ..stack import Stack
from ..trace import Trace
from ..wire import Crash, NotYet, Refusal
from .asynchronous import AsyncEvent, Settings, asynchronous_retry, settings
from .destinations import Destinations
from .environment import Environment
from .errors import exit_error, failure, marshal, too_large
from .package import open_package

_moto_invoke = LambdaFunction.invoke
DUPLICATE = (0.05, 1.0)  # seconds after which the fault "duplicate" brings an asynchronous event again
IDLE_LIFE = 900.0  # seconds after which an idle environment is taken away here; AWS promises none


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
    hops: int = 0  # the buses that its event has come through, see `hops`


class Sandbox(Protocol):
    """An execution environment of either runner: `functions.environment`, in process, or `functions.processes`."""

    cold_start: tuple[float, float]

    def load(self, handler: str) -> Callable[[Any, Any], Any]: ...
    def adopt(self, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]: ...
    def retire(self) -> None: ...


class Warm:
    """An environment and since when it is idle."""

    def __init__(self, environment: Sandbox) -> None:
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
        self.destinations = Destinations(scheduler, stack, queues, self.enqueue, backend)
        self._rng = random.Random(f"functions {seed}")
        self._idle: dict[str, list[Warm]] = {}
        self._running: dict[str, int] = {}
        self._made: dict[str, int] = {}
        self._replaced: dict[str, Callable[[Any, Any], Any]] = {}
        self._known: dict[str, Function] = {}
        self.make: Callable[[Function, Callable[[str], None], str, float], Sandbox] = self._in_process  # the runner
        self.variables: dict[str, dict[str, str]] = {}  # what this machine adds: function name to variables

    def resolve(self, name: str) -> Function:
        """The function of this ARN, physical name or logical id. Raises Refusal when there is none."""
        short, _, qualifier = name.split(":function:")[-1].partition(":")
        if qualifier not in ("", "$LATEST"):
            raise NotYet(f"{name}: versions and aliases of functions")
        if short in self.stack.resources:
            short = self.stack.resources[short].physical_id
        known = self._known.get(short)
        if known is None:
            known = self._known[short] = self._read(short)
        return known

    def notice(self, operation: str) -> None:
        """boto3 may have changed functions: what has new code or settings gets new environments."""
        self.destinations.notice(operation)
        if not operation.startswith(("Create", "Update", "Delete")):
            return
        for name, known in list(self._known.items()):
            try:
                self._known[name] = found = self._read(name)
            except (Refusal, NotYet):
                del self._known[name]
                found = None
            if found != known:
                for warm in self._idle.pop(known.name, []):
                    warm.environment.retire()

    @staticmethod
    def check_configuration(parameters: dict[str, Any]) -> None:
        """CreateFunction and UpdateFunctionConfiguration: refuse what moto would forget."""
        if parameters.get("DeadLetterConfig"):
            raise NotYet("a DeadLetterConfig given at run time; put it into the template")

    def _read(self, short: str) -> Function:
        try:
            found = self.backend.get_function(short)
        except Exception:  # moto's own error types
            arn = f"arn:aws:lambda:{self.stack.region}:{ACCOUNT}:function:{short}:$LATEST"
            raise Refusal("ResourceNotFoundException", f"Function not found: {arn}", 404) from None
        if not str(found.run_time).startswith("python") or found.layers:
            raise NotYet(f"function {short}: only Python zip packages without layers are run, not {found.run_time}")
        variables = {**(found.environment_vars or {}), **self.variables.get(found.function_name, {})}
        return Function(
            found.function_name,
            found.function_arn,
            self.stack.logical_id(found.function_name) or found.function_name,
            found.handler,
            float(found.timeout),
            int(found.memory_size),
            {"AWS_REGION": self.stack.region, "AWS_LAMBDA_FUNCTION_NAME": found.function_name, **variables},
            found.code_bytes,
            found,
        )

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
        """Have what moto itself invokes (S3 notifications) queued here: a handler never runs inside moto."""

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
        try:
            function = self.resolve(name)
        except Refusal as gone:  # deleted since it was asked for
            error = {"errorType": gone.code, "errorMessage": gone.message}
            request_id = self._request_id()
            told.update(request=request_id[:8], seconds=0.0, message=gone.message)
            self.trace.add("error", name.rpartition(":")[2], gone.code, **told)
            done(Result(json.dumps(error), error, request_id=request_id))
            return
        label, request_id = function.logical_id, self._request_id()
        running = self._running.get(function.name, 0)
        if function.reserved is not None and running >= function.reserved:
            self.trace.add("throttled", label, f"from {source}", running=running, reserved=function.reserved, **told)
            done(Result(throttled=True, request_id=request_id))
            return
        self._running[function.name] = running + 1
        invocation = Invocation(function, label, request_id, done, self.scheduler.now, hops=self.scheduler.hops)
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
        if self.faults.strikes("duplicate", f"lambda.async {function.logical_id}"):
            self.trace.add("fault", function.logical_id, "duplicate", request=waiting.request_id[:8])
            self.scheduler.after(self.scheduler.latency(*DUPLICATE), partial(self._attempt, replace(waiting), source))
        return waiting.request_id

    def _take(self, function: Function) -> Warm:
        pool = self._idle.setdefault(function.name, [])
        if pool and self.faults.strikes("cold-start", function.logical_id):
            self.trace.add("fault", function.logical_id, "cold-start", environments=len(pool))
            self.recycle(function.name)
            pool = self._idle.setdefault(function.name, [])
        while pool:
            warm = pool.pop()  # the one used last: what is idle longest ages away
            if self.scheduler.now - warm.idle_since <= IDLE_LIFE:
                return warm
            warm.environment.retire()
        made = self._made[function.name] = self._made.get(function.name, 0) + 1
        seed = f"{function.name} {made} {self._rng.random()}"
        skew = self.faults.amount("clock-skew", function.logical_id)
        return Warm(self.make(function, partial(self._log, function.logical_id), seed, skew))

    def _in_process(self, function: Function, write: Callable[[str], None], seed: str, skew: float) -> Sandbox:
        return Environment(
            open_package(function.code),
            function.variables,
            now=lambda: self.scheduler.now,
            sleep=self._sleep,
            write=write,
            seed=seed,
            skew=skew,
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
            self.scheduler.sleep(self.scheduler.latency(*warm.environment.cold_start))
            replaced = self._replaced.get(function.name)
            environment = warm.environment
            warm.handler = environment.adopt(replaced) if replaced else environment.load(function.handler)
        invocation.deadline = self.scheduler.now + function.timeout
        timer = self.scheduler.at(invocation.deadline, partial(self._time_out, invocation, task))
        try:
            answer = warm.handler(json.loads(text), Context(invocation, lambda: self.scheduler.now))
            return marshal(answer)
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
        if crashed or warm.handler is None or self._known.get(function.name) != function:
            invocation.dead = True
            warm.environment.retire()
        else:
            warm.idle_since = self.scheduler.now
            self._idle.setdefault(function.name, []).append(warm)
        failed = _failure(invocation, error) if error is not None or invocation.timed_out else too_large(outcome.value)
        duration = round(self.scheduler.now - invocation.started, 6)
        self.trace.add(
            "error" if failed else "end",
            invocation.name,
            failed["errorType"] if failed else "ok",
            request=invocation.request_id[:8],
            seconds=duration,
            **({"message": failed["errorMessage"]} if failed else {}),
        )
        payload = outcome.value if failed is None else json.dumps(failed)
        invocation.done(Result(payload, failed, invocation.timed_out, request_id=invocation.request_id))

    def _attempt(self, waiting: AsyncEvent, source: str) -> None:
        self.start(waiting.arn, waiting.event, partial(self._attempted, waiting, source), source=source)

    def _attempted(self, waiting: AsyncEvent, source: str, result: Result) -> None:
        known = self._known.get(waiting.arn.rpartition(":")[2])
        chosen = settings(known.described) if known is not None else Settings()
        again = asynchronous_retry(waiting, result, chosen, self.scheduler.now)
        request = waiting.request_id[:8]
        if again is not None:
            self.trace.add("retry", waiting.logical_id, f"in {again:g} s", request=request)
            self.scheduler.after(again, partial(self._attempt, waiting, source))
            return
        where = self.destinations.deliver(waiting, result, chosen)
        for name in where:
            self.trace.add("destination", waiting.logical_id, name, request=request)
        if not where and (result.error is not None or result.throttled):
            self.trace.add("dropped", waiting.logical_id, "no on-failure destination", request=request)

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))


def _failure(invocation: Invocation, error: BaseException | None) -> dict[str, Any]:
    """The error object that Lambda returns for a handler that raised, died or ran out of time."""
    if invocation.timed_out or error is None:
        reason = f"Task timed out after {invocation.function.timeout:.2f} seconds"
        return exit_error("Sandbox.Timedout", invocation.request_id, reason)
    report = getattr(error, "report", None)
    if report is not None:  # what a process said, or how it ended
        return dict(report)
    warm = invocation.environment
    assert warm is not None
    package = getattr(warm.environment, "package", None)
    return failure(error, package, invocation.request_id, initialised=warm.handler is not None)
