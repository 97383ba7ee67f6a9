"""ChargePayment: takes the money of an order once, and gives it back when the order is cancelled.

The PAYMENT row says CHARGING before the provider is asked: whatever dies after that, the row is there, and the
redelivery asks again with the same key. No answer means unknown, so the message comes back; only an answer moves the
row on:

    (none) ─▶ CHARGING ─▶ CAPTURED ─▶ REFUNDED          CHARGING ─▶ DECLINED          (none) ─▶ TOMBSTONE
              CHARGING ─▶ REFUNDED or VOIDED            (undone in the middle of a charge)

The provider settles the race between a charge and its cancellation: the one that it sees second is told of the first.
Taught in notebooks/10_undoing.ipynb
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from orderlab.orders import asking, consumer, events, receipts, rows
from orderlab.orders.asking import Answer
from orderlab.orders.events import Placed
from orderlab.orders.order import Invalid

RESERVE = 8.0  # seconds: no record is begun with less time left; the provider's deadline is 4 s


class Contradiction(Exception):
    """The provider's answer and our row cannot both be true: nothing is written, a person must look."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point for the queue "payment". Answers with the messages that failed."""
    return consumer.consume(event, context, work, RESERVE)


def work(kind: str, detail: Mapping[str, Any], now: float, remaining: Callable[[], float]) -> str:
    """Do what one event asks for; answers with the status of the PAYMENT row. Raises Invalid before any effect."""
    if kind == "OrderPlaced":
        return charge(events.placed(detail), now, remaining)
    if kind == "OrderCancelled":
        return undo(events.order_of(detail), now, remaining)
    raise Invalid(f"the queue payment takes no {kind[:64]}")


def charge(placed: Placed, now: float, remaining: Callable[[], float] | None = None) -> str:
    """Charge the order. The status of its PAYMENT row: CAPTURED or DECLINED, or what somebody else made of it.

    Raises asking.Unknown or breaker.Open when there is no answer: the row stays CHARGING.
    """
    table = os.environ["ORDERS_TABLE"]
    row: rows.Row = {"orderId": placed.order_id, "part": "PAYMENT", "status": "CHARGING", "amount": placed.total}
    old = rows.put(rows.new(table, row))
    if old is not None and old["status"] != "CHARGING":
        return str(old["status"])
    answer = asking.ask("charge", placed.order_id, (old or row)["amount"], remaining)
    if answer.answer == "captured":
        receipts.keep(placed.order_id, answer)
    return _move(table, charged(old or row, answer, now), "CHARGING")


def undo(order_id: str, now: float, remaining: Callable[[], float] | None = None) -> str:
    """Give the money back, stop the charge, or leave a tombstone where nothing is. The status of the PAYMENT row.

    Raises asking.Unknown or breaker.Open when there is no answer, Contradiction when it cannot be.
    """
    table = os.environ["ORDERS_TABLE"]
    old = rows.put(rows.new(table, {"orderId": order_id, "part": "PAYMENT", "status": "TOMBSTONE"}))
    if old is None:
        return "TOMBSTONE"
    if old["status"] not in ("CHARGING", "CAPTURED"):  # a state that nothing follows
        return str(old["status"])
    row = undone(old, asking.ask("cancel", order_id, old["amount"], remaining), now)
    status = _move(table, row, *(("CHARGING", "CAPTURED") if row["status"] == "REFUNDED" else ("CHARGING",)))
    if status == "CAPTURED":
        raise Contradiction(f"{order_id} is captured, and the provider says that it never was")
    return status


def charged(row: rows.Row, answer: Answer, now: float) -> rows.Row:
    """The PAYMENT row after the provider's answer to a charge. Raises Contradiction for an answer that is none."""
    order_id, amount = row["orderId"], row["amount"]
    if answer.answer == "captured":
        return row | {"status": "CAPTURED", "event": events.make("PaymentCaptured", order_id, now, amount=amount)}
    if answer.answer in ("declined", "cancelled"):
        event = events.make("PaymentDeclined", order_id, now, amount=amount, reason=f"payment {answer.answer}")
        return row | {"status": "DECLINED", "event": event}
    raise Contradiction(f"the provider answered {answer.answer} to the charge of {order_id}")


def undone(row: rows.Row, answer: Answer, now: float) -> rows.Row:
    """The PAYMENT row after the provider's answer to a cancellation. Raises Contradiction as above."""
    order_id, amount = row["orderId"], row["amount"]
    if answer.answer == "refunded":
        return row | {"status": "REFUNDED", "event": events.make("PaymentRefunded", order_id, now, amount=amount)}
    if answer.answer == "cancelled":  # before it was charged, or because it was declined: no money moved
        return row | {"status": "VOIDED"}
    raise Contradiction(f"the provider answered {answer.answer} to the cancellation of {order_id}")


def _move(table: str, row: rows.Row, *statuses: str) -> str:
    """Write the row over one in these statuses; the status that is there afterwards."""
    old = rows.put(rows.over(table, row, *statuses))
    return str(row["status"] if old is None else old["status"])
