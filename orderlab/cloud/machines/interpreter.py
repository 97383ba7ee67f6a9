"""The interpreter of the Amazon States Language: from state to state, in virtual time.

A state takes InputPath of its input, a Task builds Parameters from it, calls its function and waits; ResultSelector,
ResultPath and OutputPath make the output. When a Task fails, the first retrier that names the error decides; when it
has no attempt left the catchers are asked, and when none takes the error the execution fails: nobody else undoes what
was done. After its TimeoutSeconds a Task goes on without its function, which runs on and is not listened to.
Source: Amazon States Language specification; Step Functions developer guide, service quotas (25,000 events, one year);
events, their order and texts as recorded in localstack's tests/aws/services/stepfunctions/v2.
Departures: a step from state to state takes a seeded 10-30 ms (AWS promises none). No role is asked whether it may.
Taught in notebooks/10_undoing.ipynb
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ..functions.service import Functions, Result
from ..scheduler import Scheduler
from ..trace import Trace
from ..wire.answers import Refusal
from . import choice, paths, tasks
from .errors import RUNTIME, TIMEOUT, Failed, again, pause, takes, too_large
from .execution import FULL, Execution, data, text, within_limit

STEP = (0.01, 0.03)  # seconds from state to state


class Interpreter:
    """Runs the executions of one local cloud."""

    def __init__(self, scheduler: Scheduler, trace: Trace, functions: Functions) -> None:
        self.scheduler, self.trace, self.functions = scheduler, trace, functions

    def start(self, execution: Execution, source: str) -> None:
        """Begin: the first state is entered some milliseconds from now."""
        given = {**data("input", execution.input), "roleArn": execution.role}
        execution.record(self.scheduler.now, "ExecutionStarted", executionStartedEventDetails=given)
        self._tell(execution, "started", **({"source": source} if source else {}))
        self._wind(execution)
        self._go(execution, execution.definition.start_at, json.loads(execution.input))

    def redrive(self, execution: Execution) -> None:
        """Go on with the state that failed."""
        execution.redrive(self.scheduler.now)
        self._tell(execution, "redriven", count=execution.redrives)
        self._wind(execution)
        self._after(execution, self.scheduler.latency(*STEP), self._do)

    def end(self, execution: Execution, status: str, **said: str | None) -> None:
        """End with SUCCEEDED (and an output), or FAILED, TIMED_OUT, ABORTED (and an error and a cause, or neither)."""
        execution.end(self.scheduler.now, status, said)
        seconds = round(self.scheduler.now - execution.started, 6)
        self._tell(execution, status.lower().replace("_", " "), seconds=seconds, **execution.failure())

    def _wind(self, execution: Execution) -> None:
        """Start the execution's clock; a redrive starts it anew."""
        timed_out = partial(self.end, execution, "TIMED_OUT")
        execution.deadline = self.scheduler.after(execution.definition.timeout, timed_out)

    def _after(self, execution: Execution, seconds: float, action: Callable[..., None], *given: Any) -> None:
        """Do it later, unless the execution has gone another way by then."""
        execution.timers.append(self.scheduler.after(seconds, partial(action, execution, *given)))

    def _go(self, execution: Execution, state: str, value: Any) -> None:
        execution.go(state, value)
        self._after(execution, self.scheduler.latency(*STEP), self._do)

    def _do(self, execution: Execution) -> None:
        """Enter the state, unless this is a retry or a redrive of it, and do what it is for."""
        kind = execution.state["Type"]
        if not execution.room():
            return self.end(execution, "FAILED", error=RUNTIME, cause=FULL)
        if not execution.entered:
            execution.enter(self.scheduler.now)
            self.trace.add("state", execution.logical_id, execution.at, type=kind, execution=execution.name)
        do = {"Task": self._task, "Choice": self._choice, "Wait": self._wait, "Pass": self._pass, "Fail": self._fail}
        with_input = do.get(kind, self._leave)  # Succeed hands on what it gets
        self._guarded(execution, lambda: with_input(execution, execution.part("InputPath", execution.data)))

    def _guarded(self, execution: Execution, work: Callable[[], None]) -> None:
        """Do a part of a state; what goes wrong in it is the state's failure."""
        try:
            work()
        except Failed as failed:
            self._failed(execution, failed)
        except paths.NotFound as missing:
            place = f"the state '{execution.at}' (entered at the event id #{execution.entered})"
            self._failed(execution, Failed(RUNTIME, f"An error occurred while executing {place}. {missing}"))

    def _pass(self, execution: Execution, given: Any) -> None:
        self._result(execution, execution.state.get("Result", execution.rendered("Parameters", given)))

    def _choice(self, execution: Execution, given: Any) -> None:
        context = execution.context()
        true = (rule["Next"] for rule in execution.state["Choices"] if choice.matches(rule, given, context))
        following = next(true, execution.state.get("Default"))
        if following is None:
            raise paths.NotFound("Failed to transition out of the state. The state does not point to a next state.")
        self._leave(execution, given, following)

    def _wait(self, execution: Execution, given: Any) -> None:
        leave = partial(self._leave, execution, given)
        self._after(execution, execution.state["Seconds"], lambda execution: self._guarded(execution, leave))

    def _fail(self, execution: Execution, given: Any) -> None:
        self.end(execution, "FAILED", error=execution.state.get("Error"), cause=execution.state.get("Cause"))

    def _task(self, execution: Execution, given: Any) -> None:
        """Call the function, once: a retry comes here again."""
        asked, limit = execution.rendered("Parameters", given), execution.state.get("TimeoutSeconds")
        if not within_limit(asked):
            raise too_large(execution.at)
        tasks.scheduled(execution, self.scheduler.now, asked, limit)
        if limit is not None:
            self._after(execution, limit, self._fell, Failed(TIMEOUT, None), "TimedOut")
        name, payload = tasks.request(asked)
        try:
            function = self.functions.resolve(name).arn
        except Refusal:
            missing = tasks.refused(404, "ResourceNotFoundException", f"Function not found: {name}")
            return self._fell(execution, missing)
        answered = partial(self._answered, execution, execution.turn)
        self.functions.start(function, payload, answered, source=execution.logical_id, execution=execution.name)

    def _answered(self, execution: Execution, turn: int, result: Result) -> None:
        if turn != execution.turn:
            return  # too late
        try:
            value = tasks.read(result)
        except Failed as failed:
            return self._fell(execution, failed)
        execution.turn_over()
        tasks.ended(execution, self.scheduler.now, "Succeeded", data("output", text(value)))
        self._guarded(execution, lambda: self._result(execution, execution.rendered("ResultSelector", value)))

    def _fell(self, execution: Execution, failed: Failed, how: str = "Failed") -> None:
        """A call failed, or its time is up: whichever comes second is not waited for."""
        execution.turn_over()
        tasks.ended(execution, self.scheduler.now, how, failed.said())
        self._failed(execution, failed)

    def _result(self, execution: Execution, result: Any) -> None:
        self._leave(execution, paths.put(execution.state.get("ResultPath", "$"), execution.data, result))

    def _leave(self, execution: Execution, output: Any, to: str | None = None) -> None:
        """The state is done: OutputPath, and on to the next."""
        output = execution.part("OutputPath", output)
        if not within_limit(output):
            raise too_large(execution.at)
        self._exit(execution, output, to or execution.state.get("Next"))

    def _exit(self, execution: Execution, output: Any, to: str | None) -> None:
        execution.leave(self.scheduler.now, output)
        if to is None:
            self.end(execution, "SUCCEEDED", output=text(output))
        else:
            self._go(execution, to, output)

    def _failed(self, execution: Execution, failed: Failed) -> None:
        """Retry, catch, or fail the execution."""
        retry = again(execution.state.get("Retry") or [], failed.error, execution.tried)
        if retry is not None:
            execution.retries += 1
            wait = pause(*retry, self.scheduler.rng)
            self._went(execution, failed, f"again in {wait:.3f} s")
            return self._after(execution, wait, self._do)
        catcher = next((part for part in execution.state.get("Catch") or [] if takes(part, failed.error)), None)
        if catcher is None:
            return self.end(execution, "FAILED", error=failed.error, cause=failed.cause)
        self._went(execution, failed, f"on to {catcher['Next']}")
        said = {"Error": failed.error, "Cause": failed.cause or ""}
        put = partial(paths.put, catcher.get("ResultPath", "$"), execution.data, said)
        self._guarded(execution, lambda: self._exit(execution, put(), catcher["Next"]))

    def _went(self, execution: Execution, failed: Failed, then: str) -> None:
        told = {"execution": execution.name, "error": failed.error, "then": then}
        self.trace.add("state", execution.logical_id, execution.at, **told)

    def _tell(self, execution: Execution, what: str, **told: Any) -> None:
        self.trace.add("execution", execution.logical_id, what, execution=execution.name, **told)
