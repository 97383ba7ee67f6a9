"""DynamoDB transactions: all or nothing, and the same as moto's own."""

import random

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from orderlab.cloud import tables

SCHEMA = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "part", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "part", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}


@pytest.fixture
def database():
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(TableName="t", **SCHEMA)
        yield client
        tables.uninstall()


def key(n: int) -> dict:
    return {"id": {"S": str(n % 3)}, "part": {"S": str(n)}}


def rows(client) -> list:
    return sorted(client.scan(TableName="t")["Items"], key=str)


def records() -> list:
    from moto.backends import get_backend

    shard = get_backend("dynamodb")["123456789012"]["us-east-1"].tables["t"].stream_shard
    return [
        (i.record["eventName"], i.record["dynamodb"]["Keys"], i.record["dynamodb"].get("NewImage")) for i in shard.items
    ]


def operate(client, seed: int) -> list:
    """Random transactions, a third of which are refused; what came of each."""
    rng, seen = random.Random(seed), []
    for _ in range(40):
        actions = []
        for n in rng.sample(range(8), rng.randint(1, 4)):
            kind = rng.choice(["Put", "Update", "Delete", "ConditionCheck"])
            action = {"TableName": "t"}
            if kind == "Put":
                action |= {"Item": {**key(n), "v": {"N": str(rng.randint(0, 9))}}}
            else:
                action |= {"Key": key(n)}
            if kind == "Update":
                action |= {"UpdateExpression": "ADD v :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
            if kind == "ConditionCheck" or rng.random() < 0.3:
                action |= {"ConditionExpression": rng.choice(["attribute_exists(id)", "attribute_not_exists(id)"])}
            actions.append({kind: action})
        try:
            client.transact_write_items(TransactItems=actions)
            seen.append("done")
        except ClientError as error:
            seen.append([reason["Code"] for reason in error.response.get("CancellationReasons", [])])
        seen.append(rows(client))
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_random_transactions_come_out_as_on_plain_moto(database, seed: int) -> None:
    """Outcomes, reasons, rows and stream records are the same, without copying whole tables."""
    plain = operate(database, seed)
    for row in rows(database):
        database.delete_item(TableName="t", Key={"id": row["id"], "part": row["part"]})
    tables.install()
    assert operate(database, seed) == plain
    assert "done" in plain
    assert any(isinstance(entry, list) and "ConditionalCheckFailed" in entry for entry in plain)


def test_a_refused_transaction_leaves_no_stream_record(database) -> None:
    """Otherwise the relay would publish what never happened. (On plain moto the record stays.)"""
    tables.install()
    before = records()
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        database.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "t", "Item": key(1)}},
                {"Put": {"TableName": "t", "Item": key(2), "ConditionExpression": "attribute_exists(id)"}},
            ]
        )
    assert records() == before == []
    assert rows(database) == []
