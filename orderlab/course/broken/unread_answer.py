"""The article's `put_events`: a 200 is taken for success, and the entries that it refuses inside are gone.

`place_order` is where the article calls it: after the write. A crash between the two is another way to lose the order,
for the customer's next try finds the row, gets its 202, and publishes nothing.

PutEvents raises nothing for a single entry: its answer has a FailedEntryCount, and an ErrorCode at the entry's place.
No retry sees it; the order was accepted, and nobody will hear of it. The shipped way is orders.relay, which looks at
every entry. Source: EventBridge API Reference, PutEvents. Taught in notebooks/03_the_bus.ipynb
"""

import os
import time
from dataclasses import dataclass
from typing import Any

from orderlab.orders import catalogue, clients, events, order, place, proxy, relay, rows
from orderlab.orders.events import Event

BUS = "orderlab-orders"  # the shipped PlaceOrder has no right to publish, and knows no bus


def put_events(event: Event) -> None:
    """Send an event to the bus, and believe that it is there."""
    entry = {"Source": event.source, "DetailType": event.type, "Detail": event.detail}
    clients.events().put_events(Entries=[{**entry, "EventBusName": os.environ["BUS_NAME"]}])


def publish(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """In Relay's place: every new event of a row is sent, once."""
    for record in event["Records"]:
        if (new := relay.fresh(record["dynamodb"])) is not None:
            put_events(new)
    return {"batchItemFailures": []}


def place_order(event: dict[str, Any], context: Any) -> proxy.Response:
    """In PlaceOrder's place: write the row, without its event; then publish. The first is no part of the second."""
    os.environ.setdefault("BUS_NAME", BUS)
    request = order.parse(proxy.body(event))
    order_id = order.order_id(request.customer_id, order.check_key(proxy.header(event, "Idempotency-Key")))
    now = time.time()
    items = order.priced(request, catalogue.prices([line.sku for line in request.lines], now))
    row = place.pending(request, order_id, items, now)
    placed = events.of_value(row.pop("event"))
    old = rows.put(rows.new(os.environ["ORDERS_TABLE"], row))
    if old is not None:
        return place.repeat(old, order.payload_hash(request))
    put_events(placed)
    return place.accepted(row)


@dataclass(frozen=True)
class Loss:
    """Times that the bus refused an OrderPlaced, and orders that neither stock nor payment ever heard of."""

    refused: int
    lost: int


def loss(cloud: Any, order_ids: list[str]) -> Loss:
    """Count in a Cloud at rest: an order is lost if its own row is all that there is."""
    table, rows = cloud.outputs["OrdersTableName"], cloud.client("dynamodb")
    asked = {"KeyConditionExpression": "orderId = :id", "Select": "COUNT"}
    found = [rows.query(TableName=table, ExpressionAttributeValues={":id": {"S": i}}, **asked) for i in order_ids]
    refused = cloud.trace.select("refused", contains="OrderPlaced")
    return Loss(len(refused), sum(one["Count"] == 1 for one in found))
