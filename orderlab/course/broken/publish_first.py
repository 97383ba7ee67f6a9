"""PlaceOrder with two writes, the event first: it reads the bus's answer, and a crash between the two is too much.

It leaves an event that every consumer believes, of an order that nobody has. Only the customer's next try mends that,
and there may be none. The article's order, write first, is in `unread_answer`; the shipped PlaceOrder has one write.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import os
import time
from typing import Any

from orderlab.orders import catalogue, events, log, order, place, proxy, relay, rows

BUS = "orderlab-orders"  # the shipped PlaceOrder has no right to publish, and knows no bus


class NotPublished(Exception):
    """The bus did not take the event, so no row is written: the customer gets a 502, and asks again."""


def place_order(event: dict[str, Any], context: Any) -> proxy.Response:
    """In PlaceOrder's place: publish, then write the row, without its event."""
    os.environ.setdefault("BUS_NAME", BUS)
    request = order.parse(proxy.body(event))
    order_id = order.order_id(request.customer_id, order.check_key(proxy.header(event, "Idempotency-Key")))
    now = time.time()
    items = order.priced(request, catalogue.prices([line.sku for line in request.lines], now))
    row = place.pending(request, order_id, items, now)
    placed = events.of_value(row.pop("event"))
    if relay.publish([relay.Change(0, "", placed)], log.logger(context)):
        raise NotPublished(placed.id)
    old = rows.put(rows.new(os.environ["ORDERS_TABLE"], row))
    return place.accepted(row) if old is None else place.repeat(old, order.payload_hash(request))
