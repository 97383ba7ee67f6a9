"""`republish` sends the current event of rows again, every one of them, and says what the bus refused."""

import json
from types import SimpleNamespace

import pytest

from orderlab.installing import Problem
from orderlab.ops.audit.books import books_of
from orderlab.ops.audit.ends import End
from orderlab.ops.audit.findings import Expected
from orderlab.ops.audit.verdict import audit
from orderlab.ops.days.day import Product
from orderlab.ops.days.play import open_shop
from orderlab.ops.republish import TRIES, main, republish

IDS = [f"ORD-{n:020x}" for n in range(12)]
ACCOUNT = ["--account", "123456789012", "--region", "us-east-1", "--yes"]
OUTPUTS = {"OrdersTableName": "orders", "BusName": "bus"}


class Scans:
    """The table: an ORDER row with its event for each id, and a row without an event."""

    def get_paginator(self, name):
        assert name == "scan"
        return self

    def paginate(self, **arguments):
        assert arguments["TableName"] == "orders"
        rows = [
            {
                "orderId": {"S": order_id},
                "part": {"S": "ORDER"},
                "event": {
                    "M": {
                        "id": {"S": f"{order_id}.OrderPlaced"},
                        "source": {"S": "orders.api"},
                        "type": {"S": "OrderPlaced"},
                        "detail": {"S": json.dumps({"orderId": order_id})},
                    }
                },
            }
            for order_id in IDS
        ]
        yield {"Items": rows[:5]}
        yield {"Items": [*rows[5:], {"orderId": {"S": IDS[0]}, "part": {"S": "PAYMENT"}, "status": {"S": "CHARGING"}}]}


class Bus:
    """Answers each entry with the next of its errors for that order, else takes it."""

    def __init__(self, errors=()):
        self.errors = {order_id: list(codes) for order_id, codes in dict(errors).items()}
        self.taken, self.calls = [], 0

    def put_events(self, Entries):
        assert 1 <= len(Entries) <= 10
        self.calls += 1
        return {"Entries": [self._answer(entry) for entry in Entries]}

    def _answer(self, entry):
        assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == ("bus", "orders.api", "OrderPlaced")
        order_id = json.loads(entry["Detail"])["orderId"]
        if self.errors.get(order_id):
            return {"ErrorCode": self.errors[order_id].pop(0)}
        self.taken.append(order_id)
        return {"EventId": "1"}


def run(bus, orders=None):
    waits = []
    done = republish({"dynamodb": Scans(), "events": bus}.get, OUTPUTS, orders, waits.append)
    return done, waits


def test_all_events_of_all_rows_go_out_ten_at_a_time():
    """A row without an event has nothing to say."""
    bus = Bus()
    done, waits = run(bus)
    assert (done.sent, done.refused, done.unknown, waits) == (12, (), (), [])
    assert bus.taken == IDS and bus.calls == 2


def test_only_the_orders_that_are_named_go_out_and_an_unknown_one_is_named():
    """A typing error must not look like success."""
    bus = Bus()
    done, _ = run(bus, {IDS[3], IDS[7], "ORD-" + "f" * 20})
    assert bus.taken == [IDS[3], IDS[7]] and done.unknown == ("ORD-" + "f" * 20,)


def test_an_entry_that_is_throttled_is_sent_again_alone_after_a_wait():
    """PutEvents answers 200 with a single entry refused: the others must not go out twice."""
    bus = Bus({IDS[1]: ["ThrottlingException", "InternalFailure"]})
    done, waits = run(bus)
    assert done.sent == 12 and sorted(bus.taken) == IDS and waits == [1.0, 2.0]


def test_an_entry_that_is_refused_for_good_is_reported_and_not_repeated():
    """So is one that is throttled for ever."""
    bus = Bus({IDS[1]: ["MalformedDetail"] * 99, IDS[2]: ["ThrottlingException"] * 99})
    done, waits = run(bus)
    assert done.sent == 10 and done.refused == (
        (IDS[1], "MalformedDetail"),
        (IDS[2], f"still throttled after {TRIES} tries"),
    )
    assert len(waits) == TRIES - 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ([], "name the orders, or say --all"),
        (["--all", IDS[0]], "and not both"),
        (["ORD-1"], "ORD-1 is no order id"),
    ],
)
def test_misuse_is_one_line_and_exit_status_2(arguments, why, capsys):
    """Nothing is sent by accident."""
    assert main([*arguments, "--stack", "orderlab"]) == 2
    assert why in capsys.readouterr().err


def test_the_account_must_be_named():
    """There is no default that could be somebody's production."""
    with pytest.raises(Problem, match="acts on an AWS account, so name it and the region"):
        main(["--all"])


@pytest.fixture
def shop():
    """The local cloud with one order accepted and at rest; Relay is broken and publishes nothing."""
    from orderlab.cloud import Cloud

    with Cloud(seed=3) as cloud:
        open_shop(cloud.client, cloud.outputs, {"A": Product(100, "A")}, {"A": 5})
        cloud.replace("Relay", lambda event, context: {"batchItemFailures": []})
        headers = {"Content-Type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": "k"}
        body = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 2}]}
        order_id = cloud.request("POST", "/orders", body=body, headers=headers).json()["orderId"]
        cloud.run()
        yield cloud, order_id


def verdict(cloud, order_id):
    return audit(books_of(cloud), Expected({"A": 5}, {order_id}))


def test_an_order_that_relay_never_published_is_lost_until_it_is_republished(shop, capsys):
    """Each round moves it one step on: to stock and payment, to settlement, to the customer. More rounds do no harm."""
    cloud, order_id = shop
    assert verdict(cloud, order_id).counts["lost"] == 1
    for sent in (1, 3, 3, 3):
        assert main([order_id, *ACCOUNT]) == 0
        assert json.loads(capsys.readouterr().out)["sent"] == sent
        cloud.run()
    judged = verdict(cloud, order_id)
    assert judged.findings == () and judged.ends[order_id].state == "confirmed"


def test_an_order_that_the_stream_gave_up_on_is_dead_and_named(shop):
    """After 22 hours Lambda writes the record into the bucket; the order waits there, named."""
    cloud, _ = shop
    cloud.replace("Relay", lambda event, context: 1 // 0)
    cloud.advance(1)
    headers = {"Content-Type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": "second"}
    body = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 1}]}
    order_id = cloud.request("POST", "/orders", body=body, headers=headers).json()["orderId"]
    cloud.run()
    assert verdict(cloud, order_id).ends[order_id] == End("dead", "FailedRecordsBucket")


def test_a_stack_that_does_not_exist_is_one_line(shop):
    """AWS's own words."""
    with pytest.raises(Problem, match=r"AWS refused DescribeStacks with ValidationError: .*nowhere") as caught:
        main(["--all", "--stack", "nowhere", *ACCOUNT])
    assert "\n" not in str(caught.value)


def test_it_asks_before_it_sends(shop, monkeypatch, capsys):
    """With nobody there to answer nothing is sent; nor without a yes."""
    cloud, order_id = shop
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(Problem, match="asks before it acts, and nobody is there to answer"):
        main([order_id, *ACCOUNT[:-1]])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("orderlab.ops.aws.talk.ask", lambda question: "no")
    with pytest.raises(Problem, match="nothing was sent: the answer was not yes"):
        main([order_id, *ACCOUNT[:-1]])
    assert capsys.readouterr().out == "" and verdict(cloud, order_id).counts["lost"] == 1


def test_the_credentials_must_be_those_of_the_account(shop):
    """Otherwise nothing is read and nothing is sent."""
    with pytest.raises(Problem, match="these credentials belong to account 123456789012, and you named 999988887777"):
        main(["--all", "--account", "999988887777", "--region", "us-east-1", "--yes"])
