"""Four threads of a cell at once, and the interpreter switching between them all the time: nothing is lost or doubled.

In a cell threads are real, as environments are on AWS. Each call takes its turn (moto is not atomic by itself).
Ten thousand tries in all.
"""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud import Cloud

THREADS = 4
RESOURCES = """
Rows:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: rows
    BillingMode: PAY_PER_REQUEST
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
Work: {Type: AWS::SQS::Queue, Properties: {QueueName: work, VisibilityTimeout: 30}}
Bus: {Type: AWS::Events::EventBus, Properties: {Name: bus}}
Rule:
  Type: AWS::Events::Rule
  Properties:
    EventBusName: !Ref Bus
    EventPattern: {source: [shop]}
    Targets: [{Id: work, Arn: !GetAtt Work.Arn}]
Policy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Work]
    PolicyDocument:
      Statement:
        - Effect: Allow
          Principal: {Service: events.amazonaws.com}
          Action: sqs:SendMessage
          Resource: !GetAtt Work.Arn
"""


@pytest.fixture(scope="module")
def whole(lasting_world) -> Cloud:
    return lasting_world("", RESOURCES)


@pytest.fixture
def cloud(whole) -> Iterator[Cloud]:
    """A cloud as new, and a switch between threads every 10 microseconds."""
    whole.reset()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield whole
    sys.setswitchinterval(before)


def race(work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)` to `work(3)` in threads that start together; what each returned."""
    start, found, wrong = threading.Barrier(THREADS), [None] * THREADS, []

    def run(n: int) -> None:
        try:
            start.wait()
            found[n] = work(n)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    return found


def wins(attempt: Callable[..., Any], tries: int) -> list[list[int]]:
    """Each thread makes the same tries in the same order; which of them each of the threads won."""

    def work(n: int) -> list[int]:
        won = []
        for number in range(tries):
            try:
                attempt(n, number)
                won.append(number)
            except ClientError as error:
                assert error.response["Error"]["Code"] in (
                    "ConditionalCheckFailedException",
                    "TransactionCanceledException",
                )
        return won

    return race(work)


def test_a_conditional_write_is_won_once(cloud) -> None:
    """1,200 tries for 300 keys: each key has one writer, and one stream record."""
    table = cloud.client("dynamodb")

    def attempt(n: int, number: int) -> None:
        item = {"id": {"S": str(number)}, "by": {"N": str(n)}}
        table.put_item(TableName="rows", Item=item, ConditionExpression="attribute_not_exists(id)")

    won = wins(attempt, 300)
    assert sorted(number for numbers in won for number in numbers) == list(range(300))
    rows = cloud.tables.backend.tables["rows"]
    assert len(rows.stream_shard.items) == 300
    by = {item.hash_key.value: item.attrs["by"].value for item in rows.items.values()}
    assert by == {str(number): str(n) for n, numbers in enumerate(won) for number in numbers}


def test_no_count_is_lost(cloud) -> None:
    """1,200 additions, each of which returns another sum."""
    table = cloud.client("dynamodb")
    add = {
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "ALL_NEW",
    }

    def work(n: int) -> list[int]:
        key = {"id": {"S": "counter"}}
        return [int(table.update_item(TableName="rows", Key=key, **add)["Attributes"]["n"]["N"]) for _ in range(300)]

    sums = race(work)
    assert sorted(value for values in sums for value in values) == list(range(1, 1201))
    assert all(values == sorted(values) for values in sums)


def test_a_transaction_is_all_or_nothing(cloud) -> None:
    """800 tries to move one piece from stock to an order: never more than there are, and the sums always agree."""
    table = cloud.client("dynamodb")
    table.put_item(TableName="rows", Item={"id": {"S": "stock"}, "n": {"N": "200"}})
    one = {":one": {"N": "1"}}

    def attempt(n: int, number: int) -> None:
        take = {"UpdateExpression": "ADD n :less", "ConditionExpression": "n >= :one"}
        values = {**one, ":less": {"N": "-1"}}
        table.transact_write_items(
            TransactItems=[
                {
                    "Update": {
                        "TableName": "rows",
                        "Key": {"id": {"S": "stock"}},
                        **take,
                        "ExpressionAttributeValues": values,
                    }
                },
                {"Put": {"TableName": "rows", "Item": {"id": {"S": f"order {n} {number}"}}}},
            ]
        )

    won = wins(attempt, 200)
    rows = cloud.tables.backend.tables["rows"].items
    assert sum(map(len, won)) == 200
    assert {item.hash_key.value for item in rows.values()} == {
        "stock", *(f"order {n} {number}" for n, numbers in enumerate(won) for number in numbers)
    }  # fmt: skip
    assert table.get_item(TableName="rows", Key={"id": {"S": "stock"}})["Item"]["n"]["N"] == "0"


def test_one_token_is_done_once_whoever_asks(cloud) -> None:
    """400 requests under 100 tokens."""
    table = cloud.client("dynamodb")
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    action = {"Update": {"TableName": "rows", "Key": {"id": {"S": "counter"}}, **add}}

    def attempt(n: int, number: int) -> None:
        table.transact_write_items(TransactItems=[action], ClientRequestToken=f"token {number}")

    wins(attempt, 100)
    assert table.get_item(TableName="rows", Key={"id": {"S": "counter"}})["Item"]["n"]["N"] == "100"


def test_no_message_is_lost_or_received_twice(cloud) -> None:
    """6,000 sends, receives and deletes at once; and what is left at the end is there too."""
    queue = cloud.client("sqs")
    url = queue.get_queue_url(QueueName="work")["QueueUrl"]
    through: list[str] = []

    def work(n: int) -> None:
        for number in range(500):
            queue.send_message(QueueUrl=url, MessageBody=f"{n}-{number}")
            for message in queue.receive_message(QueueUrl=url, MaxNumberOfMessages=2).get("Messages", []):
                through.append(message["Body"])
                queue.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    race(work)
    while rest := queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        through += [message["Body"] for message in rest]
    assert Counter(through) == Counter(f"{n}-{number}" for n in range(THREADS) for number in range(500))


def test_no_event_is_lost_or_doubled(cloud) -> None:
    """1,200 entries, and each has an id of its own; the rule's queue has them all."""
    events = cloud.client("events")
    entry = {"EventBusName": "bus", "Source": "shop", "DetailType": "Placed"}

    def work(n: int) -> list[str]:
        ids = []
        for number in range(100):
            entries = [{**entry, "Detail": f'{{"n": "{n}-{number}-{part}"}}'} for part in range(3)]
            ids += [told["EventId"] for told in events.put_events(Entries=entries)["Entries"]]
        return ids

    ids = [name for names in race(work) for name in names]
    assert len(set(ids)) == len(ids) == 1200
    cloud.run()
    bodies = [message.body for message in cloud.queues.messages("work")]
    assert len(set(bodies)) == len(bodies) == 1200


def test_every_thread_may_make_its_own_client(cloud) -> None:
    """boto3.client from four threads at once, before any of these services was used."""
    for round in range(5):

        def work(n: int) -> int:
            boto3.client("dynamodb").put_item(TableName="rows", Item={"id": {"S": f"{n}"}})
            return len(boto3.client("sqs").list_queues()["QueueUrls"]) + len(boto3.client("sts").get_caller_identity())

        assert len(set(race(work))) == 1, round


def test_threads_and_a_running_world_share_it(cloud) -> None:
    """While three threads write, the fourth lets time pass: the trace has its rows in order, and all of them."""
    queue = cloud.client("sqs")
    url = queue.get_queue_url(QueueName="work")["QueueUrl"]

    def work(n: int) -> None:
        for number in range(100):
            if n == 0:
                cloud.advance(0.5)
            else:
                queue.send_message(QueueUrl=url, MessageBody=f"{n}-{number}", DelaySeconds=number % 3)

    race(work)
    cloud.advance(5)
    assert cloud.queues.counts("work") == (300, 0, 0)
    rows = cloud.trace.rows
    assert [row.n for row in rows] == list(range(len(rows)))
    assert [row.at for row in rows] == sorted(row.at for row in rows)
