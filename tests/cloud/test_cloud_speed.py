"""What is remembered changes no answer: the same calls, with and without."""

import dataclasses

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.backends import get_backend
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from orderlab.cloud import speed
from orderlab.cloud.guard import ACCOUNT

ITEM = {"id": {"S": "a"}, "n": {"N": "1"}, "l": {"L": [{"BOOL": True}, {"NULL": True}]}, "b": {"B": b"\x00\xff"}}
NAMES = {"ConditionExpression": "attribute_not_exists(id)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def answers() -> list:
    """One of each call that the order system makes on a table, a bucket and a queue."""
    with mock_aws():
        table = boto3.client("dynamodb", region_name="us-east-1")
        table.create_table(
            TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )  # fmt: skip
        update = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
        seen = [
            table.put_item(TableName="t", Item=ITEM, ReturnValues="ALL_OLD"),
            table.put_item(TableName="t", Item=ITEM, ReturnValues="ALL_OLD"),
            table.get_item(TableName="t", Key={"id": {"S": "a"}}),
            table.get_item(TableName="t", Key={"id": {"S": "nobody"}}),
            table.update_item(TableName="t", Key={"id": {"S": "a"}}, ReturnValues="ALL_NEW", **update),
            table.batch_get_item(RequestItems={"t": {"Keys": [{"id": {"S": "a"}}]}}),
            table.scan(TableName="t"),
            table.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": {"id": {"S": "b"}}}}]),
            table.delete_item(TableName="t", Key={"id": {"S": "a"}}, ReturnValues="ALL_OLD"),
        ]
        with pytest.raises(ClientError) as refused:
            table.put_item(TableName="t", Item={"id": {"S": "b"}}, **NAMES)
        seen.append(refused.value.response)
        bucket = boto3.client("s3", region_name="us-east-1")
        bucket.create_bucket(Bucket="bucket")
        bucket.put_object(Bucket="bucket", Key="k/1", Body=b"x")
        seen.append({"Keys": [o["Key"] for o in bucket.list_objects_v2(Bucket="bucket", Prefix="k/")["Contents"]]})
        seen.append({"Url": boto3.client("sqs", region_name="us-east-1").create_queue(QueueName="q")["QueueUrl"]})
        return [{k: v for k, v in answer.items() if k != "ResponseMetadata"} for answer in seen]


def test_the_same_answers_with_and_without() -> None:
    """Rows, binary values, absent rows, errors with the row in the way, keys of objects."""
    plain = answers()
    speed.install()
    try:
        assert answers() == plain
        assert answers() == plain  # what is remembered serves a second world as well
    finally:
        speed.uninstall()
    assert plain[2]["Item"]["b"] == {"B": b"\x00\xff"}


def test_what_was_replaced_is_put_back() -> None:
    """Installing twice and removing once leaves nothing behind."""
    import botocore.client
    import botocore.regions

    before = botocore.client.ClientCreator._create_client_class, botocore.regions.EndpointProvider
    speed.install()
    speed.install()
    assert botocore.regions.EndpointProvider is not before[1]
    speed.uninstall()
    assert (botocore.client.ClientCreator._create_client_class, botocore.regions.EndpointProvider) == before


def test_moto_keeps_no_row_that_is_gone() -> None:
    """Ten thousand orders later the process holds what its tables hold, and no more."""

    def kept() -> int:
        before = len(Item.instances_tracked)
        Item(DynamoType({"S": "a"}), None, {})
        return len(Item.instances_tracked) - before

    speed.install()
    try:
        assert kept() == 0
    finally:
        speed.uninstall()
    assert kept() == 1  # moto's own way is back


def test_python_looks_for_garbage_as_before_when_the_cloud_is_closed(world) -> None:
    """While it is open it looks less often; what a learner had set comes back."""
    import gc

    before = gc.get_threshold()
    cloud = world("def handler(event, context): pass", "App: {Type: AWS::SQS::Queue}")
    assert gc.get_threshold()[0] > before[0]
    assert gc.get_freeze_count() > 0
    cloud.close()
    assert gc.get_threshold() == before


def test_addresses_are_read_anew_when_a_setting_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3's addresses are moto's own, and with another endpoint in the settings others; back again, the first."""
    bucket = get_backend("s3")[ACCOUNT]["aws"]
    plain = bucket.urls
    speed.install()
    try:
        assert bucket.urls == plain and bucket.urls is bucket.urls
        monkeypatch.setenv("MOTO_S3_CUSTOM_ENDPOINTS", "http://s3.local.org:456")
        assert any("s3.local.org" in url for url in bucket.urls)
        monkeypatch.delenv("MOTO_S3_CUSTOM_ENDPOINTS")
        assert bucket.urls == plain
    finally:
        speed.uninstall()


def test_a_dataclass_is_what_it_is_without() -> None:
    """Frozen, ordered, with defaults: the same methods with the same bodies, and each class has its own globals."""

    def made() -> type:
        space: dict[str, object] = {"__name__": "somewhere", "field": dataclasses.field}
        exec("class Point:\n x: int\n y: list = field(default_factory=list, compare=False)", space)
        return dataclasses.dataclass(frozen=True, order=True)(space["Point"])  # type: ignore[call-overload,no-any-return]

    plain = made()
    speed.install()
    try:
        quick = [made(), made()]
        assert "exec" in vars(dataclasses)
    finally:
        speed.uninstall()
    assert "exec" not in vars(dataclasses)
    for each in quick:
        own = {name for name, value in vars(each).items() if callable(value)}
        assert own == {name for name, value in vars(plain).items() if callable(value)}
        assert all(getattr(vars(each)[n], "__code__", n) == getattr(vars(plain)[n], "__code__", n) for n in own)
        assert each(1) == each(1, [2]) < each(2) and repr(each(1)) == repr(plain(1))
        with pytest.raises(dataclasses.FrozenInstanceError):
            each(1).x = 2
    assert quick[0](1) != quick[1](1) and quick[0](1).y is not quick[0](1).y
