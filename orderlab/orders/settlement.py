"""SettleOrder: joins what stock and payment say, in any order, and decides: confirmed, or cancelled and why.

Two updates, each with a condition. The first writes down this outcome and gets the whole row back; whoever comes second
sees both outcomes, also when two environments run at once, because DynamoDB does one update of a row after the other.
The second sets status and event, only from PENDING, so an order is decided once. A crash between the two heals by
redelivery. Both must be good; one that is bad decides at once.
Taught in notebooks/10_undoing.ipynb
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from orderlab.orders import clients, consumer, events, rows
from orderlab.orders.events import Outcome

RESERVE = 3.0  # seconds: no record is begun with less time left


class UnknownOrder(LookupError):
    """An outcome of an order that nobody placed: a person must look at it."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point for the queue "settlement". Answers with the messages that failed."""
    return consumer.consume(event, context, work, RESERVE)


def work(kind: str, detail: Mapping[str, Any], now: float, remaining: Callable[[], float]) -> str:
    """Settle by one outcome; answers with the order's status."""
    return settle(events.outcome(kind, detail), now)


def settle(outcome: Outcome, now: float) -> str:
    """Write the outcome down and decide if it can be decided. The order's status. Raises UnknownOrder."""
    row = note(outcome)
    status = decide(row.get("stock"), row.get("payment"))
    if status is None or row["status"] != "PENDING":
        return str(row["status"])
    old = close(row, status, now)
    return status if old is None else str(old["status"])


def decide(stock: str | None, payment: str | None) -> str | None:
    """What the two outcomes make of the order; None while it is open."""
    if stock == "REJECTED" or payment == "DECLINED":
        return "CANCELLED"
    return "CONFIRMED" if (stock, payment) == ("RESERVED", "CAPTURED") else None


def note(outcome: Outcome) -> rows.Row:
    """Write this outcome into the ORDER row, and the first reason there is; touches no event. The row as it is then."""
    names = {"#part": outcome.part}
    change, values = "SET #part = :status", {":status": outcome.status}
    if outcome.reason is not None:
        names["#reason"], values[":reason"] = "reason", outcome.reason
        change += ", #reason = if_not_exists(#reason, :reason)"
    action = rows.update(*_place(outcome.order_id), change, "attribute_exists(orderId)", names, values)
    try:
        answer = clients.dynamodb().update_item(**action, ReturnValues="ALL_NEW")
    except ClientError as error:
        rows.in_the_way(error)
        raise UnknownOrder(f"there is no order {outcome.order_id}") from error
    return rows.from_item(answer["Attributes"])


def close(row: rows.Row, status: str, now: float) -> rows.Row | None:
    """Decide the order, with its event. None; or, when another one has decided it, the row that is there."""
    facts = {"reason": row["reason"]} if status == "CANCELLED" else {}
    event = events.make("OrderConfirmed" if status == "CONFIRMED" else "OrderCancelled", row["orderId"], now, **facts)
    action = rows.update(
        *_place(row["orderId"]),
        "SET #status = :status, #event = :event",
        "#status = :pending",
        {"#status": "status", "#event": "event"},
        {":status": status, ":event": event, ":pending": "PENDING"},
    )
    try:
        clients.dynamodb().update_item(**action, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    except ClientError as error:
        return rows.in_the_way(error)
    return None


def _place(order_id: str) -> tuple[str, dict[str, str]]:
    return os.environ["ORDERS_TABLE"], {"orderId": order_id, "part": "ORDER"}
