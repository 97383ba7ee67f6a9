"""Faults that several services share: at-least-once delivery, internal errors, cold starts on order."""

from typing import Any

import boto3
import pytest
from botocore.config import Config

from orderlab.cloud import Faults

APP = """
import os
import boto3
from botocore.config import Config

table = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": int(os.environ.get("TRIES", "1"))}))
calls = 0

def handler(event, context):
    global calls
    calls += 1
    print(f"call {calls}")
    if event.get("detail-type") != "Note":
        table.put_item(TableName="things", Item={"id": {"S": str(event.get("id", "x"))}})
    return calls
"""
STACK = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
Things:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: things
    BillingMode: PAY_PER_REQUEST
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
Bus: {Type: AWS::Events::EventBus, Properties: {Name: notes}}
Rule:
  Type: AWS::Events::Rule
  Properties:
    Name: noted
    EventBusName: !Ref Bus
    EventPattern: {detail-type: [Note]}
    Targets: [{Id: app, Arn: !GetAtt App.Arn}]
Let:
  Type: AWS::Lambda::Permission
  Properties:
    FunctionName: !Ref App
    Action: lambda:InvokeFunction
    Principal: events.amazonaws.com
    SourceArn: !GetAtt Rule.Arn
"""


def logs(cloud: Any) -> list[str]:
    """What the function has printed."""
    return [row.what for row in cloud.trace.select("log")]


def put_note() -> None:
    """One event that the rule takes."""
    entry = {"EventBusName": "notes", "Source": "a", "DetailType": "Note", "Detail": "{}"}
    assert boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_a_rule_may_deliver_an_event_twice(world) -> None:
    """Its target sees the same event id both times: only that tells it."""
    cloud = world(APP, STACK, faults=Faults().at_rate("duplicate", 1.0, where="eventbridge.deliver noted"))
    put_note()
    cloud.run()
    assert logs(cloud) == ["call 1", "call 2"] or sorted(logs(cloud)) == ["call 1", "call 1"]
    first, second = cloud.trace.select("deliver")
    assert first.detail["event"] == second.detail["event"]
    assert len(cloud.trace.select("fault", contains="duplicate")) == 1


def test_an_asynchronous_event_may_come_twice(world) -> None:
    """With the same request id, even though nothing failed."""
    cloud = world(APP, STACK, faults=Faults().at_rate("duplicate", 1.0, where="lambda.async App"))
    boto3.client("lambda").invoke(FunctionName="app", InvocationType="Event", Payload=b'{"detail-type": "Note"}')
    cloud.run()
    assert len(logs(cloud)) == 2


def test_a_cold_start_can_be_ordered(world) -> None:
    """The module's state is gone, as it is on AWS whenever Lambda likes."""
    cloud = world(APP, STACK)

    def call() -> bytes:
        answer = boto3.client("lambda").invoke(FunctionName="app", Payload=b'{"detail-type": "Note"}')
        return answer["Payload"].read()

    assert [call(), call()] == [b"1", b"2"]
    cloud.faults.at_rate("cold-start", 1.0, where="App", limit=1)
    assert [call(), call()] == [b"1", b"2"]
    assert [row.what for row in cloud.trace.select("fault")] == ["cold-start"]


def test_a_service_may_fail_and_has_then_done_nothing(world) -> None:
    """With one attempt the handler sees the error; with botocore's own retries it never learns of it."""
    cloud = world(APP, STACK, faults=Faults().at_rate("error", 1.0, where="dynamodb.PutItem", limit=1))
    client = boto3.client("lambda")
    failed = client.invoke(FunctionName="app", Payload=b'{"id": 1}')
    assert b"InternalServerError" in failed["Payload"].read()
    assert boto3.client("dynamodb").scan(TableName="things")["Count"] == 0
    (row,) = cloud.trace.select("fault")
    assert (row.what, row.detail["step"]) == ("error", 1)
    client.update_function_configuration(FunctionName="app", Environment={"Variables": {"TRIES": "3"}})
    cloud.faults.at_rate("error", 1.0, where="dynamodb.PutItem", limit=2)
    assert "FunctionError" not in client.invoke(FunctionName="app", Payload=b'{"id": 2}')
    assert boto3.client("dynamodb").scan(TableName="things")["Count"] == 1


def test_an_error_at_exactly_one_step(world) -> None:
    """The history names the step, and the plan strikes there."""
    cloud = world(APP, STACK, faults=Faults(steps={2: "error"}))
    client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    answers = [client.invoke(FunctionName="app", Payload=b'{"id": 3}') for _ in range(3)]
    assert ["FunctionError" in answer for answer in answers] == [False, True, False]
    assert [row.detail["step"] for row in cloud.trace.select("fault")] == [2]


def test_a_call_from_a_cell_meets_no_fault(world) -> None:
    """The plan is for the handlers: whoever looks from outside sees what is there."""
    world(APP, STACK, faults=Faults().at_rate("error", 1.0).at_rate("throttle", 1.0))
    assert boto3.client("dynamodb").scan(TableName="things")["Count"] == 0


def test_an_unknown_fault_is_one_clear_error() -> None:
    """It names the kinds that there are."""
    with pytest.raises(ValueError, match="unknown fault 'explode': use one of duplicate"):
        Faults().at_rate("explode", 1.0)
    with pytest.raises(ValueError, match="a fault at a step is one of crash-before"):
        Faults().at_step(1, "duplicate")
    with pytest.raises(ValueError, match="must be between 0 and 1, not 2"):
        Faults().at_rate("slow", 2)
