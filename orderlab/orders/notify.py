"""Notify: tells the customer, once, that the order is confirmed or cancelled and why.

EventBridge invokes it asynchronously: Lambda keeps the event in a queue of its own, tries twice more after an error
(1 and 2 minutes later), and then sends it to the on-failure destination. It delivers at least once, so the work is
guarded by an idempotency record for 24 hours. A row of the table notifications stands for the mail; a killed invocation
may have sent it without remembering: then a second one goes out. Exactly once does not exist for a mail.
Taught in notebooks/01_ask_or_tell.ipynb and 07_exactly_once_nearly.ipynb
"""

import os
import time
from collections.abc import Mapping
from typing import Any

from orderlab.orders import consumer, events, log, rows
from orderlab.orders.idempotency_store import IdempotencyStore
from orderlab.orders.order import Invalid
from orderlab.patterns.idempotency import idempotent

REMEMBERED = 24 * 3600.0  # seconds


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point, invoked asynchronously. Raises Invalid, InProgress, and what AWS raises: then Lambda retries."""
    say, now = log.logger(context), time.time()
    kind, detail = events.opened(event)
    order_id, text = events.order_of(detail), message(kind, detail)
    table, key = os.environ["NOTIFICATIONS_TABLE"], f"{order_id}.{kind}"

    def send() -> dict[str, Any]:
        mail = {"id": f"{key}.{context.aws_request_id}", "orderId": order_id, "text": text, "at": events.timestamp(now)}
        rows.put({"TableName": table, "Item": rows.to_item(mail)})
        say("INFO", "mail sent", order_id, kind=kind)
        return {"mail": mail["id"]}

    return dict(
        idempotent(
            key,
            {"text": text},
            send,
            store=IdempotencyStore(table, "id"),
            now=now,
            expires_after=REMEMBERED,
            remaining=consumer.remaining(context)(),
        )
    )


def message(kind: str, detail: Mapping[str, Any]) -> str:
    """What the customer reads. Raises Invalid for an event that is no news to a customer."""
    if kind == "OrderConfirmed":
        return "Your order is confirmed."
    if kind == "OrderCancelled" and isinstance(detail.get("reason"), str):
        return f"Your order was cancelled: {detail['reason']}."
    raise Invalid(f"there is nothing to tell a customer about {kind[:64]}")
