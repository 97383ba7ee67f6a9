"""Event source mappings by boto3: made, changed, listed and ended while the world runs."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud.wire.answers import NotYet

RESOURCES = """
Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: 30}}
Table:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: orders
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    StreamSpecification: {StreamViewType: NEW_IMAGE}
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler}
"""
MAPPING = """
Mapping:
  Type: AWS::Lambda::EventSourceMapping
  Properties: {EventSourceArn: !GetAtt Work.Arn, FunctionName: !Ref App, BatchSize: 1}
"""
APP = """
import json, time
def handler(event, context):
    records = event["Records"]
    print(json.dumps([r.get("body") or r["dynamodb"]["Keys"]["id"]["S"] for r in records]))
    time.sleep(2)
"""
QUEUE = "arn:aws:sqs:us-east-1:123456789012:work"


def create(**settings: Any) -> dict[str, Any]:
    return boto3.client("lambda").create_event_source_mapping(**{"FunctionName": "app", **settings})


def send(*bodies: str) -> None:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)


def printed(cloud) -> list[list[str]]:
    return [json.loads(row.what) for row in cloud.trace.select("log")]


def refused(call: Any, **settings: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**settings)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def stream() -> str:
    return boto3.client("dynamodb").describe_table(TableName="orders")["Table"]["LatestStreamArn"]


def test_a_mapping_lives_from_its_creation_to_its_deletion(world) -> None:
    """What is in the queue is found; after the deletion messages stay; each answer tells the truth."""
    cloud, lambdas = world(APP, RESOURCES), boto3.client("lambda")
    send("early")
    made = create(EventSourceArn=QUEUE)
    assert (made["ResponseMetadata"]["HTTPStatusCode"], made["State"], made["BatchSize"]) == (202, "Creating", 10)
    assert made["FunctionArn"].endswith(":function:app") and made["FunctionResponseTypes"] == []
    uuid = made["UUID"]
    assert made["EventSourceMappingArn"].endswith(f":event-source-mapping:{uuid}")
    cloud.run()
    assert printed(cloud) == [["early"]]
    told = lambdas.get_event_source_mapping(UUID=uuid)
    assert (told["State"], told["EventSourceArn"]) == ("Enabled", QUEUE)
    assert lambdas.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    send("late")
    cloud.run()
    assert printed(cloud) == [["early"]] and len(cloud.queues.messages("work")) == 1
    assert refused(lambdas.get_event_source_mapping, UUID=uuid)[0] == "ResourceNotFoundException"
    assert lambdas.list_event_source_mappings()["EventSourceMappings"] == []


def test_the_template_s_mapping_is_listed_disabled_and_changed_like_any_other(world) -> None:
    """What runs when it is disabled ends and is deleted; what waits, waits; later settings count at once."""
    cloud, lambdas = world(APP, RESOURCES + MAPPING), boto3.client("lambda")
    [told] = lambdas.list_event_source_mappings(FunctionName="app")["EventSourceMappings"]
    uuid = told["UUID"]
    assert (told["State"], told["BatchSize"]) == ("Enabled", 1)
    send("a", "b")
    cloud.advance(0.5)
    assert lambdas.update_event_source_mapping(UUID=uuid, Enabled=False)["State"] == "Disabling"
    send("c", "d")
    cloud.run()
    assert sorted(printed(cloud)) == [["a"], ["b"]] and len(cloud.queues.messages("work")) == 2
    assert lambdas.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    settings = {"BatchSize": 5, "FunctionResponseTypes": ["ReportBatchItemFailures"]}
    assert lambdas.update_event_source_mapping(UUID=uuid, Enabled=True, **settings)["State"] == "Enabling"
    cloud.run()
    assert printed(cloud)[2:] == [["c", "d"]] and cloud.queues.messages("work") == []


def test_a_gathered_batch_comes_back_when_its_mapping_is_disabled(world) -> None:
    """Its window never ends; the visibility timeout does, and enabled again the mapping takes it."""
    cloud, lambdas = world(APP, RESOURCES), boto3.client("lambda")
    uuid = create(EventSourceArn=QUEUE, MaximumBatchingWindowInSeconds=20)["UUID"]
    send("a")
    cloud.advance(1)
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=False)
    cloud.advance(60)
    assert printed(cloud) == [] and cloud.queues.counts("work") == (1, 0, 0)
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=True, MaximumBatchingWindowInSeconds=0)
    cloud.run()
    assert printed(cloud) == [["a"]] and cloud.queues.messages("work") == []


def test_maximum_concurrency_and_filters_change_while_messages_wait(world) -> None:
    """Two at once instead of five; what the new filter does not match is deleted."""
    cloud, lambdas = world(APP, RESOURCES + MAPPING), boto3.client("lambda")
    [told] = lambdas.list_event_source_mappings(EventSourceArn=QUEUE)["EventSourceMappings"]
    pattern = json.dumps({"body": [{"prefix": "yes"}]})
    change = {"ScalingConfig": {"MaximumConcurrency": 2}, "FilterCriteria": {"Filters": [{"Pattern": pattern}]}}
    lambdas.update_event_source_mapping(UUID=told["UUID"], **change)
    send("yes1", "no", "yes2", "yes3")
    cloud.advance(1)
    assert sorted(printed(cloud)) == [["yes1"], ["yes2"]]
    cloud.run()
    assert len(printed(cloud)) == 3 and cloud.queues.messages("work") == []


def test_what_aws_refuses_is_refused_in_its_words_and_changes_nothing(world) -> None:
    """Recorded codes and texts, where there are any."""
    world(APP, RESOURCES + MAPPING)
    lambdas, invalid = boto3.client("lambda"), "InvalidParameterValueException"
    [told] = lambdas.list_event_source_mappings()["EventSourceMappings"]
    unknown = {"UUID": "00000000-0000-4000-8000-000000000000"}
    missing = ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert refused(lambdas.update_event_source_mapping, **unknown, BatchSize=1) == missing
    assert refused(lambdas.delete_event_source_mapping, **unknown) == missing
    code, words = refused(create, EventSourceArn=QUEUE)
    assert code == "ResourceConflictException" and words.endswith(f"existing mapping with UUID {told['UUID']}")
    words = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
    assert refused(create, EventSourceArn=QUEUE + "x") == (
        invalid,
        words + "SQS Error Message: The specified queue does not exist.",
    )
    assert refused(create, EventSourceArn=QUEUE, FunctionName="nobody") == (invalid, "Function does not exist")
    assert refused(create) == (invalid, "Unrecognized event source.")
    dead = {"OnFailure": {"Destination": QUEUE}}
    assert "Unsupported DestinationConfig" in refused(create, EventSourceArn=QUEUE, DestinationConfig=dead)[1]
    lost = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2025-02-22T03:03:25.490"
    assert refused(create, EventSourceArn=lost, StartingPosition="LATEST") == (invalid, f"Stream not found: {lost}")
    lambdas.update_function_configuration(FunctionName="app", Timeout=31)
    code, words = refused(lambdas.update_event_source_mapping, UUID=told["UUID"], BatchSize=2)
    assert code == invalid and words.startswith("Queue visibility timeout: 30 seconds is less than Function timeout")
    assert lambdas.get_event_source_mapping(UUID=told["UUID"])["BatchSize"] == 1
    with pytest.raises(NotYet, match="arn:aws:kinesis"):
        create(EventSourceArn="arn:aws:kinesis:us-east-1:123456789012:stream/s", StartingPosition="LATEST")


def test_a_second_mapping_of_a_stream_is_refused_in_the_words_for_streams(world) -> None:
    """Which are not those for queues."""
    world(APP, RESOURCES)
    made = create(EventSourceArn=stream(), StartingPosition="LATEST")
    assert (made["MaximumRecordAgeInSeconds"], made["StateTransitionReason"]) == (-1, "User action")
    code, words = refused(create, EventSourceArn=stream(), StartingPosition="LATEST")
    assert code == "ResourceConflictException"
    assert words == (
        f'The event source arn (" {stream()} ") and function (" app ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {made['UUID']}"
    )


def test_latest_begins_now_and_trim_horizon_with_what_the_stream_still_has(world) -> None:
    """Records of yesterday are gone; a disabled mapping goes on where it stood; a deleted one is no reader."""
    cloud, lambdas, table = world(APP, RESOURCES), boto3.client("lambda"), boto3.client("dynamodb")

    def put(name: str) -> None:
        table.put_item(TableName="orders", Item={"id": {"S": name}})

    put("ancient")
    cloud.advance(86_401)
    put("old")
    uuid = create(EventSourceArn=stream(), StartingPosition="LATEST")["UUID"]
    put("new")
    cloud.run()
    assert printed(cloud) == [["new"]]
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=False)
    put("later")
    cloud.run()
    lambdas.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.run()
    lambdas.delete_event_source_mapping(UUID=uuid)
    put("last")
    cloud.run()
    assert printed(cloud) == [["new"], ["later"]]
    create(EventSourceArn=stream(), StartingPosition="TRIM_HORIZON")
    cloud.run()
    assert printed(cloud)[2:] == [["old", "new", "later", "last"]]


def test_a_mapping_deleted_in_the_middle_of_a_batch_lets_it_end(world) -> None:
    """The answer of what runs still deletes its messages; a stream's answer is not heard."""
    cloud, lambdas = world(APP, RESOURCES), boto3.client("lambda")
    made = [create(EventSourceArn=QUEUE), create(EventSourceArn=stream(), StartingPosition="LATEST")]
    send("a")
    boto3.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": "b"}})
    cloud.advance(1)
    for each in made:
        lambdas.delete_event_source_mapping(UUID=each["UUID"])
    cloud.run()
    assert sorted(printed(cloud)) == [["a"], ["b"]] and cloud.queues.messages("work") == []
    assert create(EventSourceArn=QUEUE)["UUID"] not in {each["UUID"] for each in made}


def test_a_function_that_is_deleted_fails_its_mapping_and_the_messages_stay(world) -> None:
    """They come back after their visibility timeout, as after any error; the mapping can still be described."""
    cloud, lambdas = world(APP, RESOURCES + MAPPING), boto3.client("lambda")
    lambdas.delete_function(FunctionName="app")
    send("a")
    cloud.advance(10)
    [row] = cloud.trace.select("error")
    assert row.what == "ResourceNotFoundException" and len(cloud.queues.messages("work")) == 1
    assert len(lambdas.list_event_source_mappings()["EventSourceMappings"]) == 1
