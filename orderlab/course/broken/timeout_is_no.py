"""ChargePayment that takes silence for "no": it asks once, and what is not answered in time was declined.

A time-out says nothing about the charge. The provider may have taken the money, and its answer was late; then the order
is cancelled and the money is gone. The shipped way, orders.payment over orders.asking, says "unknown", and asks again
under the same key. Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import os
from collections.abc import Mapping
from typing import Any

from orderlab.orders import asking, consumer, events, payment, receipts, rows


def charge_payment(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """In ChargePayment's place."""
    return consumer.consume(event, context, _work, payment.RESERVE)


def _work(kind: str, detail: Mapping[str, Any], now: float, remaining: consumer.Remaining) -> str:
    if kind == "OrderCancelled":
        return payment.undo(events.order_of(detail), now, remaining)
    placed = events.placed(detail)
    row = {"orderId": placed.order_id, "part": "PAYMENT", "status": "CHARGING", "amount": placed.total}
    try:
        content = asking.ask_provider({"action": "charge", "key": placed.order_id, "amount": placed.total})
        answer = asking.Answer(content["answer"], content["amount"], content["at"])
        if answer.answer == "captured":
            receipts.keep(placed.order_id, answer)
    except asking.Unknown:
        answer = asking.Answer("declined", placed.total, "")
    paid = payment.charged(row, answer, now)
    rows.put(rows.new(os.environ["ORDERS_TABLE"], paid))
    return str(paid["status"])
