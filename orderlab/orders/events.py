"""The facts that the services tell each other: made once, stored in the row that makes them true, published by Relay.

An event's detail is JSON text that is built once, so that publishing it again sends the same bytes. A consumer gets it
inside EventBridge's envelope, inside the body of an SQS message, and trusts nothing in it: unknown fields are dropped,
everything else is checked before any effect. No names, addresses or card data in any event. Pure: no AWS, no clock.
Taught in notebooks/03_the_bus.ipynb
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from orderlab.orders import order
from orderlab.orders.order import Invalid, Item

SOURCES = {
    "OrderPlaced": "orders.api",
    "StockReserved": "orders.stock",
    "StockRejected": "orders.stock",
    "StockReleased": "orders.stock",
    "PaymentCaptured": "orders.payment",
    "PaymentDeclined": "orders.payment",
    "PaymentRefunded": "orders.payment",
    "OrderConfirmed": "orders.settlement",
    "OrderCancelled": "orders.settlement",
}
_ORDER_ID = re.compile(r"ORD-[0-9a-f]{20}")


@dataclass(frozen=True)
class Event:
    """What a row carries in its attribute `event`. An order has one event of a type at most: hence the id."""

    id: str
    source: str
    type: str
    detail: str


@dataclass(frozen=True)
class Placed:
    """The detail of OrderPlaced, checked. Money in pence."""

    order_id: str
    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True)
class Outcome:
    """What a service says of an order: its part, "stock" or "payment", the status, and why when it is bad."""

    order_id: str
    part: str
    status: str
    reason: str | None


OUTCOMES = {
    "StockReserved": ("stock", "RESERVED"),
    "StockRejected": ("stock", "REJECTED"),
    "PaymentCaptured": ("payment", "CAPTURED"),
    "PaymentDeclined": ("payment", "DECLINED"),
}


def make(type: str, order_id: str, now: float, **facts: Any) -> dict[str, str]:
    """The attribute `event` of a row. `now` is seconds since the epoch; facts must be JSON; money in pence."""
    detail = {"version": "1", "orderId": order_id, "at": timestamp(now), **facts}
    event = Event(f"{order_id}.{type}", SOURCES[type], type, json.dumps(detail, separators=(",", ":")))
    return asdict(event)


def timestamp(now: float) -> str:
    """ISO 8601 with its zone: "2026-01-05T09:00:00.000+00:00"."""
    return datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")


def of_value(value: object) -> Event:
    """The event in a row's attribute `event`. Raises Invalid when it is none."""
    names = ("id", "source", "type", "detail")
    if not (isinstance(value, dict) and all(isinstance(value.get(name), str) and value[name] for name in names)):
        raise Invalid(f"a row's event must have the texts {', '.join(names)}")
    return Event(*(value[name] for name in names))


def received(body: object) -> tuple[str, dict[str, Any]]:
    """The type and the detail of the event in an SQS message's body. Raises Invalid."""
    try:
        envelope = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        raise Invalid("the message is not JSON") from None
    return opened(envelope)


def opened(envelope: object) -> tuple[str, dict[str, Any]]:
    """The type and the detail of an event in EventBridge's envelope. Raises Invalid."""
    if not isinstance(envelope, dict):
        raise Invalid("the message is no EventBridge event")
    kind, detail = envelope.get("detail-type"), envelope.get("detail")
    if not isinstance(kind, str) or not isinstance(detail, dict):
        raise Invalid("the event must have a detail-type and a detail")
    return kind, detail


def order_of(detail: Mapping[str, Any]) -> str:
    """The order that an event is about. Raises Invalid."""
    found = detail.get("orderId")
    if not (isinstance(found, str) and _ORDER_ID.fullmatch(found)):
        raise Invalid("detail.orderId must be ORD- and 20 hexadecimal digits")
    return found


def placed(detail: Mapping[str, Any]) -> Placed:
    """Read an OrderPlaced. Raises Invalid, also when the total is not the sum of the items."""
    found, items = order_of(detail), order.items_of(detail)
    if order.whole(detail.get("total"), "detail.total", 0) != order.total(items):
        raise Invalid("detail.total is not the sum of the items")
    return Placed(found, items, order.total(items))


def outcome(kind: str, detail: Mapping[str, Any]) -> Outcome:
    """Read one of the four outcomes that settle an order. Raises Invalid."""
    if kind not in OUTCOMES:
        raise Invalid(f"{kind[:64]} settles nothing; {', '.join(OUTCOMES)} do")
    part, status = OUTCOMES[kind]
    good = status in ("RESERVED", "CAPTURED")
    reason = None if good else detail.get("reason")
    if not good and not (isinstance(reason, str) and reason):
        raise Invalid(f"a {kind} must have a reason")
    return Outcome(order_of(detail), part, status, reason)
