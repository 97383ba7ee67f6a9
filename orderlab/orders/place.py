"""PlaceOrder, POST /orders: one conditional put accepts the order, and the row carries the event that tells the others.

The answer is 202, "accepted": stock and payment follow. The order's id is made from the customer and the
Idempotency-Key, so a client that got no answer asks again and gets the same one; the put's condition makes it so, even
for two requests at once. An exception becomes a 502, which to the client is as good as no answer.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import os
import time
from typing import Any

from orderlab.orders import catalogue, events, log, order, proxy, rows
from orderlab.orders.order import Invalid, Item, Request
from orderlab.orders.proxy import Response, respond


def handler(event: dict[str, Any], context: Any) -> Response:
    """The entry point. Answers 202, 400 or 422; raises what AWS raises."""
    say = log.logger(context)
    try:
        key = order.check_key(proxy.header(event, "Idempotency-Key"))
        request = order.parse(proxy.body(event))
    except Invalid as error:
        say("WARNING", f"refused: {error}")
        return respond(400, {"message": str(error)})
    found = order.order_id(request.customer_id, key)
    response = place(request, found, time.time())
    say("INFO", "POST /orders", found, status=response["statusCode"])
    return response


def place(request: Request, order_id: str, now: float) -> Response:
    """Accept the order, or repeat the answer that it got. `now` in seconds since the epoch."""
    table, digest = os.environ["ORDERS_TABLE"], order.payload_hash(request)
    try:
        items = order.priced(request, catalogue.prices([line.sku for line in request.lines], now))
    except Invalid as unknown:
        old = rows.get(table, orderId=order_id, part="ORDER")  # accepted while the shop still had the article?
        return repeat(old, digest) if old else respond(400, {"message": str(unknown)})
    row = pending(request, order_id, items, now)
    old = rows.put(rows.new(table, row))
    return accepted(row) if old is None else repeat(old, digest)


def pending(request: Request, order_id: str, items: tuple[Item, ...], now: float) -> rows.Row:
    """The ORDER row as it is born, with its OrderPlaced."""
    content = [{"sku": item.sku, "quantity": item.quantity, "price": item.price} for item in items]
    cost = order.total(items)
    facts = {"customerId": request.customer_id, "items": content, "total": cost}
    return {
        "orderId": order_id,
        "part": "ORDER",
        **facts,
        "status": "PENDING",
        "payloadHash": order.payload_hash(request),
        "placedAt": events.timestamp(now),
        "event": events.make("OrderPlaced", order_id, now, **facts),
    }


def accepted(row: rows.Row) -> Response:
    """202, the same whenever it is asked: what became of the order since is at its Location."""
    content = {"orderId": row["orderId"], "status": "PENDING", "total": row["total"]}
    return respond(202, content, Location=f"/orders/{row['orderId']}")


def repeat(old: rows.Row, digest: str) -> Response:
    """The answer to a key that was used before: the first one, or 422 where the body is another one."""
    if old["payloadHash"] == digest:
        return accepted(old)
    return respond(422, {"message": "this Idempotency-Key was used with another body: take a new key for a new order"})
