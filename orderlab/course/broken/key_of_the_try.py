"""ChargePayment as if a queue delivered each message once: it takes the money of whatever comes, under a new key.

A message that comes twice is paid twice: the provider cannot know that the two are one, and nobody looks at what is
there. The shipped way, orders.payment, asks under the order's id, behind a row that says CHARGING.
Used in notebooks/04_the_queue.ipynb
"""

import os
from functools import partial
from typing import Any

from orderlab.orders import asking, consumer, events, payment, receipts, rows


def charge_payment(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """ChargePayment's place: the key is the order and this invocation."""
    return consumer.consume(event, context, partial(_charge, context.aws_request_id[:8]), payment.RESERVE)


def _charge(attempt: str, kind: str, detail: Any, now: float, remaining: consumer.Remaining) -> str:
    placed = events.placed(detail)
    row = {"orderId": placed.order_id, "part": "PAYMENT", "status": "CHARGING", "amount": placed.total}
    answer = asking.ask("charge", f"{placed.order_id}-{attempt}", placed.total, remaining)
    receipts.keep(placed.order_id, answer)
    paid = payment.charged(row, answer, now)
    rows.put(rows.new(os.environ["ORDERS_TABLE"], paid))
    return str(paid["status"])
