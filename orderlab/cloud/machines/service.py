"""Step Functions: state machines that run in virtual time, and the operations that boto3 calls for their executions.

A STANDARD execution's name is its identity: starting a running one again with the same input answers the same, any
other use of the name is refused for 90 days after its end. What failed, timed out or was stopped can be redriven for
14 days. moto keeps the machines; a definition is checked before moto sees it, and an execution keeps its own.
Source: Step Functions API reference, StartExecution, RedriveExecution, StopExecution; texts as recorded in
localstack's test_sfn_api. Not known, and ours: the event after ExecutionRedriven is that of the attempt, the state is
not entered anew; the reason that an execution is no longer redrivable. The limit of 1,000 redrives is not there.
Not covered, and refused by name: EXPRESS machines, versions and aliases, callbacks, activities, map runs, TestState.
Taught in notebooks/10_undoing.ipynb
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..functions.service import Functions
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..stack.template import TemplateError
from ..trace import Trace
from ..wire.answers import NotYet, Refusal, refusing
from .definition import Definition, InvalidDefinition, parse
from .execution import LIMIT, Execution
from .interpreter import Interpreter

Answer = dict[str, Any]
MACHINE = "AWS::StepFunctions::StateMachine"
NAME_KEPT = 90 * 86_400.0  # seconds after its end
REDRIVABLE = 14 * 86_400.0  # seconds after its end
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
REFUSED = (
    "StartSyncExecution TestState ValidateStateMachineDefinition DescribeStateMachineForExecution CreateActivity "
    "GetActivityTask SendTaskSuccess SendTaskFailure SendTaskHeartbeat ListMapRuns DescribeMapRun UpdateMapRun "
    "PublishStateMachineVersion CreateStateMachineAlias"
)


class Machines:
    """The state machines of one local cloud. Raises TemplateError for one of the template that cannot be run."""

    def __init__(self, scheduler: Scheduler, trace: Trace, functions: Functions, stack: Stack, backend: Any) -> None:
        self.scheduler, self.stack, self.backend = scheduler, stack, backend
        self.interpreter = Interpreter(scheduler, trace, functions)
        self._executions: dict[str, Execution] = {}  # ARN to the last one of that name, in the order of their starts
        for resource in stack.of_type(MACHINE):
            given = resource.properties
            try:  # what CreateStateMachine refuses, which CloudFormation went past
                _check({"definition": str(given.get("DefinitionString", "")), "type": given.get("StateMachineType")})
            except (Refusal, NotYet) as error:
                raise TemplateError(f"{resource.logical_id}: {getattr(error, 'message', error)}") from None

    def clear(self) -> None:
        """As new: no executions."""
        self._executions.clear()

    def operations(self) -> dict[tuple[str, str], Callable[[Answer], Answer | None]]:
        """What is answered here; None as an answer means "checked, let moto go on"."""
        answers: dict[str, Callable[[Answer], Answer | None]] = {
            **dict.fromkeys(("CreateStateMachine", "UpdateStateMachine"), _check),
            **{"StartExecution": self._start, "StopExecution": self._stop, "RedriveExecution": self._redrive},
            **{"DescribeExecution": self._describe, "ListExecutions": self._list, "GetExecutionHistory": self._history},
        }
        refused = refusing("sfn", REFUSED, "the local cloud does not do that for state machines")
        return {**refused, **{("sfn", name): answer for name, answer in answers.items()}}

    def start(self, arn: str, input: str, *, name: str | None = None, source: str = "") -> str:
        """Start an execution of this machine with this JSON text; its ARN. Raises Refusal as StartExecution answers."""
        machine = self._machine(arn)
        _check_input(input)
        if name is not None and not _NAME.fullmatch(name):
            raise Refusal("InvalidName", f"Invalid Name: '{name}'")
        name = name or self.scheduler.new_id()
        execution_arn = f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        known = self._executions.get(execution_arn)
        if known is not None:
            if known.status == "RUNNING" and known.input == input:
                return execution_arn
            if known.stopped is None or self.scheduler.now < known.stopped + NAME_KEPT:
                raise Refusal("ExecutionAlreadyExists", f"Execution Already Exists: '{execution_arn}'")
            del self._executions[execution_arn]  # its place in the order of starts is new
        label, definition = self.stack.logical_id(arn, MACHINE) or machine.name, _definition(machine.definition)
        execution = Execution(execution_arn, arn, label, machine.roleArn, definition, input, self.scheduler.now)
        self._executions[execution_arn] = execution
        self.interpreter.start(execution, source)
        return execution_arn

    def _start(self, params: Answer) -> Answer:
        arn = self.start(params.get("stateMachineArn", ""), params.get("input", "{}"), name=params.get("name"))
        return {"executionArn": arn, "startDate": self._executions[arn].started}

    def _describe(self, params: Answer) -> Answer:
        execution = self._execution(params)
        told: Answer = {"input": execution.input, "inputDetails": {"included": True}, "redriveStatus": "REDRIVABLE"}
        if execution.output is not None:
            told |= {"output": execution.output, "outputDetails": {"included": True}}
        if reason := self._not_redrivable(execution):
            told |= {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        return {**execution.listed(), **told, **execution.failure()}

    def _list(self, params: Answer) -> Answer:
        arn, wanted = params.get("stateMachineArn", ""), params.get("statusFilter")
        if "mapRunArn" in params or "redriveFilter" in params:
            raise NotYet("ListExecutions by map run or redrive: the local cloud lists by machine and status")
        self._machine(arn)
        found = [e for e in self._executions.values() if e.machine == arn and wanted in (None, e.status)]
        return _page("executions", [execution.listed() for execution in reversed(found)], params)

    def _history(self, params: Answer) -> Answer:
        events = self._execution(params).events
        return _page("events", events[::-1] if params.get("reverseOrder") else events, params)

    def _stop(self, params: Answer) -> Answer:
        execution = self._execution(params)
        if execution.status == "RUNNING":
            self.interpreter.end(execution, "ABORTED", error=params.get("error"), cause=params.get("cause"))
        return {"stopDate": execution.stopped}

    def _redrive(self, params: Answer) -> Answer:
        execution = self._execution(params)
        if reason := self._not_redrivable(execution):
            raise Refusal("ExecutionNotRedrivable", reason)
        self.interpreter.redrive(execution)
        return {"redriveDate": execution.redriven}

    def _not_redrivable(self, execution: Execution) -> str | None:
        """Why an execution cannot be redriven; None when it can."""
        if execution.stopped is None or execution.status == "SUCCEEDED":
            return f"Execution is {execution.status} and cannot be redriven"
        if self.scheduler.now > execution.stopped + REDRIVABLE:
            return "Execution is past 14 days and cannot be redriven"
        return None if execution.room() else "Execution history is full and cannot be redriven"

    def _machine(self, arn: str) -> Any:
        return _found({machine.arn: machine for machine in self.backend.state_machines}, arn, "StateMachine")

    def _execution(self, params: Answer) -> Execution:
        return cast(Execution, _found(self._executions, params.get("executionArn", ""), "Execution"))


def _found(known: Mapping[str, Any], arn: str, what: str) -> Any:
    if not arn.startswith("arn:"):
        raise Refusal("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    if arn not in known:
        raise Refusal(f"{what}DoesNotExist", f"{what.replace('eM', 'e M')} Does Not Exist: '{arn}'")
    return known[arn]


def _check(params: Answer) -> None:
    """Refuse what cannot be run, of a machine that is made or changed."""
    if params.get("type") not in (None, "STANDARD"):
        raise NotYet(f"an {params['type']} state machine: the local cloud runs STANDARD ones")
    if params.get("definition") is not None:
        _definition(params["definition"])


def _definition(text: str) -> Definition:
    try:
        return parse(text)
    except InvalidDefinition as error:
        raise Refusal("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from None


def _check_input(input: str) -> None:
    if len(input.encode()) > LIMIT:
        limit = f"Member must have length less than or equal to {LIMIT}"
        raise Refusal("ValidationException", f"1 validation error detected: Value at 'input' failed: {limit}")
    try:
        json.loads(input)
    except ValueError as error:
        raise Refusal("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from None


def _page(name: str, items: list[Answer], params: Answer) -> Answer:
    """A page of a list: 100 of them, or maxResults; the token is where the next one begins."""
    size, start = params.get("maxResults") or 100, params.get("nextToken", "0")
    if not start.isdigit():
        raise Refusal("InvalidToken", f"Invalid Token: '{start}'")
    end = int(start) + size
    return {name: items[int(start) : end], **({"nextToken": str(end)} if end < len(items) else {})}
