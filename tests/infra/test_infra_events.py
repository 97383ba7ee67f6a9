"""The sample events are what AWS would send to each function of this template, and tell the story of one order."""

import hashlib
import json
from typing import Any

import jsonschema
import pytest

from orderlab.ops.described import INFRA
from orderlab.ops.policy.template import Resources, named, of_type, settle, source, translate
from orderlab.orders import events, order, rows

FILES = sorted((INFRA / "events").glob("*.json"))
QUEUES = {"ReserveStock": "StockQueue", "ChargePayment": "PaymentQueue", "SettleOrder": "SettlementQueue"}


@pytest.fixture(scope="module")
def resources() -> Resources:
    """The resources of the default stack, translated and settled."""
    found: Resources = settle(translate(source()))["Resources"]
    return found


def sample(function: str) -> Any:
    """The sample event of one function."""
    return json.loads((INFRA / "events" / f"{function}.json").read_text(encoding="utf-8"))


def placed_order() -> str:
    """The order that the sample of PlaceOrder makes."""
    event = sample("PlaceOrder")
    return order.order_id(order.parse(event["body"]).customer_id, event["headers"]["Idempotency-Key"])


def kinds_for(target: str, resources: Resources) -> set[tuple[str, str]]:
    """The (source, detail-type) of the events that rules route to a target."""
    return {
        (sender, kind)
        for rule in of_type(resources, "AWS::Events::Rule").values()
        if target in {named(entry["Arn"]) for entry in rule["Targets"]}
        for sender in rule["EventPattern"]["source"]
        for kind in rule["EventPattern"]["detail-type"]
    }


def test_every_function_has_one_sample_event(resources: Resources) -> None:
    """A file for each function, called after it."""
    assert [file.stem for file in FILES] == sorted(of_type(resources, "AWS::Lambda::Function"))


def test_the_requests_are_for_methods_of_the_api(resources: Resources) -> None:
    """A body that the model accepts, every parameter that the method requires, and the path of one order."""
    place, get = sample("PlaceOrder"), sample("GetOrder")
    jsonschema.Draft4Validator(resources["OrderRequest"]["Properties"]["Schema"]).validate(json.loads(place["body"]))
    for parameter in resources["PostOrder"]["Properties"]["RequestParameters"]:
        assert place["headers"][parameter.removeprefix("method.request.header.")]
    assert get["path"] == f"/orders/{placed_order()}"
    assert get["pathParameters"] == {"orderId": placed_order()}
    for event in (place, get):
        assert event["requestContext"]["stage"] == resources["Stage"]["Properties"]["StageName"]
        assert event["multiValueHeaders"] == {name: [value] for name, value in event["headers"].items()}


@pytest.mark.parametrize("function", QUEUES)
def test_a_message_carries_an_event_that_a_rule_routes_to_its_queue(resources: Resources, function: str) -> None:
    """The body is EventBridge's whole envelope, as text; the consumer can read it."""
    queue = QUEUES[function]
    for record in sample(function)["Records"]:
        envelope = json.loads(record["body"])
        assert (envelope["source"], envelope["detail-type"]) in kinds_for(queue, resources)
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
        name = resources[queue]["Properties"]["QueueName"].replace("${NamePrefix}", "orderlab")
        assert record["eventSourceARN"].endswith(f":{name}")
        kind, detail = events.received(record["body"])
        assert events.order_of(detail) == detail["orderId"]
        if kind == "OrderPlaced":
            assert events.placed(detail).order_id == placed_order()
        if kind in events.OUTCOMES:
            assert events.outcome(kind, detail).order_id == placed_order()


def test_notify_is_sent_the_end_of_the_order(resources: Resources) -> None:
    """An asynchronous invocation by EventBridge gets the envelope itself."""
    envelope = sample("Notify")
    assert (envelope["source"], envelope["detail-type"]) in kinds_for("Notify", resources)
    assert envelope["detail"]["orderId"] == placed_order()


def test_the_provider_is_asked_for_the_money_of_the_order() -> None:
    """The key of the charge is the order's id, its amount the order's total in pence."""
    (message, *_) = sample("ChargePayment")["Records"]
    _, detail = events.received(message["body"])
    assert sample("PaymentProvider") == {"action": "charge", "key": placed_order(), "amount": detail["total"]}


@pytest.mark.parametrize("function", ["Relay", "ProjectSales"])
def test_a_stream_record_has_both_images_of_a_row(function: str) -> None:
    """Rows of the orders table that decode, in the stream's order, with the event that each row carries."""
    records = sample(function)["Records"]
    assert [r["dynamodb"]["SequenceNumber"] for r in records] == sorted(
        r["dynamodb"]["SequenceNumber"] for r in records
    )
    for record in records:
        change = record["dynamodb"]
        new = rows.from_item(change["NewImage"])
        assert rows.from_item(change["Keys"]) == {"orderId": new["orderId"], "part": new["part"]}
        assert new["orderId"] == placed_order()
        assert record["eventName"] == ("MODIFY" if "OldImage" in change else "INSERT")
        if "event" in new:
            assert new["event"]["source"] == events.SOURCES[new["event"]["type"]]
            assert json.loads(new["event"]["detail"])["orderId"] == new["orderId"]
