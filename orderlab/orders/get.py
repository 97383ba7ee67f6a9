"""GetOrder, GET /orders/{orderId}: what became of the order, by one consistent read.

The read is consistent because the first question comes right after the 202: an eventually consistent one may still
answer 404. Whoever knows the order's id may ask; the answer does not name the customer.
Taught in notebooks/02_the_front_door.ipynb
"""

import os
from typing import Any

from orderlab.orders import events, log, rows
from orderlab.orders.order import Invalid
from orderlab.orders.proxy import respond

SHOWN = ("orderId", "status", "reason", "total", "items", "placedAt")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point. Answers 200 or 404; raises what AWS raises."""
    say = log.logger(context)
    try:
        order_id = events.order_of(event.get("pathParameters") or {})
    except Invalid:  # no order has such an id
        return respond(404, {"message": "no such order"})
    row = rows.get(os.environ["ORDERS_TABLE"], orderId=order_id, part="ORDER")
    say("INFO", "GET /orders", order_id, status=200 if row else 404)
    return show(row) if row else respond(404, {"message": "no such order"})


def show(row: rows.Row) -> dict[str, Any]:
    """The answer for an ORDER row. The reason is known before the order is decided, and shown only then."""
    hidden = {"reason"} if row["status"] == "PENDING" else set()
    return respond(200, {name: row[name] for name in SHOWN if name in row and name not in hidden})
