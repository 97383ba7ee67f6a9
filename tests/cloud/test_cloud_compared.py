"""Each piece of moto and botocore that is replaced, against the original: random operations, the same answers.

What AWS does otherwise than moto is kept out of the histories, or taken out of moto's side by name: see `of_aws`.
"""

import datetime
import itertools
import json
import random
import types
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.client
import botocore.regions
import botocore.session
import moto.cloudformation.models
import moto.core.responses
import moto.core.utils
import pytest
import yaml
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.backends import get_backend
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import StreamShard
from moto.dynamodb.responses import DynamoHandler
from moto.sqs.responses import SQSResponse

from orderlab.cloud import clock, speed
from orderlab.cloud.cloud import START
from orderlab.cloud.stack import formation
from orderlab.cloud.tables import records, tokens, transactions

REGION = "us-east-1"
TABLE = {
    "TableName": "t",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "part", "AttributeType": "N"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


@pytest.fixture
def replaced() -> Iterator[Callable[[], None]]:
    """A function that puts all of the replacements in place; afterwards the originals are back."""

    def install() -> None:
        speed.install()
        transactions.install()
        tokens.install(tokens.Tokens(lambda: START))
        records.install()

    yield install
    for piece in (speed, transactions, tokens, records):
        piece.uninstall()


# ------------------------------------------------------------------------------------------------------------ DynamoDB


def value(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """Any attribute value: text of any script, empty ones, numbers, bytes, sets, lists and maps."""
    kinds = ["S", "S", "N", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["L", "M"] if depth < 2 else [])
    kind = rng.choice(kinds)
    text = "".join(rng.choices('aé漢😀"\\\n {}', k=rng.randint(0, 5)))
    number = rng.choice(["0", "-1", "1.5", "1E+10", "12345678901234567890", "0.1"])
    some = range(rng.randint(0, 3))
    return {
        kind: {
            "S": lambda: text,
            "N": lambda: number,
            "B": lambda: rng.randbytes(rng.randint(0, 4)),
            "BOOL": lambda: rng.random() < 0.5,
            "NULL": lambda: True,
            "SS": lambda: ["x", "y" + text],
            "NS": lambda: ["1", "2.5"],
            "BS": lambda: [b"\x00", rng.randbytes(3)],
            "L": lambda: [value(rng, depth + 1) for _ in some],
            "M": lambda: {f"k{n}": value(rng, depth + 1) for n in some},
        }[kind]()
    }


def key(rng: random.Random) -> dict[str, Any]:
    return {"id": {"S": rng.choice("ab")}, "part": {"N": str(rng.randint(0, 2))}}


def action(rng: random.Random, where: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A write as a transaction has it: its kind and its parameters."""
    kind = rng.choice(["Put", "Update", "Delete", "ConditionCheck"])
    made: dict[str, Any] = {"TableName": "t"}
    if kind == "Put":
        made["Item"] = {**where, "v": {"N": str(rng.randint(0, 9))}, "x": value(rng)}
    else:
        made["Key"] = where
    if kind == "Update":
        made["UpdateExpression"] = rng.choice(["ADD v :one", "SET x = :one, y = :one", "REMOVE x SET z = :one"])
        made["ExpressionAttributeValues"] = {":one": {"N": "1"}}
    if kind == "ConditionCheck" or rng.random() < 0.4:
        made["ConditionExpression"] = rng.choice(["attribute_exists(id)", "attribute_not_exists(v)"])
        if rng.random() < 0.5:
            made["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return kind, made


def answer(call: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any]:
    """What boto3 returned, or raised; without what differs from request to request."""
    try:
        told = call(**parameters)
    except ClientError as error:
        told = {**error.response, "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    return {name: part for name, part in told.items() if name != "ResponseMetadata"}


def stream() -> list[tuple[Any, ...]]:
    shard = get_backend("dynamodb")["123456789012"][REGION].tables["t"].stream_shard
    found = [(item.record["eventName"], item.record["dynamodb"]) for item in shard.items]
    return [(name, told["Keys"], told.get("OldImage"), told.get("NewImage")) for name, told in found]


def of_aws(told: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """moto's stream without its two slips: the key alone before an INSERT by UpdateItem, a MODIFY that is none."""
    following = [*told[1:], None]
    return [
        record
        for record, after in zip(told, following, strict=True)
        if not (record[0] == "INSERT" and record[3] == record[1] and after and after[:2] == record[:2])
        and not (record[0] == "MODIFY" and record[2] == record[3])
    ]


def history_of_a_table(seed: int) -> list[Any]:
    """120 random operations on a table, each with its answer; the rows and the stream records in the end."""
    rng, seen = random.Random(seed), []
    with mock_aws():
        table = boto3.client("dynamodb", region_name=REGION)
        table.create_table(**TABLE)
        for _ in range(120):
            choice = rng.random()
            if choice < 0.35:
                places = [{"id": {"S": i}, "part": {"N": str(n)}} for i in "ab" for n in range(3)]
                where = rng.sample(places, rng.randint(1, 4))
                actions = [{kind: made} for kind, made in (action(rng, place) for place in where)]
                if rng.random() < 0.1:
                    actions.append(actions[0])
                seen.append(answer(table.transact_write_items, TransactItems=actions))
            elif choice < 0.75:
                kind, made = action(rng, key(rng))
                if kind == "ConditionCheck":
                    continue
                calls = {"Put": table.put_item, "Update": table.update_item, "Delete": table.delete_item}
                seen.append(answer(calls[kind], **made, ReturnValues=rng.choice(["NONE", "ALL_OLD"])))
            elif choice < 0.85:
                seen.append(answer(table.get_item, TableName="t", Key=key(rng)))
            elif choice < 0.95:
                names = {"ExpressionAttributeNames": {"#i": "id"}, "ExpressionAttributeValues": {":i": {"S": "a"}}}
                seen.append(answer(table.query, TableName="t", KeyConditionExpression="#i = :i", **names))
            else:
                seen.append(answer(table.batch_get_item, RequestItems={"t": {"Keys": [key(rng)]}}))
        seen += [answer(table.scan, TableName="t"), of_aws(stream())]
    return seen


def test_a_table_answers_as_moto_s_own_on_random_operations(replaced, scale: str) -> None:
    """Rows of all types, conditions with the row in the way, cancelled transactions, stream records: all the same."""
    seeds = range(40 if scale == "all" else 2)
    plain = [history_of_a_table(seed) for seed in seeds]
    replaced()
    assert [history_of_a_table(seed) for seed in seeds] == plain
    reasons = [
        r["Code"]
        for seen in plain
        for told in seen
        if "CancellationReasons" in told
        for r in told["CancellationReasons"]
    ]
    assert {"None", "ConditionalCheckFailed"} == set(reasons) and len(reasons) > 20


def test_the_names_of_moto_s_tables_that_are_leant_on_are_there() -> None:
    """A canary: what is replaced, and what is read of a table, its stream and its rows."""
    assert {"transact_write_items", "update_item", "update_time_to_live", "get_table"} <= set(vars(DynamoDBBackend))
    assert "transact_write_items" in vars(DynamoHandler) and "add" in vars(StreamShard)
    with mock_aws():
        boto3.client("dynamodb", region_name=REGION).create_table(**TABLE)
        backend = get_backend("dynamodb")["123456789012"][REGION]
        table = backend.tables["t"]
        for name in ("items", "ttl", "stream_shard", "billing_mode", "table_key_attrs", "hash_key_attr",
                     "hash_key_type", "range_key_attr", "range_key_type", "delete_item"):  # fmt: skip
            assert hasattr(table, name), name
        item = backend.put_item("t", {"id": {"S": "a"}, "part": {"N": "1"}})
        assert table.items[item.hash_key][item.range_key] is item
        assert (item.attrs["part"].type, item.attrs["part"].value) == ("N", "1")
        assert table.stream_shard.items[0].record["dynamodb"]["Keys"] == {"id": {"S": "a"}, "part": {"N": "1"}}


# -------------------------------------------------------------------------------------------------------------- queues

QUEUES = """
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
Work:
  Type: AWS::SQS::Queue
  Properties:
    QueueName: work
    VisibilityTimeout: 30
    RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
"""


def history_of_queues(seed: int, advance: Callable[[float], None]) -> list[Any]:
    """Random calls on two queues by boto3; ids and handles are named after the bodies they belong to."""
    rng, seen = random.Random(seed), []
    queues = boto3.client("sqs", region_name=REGION)
    urls = {name: queues.get_queue_url(QueueName=name)["QueueUrl"] for name in ("work", "dead")}
    handles: dict[str, tuple[str, str]] = {}
    ids: dict[str, str] = {}

    def told(message: dict[str, Any]) -> dict[str, Any]:
        ids.setdefault(message["Body"], message["MessageId"])
        assert ids[message["Body"]] == message["MessageId"]
        kept = {name: part for name, part in message.items() if name not in ("MessageId", "ReceiptHandle")}
        kept["Attributes"] = {
            k: v for k, v in kept["Attributes"].items() if k not in ("SenderId", "DeadLetterQueueSourceArn")
        }
        return kept

    for step in range(80):
        advance(0.5001 + rng.randrange(1000) / 1000)  # never at the very end of a timeout
        kind, name = (
            rng.choice(["send", "send", "batch", "receive", "receive", "delete", "hide"]),
            rng.choice(["work", "dead"]),
        )
        if kind == "send":
            attributes = {
                "text": {"DataType": "String", "StringValue": "é漢 &<"},
                "number": {"DataType": "Number.int", "StringValue": str(rng.randint(0, 9))},
                "bytes": {"DataType": "Binary", "BinaryValue": rng.randbytes(4)},
            }
            some = dict(rng.sample(sorted(attributes.items()), rng.randint(0, 3)))
            delay = rng.choice([0, 0, 5])
            parameters = {"MessageBody": f"m{step} é &<", "DelaySeconds": delay, "MessageAttributes": some}
            made = answer(queues.send_message, QueueUrl=urls["work"], **parameters)
            ids[f"m{step} é &<"] = made.pop("MessageId")
            seen.append(made)
        elif kind == "batch":
            entries = [{"Id": f"e{n}", "MessageBody": f"b{step}-{n}"} for n in range(rng.randint(1, 3))]
            made = answer(queues.send_message_batch, QueueUrl=urls[name], Entries=entries)
            seen.append([{k: v for k, v in entry.items() if k != "MessageId"} for entry in made["Successful"]])
        elif kind == "receive":
            found: list[dict[str, Any]] = []
            wanted = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"], "MaxNumberOfMessages": 10}
            while more := queues.receive_message(QueueUrl=urls[name], **wanted).get("Messages"):
                found += more
            handles.update({message["Body"]: (name, message["ReceiptHandle"]) for message in found})
            seen.append(sorted(map(told, found), key=lambda message: message["Body"]))
        elif handles:
            body = rng.choice(sorted(handles))
            place, handle = handles.pop(body) if kind == "delete" else handles[body]
            if kind == "delete":
                queues.delete_message(QueueUrl=urls[place], ReceiptHandle=handle)
            else:
                hide = {"ReceiptHandle": handle, "VisibilityTimeout": rng.choice([2, 60])}
                told_of = answer(queues.change_message_visibility, QueueUrl=urls[place], **hide)
                seen.append(told_of.get("Error", {}).get("Code", "done"))
        for url in urls.values():
            counts = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            seen.append({k: v for k, v in counts.items() if k.startswith("Approximate")})
    return seen


@pytest.mark.parametrize("seed", range(2))
def test_queues_answer_boto3_as_moto_s_own_do(world, seed: int) -> None:
    """Bodies, md5s, attributes, receive counts and times, dead letters, and all counts after every call.

    moto hides a message still at the very end of its timeout, so no call is made at such an instant.
    """
    now = [START]

    def later(seconds: float) -> None:
        now[0] += seconds

    clock.install(lambda: now[0])
    try:
        with mock_aws():
            queues = boto3.client("sqs", region_name=REGION)
            queues.create_queue(QueueName="dead")
            policy = json.dumps(
                {"deadLetterTargetArn": f"arn:aws:sqs:{REGION}:123456789012:dead", "maxReceiveCount": 3}
            )
            queues.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "30", "RedrivePolicy": policy})
            plain = history_of_queues(seed, later)
    finally:
        clock.uninstall()
    cloud = world("", QUEUES)
    ours = history_of_queues(seed, cloud.advance)
    for step, (mine, theirs) in enumerate(zip(ours, plain, strict=True)):
        assert mine == theirs, step


# --------------------------------------------------------------------------------------------------------------- clock


@given(st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2100, 1, 1)))
@settings(max_examples=200, deadline=None)
def test_the_clock_s_three_functions_compute_as_moto_s_own(moment: datetime.datetime) -> None:
    """An instant as seconds, as milliseconds and as a date without a zone; to the microsecond, as dates are."""
    plain = (moto.core.utils.unix_time(moment), moto.core.utils.unix_time_millis(moment))
    now = (moment - datetime.datetime(1970, 1, 1)).total_seconds()
    clock.install(lambda: now)
    try:
        assert moto.core.utils.unix_time(moment) == pytest.approx(plain[0], abs=1e-6)
        assert moto.core.utils.unix_time_millis(moment) == pytest.approx(plain[1], abs=1e-3)
        assert moto.core.utils.unix_time() == now
        assert moto.core.utils.unix_time_millis() == now * 1000
        here = moto.core.utils.utcnow()
        assert abs(here - moment) <= datetime.timedelta(microseconds=1) and here.tzinfo is None
    finally:
        clock.uninstall()


# ------------------------------------------------------------------------------------------------------ CloudFormation

# Beyond U+FFFF json.dumps writes two halves, which PyYAML leaves as halves: there JSON is right.
names = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("Cc", "Cs")), max_size=8)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(names, documents, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_template_in_json_is_read_as_the_yaml_that_it_is(document: dict[str, Any]) -> None:
    """Every JSON template is YAML: which of the two it is read as makes no difference. All else is read as YAML."""
    reader = formation._JsonFirst()
    text = json.dumps(document)
    assert (
        reader.load(text, Loader=moto.cloudformation.models.yaml.Loader)
        == yaml.load(text, Loader=yaml.Loader)
        == document
    )
    plain = yaml.safe_dump({"Resources": document})
    assert reader.load(plain, Loader=yaml.Loader) == yaml.load(plain, Loader=yaml.Loader)


# --------------------------------------------------------------------------------------------------- boto3's own pieces


@pytest.mark.parametrize("service", ["dynamodb", "sqs", "s3"])
def test_a_client_has_the_same_methods_and_finds_the_same_endpoints(replaced, service: str) -> None:
    """Its class is made once, its endpoint rules are read once; for any region, and for any bucket."""
    regions = ["us-east-1", "eu-west-1", "cn-north-1"]

    def made() -> list[Any]:
        session, found = botocore.session.Session(), []
        for region in regions:
            client = session.create_client(
                service, region_name=region, aws_access_key_id="x", aws_secret_access_key="y"
            )
            methods = sorted(name for name in dir(client) if not name.startswith("_"))
            resolver = client._ruleset_resolver
            found.append((methods, type(client).__mro__[1:], client.meta.endpoint_url, client.waiter_names))
            operation = client.meta.service_model.operation_model(
                {"s3": "GetObject"}.get(service, client.meta.service_model.operation_names[0])
            )
            for bucket in ("plain", "with.dots") if service == "s3" else ("",):
                parameters = {"Bucket": bucket, "Key": "k"} if bucket else {}
                told = resolver.construct_endpoint(operation, parameters, {"client_region": region})
                found.append((told.url, told.properties, told.headers))
        return found

    def comparable(found: list[Any]) -> list[Any]:
        return [tuple(str(part) if isinstance(part, tuple) else part for part in entry) for entry in found]

    plain = made()
    replaced()
    assert comparable(made()) == comparable(plain)
    assert comparable(made()) == comparable(plain)


def test_moto_s_names_are_taken_apart_as_before(replaced) -> None:
    """All operations of the services used, and the methods that answer them."""
    session = botocore.session.Session()
    operations = itertools.chain.from_iterable(
        session.get_service_model(name).operation_names for name in ("dynamodb", "sqs", "s3", "events", "lambda")
    )
    handlers: list[type] = [DynamoHandler, SQSResponse]
    module: types.ModuleType = moto.core.responses
    asked = list(operations)
    plain = [module.camelcase_to_underscores(name) for name in asked]
    methods = [module.method_names_from_class(handler) for handler in handlers]
    replaced()
    for _ in range(2):  # the second time from memory
        assert [module.camelcase_to_underscores(name) for name in asked] == plain
        assert [module.method_names_from_class(handler) for handler in handlers] == methods
    assert len(set(plain)) > 300
