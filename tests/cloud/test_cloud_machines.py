"""Step Functions on the local cloud: executions in virtual time, their errors, their history, and what is refused."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud import Cloud
from orderlab.cloud.cloud import START
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.wire.answers import NotYet

APP = """
import time

import boto3

def handler(event, context):
    event = event if isinstance(event, dict) else {"answer": event}
    time.sleep(event.get("sleep", 0))
    if event.get("attempt", 0) < event.get("fails", 0):
        raise type(event.get("error", "Busy"), (Exception,), {})("no")
    if "stop" in event:
        boto3.client("stepfunctions").stop_execution(executionArn=event["stop"])
    if "big" in event:
        return "\\u00e9" * event["big"]
    return event.get("answer", event)
"""
FUNCTION = "{Type: AWS::Serverless::Function, Properties: {FunctionName: work, Handler: app.handler}}"
HEAD = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Metadata: {OrderLab: {Package: {build/: [../app.py]}}}
Globals: {Function: {Runtime: python3.13, CodeUri: build/, Timeout: 30, MemorySize: 128}}
Resources:
"""
ROLE = "arn:aws:iam::123456789012:role/any"
INVOKE = "arn:aws:states:::lambda:invoke"
Lab = Any


class Bench:
    """A cloud with one function, and what a test does with machines on it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.states, self.made = cloud, boto3.client("stepfunctions"), 0

    def machine(self, definition: dict[str, Any]) -> str:
        """Create a machine; its ARN."""
        self.made += 1
        text = json.dumps(definition)
        made = self.states.create_state_machine(name=f"m{self.made}", definition=text, roleArn=ROLE)
        return str(made["stateMachineArn"])

    def start(self, arn: str, given: Any = None, **more: Any) -> str:
        """Start an execution; its ARN."""
        text = json.dumps({} if given is None else given)
        return str(self.states.start_execution(stateMachineArn=arn, input=text, **more)["executionArn"])

    def end(self, execution: str) -> Any:
        """Run to quiet; how the execution stands then."""
        self.cloud.run()
        return self.states.describe_execution(executionArn=execution)

    def run(self, definition: dict[str, Any], given: Any = None) -> Any:
        """One execution of a new machine, from its start to its end."""
        return self.end(self.start(self.machine(definition), given))

    def events(self, execution: str, *fields: str) -> list[Any]:
        """The types of the events, or these fields of them."""
        events = self.states.get_execution_history(executionArn=execution)["events"]
        return [tuple(event[name] for name in fields) if fields else event["type"] for event in events]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for all tests of this file."""
    folder = tmp_path_factory.mktemp("machines")
    (folder / "infra").mkdir()
    (folder / "app.py").write_text(APP)
    template = folder / "infra" / "template.yaml"
    narrow = FUNCTION.replace("work", "narrow").replace("}}", ", ReservedConcurrentExecutions: 0}}")
    brief = FUNCTION.replace("work", "brief").replace("}}", ", Timeout: 2}}")
    template.write_text(f"{HEAD}  Work: {FUNCTION}\n  Narrow: {narrow}\n  Brief: {brief}\n")
    with Cloud(template=template) as cloud:
        yield cloud


@pytest.fixture
def bench(opened: Cloud) -> Bench:
    """The cloud as new, and without the machines of earlier tests."""
    for machine in opened.client("stepfunctions").list_state_machines()["stateMachines"]:
        opened.client("stepfunctions").delete_state_machine(stateMachineArn=machine["stateMachineArn"])
    opened.reset(seed=1)
    return Bench(opened)


def chain(**states: dict[str, Any]) -> dict[str, Any]:
    """States one after the other."""
    names = list(states)
    for name, onward in pairwise(names):
        if states[name]["Type"] in ("Task", "Pass", "Wait"):
            states[name].setdefault("Next", onward)
    if states[names[-1]]["Type"] in ("Task", "Pass", "Wait"):
        states[names[-1]]["End"] = True
    return {"StartAt": names[0], "States": states}


def call(function: str = "work", **fields: Any) -> dict[str, Any]:
    """A task of lambda:invoke that sends its input."""
    asked = {"FunctionName": function, "Payload.$": "$"}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": asked, **fields}


def counted(**fields: Any) -> dict[str, Any]:
    """One that also tells its function which try it is."""
    payload = {"attempt.$": "$$.State.RetryCount", "fails.$": "$.fails", "error.$": "$.error"}
    return call(**fields) | {"Parameters": {"FunctionName": "work", "Payload": payload}}


# time


def test_an_execution_waits_in_virtual_time_and_the_history_says_when(bench: Lab) -> None:
    """Two days pass at once; each event has its instant."""
    execution = bench.start(bench.machine(chain(W={"Type": "Wait", "Seconds": 172_800}, P={"Type": "Pass"})))
    assert bench.end(execution)["status"] == "SUCCEEDED"
    assert 172_800 < bench.cloud.now - START < 172_801
    assert bench.events(execution, "type", "previousEventId") == [
        ("ExecutionStarted", 0), ("WaitStateEntered", 0), ("WaitStateExited", 2),
        ("PassStateEntered", 3), ("PassStateExited", 4), ("ExecutionSucceeded", 5),
    ]  # fmt: skip
    (began, *_, ended) = [at.timestamp() for (at,) in bench.events(execution, "timestamp")]
    assert (began, ended) == (START, pytest.approx(bench.cloud.now, abs=0.001))


def test_a_machine_that_goes_in_circles_ends_at_25000_events(bench: Lab) -> None:
    """Nothing runs for ever: the history is full."""
    execution = bench.start(bench.machine(chain(A={"Type": "Pass", "Next": "B"}, B={"Type": "Pass", "Next": "A"}) | {
        "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}))  # fmt: skip
    end = bench.end(execution)
    assert (end["status"], end["error"]) == ("FAILED", "States.Runtime")
    assert "maximum number of history events (25000)" in end["cause"]


def test_an_execution_is_open_for_a_year_at_most(bench: Lab) -> None:
    """A wait of three years is cut short."""
    assert bench.run(chain(W={"Type": "Wait", "Seconds": 99_999_999}))["status"] == "TIMED_OUT"
    assert bench.cloud.now - START == pytest.approx(31_536_000)


# tasks and their errors


def test_the_integration_wraps_the_answer(bench: Lab) -> None:
    """lambda:invoke adds StatusCode and ExecutedVersion."""
    wrapped = json.loads(bench.run(chain(T=call()), {"answer": [1]})["output"])
    assert (wrapped["Payload"], wrapped["StatusCode"], wrapped["ExecutedVersion"]) == ([1], 200, "$LATEST")


@pytest.mark.parametrize(
    ("payload", "event"), [("null", None), ('{"answer": 2}', 2), ("Hello", "Hello"), (None, {}), (False, False), (0, 0)]
)
def test_a_payload_that_is_text_of_json_is_sent_as_that_json(bench: Lab, payload: Any, event: Any) -> None:
    """And nothing is sent as {}: as recorded."""
    task = call() | {"Parameters": {"FunctionName": "work", "Payload": payload}}
    assert json.loads(bench.run(chain(T=task))["output"])["Payload"] == event


@pytest.mark.parametrize(
    ("function", "given", "error", "cause"),
    [
        ("work", {"fails": 1, "error": "Unknown"}, "Unknown", '"errorMessage":"no","errorType":"Unknown"'),
        ("brief", {"sleep": 5}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
        ("narrow", {}, "Lambda.TooManyRequestsException", "Rate Exceeded. (Service: AWSLambda; Status Code: 429;"),
        ("nobody", {}, "Lambda.ResourceNotFoundException", "Function not found: nobody (Service: AWSLambda; Status"),
        ("work", {"big": 140_000}, "States.DataLimitExceeded", "The state/task 'lambda' returned a result with a size"),
    ],
)
def test_errors_of_a_function_have_the_names_and_causes_of_aws(bench: Lab, function, given, error, cause: str) -> None:
    """The exception's class; what Lambda itself refuses; bytes are counted, not letters."""
    execution = bench.start(bench.machine(chain(T=call(function))), given)
    end = bench.end(execution)
    assert (end["status"], end["error"]) == ("FAILED", error)
    assert cause in end["cause"]
    assert bench.events(execution)[-2:] == ["TaskFailed", "ExecutionFailed"]


def test_a_task_past_its_timeout_goes_on_while_its_function_still_works(bench: Lab) -> None:
    """States.Timeout after exactly so long, with an empty cause for the catcher; the late answer is nobody's."""
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "P"}]
    retry = [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 5}]  # names every error but this one
    execution = bench.start(
        bench.machine(chain(T=call(TimeoutSeconds=3, Catch=catch, Retry=retry), P={"Type": "Pass"})), {"sleep": 20}
    )
    end = bench.end(execution)
    assert json.loads(end["output"]) == {"Error": "States.Timeout", "Cause": ""}
    assert 3 <= (end["stopDate"] - end["startDate"]).total_seconds() < 3.2
    assert bench.events(execution)[2:6] == ["TaskScheduled", "TaskStarted", "TaskTimedOut", "TaskStateExited"]
    assert bench.cloud.trace.select("end", actor="Work")[0].at - START > 20
    scheduled = bench.states.get_execution_history(executionArn=execution)["events"][2]["taskScheduledEventDetails"]
    assert (scheduled["timeoutInSeconds"], scheduled["resourceType"], scheduled["resource"]) == (3, "lambda", "invoke")


def test_a_machine_past_its_timeout_is_timed_out_and_can_be_redriven(bench: Lab) -> None:
    """Its clock begins anew with the redrive."""
    execution = bench.start(bench.machine(chain(W={"Type": "Wait", "Seconds": 100}) | {"TimeoutSeconds": 60}))
    assert bench.end(execution)["status"] == "TIMED_OUT"
    assert bench.cloud.now - START == 60
    assert bench.events(execution)[-1] == "ExecutionTimedOut"
    bench.states.redrive_execution(executionArn=execution)
    assert bench.end(execution)["status"] == "TIMED_OUT"
    assert bench.cloud.now - START == 120


def waits(bench: Bench, retrier: dict[str, Any], fails: int) -> list[float]:
    """The waits of a task that fails so many times."""
    execution = bench.start(bench.machine(chain(T=counted(Retry=[retrier]))), {"fails": fails, "error": "Busy"})
    assert bench.end(execution)["status"] == "SUCCEEDED"
    rows = bench.cloud.trace.select("state", contains="again in")
    return [float(str(row.detail["then"]).split()[2]) for row in rows]


def test_retries_wait_longer_and_longer_up_to_the_limit(bench: Lab) -> None:
    """IntervalSeconds, times BackoffRate each time, MaxDelaySeconds at most."""
    retrier = {
        "ErrorEquals": ["Busy"],
        "IntervalSeconds": 3,
        "BackoffRate": 1.5,
        "MaxDelaySeconds": 8,
        "MaxAttempts": 9,
    }
    assert waits(bench, retrier, 6) == [3, 4.5, 6.75, 8, 8, 8]
    assert 38.25 < bench.cloud.now - START < 39.5


def test_full_jitter_is_anything_below_the_wait_and_the_same_for_the_same_seed(bench: Lab) -> None:
    """Without MaxAttempts there are three retries, the first after one second, each wait twice the one before."""
    assert waits(bench, {"ErrorEquals": ["States.ALL"]}, 3) == [1, 2, 4]
    retrier = {"ErrorEquals": ["Busy"], "MaxAttempts": 40, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}
    arn = bench.machine(chain(T=counted(Retry=[retrier])))
    histories = []
    for seed in (7, 7, 8):
        bench.cloud.reset(seed=seed)
        bench.start(arn, {"fails": 40, "error": "Busy"})
        bench.cloud.run()
        histories.append(bench.cloud.trace.text())
    assert histories[0] == histories[1] != histories[2]
    drawn = [float(row.detail["then"].split()[2]) for row in bench.cloud.trace.select("state", contains="again in")]
    assert all(0 <= wait <= most for wait, most in zip(drawn, [1, 2, 4, 8, *[10] * 36], strict=True))
    assert 3 < sum(drawn[4:]) / 36 < 7
    assert len(set(drawn)) == 40


def test_nothing_catches_a_state_that_cannot_be_run_on_its_input(bench: Lab) -> None:
    """States.Runtime is taken by no retrier and no catcher, not even by its own name."""
    taken = [{"ErrorEquals": ["States.Runtime"], "Next": "P"}, {"ErrorEquals": ["States.ALL"], "Next": "P"}]
    for field in ({"InputPath": "$.no"}, {"OutputPath": "$.no"}, {"ResultSelector": {"x.$": "$.no"}}):
        end = bench.run(
            chain(T=call(Catch=taken, Retry=[{"ErrorEquals": ["States.ALL"]}], **field), P={"Type": "Pass"})
        )
        assert (end["status"], end["error"]) == ("FAILED", "States.Runtime"), field
    end = bench.run(chain(P={"Type": "Pass", "InputPath": "$.a[0]"}), {"a": "text"})
    assert end["cause"].endswith("Invalid path '$.a[0]' : No results for path: $['a'][0]")


def test_a_choice_without_a_way_on_fails(bench: Lab) -> None:
    """No rule is true, and there is no Default; or the variable is not there."""
    rule = {"Variable": "$.v", "NumericEquals": 1, "Next": "P"}
    definition = chain(C={"Type": "Choice", "Choices": [rule]}, P={"Type": "Pass"})
    end = bench.run(definition, {"v": "1"})
    assert end["error"] == "States.Runtime"
    assert end["cause"].endswith("Failed to transition out of the state. The state does not point to a next state.")
    end = bench.run(definition, {})
    assert end["cause"].endswith("Invalid path '$.v': The choice state's condition path references an invalid value.")


def test_states_all_catches_a_result_that_is_too_large(bench: Lab) -> None:
    """As recorded on AWS, although its guide says otherwise. What a Pass makes too large nobody catches."""
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "P"}]
    end = bench.run(chain(T=call(Catch=catch), P={"Type": "Pass"}), {"big": 140_000})
    assert json.loads(end["output"])["e"]["Error"] == "States.DataLimitExceeded"
    end = bench.run(chain(A={"Type": "Pass", "Result": "x" * 200_000, "ResultPath": "$.a"},
                          B={"Type": "Pass", "Result": "x" * 200_000, "ResultPath": "$.b"}))  # fmt: skip
    assert (end["error"], "'B' returned a result" in end["cause"]) == ("States.DataLimitExceeded", True)


def test_the_context_object_knows_the_execution_the_machine_and_the_state(bench: Lab) -> None:
    """What "$$" means."""
    execution = bench.start(bench.machine(chain(P={"Type": "Pass", "InputPath": "$$"})), {"in": 1}, name="e1")
    context = json.loads(bench.end(execution)["output"])
    arn = execution.replace(":execution:", ":stateMachine:").removesuffix(":e1")
    assert context["Execution"] == {
        "Id": execution, "Input": {"in": 1}, "Name": "e1", "RoleArn": ROLE, "RedriveCount": 0,
        "StartTime": "2026-01-05T09:00:00.000Z",
    }  # fmt: skip
    assert context["StateMachine"] == {"Id": arn, "Name": arn.rsplit(":", 1)[-1]}
    assert context["State"]["Name"] == "P"


# the life of an execution


def test_a_name_is_an_identity_for_ninety_days(bench: Lab) -> None:
    """The same start of a running one is the same execution; anything else is refused until the name is free."""
    arn = bench.machine(chain(W={"Type": "Wait", "Seconds": 100}))
    execution = bench.start(arn, {"a": 1}, name="one")
    assert bench.start(arn, {"a": 1}, name="one") == execution
    assert len(bench.states.list_executions(stateMachineArn=arn)["executions"]) == 1
    already = bench.states.exceptions.ExecutionAlreadyExists
    with pytest.raises(already, match=r"Execution Already Exists: 'arn:.*:one'"):
        bench.start(arn, {"a": 2}, name="one")
    bench.cloud.run()
    with pytest.raises(already):
        bench.start(arn, {"a": 1}, name="one")
    bench.cloud.advance(90 * 86_400 - 1)
    with pytest.raises(already):
        bench.start(arn, {"a": 1}, name="one")
    bench.cloud.advance(1)
    assert bench.start(arn, {"a": 1}, name="one") == execution
    assert bench.end(execution)["startDate"].timestamp() > START + 90 * 86_400


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:no"}, "StateMachineDoesNotExist"),
        ({"stateMachineArn": "no"}, "InvalidArn"),
        ({"input": "not json"}, "InvalidExecutionInput"),
        ({"input": ""}, "InvalidExecutionInput"),
        ({"input": json.dumps("é" * 131_072, ensure_ascii=False)}, "ValidationException"),
        ({"name": "a b"}, "InvalidName"),
        ({"name": "x" * 81}, "InvalidName"),
    ],
)
def test_a_start_that_aws_refuses_is_refused_with_its_code(bench: Lab, change: dict[str, str], code: str) -> None:
    """And nothing is started."""
    arn = bench.machine(chain(P={"Type": "Pass"}))
    with pytest.raises(ClientError) as refused:
        bench.cloud.client("stepfunctions").start_execution(**{"stateMachineArn": arn, **change})
    assert refused.value.response["Error"]["Code"] == code
    assert bench.states.list_executions(stateMachineArn=arn)["executions"] == []


def test_an_execution_that_is_not_there_is_none(bench: Lab) -> None:
    """With the words of AWS."""
    no = "arn:aws:states:us-east-1:123456789012:execution:m:no"
    for ask in (bench.states.describe_execution, bench.states.get_execution_history, bench.states.stop_execution,
                bench.states.redrive_execution):  # fmt: skip
        with pytest.raises(bench.states.exceptions.ExecutionDoesNotExist, match=f"Execution Does Not Exist: '{no}'"):
            ask(executionArn=no)


def test_a_stopped_execution_goes_no_further_and_leaves_nothing_to_wait_for(bench: Lab) -> None:
    """Its wait of a year does not keep the world awake; stopped twice is stopped once."""
    execution = bench.start(bench.machine(chain(W={"Type": "Wait", "Seconds": 3_000_000}, T=call())))
    bench.cloud.advance(5)
    stopped = bench.states.stop_execution(executionArn=execution, error="Tired", cause="of it")
    assert bench.states.stop_execution(executionArn=execution)["stopDate"] == stopped["stopDate"]
    end = bench.end(execution)
    assert (end["status"], end["error"], end["cause"]) == ("ABORTED", "Tired", "of it")
    assert bench.cloud.now - START == 5
    assert bench.events(execution, "type", "previousEventId")[-1] == ("ExecutionAborted", 0)
    early = bench.start(bench.machine(chain(P={"Type": "Pass"})))
    bench.states.stop_execution(executionArn=early)
    assert bench.end(early)["status"] == "ABORTED"
    bench.states.redrive_execution(executionArn=early)
    assert bench.end(early)["status"] == "SUCCEEDED"


def test_a_function_that_stops_its_own_execution_is_not_listened_to(bench: Lab) -> None:
    """It ends well, after the execution has; its answer changes nothing."""
    task = call() | {"Parameters": {"FunctionName": "work", "Payload": {"stop.$": "$$.Execution.Id"}}}
    execution = bench.start(bench.machine(chain(T=task, P={"Type": "Pass"})))
    assert bench.end(execution)["status"] == "ABORTED"
    assert bench.events(execution)[-2:] == ["TaskStarted", "ExecutionAborted"]
    assert [row.what for row in bench.cloud.trace.select("end", actor="Work")] == ["ok"]


def test_a_redrive_goes_on_where_it_failed_with_all_retries_again(bench: Lab) -> None:
    """What was done is not done again, the input of the state is the old one, and the ARN stays."""
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    task = counted(Retry=retry, ResultPath="$.x", ResultSelector={"redriven.$": "$$.Execution.RedriveCount"})
    definition = chain(P={"Type": "Pass", "Result": {"fails": 2, "error": "Busy"}}, T=task)
    execution = bench.start(bench.machine(definition))
    end = bench.end(execution)
    assert (end["status"], end["redriveStatus"], end["redriveCount"]) == ("FAILED", "REDRIVABLE", 0)
    before = len(bench.events(execution))
    bench.cloud.advance(3600)
    bench.states.redrive_execution(executionArn=execution)
    running = bench.states.describe_execution(executionArn=execution)
    assert (running["status"], running["redriveStatus"]) == ("RUNNING", "NOT_REDRIVABLE")
    end = bench.end(execution)
    assert (end["status"], end["error"], end["redriveCount"]) == ("FAILED", "Busy", 1)
    assert bench.events(execution)[before:] == [
        "ExecutionRedriven", "TaskScheduled", "TaskStarted", "TaskFailed",
        "TaskScheduled", "TaskStarted", "TaskFailed", "ExecutionFailed",
    ]  # fmt: skip
    bench.cloud.replace("Work", lambda event, context: event)
    try:
        bench.states.redrive_execution(executionArn=execution)
        end = bench.end(execution)
    finally:
        bench.cloud.functions._replaced.clear()
    assert json.loads(end["output"]) == {"fails": 2, "error": "Busy", "x": {"redriven": 2}}
    with pytest.raises(bench.states.exceptions.ExecutionNotRedrivable, match="Execution is SUCCEEDED and cannot"):
        bench.states.redrive_execution(executionArn=execution)


def test_after_fourteen_days_nothing_is_redriven(bench: Lab) -> None:
    """From its end on."""
    execution = bench.start(bench.machine(chain(F={"Type": "Fail", "Error": "E"})))
    bench.end(execution)
    bench.cloud.advance(14 * 86_400)
    assert bench.states.describe_execution(executionArn=execution)["redriveStatus"] == "REDRIVABLE"
    bench.cloud.advance(1)
    assert bench.states.describe_execution(executionArn=execution)["redriveStatus"] == "NOT_REDRIVABLE"
    with pytest.raises(bench.states.exceptions.ExecutionNotRedrivable):
        bench.states.redrive_execution(executionArn=execution)


def test_lists_are_newest_first_by_status_and_in_pages(bench: Lab) -> None:
    """ListExecutions and GetExecutionHistory, with maxResults, nextToken and reverseOrder."""
    small = {"Variable": "$", "NumericLessThan": 3, "Next": "P"}
    definition = chain(C={"Type": "Choice", "Choices": [small], "Default": "F"}, F={"Type": "Fail"}, P={"Type": "Pass"})
    arn = bench.machine(definition)
    started = [bench.start(arn, n) for n in range(5)]
    bench.cloud.run()
    states = bench.states
    pages = list(states.get_paginator("list_executions").paginate(
        stateMachineArn=arn, PaginationConfig={"PageSize": 2}))  # fmt: skip
    assert [len(page["executions"]) for page in pages] == [2, 2, 1]
    assert [e["executionArn"] for page in pages for e in page["executions"]] == started[::-1]
    failed = states.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"]
    assert [e["executionArn"] for e in failed] == started[:2:-1]
    backwards = states.get_execution_history(executionArn=started[0], reverseOrder=True, maxResults=2)
    assert [event["id"] for event in backwards["events"]] == [6, 5]


def test_two_executions_run_side_by_side_in_the_trace(bench: Lab) -> None:
    """One row for the start, one for each state, one for the end; every row tells whose it is."""
    arn = bench.machine(chain(A=call(), B={"Type": "Pass"}))
    one, two = (bench.start(arn, {"sleep": 5}, name=name) for name in ("one", "two"))
    assert bench.end(one)["status"] == bench.end(two)["status"] == "SUCCEEDED"
    rows = [row for row in bench.cloud.trace.select("execution", "state") if row.detail["execution"] == "one"]
    assert [(row.kind, row.what) for row in rows] == [
        ("execution", "started"), ("state", "A"), ("state", "B"), ("execution", "succeeded"),
    ]  # fmt: skip
    assert {row.detail["execution"] for row in bench.cloud.trace.select("invoke")} == {"one", "two"}
    assert bench.cloud.now - START < 7


def test_an_execution_keeps_the_definition_it_was_started_with(bench: Lab) -> None:
    """An update is for the next one."""
    arn = bench.machine(chain(W={"Type": "Wait", "Seconds": 10}, P={"Type": "Pass", "Result": "old"}))
    execution = bench.start(arn)
    bench.cloud.advance(1)
    new = json.dumps(chain(P={"Type": "Pass", "Result": "new"}))
    bench.states.update_state_machine(stateMachineArn=arn, definition=new)
    assert json.loads(bench.end(execution)["output"]) == "old"
    assert json.loads(bench.end(bench.start(arn))["output"]) == "new"


def test_a_reset_forgets_the_executions_and_runs_them_alike(bench: Lab) -> None:
    """As in a new cloud: no executions, free names, the same names drawn."""
    arn = bench.machine(chain(T=call(), W={"Type": "Wait", "Seconds": 5}))
    seen = []
    for _ in range(2):
        bench.cloud.reset(seed=3)
        assert bench.states.list_executions(stateMachineArn=arn)["executions"] == []
        bench.start(arn)
        bench.start(arn)
        bench.cloud.run(START + 2)
        seen.append(bench.cloud.trace.text())
    assert seen[0] == seen[1]


# what is refused


def broken(**fields: Any) -> dict[str, Any]:
    return chain(T=call(**fields), P={"Type": "Pass"})


BAD: dict[str, tuple[Any, str]] = {
    "no states": ({"StartAt": "A"}, "SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /"),
    "no type": ({"StartAt": "A", "States": {"A": {}}}, "The field 'Type' should have one of these values: [Task,"),
    "no target": (chain(P={"Type": "Pass", "Next": "Q"}, Q={"Type": "Pass", "Next": "R"}) | {"States": {
        "P": {"Type": "Pass", "Next": "R"}}}, "Missing 'Next' target: R at /States/P/Next"),
    "no start": ({"StartAt": "Z", "States": {"P": {"Type": "Pass", "End": True}}}, "Missing 'StartAt' target: Z at"),
    "unreachable": ({"StartAt": "P", "States": {n: {"Type": "Pass", "End": True} for n in "PQ"}},
                    'State "Q" is not reachable. at /States/Q'),
    "end and next": ({"StartAt": "P", "States": {"P": {"Type": "Pass"}}}, "One of Next and End is required"),
    "all not last": (broken(Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]), "States.ALL must stand"),
    "no names": (broken(Retry=[{"MaxAttempts": 1}]), "ErrorEquals must be a non-empty array"),
    "rate": (broken(Retry=[{"ErrorEquals": ["A"], "BackoffRate": 0.5}]), "BackoffRate cannot be 0.5"),
    "jitter": (broken(Retry=[{"ErrorEquals": ["A"], "JitterStrategy": "HALF"}]), "JitterStrategy cannot be 'HALF'"),
    "field": (broken(Retries=[]), "Field Retries is not supported"),
    "path": (broken(InputPath="a"), "'a' must be a valid JSONPath"),
    "template path": (broken(ResultSelector={"a.$": "b"}), "'b' must be a valid JSONPath"),
    "result path": (broken(ResultPath="$$.a"), "ResultPath cannot be in the context object"),
    "no seconds": (chain(W={"Type": "Wait"}), "Seconds must be an integer from 0 to 99999999 at /States/W/Seconds"),
    "no time": (broken(TimeoutSeconds=0), "TimeoutSeconds must be an integer from 1 to 99999999 at /States/T"),
    "operator": (chain(C={"Type": "Choice", "Choices": [{"Variable": "$", "Like": 1, "Next": "P"}]},
                       P={"Type": "Pass"}), "a Choice rule has one comparison operator"),
    "operand": (chain(C={"Type": "Choice", "Choices": [{"Variable": "$", "NumericEquals": "1", "Next": "P"}]},
                      P={"Type": "Pass"}), "NumericEquals cannot be compared with '1'"),
    "no next": (chain(C={"Type": "Choice", "Choices": [{"Variable": "$", "IsNull": True}], "Default": "P"},
                      P={"Type": "Pass"}), "These fields are required: [Next] at /States/C/Choices[0]"),
    # valid on AWS, and not run here
    "parallel": ({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": True}}}, "Parallel states are not run"),
    "map": ({"StartAt": "A", "States": {"A": {"Type": "Map", "End": True}}}, "Map states are not run"),
    "jsonata": ({"QueryLanguage": "JSONata", **chain(P={"Type": "Pass"})}, "QueryLanguage JSONata is not run"),
    "intrinsic": (chain(P={"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}}), "function States.UUID() is not"),
    "wildcard": (chain(P={"Type": "Pass", "InputPath": "$.a[*]"}), "selects many values"),
    "assign": (chain(P={"Type": "Pass", "Assign": {"a": 1}}), "Field Assign is not supported, or not run"),
    "heartbeat": (broken(HeartbeatSeconds=3), "Field HeartbeatSeconds is not supported, or not run"),
    "credentials": (broken(Credentials={"RoleArn": "r"}), "Field Credentials is not supported, or not run"),
    "instant": (chain(W={"Type": "Wait", "Timestamp": "2026-01-05T09:00:00Z"}), "Field Timestamp is not supported"),
    "seconds path": (chain(W={"Type": "Wait", "SecondsPath": "$.s"}), "Field SecondsPath is not supported, or not run"),
    "timeout path": (broken(TimeoutSecondsPath="$.s"), "Field TimeoutSecondsPath is not supported, or not run"),
    "error path": (chain(F={"Type": "Fail", "ErrorPath": "$.e"}), "Field ErrorPath is not supported, or not run"),
    "times": (chain(C={"Type": "Choice", "Choices": [{"Variable": "$", "IsTimestamp": True, "Next": "P"}]},
                    P={"Type": "Pass"}), "the comparison IsTimestamp is not run by the local cloud"),
    "log type": (chain(T=call() | {"Parameters": {"FunctionName": "w", "LogType": "Tail"}}), "Field LogType"),
} | {
    resource: (chain(T={"Type": "Task", "Resource": resource}), f"The resource {resource} is not run by")
    for resource in (
        f"{INVOKE}.waitForTaskToken", "arn:aws:states:::sqs:sendMessage",
        "arn:aws:states:::states:startExecution.sync:2", "arn:aws:states:us-east-1:123456789012:activity:a",
        "arn:aws:states:::aws-sdk:lambda:invoke", "arn:aws:lambda:us-east-1:123456789012:function:work",
    )
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_definition_that_is_wrong_or_not_run_is_refused_when_it_is_created(bench: Lab, name: str) -> None:
    """With InvalidDefinition, what is wrong, and where; updates too."""
    definition, text = BAD[name]
    with pytest.raises(bench.states.exceptions.InvalidDefinition) as refused:
        bench.machine(definition)
    assert text in str(refused.value)
    assert "Invalid State Machine Definition: '" in str(refused.value)
    assert bench.states.list_state_machines()["stateMachines"] == []


def test_what_is_no_json_is_no_definition(bench: Lab) -> None:
    """And an update to it is refused too."""
    arn = bench.machine(chain(P={"Type": "Pass"}))
    for text in (" ", "not", "[]"):
        with pytest.raises(bench.states.exceptions.InvalidDefinition):
            bench.states.update_state_machine(stateMachineArn=arn, definition=text)


def test_operations_for_what_is_not_run_say_so(bench: Lab) -> None:
    """By name, instead of an answer that means nothing."""
    text = json.dumps(chain(P={"Type": "Pass"}))
    with pytest.raises(NotYet, match="EXPRESS"):
        bench.states.create_state_machine(name="x", definition=text, roleArn=ROLE, type="EXPRESS")
    with pytest.raises(NotYet, match="SendTaskSuccess"):
        bench.states.send_task_success(taskToken="t", output="{}")
    with pytest.raises(NotYet, match="TestState"):
        bench.states.test_state(definition=text)


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("DefinitionString: '{}'", "Saga: Invalid State Machine Definition: .* fields are required"),
        ("StateMachineType: EXPRESS", "Saga: an EXPRESS state machine: the local cloud runs STANDARD"),
        ("Definition: {}", r"Saga .*: its property Definition is not honoured"),
    ],
)
def test_a_template_with_a_machine_that_cannot_be_run_stops(tmp_path: Path, properties: str, message: str) -> None:
    """With the machine's name. (This closes the cloud of the other tests, so it comes last.)"""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "infra").mkdir()
    template = tmp_path / "infra" / "template.yaml"
    machine = dedent(f"""\
          Saga:
            Type: AWS::StepFunctions::StateMachine
            Properties: {{RoleArn: "{ROLE}", {properties}}}
    """)
    template.write_text(HEAD + "\n".join(f"  {line}" for line in machine.splitlines()) + f"\n  Work: {FUNCTION}\n")
    with pytest.raises(TemplateError, match=message):
        Cloud(template=template)
