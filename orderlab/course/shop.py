"""A little shop to play with: its goods, its stock, and a client that places orders the way a real one would.

Stock and prices are rows of two tables, written here as the shop's owner would. The orders go through the front door.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from orderlab.ops.audit.books import books_of, scan
from orderlab.ops.audit.findings import Expected
from orderlab.ops.audit.verdict import audit
from orderlab.ops.days.play import turn_knob, write_rows

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.gateway.exchange import Response
    from orderlab.ops.audit.verdict import Audit

GOODS = {  # sku: name, price in pence, units in stock
    "mug": ("enamel mug", 850, 40),
    "lamp": ("metal lantern", 2495, 12),
    "clock": ("station clock", 12900, 20),
}


def open_shop(cloud: "Cloud") -> dict[str, int]:
    """Write the price list and the opening stock; returns the units in stock by sku, for the audit."""
    tables, outputs = cloud.client("dynamodb"), cloud.outputs
    prices = [{"sku": {"S": s}, "price": {"N": str(p)}, "name": {"S": name}} for s, (name, p, _) in GOODS.items()]
    stock = [{"sku": {"S": sku}, "onHand": {"N": str(units)}} for sku, (_, _, units) in GOODS.items()]
    write_rows(tables, outputs["CatalogueTableName"], prices)
    write_rows(tables, outputs["StockTableName"], stock)
    return {sku: units for sku, (_, _, units) in GOODS.items()}


def place(cloud: "Cloud", key: str, items: Mapping[str, int], customer: str = "C-1") -> "Response":
    """POST an order: `items` is units by sku, `key` the Idempotency-Key. The world runs until the API answers."""
    return cloud.request("POST", "/orders", **order_request(cloud, key, items, customer))


def order_request(cloud: "Cloud", key: str, items: Mapping[str, int], customer: str) -> dict[str, Any]:
    """The body and the headers of an order, as `place` sends them: units by sku, `key` the Idempotency-Key."""
    body = {"customerId": customer, "items": [{"sku": sku, "quantity": units} for sku, units in items.items()]}
    return {"body": body, "headers": {**headers(cloud), "Idempotency-Key": key}}


def status(cloud: "Cloud", order_id: str) -> Any:
    """GET the order and return its status, as a customer would see it."""
    return cloud.request("GET", f"/orders/{order_id}", headers=headers(cloud)).json()["status"]


def on_hand(cloud: "Cloud") -> dict[str, int]:
    """Units in stock by sku, read from the table."""
    rows = scan(cloud.client("dynamodb"), cloud.outputs["StockTableName"])
    return {row["sku"]: row["onHand"] for row in sorted(rows, key=lambda row: row["sku"])}


def provider_down(cloud: "Cloud", minutes: float) -> tuple[float, float]:
    """Let the payment provider be silent from now on; returns when that began and ends, in seconds since the epoch."""
    down = (cloud.now, cloud.now + minutes * 60)
    turn_knob(cloud.client, cloud.outputs, downUntil=down[1])
    return down


def audited(cloud: "Cloud", opening: Mapping[str, int], order_ids: Iterable[str]) -> "Audit":
    """Hold the books against the stock at the opening and the orders that customers had a 202 for."""
    return audit(books_of(cloud), Expected(dict(opening), set(order_ids)))


def headers(cloud: "Cloud") -> dict[str, str]:
    """What each request of this client carries: that it speaks JSON, and the key that it may call the API with."""
    return {"Content-Type": "application/json", "x-api-key": cloud.api_key}
