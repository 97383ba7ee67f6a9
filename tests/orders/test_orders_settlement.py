"""SettleOrder: joins the outcomes in any order, decides once."""

import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderlab.orders import events, settlement

UNKNOWN = "ORD-" + "0" * 20
REASONS = {"StockRejected": "out of stock: A", "PaymentDeclined": "payment declined"}


def outcome(tools: SimpleNamespace, kind: str, order_id: str) -> dict[str, Any]:
    """One of the four outcomes in its envelope."""
    detail = {"version": "1", "orderId": order_id} | ({"reason": REASONS[kind]} if kind in REASONS else {})
    return tools.envelope(kind, detail)


@pytest.mark.parametrize("stock", ["StockReserved", "StockRejected"])
@pytest.mark.parametrize("payment", ["PaymentCaptured", "PaymentDeclined"])
@pytest.mark.parametrize("first", [0, 1])
def test_the_outcomes_decide_in_any_order_and_however_often(
    first: int, payment: str, stock: str, shop: Any, tools: SimpleNamespace
) -> None:
    """Both good: confirmed. Any bad: cancelled at once, with the reason that came first."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    kinds = [stock, payment] if first == 0 else [payment, stock]
    bad = [kind for kind in kinds if kind in REASONS]
    assert shop.mine("settlement", outcome(tools, kinds[0], order_id)) == []
    assert shop.status(order_id, "ORDER") == ("CANCELLED" if kinds[0] in REASONS else "PENDING")
    assert shop.mine("settlement", *(outcome(tools, kind, order_id) for kind in [*kinds, *kinds])) == []
    row = shop.row(order_id, "ORDER")
    assert row["status"] == ("CANCELLED" if bad else "CONFIRMED")
    assert row["event"]["type"] == ("OrderCancelled" if bad else "OrderConfirmed")
    assert row.get("reason") == (REASONS[bad[0]] if bad else None)
    assert json.loads(row["event"]["detail"]).get("reason") == row.get("reason")
    assert (row["stock"], row["payment"]) == (
        events.OUTCOMES[stock][1],
        events.OUTCOMES[payment][1],
    )


def test_the_first_update_touches_no_event(shop: Any, tools: SimpleNamespace) -> None:
    """So Relay has nothing to publish, and an OrderPlaced that was not yet published is not lost."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    event = shop.row(order_id, "ORDER")["event"]
    shop.mine("settlement", outcome(tools, "StockReserved", order_id))
    assert shop.row(order_id, "ORDER")["event"] == event


def test_a_decided_order_keeps_its_event_and_time(shop: Any, tools: SimpleNamespace) -> None:
    """A redelivery a day later publishes nothing new."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    both = [outcome(tools, kind, order_id) for kind in ("StockReserved", "PaymentCaptured")]
    shop.mine("settlement", *both)
    row = shop.row(order_id, "ORDER")
    shop.now += 86_400
    shop.mine("settlement", *both)
    assert shop.row(order_id, "ORDER") == row


def test_a_crash_between_the_two_updates_heals(shop: Any, tools: SimpleNamespace) -> None:
    """By the redelivery of the same outcome, or by the other one, whose event knows no reason."""
    for kinds in itertools.permutations(["StockRejected", "PaymentCaptured"]):
        shop.goods(A=9)
        order_id, _ = shop.placed({"A": 3}, key=kinds[0])

        def die() -> None:
            raise ConnectionError("the environment dies here")

        shop.before("UpdateItem", die, 2)
        assert shop.mine("settlement", outcome(tools, "StockRejected", order_id)) == ["0"]
        assert shop.status(order_id, "ORDER") == "PENDING"
        assert shop.mine("settlement", *(outcome(tools, kind, order_id) for kind in kinds)) == []
        row = shop.row(order_id, "ORDER")
        assert (row["status"], row["reason"]) == ("CANCELLED", "out of stock: A")


@pytest.mark.parametrize("slips_in", [1, 2])
def test_two_environments_at_once_decide_once(slips_in: int, shop: Any, tools: SimpleNamespace) -> None:
    """The other outcome is settled before the first or before the second update of this one."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    other = events.outcome("PaymentCaptured", {"orderId": order_id})
    mine = outcome(tools, "StockReserved", order_id)
    if slips_in == 2:  # then this one is a redelivery that finds both outcomes and an order that is still open
        shop.mine("settlement", mine)
        settlement.note(other)
    shop.before("UpdateItem", lambda: settlement.settle(other, shop.now + 1), slips_in)
    assert shop.mine("settlement", mine) == []
    row = shop.row(order_id, "ORDER")
    assert row["status"] == "CONFIRMED"
    at = events.timestamp(shop.now + (1 if slips_in == 2 else 0))
    assert json.loads(row["event"]["detail"])["at"] == at


def test_both_outcomes_in_one_batch_confirm(shop: Any, tools: SimpleNamespace) -> None:
    """And an order that nobody placed fails alone."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    kinds = [("StockReserved", order_id), ("StockReserved", UNKNOWN), ("PaymentCaptured", order_id)]
    assert shop.mine("settlement", *(outcome(tools, *kind) for kind in kinds)) == ["1"]
    assert shop.status(order_id, "ORDER") == "CONFIRMED" and shop.row(UNKNOWN, "ORDER") == {}


def test_an_unknown_order_is_an_error(shop: Any) -> None:
    """Not a row that appears from nowhere."""
    with pytest.raises(settlement.UnknownOrder, match=UNKNOWN):
        settlement.settle(events.outcome("StockReserved", {"orderId": UNKNOWN}), shop.now)
    assert shop.all("orders") == []


def test_throttling_is_no_unknown_order(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a failed condition is; anything else is raised as it is."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})

    def throttled(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")

    monkeypatch.setattr(shop.clients.dynamodb(), "update_item", throttled)
    with pytest.raises(ClientError):
        settlement.settle(events.outcome("StockReserved", {"orderId": order_id}), shop.now)
    monkeypatch.undo()


def test_a_settled_order_takes_three_updates(shop: Any, tools: SimpleNamespace) -> None:
    """Two outcomes and one decision; a repeat takes one."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    calls = shop.calls()
    both = [outcome(tools, kind, order_id) for kind in ("StockReserved", "PaymentCaptured")]
    shop.mine("settlement", *both)
    assert calls == ["UpdateItem"] * 3
    shop.mine("settlement", *both)
    assert calls == ["UpdateItem"] * 5


def test_poison_fails_alone(shop: Any, tools: SimpleNamespace) -> None:
    """No reason, no order, another type."""
    shop.goods(A=9)
    order_id, _ = shop.placed({"A": 3})
    bodies = [
        tools.envelope("StockRejected", {"orderId": order_id}),
        tools.envelope("StockReserved", {}),
        tools.envelope("OrderPlaced", {"orderId": order_id}),
        outcome(tools, "StockReserved", order_id),
    ]
    assert shop.mine("settlement", *bodies) == ["0", "1", "2"]
    assert shop.row(order_id, "ORDER")["stock"] == "RESERVED"
