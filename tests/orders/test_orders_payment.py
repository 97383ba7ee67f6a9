"""ChargePayment and the provider: charged once whatever gets lost, and given back once."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import asking, events, payment

Asked = Callable[[], dict[str, Any]]


def cancelled(tools: SimpleNamespace, order_id: str) -> dict[str, Any]:
    """An OrderCancelled in its envelope."""
    return tools.envelope("OrderCancelled", {"orderId": order_id, "reason": "x"})


def receipts(shop: Any) -> dict[str, Any]:
    """The receipts in the bucket, by key."""
    bucket = shop.clients.buckets()
    keys = [entry["Key"] for entry in bucket.list_objects_v2(Bucket="receipts").get("Contents", [])]
    return {key: json.loads(bucket.get_object(Bucket="receipts", Key=key)["Body"].read()) for key in keys}


def lost(times: int) -> Callable[[dict[str, Any], Asked], dict[str, Any]]:
    """The provider does it, and the answer is lost, so many times."""
    left = [times]

    def upset(wanted: dict[str, Any], answer: Asked) -> dict[str, Any]:
        found = answer()
        if left[0] > 0:
            left[0] -= 1
            raise asking.Unknown("no answer: ReadTimeoutError")
        return found

    return upset


def silent(wanted: dict[str, Any], answer: Asked) -> dict[str, Any]:
    """The provider is never reached."""
    raise asking.Unknown("no answer: ConnectTimeoutError")


def test_an_order_is_charged_with_a_receipt_before_the_row_says_so(shop: Any) -> None:
    """CHARGING, the provider, the receipt, CAPTURED with its event; in that order."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    seen: list[tuple[str | None, int]] = []

    def look() -> None:
        seen.append((shop.status(order_id, "PAYMENT"), len(receipts(shop))))

    def looking(wanted: dict[str, Any], answer: Asked) -> dict[str, Any]:
        look()
        return answer()

    shop.upset = looking
    shop.before("PutItem", look, 2)
    assert shop.mine("payment", placed) == []
    assert seen == [("CHARGING", 0), ("CHARGING", 1)]
    row = shop.row(order_id, "PAYMENT")
    assert (row["status"], row["amount"], row["event"]["type"]) == ("CAPTURED", 300, "PaymentCaptured")
    assert '"amount":300' in row["event"]["detail"]
    assert shop.asked == [{"action": "charge", "key": order_id, "amount": 300}]
    assert shop.ledger() == {order_id: "captured"}
    at = "2026-01-05T09:00:00.000+00:00"
    assert receipts(shop) == {f"receipts/{order_id}.json": {"orderId": order_id, "amount": 300, "capturedAt": at}}


def test_a_redelivery_of_a_charge_asks_nobody(shop: Any) -> None:
    """The row says that it is done."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed, placed, placed) == []
    row = shop.row(order_id, "PAYMENT")
    shop.now += 3600
    assert shop.mine("payment", placed) == []
    assert len(shop.asked) == 1 and shop.row(order_id, "PAYMENT") == row


def test_a_decline_is_an_answer(shop: Any) -> None:
    """DECLINED with its reason, no receipt, no retry; and declined at every later try as well."""
    shop.goods(A=9)
    shop.knob(declineRate=1)
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed, placed) == []
    row = shop.row(order_id, "PAYMENT")
    assert (row["status"], row["event"]["type"]) == ("DECLINED", "PaymentDeclined")
    assert '"reason":"payment declined"' in row["event"]["detail"]
    assert len(shop.asked) == 1 and receipts(shop) == {}
    assert asking.breaker().local.record()["failures"] == 0


def test_a_lost_answer_is_asked_for_again_and_charged_once(shop: Any) -> None:
    """With the same key, inside the same delivery."""
    shop.goods(A=9)
    shop.upset = lost(2)
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed) == []
    assert len(shop.asked) == 3 and len(shop.slept) == 2 and max(shop.slept) <= 0.5
    assert shop.status(order_id, "PAYMENT") == "CAPTURED" and shop.ledger() == {order_id: "captured"}
    assert len([row for row in shop.all("ledger") if "answer" in row]) == 1


def test_no_answer_at_all_is_unknown_and_never_declined(shop: Any) -> None:
    """The message comes back, the row stays CHARGING without an event, and the redelivery finds what was done."""
    shop.goods(A=9)
    shop.upset = lost(3)
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed) == ["0"]
    assert shop.row(order_id, "PAYMENT") == {
        "orderId": order_id,
        "part": "PAYMENT",
        "status": "CHARGING",
        "amount": 300,
    }
    assert shop.mine("payment", placed) == []
    assert shop.status(order_id, "PAYMENT") == "CAPTURED" and shop.ledger() == {order_id: "captured"}


def test_the_first_amount_counts(shop: Any, tools: SimpleNamespace) -> None:
    """A redelivery that finds CHARGING charges what the row says, whatever the message says."""
    shop.goods(A=9)
    shop.upset = silent
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed) == ["0"]
    shop.upset = None
    forged = {**placed["detail"], "items": [{"sku": "A", "quantity": 1, "price": 1}], "total": 1}
    assert shop.mine("payment", tools.envelope("OrderPlaced", forged)) == []
    assert shop.row(order_id, "PAYMENT")["amount"] == 300 and shop.asked[-1]["amount"] == 300


def test_after_five_failures_in_a_row_nobody_is_asked(shop: Any) -> None:
    """The open breaker fails the item without an attempt; after 30 s one good probe closes it."""
    shop.goods(A=99)
    reached: list[str] = []

    def unreached(wanted: dict[str, Any], answer: Asked) -> dict[str, Any]:
        reached.append(wanted["key"])
        return silent(wanted, answer)

    shop.upset = unreached
    orders = [shop.placed({"A": 1}, str(n)) for n in range(4)]
    assert shop.mine("payment", *(placed for _, placed in orders)) == ["0", "1", "2", "3"]
    assert len(reached) == 5
    assert [shop.status(order_id, "PAYMENT") for order_id, _ in orders] == ["CHARGING"] * 4
    shop.upset = None
    shop.now += 29.9
    assert shop.mine("payment", orders[0][1]) == ["0"] and shop.asked == []
    shop.now += 0.1
    assert shop.mine("payment", *(placed for _, placed in orders)) == []
    assert sorted(shop.ledger().values()) == ["captured"] * 4


def test_the_breaker_is_one_for_all_environments(shop: Any) -> None:
    """Another environment has its own objects and the same row."""
    shop.goods(A=99)
    shop.upset = silent
    orders = [shop.placed({"A": 1}, str(n))[1] for n in range(2)]
    shop.mine("payment", *orders)
    asking.breaker.cache_clear()
    asking.policy.cache_clear()
    shop.upset = None
    assert shop.mine("payment", orders[0]) == ["0"] and shop.asked == []


def test_without_the_breakers_table_payments_go_on(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment then decides alone, and says so."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 1})
    monkeypatch.setenv("BREAKER_TABLE", "missing")
    assert shop.mine("payment", placed) == []
    assert shop.status(order_id, "PAYMENT") == "CAPTURED"


def test_retries_have_a_budget_and_a_deadline(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten retries, and then one for five calls; and none that would end after 4 s or after the invocation."""
    shop.upset = silent
    monkeypatch.setattr(asking, "breaker", lambda: SimpleNamespace(call=lambda fn, **_: fn()))
    waits = []
    for n in range(20):
        before = len(shop.slept)
        with pytest.raises(asking.Unknown):
            asking.ask("charge", f"k{n}", 1)
        waits.append(len(shop.slept) - before)
    assert waits[:5] == [2] * 5 and sum(waits) <= 10 + 20 * 0.2
    asking.policy.cache_clear()
    with pytest.raises(asking.Unknown) as error:
        asking.ask("charge", "k", 1, lambda: 0.0)
    assert "remaining" in error.value.__notes__[0]


def test_a_refused_request_fails_at_once_and_speaks_for_the_provider(shop: Any) -> None:
    """An amount that changed under a key: no retry, no breaker, no charge; a person must look."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    asking.ask("charge", order_id, 299)
    assert shop.mine("payment", placed) == ["0"]
    assert len(shop.asked) == 2 and shop.status(order_id, "PAYMENT") == "CHARGING"
    assert asking.breaker().local.record()["failures"] == 0


def test_undo_refunds_what_was_captured_once(shop: Any, tools: SimpleNamespace) -> None:
    """However often OrderCancelled arrives; a late OrderPlaced changes nothing."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    undo = cancelled(tools, order_id)
    assert shop.mine("payment", placed, undo, undo, undo, placed) == []
    row = shop.row(order_id, "PAYMENT")
    assert (row["status"], row["event"]["type"]) == ("REFUNDED", "PaymentRefunded")
    assert '"amount":300' in row["event"]["detail"]
    assert shop.ledger() == {order_id: "refunded"}
    assert [asked["action"] for asked in shop.asked] == ["charge", "cancel"]


def test_undo_before_the_order_leaves_a_tombstone(shop: Any, tools: SimpleNamespace) -> None:
    """A late OrderPlaced finds it, and the provider never hears of the order."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    undo = cancelled(tools, order_id)
    assert shop.mine("payment", undo, placed, undo, placed) == []
    assert shop.row(order_id, "PAYMENT") == {"orderId": order_id, "part": "PAYMENT", "status": "TOMBSTONE"}
    assert shop.asked == [] and shop.ledger() == {}


def test_undo_of_a_declined_order_leaves_it_declined(shop: Any, tools: SimpleNamespace) -> None:
    """No money moved, and the provider need not hear of it."""
    shop.goods(A=9)
    shop.knob(declineRate=1)
    order_id, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed, cancelled(tools, order_id)) == []
    assert shop.status(order_id, "PAYMENT") == "DECLINED" and len(shop.asked) == 1


def test_undo_of_a_charge_without_an_answer_stops_it_or_refunds_it(shop: Any, tools: SimpleNamespace) -> None:
    """The provider knows which: VOIDED where it had not charged, REFUNDED where it had."""
    shop.goods(A=9)
    (first, placed), (second, other) = shop.placed({"A": 3}, "1"), shop.placed({"A": 3}, "2")
    shop.upset = silent
    shop.mine("payment", placed)
    asking.breaker.cache_clear()
    shop.add("breaker", {"name": "provider", "version": 99, "record": asking.breaker().local.record(), "mark": ""})
    shop.upset = lost(3)
    shop.mine("payment", other)
    shop.upset = None
    assert shop.mine("payment", cancelled(tools, first), cancelled(tools, second)) == []
    assert shop.status(first, "PAYMENT") == "VOIDED" and "event" not in shop.row(first, "PAYMENT")
    assert shop.status(second, "PAYMENT") == "REFUNDED"
    assert shop.ledger() == {first: "cancelled", second: "refunded"}
    assert shop.mine("payment", placed, other) == []  # the charges come back late
    assert (shop.status(first, "PAYMENT"), shop.status(second, "PAYMENT")) == ("VOIDED", "REFUNDED")


@pytest.mark.parametrize(
    ("slips_in", "ends", "ledger"),
    [
        ("before the provider charges", "VOIDED", "cancelled"),
        ("after the provider charged", "REFUNDED", "refunded"),
    ],
)
def test_an_undo_in_the_middle_of_a_charge_wins(slips_in: str, ends: str, ledger: str, shop: Any) -> None:
    """Neither the charge's answer nor its event counts any more."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})

    def meddle(wanted: dict[str, Any], answer: Asked) -> dict[str, Any]:
        shop.upset = None
        if slips_in.startswith("before"):
            payment.undo(order_id, shop.now)
            return answer()
        found = answer()
        payment.undo(order_id, shop.now)
        return found

    shop.upset = meddle
    assert shop.mine("payment", placed) == []
    assert shop.status(order_id, "PAYMENT") == ends and shop.ledger() == {order_id: ledger}
    assert "PaymentCaptured" not in shop.happenings(order_id)


def test_a_charge_that_was_cancelled_at_the_provider_is_declined(shop: Any, tools: SimpleNamespace) -> None:
    """The undo's own row is not written yet: whoever comes first decides, and nobody is stuck."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    asking.ask("cancel", order_id, 0)
    assert shop.mine("payment", placed) == []
    row = shop.row(order_id, "PAYMENT")
    assert row["status"] == "DECLINED" and '"reason":"payment cancelled"' in row["event"]["detail"]
    assert shop.mine("payment", cancelled(tools, order_id)) == []
    assert shop.status(order_id, "PAYMENT") == "DECLINED" and shop.ledger() == {order_id: "cancelled"}


def test_an_undo_whose_row_is_overtaken_by_the_capture_still_refunds(shop: Any) -> None:
    """It read CHARGING, the provider refunded, and before it can say so the row becomes CAPTURED."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    shop.upset = lost(3)
    shop.mine("payment", placed)
    shop.upset = None
    shop.before("PutItem", lambda: payment.charge(events.placed(placed["detail"]), shop.now), 2)
    assert payment.undo(order_id, shop.now) == "REFUNDED"
    assert shop.status(order_id, "PAYMENT") == "REFUNDED" and shop.ledger() == {order_id: "refunded"}


def test_a_charge_that_slips_in_before_the_tombstone_is_undone(shop: Any) -> None:
    """The tombstone's condition notices the row."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    shop.before("PutItem", lambda: payment.charge(events.placed(placed["detail"]), shop.now))
    assert payment.undo(order_id, shop.now) == "REFUNDED"


def test_a_provider_that_contradicts_our_row_is_a_case_for_a_person(shop: Any) -> None:
    """We have a capture, it has none: the item fails, and the row stays."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    shop.mine("payment", placed)
    shop.upset = lambda wanted, answer: {"answer": "cancelled", "amount": 0, "at": ""}
    with pytest.raises(payment.Contradiction):
        payment.undo(order_id, shop.now)
    assert shop.status(order_id, "PAYMENT") == "CAPTURED"
    shop.upset = lambda wanted, answer: {"answer": "refunded", "amount": 0, "at": ""}
    _, other = shop.placed({"A": 1}, "2")
    assert shop.mine("payment", other) == ["0"]


def test_an_undo_without_an_answer_comes_back(shop: Any, tools: SimpleNamespace) -> None:
    """And is done at the next delivery."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    shop.mine("payment", placed)
    shop.upset = lost(3)
    assert shop.mine("payment", cancelled(tools, order_id)) == ["0"]
    assert shop.status(order_id, "PAYMENT") == "CAPTURED" and shop.ledger() == {order_id: "refunded"}
    assert shop.mine("payment", cancelled(tools, order_id)) == []
    assert shop.status(order_id, "PAYMENT") == "REFUNDED"


def test_without_a_receipt_nothing_is_captured(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 fails, the row stays CHARGING; the next delivery writes both, and charges nothing more."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    monkeypatch.setenv("RECEIPTS_BUCKET", "missing")
    assert shop.mine("payment", placed) == ["0"]
    assert shop.status(order_id, "PAYMENT") == "CHARGING"
    monkeypatch.setenv("RECEIPTS_BUCKET", "receipts")
    shop.now += 180
    assert shop.mine("payment", placed) == []
    assert receipts(shop)[f"receipts/{order_id}.json"]["capturedAt"] == "2026-01-05T09:00:00.000+00:00"
    assert shop.ledger() == {order_id: "captured"}


def test_poison_fails_before_any_effect(shop: Any, tools: SimpleNamespace) -> None:
    """An OrderPlaced without items comes back, though it has a total; the good one is charged."""
    shop.goods(A=9)
    order_id, placed = shop.placed({"A": 3})
    poison = {key: value for key, value in placed["detail"].items() if key != "items"}
    wrong = {**placed["detail"], "total": 1}
    bodies = [tools.envelope("OrderPlaced", poison), placed, tools.envelope("OrderPlaced", wrong)]
    assert shop.mine("payment", *bodies, tools.envelope("StockReserved", {"orderId": order_id})) == ["0", "2", "3"]
    assert len(shop.asked) == 1 and [row["part"] for row in shop.all("orders")] == ["ORDER", "PAYMENT"]


def test_with_less_than_eight_seconds_left_nothing_is_begun(shop: Any) -> None:
    """A charge may take its 4 s, and what surrounds it."""
    shop.goods(A=9)
    _, placed = shop.placed({"A": 3})
    assert shop.mine("payment", placed, seconds=7.9) == ["0"]
    assert shop.asked == []


def test_a_payment_takes_four_calls_to_dynamodb_and_one_to_s3(shop: Any) -> None:
    """Two of them are the breaker's reads."""
    shop.goods(A=9)
    _, placed = shop.placed({"A": 3})
    shop.upset = lambda wanted, answer: {"answer": "captured", "amount": 300, "at": "now"}
    calls, puts = shop.calls(), shop.calls("s3")
    shop.mine("payment", placed)
    assert calls == ["PutItem", "GetItem", "GetItem", "PutItem"] and puts == ["PutObject"]
