"""The policy for the orchestrated saga: a state machine that retries long enough, undoes in order, may do no more.

Taught in notebooks/12_ship_it.ipynb
"""

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..rights import behalf
from .alarms import fires_at_once
from .rights import rights, traced
from .template import Resources, named, of_type

INVOKE = "arn:${AWS::Partition}:states:::lambda:invoke"
TRANSIENT = {  # what Lambda answers, and what our functions raise, when a later try may succeed
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Busy",
    "Unknown",
    "Open",
}
FINAL = {"Invalid", "Refused", "Contradiction", "UnknownOrder"}  # no later try can succeed
OUTAGE = 15 * 60  # seconds that must be ridden out
JUDGED = 2_000  # draws of the jitter


def check_saga(resources: Resources) -> Iterator[str]:
    """Every finding about state machines, each beginning with the logical id it is about; none where there is none."""
    machines = of_type(resources, "AWS::StepFunctions::StateMachine")
    for name, machine in machines.items():
        states = json.loads(machine["DefinitionString"])["States"]
        for state, content in states.items():
            if content["Type"] == "Task":
                yield from (f"{name}: {state} {finding}" for finding in _task(content, states))
        yield from _rights(name, machine, states, resources)
        yield from _started(name, resources)
        yield from _alarm(name, resources)
        if machine.get("StateMachineType") != "STANDARD":
            yield f"{name}: is no STANDARD machine, so a failed execution cannot be redriven"


def waits(retrier: dict[str, Any]) -> list[float]:
    """The longest wait before each retry, in seconds, as Amazon States Language says; jitter makes them shorter."""
    first, rate = retrier.get("IntervalSeconds", 1), retrier.get("BackoffRate", 2.0)
    most = retrier.get("MaxDelaySeconds", float("inf"))
    return [min(most, first * rate**n) for n in range(retrier.get("MaxAttempts", 3))]


def patience(retrier: dict[str, Any]) -> list[float]:
    """How long the retries of one execution go on, drawn with full jitter JUDGED times, ascending; seconds."""
    return _drawn(tuple(waits(retrier)))


@cache
def _drawn(most: tuple[float, ...]) -> list[float]:
    rng = random.Random(7)
    return sorted(sum(rng.uniform(0, wait) for wait in most) for _ in range(JUDGED))


def retrier_of(task: dict[str, Any], error: str) -> dict[str, Any]:
    """The first retrier of a task that takes this error; {} when none does."""
    found = (r for r in task.get("Retry", []) if {error, "States.ALL"} & set(r["ErrorEquals"]))
    return next(found, {})


def _task(task: dict[str, Any], states: dict[str, Any]) -> Iterator[str]:
    for error in sorted(TRANSIENT):
        retrier = retrier_of(task, error)
        if not retrier:
            yield f"does not retry {error}"
            continue
        if retrier.get("JitterStrategy") != "FULL":
            yield f"retries {error} without jitter: all executions at once"
        if "MaxDelaySeconds" not in retrier:
            yield f"waits ever longer between its retries of {error} (MaxDelaySeconds)"
        if patience(retrier)[JUDGED // 100] < OUTAGE:
            yield f"gives up on {error} before an outage of {OUTAGE} s is over, in more than one execution of a hundred"
    for error in sorted(FINAL):
        if retrier_of(task, error).get("MaxAttempts") != 0:
            yield f"retries {error}, which no retry mends"
    caught = {error for catch in task.get("Catch", []) for error in catch["ErrorEquals"]}
    if TRANSIENT & caught or "States.ALL" in caught:
        yield "undoes an order because nobody answered: only an answer may do that"
    function = named(task["Parameters"]["FunctionName"])
    if function == "SagaCharge":
        if "Refused" not in caught:
            yield "does not catch Refused, so what was reserved stays reserved"
        for catch in task.get("Catch", []):
            if "ResultPath" not in catch:
                yield "loses the order when it catches: ResultPath replaces the whole input"
            yield from _undoing(catch["Next"], states)
    if task["Resource"] != INVOKE:
        yield f"is no {INVOKE}"


def _undoing(state: str, states: dict[str, Any]) -> Iterator[str]:
    path: list[str] = []
    while state:
        path.append(named(states[state]["Parameters"]["FunctionName"]))
        state = states[state].get("Next", "")
    if path != ["SagaUndoCharge", "SagaRelease", "SagaSettle"]:
        yield f"is undone by {', '.join(path)}: the last step must be undone first, and then the order settled"


def _rights(name: str, machine: dict[str, Any], states: dict[str, Any], resources: Resources) -> Iterator[str]:
    role = resources[named(machine["RoleArn"])]["Properties"]
    tasks = [state for state in states.values() if state["Type"] == "Task"]
    needed = {right for task in tasks for right in behalf.STEP.on(task["Parameters"]["FunctionName"])}
    needed.update(behalf.SAMPLES.on("*") if traced(machine) else ())
    for action, resource in sorted(needed - rights(role)):
        yield f"{name}: may not do {action} on {resource}, which is one of its steps"
    for action, resource in sorted(rights(role) - needed):
        yield f"{name}: may do {action} on {resource}, which is none of its steps"
    for function in sorted({named(resource) for _, resource in needed} - resources.keys() - {""}):
        yield f"{name}: calls {function}, which is not in the stack"


def _started(name: str, resources: Resources) -> Iterator[str]:
    """EventBridge starts a machine under a role, unlike a queue or a function, which have policies of their own."""
    for rule, properties in of_type(resources, "AWS::Events::Rule").items():
        for target in properties.get("Targets", []):
            if target["Arn"] != f"${{{name}}}":
                continue
            role = resources.get(named(target.get("RoleArn")), {}).get("Properties", {})
            if rights(role) != {*behalf.START.on(f"${{{name}}}")}:
                yield f"{rule}: its role must be allowed to start {name}, and nothing else"
            if re.search(r"^\$\.detail$", target.get("InputPath", "")) is None:
                yield f"{rule}: gives {name} the envelope instead of the detail (InputPath)"


def _alarm(name: str, resources: Resources) -> Iterator[str]:
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        looked = (alarm.get("Namespace"), alarm.get("MetricName"), alarm.get("Dimensions"))
        here = [{"Name": "StateMachineArn", "Value": f"${{{name}}}"}]
        if looked == ("AWS/States", "ExecutionsFailed", here) and fires_at_once(alarm, counts=True):
            return
    yield f"{name}: its executions fail, and no alarm calls a person"
