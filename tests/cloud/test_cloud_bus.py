"""EventBridge: PutEvents, matching, delivery, permissions, retries and dead letters."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.awslambda.policy import Policy
from moto.backends import get_backend
from moto.events.models import EventPattern, Rule

from orderlab.cloud import Faults
from orderlab.cloud.bus.entries import size
from orderlab.cloud.bus.service import MAX_SIZE, Bus
from orderlab.cloud.queues.service import Queues
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire.answers import NotYet, Refusal

START = 1_767_603_600.0  # 2026-01-05T09:00:00Z
ACCOUNT, REGION = "123456789012", "us-east-1"
DAY = 86_400.0
NOTIFY = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:notify"


class FakeFunctions:
    """Knows the function `notify` and keeps what was queued for it."""

    def __init__(self) -> None:
        self.queued: list[tuple[Any, str]] = []
        self.policy = Policy(SimpleNamespace(function_arn=NOTIFY))

    def resolve(self, name: str) -> SimpleNamespace:
        if name != NOTIFY:
            raise Refusal("ResourceNotFoundException", name, 404)
        return SimpleNamespace(name="notify", arn=NOTIFY, described=SimpleNamespace(policy=self.policy))

    def enqueue(self, name: str, event: Any, *, source: str) -> str:
        self.queued.append((event, source))
        return "request"


class World:
    """A bus `orders`, the queues stock, payment and dead, and a rule `placed` for OrderPlaced."""

    def __init__(self, faults: Faults | None = None, seed: int = 0) -> None:
        self.scheduler = Scheduler(START, seed)
        self.trace = Trace(lambda: self.scheduler.now)
        self.events = get_backend("events")[ACCOUNT][REGION]
        sqs = get_backend("sqs")[ACCOUNT][REGION]
        for name in ("stock", "payment", "dead"):
            sqs.create_queue(name)
        self.faults = faults or Faults()
        self.queues = Queues(self.scheduler, self.trace, self.faults, sqs)
        self.functions, self.stack = FakeFunctions(), Stack()
        self.events.create_event_bus("orders")
        self.allow("stock"), self.allow("payment"), self.allow("dead")
        self.rule("placed", {"detail-type": ["OrderPlaced"]})
        self.bus = self.made()

    def again(self) -> "World":
        """Read the rules as those of a template."""
        self.bus = self.made()
        return self

    def made(self) -> Bus:
        return Bus(
            self.scheduler, self.trace, self.faults, self.queues, self.functions, self.stack, self.events  # type: ignore[arg-type]
        )  # fmt: skip

    def rule(self, name: str, pattern: Any, *targets: dict[str, Any], state: str | None = None) -> None:
        self.events.put_rule(name, event_pattern=json.dumps(pattern), event_bus_arn="orders", state=state)
        if targets:
            self.events.put_targets(name, "orders", list(targets))

    def targets(self, *targets: dict[str, Any]) -> None:
        self.rule("placed", {"detail-type": ["OrderPlaced"]}, *targets)

    def allow(self, queue: str, *, rule: str = "*") -> None:
        """A queue policy of the template for this bus's rules; a second one overwrites the first."""
        source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders/{rule}"
        statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
                     "Resource": arn(queue), "Condition": {"ArnLike": {"aws:SourceArn": source}}}  # fmt: skip
        properties = {"Queues": [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"],
                      "PolicyDocument": {"Statement": [statement]}}  # fmt: skip
        self.add("AWS::SQS::QueuePolicy", properties)

    def add(self, kind: str, properties: dict[str, Any]) -> None:
        name = f"R{len(self.stack.resources)}"
        self.stack.resources[name] = Resource(name, kind, name, properties)

    def put(self, *entries: dict[str, Any]) -> dict[str, Any]:
        return self.bus.put_events({"Entries": list(entries)})

    def order(self, **parts: Any) -> dict[str, Any]:
        return self.put(entry(**parts))

    def bodies(self, queue: str) -> list[Any]:
        return [json.loads(message.body) for message in self.queues.messages(queue)]

    def dead_letter(self) -> dict[str, str]:
        (message,) = self.queues.messages("dead")
        return {name: value["StringValue"] for name, value in message.attributes.items()}


def arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"


def target(name: str, **settings: Any) -> dict[str, Any]:
    return {"Id": name, "Arn": arn(name), **settings}


def entry(kind: str = "OrderPlaced", detail: Any = None, **parts: Any) -> dict[str, Any]:
    what = {"Source": "orders.api", "DetailType": kind, "Detail": json.dumps(detail or {"orderId": "ORD-1"})}
    return {"EventBusName": "orders", **what, **parts}


DEAD = {"DeadLetterConfig": {"Arn": arn("dead")}}


@pytest.fixture
def bed() -> Iterator[World]:
    with mock_aws():
        yield World()


@pytest.fixture
def broken() -> Iterator[Callable[..., World]]:
    """A bed whose target queue `stock` is throttled for some of its deliveries."""
    with mock_aws():
        yield lambda **rate: World(Faults().at_rate("throttle", 1.0, where="eventbridge.deliver placed stock", **rate))


# PutEvents


def test_entries_are_judged_as_recorded_on_aws(bed: World, vectors: Callable[[str], Any]) -> None:
    """Every row of the recorded PutEvents entries."""
    good = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    for case in vectors("aws_semantics.json")["put_events_entries"]["cases"]:
        if "entry" in case:
            answer = bed.put(case["entry"])
            (result,) = answer["Entries"]
            assert result.get("ErrorCode") == case["ErrorCode"], case
            assert answer["FailedEntryCount"] == (case["ErrorCode"] is not None) == ("EventId" not in result)
            if "ErrorMessage" in case:
                assert result["ErrorMessage"] == case["ErrorMessage"]
            continue
        entries = [good] * case.get("entries_count", 1)
        if case.get("total_size_over_limit"):
            entries = [{**good, "Detail": json.dumps({"p": "x" * MAX_SIZE})}]
        with pytest.raises(Refusal) as error:
            bed.put(*entries)
        assert error.value.code == case["request_error"]
        assert case.get("message", error.value.message) == error.value.message


def test_a_call_has_one_to_ten_entries(bed: World) -> None:
    """Ten pass, eleven and none are refused as a whole."""
    assert bed.put(*[entry()] * 10)["FailedEntryCount"] == 0
    for number, bound in ((11, "less than or equal to 10"), (0, "greater than or equal to 1")):
        with pytest.raises(Refusal, match=f"ValidationException: 1 validation error detected: .* length {bound}"):
            bed.put(*[entry()] * number)


def test_the_results_stand_in_the_order_of_the_entries(bed: World) -> None:
    """One bad entry among good ones: 200, and only FailedEntryCount tells."""
    bed.targets(target("stock"))
    answer = bed.put(entry(detail={"n": 1}), entry(Detail="[1]"), entry(detail={"n": 2}))
    assert answer["FailedEntryCount"] == 1
    assert ["EventId" in result for result in answer["Entries"]] == [True, False, True]
    bed.scheduler.run()
    assert sorted(body["detail"]["n"] for body in bed.bodies("stock")) == [1, 2]
    assert [row.detail["code"] for row in bed.trace.select("refused")] == ["MalformedDetail"]


@pytest.mark.parametrize("detail", ["{", '{"a": NaN}', "null", "1", '{"a": 1} x', "[" * 5000 + "]" * 5000])
def test_a_detail_must_be_one_json_object(bed: World, detail: str) -> None:
    """Not only valid JSON."""
    assert bed.put(entry(Detail=detail))["Entries"][0]["ErrorCode"] == "MalformedDetail"


def test_sources_of_aws_are_reserved(bed: World) -> None:
    """PutEventsResultEntry: not authorized to publish events with this source."""
    assert bed.order(Source="aws.s3")["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"
    assert bed.order(Source="awsome")["FailedEntryCount"] == 0


def test_the_size_of_all_entries_together_is_limited(bed: World) -> None:
    """14 bytes for a time, the UTF-8 of the texts; below 1 MB in all."""
    whole = {
        "Source": "é",
        "DetailType": "ab",
        "Detail": "{}",
        "Resources": ["xyz", "é"],
        "Time": 0,
        "EventBusName": "n",
    }
    assert size(whole) == 2 + 2 + 2 + 3 + 2 + 14
    bare = {"Source": "s", "DetailType": "d"}
    frame = 2 + len('{"p": ""}')

    def of_size(total: int) -> dict[str, Any]:
        return {**bare, "Detail": json.dumps({"p": "x" * (total - frame)})}

    assert size(of_size(1000)) == 1000
    assert bed.put(of_size(MAX_SIZE // 2), of_size(MAX_SIZE // 2 - 1))["FailedEntryCount"] == 0
    with pytest.raises(Refusal, match="Total size of the entries in the request is over the limit"):
        bed.put(of_size(MAX_SIZE // 2), of_size(MAX_SIZE // 2))


def test_a_misspelt_bus_answers_200_and_the_event_is_gone(bed: World) -> None:
    """A producer cannot see it; the trace can."""
    bed.targets(target("stock"))
    answer = bed.order(EventBusName="ordres")
    assert answer["FailedEntryCount"] == 0
    assert answer["Entries"][0]["EventId"]
    bed.scheduler.run()
    assert bed.bodies("stock") == []
    assert bed.trace.select("event")[0].detail["lost"] == "no such bus"


def test_a_bus_is_named_by_its_name_or_arn_or_not_at_all(bed: World) -> None:
    """Without a name it is the account's default bus."""
    bed.targets(target("stock"))
    bed.order(EventBusName=f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders")
    bed.order(EventBusName="")
    bed.scheduler.run()
    assert len(bed.bodies("stock")) == 1
    assert [row.actor for row in bed.trace.select("event")] == ["orders", "default"]


def test_the_fault_put_events_refuses_single_entries_inside_a_200(bed: World) -> None:
    """The two codes that a producer should send again, at the rate that was asked for."""
    bed.faults.at_rate("put-events", 0.5, where="OrderPlaced")
    results = [result for _ in range(40) for result in bed.put(*[entry()] * 5)["Entries"]]
    codes = {result.get("ErrorCode") for result in results}
    assert codes == {None, "ThrottlingException", "InternalFailure"}
    assert 60 < sum("ErrorCode" in result for result in results) < 140
    assert bed.order(kind="OrderConfirmed")["FailedEntryCount"] == 0


# events and matching


def test_a_target_gets_the_event_as_aws_writes_it(bed: World) -> None:
    """AWS's fields in AWS's order, no others, no white space; the time in UTC to the second."""
    bed.targets(target("stock"))
    event_id = bed.order(Resources=["arn:x"])["Entries"][0]["EventId"]
    bed.scheduler.run()
    (message,) = bed.queues.messages("stock")
    assert message.body == (
        f'{{"version":"0","id":"{event_id}","detail-type":"OrderPlaced","source":"orders.api",'
        f'"account":"{ACCOUNT}","time":"2026-01-05T09:00:00Z","region":"{REGION}","resources":["arn:x"],'
        '"detail":{"orderId":"ORD-1"}}'
    )
    assert 0.02 <= bed.scheduler.now - START <= 0.06


def test_an_entry_may_bring_its_own_time(bed: World) -> None:
    """As boto3 sends it, seconds since the epoch, or as a datetime."""
    bed.targets(target("stock"))
    for time in (1_700_000_000.9, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)):
        bed.order(Time=time)
    bed.scheduler.run()
    assert [body["time"] for body in bed.bodies("stock")] == ["2023-11-14T22:13:20Z"] * 2


def test_rules_choose_by_content_and_a_disabled_one_chooses_nothing(bed: World) -> None:
    """Fan-out: two targets of one rule, two rules for one event."""
    bed.targets(target("stock"), target("payment"))
    bed.rule("big", {"detail": {"total": [{"numeric": [">=", 100000]}]}}, target("stock"))
    bed.rule("off", {"detail-type": ["OrderPlaced"]}, target("dead"), state="DISABLED")
    bed.rule("all", {"source": [{"prefix": ""}]}, target("dead"), state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    bed.order(detail={"total": 100000})
    bed.order(detail={"total": 99999})
    bed.order(kind="OrderConfirmed", detail={"total": 1})
    bed.scheduler.run()
    assert {name: len(bed.bodies(name)) for name in ("stock", "payment", "dead")} == {
        "stock": 3, "payment": 2, "dead": 3,
    }  # fmt: skip
    assert [row.actor for row in bed.trace.select("match")] == ["placed", "big", "all", "placed", "all", "all"]


def test_a_rule_may_be_changed_between_two_events(bed: World) -> None:
    """Disabled, enabled, with another pattern: the next event sees it."""
    bed.targets(target("stock"))
    steps: list[Callable[[], Any]] = [
        lambda: bed.events.disable_rule("placed", "orders"),
        lambda: bed.events.enable_rule("placed", "orders"),
        lambda: bed.rule("placed", {"detail-type": ["Other"]}),
        lambda: bed.events.remove_targets("placed", "orders", ["stock"]),
        lambda: bed.events.delete_rule("placed", "orders"),
    ]
    for step in steps:
        step()
        bed.order()
        bed.scheduler.run()
    assert len(bed.bodies("stock")) == 1


def test_an_event_that_no_rule_wants_is_lost_and_the_trace_says_so(bed: World) -> None:
    """On AWS only a metric would."""
    assert bed.order(kind="Nobody")["FailedEntryCount"] == 0
    assert bed.trace.select("event")[0].detail["lost"] == "no rule matches"


def test_an_archive_takes_nothing_from_the_rules(bed: World) -> None:
    """moto gives it a rule of its own, which is no rule of yours."""
    bed.events.create_archive("kept", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders", "", "", "")
    bed.made()
    bed.targets(target("stock"))
    bed.order()
    bed.scheduler.run()
    assert [row.actor for row in bed.trace.select("match")] == ["placed"]


def test_a_transformer_shapes_what_the_target_gets(bed: World) -> None:
    """A part, a constant, or a template that knows its rule."""
    template = '{"id": <id>, "rule": <aws.events.rule-name>, "in": <aws.events.event.ingestion-time>}'
    transformer = {"InputPathsMap": {"id": "$.detail.orderId"}, "InputTemplate": template}
    bed.targets(target("stock", InputTransformer=transformer), target("payment", InputPath="$.detail"))
    bed.order()
    bed.scheduler.run()
    assert bed.bodies("stock") == [{"id": "ORD-1", "rule": "placed", "in": "2026-01-05T09:00:00Z"}]
    assert bed.bodies("payment") == [{"orderId": "ORD-1"}]


# functions as targets


def permit(bed: World, **parts: Any) -> None:
    source = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders/placed"
    given = {"FunctionName": "notify", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    bed.functions.policy.add_statement(json.dumps({**given, "SourceArn": source, **parts}))


def test_a_function_gets_the_event_in_lambdas_own_queue(bed: World) -> None:
    """Asynchronously: what the function does with it is no affair of the bus."""
    bed.targets({"Id": "notify", "Arn": NOTIFY})
    permit(bed)
    bed.order()
    assert bed.functions.queued == []
    bed.scheduler.run()
    ((event, source),) = bed.functions.queued
    assert (event["detail"], event["detail-type"], source) == ({"orderId": "ORD-1"}, "OrderPlaced", "placed")
    assert bed.trace.select("deliver")[0].what == "notify"


@pytest.mark.parametrize(
    ("function", "parts", "code"),
    [
        (NOTIFY, {"SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders/other"}, "NO_PERMISSIONS"),
        (NOTIFY, {"Principal": "s3.amazonaws.com"}, "NO_PERMISSIONS"),
        (NOTIFY + "x", {"FunctionName": "notifyx"}, "NO_RESOURCE"),
    ],
)
def test_a_function_that_forbids_it_or_is_not_there_gets_nothing(
    bed: World, function: str, parts: dict[str, str], code: str
) -> None:
    """No retry; the event goes to the target's dead-letter queue."""
    bed.targets({"Id": "notify", "Arn": function, **DEAD})
    permit(bed, **parts)
    bed.order()
    bed.scheduler.run()
    assert (bed.dead_letter()["ERROR_CODE"], bed.dead_letter()["RETRY_ATTEMPTS"]) == (code, "0")
    assert bed.functions.queued == []
    assert bed.scheduler.now - START < 1.0


def test_another_kind_of_target_is_not_yet_and_says_which(bed: World) -> None:
    """Its rule and id: when the template is read, and through PutTargets."""
    logs = {"Id": "all", "Arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/all"}
    with pytest.raises(
        NotYet, match=r"the target all is arn:aws:logs:.*:/all; the local cloud delivers to lambda, sns"
    ):
        answer(bed, "PutTargets", Rule="placed", EventBusName="orders", Targets=[logs])
    bed.targets(logs)
    with pytest.raises(TemplateError, match="rule placed: the target all is arn:aws:logs"):
        bed.made()


@pytest.mark.parametrize(
    ("code", "told"), [("StateMachineDoesNotExist", "NO_RESOURCE"), ("InvalidExecutionInput", "SDK_CLIENT_ERROR")]
)
def test_a_state_machine_is_started_with_the_rules_input(bed: World, code: str, told: str) -> None:
    """In the name of the rule; what Step Functions refuses is not tried again."""
    saga = {"Id": "saga", "Arn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:saga", "InputPath": "$.detail"}
    with pytest.raises(Refusal, match=f"ValidationException: RoleArn is required for target {saga['Arn']}."):
        answer(bed, "PutTargets", Rule="placed", EventBusName="orders", Targets=[saga])
    bed.targets({**saga, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/saga", **DEAD})
    bed = bed.again()
    bed.order()
    with pytest.raises(NotYet, match="rule placed has the target saga"):
        bed.scheduler.run()
    started: list[Any] = []
    bed.bus.targets.start_execution = lambda arn, text, *, source: str(started.append((arn, text, source)))
    bed.order(detail={"orderId": "ORD-2"})
    bed.scheduler.run()
    assert started == [(saga["Arn"], '{"orderId":"ORD-2"}', "placed")]

    def refuse(arn: str, text: str, *, source: str) -> str:
        raise Refusal(code, "no")

    bed.bus.targets.start_execution = refuse
    bed.order()
    bed.scheduler.run()
    assert (bed.dead_letter()["ERROR_CODE"], bed.dead_letter()["RETRY_ATTEMPTS"]) == (told, "0")


# permissions and dead letters


def test_a_queue_without_a_policy_gets_nothing_and_the_event_is_a_dead_letter(bed: World) -> None:
    """The producer sees success; the dead letter is the event itself, with AWS's attributes; no retry."""
    bed.targets(target("stock", **DEAD))
    bed.allow("stock", rule="some-other-rule")
    event_id = bed.order()["Entries"][0]["EventId"]
    bed.scheduler.run()
    assert bed.bodies("stock") == []
    assert bed.bodies("dead")[0]["id"] == event_id
    told = bed.dead_letter()
    assert told.pop("ERROR_MESSAGE")
    assert told == {
        "RULE_ARN": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders/placed",
        "TARGET_ARN": arn("stock"),
        "ERROR_CODE": "NO_PERMISSIONS",
        "RETRY_ATTEMPTS": "0",
    }
    assert bed.scheduler.now - START < 1.0
    (row,) = bed.trace.select("undeliverable")
    assert (row.detail["event"], row.detail["type"], row.detail["to"]) == (event_id[:8], "OrderPlaced", "dead")


def test_a_dead_letter_of_a_transformed_target_is_the_whole_event(bed: World) -> None:
    """What was lost can be sent again."""
    bed.targets(target("stock", InputPath="$.detail.orderId", **DEAD))
    bed.allow("stock", rule="some-other-rule")
    bed.order()
    bed.scheduler.run()
    assert bed.bodies("dead")[0]["detail"] == {"orderId": "ORD-1"}


def test_a_queue_that_is_not_there_is_no_resource(bed: World) -> None:
    """Deleted, or misspelt in the rule."""
    bed.targets(target("stok", **DEAD))
    bed.order()
    bed.scheduler.run()
    assert bed.dead_letter()["ERROR_CODE"] == "NO_RESOURCE"


def test_without_a_dead_letter_queue_the_event_is_dropped(bed: World) -> None:
    """And with one that forbids it, or is not there, too."""
    bed.targets(target("stock"), target("payment", **DEAD), target("stok", DeadLetterConfig={"Arn": arn("daed")}))
    bed.allow("stock", rule="other"), bed.allow("payment", rule="other"), bed.allow("dead", rule="other")
    bed.order()
    bed.scheduler.run()
    assert [row.detail["lost"] for row in sorted(bed.trace.select("undeliverable"), key=lambda row: row.what)] == [
        "dead-letter queue dead: NO_PERMISSIONS",
        "no dead-letter queue",
        "dead-letter queue daed: NO_RESOURCE",
    ]
    assert bed.bodies("dead") == []


def test_a_template_that_makes_no_json_delivers_nothing(bed: World) -> None:
    """An object inside quotes breaks it, for this event and not for another."""
    transformer = {"InputPathsMap": {"x": "$.detail.x"}, "InputTemplate": '{"x": "<x>"}'}
    bed.targets(target("stock", InputTransformer=transformer, **DEAD))
    bed.order(detail={"x": "text"})
    bed.order(detail={"x": ["list"]})
    bed.scheduler.run()
    assert bed.bodies("stock") == [{"x": "text"}]
    assert bed.dead_letter()["ERROR_CODE"] == "INVALID_JSON"


def test_a_function_takes_no_text_of_two_lines(bed: World) -> None:
    """A queue would: its body is any text. An invoke's payload is JSON."""
    transformer = {"InputPathsMap": {"x": "$.detail.orderId"}, "InputTemplate": '"order <x>"\n"is placed"'}
    bed.targets({"Id": "notify", "Arn": NOTIFY, "InputTransformer": transformer, **DEAD})
    permit(bed)
    bed.order()
    bed.scheduler.run()
    assert bed.functions.queued == []
    assert bed.dead_letter()["ERROR_CODE"] == "INVALID_JSON"


def test_what_the_queue_itself_refuses_is_not_tried_again(bed: World) -> None:
    """Larger than the queue's MaximumMessageSize: the same every time."""
    get_backend("sqs")[ACCOUNT][REGION].queues["stock"].maximum_message_size = 1024
    bed.targets(target("stock", **DEAD))
    bed.order(detail={"text": "x" * 1024})
    bed.scheduler.run()
    assert (bed.dead_letter()["ERROR_CODE"], bed.dead_letter()["RETRY_ATTEMPTS"]) == ("SDK_CLIENT_ERROR", "0")


def test_a_fifo_queue_gets_the_targets_message_group(bed: World) -> None:
    """With content-based deduplication, which EventBridge needs; without it the queue refuses."""
    sqs = get_backend("sqs")[ACCOUNT][REGION]
    for name, content in (("by-order.fifo", "true"), ("no-dedup.fifo", "false")):
        sqs.create_queue(name, FifoQueue="true", ContentBasedDeduplication=content)
        bed.allow(name)
    group = {"SqsParameters": {"MessageGroupId": "orders"}}
    bed.targets(target("by-order.fifo", **group), target("no-dedup.fifo", **group, **DEAD))
    bed.order()
    bed.scheduler.run()
    assert [message.group for message in bed.queues.messages("by-order.fifo")] == ["orders"]
    assert bed.dead_letter()["ERROR_CODE"] == "SDK_CLIENT_ERROR"


# retries


def test_a_busy_target_is_tried_again_until_it_takes_the_event(broken: Callable[..., World]) -> None:
    """Five refusals, then one delivery, and nothing twice."""
    bed = broken(limit=5)
    bed.targets(target("stock", **DEAD), target("payment"))
    bed.order()
    bed.scheduler.run()
    assert (len(bed.bodies("stock")), len(bed.bodies("payment")), bed.bodies("dead")) == (1, 1, [])
    assert len(bed.trace.select("retry")) == 5
    assert bed.scheduler.now - START <= 1 + 2 + 4 + 8 + 16 + 0.06


@pytest.mark.parametrize("most", [0, 3])
def test_retries_end_at_the_targets_maximum(broken: Callable[..., World], most: int) -> None:
    """MaximumRetryAttempts counts the attempts after the first; 0 means none."""
    bed = broken()
    bed.targets(target("stock", RetryPolicy={"MaximumRetryAttempts": most}, **DEAD))
    bed.order()
    bed.scheduler.run()
    told = bed.dead_letter()
    assert (told["ERROR_CODE"], told["RETRY_ATTEMPTS"]) == ("THROTTLING", str(most))
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"


def test_retries_end_at_the_events_maximum_age(broken: Callable[..., World]) -> None:
    """The dead letter comes when the time is up."""
    bed = broken()
    bed.targets(target("stock", RetryPolicy={"MaximumEventAgeInSeconds": 60}, **DEAD))
    bed.order()
    bed.scheduler.run()
    told = bed.dead_letter()
    assert told["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert int(told["RETRY_ATTEMPTS"]) == len(bed.trace.select("retry")) - 1
    assert bed.scheduler.now - START == pytest.approx(60.0)


def test_by_default_a_target_has_a_day_and_185_retries(broken: Callable[..., World]) -> None:
    """Whichever comes first; the assumed waits make them about equal."""
    bed = broken()
    bed.targets(target("stock", **DEAD))
    bed.order()
    bed.scheduler.run(until=START + 18 * 3600)
    assert bed.bodies("dead") == []
    bed.scheduler.run()
    assert bed.scheduler.now - START <= DAY
    told = bed.dead_letter()
    assert 150 <= int(told["RETRY_ATTEMPTS"]) <= 185
    assert told["EXHAUSTED_RETRY_CONDITION"].startswith("Maximum")


# checked before moto has it


def answer(bed: World, operation: str, **params: Any) -> Any:
    return bed.bus.operations()["eventbridge", operation](params)


def test_an_invalid_pattern_is_refused_when_the_rule_is_made(bed: World) -> None:
    """A good one goes on to moto (None)."""
    assert answer(bed, "PutRule", Name="r", EventPattern='{"source": ["a"]}') is None
    for pattern in ('{"source": []}', "{", '{"source": "a"}', '{"source": [{"prefix": 1}]}'):
        with pytest.raises(Refusal, match="InvalidEventPatternException: Event pattern is not valid"):
            answer(bed, "PutRule", Name="r", EventPattern=pattern)


def test_a_rule_has_at_most_five_targets(bed: World) -> None:
    """Those that are put again are not counted twice."""
    bed.targets(*[target(name) for name in "abc"])
    names = {"Rule": "placed", "EventBusName": "orders"}
    assert answer(bed, "PutTargets", **names, Targets=[target("a"), target("d"), target("e")]) is None
    with pytest.raises(Refusal, match="LimitExceededException: The requested resource exceeds the maximum"):
        answer(bed, "PutTargets", **names, Targets=[target("d"), target("e"), target("f")])


def test_an_invalid_transformer_is_refused_when_the_target_is_put(bed: World) -> None:
    """Two kinds of input, and a placeholder that is not defined: AWS's texts."""
    for settings, text in (
        ({"Input": "{}", "InputPath": "$.x"}, "Only one of Input, InputPath, or InputTransformer must be provided"),
        ({"InputTransformer": {"InputTemplate": "<y>"}}, "InputTemplate for target t contains invalid placeholder y."),
    ):
        with pytest.raises(Refusal, match=f"ValidationException: {text}"):
            answer(bed, "PutTargets", Rule="placed", EventBusName="orders", Targets=[target("t", **settings)])


def test_a_pattern_can_be_tried_on_an_event(bed: World) -> None:
    """TestEventPattern, which moto does not have."""
    event = json.dumps({"source": "a", "detail": {"n": 5}})
    assert answer(bed, "TestEventPattern", EventPattern='{"detail": {"n": [5]}}', Event=event) == {"Result": True}
    assert answer(bed, "TestEventPattern", EventPattern='{"detail": {"n": [6]}}', Event=event) == {"Result": False}
    with pytest.raises(Refusal, match="InvalidEventPatternException"):
        answer(bed, "TestEventPattern", EventPattern="{}}", Event=event)


def test_a_global_endpoint_and_a_schedule_are_not_there(bed: World) -> None:
    """Said, not pretended."""
    with pytest.raises(NotYet, match="global endpoints"):
        answer(bed, "PutEvents", EndpointId="a.b", Entries=[entry()])
    with pytest.raises(NotYet, match=r"the schedule rate\(1 minute\)"):
        answer(bed, "PutRule", Name="clock", ScheduleExpression="rate(1 minute)")
    bed.events.put_rule("clock", scheduled_expression="rate(1 minute)")
    with pytest.raises(TemplateError, match=r"rule clock: the schedule rate\(1 minute\)"):
        bed.made()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"MaximumRetryAttempts": 186}, "'186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' .* equal to 185"),
        ({"MaximumEventAgeInSeconds": 59}, "'59' at .*maximumEventAgeInSeconds' .* greater than or equal to 60"),
    ],
)
def test_a_retry_policy_has_its_bounds(bed: World, policy: dict[str, int], words: str) -> None:
    """At most 185 retries, and a day; at least a minute."""
    with pytest.raises(Refusal, match=words):
        answer(bed, "PutTargets", Rule="placed", EventBusName="orders", Targets=[target("stock", RetryPolicy=policy)])


def test_a_bad_rule_of_the_template_stops_the_cloud_by_name(bed: World) -> None:
    """CloudFormation on moto goes past PutRule."""
    bed.rule("odd", {"detail-type": [{"prefix": 1}]})
    with pytest.raises(TemplateError, match="rule odd: InvalidEventPatternException"):
        bed.made()
    bed.rule("odd", {"detail-type": ["a"]}, target("t", InputTransformer={"InputTemplate": "<y>"}))
    with pytest.raises(TemplateError, match=r"rule odd: ValidationException: .* placeholder y"):
        bed.made()


# and moto


def test_the_same_seed_gives_the_same_history() -> None:
    """Ids and latencies too."""

    def story(seed: int) -> str:
        with mock_aws():
            bed = World(Faults(1).at_rate("throttle", 0.5, where="deliver").at_rate("put-events", 0.3), seed)
            bed.targets(target("stock"), target("payment"))
            for n in range(10):
                bed.order(detail={"n": n})
            bed.scheduler.run()
            return bed.trace.text()

    assert story(1) == story(1) != story(2)


def test_moto_still_keeps_rules_where_the_bus_reads_them(bed: World) -> None:
    """A canary for each name of moto that is read: buses, rules, patterns, states, targets, managed rules, policies."""
    bed.targets(target("stock"))
    bus = bed.events.event_buses["orders"]
    rule = bus.rules["placed"]
    assert isinstance(rule, Rule)
    assert isinstance(rule.event_pattern, EventPattern)
    assert json.loads(rule.event_pattern.dump() or "") == {"detail-type": ["OrderPlaced"]}
    assert (rule.state, rule.targets, rule.managed_by) == ("ENABLED", [target("stock")], None)
    assert rule.arn == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/orders/placed"
    bed.events.create_archive("kept", bus.arn, "", "", "")
    assert bus.rules["Events-Archive-kept"].managed_by
    bed.events.put_rule("clock", scheduled_expression="rate(1 minute)")
    assert bed.events.event_buses["default"].rules["clock"].event_pattern.dump() is None
    queue = bed.queues.store("stock").queue
    assert queue.policy is None
    queue.policy = json.dumps({"Statement": [{"Effect": "Deny"}]})
    assert json.loads(queue.policy)["Statement"] == [{"Effect": "Deny"}]
    assert (queue.queue_arn, queue.maximum_message_size > 1024) == (arn("stock"), True)


# through boto3, in a cloud

TEMPLATE = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
Stock: {Type: AWS::SQS::Queue, Properties: {QueueName: stock}}
Placed:
  Type: AWS::Events::Rule
  Properties:
    Name: placed
    EventBusName: !Ref Bus
    EventPattern: {detail-type: [OrderPlaced]}
    Targets: [{Id: stock, Arn: !GetAtt Stock.Arn}, {Id: app, Arn: !GetAtt App.Arn}]
StockPolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Stock]
    PolicyDocument:
      Statement:
        - Effect: Allow
          Principal: {Service: events.amazonaws.com}
          Action: sqs:SendMessage
          Resource: !GetAtt Stock.Arn
          Condition: {ArnEquals: {"aws:SourceArn": !GetAtt Placed.Arn}}
AppPermission:
  Type: AWS::Lambda::Permission
  Properties:
    FunctionName: !Ref App
    Action: lambda:InvokeFunction
    Principal: events.amazonaws.com
    SourceArn: !GetAtt Placed.Arn
"""
APP = "def handler(event, context):\n    print(event['detail-type'])"


def test_a_rule_of_the_template_delivers_what_boto3_puts(world: Callable[..., Any]) -> None:
    """From PutEvents through the rule to the queue and the function, with the template's own permissions."""
    cloud = world(APP, TEMPLATE)
    answer = boto3.client("events").put_events(Entries=[entry(Time=datetime(2026, 1, 1, tzinfo=UTC))])
    assert answer["FailedEntryCount"] == 0
    cloud.run()
    (message,) = cloud.queues.messages("stock")
    assert json.loads(message.body)["id"] == answer["Entries"][0]["EventId"]
    assert json.loads(message.body)["time"] == "2026-01-01T00:00:00Z"
    assert [row.what for row in cloud.trace.select("log")] == ["OrderPlaced"]


def test_rules_made_by_boto3_are_checked_here_and_kept_by_moto(world: Callable[..., Any]) -> None:
    """A new consumer of the same events, without touching their producer."""
    cloud = world(APP, TEMPLATE)
    events, sqs = boto3.client("events"), boto3.client("sqs")
    with pytest.raises(ClientError, match="Event pattern is not valid") as error:
        events.put_rule(Name="mine", EventBusName="orders", EventPattern='{"source": []}')
    assert error.value.response["Error"]["Code"] == "InvalidEventPatternException"
    rule = events.put_rule(Name="mine", EventBusName="orders", EventPattern='{"source": [{"prefix": "orders."}]}')
    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    events.put_targets(Rule="mine", EventBusName="orders", Targets=[target("mine")])
    events.put_events(Entries=[entry()])
    cloud.run()
    assert cloud.trace.select("undeliverable")[0].detail["code"] == "NO_PERMISSIONS"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
                 "Resource": arn("mine"), "Condition": {"ArnEquals": {"aws:SourceArn": rule["RuleArn"]}}}  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    events.put_events(Entries=[entry()])
    events.disable_rule(Name="mine", EventBusName="orders")
    events.put_events(Entries=[entry()])
    cloud.run()
    assert len(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]) == 1


def test_switching_and_removing_take_effect_at_once_and_a_reset_undoes_them(world: Callable[..., Any]) -> None:
    """DisableRule, EnableRule, RemoveTargets, DeleteRule; a rule with targets cannot be deleted."""
    cloud = world(APP, TEMPLATE)
    events, mine = boto3.client("events"), {"EventBusName": "orders"}

    def arrived() -> int:
        events.put_events(Entries=[entry()])
        cloud.run()
        found = len(cloud.queues.messages("stock"))
        boto3.client("sqs").purge_queue(QueueUrl=cloud.stack.resources["Stock"].physical_id)
        cloud.advance(60)
        return found

    events.disable_rule(Name="placed", **mine)
    assert arrived() == 0
    events.enable_rule(Name="placed", **mine)
    assert arrived() == 1
    with pytest.raises(ClientError, match="Rule can't be deleted since it has targets"):
        events.delete_rule(Name="placed", **mine)
    events.remove_targets(Rule="placed", Ids=["stock", "app"], **mine)
    assert arrived() == 0
    events.delete_rule(Name="placed", **mine)
    assert arrived() == 0
    assert cloud.trace.select("event")[-1].detail["lost"] == "no rule matches"
    cloud.reset()
    assert arrived() == 1


def test_a_template_with_a_bad_pattern_stops_with_one_clear_error(world: Callable[..., Any]) -> None:
    """Named, before any event is lost to it."""
    with pytest.raises(TemplateError, match=r"rule placed: InvalidEventPatternException"):
        world(APP, TEMPLATE.replace("[OrderPlaced]", '[{"prefix": 5}]'))
