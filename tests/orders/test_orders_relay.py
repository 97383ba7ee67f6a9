"""Relay: every new event of a row goes out, whatever EventBridge refuses."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from orderlab.orders import events, relay, rows


def order_id(n: int) -> str:
    """The id of a test order."""
    return f"ORD-{n:020x}"


def row(n: int, kind: str = "OrderPlaced", **more: Any) -> dict[str, Any]:
    """A row that carries an event."""
    return {"orderId": order_id(n), "part": "ORDER", "event": events.make(kind, order_id(n), 0), **more}


def record(n: int, new: Any, old: Any = None) -> dict[str, Any]:
    """A record of the stream, as AWS sends it; its sequence number is n."""
    images = {name: rows.to_item(image) for name, image in (("NewImage", new), ("OldImage", old)) if image is not None}
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(n), **images}}


class Bus:
    """Stands for EventBridge: takes what `refuse` does not."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.calls: list[int] = []
        self.refuse: Any = lambda entry: None
        self.entries: list[dict[str, Any]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """PutEvents."""
        self.calls.append(len(Entries))
        assert len(Entries) <= 10
        results = [self.refuse(entry) for entry in Entries]
        for entry, result in zip(Entries, results, strict=True):
            if result is None:
                self.entries.append(entry)
                self.taken.append(json.loads(entry["Detail"])["orderId"] + "." + entry["DetailType"])
        return {"Entries": [{"ErrorCode": code, "ErrorMessage": "m"} if code else {"EventId": "e"} for code in results]}


@pytest.fixture
def bus(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Bus:
    """A bus in place of EventBridge's."""
    made = Bus()
    monkeypatch.setattr(shop.clients, "events", lambda: made)
    return made


def run(tools: SimpleNamespace, *records: dict[str, Any], seconds: float = 10.0) -> list[str]:
    """Invoke Relay; the sequence numbers that it gives back."""
    answer = relay.handler({"Records": list(records)}, tools.Context(seconds))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def dead(shop: Any) -> list[dict[str, Any]]:
    """The messages in the queue relay-dead."""
    url = shop.clients.queues().get_queue_url(QueueName="relay-dead")["QueueUrl"]
    found = shop.clients.queues().receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return found.get("Messages", [])


def refusing(code: str, *numbers: int) -> Any:
    """Refuse the events of these orders with this code."""
    ids = {order_id(n) for n in numbers}
    return lambda entry: code if json.loads(entry["Detail"])["orderId"] in ids else None


def test_the_event_of_a_row_is_published_as_it_is_stored(shop: Any, tools: SimpleNamespace) -> None:
    """Source, type and the same bytes of detail, on the bus that the environment names; against moto's EventBridge."""
    stored = row(1)
    entry = relay._entry(relay.fresh(record(1, stored)["dynamodb"]))  # type: ignore[arg-type]
    assert entry == {
        "EventBusName": "orders",
        "Source": "orders.api",
        "DetailType": "OrderPlaced",
        "Detail": stored["event"]["detail"],
    }
    assert run(tools, record(1, stored)) == [] and dead(shop) == []


def test_only_a_new_event_is_published(bus: Bus, tools: SimpleNamespace) -> None:
    """Not a change of other fields, not a row without an event, not a deleted row."""
    bare = {"orderId": order_id(4), "part": "PAYMENT", "status": "CHARGING"}
    records = [
        record(1, row(1)),
        record(2, row(1, stock="RESERVED"), row(1)),
        record(3, row(1, "OrderConfirmed"), row(1)),
        record(4, bare),
        record(5, {**bare, "event": events.make("PaymentCaptured", order_id(4), 0, amount=1)}, bare),
        record(6, None, row(1)),
        record(7, {**bare, "status": "VOIDED"}, bare),
    ]
    assert run(tools, *records) == []
    assert bus.taken == [
        f"{order_id(1)}.OrderPlaced",
        f"{order_id(1)}.OrderConfirmed",
        f"{order_id(4)}.PaymentCaptured",
    ]


def test_ten_at_a_time(bus: Bus, tools: SimpleNamespace) -> None:
    """Whatever the mapping's batch size is."""
    assert run(tools, *(record(n, row(n)) for n in range(1, 24))) == []
    assert bus.calls == [10, 10, 3] and len(bus.taken) == 23


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_an_entry_that_is_refused_for_now_is_returned(code: str, bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """The lowest one; Lambda delivers again from there, and what went out twice harms nobody."""
    bus.refuse = refusing(code, 3, 7)
    records = [record(n, row(n)) for n in range(1, 13)]
    assert run(tools, *records) == ["3"]
    assert bus.calls == [10] and dead(shop) == []
    bus.refuse = lambda entry: None
    assert run(tools, *records[2:]) == []
    assert {taken.partition(".")[0] for taken in bus.taken} == {order_id(n) for n in range(1, 13)}


def test_an_entry_that_is_refused_for_good_goes_whole_to_its_queue(bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """With the reason; the rest goes on."""
    bus.refuse = refusing("MalformedDetail", 2)
    assert run(tools, record(1, row(1)), record(2, row(2)), record(3, row(3))) == []
    assert [taken.partition(".")[0] for taken in bus.taken] == [order_id(1), order_id(3)]
    (message,) = dead(shop)
    assert json.loads(message["Body"]) == row(2)["event"]
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "MalformedDetail"


def test_what_will_be_seen_again_is_not_buried_twice(bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """While EventBridge throttles for hours, the same poison comes along with every try."""
    records = [record(1, row(1)), record(2, row(2)), record(3, {**row(3), "event": "none"}), record(4, row(4))]
    codes = {order_id(1): "ThrottlingException", order_id(2): "MalformedDetail"}
    bus.refuse = lambda entry: codes.get(json.loads(entry["Detail"])["orderId"])
    for _ in range(3):
        assert run(tools, *records) == ["1"]
    assert dead(shop) == []
    del codes[order_id(1)]
    assert run(tools, *records) == []
    assert len(dead(shop)) == 2


@pytest.mark.parametrize("event", ["text", {"id": "x"}, {"id": "x", "source": "s", "type": "t", "detail": ""}, 7])
def test_a_poison_row_among_a_hundred_does_not_stop_the_others(
    event: Any, bus: Bus, shop: Any, tools: SimpleNamespace
) -> None:
    """It goes whole to the queue."""
    poison = {**row(50), "event": event}
    records = [record(n, poison if n == 50 else row(n)) for n in range(1, 101)]
    assert run(tools, *records) == []
    assert len(bus.taken) == 99
    (message,) = dead(shop)
    assert rows.from_item(json.loads(message["Body"])) == poison


def test_a_row_of_a_type_that_nobody_writes_is_poison_too(bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """A set, written by hand."""
    odd = record(1, row(1))
    odd["dynamodb"]["NewImage"]["event"] = {"SS": ["a"]}
    assert run(tools, odd, record(2, row(2))) == []
    assert len(bus.taken) == 1 and len(dead(shop)) == 1


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "InternalException"}}, "PutEvents"),
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutEvents"),
        ReadTimeoutError(endpoint_url="x"),
    ],
)
def test_a_call_that_fails_whole_loses_nothing(error: Exception, bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """All of its events come back, and those after it; those before it do not."""
    failing = {order_id(n) for n in range(11, 21)}

    def refuse(entry: dict[str, Any]) -> None:
        if json.loads(entry["Detail"])["orderId"] in failing:
            raise error

    bus.refuse = refuse
    assert run(tools, *(record(n, row(n)) for n in range(1, 31))) == ["11"]
    assert bus.calls == [10, 10] and dead(shop) == []


def test_a_call_that_is_refused_for_one_event_sends_the_others(bus: Bus, shop: Any, tools: SimpleNamespace) -> None:
    """ValidationException is about the whole call: one by one shows whose fault it is."""

    def refuse(entry: dict[str, Any]) -> None:
        if json.loads(entry["Detail"])["orderId"] == order_id(2):
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "too big"}}, "PutEvents")

    bus.refuse = refuse
    assert run(tools, *(record(n, row(n)) for n in range(1, 5))) == []
    assert bus.calls == [4, 1, 1, 1, 1] and len(bus.taken) == 3
    (message,) = dead(shop)
    assert json.loads(message["Body"]) == row(2)["event"]


def test_with_less_than_three_seconds_left_nothing_is_sent(bus: Bus, tools: SimpleNamespace) -> None:
    """All comes back, from the first event on."""
    bare = {"orderId": order_id(1), "part": "PAYMENT", "status": "CHARGING"}
    assert run(tools, record(1, bare), record(2, row(2)), record(3, row(3)), seconds=2.9) == ["2"]
    assert bus.calls == []


def test_without_its_dead_letter_queue_relay_fails_and_loses_nothing(
    bus: Bus, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The invocation fails, so the stream delivers the batch again."""
    monkeypatch.setenv("RELAY_DEAD_QUEUE_URL", "https://queue.amazonaws.com/123456789012/missing")
    with pytest.raises(ClientError):
        run(tools, record(1, {**row(1), "event": "none"}))
