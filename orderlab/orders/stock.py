"""ReserveStock: takes the goods of an order, all or none, in one transaction; and gives them back when it is cancelled.

The reservation (the order's STOCK row) is written in the same transaction as the stock of all its lines, never expires,
and so makes every redelivery harmless. Its states only move forward:

    (none) ─▶ RESERVED ─▶ RELEASED          (none) ─▶ REJECTED          (none) ─▶ TOMBSTONE

The tombstone is what an OrderCancelled leaves that overtook its OrderPlaced. A condition of a line that fails means
"sold out"; a conflict or throttling never does.
Taught in notebooks/06_where_state_lives.ipynb and 10_undoing.ipynb
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from orderlab.orders import consumer, events, rows, transactions
from orderlab.orders.events import Placed
from orderlab.orders.order import Invalid

RESERVE = 3.0  # seconds: no record is begun with less time left


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point for the queue "stock". Answers with the messages that failed."""
    return consumer.consume(event, context, work, RESERVE)


def work(kind: str, detail: Mapping[str, Any], now: float, remaining: Callable[[], float]) -> str:
    """Do what one event asks for; answers with the status of the STOCK row. Raises Invalid before any effect."""
    if kind == "OrderPlaced":
        return reserve(events.placed(detail), now, remaining)
    if kind == "OrderCancelled":
        return release(events.order_of(detail), now, remaining)
    raise Invalid(f"the queue stock takes no {kind[:64]}")


def reserve(placed: Placed, now: float, remaining: Callable[[], float] | None = None) -> str:
    """Reserve the goods of the order. The status of its STOCK row: RESERVED or REJECTED, or what was there before.

    Raises transactions.Busy when the rows were busy for too long: then nothing is decided.
    """
    table = os.environ["ORDERS_TABLE"]
    row = reserved(placed, now)
    reasons = transactions.write(
        [{"Put": rows.new(table, row)}, *({"Update": _take(item.sku, item.quantity)} for item in placed.items)],
        remaining,
    )
    if not reasons:
        return "RESERVED"
    if reasons[0].failed:
        return str(reasons[0].row["status"])
    short = [item.sku for item, reason in zip(placed.items, reasons[1:], strict=True) if reason.failed]
    old = rows.put(rows.new(table, rejected(placed, short, now)))
    return "REJECTED" if old is None else str(old["status"])


def release(order_id: str, now: float, remaining: Callable[[], float] | None = None) -> str:
    """Undo: give back what is reserved, or leave a tombstone where nothing is. The status of the STOCK row."""
    table = os.environ["ORDERS_TABLE"]
    old = rows.put(rows.new(table, {"orderId": order_id, "part": "STOCK", "status": "TOMBSTONE"}))
    if old is None:
        return "TOMBSTONE"
    if old["status"] != "RESERVED":  # a state that nothing follows
        return str(old["status"])
    back = [{"Update": _give_back(item["sku"], item["quantity"])} for item in old["items"]]
    reasons = transactions.write([{"Put": rows.over(table, released(old, now), "RESERVED")}, *back], remaining)
    return str(reasons[0].row["status"]) if reasons else "RELEASED"


def reserved(placed: Placed, now: float) -> rows.Row:
    """The STOCK row of goods that are taken: it names them, so that undoing needs nobody else."""
    return _row(placed, "RESERVED", events.make("StockReserved", placed.order_id, now))


def rejected(placed: Placed, short: list[str], now: float) -> rows.Row:
    """The STOCK row of an order that cannot be filled; the reason names what is missing."""
    reason = f"out of stock: {', '.join(short)}"
    return _row(placed, "REJECTED", events.make("StockRejected", placed.order_id, now, reason=reason))


def released(row: rows.Row, now: float) -> rows.Row:
    """The STOCK row after its goods went back; the event's amount is in units."""
    units = sum(item["quantity"] for item in row["items"])
    return row | {"status": "RELEASED", "event": events.make("StockReleased", row["orderId"], now, amount=units)}


def _row(placed: Placed, status: str, event: dict[str, str]) -> rows.Row:
    items = [{"sku": item.sku, "quantity": item.quantity} for item in placed.items]
    return {"orderId": placed.order_id, "part": "STOCK", "status": status, "items": items, "event": event}


def _take(sku: str, quantity: int) -> dict[str, Any]:
    """Never below zero, and never an article that the shop does not have."""
    return rows.update(
        os.environ["STOCK_TABLE"], {"sku": sku}, "SET onHand = onHand - :q", "onHand >= :q", {}, {":q": quantity}
    )


def _give_back(sku: str, quantity: int) -> dict[str, Any]:
    return rows.update(os.environ["STOCK_TABLE"], {"sku": sku}, "ADD onHand :q", "", {}, {":q": quantity})
