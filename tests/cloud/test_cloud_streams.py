"""Streams: in order, one invocation at a time, and nothing passes a record that fails."""

import json

import boto3

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


def put(*ids: str, **more: str) -> None:
    table = boto3.client("dynamodb")
    for name in ids:
        table.put_item(TableName="orders", Item={"id": {"S": name}, **{key: {"S": more[key]} for key in more}})


def printed(cloud) -> list[list[str]]:
    return [json.loads(row.what) for row in cloud.trace.select("log")]


def test_records_arrive_in_order_with_their_images(world) -> None:
    """What was written before the mapping looked is read too: TRIM_HORIZON."""
    cloud = world(PRINT % "print(json.dumps([event['Records'][-1]['dynamodb']['OldImage']['id']['S']]))", RESOURCES)
    put(*"abc")
    put("a", color="red")
    cloud.run()
    assert printed(cloud) == [["a", "b", "c", "a"], ["a"]]


def test_a_poison_record_is_bisected_alone_and_then_given_to_the_bucket_whole(world) -> None:
    """Its neighbours wait, pass, and lose nothing; after an hour it lies in S3 with its images."""
    cloud = world(PRINT % "assert 'p' not in ids, 'poison'", RESOURCES)
    start = cloud.now
    put(*"abcpxyz")
    cloud.run()
    passed = {ids[0] for ids in printed(cloud) if "p" not in ids}
    assert {"a", "x"} <= passed
    assert 3600 < cloud.now - start < 3800
    s3 = boto3.client("s3")
    [found] = s3.list_objects_v2(Bucket="failed")["Contents"]
    assert found["Key"].startswith("aws/lambda/Mapping/shardId-")
    record = json.loads(s3.get_object(Bucket="failed", Key=found["Key"])["Body"].read())
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["DDBStreamBatchInfo"]["batchSize"] == 1
    [lost] = json.loads(record["payload"])["Records"]
    assert lost["dynamodb"]["NewImage"]["id"]["S"] == "p"
    assert cloud.streams.behind("Mapping") == 0


def test_a_named_sequence_number_is_where_the_stream_starts_again(world) -> None:
    """The ones before it are done with, it and the ones after it come again."""
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


def test_an_identifier_that_is_not_of_the_batch_fails_the_whole_batch(world) -> None:
    """Everything comes again, until it is too old."""
    cloud = world(PRINT % "return {'batchItemFailures': [{'itemIdentifier': 'nobody'}]}", RESOURCES)
    put("a")
    cloud.run()
    assert len(printed(cloud)) > 10
    assert len(boto3.client("s3").list_objects_v2(Bucket="failed")["Contents"]) == 1
