"""Once, on the local cloud: two environments with one key, an environment that dies anywhere, a redrive days later.

Two ways are raced: a record beside the work (patterns.idempotency over its table, which shipped Notify uses), and a
record in one transaction with the work (the shipped payment provider). Only the second survives a death between them.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orderlab.cloud import Cloud, Faults

ROOT = Path(__file__).resolve().parents[2]
DAY = 24 * 3600.0
TABLE = """
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: NAME
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: key, AttributeType: S}]
      KeySchema: [{AttributeName: key, KeyType: HASH}]
"""
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Metadata: {OrderLab: {Package: {build/: [../app.py, ROOT/__init__.py, ROOT/orders, ROOT/patterns]}}}
Globals: {Function: {Runtime: python3.13, CodeUri: build/, Timeout: 5}}
Resources:
  Beside:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.beside}
  Queued:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.queued
      Policies: [{SQSPollerPolicy: {QueueName: !GetAtt Work.QueueName}}]
      Events: {Work: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, BatchSize: 1}}}
  Provider:
    Type: AWS::Serverless::Function
    Properties:
      Handler: orderlab.orders.provider.handler
      Environment: {Variables: {LEDGER_TABLE: ledger}}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}
  Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Effects:EFFECTS
  Memory:MEMORY
  Ledger:LEDGER
Outputs:
  Queue: {Value: !Ref Work}
  Dead: {Value: !GetAtt Dead.Arn}
"""
APP = '''
"""Work that can be counted: each time it is done there is one more row of the table effects."""

import json
import time

from orderlab.orders import clients, rows
from orderlab.orders.idempotency_store import IdempotencyStore
from orderlab.patterns.idempotency import InProgress, PayloadMismatch, idempotent


def beside(event, context):
    """The work, guarded by a record that is written before it and after it."""

    def work():
        row = {"key": context.aws_request_id, "for": event["key"]}
        clients.dynamodb().put_item(TableName="effects", Item=rows.to_item(row))
        if event.get("fails"):
            raise RuntimeError("the work failed")
        return {"by": context.aws_request_id}

    try:
        return idempotent(
            event["key"],
            event.get("payload"),
            work,
            store=IdempotencyStore("memory", "key"),
            now=time.time(),
            expires_after=event.get("expires_after"),
            remaining=context.get_remaining_time_in_millis() / 1000,
        )
    except InProgress:
        return "in progress"
    except PayloadMismatch:
        return "another payload"


def queued(event, context):
    return beside(json.loads(event["Records"][0]["body"]), context)
'''


class World:
    """The cloud, and the few things that a test does with it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def ask(self, function: str, *events: dict[str, Any]) -> list[Any]:
        """Invoke with all events at this instant; the answers in the order in which they came, None for a death."""
        answers: list[Any] = []

        def done(result: Any) -> None:
            answers.append(None if result.error else json.loads(result.payload))

        for event in events:
            self.cloud.functions.start(function, event, done, source="a test")
        self.cloud.run()
        return answers

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        from orderlab.orders import rows

        return [rows.from_item(item) for item in self.cloud.client("dynamodb").scan(TableName=table)["Items"]]

    def done(self) -> int:
        """How many times the work was done."""
        return len(self.rows("effects"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for this file."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "infra").mkdir()
    (folder / "app.py").write_text(APP)
    text = TEMPLATE.replace("ROOT", (ROOT / "orderlab").as_posix())
    for name in ("effects", "memory", "ledger"):
        text = text.replace(f":{name.upper()}", ":" + TABLE.replace("NAME", name).rstrip())
    (folder / "infra" / "template.yaml").write_text(text)
    with Cloud(template=folder / "infra" / "template.yaml") as opened:
        yield opened


@pytest.fixture
def world(cloud: Cloud) -> Callable[..., World]:
    """`world(seed, faults)`: as new."""

    def begin(seed: int = 0, faults: Faults | None = None) -> World:
        cloud.reset(seed=seed, faults=faults)
        return World(cloud)

    return begin


CHARGE = {"action": "charge", "key": "ORD-1", "amount": 500}


def test_of_two_environments_with_one_key_one_works_for_every_seed(world: Callable[..., World]) -> None:
    """The other is told that it is in progress, or gets the stored answer if it comes late; a third one gets it too."""
    told = set()
    for seed in range(40):
        made = world(seed)
        answers = made.ask("Beside", {"key": "k"}, {"key": "k"})
        (effect,) = made.rows("effects")
        answer = {"by": effect["key"]}
        assert made.ask("Beside", {"key": "k"}) == [answer]
        others = [found for found in answers if found != answer]
        assert others in ([], ["in progress"]), seed
        told.add(len(others))
    assert told == {0, 1}


def test_an_environment_that_dies_between_work_and_record_has_the_work_done_twice(world: Callable[..., World]) -> None:
    """Before or after each of the three calls; once for every death but two, which no order of calls can avoid."""
    twice = []
    for step in (1, 2, 3):
        for kind in ("crash-before", "crash-after"):
            made = world(0, Faults().at_step(step, kind))
            assert made.ask("Beside", {"key": "k"}) == [None]
            assert made.ask("Beside", {"key": "k"}) == (
                ["in progress"] if (step, kind) not in [(1, "crash-before"), (3, "crash-after")] else
                [{"by": made.rows("effects")[0]["key"]}]
            )  # fmt: skip
            made.cloud.advance(5.1)  # its lease: the time that it had left
            (answer,) = made.ask("Beside", {"key": "k"})
            assert made.ask("Beside", {"key": "k"}) == [answer]
            if made.done() == 2:
                twice.append((step, kind))
    assert twice == [(2, "crash-after"), (3, "crash-before")]


def test_in_one_transaction_no_death_has_it_done_twice(world: Callable[..., World]) -> None:
    """The provider dies before or after each of its calls: ledger and memory always agree, and so do all answers."""
    for kind in ("crash-before", "crash-after"):
        for step in (1, 2):
            made = world(0, Faults().at_step(step, kind))
            assert made.ask("Provider", CHARGE) == [None]
            written = len(made.rows("ledger"))
            assert written == (2 if (step, kind) == (2, "crash-after") else 0)
            first, second = made.ask("Provider", CHARGE) + made.ask("Provider", CHARGE)
            assert first == second and first["answer"] == "captured"
            ledger = {row["key"]: row for row in made.rows("ledger")}
            assert ledger["ORD-1"]["at"] == ledger["#charge ORD-1"]["result"]["at"] == first["at"]
            made.cloud.advance(15 * DAY)  # longer than any queue keeps a message
            assert made.ask("Provider", CHARGE) == [first]


def test_five_environments_charge_and_cancel_one_order_and_agree_for_every_seed(
    world: Callable[..., World],
) -> None:
    """Each action has one answer, whoever gives it; what was captured was refunded, or nothing was taken."""
    ends = set()
    cancel = {**CHARGE, "action": "cancel"}
    for seed in range(25):
        made = world(seed)
        answers = [answer for answer in made.ask("Provider", CHARGE, CHARGE, CHARGE, cancel, cancel) if answer]
        again = made.ask("Provider", CHARGE) + made.ask("Provider", cancel)
        said = {json.dumps(answer, sort_keys=True) for answer in answers + again}
        assert len(said) == 2, seed
        ends.add((again[0]["answer"], again[1]["answer"]))
    assert ends == {("captured", "refunded"), ("cancelled", "cancelled")}


def test_a_key_is_freed_by_an_error_and_guarded_against_another_payload(world: Callable[..., World]) -> None:
    """Over the real table: an error, then the work; another payload under the key is refused."""
    made = world()
    assert made.ask("Beside", {"key": "k", "payload": 1, "fails": True}) == [None]
    (answer,) = made.ask("Beside", {"key": "k", "payload": 1})
    assert made.ask("Beside", {"key": "k", "payload": 2}) == ["another payload"]
    assert made.ask("Beside", {"key": "k", "payload": 1}) == [answer]


@pytest.mark.parametrize(("expires_after", "times"), [(DAY, 2), (None, 1)])
def test_a_redrive_after_the_expiry_does_the_work_twice(
    world: Callable[..., World], expires_after: float | None, times: int
) -> None:
    """The work was done and remembered, but its environment died before SQS heard of it; the redrive is two days later.

    So a consumer must not rely on a record that expires: a dead-letter queue keeps its messages for 14 days.
    """
    made = world(0, Faults().at_step(3, "crash-after"))
    body = json.dumps({"key": "k", "expires_after": expires_after})
    made.cloud.client("sqs").send_message(QueueUrl=made.cloud.outputs["Queue"], MessageBody=body)
    made.cloud.run()
    assert made.done() == 1 and made.rows("memory")[0]["status"] == "COMPLETED"
    made.cloud.advance(2 * DAY)
    made.cloud.client("sqs").start_message_move_task(SourceArn=made.cloud.outputs["Dead"])
    made.cloud.run()
    assert made.done() == times
