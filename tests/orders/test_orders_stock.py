"""ReserveStock: all goods or none, once, and given back once."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderlab.orders import events, stock, transactions


def cancelled(tools: SimpleNamespace, order_id: str) -> dict[str, Any]:
    """An OrderCancelled in its envelope."""
    return tools.envelope("OrderCancelled", {"orderId": order_id, "reason": "x"})


def refuse(shop: Any, monkeypatch: pytest.MonkeyPatch, codes: list[str], times: int) -> list[int]:
    """Have the next transactions cancelled with these reasons; the list counts them."""
    real = shop.clients.dynamodb().transact_write_items
    seen: list[int] = []

    def write(**params: Any) -> Any:
        if len(seen) >= times:
            return real(**params)
        seen.append(len(params["TransactItems"]))
        reasons = [{"Code": code} for code in codes]
        error = {"Error": {"Code": "TransactionCanceledException", "Message": "no"}, "CancellationReasons": reasons}
        raise ClientError(error, "TransactWriteItems")

    monkeypatch.setattr(shop.clients.dynamodb(), "transact_write_items", write)
    return seen


def test_goods_are_reserved_with_their_event_in_one_call(shop: Any) -> None:
    """The row names the goods, so that undoing needs nobody else."""
    shop.goods(A=5, B=5)
    order_id, placed = shop.placed({"A": 2, "B": 5})
    calls = shop.calls()
    assert shop.mine("stock", placed) == []
    assert calls == ["TransactWriteItems"]
    assert shop.on_hand() == {"A": 3, "B": 0}
    row = shop.row(order_id, "STOCK")
    assert (row["status"], row["event"]["type"]) == ("RESERVED", "StockReserved")
    assert row["items"] == [{"sku": "A", "quantity": 2}, {"sku": "B", "quantity": 5}]


def test_a_redelivery_changes_nothing(shop: Any) -> None:
    """Three times in one batch, and once more when the goods are gone."""
    shop.goods(A=3)
    order_id, placed = shop.placed({"A": 2})
    assert shop.mine("stock", placed, placed, placed) == []
    row = shop.row(order_id, "STOCK")
    shop.now += 3600
    calls = shop.calls()
    assert shop.mine("stock", placed) == []
    assert calls == ["TransactWriteItems"]
    assert shop.on_hand() == {"A": 1} and shop.row(order_id, "STOCK") == row


def test_what_is_short_rejects_the_order_whole_and_is_named(shop: Any) -> None:
    """No line is taken; an article without stock row is short too; a redelivery stays rejected when goods arrive."""
    shop.goods(A=5, B=1)
    shop.add("catalogue", {"sku": "gift_0001_40", "price": 1, "name": "g"})
    order_id, placed = shop.placed({"A": 5, "B": 2, "gift_0001_40": 1})
    assert shop.mine("stock", placed) == []
    row = shop.row(order_id, "STOCK")
    assert row["status"] == "REJECTED"
    assert '"reason":"out of stock: B, gift_0001_40"' in row["event"]["detail"]
    assert shop.on_hand() == {"A": 5, "B": 1}
    shop.goods(B=10, gift_0001_40=1)
    assert shop.mine("stock", placed) == []
    assert shop.row(order_id, "STOCK") == row and shop.on_hand()["A"] == 5


def test_99_items_fit_one_transaction(shop: Any) -> None:
    """Both ways: reserved, and released."""
    skus = {f"s{n}": 1 for n in range(99)}
    shop.goods(**skus)
    order_id, placed = shop.placed(skus)
    assert shop.mine("stock", placed) == []
    assert set(shop.on_hand().values()) == {0}
    assert stock.release(order_id, shop.now) == "RELEASED"
    assert set(shop.on_hand().values()) == {1}


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_conflict_is_tried_again_and_never_sold_out(code: str, shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With jitter between the tries; also when another line's condition failed in the same answer."""
    shop.goods(A=5, B=5)
    order_id, placed = shop.placed({"A": 1, "B": 1})
    seen = refuse(shop, monkeypatch, ["None", code, "ConditionalCheckFailed"], 3)
    assert shop.mine("stock", placed) == []
    assert shop.status(order_id, "STOCK") == "RESERVED"
    assert len(seen) == 3 and len(shop.slept) == 3 and all(0 <= wait <= 0.5 for wait in shop.slept)


def test_a_lasting_conflict_fails_the_item_and_decides_nothing(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message comes back; a good one in the same batch goes through."""
    shop.goods(A=5)
    (first, placed), (second, other) = shop.placed({"A": 1}, "1"), shop.placed({"A": 2}, "2")
    seen = refuse(shop, monkeypatch, ["None", "TransactionConflict"], transactions.RETRY.attempts)
    assert shop.mine("stock", placed, other) == ["0"]
    assert len(seen) == transactions.RETRY.attempts
    assert shop.row(first, "STOCK") == {} and shop.status(second, "STOCK") == "RESERVED"
    assert shop.mine("stock", placed) == []
    assert shop.on_hand() == {"A": 2}


def test_another_reason_is_an_error(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ValidationError is nobody's stock: the item fails, and nothing is tried again."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 1})
    seen = refuse(shop, monkeypatch, ["None", "ValidationError"], 9)
    assert shop.mine("stock", placed) == ["0"]
    assert len(seen) == 1 and shop.row(order_id, "STOCK") == {}


def test_undo_gives_back_what_was_reserved_once(shop: Any, tools: SimpleNamespace) -> None:
    """However often OrderCancelled arrives."""
    shop.goods(A=5, B=5)
    order_id, placed = shop.placed({"A": 2, "B": 1})
    undo = cancelled(tools, order_id)
    assert shop.mine("stock", placed, undo, undo, undo) == []
    assert shop.on_hand() == {"A": 5, "B": 5}
    row = shop.row(order_id, "STOCK")
    assert (row["status"], row["event"]["type"]) == ("RELEASED", "StockReleased")
    assert '"amount":3' in row["event"]["detail"]
    calls = shop.calls()
    assert shop.mine("stock", undo) == [] and calls == ["PutItem"]
    assert shop.mine("stock", placed) == []
    assert shop.on_hand() == {"A": 5, "B": 5} and shop.status(order_id, "STOCK") == "RELEASED"


def test_undo_before_the_order_leaves_a_tombstone(shop: Any, tools: SimpleNamespace) -> None:
    """A late OrderPlaced finds it and takes nothing; no event comes of either."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 2})
    undo = cancelled(tools, order_id)
    assert shop.mine("stock", undo, undo, placed, placed, undo) == []
    assert shop.row(order_id, "STOCK") == {"orderId": order_id, "part": "STOCK", "status": "TOMBSTONE"}
    assert shop.on_hand() == {"A": 5}


def test_undo_of_a_rejected_order_leaves_it_rejected(shop: Any, tools: SimpleNamespace) -> None:
    """Nothing was taken."""
    shop.goods(A=1)
    order_id, placed = shop.placed({"A": 2})
    assert shop.mine("stock", placed, cancelled(tools, order_id)) == []
    assert shop.status(order_id, "STOCK") == "REJECTED" and shop.on_hand() == {"A": 1}


def test_an_undo_that_slips_in_before_the_reservation_wins(shop: Any) -> None:
    """The transaction's condition notices the tombstone."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 2})
    shop.before("TransactWriteItems", lambda: stock.release(order_id, shop.now))
    assert shop.mine("stock", placed) == []
    assert shop.status(order_id, "STOCK") == "TOMBSTONE" and shop.on_hand() == {"A": 5}


def test_an_undo_that_slips_in_before_the_rejection_wins(shop: Any) -> None:
    """Between the transaction that failed and the row that says so."""
    shop.goods(A=1)
    order_id, placed = shop.placed({"A": 2})
    shop.before("PutItem", lambda: stock.release(order_id, shop.now))
    assert shop.mine("stock", placed) == []
    assert shop.status(order_id, "STOCK") == "TOMBSTONE"


def test_a_reservation_that_slips_in_before_the_tombstone_is_released(shop: Any, tools: SimpleNamespace) -> None:
    """The tombstone's condition notices the reservation, and answers with its goods."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 2})
    shop.before("PutItem", lambda: stock.reserve(events.placed(placed["detail"]), shop.now))
    assert shop.mine("stock", cancelled(tools, order_id)) == []
    assert shop.status(order_id, "STOCK") == "RELEASED" and shop.on_hand() == {"A": 5}


def test_two_undoes_at_once_give_back_once(shop: Any) -> None:
    """Both have read RESERVED; the transaction's condition lets one through."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 2})
    shop.mine("stock", placed)
    shop.before("TransactWriteItems", lambda: stock.release(order_id, shop.now))
    assert stock.release(order_id, shop.now) == "RELEASED"
    assert shop.on_hand() == {"A": 5}


def test_poison_fails_alone_and_touches_nothing(shop: Any, tools: SimpleNamespace) -> None:
    """An OrderPlaced without items, no JSON, another type: each comes back, the good one does not."""
    shop.goods(A=5)
    order_id, placed = shop.placed({"A": 2})
    poison = tools.envelope("OrderPlaced", {key: value for key, value in placed["detail"].items() if key != "items"})
    bodies = [
        poison,
        placed,
        tools.envelope("OrderConfirmed", {"orderId": order_id}),
        tools.envelope("OrderPlaced", {}),
    ]
    assert shop.mine("stock", *bodies) == ["0", "2", "3"]
    assert tools.deliver("stock", ["{"]) == ["0"]
    assert shop.on_hand() == {"A": 3}
    assert [row["part"] for row in shop.all("orders")] == ["ORDER", "STOCK"]


def test_with_less_than_three_seconds_left_nothing_is_begun(shop: Any) -> None:
    """What was not begun comes back whole."""
    shop.goods(A=5)
    placed = [shop.placed({"A": 1}, str(n))[1] for n in range(2)]
    assert shop.mine("stock", *placed, seconds=2.9) == ["0", "1"]
    assert shop.on_hand() == {"A": 5}
