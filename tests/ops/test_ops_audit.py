"""Every way in which the books can be wrong is planted once, and the audit must find it, and nothing else."""

import copy
import json
from dataclasses import replace

import pytest

from orderlab.ops.audit.books import Books, Letter, failed_records, letter
from orderlab.ops.audit.findings import Expected
from orderlab.ops.audit.verdict import Audit, audit

CONFIRMED, SOLD_OUT, DECLINED, DEAD, POISON = (f"ORD-{n:020x}" for n in range(1, 6))
ITEMS = [{"sku": "A", "quantity": 2, "price": 100}, {"sku": "B", "quantity": 1, "price": 50}]
EXPECTED = Expected({"A": 10, "B": 5}, {CONFIRMED, SOLD_OUT, DECLINED, DEAD}, {POISON})


def order(order_id: str, status: str, stock: str | None, payment: str | None, reason: str = "") -> dict:
    row = {"orderId": order_id, "part": "ORDER", "status": status, "items": ITEMS, "total": 250}
    return row | {name: value for name, value in (("stock", stock), ("payment", payment), ("reason", reason)) if value}


def envelope(kind: str, order_id: str) -> str:
    return json.dumps({"version": "0", "detail-type": kind, "source": "x", "detail": {"orderId": order_id}})


def world() -> Books:
    """Four orders in good order, one of them waiting in payment's dead letters, and one poisonous event."""
    goods = [{"sku": item["sku"], "quantity": item["quantity"]} for item in ITEMS]
    orders = {
        CONFIRMED: {
            "ORDER": order(CONFIRMED, "CONFIRMED", "RESERVED", "CAPTURED"),
            "STOCK": {"status": "RESERVED", "items": goods},
            "PAYMENT": {"status": "CAPTURED", "amount": 250},
        },
        SOLD_OUT: {
            "ORDER": order(SOLD_OUT, "CANCELLED", "REJECTED", "CAPTURED", "out of stock: A"),
            "STOCK": {"status": "REJECTED", "items": goods},
            "PAYMENT": {"status": "REFUNDED", "amount": 250},
        },
        DECLINED: {
            "ORDER": order(DECLINED, "CANCELLED", "RESERVED", "DECLINED", "payment declined"),
            "STOCK": {"status": "RELEASED", "items": goods},
            "PAYMENT": {"status": "DECLINED", "amount": 250},
        },
        DEAD: {
            "ORDER": order(DEAD, "PENDING", "RESERVED", None),
            "STOCK": {"status": "RESERVED", "items": goods},
            "PAYMENT": {"status": "CHARGING", "amount": 250},
        },
    }
    return Books(
        orders=orders,
        stock={"A": 6, "B": 3},
        ledger=[
            {"key": CONFIRMED, "answer": "captured", "amount": 250},
            {"key": SOLD_OUT, "answer": "refunded", "amount": 250},
            {"key": DECLINED, "answer": "declined", "amount": 250},
        ],
        receipts={CONFIRMED: {"amount": 250}, SOLD_OUT: {"amount": 250}},
        notifications=frozenset(
            {f"{CONFIRMED}.OrderConfirmed", f"{SOLD_OUT}.OrderCancelled", f"{DECLINED}.OrderCancelled"}
        ),
        sales={"total": 250, CONFIRMED: 250},
        letters=(
            letter("PaymentDeadQueue", envelope("OrderPlaced", DEAD)),
            letter("PaymentDeadQueue", envelope("OrderPlaced", POISON)),
            letter("StockDeadQueue", envelope("OrderPlaced", POISON)),
        ),
    )


def with_letter(books: Books, *letters: Letter) -> Books:
    return replace(books, letters=(*books.letters, *letters))


def without_letter(books: Books, *indices: int) -> Books:
    return replace(books, letters=tuple(one for n, one in enumerate(books.letters) if n not in indices))


def found(verdict: Audit) -> list[tuple[str, str]]:
    return [(finding.kind, finding.subject) for finding in verdict.findings]


def test_a_world_in_good_order_has_four_zeros_and_every_order_one_end():
    """Dead is not lost, and poison is not an order."""
    verdict = audit(world(), EXPECTED)
    assert verdict.counts == {"lost": 0, "charged_twice": 0, "oversold": 0, "unexplained": 0}, verdict.findings
    assert {order_id: (end.state, end.why) for order_id, end in verdict.ends.items()} == {
        CONFIRMED: ("confirmed", ""),
        SOLD_OUT: ("cancelled", "out of stock: A"),
        DECLINED: ("cancelled", "payment declined"),
        DEAD: ("dead", "PaymentDeadQueue"),
    }


def lose_row(b):
    del b.orders[DEAD]
    b.stock.update(A=8, B=4)
    return b


def lose_message(b):
    return without_letter(b, 0)


def wrong_message_left(b):
    """The stock side is done, so stock's OrderPlaced does not bring the payment."""
    return with_letter(without_letter(b, 0), letter("StockDeadQueue", envelope("OrderPlaced", DEAD)))


def both_sides_in_and_undecided(b):
    b.orders[DEAD]["ORDER"]["payment"] = "CAPTURED"
    b.orders[DEAD]["PAYMENT"]["status"] = "CAPTURED"
    b.ledger.append({"key": DEAD, "answer": "captured", "amount": 250})
    b.receipts[DEAD] = {"amount": 250}
    return without_letter(b, 0)


def capture_twice(b):
    b.ledger.append({"key": f"{CONFIRMED}.2", "answer": "captured", "amount": 250})
    return b


def capture_again_after_a_refund(b):
    b.ledger.append({"key": f"{SOLD_OUT}-again", "answer": "refunded", "amount": 250})
    return b


def negative_stock(b):
    b.stock["A"] = -1
    return b


def promise_too_much(b):
    """A second order for more than there was; the stock was left at zero."""
    for part in ("ORDER", "STOCK"):
        b.orders[CONFIRMED][part]["items"] = [{"sku": "A", "quantity": 9, "price": 100}]
    b.orders[CONFIRMED]["ORDER"]["total"] = b.ledger[0]["amount"] = b.receipts[CONFIRMED]["amount"] = 900
    b.stock.update(A=0, B=4)
    return replace(b, sales={"total": 900, CONFIRMED: 900})


def leak_units(b):
    b.stock["B"] = 2
    return b


def goods_from_nowhere(b):
    b.stock["Z"] = 1
    return b


def capture_for_nobody(b):
    b.ledger.append({"key": "ORD-" + "f" * 20, "answer": "captured", "amount": 1})
    b.receipts["ORD-" + "f" * 20] = {"amount": 1}
    return b


def capture_under_a_foreign_key(b):
    b.ledger.append({"key": "7d1f", "answer": "captured", "amount": 1})
    b.receipts["7d1f"] = {"amount": 1}
    return b


def capture_too_much(b):
    b.ledger[0]["amount"] = b.receipts[CONFIRMED]["amount"] = 251
    return b


def confirm_without_capture(b):
    b.orders[CONFIRMED]["PAYMENT"]["status"] = "CHARGING"
    del b.ledger[0], b.receipts[CONFIRMED]
    return b


def refund_a_confirmed_order(b):
    b.ledger[0]["answer"] = "refunded"
    return b


def row_captured_ledger_empty(b):
    b.orders[DEAD]["PAYMENT"]["status"] = "CAPTURED"
    return b


def confirm_without_reservation(b):
    del b.orders[CONFIRMED]["STOCK"]
    return b


def no_refund(b):
    b.ledger[1]["answer"] = "captured"
    b.orders[SOLD_OUT]["PAYMENT"]["status"] = "CAPTURED"
    return b


def refund_on_paper(b):
    b.ledger[1]["answer"] = "captured"
    return b


def charging_for_ever(b):
    b.orders[SOLD_OUT]["PAYMENT"]["status"] = "CHARGING"
    return b


def no_release(b):
    b.orders[DECLINED]["STOCK"]["status"] = "RESERVED"
    b.stock.update(A=4, B=2)
    return b


def no_receipt(b):
    del b.receipts[CONFIRMED]
    return b


def receipt_without_capture(b):
    b.receipts[DECLINED] = {"amount": 250}
    return b


def receipt_over_another_amount(b):
    b.receipts[CONFIRMED]["amount"] = 25
    return b


def wrong_sum(b):
    b.orders[DECLINED]["ORDER"]["total"] = 249
    return b


def nobody_told(b):
    return replace(b, notifications=b.notifications - {f"{CONFIRMED}.OrderConfirmed"})


def told_the_opposite(b):
    return replace(b, notifications=b.notifications - {f"{CONFIRMED}.OrderConfirmed"} | {f"{CONFIRMED}.OrderCancelled"})


def told_both(b):
    return replace(b, notifications=b.notifications | {f"{CONFIRMED}.OrderCancelled"})


def told_too_early(b):
    return replace(b, notifications=b.notifications | {f"{DEAD}.OrderConfirmed"})


def sale_missing(b):
    return replace(b, sales={"total": 0})


def sale_of_a_cancelled_order(b):
    return replace(b, sales={"total": 500, CONFIRMED: 250, DECLINED: 250})


def sale_counted_twice(b):
    return replace(b, sales={"total": 500, CONFIRMED: 250})


def stranger_in_dead_letters(b):
    return with_letter(b, letter("SettlementDeadQueue", envelope("StockReserved", "ORD-" + "e" * 20)))


def gibberish_in_dead_letters(b):
    return with_letter(b, letter("RelayDeadQueue", "{"))


def stranger_waits(b):
    return with_letter(b, letter("SettlementQueue", envelope("StockReserved", "ORD-" + "e" * 20)))


def poison_gone(b):
    return without_letter(b, 2)


def poison_twice(b):
    return with_letter(b, letter("StockDeadQueue", envelope("OrderPlaced", POISON)))


def poison_swallowed(b):
    b.orders[POISON] = {"STOCK": {"status": "RESERVED", "items": []}}
    return b


@pytest.mark.parametrize(
    ("plant", "findings"),
    [
        (lose_row, [("lost", DEAD)]),
        (lose_message, [("lost", DEAD)]),
        (wrong_message_left, [("lost", DEAD)]),
        (both_sides_in_and_undecided, [("lost", DEAD)]),
        (capture_twice, [("charged_twice", CONFIRMED)]),
        (capture_again_after_a_refund, [("charged_twice", SOLD_OUT)]),
        (negative_stock, [("oversold", "A")]),
        (promise_too_much, [("oversold", "A")]),
        (leak_units, [("unexplained", "B")]),
        (goods_from_nowhere, [("unexplained", "Z")]),
        (capture_for_nobody, [("unexplained", "ORD-" + "f" * 20)]),
        (capture_under_a_foreign_key, [("unexplained", "7d1f")]),
        (capture_too_much, [("unexplained", CONFIRMED)]),
        (confirm_without_capture, [("unexplained", CONFIRMED)] * 3),
        (refund_a_confirmed_order, [("unexplained", CONFIRMED)]),
        (row_captured_ledger_empty, [("unexplained", DEAD)]),
        (confirm_without_reservation, [("unexplained", CONFIRMED)]),
        (no_refund, [("unexplained", SOLD_OUT)] * 2),
        (refund_on_paper, [("unexplained", SOLD_OUT)] * 2),
        (charging_for_ever, [("unexplained", SOLD_OUT)]),
        (no_release, [("unexplained", DECLINED)]),
        (no_receipt, [("unexplained", CONFIRMED)]),
        (receipt_without_capture, [("unexplained", DECLINED)]),
        (receipt_over_another_amount, [("unexplained", CONFIRMED)]),
        (wrong_sum, [("unexplained", DECLINED)]),
        (nobody_told, [("unexplained", CONFIRMED)]),
        (told_the_opposite, [("unexplained", CONFIRMED)]),
        (told_both, [("unexplained", CONFIRMED)]),
        (told_too_early, [("unexplained", DEAD)]),
        (sale_missing, [("unexplained", CONFIRMED)]),
        (sale_of_a_cancelled_order, [("unexplained", DECLINED)]),
        (sale_counted_twice, [("unexplained", "sales")]),
        (stranger_in_dead_letters, [("unexplained", "SettlementDeadQueue")]),
        (gibberish_in_dead_letters, [("unexplained", "RelayDeadQueue")]),
        (stranger_waits, [("unexplained", "SettlementQueue")]),
        (poison_gone, [("unexplained", "StockDeadQueue")]),
        (poison_twice, [("unexplained", "StockDeadQueue")]),
        (poison_swallowed, [("unexplained", POISON)]),
    ],
)
def test_each_planted_wrong_is_found_and_named(plant, findings):
    """One wrong, its own findings and no other: a false alarm is a bug of the auditor."""
    verdict = audit(plant(copy.deepcopy(world())), EXPECTED)
    assert found(verdict) == findings, verdict.findings


@pytest.mark.parametrize(
    ("queue", "kind", "state", "why"),
    [
        ("PaymentQueue", "OrderPlaced", "in flight", ""),
        ("SettlementQueue", "PaymentCaptured", "in flight", ""),
        ("SettlementDeadQueue", "PaymentDeclined", "dead", "SettlementDeadQueue"),
        ("UndeliveredQueue", "OrderPlaced", "dead", "UndeliveredQueue"),
        ("StockDeadQueue", "OrderPlaced", "lost", None),
        ("SettlementDeadQueue", "StockReserved", "lost", None),
        ("ReviewQueue", "OrderPlaced", "lost", None),
        ("NotifyDeadQueue", "OrderConfirmed", "lost", None),
    ],
)
def test_a_pending_order_is_as_alive_as_the_message_that_can_end_it(queue, kind, state, why):
    """A copy in review, or a message of the side that is done already, keeps no order alive."""
    books = with_letter(without_letter(world(), 0), letter(queue, envelope(kind, DEAD)))
    end = audit(books, EXPECTED).ends[DEAD]
    assert end.state == state and why in (None, end.why)


def batch(function: str, new: str | None, old: str | None) -> str:
    """What Lambda writes into the bucket when it gives up on one stream record of the order DEAD."""
    images = {"NewImage": new, "OldImage": old}
    change = {"Keys": {"orderId": {"S": DEAD}}}
    for image, kind in images.items():
        event = {"M": {"id": {"S": f"{DEAD}.{kind}"}, "type": {"S": kind}}}
        change[image] = {"orderId": {"S": DEAD}} | ({"event": event} if kind else {})
    return json.dumps(
        {
            "requestContext": {"functionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{function}"},
            "payload": json.dumps({"Records": [{"eventName": "MODIFY", "dynamodb": change}]}),
        }
    )


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (batch("relay", "OrderPlaced", None), "dead"),
        (batch("relay", "PaymentCaptured", None), "dead"),
        (batch("relay", "OrderPlaced", "OrderPlaced"), "lost"),
        (batch("relay", None, None), "lost"),
        (batch("sales", "OrderPlaced", None), "lost"),
    ],
)
def test_only_an_event_that_relay_gave_up_on_keeps_an_order_alive(text, state):
    """A change of the row that carried no new event brings nothing, and neither does the other reader's failure."""
    books = with_letter(without_letter(world(), 0), *failed_records(text, "relay"))
    assert audit(books, EXPECTED).ends[DEAD].state == state


def test_a_sale_that_the_stream_gave_up_on_is_explained():
    """The order is confirmed all the same."""
    text = batch("sales", "OrderConfirmed", "OrderPlaced").replace(DEAD, CONFIRMED)
    assert found(audit(with_letter(sale_missing(world()), *failed_records(text, "relay")), EXPECTED)) == []


def test_what_relay_buried_is_dead_and_not_lost():
    """Its body is the row's event, not EventBridge's envelope."""
    buried = json.dumps({"id": f"{DEAD}.OrderPlaced", "type": "OrderPlaced", "detail": "{}"})
    books = with_letter(without_letter(world(), 0), letter("RelayDeadQueue", buried))
    assert audit(books, EXPECTED).ends[DEAD].why == "RelayDeadQueue"


def test_a_refund_and_a_release_that_wait_as_messages_are_explained():
    """The undo is dead, and a redrive will do it; the same message in another queue would not."""
    books = no_release(no_refund(world()))
    undo = [
        letter("PaymentDeadQueue", envelope("OrderCancelled", SOLD_OUT)),
        letter("StockQueue", envelope("OrderCancelled", DECLINED)),
    ]
    assert found(audit(with_letter(books, *undo), EXPECTED)) == []
    swapped = [replace(one, queue="SettlementDeadQueue") for one in undo]
    assert len(found(audit(with_letter(books, *swapped), EXPECTED))) == 3


def test_a_word_to_the_customer_that_lies_in_dead_letters_is_explained():
    """Notify's destination has the whole event."""
    books = with_letter(nobody_told(world()), letter("NotifyDeadQueue", envelope("OrderConfirmed", CONFIRMED)))
    assert found(audit(books, EXPECTED)) == []


def test_while_the_system_moves_only_what_can_never_be_right_is_wrong():
    """An event between a row and a queue is seen by nobody; money without an order is wrong at any time."""
    moving = replace(EXPECTED, at_rest=False)
    for plant in (lose_message, no_refund, no_release, nobody_told, poison_gone, stranger_waits):
        assert found(audit(plant(world()), moving)) == []
    for plant in (lose_row, capture_twice, negative_stock, leak_units, capture_for_nobody, confirm_without_capture):
        assert found(audit(plant(world()), moving)) != []
