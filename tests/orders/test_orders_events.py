"""Events: made once, read with suspicion."""

import json
from typing import Any

import pytest

from orderlab.orders import events
from orderlab.orders.order import Invalid, Item

ORDER = "ORD-0123456789abcdef0123"
NOW = 1767603600.25


def placed(**changes: Any) -> dict[str, Any]:
    """The detail of a good OrderPlaced, changed; a field set to ... is left out."""
    detail = {
        "version": "1",
        "orderId": ORDER,
        "items": [{"sku": "A", "quantity": 2, "price": 300}, {"sku": "B", "quantity": 1, "price": 0}],
        "total": 600,
        **changes,
    }
    return {name: value for name, value in detail.items() if value is not ...}


def test_an_event_has_its_id_source_and_a_detail_with_a_version_the_order_and_a_time_with_its_zone() -> None:
    """One event of a type at most for an order: the id says so."""
    assert events.make("PaymentCaptured", ORDER, NOW, amount=5) == {
        "id": f"{ORDER}.PaymentCaptured",
        "source": "orders.payment",
        "type": "PaymentCaptured",
        "detail": f'{{"version":"1","orderId":"{ORDER}","at":"2026-01-05T09:00:00.250+00:00","amount":5}}',
    }


def test_a_placed_order_is_read_and_unknown_fields_are_dropped() -> None:
    """A later version may say more."""
    detail = placed(extra=1, items=[{"sku": "A", "quantity": 2, "price": 300, "colour": "red"}])
    assert events.placed(detail) == events.Placed(ORDER, (Item("A", 2, 300),), 600)


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": ...},
        {"orderId": "1"},
        {"orderId": f"{ORDER}\n"},
        {"orderId": f"../{ORDER}"},
        {"items": ...},
        {"items": []},
        {"items": "A"},
        {"items": [{"sku": "A", "quantity": 2}]},
        {"items": [{"sku": "A", "quantity": -2, "price": -300}]},
        {"items": [{"sku": "A", "quantity": 2, "price": 3e2}]},
        {"items": [{"sku": "A", "quantity": 1, "price": 300}, {"sku": "A", "quantity": 1, "price": 300}]},
        {"total": ...},
        {"total": 599},
        {"total": "600"},
        {"total": 600.0},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    """Before any effect: an event is as untrusted as a request."""
    with pytest.raises(Invalid):
        events.placed(placed(**changes))


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        "",
        "{",
        "[" * 100_000,
        "null",
        "[]",
        '"x"',
        "{}",
        '{"detail-type": "A"}',
        '{"detail-type":1,"detail":{}}',
        '{"detail-type": "A", "detail": "text"}',
        '{"detail-type": "A", "detail": []}',
    ],
)
def test_a_message_that_is_no_event_is_refused(body: object) -> None:
    """Anybody with the right to send may put anything into a queue."""
    with pytest.raises(Invalid):
        events.received(body)


def test_a_message_is_an_event_in_an_envelope() -> None:
    """As EventBridge puts it into SQS."""
    assert events.received(json.dumps({"detail-type": "OrderPlaced", "detail": {"a": 1}})) == ("OrderPlaced", {"a": 1})


def test_an_outcome_names_its_part_and_a_bad_one_its_reason() -> None:
    """Good ones have no reason, whatever the event says."""
    assert events.outcome("StockReserved", placed(reason="x")) == events.Outcome(ORDER, "stock", "RESERVED", None)
    wanted = events.Outcome(ORDER, "payment", "DECLINED", "payment declined")
    assert events.outcome("PaymentDeclined", placed(reason="payment declined")) == wanted
    for kind, detail in [
        ("StockRejected", placed()),
        ("PaymentDeclined", placed(reason="")),
        ("OrderPlaced", placed()),
    ]:
        with pytest.raises(Invalid):
            events.outcome(kind, detail)


@pytest.mark.parametrize(
    "value", ["x", {}, {"id": "a", "source": "b", "type": "c"}, {"id": 1, "source": "b", "type": "c"}]
)
def test_a_row_whose_event_is_none_is_noticed(value: object) -> None:
    """It must not stop the stream."""
    with pytest.raises(Invalid):
        events.of_value(value)
