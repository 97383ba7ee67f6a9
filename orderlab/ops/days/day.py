"""A day of a shop: its order requests as they arrive, its price list, and the stock that it opens with.

A shop's own records are dirtier than any API: credit notes, lines without a customer, prices of zero. Every request
of the day is therefore judged here by the rules of the API before it is sent. The verdict decides what opens in
stock, and gives a refusal its line and its reason; the order system never sees it and must come to the same one.

Taught in notebooks/00_start_here.ipynb
"""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MOST_CODES = 99  # one DynamoDB transaction takes 100 items: 99 lines of stock and the reservation
MOST_UNITS = 100_000  # of one code in one order: the API's model refuses more
_SKU = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?")
_CUSTOMER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"[ -~]{1,64}")

CANCELLATION = "cancellation"
NO_CUSTOMER = "no customer"
NO_ITEMS = "no items"
NOT_POSITIVE = "quantity not positive"
TOO_MANY_UNITS = f"quantity over {MOST_UNITS}"
TOO_MANY_CODES = f"more than {MOST_CODES} different codes"
NAMED_TWICE = "a code twice"
NO_NAME = "customer, code or key of other characters, or too long"
MALFORMED = "not an order request"


class Unusable(ValueError):
    """A file that no order can be read from. The message names the file and says what to do."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is no order, and the line of the file that shows it."""

    line: int
    reason: str


@dataclass(frozen=True)
class Request:
    """One order request: `arrives` is in seconds after midnight of the first day; a `body` of None is never sent."""

    line: int
    key: str  # the Idempotency-Key
    arrives: float
    body: dict[str, Any] | None
    flaw: Refusal | None = None


@dataclass(frozen=True)
class Product:
    """One row of the price list; the price is in pence."""

    price: int
    name: str


@dataclass(frozen=True)
class Skipped:
    """A line of the file that could not be read, and what is wrong with it."""

    line: int
    why: str


@dataclass(frozen=True)
class Day:
    """Everything that happens in the shop that day, in order of arrival."""

    source: str
    requests: tuple[Request, ...]
    catalogue: dict[str, Product]
    skipped: tuple[Skipped, ...] = ()

    @property
    def usable(self) -> tuple[Request, ...]:
        """The requests that should become orders."""
        return tuple(request for request in self.requests if request.flaw is None and request.body is not None)


def flaw_of(body: dict[str, Any], key: str) -> str | None:
    """The first reason for which the API must refuse this request; None if it must accept it."""
    customer, items = body.get("customerId"), body.get("items")
    if not isinstance(customer, str) or not customer:
        return NO_CUSTOMER
    if not isinstance(items, list) or not items:
        return NO_ITEMS
    if body.keys() != {"customerId", "items"} or not all(map(_is_item, items)):
        return MALFORMED
    codes, units = [item["sku"] for item in items], [item["quantity"] for item in items]
    if not all(map(is_code, codes)) or not _CUSTOMER.fullmatch(customer) or not _KEY.fullmatch(key):
        return NO_NAME
    rules = (
        (min(units) <= 0, NOT_POSITIVE),
        (len(set(codes)) > MOST_CODES, TOO_MANY_CODES),
        (len(set(codes)) < len(codes), NAMED_TWICE),
        (max(units) > MOST_UNITS, TOO_MANY_UNITS),
    )
    return next((reason for broken, reason in rules if broken), None)


def is_code(sku: str) -> bool:
    """Is this a code that the API takes?"""
    return _SKU.fullmatch(sku) is not None


def _is_item(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() == {"sku", "quantity"}
        and isinstance(item["sku"], str)
        and type(item["quantity"]) is int  # true is an int to Python, and none to JSON
    )


def opening_stock(requests: Iterable[Request], share: Decimal = Decimal(1)) -> dict[str, int]:
    """Units on hand at opening by code: all that the usable requests order, times `share`, rounded down.

    Of the requests that a customer sends with one key, the first is the order. The share is a Decimal because
    0.7 x 90 is 62.99… in binary floating point.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for request in requests:
        if request.body is not None:
            first.setdefault((request.key, request.body["customerId"]), request.body)
    ordered: Counter[str] = Counter()
    for body in first.values():
        for item in body["items"]:
            ordered[item["sku"]] += item["quantity"]
    return {sku: math.floor(units * share) for sku, units in sorted(ordered.items())}
