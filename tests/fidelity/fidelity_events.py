"""The probes of archives, topics and state machines."""

import json
from typing import Any

from fidelity_rule import Rule, compact, finish
from fidelity_worlds import World

ROLE = "arn:aws:iam::123456789012:role/services"
REPLAYS = "localstack test_archive_and_replay (recorded on AWS)"


def _bus(w: World) -> str:
    return str(w.client("events").describe_event_bus(Name="memory")["Arn"])


def _taken(w: World, queue: str, seconds: float = 1.0) -> list[dict[str, Any]]:
    """What lies in a queue after a while; it is empty then."""
    w.wait(seconds)
    found = w.receive(queue)
    finish(w, queue, found)
    return found


def _put(w: World, source: str) -> None:
    entry = {"Source": source, "DetailType": "d", "Detail": "{}", "EventBusName": "memory"}
    w.client("events").put_events(Entries=[entry])


# Archives and replays


def _archive(w: World, name: str, pattern: str) -> str:
    """An archive that is told of two events, one of source a and one of b."""
    made = w.client("events").create_archive(
        ArchiveName=name, EventSourceArn=_bus(w), EventPattern=json.dumps({"source": [pattern]})
    )
    for source in ("a", "b"):
        _put(w, source)
    return str(made["ArchiveArn"])


def _replay(w: World, name: str, archive: str, first: float = -3600.0, last: float = 3600.0) -> None:
    now = w.made()
    w.client("events").start_replay(
        ReplayName=name, EventSourceArn=archive, EventStartTime=now + first, EventEndTime=now + last,
        Destination={"Arn": _bus(w)},
    )  # fmt: skip


def replayed(w: World) -> str:
    archive = _archive(w, "all", "a")
    w.wait(1.0)
    rule = {"Name": "again", "EventBusName": "memory"}
    w.client("events").put_rule(**rule, EventPattern=json.dumps({"source": ["a", "b"]}))
    w.client("events").put_targets(Rule="again", EventBusName="memory", Targets=[{"Id": "t", "Arn": w.arn("inbox")}])
    _replay(w, "one", archive)
    found = [json.loads(message["Body"]) for _ in range(2) for message in _taken(w, "inbox", 4.5)]
    w.client("events").remove_targets(Rule="again", EventBusName="memory", Ids=["t"])
    return f"{len(found)} event: {', '.join(event['source'] + ' ' + event.get('replay-name', '') for event in found)}"


def counted(w: World) -> str:
    _archive(w, "some", "b")
    w.wait(1.0)
    return f"{w.client('events').describe_archive(ArchiveName='some')['EventCount']} event"


def replayed_twice(w: World) -> str:
    archive = w.client("events").describe_archive(ArchiveName="all")["ArchiveArn"]
    _replay(w, "twice", archive)
    _replay(w, "twice", archive)
    return "taken"


def backwards(w: World) -> str:
    archive = w.client("events").describe_archive(ArchiveName="all")["ArchiveArn"]
    _replay(w, "backwards", archive, 60.0, 0.0)
    return "taken"


# Topics


def _topic(w: World, name: str, queue: str = "inbox", **attributes: str) -> str:
    arn = str(w.client("sns").create_topic(Name=name)["TopicArn"])
    w.client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=w.arn(queue), Attributes=attributes)
    return arn


def _published(w: World, arn: str, message: str, **more: Any) -> list[dict[str, Any]]:
    w.client("sns").publish(TopicArn=arn, Message=message, **more)
    return _taken(w, "inbox")


def envelope(w: World) -> str:
    found = _published(w, _topic(w, "plain"), "hello", Subject="s")
    return " ".join(sorted(json.loads(found[0]["Body"]))) if found else "nothing"


def raw(w: World) -> str:
    attributes = {"n": {"DataType": "Number", "StringValue": "7"}}
    found = _published(w, _topic(w, "raw", RawMessageDelivery="true"), "hello", MessageAttributes=attributes)
    return f"{found[0]['Body']} {found[0]['MessageAttributes']['n']['StringValue']}" if found else "nothing"


def sifted(w: World) -> str:
    policy = {"n": [{"numeric": [">", 5]}], "kind": [{"anything-but": ["test"]}]}
    arn = _topic(w, "sifted", RawMessageDelivery="true", FilterPolicy=json.dumps(policy))
    kind = {"kind": {"DataType": "String", "StringValue": "order"}}
    for n in (5, 6):
        attributes = {"n": {"DataType": "Number", "StringValue": str(n)}, **kind}
        w.client("sns").publish(TopicArn=arn, Message=str(n), MessageAttributes=attributes)
    w.client("sns").publish(TopicArn=arn, Message="none")
    return " ".join(message["Body"] for message in _taken(w, "inbox")) or "nothing"


def forbidden(w: World) -> str:
    policy = json.dumps({"deadLetterTargetArn": w.arn("lost")})
    w.client("sns").publish(TopicArn=_topic(w, "forbidden", "shut", RedrivePolicy=policy), Message="m")
    lost = _taken(w, "lost")
    return f"{len(_taken(w, 'shut'))} delivered, {len(lost)} dead letter"


# State machines


def _machine(w: World, name: str, **states: Any) -> str:
    first = next(iter(states))
    definition = json.dumps({"StartAt": first, "States": states})
    made = w.client("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=ROLE)
    return str(made["stateMachineArn"])


def _start(w: World, machine: str, given: Any, **more: Any) -> str:
    started = w.client("stepfunctions").start_execution(stateMachineArn=machine, input=json.dumps(given), **more)
    return str(started["executionArn"])


def _end(w: World, execution: str, seconds: float = 1.0) -> dict[str, Any]:
    w.wait(seconds)
    return dict(w.client("stepfunctions").describe_execution(executionArn=execution))


def passed(w: World) -> str:
    machine = _machine(w, "pass", One={"Type": "Pass", "Parameters": {"n.$": "$.n", "m": 2}, "End": True})
    end = _end(w, _start(w, machine, {"n": 1}))
    return f"{end['status']} {compact(end.get('output', ''))}"


def failed(w: World) -> str:
    machine = _machine(w, "fail", No={"Type": "Fail", "Error": "Declined", "Cause": "no money"})
    end = _end(w, _start(w, machine, {}))
    return f"{end['status']} {end.get('error')}: {end.get('cause')}"


def caught(w: World) -> str:
    task = {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "breaking"},
        "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Undo", "ResultPath": "$.why"}], "End": True,
    }  # fmt: skip
    undo = {"Type": "Pass", "InputPath": "$.why.Error", "End": True}
    execution = _start(w, _machine(w, "catch", Try=task, Undo=undo), {})
    end = _end(w, execution, 4.5)
    history = w.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
    attempts = sum(event["type"] == "TaskFailed" for event in history)
    return f"{end['status']} {end.get('output')} after {attempts} attempts"


def same_name(w: World) -> str:
    machine = _machine(w, "long", Wait={"Type": "Wait", "Seconds": 600, "End": True})
    first, again = (_start(w, machine, {"n": 1}, name="order-1") for _ in range(2))
    try:
        _start(w, machine, {"n": 2}, name="order-1")
    except w.client("stepfunctions").exceptions.ExecutionAlreadyExists:
        return f"{'the same' if first == again else 'another'} execution, then ExecutionAlreadyExists"
    return "a second execution"


def nowhere(w: World) -> str:
    _machine(w, "nowhere", One={"Type": "Pass", "Next": "Gone"})
    return "taken"


def started_by_a_rule(w: World) -> str:
    machine = _machine(w, "ruled", One={"Type": "Pass", "InputPath": "$.source", "End": True})
    w.client("events").put_rule(Name="ruled", EventBusName="memory", EventPattern='{"source": ["ruled"]}')
    target = {"Id": "t", "Arn": machine, "RoleArn": ROLE}
    w.client("events").put_targets(Rule="ruled", EventBusName="memory", Targets=[target])
    _put(w, "ruled")
    w.wait(2.0)
    found = w.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return f"{len(found)} execution {found[0]['status'] if found else ''}".strip()


MESSAGES = "SNS guide, sns-sqs-as-subscriber; localstack test_sns (recorded on AWS)"
API = "Step Functions API, StartExecution"
STATES = "Amazon States Language"

EVENT_RULES = (
    Rule("replay", "archives", "A replay brings the archived events of its window, with the replay's name.",
         "1 event: a one", "EventBridge guide, eb-replay-archived-event", replayed),
    Rule("archive-pattern", "archives", "An archive keeps what its pattern matches.", "1 event",
         "EventBridge guide, eb-archive", counted),
    Rule("replay-name", "archives", "A replay's name is used once.", "ResourceAlreadyExistsException", REPLAYS,
         replayed_twice),
    Rule("replay-window", "archives", "A window that ends before it starts is refused.", "ValidationException", REPLAYS,
         backwards),
    Rule("sns-envelope", "topics", "A queue gets the message in an envelope.",
         "Message MessageId Signature SignatureVersion SigningCertURL Subject Timestamp TopicArn Type UnsubscribeURL",
         MESSAGES, envelope),
    Rule("sns-raw", "topics", "Raw delivery gives the message alone, with its attributes.", "hello 7",
         "SNS guide, sns-large-payload-raw-message-delivery", raw),
    Rule("sns-filter", "topics", "A filter policy lets pass what fits all its attributes.", "6",
         "SNS guide, sns-subscription-filter-policies", sifted),
    Rule("sns-forbidden", "topics", "A queue that does not let the topic in: a dead letter at once.",
         "0 delivered, 1 dead letter", "SNS guide, sns-dead-letter-queues", forbidden),
    Rule("states-pass", "machines", "A state's parameters make its output.", 'SUCCEEDED {"n":1,"m":2}', STATES, passed),
    Rule("states-fail", "machines", "A Fail state ends the execution with its error and cause.",
         "FAILED Declined: no money", STATES, failed),
    Rule("states-catch", "machines", "A task is retried as its Retry says, then caught.",
         'SUCCEEDED "ValueError" after 3 attempts', STATES, caught),
    Rule("states-name", "machines", "A running execution's name: the same input answers the same, another is refused.",
         "the same execution, then ExecutionAlreadyExists", API, same_name),
    Rule("states-definition", "machines", "A definition that leads nowhere is refused when the machine is made.",
         "InvalidDefinition", "localstack test_sfn_api (recorded on AWS)", nowhere),
    Rule("states-rule", "machines", "A rule starts an execution.", "1 execution SUCCEEDED",
         "EventBridge guide, eb-targets", started_by_a_rule),
)  # fmt: skip
