"""Lambda functions: synchronous and asynchronous invokes of the real handlers, in virtual time.

A synchronous invoke runs the handler and answers with what it returned; an error of the handler is a 200 with
`FunctionError`. An asynchronous one answers 202 at once; Lambda keeps the event and tries again after 1 and 2 minutes
before it gives up to the on-failure destination. Every event gets an execution environment to itself: an idle warm one,
or a new one after a cold start; above the reserved concurrency it is throttled with 429. New code or settings end the
idle environments of a function.
Source: Lambda developer guide, invocation-sync, invocation-async-error-handling, lambda-runtime-environment,
gettingstarted-limits; recorded calls. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import random
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from moto.awslambda.models import LambdaFunction

from ..faults import Faults
from ..queues.service import Queues
from ..scheduler import Outcome, Scheduler, Task
from ..stack.resources import Stack
from ..trace import Trace
from ..wire.answers import Refusal
from ..wire.calls import Crash
from . import environment, errors
from .asynchronous import keep
from .destinations import Destinations
from .handlers import marshal
from .invocation import Context, Function, Invocation, Result, Sandbox, Warm, read

_moto_invoke = LambdaFunction.invoke
IDLE_LIFE = 900.0  # seconds after which an idle environment is taken away here; AWS promises none


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
        self.in_process = partial(environment.make, scheduler)
        self.make: Callable[[Function, Callable[[str], Any], str, float], Sandbox] = self.in_process  # the runner
        self.variables: dict[str, dict[str, str]] = {}  # what this machine adds: function name to variables

    def resolve(self, name: str) -> Function:
        """The function of this ARN, physical name or logical id, as it is now. Raises Refusal when there is none."""
        return read(name, self.stack, self.backend, self.variables)

    def replace(self, name: str, handler: Callable[[Any, Any], Any]) -> None:
        """From the next cold start on, run `handler` in this function's place; its environments are taken away."""
        self._replaced[self.resolve(name).name] = handler
        self.recycle(name)

    def recycle(self, name: str) -> None:
        """Take this function's idle environments away: its next events meet cold starts."""
        pool = self._idle.get(self.resolve(name).name, [])
        while pool:
            pool.pop().environment.retire()

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
        warm, started = self._take(function), self.scheduler.now
        invocation = Invocation(function, label, request_id, done, started, warm, self.scheduler.hops)
        cold = warm.handler is None
        self.trace.add("invoke", label, f"from {source}", request=request_id[:8], cold=cold, **told)
        text = json.dumps(event)  # what crosses the boundary is JSON, here as on AWS
        task: Task = self.scheduler.spawn(
            lambda: self._work(invocation, text, task), partial(self._finished, invocation), invocation
        )

    def enqueue(self, name: str, event: Any, *, source: str) -> str:
        """Invoke asynchronously: Lambda keeps the event and tries until it succeeds or gives up."""
        return keep(self, self.resolve(name), event, self._request_id(), source)

    def _take(self, function: Function) -> Warm:
        pool = self._idle.setdefault(function.name, [])
        if pool and self.faults.strikes("cold-start", function.logical_id):
            self.trace.add("fault", function.logical_id, "cold-start", environments=len(pool))
            self.recycle(function.name)
        while pool:
            warm = pool.pop()  # the one used last: what is idle longest ages away
            if warm.function == function and self.scheduler.now - warm.idle_since <= IDLE_LIFE:
                return warm
            warm.environment.retire()
        made = self._made[function.name] = self._made.get(function.name, 0) + 1
        seed = f"{function.name} {made} {self._rng.random()}"
        skew = self.faults.amount("clock-skew", function.logical_id)
        write = partial(self.trace.add, "log", function.logical_id)
        return Warm(self.make(function, write, seed, skew), function)

    def _work(self, invocation: Invocation, text: str, task: Task) -> str:
        function, warm = invocation.function, invocation.warm
        if warm.handler is None:
            self.scheduler.sleep(self.scheduler.latency(*warm.environment.cold_start))
            replaced = self._replaced.get(function.name)
            warm.handler = warm.environment.adopt(replaced) if replaced else warm.environment.load(function.handler)
        invocation.deadline = self.scheduler.now + function.timeout
        timer = self.scheduler.at(invocation.deadline, partial(self._time_out, invocation, task))
        try:
            return marshal(warm.handler(json.loads(text), Context(invocation, lambda: self.scheduler.now)))
        finally:
            timer.cancel()

    def _time_out(self, invocation: Invocation, task: Task) -> None:
        invocation.dead = invocation.timed_out = True
        self.trace.add("timeout", invocation.name, f"after {invocation.function.timeout:g} s")
        self.scheduler.kill(task, Crash())

    def _finished(self, invocation: Invocation, outcome: Outcome) -> None:
        name, warm, error = invocation.function.name, invocation.warm, outcome.error
        self._running[name] -= 1
        if invocation.dead or isinstance(error, Crash | SystemExit) or warm.handler is None:
            invocation.dead = True
            warm.environment.retire()
        else:
            warm.idle_since = self.scheduler.now
            self._idle.setdefault(name, []).append(warm)
        if error is None and not invocation.timed_out:
            failed = errors.too_large(outcome.value)
        else:
            failed = errors.of(invocation, error)
        payload = outcome.value if failed is None else json.dumps(failed)
        kind, what = ("error", failed["errorType"]) if failed else ("end", "ok")
        told: dict[str, Any] = {"request": invocation.request_id[:8]}
        told["seconds"] = round(self.scheduler.now - invocation.started, 6)
        self.trace.add(kind, invocation.name, what, **told, **({"message": failed["errorMessage"]} if failed else {}))
        invocation.done(Result(payload, failed, invocation.timed_out, request_id=invocation.request_id))

    def _request_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
