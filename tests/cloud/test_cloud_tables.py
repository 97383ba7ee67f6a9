"""DynamoDB: transactions, their tokens and limits, what "not now" looks like, stream records, time to live."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orderlab.cloud import Cloud, Faults
from orderlab.cloud.cloud import START
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.wire.answers import NotYet

RESOURCES = """
Rows:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: rows
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
    TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
Parts:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: parts
    ProvisionedThroughput: {ReadCapacityUnits: 5, WriteCapacityUnits: 5}
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: part, AttributeType: N}]
    KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: part, KeyType: RANGE}]
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler, Timeout: 60}
Reader:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: reader, Handler: app.read}
Mapping:
  Type: AWS::Lambda::EventSourceMapping
  Properties:
    {EventSourceArn: !GetAtt Rows.StreamArn, FunctionName: !Ref Reader, StartingPosition: TRIM_HORIZON, BatchSize: 10}
"""
APP = """
import json
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

clients = {name: boto3.client(name, config=Config(read_timeout=5)) for name in ("dynamodb", "lambda")}

def handler(event, context):
    try:
        answer = getattr(clients[event["service"]], event["do"])(**event["with"])
        return {"done": answer.get("Attributes", True)}
    except ClientError as error:
        told = error.response
        status = told["ResponseMetadata"]["HTTPStatusCode"]
        return {"code": told["Error"]["Code"], "status": status, "reasons": told.get("CancellationReasons")}

def read(event, context):
    for record in event["Records"]:
        told = {name: record.get(name) for name in ("eventName", "userIdentity")}
        print(json.dumps([record["dynamodb"]["Keys"]["id"]["S"], told, record["dynamodb"].get("OldImage")]))
"""
ADD = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
COUNT = {"Update": {"TableName": "rows", "Key": {"id": {"S": "a"}}, **ADD}}


@pytest.fixture(scope="module")
def whole(lasting_world) -> Cloud:
    return lasting_world(APP, RESOURCES)


@pytest.fixture
def cloud(whole) -> Cloud:
    whole.reset()
    return whole


def put(id: str, table: str = "rows", **more: dict) -> dict:
    return {"Put": {"TableName": table, "Item": {"id": {"S": id}, **more}}}


def write(*actions: dict, **more: str) -> dict:
    """By a client that lets everything through to DynamoDB."""
    client = boto3.client("dynamodb", config=Config(parameter_validation=False))
    return client.transact_write_items(TransactItems=list(actions), **more)


def refused(*actions: dict, **more: str) -> tuple[str, str, list]:
    """The code, the message and the codes of the reasons."""
    with pytest.raises(ClientError) as caught:
        write(*actions, **more)
    answer = caught.value.response
    return (
        answer["Error"]["Code"],
        answer["Error"]["Message"],
        [r["Code"] for r in answer.get("CancellationReasons", [])],
    )


def row(id: str = "a", table: str = "rows") -> dict | None:
    return boto3.client("dynamodb").get_item(TableName=table, Key={"id": {"S": id}}).get("Item")


def ask(cloud: Cloud, do: str, *, service: str = "dynamodb", **parameters: object) -> dict:
    """Let the function make one call; what came of it."""
    payload = json.dumps({"service": service, "do": do, "with": parameters})
    return json.loads(cloud.client("lambda").invoke(FunctionName="app", Payload=payload)["Payload"].read())


def records(cloud: Cloud) -> list[tuple]:
    shard = cloud.tables.backend.tables["rows"].stream_shard
    return [(i.record["eventName"], i.record["dynamodb"].get("NewImage")) for i in shard.items]


# ------------------------------------------------------------------------------------------------- ClientRequestToken


def test_the_same_request_under_its_token_is_answered_again_and_done_once(cloud) -> None:
    """For ten minutes after the first one has completed; then it is a new request."""
    write(COUNT, ClientRequestToken="t-1")
    cloud.advance(599.999)
    assert write(COUNT, ClientRequestToken="t-1")["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert row()["n"]["N"] == "1" and len(records(cloud)) == 1
    cloud.advance(0.001)
    write(COUNT, ClientRequestToken="t-1")
    assert row()["n"]["N"] == "2"
    cloud.advance(599)
    write(COUNT, ClientRequestToken="t-1")
    assert row()["n"]["N"] == "2"


def test_another_request_under_a_token_in_use_is_a_mismatch(cloud) -> None:
    """Whatever differs, a value or an action; nothing is written."""
    write(COUNT, ClientRequestToken="t-1")
    for other in ([put("a")], [COUNT, put("b")], [{"Update": {**COUNT["Update"], "Key": {"id": {"S": "b"}}}}]):
        assert refused(*other, ClientRequestToken="t-1")[0] == "IdempotentParameterMismatchException"
    write(COUNT, ClientRequestToken="t-2")
    assert (row()["n"]["N"], row("b")) == ("2", None)


def test_a_request_that_was_cancelled_is_not_remembered(cloud) -> None:
    """Its condition holds the next time, and then it is done."""
    guarded = {"Put": {**put("b")["Put"], "ConditionExpression": "attribute_exists(id)"}}
    assert refused(guarded, ClientRequestToken="t-1")[2] == ["ConditionalCheckFailed"]
    write(put("b", old={"S": "x"}))
    write(guarded, ClientRequestToken="t-1")
    assert row("b") == {"id": {"S": "b"}}


def test_boto3_gives_each_call_a_token_of_its_own(cloud) -> None:
    """Two calls with the same parameters count twice."""
    write(COUNT)
    write(COUNT)
    assert row()["n"]["N"] == "2"


def test_an_answer_that_is_lost_and_asked_for_again_by_boto3_counts_once(cloud) -> None:
    """A transaction is repeated under its token. A single ADD has none, and is applied twice: use a condition."""
    for do, parameters, n in (
        ("transact_write_items", {"TransactItems": [COUNT]}, "1"),
        ("update_item", {"TableName": "rows", "Key": {"id": {"S": "a"}}, **ADD}, "2"),
    ):
        cloud.reset(faults=Faults().at_step(1, "lost-response"))
        assert "done" in ask(cloud, do, **parameters)
        assert len(cloud.trace.select("call", actor="App")) == 2
        assert row()["n"]["N"] == n


def test_reset_forgets_the_tokens(cloud) -> None:
    """As new: the same token is a new request."""
    write(COUNT, ClientRequestToken="t-1")
    cloud.reset()
    write(COUNT, ClientRequestToken="t-1")
    assert row()["n"]["N"] == "1"


# ------------------------------------------------------------------------------------------------------------- limits


def test_a_transaction_has_1_to_100_actions(cloud) -> None:
    """Nothing of one that is too long is written."""
    actions = [put(str(n)) for n in range(101)]
    assert refused(*actions)[0:2] == (
        "ValidationException",
        "1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: "
        "Member must have length less than or equal to 100",
    )
    assert "greater than or equal to 1" in refused()[1]
    assert row("0") is None
    write(*actions[:100])
    assert row("99") is not None


def test_a_transaction_has_rows_of_4_mb_in_all(cloud) -> None:
    """Eleven rows of 380,000 bytes fit, twelve do not, and long expressions do not count."""
    rows = [put(str(n), text={"S": "x" * 380_000}) for n in range(12)]
    assert refused(*rows)[0] == "ValidationException"
    assert row("0") is None
    write(*rows[:11])
    assert row("10") is not None


def test_no_two_actions_of_a_transaction_are_on_one_row(cloud) -> None:
    """Not even a check and an update; the same id in another table is another row."""
    check = {"ConditionCheck": {"TableName": "rows", "Key": {"id": {"S": "a"}}, "ConditionExpression": "n > n"}}
    for pair in ((put("a"), put("a")), (check, COUNT)):
        code, message, reasons = refused(put("b"), *pair)
        assert (code, reasons) == ("ValidationException", [])
        assert message == "Transaction request cannot include multiple operations on one item"
    assert row("b") is None
    write(put("a"), put("a", "parts", part={"N": "1"}), put("a", "parts", part={"N": "2"}))


def test_a_token_has_36_characters_at_most(cloud) -> None:
    """One more is refused before anything else is looked at."""
    write(put("a"), ClientRequestToken="x" * 36)
    assert "length less than or equal to 36" in refused(ClientRequestToken="x" * 37)[1]


def test_a_table_that_is_not_there_refuses_the_transaction(cloud) -> None:
    """Whatever the action, and nothing else of it is written."""
    key = {"TableName": "nowhere", "Key": {"id": {"S": "a"}}}
    for action in (put("a", "nowhere"), {"Delete": key}, {"ConditionCheck": {**key, "ConditionExpression": "n > n"}}):
        assert refused(put("b"), action)[0] == "ResourceNotFoundException"
    assert row("b") is None


def test_a_transaction_in_partiql_is_refused_by_name(cloud) -> None:
    """moto's knows no token and no stream: it says so instead of pretending."""
    with pytest.raises(NotYet, match="ExecuteTransaction"):
        boto3.client("dynamodb").execute_transaction(TransactStatements=[{"Statement": "SELECT * FROM rows"}])


def test_what_does_not_fit_the_row_that_is_there_is_a_reason(cloud) -> None:
    """As AWS answers: ValidationError at its action, None at the others, and all is as before."""
    write(put("a", n={"S": "text"}))
    before = records(cloud)
    wrong_key = {"Delete": {"TableName": "rows", "Key": {"id": {"N": "5"}}}}
    long_key = {"Delete": {"TableName": "rows", "Key": {"id": {"S": "a"}, "part": {"N": "5"}}}}
    wrong_row = {"Put": {"TableName": "rows", "Item": {"id": {"N": "5"}}}}
    for action in (COUNT, wrong_key, long_key, wrong_row):
        code, _, reasons = refused(put("b"), action)
        assert (code, reasons) == ("TransactionCanceledException", ["None", "ValidationError"])
    assert (row("b"), row()["n"], records(cloud)) == (None, {"S": "text"}, before)


# ------------------------------------------------------------------------------------------------------------ not now


def test_a_conflict_cancels_a_transaction_at_one_row_and_refuses_a_single_write(cloud) -> None:
    """Nothing is written, and boto3 does not try again by itself."""
    cloud.reset(faults=Faults().at_rate("conflict", 1.0))
    answer = ask(cloud, "transact_write_items", TransactItems=[COUNT, put("b"), put("c")])
    assert answer["code"] == "TransactionCanceledException"
    assert sorted(reason["Code"] for reason in answer["reasons"]) == ["None", "None", "TransactionConflict"]
    assert {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"} in answer["reasons"]
    writes = {"put_item": {"Item": {"id": {"S": "a"}}}, "update_item": {"Key": {"id": {"S": "a"}}, **ADD}}
    for do, parameters in writes.items():
        assert ask(cloud, do, TableName="rows", **parameters)["code"] == "TransactionConflictException"
    assert len(cloud.trace.select("call", actor="App")) == 3
    assert (row(), row("b"), len(cloud.trace.select("fault", contains="conflict"))) == (None, None, 3)


def test_a_conflict_passes_by_what_no_transaction_stops(cloud) -> None:
    """A read, and a call to something else; its limit is not used up by them."""
    cloud.reset(faults=Faults().at_rate("conflict", 1.0, limit=1).at_step(1, "conflict"))
    assert "done" in ask(cloud, "get_item", TableName="rows", Key={"id": {"S": "a"}})
    assert ask(cloud, "transact_write_items", TransactItems=[COUNT])["code"] == "TransactionCanceledException"
    assert "done" in ask(cloud, "transact_write_items", TransactItems=[COUNT])


def test_a_conflict_at_one_step_is_the_same_in_every_run(cloud) -> None:
    """The reason stands at the same row, too; another seed has it elsewhere."""
    actions = [put(str(n)) for n in range(50)]

    def reasons(seed: int) -> list[str]:
        cloud.reset(seed=seed, faults=Faults().at_step(1, "conflict"))
        found = ask(cloud, "transact_write_items", TransactItems=actions)["reasons"]
        return [reason["Code"] for reason in found]

    assert reasons(1) == reasons(1) != reasons(2)


@pytest.mark.parametrize(
    ("table", "single", "reason"),
    [
        ("rows", "ThrottlingException", "ThrottlingError"),
        ("parts", "ProvisionedThroughputExceededException", "ProvisionedThroughputExceeded"),
    ],
)
def test_a_throttle_is_named_after_the_tables_capacity(cloud, table: str, single: str, reason: str) -> None:
    """On demand or provisioned; as a transaction's reason it has a third name, and boto3 retries only the first two."""
    cloud.reset(faults=Faults().at_rate("throttle", 1.0, where="App"))
    item = put("a", table, part={"N": "1"})["Put"]
    assert ask(cloud, "put_item", **item)["code"] == single
    tries = len(cloud.trace.select("call", actor="App"))
    assert tries > 1
    answer = ask(cloud, "transact_write_items", TransactItems=[{"Put": item}])
    assert (answer["code"], [r["Code"] for r in answer["reasons"]]) == ("TransactionCanceledException", [reason])
    assert len(cloud.trace.select("call", actor="App")) == tries + 1


def test_lambda_throttles_with_429(cloud) -> None:
    """TooManyRequestsException is no 400."""
    cloud.reset(faults=Faults().at_rate("throttle", 1.0, where="lambda.Invoke"))
    assert ask(cloud, "invoke", service="lambda", FunctionName="reader") == {
        "code": "TooManyRequestsException", "status": 429, "reasons": None,
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------- stream records


def test_an_update_that_creates_a_row_writes_one_record_with_all_of_it(cloud) -> None:
    """moto writes two, and a relay would publish what is half there."""
    table = boto3.client("dynamodb")
    table.update_item(TableName="rows", Key={"id": {"S": "a"}}, **ADD)
    assert records(cloud) == [("INSERT", {"id": {"S": "a"}, "n": {"N": "1"}})]
    write(COUNT, {"Update": {**COUNT["Update"], "Key": {"id": {"S": "b"}}}})
    assert [name for name, _ in records(cloud)] == ["INSERT", "MODIFY", "INSERT"]
    shard = cloud.tables.backend.tables["rows"].stream_shard
    numbers = [int(item.record["dynamodb"]["SequenceNumber"]) for item in shard.items]
    assert numbers == sorted(set(numbers))


def test_a_write_that_changes_nothing_writes_no_record(cloud) -> None:
    """The same row put again, a value set to what it is, a row deleted that is not there."""
    table = boto3.client("dynamodb")
    for _ in range(3):
        table.put_item(
            TableName="rows", Item={"id": {"S": "a"}, "tags": {"SS": ["x", "y"]}, "deep": {"L": [{"N": "1"}]}}
        )
        table.delete_item(TableName="rows", Key={"id": {"S": "nobody"}})
    assert [name for name, _ in records(cloud)] == ["INSERT"]
    table.put_item(TableName="rows", Item={"id": {"S": "a"}, "tags": {"SS": ["x"]}, "deep": {"L": [{"N": "1"}]}})
    assert [name for name, _ in records(cloud)] == ["INSERT", "MODIFY"]


def test_an_update_that_fails_in_the_middle_leaves_everything_as_it_was(cloud) -> None:
    """On a row that is there, and on one that it would have created."""
    table = boto3.client("dynamodb")
    table.put_item(TableName="rows", Item={"id": {"S": "a"}, "n": {"N": "1"}})
    too_long = {
        "UpdateExpression": "SET n = :n, b = :text",
        "ExpressionAttributeValues": {":n": {"N": "2"}, ":text": {"S": "x" * 450_000}},
    }
    for name in ("a", "b"):
        with pytest.raises(ClientError, match="Item size to update has exceeded"):
            table.update_item(TableName="rows", Key={"id": {"S": name}}, **too_long)
    assert (row("a"), row("b"), len(records(cloud))) == ({"id": {"S": "a"}, "n": {"N": "1"}}, None, 1)


# -------------------------------------------------------------------------------------------------------- time to live


def test_an_expired_row_is_readable_for_a_while_and_gone_within_half_a_day(cloud) -> None:
    """Code must judge the expiry itself: the row is there, and a condition finds it."""
    write(put("old", expires={"N": str(int(START) + 60)}), put("young", expires={"N": str(int(START) + 10 * 86400)}))
    cloud.advance(61)
    assert row("old") is not None
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        boto3.client("dynamodb").put_item(
            TableName="rows", Item={"id": {"S": "old"}}, ConditionExpression="attribute_not_exists(id)"
        )
    cloud.advance(12 * 3600)
    assert (row("old"), row("young") is not None) == (None, True)
    [told] = cloud.trace.select("expire")
    assert (told.actor, told.what) == ("rows", "old")
    cloud.advance(11 * 86400)
    assert row("young") is None


def test_the_stream_says_that_the_service_deleted_it(cloud) -> None:
    """REMOVE with its old image and DynamoDB as the user; a deletion by hand names nobody."""
    write(put("old", expires={"N": str(int(START))}), put("hand"))
    boto3.client("dynamodb").delete_item(TableName="rows", Key={"id": {"S": "hand"}})
    cloud.advance(86400)
    told = [json.loads(line.what) for line in cloud.trace.select("log", actor="Reader")]
    removed = {key: (what["userIdentity"], old) for key, what, old in told if what["eventName"] == "REMOVE"}
    service = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert removed["old"] == (service, {"id": {"S": "old"}, "expires": {"N": str(int(START))}})
    assert removed["hand"][0] is None


def test_only_a_number_of_the_last_five_years_expires(cloud) -> None:
    """Text, milliseconds, nothing, and the year 1970 stay for ever."""
    kept = {
        "text": {"S": str(int(START) - 10)},
        "milliseconds": {"N": str(int(START) * 1000)},
        "1970": {"N": "10"},
        "six years": {"N": str(int(START - 6 * 365 * 86400))},
    }
    write(*(put(name, expires=value) for name, value in kept.items()), put("none"), put("a", expires={"N": "1.7e9"}))
    cloud.advance(3 * 86400)
    assert all(row(name) is not None for name in (*kept, "none"))
    assert row("a") is None


def test_time_to_live_is_set_and_taken_back_by_boto3(cloud) -> None:
    """Also on a table with a range key; setting it twice is refused, and reset has the template's setting again."""
    table = boto3.client("dynamodb")

    def update(name: str, enabled: bool) -> None:
        table.update_time_to_live(TableName=name, TimeToLiveSpecification={"AttributeName": "gone", "Enabled": enabled})

    write(*(put("a", "parts", part={"N": str(n)}, gone={"N": str(int(START) + n)}) for n in range(3)))
    cloud.advance(86400)
    assert table.scan(TableName="parts")["Count"] == 3
    update("parts", True)
    with pytest.raises(ClientError, match="TimeToLive is already enabled"):
        update("parts", True)
    cloud.advance(86400)
    assert table.scan(TableName="parts")["Count"] == 0
    assert [line.what for line in cloud.trace.select("expire")] == ["a/0", "a/1", "a/2"]
    update("rows", False)
    write(put("old", expires={"N": str(int(START))}))
    cloud.advance(7 * 86400)
    assert row("old") is not None
    cloud.reset()
    told = {n: table.describe_time_to_live(TableName=n)["TimeToLiveDescription"] for n in ("rows", "parts")}
    assert told["rows"] == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert told["parts"] == {"TimeToLiveStatus": "DISABLED"}


def test_a_row_waiting_for_its_end_keeps_nobody_awake(cloud) -> None:
    """run() goes to quiet at once; the same seed deletes at the same instant, also after a reset."""

    def instants(seed: int) -> list[float]:
        cloud.reset(seed=seed)
        write(put("old", expires={"N": str(int(START) + 60)}))
        cloud.run()
        assert cloud.now < START + 60
        cloud.advance(86400)
        return [line.at for line in cloud.trace.select("expire")]

    assert instants(1) == instants(1) != instants(2)
    assert len(instants(3)) == 1


def test_time_to_live_without_an_attribute_stops_the_stack(world) -> None:
    """With the name of the table."""
    with pytest.raises(TemplateError, match="Rows: TimeToLiveSpecification needs an AttributeName"):
        world(APP, RESOURCES.replace("AttributeName: expires, ", ""))


def test_closing_gives_moto_its_own_tables_back(world) -> None:
    """However often. (The last test of this file: it closes the cloud of the others.)"""
    from moto.dynamodb.models import DynamoDBBackend
    from moto.dynamodb.models.table import StreamShard
    from moto.dynamodb.responses import DynamoHandler

    def owners() -> set[str]:
        replaced = (
            DynamoDBBackend.transact_write_items, DynamoDBBackend.update_item, StreamShard.add,
            DynamoHandler.transact_write_items,
        )  # fmt: skip
        return {name.__module__.split(".")[0] for name in replaced}

    cloud = world("", "Queue: {Type: AWS::SQS::Queue}")
    assert owners() == {"orderlab"}
    cloud.close()
    cloud.close()
    assert owners() == {"moto"}
