"""ChargePayment with a record beside the work, and a provider that knows no keys: each ask is a new charge to it.

The record says that a charge was made, and what came of it. It is written after the charge, so a crash between the two
leaves a charge that nobody remembers; and a record that expires forgets what a redrive brings back. The shipped way,
orders.payment, sends the order's id along, and the provider keeps its answer and its ledger in one transaction.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from orderlab.orders import asking, consumer, events, payment, receipts, rows
from orderlab.orders.idempotency_store import IdempotencyStore
from orderlab.patterns.idempotency import idempotent

RECORDS, KEY = "orderlab-notifications", "id"  # a table for such records; the shipped ChargePayment has none
DAY = 24 * 3600.0  # seconds


def for_a_day(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """In ChargePayment's place: remember each charge for 24 hours."""
    return consumer.consume(event, context, partial(_charge, context.aws_request_id, DAY), payment.RESERVE)


def for_ever(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """In ChargePayment's place: remember each charge, and never forget it."""
    return consumer.consume(event, context, partial(_charge, context.aws_request_id, None), payment.RESERVE)


def _charge(
    request: str,
    expires_after: float | None,
    kind: str,
    detail: Mapping[str, Any],
    now: float,
    remaining: consumer.Remaining,
) -> str:
    if kind != "OrderPlaced":  # what is undone is no part of this experiment
        return "IGNORED"
    placed = events.placed(detail)

    def work() -> dict[str, Any]:
        return asdict(asking.ask("charge", f"{placed.order_id}-{request[:8]}", placed.total, remaining))

    answer = asking.Answer(
        **idempotent(
            f"charge {placed.order_id}",
            [placed.total],
            work,
            store=IdempotencyStore(RECORDS, KEY),
            now=now,
            expires_after=expires_after,
            remaining=remaining(),
        )
    )
    receipts.keep(placed.order_id, answer)
    row = {"orderId": placed.order_id, "part": "PAYMENT", "status": "CHARGING", "amount": placed.total}
    paid = payment.charged(row, answer, now)
    rows.put(rows.new(os.environ["ORDERS_TABLE"], paid))
    return str(paid["status"])
