"""The shop that asks: PlaceOrder invokes stock, payment and mail in turn, and answers when all of them have.

It is easy to write and to read, and the customer learns the end at once. But the customer waits for the sum of all
waits, an order needs every one of them to be up, and what fails halfway leaves half an order behind.
The shipped PlaceOrder writes one row and asks nobody. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
import os
import random
import time
from functools import cache
from typing import Any

from orderlab.orders import catalogue, clients, notify, order, payment, place, proxy, relay, rows, saga, stock
from orderlab.orders.proxy import Response, respond

FAILS = 0.1  # of the calls of a stand-in: far more than real ones, so that 150 orders show it
SECONDS = (0.08, 0.16)  # that a stand-in works, from and to


def place_order(event: dict[str, Any], context: Any) -> Response:
    """Ask stock, payment and mail, one after the other; the error of any of them becomes a 502."""
    row, detail = new_order(event)
    if invoke("reserve-stock", detail)["status"] == "REJECTED":
        return respond(409, {"message": "sold out"})
    invoke("charge-payment", detail)
    invoke("notify", {"detail-type": "OrderConfirmed", "detail": detail})
    save(row | {"status": "CONFIRMED"})
    return respond(200, {"orderId": row["orderId"], "status": "CONFIRMED"})


def place_order_telling(event: dict[str, Any], context: Any) -> Response:
    """The same shop, but it tells all three, and answers 202."""
    row, detail = new_order(event)
    for service in ("reserve-stock", "charge-payment", "notify"):
        invoke(service, detail, "Event")
    return respond(202, {"orderId": row["orderId"], "status": "PENDING"})


def invoke(service: str, event: Any, kind: str = "RequestResponse") -> Any:
    """Invoke a function of this shop: its answer, or None when it was only told. Raises RuntimeError when it failed."""
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"].replace("place-order", service)
    response = client().invoke(FunctionName=name, InvocationType=kind, Payload=json.dumps(event).encode())
    answer = json.loads(response["Payload"].read() or "null")
    if "FunctionError" in response:
        raise RuntimeError(f"{service} failed: {answer['errorMessage']}")
    return answer


@cache
def client() -> Any:
    """Lambda, asked once: it waits 4 s for an answer, which is less than the 5 s that PlaceOrder has."""
    return clients.make("lambda", attempts=1, connect=0.3, read=4.0)


def new_order(event: dict[str, Any]) -> tuple[rows.Row, dict[str, Any]]:
    """The ORDER row of a request, PENDING and without an event, as it is written; and what the others must know."""
    request = order.parse(proxy.body(event))
    order_id = order.order_id(request.customer_id, order.check_key(proxy.header(event, "Idempotency-Key")))
    items = order.priced(request, catalogue.prices([line.sku for line in request.lines], time.time()))
    row = place.pending(request, order_id, items, time.time())
    detail = json.loads(row.pop("event")["detail"])
    save(row)
    return row, detail


def save(row: rows.Row) -> None:
    """Write the ORDER row, whatever was there."""
    rows.put({"TableName": os.environ["ORDERS_TABLE"], "Item": rows.to_item(row)})


def no_relay(event: Any, context: Any) -> None:
    """In Relay's place: this shop publishes nothing."""


def stand_in(event: Any, context: Any) -> dict[str, str]:
    """Any service: it works for a moment, and then fails at a rate."""
    time.sleep(random.uniform(*SECONDS))
    if random.random() < FAILS:
        raise ConnectionError("this service does not work now")
    return {"status": "DONE"}


def build(cloud: Any, *, telling: bool = False, stand_ins: bool = False) -> None:
    """Turn a cloud's shop into the one that asks, or tells; with stand-ins for the three services or the real ones."""
    cloud.replace("PlaceOrder", place_order_telling if telling else place_order)
    cloud.replace("Relay", no_relay)
    cloud.replace("ReserveStock", stand_in if stand_ins else saga.reserve)
    cloud.replace("ChargePayment", stand_in if stand_ins else saga.charge)
    cloud.replace("Notify", stand_in if stand_ins else notify.handler)


def take_down(cloud: Any) -> None:
    """Put the shipped handlers back."""
    shipped = {"PlaceOrder": place, "Relay": relay, "ReserveStock": stock, "ChargePayment": payment, "Notify": notify}
    for name, module in shipped.items():
        cloud.replace(name, module.handler)
