"""A rule that feeds itself: stopped with one clear error, whichever way the event comes back."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from orderlab.cloud import hops
from orderlab.cloud.hops import LIMIT, LoopError
from orderlab.cloud.stack.template import TemplateError

TEMPLATE = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
Again: {Type: AWS::Serverless::Function, Properties: {FunctionName: again, Handler: app.again}}
Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
Round:
  Type: AWS::Events::Rule
  Properties:
    Name: round
    EventBusName: !Ref Bus
    EventPattern: {detail-type: [Turned]}
    Targets: [{Id: t, Arn: !GetAtt TARGET}]
Queue:
  Type: AWS::SQS::Queue
  Properties: {QueueName: queue, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}}
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
QueuePolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Queue, !Ref Dead]
    PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: "*"}]}
Permission:
  Type: AWS::Lambda::Permission
  Properties: {FunctionName: !Ref App, Action: lambda:InvokeFunction, Principal: events.amazonaws.com}
PermissionOfTopic:
  Type: AWS::Lambda::Permission
  Properties: {FunctionName: !Ref Again, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}
Topic:
  Type: AWS::SNS::Topic
  Properties: {TopicName: topic, Subscription: [{Protocol: lambda, Endpoint: !GetAtt Again.Arn}]}
Table:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: rows
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    BillingMode: PAY_PER_REQUEST
    StreamSpecification: {StreamViewType: NEW_IMAGE}
FromQueue:
  Type: AWS::Lambda::EventSourceMapping
  Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Again, BatchSize: 2}
FromStream:
  Type: AWS::Lambda::EventSourceMapping
  Properties: {EventSourceArn: !GetAtt Table.StreamArn, FunctionName: !Ref Again, StartingPosition: TRIM_HORIZON}
"""
PUT = """
import boto3, json, uuid

def put(event, context):
    entry = {"EventBusName": "orders", "Source": "app", "DetailType": "Turned", "Detail": "{}"}
    boto3.client("events").put_events(Entries=[entry])

"""
WAYS = {
    "its own event": "put(event, context)",
    "a queue": 'boto3.client("sqs").send_message(QueueUrl="queue", MessageBody="m")',
    "a stream": 'boto3.client("dynamodb").put_item(TableName="rows", Item={"id": {"S": str(uuid.uuid4())}})',
    "a topic": 'boto3.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:topic", Message="m")',
    "an asynchronous invoke": 'boto3.client("lambda").invoke(FunctionName="again", InvocationType="Event")',
    "a synchronous invoke": 'boto3.client("lambda").invoke(FunctionName="again")',
}


def app(way: str, again: str = "put(event, context)") -> str:
    return f"{PUT}def handler(event, context):\n    {WAYS[way]}\n\ndef again(event, context):\n    {again}\n"


def begin(**parts: Any) -> None:
    entry = {"EventBusName": "orders", "Source": "cell", "DetailType": "Turned", "Detail": "{}", **parts}
    boto3.client("events").put_events(Entries=[entry])


def template(target: str = "App.Arn") -> str:
    return TEMPLATE.replace("TARGET", target)


def test_a_rule_whose_target_is_its_own_bus_stops_the_stack(world: Callable[..., Any]) -> None:
    """Named; and another bus is no target here either."""
    with pytest.raises(TemplateError, match="rule round: the target t is the rule's own bus orders, so the rule feeds"):
        world(app("a queue"), template("Bus.Arn"))
    other = "\nOther: {Type: AWS::Events::EventBus, Properties: {Name: other}}"
    with pytest.raises(TemplateError, match=r"rule round: the target t is arn:aws:events:.*event-bus/other"):
        world(app("a queue"), template("Other.Arn") + other)


def test_an_event_that_goes_round_is_stopped_once_and_the_world_goes_on(world: Callable[..., Any]) -> None:
    """After LIMIT deliveries one after the other; the error names the rule, the event and the function."""
    cloud = world(app("its own event"), template())
    begin()
    with pytest.raises(
        LoopError, match=rf"rule round feeds itself: App has put Turned on the bus, .* of {LIMIT} deliv"
    ):
        cloud.run()
    assert len(cloud.trace.select("deliver")) == LIMIT
    cloud.run()
    assert cloud.trace.select("end")[-1].actor == "App"
    cloud.reset()
    begin()
    with pytest.raises(LoopError):
        cloud.run()
    assert len(cloud.trace.select("deliver")) == LIMIT


@pytest.mark.parametrize("way", list(WAYS))
def test_a_loop_is_seen_by_whichever_way_it_goes(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """From the rule's function by way of a queue, a stream, a topic or an invoke to the one that puts the event."""
    monkeypatch.setattr(hops, "LIMIT", 3)
    cloud = world(app(way), template())
    begin()
    with pytest.raises(LoopError, match="rule round feeds itself: A"):
        cloud.run()
    assert len(cloud.trace.select("deliver")) == 3


def test_new_messages_beside_it_put_a_loop_off_and_do_not_hide_it(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch counts for its shortest chain; when the fresh messages end, the loop stands alone."""
    monkeypatch.setattr(hops, "LIMIT", 3)
    window = template().replace("BatchSize: 2", "BatchSize: 2, MaximumBatchingWindowInSeconds: 9")
    cloud = world(app("a queue", 'print(len(event["Records"])); put(event, context)'), window)
    begin()
    for second in range(1, 30):
        cloud.scheduler.at(cloud.now + second, lambda: cloud.queues.send("queue", "fresh"))
    with pytest.raises(LoopError):
        cloud.run()
    assert "2" in [row.what for row in cloud.trace.select("log")]


def test_a_retry_and_a_redrive_keep_the_count(world: Callable[..., Any]) -> None:
    """A dead letter that is moved back has come as far as before."""
    cloud = world(
        PUT + "def handler(event, context): pass\n\ndef again(event, context): raise OSError", template("Queue.Arn")
    )
    begin()
    cloud.run()
    (dead,) = cloud.queues.messages("dead")
    assert dead.hops == 1
    cloud.queues.send("queue", "from a cell")
    cloud.run()
    assert [message.hops for message in cloud.queues.messages("dead")] == [1, 0]
    arns = [cloud.stack.resources[name].arn for name in ("Dead", "Queue")]
    boto3.client("sqs").start_message_move_task(SourceArn=arns[0], DestinationArn=arns[1])
    cloud.run()
    assert sorted(message.hops for message in cloud.queues.messages("dead")) == [0, 1]


def test_what_a_state_machine_does_later_still_belongs_to_the_chain(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is planned inside a delivery inherits the count: nobody has to hand it on."""
    monkeypatch.setattr(hops, "LIMIT", 4)
    cloud = world(app("its own event"), template())

    def start(arn: str, text: str, *, source: str) -> str:
        cloud.scheduler.after(60.0, begin)
        return "execution"

    cloud.bus.targets.start_execution = start
    machine = {
        "Id": "m",
        "Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m",
        "RoleArn": "arn:aws:iam::1:role/r",
    }
    boto3.client("events").remove_targets(Rule="round", EventBusName="orders", Ids=["t"])
    boto3.client("events").put_targets(Rule="round", EventBusName="orders", Targets=[machine])
    begin()
    with pytest.raises(LoopError, match="whoever has put Turned"):
        cloud.run()
    assert cloud.now - cloud.trace.start > 4 * 60


def test_many_events_that_nobody_answers_are_no_loop(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other from a cell, and many from one invocation: each chain is one delivery long."""
    monkeypatch.setattr(hops, "LIMIT", 2)
    cloud = world(
        PUT + "def handler(event, context): pass\n\ndef again(event, context):\n    for _ in range(9): put(0, 0)",
        template(),
    )
    for _ in range(9):
        begin()
        cloud.run()
    boto3.client("lambda").invoke(FunctionName="again")
    boto3.client("lambda").invoke(FunctionName="again")
    cloud.run()
    assert len(cloud.trace.select("deliver")) == 27


def test_orders_that_share_batches_do_not_lend_each_other_their_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty orders, twenty a second: each record of a batch belongs to an order of its own age."""
    from orderlab.cloud import Cloud
    from orderlab.ops.bench.shop import open_shop, request

    monkeypatch.setattr(hops, "LIMIT", 11)
    with Cloud() as cloud:
        open_shop(cloud.client, cloud.outputs)
        sent = []
        for n in range(80):
            body, headers = request(n, cloud.api_key)
            sent.append(cloud.request_at(cloud.now + n / 20, "POST", "/orders", body=body, headers=headers))
        cloud.run()
        assert [pending.response.status for pending in sent if pending.response] == [202] * 80
        assert max(len(row.detail["ids"]) for row in cloud.trace.select("invoke") if "ids" in row.detail) > 1


def test_an_order_takes_fewer_than_twelve_hops(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the real template, by either outcome; with a limit of three it would be taken for a loop."""
    from orderlab.cloud import Cloud

    monkeypatch.setattr(hops, "LIMIT", 11)
    with Cloud() as cloud:
        dynamodb = boto3.client("dynamodb")
        row = {
            "sku": {"S": "mug"},
            "name": {"S": "mug"},
            "price": {"N": "5"},
            "units": {"N": "5"},
            "onHand": {"N": "5"},
        }
        for name in ("CatalogueTableName", "StockTableName"):
            dynamodb.put_item(TableName=cloud.outputs[name], Item=row)

        def order(key: str) -> None:
            body = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": 2}]}
            headers = {"x-api-key": cloud.api_key, "Idempotency-Key": key, "content-type": "application/json"}
            assert cloud.request("POST", "/orders", body=json.dumps(body), headers=headers).status == 202
            cloud.run()

        order("k1")
        settled = {row.what for row in cloud.trace.select("event")}
        assert "OrderPlaced" in settled
        assert len(settled) >= 4
        monkeypatch.setattr(hops, "LIMIT", 1)
        with pytest.raises(LoopError):
            order("k2")
