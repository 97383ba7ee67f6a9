"""The interpreter beside moto's: the same definitions on the same inputs end in the same way, with the same history."""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from samtranslator.yaml_helper import yaml_parse

from orderlab.cloud.functions.service import Result
from orderlab.cloud.machines.service import Machines
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Stack
from orderlab.cloud.trace import Trace

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "template.yaml"
WORK = "arn:aws:lambda:us-east-1:123456789012:function:work"
INVOKE = "arn:aws:states:::lambda:invoke"


def work(event: Any) -> Any:
    """What the function does: `answer` on demand, or an error by name, as often as it is told to."""
    if isinstance(event, dict) and event.get("attempt", 0) < event.get("fails", 0):
        raise type(event.get("error", "Busy"), (Exception,), {})("no")
    return event.get("answer", event) if isinstance(event, dict) else event


def failure(error: Exception) -> dict[str, str]:
    """An error as Lambda tells it."""
    return {"errorType": type(error).__name__, "errorMessage": str(error)}


class Functions:
    """Stands for the functions of a cloud: `work` under every name, at once."""

    def resolve(self, name: str) -> Any:
        return type("Function", (), {"arn": name})

    def start(self, name: str, event: Any, done: Any, **told: Any) -> None:
        try:
            done(Result(json.dumps(work(event)), request_id="r"))
        except Exception as error:
            done(Result(error=failure(error), request_id="r"))


class Machine:
    """What Machines reads of moto's own."""

    def __init__(self, definition: str) -> None:
        self.arn, self.name = "arn:aws:states:us-east-1:123456789012:stateMachine:m", "m"
        self.definition, self.roleArn = definition, "arn:aws:iam::123456789012:role/r"


def ours(definition: str, given: Any) -> tuple[Any, ...]:
    """How an execution ends here, and the events of its history."""
    scheduler = Scheduler(0.0, 0)
    backend = type("Backend", (), {"state_machines": [Machine(definition)]})
    machines = Machines(scheduler, Trace(lambda: scheduler.now), Functions(), Stack(), backend)  # type: ignore[arg-type]
    arn = machines.start(backend.state_machines[0].arn, json.dumps(given), name="x")
    scheduler.run()
    answers = machines.operations()
    described = answers["sfn", "DescribeExecution"]({"executionArn": arn}) or {}
    events = (answers["sfn", "GetExecutionHistory"]({"executionArn": arn}) or {})["events"]
    return end(described, events)


def theirs(definition: str, given: Any) -> tuple[Any, ...]:
    """The same by moto's interpreter, in real threads; its waits are nothing."""
    backend = StepFunctionsParserBackend("us-east-1", "123456789012")
    role = "arn:aws:iam::123456789012:role/r"
    machine = backend.create_state_machine(name="m", definition=definition, roleArn=role)
    number = len(execution_worker.TMP_THREADS)
    execution = backend.start_execution(machine.arn, name="x", execution_input=json.dumps(given))
    execution_worker.TMP_THREADS[number].join(10)  # its error comes after its status
    return end(execution.to_describe_output(), execution.to_history_output()["events"])


def end(described: Any, events: Any) -> tuple[Any, ...]:
    """What the two are compared by."""
    output = described.get("output")
    kinds = [(event["type"], event["previousEventId"]) for event in events]
    return described["status"], output and json.loads(output), described.get("error"), kinds


@pytest.fixture(autouse=True)
def moto_works_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto's tasks call `work`, and its retries do not wait."""

    def invoke(parameters: Any, region: Any, state_credentials: Any) -> Any:
        given = parameters["Payload"]
        try:
            answer = {"Payload": work(json.loads(given)), "StatusCode": 200, "ExecutedVersion": "$LATEST"}
        except Exception as error:
            answer = {"Payload": failure(error), "FunctionError": "Unhandled", "StatusCode": 200}
        return answer

    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)
    monkeypatch.setattr(retrier_decl, "time", type("Time", (), {"sleep": staticmethod(lambda seconds: None)}))
    yield


def machine(*states: dict[str, Any]) -> str:
    """A definition: states A, B, … one after the other, unless they say otherwise."""
    names = "ABCDEFGH"[: len(states)]
    made = {}
    for n, (name, state) in enumerate(zip(names, states, strict=True)):
        onward = {"Next": names[n + 1]} if n + 1 < len(states) else {"End": True}
        ends = {"Next", "End"} & state.keys() or state["Type"] in ("Choice", "Succeed", "Fail")
        made[name] = state if ends else state | onward
    return json.dumps({"StartAt": "A", "States": made})


def passing(**fields: Any) -> dict[str, Any]:
    return {"Type": "Pass", **fields}


def calling(**fields: Any) -> dict[str, Any]:
    """A task of lambda:invoke whose event has the number of its retry in it."""
    payload = {"attempt.$": "$$.State.RetryCount", "fails.$": "$.fails", "error.$": "$.error"}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": {"FunctionName": WORK, "Payload": payload}, **fields}


GIVEN = {"a": {"b": [1, {"c": "x"}], "n": None}, "k": 3, "fails": 0, "error": "Busy", "t": "2026-01-05T09:00:00Z"}
FLOWS = {
    "result": machine(passing(Result={"r": 1})),
    "input path": machine(passing(InputPath="$.a.b")),
    "index": machine(passing(Parameters={"x.$": "$.a.b[0]"})),
    "raw input": machine(passing(InputPath="$.a", Parameters={"x.$": "$.b"}, ResultPath="$.new")),
    "no input": machine(passing(InputPath=None)),
    "no output": machine(passing(OutputPath=None)),
    "no result": machine(passing(Result=5, ResultPath=None)),
    "result path": machine(passing(Result=5, ResultPath="$.new.deep")),
    "parameters": machine(passing(Parameters={"x": {"y.$": "$.a.n"}, "z": [1, {"w.$": "$.k"}]})),
    "all paths": machine(passing(InputPath="$.a", Parameters={"c.$": "$.b[1]"}, OutputPath="$.c")),
    "context": machine(passing(Parameters={"n.$": "$$.State.Name", "i.$": "$$.Execution.Input.k"})),
    "missing input path": machine(passing(InputPath="$.no")),
    "missing output path": machine(passing(OutputPath="$.no")),
    "missing parameter": machine(passing(Parameters={"x.$": "$.a.no"})),
    "fail": machine({"Type": "Fail", "Error": "E", "Cause": "C"}),
    "succeed": machine(passing(Result=1), {"Type": "Succeed"}),
    "wait": machine({"Type": "Wait", "Seconds": 0}),
    "call": machine(calling(ResultSelector={"got.$": "$.Payload", "code.$": "$.StatusCode"})),
    "call into": machine(calling(ResultSelector={"f.$": "$.Payload.fails"}, ResultPath="$.task")),
}
RETRY = {"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1}
ALL = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}
CATCH = {"ErrorEquals": ["Busy"], "ResultPath": "$.caught.Error", "Next": "B"}
TAKEN = {
    "nothing": calling(),
    "retry": calling(Retry=[RETRY]),
    "never": calling(Retry=[RETRY | {"MaxAttempts": 0}, ALL]),
    "two": calling(Retry=[RETRY, ALL]),
    "task failed": calling(Retry=[ALL | {"ErrorEquals": ["States.TaskFailed"]}]),
    "default": calling(Retry=[{"ErrorEquals": ["States.ALL"]}]),
}


@pytest.mark.parametrize("flow", FLOWS)
def test_data_flows_through_a_state_as_in_moto(flow: str) -> None:
    """InputPath, Parameters, the result, ResultSelector, ResultPath, OutputPath; and where a path leads nowhere."""
    assert ours(FLOWS[flow], GIVEN) == theirs(FLOWS[flow], GIVEN)


@pytest.mark.parametrize("error", ["Busy", "Other"])
@pytest.mark.parametrize("fails", [1, 3, 9])
@pytest.mark.parametrize("taken", TAKEN)
def test_errors_are_retried_and_caught_as_in_moto(taken: str, fails: int, error: str) -> None:
    """Each retrier counts for itself, and the first that names the error decides; then the catchers are asked."""
    given = GIVEN | {"fails": fails, "error": error}
    caught = machine(TAKEN[taken] | {"Catch": [CATCH], "ResultSelector": {"n": 1}}, passing())
    assert ours(caught, given) == theirs(caught, given)


def rules(seed: int) -> tuple[str, Any]:
    """A Choice of some rules drawn from all operators, and an input for it."""
    rng = random.Random(f"choice {seed}")
    values = [0, 1, 1.5, "", "a", "ab", True, False, None, "2026-01-05T09:00:00Z", "2026-01-05T10:00:00+01:00", [1], {}]
    given: dict[str, Any] = {name: rng.choice(values) for name in "vwx"}
    pairs = {"String": ["a", "ab"], "Numeric": [1, 1.5]}
    given |= {kind: rng.sample(two, 2) for kind, two in pairs.items()}

    def rule(depth: int) -> dict[str, Any]:
        kind = rng.choice(["String", "Numeric", "Boolean", "Is", "Match", "Path", "And", "Or", "Not"])
        variable = {"Variable": f"$.{rng.choice('vwx')}"}
        relation = rng.choice(["Equals", "LessThan", "GreaterThan", "LessThanEquals", "GreaterThanEquals"])
        if kind in ("And", "Or", "Not") and depth:
            return {kind: rule(depth - 1) if kind == "Not" else [rule(depth - 1) for _ in range(rng.randint(1, 3))]}
        if kind == "Is":
            what = rng.choice(["Null", "Present", "String", "Numeric", "Boolean"])
            return variable | {f"Is{what}": rng.random() < 0.5}
        if kind == "Match":
            return variable | {"StringMatches": rng.choice(["*", "a*", "*b", "a", "2026-*Z"])}
        if kind == "Path":
            kind = rng.choice(list(pairs))  # of one type: moto raises a TypeError where two types meet here
            return {"Variable": f"$.{kind}[0]", f"{kind}{relation}Path": f"$.{kind}[1]"}
        if kind in ("Boolean", "And", "Or", "Not"):
            return variable | {"BooleanEquals": rng.random() < 0.5}
        wanted = {"String": ["a", "ab", ""], "Numeric": [0, 1, 1.5]}[kind]
        return variable | {kind + relation: rng.choice(wanted)}

    chosen = [rule(2) | {"Next": name} for name in "BC"]
    first = {"Type": "Choice", "Choices": chosen, "Default": "D"}
    ends = [passing(Result=name, End=True) for name in "BCD"]
    return machine(first, *ends), given


@pytest.mark.parametrize("seed", range(25))
def test_a_choice_chooses_as_in_moto(seed: int) -> None:
    """Every operator, on values of its own type and of others; And, Or and Not of them."""
    definition, given = rules(seed)
    assert ours(definition, given) == theirs(definition, given)


@pytest.mark.parametrize("fails", [2, 40])
@pytest.mark.parametrize("error", ["Busy", "Refused", "KeyError"])
@pytest.mark.parametrize("status", ["RESERVED", "REJECTED"])
def test_the_saga_runs_as_in_moto(monkeypatch: pytest.MonkeyPatch, status: str, error: str, fails: int) -> None:
    """The template's own definition: the same states, the same retries, the same end."""
    text = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]["SagaMachine"]["Properties"]
    text = text["DefinitionString"]["Fn::Sub"].replace("${AWS::Partition}", "aws")
    definition = re.sub(r"\$\{(\w+)\.Arn\}", r"arn:aws:lambda:us-east-1:123456789012:function:\1", text)
    left = [0]

    def step(event: Any) -> Any:
        if "stock" in event and left[0]:  # the charge, and what undoes it
            left[0] -= 1
            raise type(error, (Exception,), {})("no")
        return {"status": "CAPTURED" if "stock" in event else status}

    monkeypatch.setitem(globals(), "work", step)
    ends = []
    for run in (ours, theirs):
        left[0] = fails
        ends.append(run(definition, {"orderId": "ORD-1"}))
    assert ends[0] == ends[1]
    assert len(ends[0][3]) > 8


def test_an_index_in_input_path_gives_the_element_which_moto_wraps_in_a_list() -> None:
    """AWS gives the element (recorded for $.items[0]); this tells when moto does so too."""
    definition = machine(passing(InputPath="$.a.b[1].c"))
    assert ours(definition, GIVEN)[1] == "x"
    assert theirs(definition, GIVEN)[1] == ["x"]
