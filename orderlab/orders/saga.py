"""The tasks of the orchestrated saga: an entry point for each step that Step Functions drives, over the same functions.

Under choreography the services listen to each other; under orchestration a state machine asks them in turn. What a step
does is the same either way, and so are its rows: stock, payment and settlement do not know who called. A task gets the
detail of OrderPlaced as JSON, checks it like any message, and answers with the status of its row, also when it is asked
again: Step Functions retries a task, and EventBridge may start two executions for one order. An error keeps its name,
by which the machine knows what to retry. Nothing is published here: Relay sends what the rows carry.
Taught in notebooks/10_undoing.ipynb
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any

from orderlab.orders import consumer, events, log, payment, rows, settlement, stock
from orderlab.orders.events import Outcome
from orderlab.orders.order import Invalid

Detail = dict[str, Any]
Step = Callable[[Detail, float, consumer.Remaining], str]
"""`step(detail, now, remaining) -> status`: one step of the saga, or raises."""

UNDONE = {"RELEASED": ("stock", "REJECTED"), "REFUNDED": ("payment", "DECLINED"), "VOIDED": ("payment", "DECLINED")}


class Undecided(Exception):
    """The order was to be settled before its stock and its payment had anything to say: the machine is wrong."""


def reserve(event: object, context: Any) -> dict[str, str]:
    """Take the goods: RESERVED or REJECTED, or what was made of it since. Raises transactions.Busy."""
    return _task("reserve", event, context, lambda detail, *rest: stock.reserve(events.placed(detail), *rest))


def charge(event: object, context: Any) -> dict[str, str]:
    """Take the money: CAPTURED or DECLINED, or what was made of it since. Raises as payment.charge does."""
    return _task("charge", event, context, lambda detail, *rest: payment.charge(events.placed(detail), *rest))


def undo_charge(event: object, context: Any) -> dict[str, str]:
    """Compensate the charge: the status of the PAYMENT row. Raises as payment.undo does."""
    return _task("undo charge", event, context, lambda detail, *rest: payment.undo(events.order_of(detail), *rest))


def release(event: object, context: Any) -> dict[str, str]:
    """Compensate the reservation: the status of the STOCK row. Raises transactions.Busy."""
    return _task("release", event, context, lambda detail, *rest: stock.release(events.order_of(detail), *rest))


def settle(event: object, context: Any) -> dict[str, str]:
    """Decide the order from its rows: CONFIRMED or CANCELLED. Raises Undecided, UnknownOrder, Contradiction."""
    return _task("settle", event, context, lambda detail, now, _: settle_order(events.order_of(detail), now))


def settle_order(order_id: str, now: float) -> str:
    """Settle by what the STOCK and PAYMENT rows say; the order's status. Raises as `settle`."""
    table = os.environ["ORDERS_TABLE"]
    found = outcomes(*(rows.get(table, orderId=order_id, part=part) for part in ("PAYMENT", "STOCK")))
    status = "PENDING"
    for outcome in found:
        status = settlement.settle(outcome, now)
    if status == "PENDING":
        raise Undecided(f"{order_id} cannot be settled yet: its rows say {[o.status for o in found]}")
    if (status == "CONFIRMED") != all(o.status in ("RESERVED", "CAPTURED") for o in found):
        raise payment.Contradiction(f"{order_id} is {status}, and its rows say {[o.status for o in found]}")
    return status


def outcomes(*found: rows.Row | None) -> list[Outcome]:
    """What these rows say of their order, the good first. Work that was undone is never good again."""
    said = [outcome for row in found if row and (outcome := _said(row))]
    if all(outcome.reason is None for outcome in said):
        said += [
            Outcome(row["orderId"], part, bad, f"{part} {row['status'].lower()}")
            for row in found
            if row and row["status"] in UNDONE
            for part, bad in [UNDONE[row["status"]]]
        ]
    return sorted(said, key=lambda outcome: outcome.reason is not None)


def _said(row: rows.Row) -> Outcome | None:
    """The outcome that a row carries as its event, with its reason; None when it carries another, or none."""
    if "event" not in row:
        return None
    event = events.of_value(row["event"])
    return events.outcome(event.type, json.loads(event.detail)) if event.type in events.OUTCOMES else None


def _task(name: str, event: object, context: Any, step: Step) -> dict[str, str]:
    """Do one step for the order in `event`. Raises Invalid before any effect, and whatever the step raises."""
    say = log.logger(context)
    order_id: str | None = None
    try:
        if not isinstance(event, dict):
            raise Invalid("a task of the saga takes the detail of OrderPlaced, a JSON object")
        order_id = events.order_of(event)
        status = step(event, time.time(), consumer.remaining(context))
    except Exception as error:
        say("ERROR", f"{type(error).__name__}: {error}", order_id, step=name, notes=getattr(error, "__notes__", []))
        raise
    say("INFO", name, order_id, status=status)
    return {"orderId": order_id, "status": status}
