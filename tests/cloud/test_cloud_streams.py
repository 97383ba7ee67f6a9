"""Streams: in order, one invocation at a time, and nothing passes a record that fails."""

import json
from typing import Any

import boto3
import pytest

from orderlab.cloud.mappings.settings import read
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.wire.answers import NotYet, Refusal

STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/x"
RESOURCES = """
Table:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: orders
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: failed}}
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler}
Mapping:
  Type: AWS::Lambda::EventSourceMapping
  Properties:
    EventSourceArn: !GetAtt Table.StreamArn
    FunctionName: !Ref App
    StartingPosition: TRIM_HORIZON
    BatchSize: 10
    BisectBatchOnFunctionError: true
    MaximumRecordAgeInSeconds: 3600
    FunctionResponseTypes: [ReportBatchItemFailures]
    DestinationConfig: {OnFailure: {Destination: !GetAtt Bucket.Arn}}
"""
PRINT = """
import json
def handler(event, context):
    ids = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    print(json.dumps(ids))
    %s
"""
POISON = PRINT % "assert 'p' not in ids, 'poison'"
TO_QUEUE = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:dead"}}


def put(*ids: str, **more: str) -> None:
    table = boto3.client("dynamodb")
    for name in ids:
        table.put_item(TableName="orders", Item={"id": {"S": name}, **{key: {"S": more[key]} for key in more}})


def printed(cloud) -> list[list[str]]:
    return [json.loads(row.what) for row in cloud.trace.select("log")]


def mapped(**properties: Any) -> dict[str, dict[str, Any]]:
    """Overrides for the mapping of the template."""
    return {"Mapping": properties}


def stored() -> list[dict[str, Any]]:
    """What lies in the on-failure bucket."""
    s3 = boto3.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="failed").get("Contents", ())]
    assert all(key.startswith("aws/lambda/Mapping/shardId-") for key in keys)
    return [json.loads(s3.get_object(Bucket="failed", Key=key)["Body"].read()) for key in keys]


def test_records_arrive_in_order_with_their_images(world) -> None:
    """What was written before the mapping looked is read too: TRIM_HORIZON."""
    cloud = world(PRINT % "print(json.dumps([event['Records'][-1]['dynamodb']['OldImage']['id']['S']]))", RESOURCES)
    put(*"abc")
    put("a", color="red")
    cloud.run()
    assert printed(cloud) == [["a", "b", "c", "a"], ["a"]]


def test_a_poison_record_is_bisected_alone_and_costs_no_attempt_on_the_way(world) -> None:
    """Both halves are tried, one after the other, and nothing else joins them; two retries are for the one record."""
    cloud = world(POISON, RESOURCES, overrides=mapped(MaximumRetryAttempts=2, BatchSize=8))
    put(*"abcdepgh", *"xyz")
    cloud.run()
    assert printed(cloud) == [
        list("abcdepgh"),
        list("abcd"),
        list("epgh"),
        list("ep"),
        ["e"],
        ["p"],
        ["p"],
        ["p"],
        ["g", "h"],
        list("xyz"),
    ]
    [record] = stored()
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1
    [lost] = json.loads(record["payload"])["Records"]
    assert lost["dynamodb"]["NewImage"]["id"]["S"] == "p"
    assert cloud.mappings.behind("Mapping") == 0


def test_without_bisect_the_same_records_come_again_and_new_ones_wait(world) -> None:
    """Until the attempts are over; then all of them are given up, and the new ones pass."""
    settings = mapped(BisectBatchOnFunctionError=False, MaximumRetryAttempts=1)
    cloud = world(POISON, RESOURCES, overrides=settings)
    put(*"apb")
    cloud.advance(0.5)
    put("n")
    cloud.run()
    assert printed(cloud) == [["a", "p", "b"], ["a", "p", "b"], ["n"]]
    [record] = stored()
    assert (record["DDBStreamBatchInfo"]["batchSize"], record["requestContext"]["approximateInvokeCount"]) == (3, 2)


def test_a_record_that_is_too_old_is_never_sent_and_goes_to_the_bucket(world) -> None:
    """The poison record holds up what was written with it for an hour: that is too old by then too."""
    cloud = world(POISON, RESOURCES)
    start = cloud.now
    put(*"abcpxyz")
    cloud.advance(1800)
    put("young")
    cloud.run()
    assert 3600 < cloud.now - start < 3700
    records = [each for record in stored() for each in json.loads(record["payload"])["Records"]]
    assert sorted(each["dynamodb"]["Keys"]["id"]["S"] for each in records) == list("pxyz")
    assert {record["requestContext"]["condition"] for record in stored()} == {"RecordAgeExceeded"}
    assert printed(cloud)[-1] == ["young"]


def test_without_limits_a_record_blocks_until_the_stream_has_lost_it(world) -> None:
    """24 hours; nobody is told, so the run ends, and the next record passes."""
    settings = mapped(MaximumRecordAgeInSeconds=-1, MaximumRetryAttempts=-1)
    cloud = world(POISON, RESOURCES, overrides=settings)
    start = cloud.now
    put("p")
    cloud.run()
    assert 86_400 < cloud.now - start < 86_500
    assert [row.what for row in cloud.trace.select("discard")] == ["Expired"]
    assert stored() == []
    put("a")
    cloud.run()
    assert printed(cloud)[-1] == ["a"]


def test_a_queue_is_told_where_the_records_stand_and_not_what_they_are(world) -> None:
    """AWS's record for SQS, field by field: to look them up one has 24 hours."""
    settings = mapped(MaximumRetryAttempts=1, BatchSize=1, DestinationConfig=TO_QUEUE)
    cloud = world(POISON, RESOURCES, overrides=settings)
    put("p")
    cloud.run()
    [message] = cloud.queues.messages("dead")
    body = json.loads(message.body)
    request, timestamp, where = (
        body["requestContext"].pop("requestId"),
        body.pop("timestamp"),
        body["DDBStreamBatchInfo"],
    )
    assert len(request) == 36 and timestamp.endswith("Z")
    assert where.pop("startSequenceNumber") == where.pop("endSequenceNumber")
    assert where.pop("shardId").startswith("shardId-")
    stream = boto3.client("dynamodb").describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    first = "2026-01-05T09:00:00Z"
    assert body == {
        "requestContext": {
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:app",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {
            "approximateArrivalOfFirstRecord": first,
            "approximateArrivalOfLastRecord": first,
            "batchSize": 1,
            "streamArn": stream,
        },
    }


def test_a_topic_is_told_what_a_queue_is_told(world) -> None:
    """Through whatever publishes for this cloud."""
    topic = "arn:aws:sns:us-east-1:123456789012:news"
    settings = mapped(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}})
    cloud = world(POISON, RESOURCES, overrides=settings)
    published: list[tuple[str, str]] = []
    cloud.functions.destinations.publish = lambda arn, message, source: published.append((arn, message))
    put("p")
    cloud.run()
    [(arn, message)] = published
    assert arn == topic and "payload" not in json.loads(message)
    assert json.loads(message)["DDBStreamBatchInfo"]["batchSize"] == 1


def test_a_destination_that_is_gone_loses_the_record_and_says_so(world) -> None:
    """The shard moves on all the same."""
    cloud = world(POISON, RESOURCES, overrides=mapped(MaximumRetryAttempts=0, DestinationConfig=TO_QUEUE))
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="dead")["QueueUrl"])
    put("p", "a")
    cloud.run()
    assert [row.what for row in cloud.trace.select("destination")] == ["not there: lost"]
    assert printed(cloud)[-1] == ["a"]


def test_a_named_sequence_number_is_where_the_stream_starts_again(world) -> None:
    """The ones before it are done with, it and the ones after it come again, bisect or not."""
    answer = (
        "first = [r for r in event['Records'] if r['dynamodb']['Keys']['id']['S'] == 'c']\n"
        "    import time\n"
        "    if first and time.time() < float(__import__('os').environ.get('UNTIL', 0)) + 1767603610:\n"
        "        return {'batchItemFailures': [{'itemIdentifier': first[0]['dynamodb']['SequenceNumber']}]}"
    )
    cloud = world(PRINT % answer, RESOURCES)
    put(*"abcd")
    cloud.run()
    seen = printed(cloud)
    assert seen[0] == ["a", "b", "c", "d"]
    assert all(ids == ["c", "d"] for ids in seen[1:])
    assert 2 <= len(seen) < 10


def test_the_lowest_of_several_sequence_numbers_counts_and_the_attempts_begin_with_it(world) -> None:
    """Recorded: three retries are four invocations, the whole batch's one among them, and no function error."""
    answer = (
        "bad = [r for r in event['Records'] if r['dynamodb']['Keys']['id']['S'] in 'bd']\n"
        "    return {'batchItemFailures': [{'itemIdentifier': r['dynamodb']['SequenceNumber']} for r in bad[::-1]]}"
    )
    settings = mapped(MaximumRetryAttempts=3, DestinationConfig=TO_QUEUE)
    cloud = world(PRINT % answer, RESOURCES, overrides=settings)
    put(*"abc")
    cloud.run()
    assert printed(cloud) == [["a", "b", "c"], ["b", "c"], ["b", "c"], ["b", "c"]]
    record = json.loads(cloud.queues.messages("dead")[0].body)
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert record["responseContext"]["functionError"] is None


def test_an_identifier_that_is_not_of_the_batch_fails_the_whole_batch(world) -> None:
    """Everything comes again, in halves, until it was tried too often."""
    cloud = world(
        PRINT % "return {'batchItemFailures': [{'itemIdentifier': 'nobody'}]}",
        RESOURCES,
        overrides=mapped(MaximumRetryAttempts=1),
    )
    put("a", "b")
    cloud.run()
    assert printed(cloud) == [["a", "b"], ["a"], ["a"], ["b"], ["b"]]
    assert len(stored()) == 2


def test_answers_are_read_as_for_queues(world) -> None:
    """Recorded: nobody named is a success; an empty, null or misspelt identifier fails, and so does what is no object.

    Here the record is the answer.
    """
    cloud = world(PRINT % "return json.loads(ids[0])", RESOURCES, overrides=mapped(MaximumRetryAttempts=0, BatchSize=1))
    put("null", "{}", '{"batchItemFailures": []}', '{"batchItemFailures": null}')
    cloud.run()
    assert stored() == []
    named = ({"itemIdentifier": ""}, {"itemIdentifier": None}, {"itemIdentifier": 7}, {"foo": 123}, {"foo": None})
    put("[]", *(json.dumps({"batchItemFailures": [each]}) for each in named))
    cloud.run()
    assert len(stored()) == 6


def test_only_what_a_filter_matches_is_sent_and_the_rest_is_passed_over(world) -> None:
    """The whole pattern language, on the record; what is passed over is not waited for, nor tried again."""
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"id": {"S": [{"prefix": "b"}, {"suffix": "!"}]}}}}
    filters = {"Filters": [{"Pattern": json.dumps(pattern)}, {"Pattern": '{"eventName": ["REMOVE"]}'}]}
    app = PRINT % "assert ids != ['b1', 'b2', 'a!'] or len(json.dumps(event)) < 0"
    cloud = world(app, RESOURCES, overrides=mapped(FilterCriteria=filters, BatchSize=3))
    put("a", "b1", "c", "b2", "a!", "d", "b1")
    boto3.client("dynamodb").delete_item(TableName="orders", Key={"id": {"S": "c"}})
    cloud.run()
    assert printed(cloud) == [["b1", "b2", "a!"], ["b1"], ["b2", "a!"], ["c"]]
    assert cloud.mappings.behind("Mapping") == 0


def test_the_records_of_a_transaction_come_together_in_its_order(world) -> None:
    """One write of four items."""
    cloud = world(PRINT % "", RESOURCES)
    items = [{"Put": {"TableName": "orders", "Item": {"id": {"S": name}}}} for name in "dacb"]
    boto3.client("dynamodb").transact_write_items(TransactItems=items)
    cloud.run()
    assert printed(cloud) == [list("dacb")]


def test_two_readers_of_one_stream_are_independent(world) -> None:
    """One is blocked by a poison record; the other reads on."""
    more = """
Other:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: other, Handler: app.other}
OtherMapping:
  Type: AWS::Lambda::EventSourceMapping
  Properties: {EventSourceArn: !GetAtt Table.StreamArn, FunctionName: !Ref Other, StartingPosition: LATEST}
"""
    cloud = world(POISON + "\ndef other(event, context):\n    pass\n", RESOURCES + more)
    put("p")
    cloud.advance(60)
    put("a")
    cloud.advance(60)
    assert cloud.mappings.behind("OtherMapping") == 0 and cloud.mappings.behind("Mapping") == 2
    assert len([row for row in cloud.trace.select("end") if row.actor == "Other"]) == 2


def test_a_full_batch_does_not_wait_for_its_window(world) -> None:
    """Three records in a window of five minutes with a batch size of 3; a fourth waits."""
    cloud = world(PRINT % "", RESOURCES, overrides=mapped(BatchSize=3, MaximumBatchingWindowInSeconds=300))
    put("a", "b")
    cloud.advance(100)
    put("c", "d")
    cloud.advance(1)
    assert printed(cloud) == [["a", "b", "c"]]
    cloud.run()
    assert printed(cloud) == [["a", "b", "c"], ["d"]] and cloud.now - cloud.trace.start > 400


def test_a_throttled_batch_is_not_split_and_counts_no_attempt(world) -> None:
    """It comes again, whole."""
    resources = RESOURCES.replace("Handler: app", "ReservedConcurrentExecutions: 0, Handler: app")
    cloud = world(PRINT % "", resources, overrides=mapped(MaximumRetryAttempts=0))
    put("a", "b")
    cloud.advance(10)
    assert cloud.trace.select("throttled") and not stored()
    boto3.client("lambda").delete_function_concurrency(FunctionName="app")
    cloud.run()
    assert printed(cloud) == [["a", "b"]]


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"StartingPosition": None}, "Value null at 'startingPosition'"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "Unsupported starting position for arn type: arn:aws:dynamodb"),
        ({"BatchSize": 10_001}, "BatchSize 10001 is not between 1 and 10000"),
        ({"MaximumRecordAgeInSeconds": 59}, "MaximumRecordAgeInSeconds 59"),
        ({"MaximumRetryAttempts": -2}, "MaximumRetryAttempts -2"),
        ({"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds 301"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "single-string"}]}}, "Invalid filter pattern definition."),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:lambda:r:1:function:f"}}}, "is no queue, topic"),
    ],
)
def test_settings_that_aws_refuses_name_the_mapping(properties: dict[str, Any], words: str) -> None:
    """One error that says which mapping and what of it."""
    with pytest.raises(Refusal) as caught:
        read("Relay", {"EventSourceArn": STREAM, "FunctionName": "f", "StartingPosition": "LATEST", **properties})
    assert caught.value.message.startswith("Relay: ") and words in caught.value.message


@pytest.mark.parametrize(
    "properties", [{"ParallelizationFactor": 2}, {"TumblingWindowInSeconds": 30}, {"ScalingConfig": {}}, {"Topics": []}]
)
def test_settings_that_are_not_honoured_are_refused_by_name(properties: dict[str, Any]) -> None:
    """Never ignored."""
    with pytest.raises(NotYet, match=next(iter(properties))):
        read("Relay", {"EventSourceArn": STREAM, "FunctionName": "f", "StartingPosition": "LATEST", **properties})


def test_a_wrong_stream_mapping_stops_the_stack(world) -> None:
    """With its logical id."""
    with pytest.raises(TemplateError, match="Mapping: BatchSize 0 is not between 1 and 10000"):
        world(PRINT % "", RESOURCES, overrides=mapped(BatchSize=0))


def test_a_cloud_that_is_emptied_reads_the_same_history_again(world) -> None:
    """Halves, attempts and answers from before are forgotten."""
    cloud = world(POISON, RESOURCES, overrides=mapped(MaximumRetryAttempts=3), seed=4)

    def history() -> str:
        put(*"abpcd")
        cloud.run()
        return cloud.trace.text()

    first = history()
    cloud.reset()
    put("p", "q")
    cloud.advance(2)  # in the middle of a retry
    cloud.reset()
    assert history() == first
