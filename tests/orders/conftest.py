"""The order system's handlers on plain moto: their tables, and a provider that is asked without a network."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

NOW = 1767603600.0  # 2026-01-05T09:00:00Z
TABLES: dict[str, tuple[str, str, str | None]] = {
    "ORDERS_TABLE": ("orders", "orderId", "part"),
    "STOCK_TABLE": ("stock", "sku", None),
    "CATALOGUE_TABLE": ("catalogue", "sku", None),
    "BREAKER_TABLE": ("breaker", "name", None),
    "SALES_TABLE": ("sales", "id", None),
    "NOTIFICATIONS_TABLE": ("notifications", "id", None),
    "LEDGER_TABLE": ("ledger", "key", None),
}


@dataclass
class Context:
    """What Lambda gives a handler beside the event; `seconds` are left."""

    seconds: float = 30.0
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "Function"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        return int(self.seconds * 1000)


class Shop:
    """The tables and the handlers of one test, and shorthands for what a test does with them."""

    def __init__(self) -> None:
        from orderlab.orders import clients, rows

        self.rows, self.clients = rows, clients
        self.now = NOW
        self.slept: list[float] = []
        self.asked: list[dict[str, Any]] = []  # what reached the provider
        self.listeners: list[tuple[Any, str, Any]] = []
        self.upset: Callable[[dict[str, Any], Callable[[], dict[str, Any]]], dict[str, Any]] | None = None

    def close(self) -> None:
        """Leave nothing to the next test of the file."""
        for events, name, listener in self.listeners:
            events.unregister(name, listener)
        database, bucket, queue = self.clients.dynamodb(), self.clients.buckets(), self.clients.queues()
        for table, *keys in TABLES.values():
            found = [{key: item[key] for key in keys if key} for item in database.scan(TableName=table)["Items"]]
            self.write(table, [{"DeleteRequest": {"Key": key}} for key in found])
        for entry in bucket.list_objects_v2(Bucket="receipts").get("Contents", []):
            bucket.delete_object(Bucket="receipts", Key=entry["Key"])
        queue.delete_queue(QueueUrl=queue.get_queue_url(QueueName="relay-dead")["QueueUrl"])
        queue.create_queue(QueueName="relay-dead")  # a purge is allowed once a minute

    def listen(self, client: Any, name: str, listener: Callable[..., None]) -> None:
        """Be told of a botocore event until the test ends."""
        client.meta.events.register(name, listener)
        self.listeners.append((client.meta.events, name, listener))

    def add(self, table: str, *found: dict[str, Any]) -> None:
        """Write rows as they are."""
        self.write(table, [{"PutRequest": {"Item": self.rows.to_item(row)}} for row in found])

    def write(self, table: str, changes: list[dict[str, Any]]) -> None:
        """Many writes in few calls."""
        for start in range(0, len(changes), 25):
            self.clients.dynamodb().batch_write_item(RequestItems={table: changes[start : start + 25]})

    def all(self, table: str) -> list[dict[str, Any]]:
        """Every row of a table."""
        return [self.rows.from_item(item) for item in self.clients.dynamodb().scan(TableName=table)["Items"]]

    def row(self, order_id: str, part: str) -> dict[str, Any]:
        """One row of an order; {} where there is none."""
        return self.rows.get("orders", orderId=order_id, part=part) or {}

    def status(self, order_id: str, part: str) -> str | None:
        """The status of one row of an order."""
        return self.row(order_id, part).get("status")

    def goods(self, **on_hand: int) -> None:
        """Articles at 100 pence each, with so many on hand."""
        self.add("catalogue", *({"sku": sku, "price": 100, "name": sku} for sku in on_hand))
        self.add("stock", *({"sku": sku, "onHand": units} for sku, units in on_hand.items()))

    def on_hand(self) -> dict[str, int]:
        """Units by article."""
        return {row["sku"]: row["onHand"] for row in self.all("stock")}

    def order(self, items: dict[str, int], key: str = "1", customer: str = "C-1") -> dict[str, Any]:
        """Place an order; the gateway's answer, its body read."""
        from orderlab.orders import place

        body = {"customerId": customer, "items": [{"sku": sku, "quantity": n} for sku, n in items.items()]}
        return answered(place.handler(request(body, key), Context()))

    def placed(self, items: dict[str, int], key: str = "1") -> tuple[str, dict[str, Any]]:
        """An accepted order: its id, and the OrderPlaced that its row carries."""
        order_id = self.order(items, key)["body"]["orderId"]
        return order_id, self.event(order_id, "ORDER")

    def event(self, order_id: str, part: str) -> dict[str, Any]:
        """The event that a row carries now, as EventBridge sends it."""
        found = self.row(order_id, part)["event"]
        return envelope(found["type"], json.loads(found["detail"]))

    def happenings(self, order_id: str) -> list[str]:
        """The types of the events that the rows of an order carry."""
        parts = (self.row(order_id, part) for part in ("ORDER", "STOCK", "PAYMENT"))
        return [row["event"]["type"] for row in parts if "event" in row]

    def mine(self, module: str, *events: dict[str, Any], seconds: float = 30.0) -> list[str]:
        """Deliver these events in one batch from a queue; which of them came back, by their number."""
        return deliver(module, [json.dumps(event) for event in events], seconds)

    def before(self, operation: str, action: Callable[[], Any], number: int = 1) -> None:
        """Do something just before call `number` of this DynamoDB operation: somebody was faster, or all is lost."""
        calls = iter(range(1, 1000))
        busy: list[bool] = []

        def meddle(**_: Any) -> None:
            if not busy and next(calls) == number:
                busy.append(True)
                action()
                busy.clear()

        self.listen(self.clients.dynamodb(), f"before-call.dynamodb.{operation}", meddle)

    def calls(self, service: str = "dynamodb") -> list[str]:
        """A list that grows by the name of each call to this service from now on."""
        made: list[str] = []
        client = {"dynamodb": self.clients.dynamodb, "s3": self.clients.buckets}[service]()
        self.listen(client, "before-call", lambda model, **_: made.append(model.name))
        return made

    def ask(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """In place of the network: the provider's own handler, whose answer goes through JSON."""
        from orderlab.orders import asking, provider

        def answer() -> dict[str, Any]:
            self.asked.append(wanted)
            try:
                found = provider.handler(json.loads(json.dumps(wanted)), Context())
            except Exception as error:
                raise asking.Unknown("the provider failed") from error
            return asking.judge(json.dumps(found).encode())

        return self.upset(wanted, answer) if self.upset else answer()

    def knob(self, **settings: float) -> None:
        """Turn the provider's knob."""
        self.add("ledger", {"key": "#knob", **settings})

    def ledger(self) -> dict[str, str]:
        """What the provider's ledger says, by key."""
        return {row["key"]: row["answer"] for row in self.all("ledger") if not row["key"].startswith("#")}


def envelope(kind: str, detail: Any) -> dict[str, Any]:
    """An event as EventBridge delivers it."""
    return {"version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": "test", "detail": detail}


def deliver(module: str, bodies: list[str], seconds: float = 30.0) -> list[str]:
    """Hand a batch of SQS messages to a handler; the ids "0", "1" … that it gives back, all when it raises."""
    import importlib

    from orderlab.patterns.batch import BatchProcessingError

    records: list[dict[str, Any]] = [
        {
            "messageId": str(n),
            "body": body,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:1:q",
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        for n, body in enumerate(bodies)
    ]
    try:
        answer = importlib.import_module(f"orderlab.orders.{module}").handler({"Records": records}, Context(seconds))
    except BatchProcessingError:
        return [record["messageId"] for record in records]
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def request(body: Any, key: str | None = "1", **more: Any) -> dict[str, Any]:
    """POST /orders as API Gateway hands it over."""
    headers = {} if key is None else {"idempotency-key": key}
    return {"headers": headers, "body": body if isinstance(body, str) else json.dumps(body), **more}


def answered(response: dict[str, Any]) -> dict[str, Any]:
    """An answer with its body read."""
    return {**response, "body": json.loads(response["body"])}


@pytest.fixture
def tools() -> SimpleNamespace:
    """The helpers of this file that need no shop."""
    return SimpleNamespace(
        NOW=NOW, Context=Context, envelope=envelope, deliver=deliver, request=request, answered=answered
    )


VARIABLES = {
    **{variable: table for variable, (table, _, _) in TABLES.items()},
    "AWS_REGION": "us-east-1",
    "RECEIPTS_BUCKET": "receipts",
    "BUS_NAME": "orders",
    "PROVIDER_FUNCTION": "provider",
}


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """A moto with the tables, the bucket and the queue of relay, for the tests of one file; the queue's URL."""
    from orderlab.orders import clients

    made = (clients.dynamodb, clients.events, clients.queues, clients.buckets, clients.provider)
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_REGION", "us-east-1")
        for client in made:
            client.cache_clear()
        for table, hash_key, range_key in TABLES.values():
            keys = [(hash_key, "HASH")] + ([(range_key, "RANGE")] if range_key else [])
            clients.dynamodb().create_table(
                TableName=table,
                KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        clients.buckets().create_bucket(Bucket="receipts")
        clients.events().create_event_bus(Name="orders")
        yield clients.queues().create_queue(QueueName="relay-dead")["QueueUrl"]
        for client in made:
            client.cache_clear()


@pytest.fixture
def shop(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """An empty shop: every table, the bucket and the provider; time stands still, and sleeps are only written down."""
    from orderlab.orders import asking

    for name, value in {**VARIABLES, "RELAY_DEAD_QUEUE_URL": aws}.items():
        monkeypatch.setenv(name, value)
    asking.policy.cache_clear()
    asking.breaker.cache_clear()
    made = Shop()
    monkeypatch.setattr("time.time", lambda: made.now)
    monkeypatch.setattr("time.sleep", made.slept.append)
    monkeypatch.setattr(asking, "ask_provider", made.ask)
    yield made
    made.close()
