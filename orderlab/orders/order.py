"""An order before it is one: what the client asks for, judged, named, priced.

API Gateway has already held the body against a JSON model, but a body whose content type has no model walks past it, so
everything is judged again here. Pure: no AWS, no clock.
Taught in notebooks/02_the_front_door.ipynb
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_ITEMS = 99  # a transaction holds 100 actions (TransactWriteItems): the reservation and the stock of 99 items
MOST_UNITS = 100_000
_SKU = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")
_CUSTOMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"[ -~]{1,64}")


class Invalid(ValueError):
    """What came from outside cannot be used. The message names what is wrong, and quotes no personal data."""


@dataclass(frozen=True)
class Line:
    """So many units of one article, as the client asks for them."""

    sku: str
    quantity: int


@dataclass(frozen=True)
class Item:
    """A line with its price in pence per unit, as the shop sells it."""

    sku: str
    quantity: int
    price: int


@dataclass(frozen=True)
class Request:
    """The body of POST /orders. `customer_id` is a claim of the client: a real shop takes it from a verified token."""

    customer_id: str
    lines: tuple[Line, ...]


def parse(body: str) -> Request:
    """Read the JSON body of POST /orders. Raises Invalid, naming the field."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Invalid("the body is not JSON") from None
    fields = _fields(value, "the body", {"customerId", "items"})
    customer = fields["customerId"]
    if not (isinstance(customer, str) and _CUSTOMER.fullmatch(customer)):
        raise Invalid("customerId must be an id of 1-64 letters, digits, '.', '_' or '-'")
    lines = tuple(Line(*_line(_fields(entry, name, {"sku", "quantity"}), name)) for name, entry in _entries(fields))
    check_different([line.sku for line in lines])
    return Request(customer, lines)


def check_key(key: object) -> str:
    """The Idempotency-Key header. Raises Invalid when it is missing, empty or longer than 64 characters."""
    if not (isinstance(key, str) and _KEY.fullmatch(key)):
        raise Invalid("the header Idempotency-Key must be 1-64 printable ASCII characters")
    return key


def order_id(customer_id: str, key: str) -> str:
    """The name of the order: the same customer and key give the same order, whoever computes it, however often."""
    return "ORD-" + hashlib.sha256(f"{customer_id}\n{key}".encode()).hexdigest()[:20]


def payload_hash(request: Request) -> str:
    """The request's fingerprint: another body under the same key is not a repeat but a mistake."""
    content = [request.customer_id, [[line.sku, line.quantity] for line in request.lines]]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def priced(request: Request, prices: Mapping[str, int]) -> tuple[Item, ...]:
    """The lines at the shop's prices, in pence. Raises Invalid, naming every sku that the shop does not have."""
    unknown = [line.sku for line in request.lines if line.sku not in prices]
    if unknown:
        raise Invalid(f"not in the catalogue: {', '.join(unknown)}")
    return tuple(Item(line.sku, line.quantity, prices[line.sku]) for line in request.lines)


def total(items: Sequence[Item]) -> int:
    """What the items cost together, in pence."""
    return sum(item.quantity * item.price for item in items)


def items_of(detail: Mapping[str, Any]) -> tuple[Item, ...]:
    """The priced items that an event carries. Raises Invalid: an event is as untrusted as a request."""
    items = []
    for name, entry in _entries(detail):
        fields = _fields(entry, name, {"sku", "quantity", "price"}, others=True)
        items.append(Item(*_line(fields, name), whole(fields["price"], f"{name}.price", 0)))
    check_different([item.sku for item in items])
    return tuple(items)


def whole(value: object, name: str, least: int, most: int = 10**15) -> int:
    """A whole number within its bounds. Raises Invalid, naming the field; true and 1.0 are no whole numbers here."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}")
    return value


def check_different(skus: Sequence[str]) -> None:
    """Raise Invalid when an article is named twice: DynamoDB refuses two actions on one row in a transaction."""
    twice = sorted({sku for sku in skus if skus.count(sku) > 1})
    if twice:
        raise Invalid(f"named twice, merge the quantities: {', '.join(twice)}")


def _entries(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    items = fields.get("items")
    if not isinstance(items, list) or not items:
        raise Invalid("items must be a list of 1 or more")
    if len(items) > MOST_ITEMS:
        raise Invalid(f"items has {len(items)} entries; an order has at most {MOST_ITEMS} different items")
    return [(f"items[{n}]", entry) for n, entry in enumerate(items)]


def _line(fields: Mapping[str, Any], name: str) -> tuple[str, int]:
    if not (isinstance(fields["sku"], str) and _SKU.fullmatch(fields["sku"])):
        raise Invalid(f"{name}.sku must be 1-64 letters, digits, '.', '_', '-' or inner spaces")
    return fields["sku"], whole(fields["quantity"], f"{name}.quantity", 1, MOST_UNITS)


def _fields(value: object, name: str, wanted: set[str], others: bool = False) -> dict[str, Any]:
    """A JSON object that has all wanted fields and, unless `others` are welcome, no other one."""
    if not isinstance(value, dict):
        raise Invalid(f"{name} must be a JSON object")
    missing = sorted(wanted - value.keys())
    if missing:
        raise Invalid(f"{name} lacks {', '.join(missing)}")
    if not others and value.keys() - wanted:
        raise Invalid(f"{name} has fields that nobody knows; it may have {', '.join(sorted(wanted))}")
    return value
