"""ReserveStock as one writes it first: read what is left, check, write what is left then.

Between the read and the write somebody else reads the same number, and both sell the last one. The shipped way is one
transaction with a condition on each line, orders.stock.reserve. Taught in notebooks/06_where_state_lives.ipynb
"""

import os
from typing import Any

from orderlab.orders import clients, rows, stock
from orderlab.orders.events import Placed


def reserve_stock(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """ReserveStock with `reserve` below in place of the transaction."""
    stock.reserve = reserve
    return stock.handler(event, context)


def reserve(placed: Placed, now: float, remaining: Any = None) -> str:
    """Reserve the goods of an order: RESERVED or REJECTED."""
    table = os.environ["STOCK_TABLE"]
    left = {item.sku: (rows.get(table, sku=item.sku) or {"onHand": 0})["onHand"] for item in placed.items}
    short = [item.sku for item in placed.items if left[item.sku] < item.quantity]
    for item in placed.items if not short else ():
        row = rows.to_item({"sku": item.sku, "onHand": left[item.sku] - item.quantity})
        clients.dynamodb().put_item(TableName=table, Item=row)
    decided = stock.rejected(placed, short, now) if short else stock.reserved(placed, now)
    rows.put(rows.new(os.environ["ORDERS_TABLE"], decided))
    return str(decided["status"])
