"""A run's own names: its customers and codes begin with its name, so that the runs on one stack do not meet.

A deployed stack keeps what was sent before. A run therefore has its own codes, with their own stock, and its own
customers; the audit looks at their orders, and at what is written about those anywhere.
Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from orderlab.installing import Problem

from ..audit.books import Books, Row
from ..days.day import Day, Request

LONGEST = 64  # letters of a customer's id and of a code, as orders/order.py allows
NAME = re.compile(r"[a-z0-9]{1,12}")
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


def name_of(moment: float) -> str:
    """A name for a run that begins at this moment (seconds since the epoch): the tenths of seconds in base 36."""
    number, letters = int(moment * 10), ""
    while number:
        number, digit = divmod(number, 36)
        letters = _LETTERS[digit] + letters
    return f"r{letters}"


def named(day: Day, run: str) -> Day:
    """The day with the run's name before each customer and code. Raises Problem for one that gets too long by it."""
    catalogue = {f"{run}.{sku}": product for sku, product in day.catalogue.items()}
    return replace(day, requests=tuple(_named(one, run) for one in day.requests), catalogue=catalogue)


def _named(request: Request, run: str) -> Request:
    body = request.body
    if body is None:
        return request
    changed: dict[str, Any] = dict(body)
    if isinstance(body.get("customerId"), str) and body["customerId"]:
        changed["customerId"] = _name(run, body["customerId"])
    if isinstance(body.get("items"), list):
        changed["items"] = [_item(one, run) for one in body["items"]]
    return replace(request, body=changed)


def _name(run: str, text: str) -> str:
    name = f"{run}.{text}"
    if len(text) <= LONGEST < len(name):  # what is too long by itself is the API's to refuse
        raise Problem(
            f"{text:.20}... has {len(text)} letters, and the run's name and a dot come before it: {LONGEST} at most in "
            "all, so shorten it, or take a shorter --run"
        )
    return name


def _item(item: Any, run: str) -> Any:
    if isinstance(item, dict) and isinstance(item.get("sku"), str):
        return {**item, "sku": _name(run, item["sku"])}
    return item


def ours(orders: Mapping[str, Mapping[str, Row]], run: str, accepted: Collection[str]) -> set[str]:
    """The ids of a run's orders: those of its customers, and what else was accepted."""
    return {*accepted} | {i for i, parts in orders.items() if _customer(parts).startswith(f"{run}.")}


def only(
    books: Books, run: str, accepted: Collection[str], poison: Collection[str] = (), at_rest: bool = True
) -> Books:
    """What the books say about a run: orders of its customers (and what else was accepted), and its codes.

    A message that names no order at all stays: nobody knows whose it is. The sum of all sales is checked whole, so
    what is wrong with it stays wrong here; but not while the system moves (`at_rest` False), for a table is not read in
    one moment, and others' orders are added to it meanwhile.
    """
    mine = ours(books.orders, run, accepted)
    known = mine | {*poison}
    counted = sum(pence for order_id, pence in books.sales.items() if order_id != "total")
    sales = {order_id: pence for order_id, pence in books.sales.items() if order_id in mine}
    off = books.sales.get("total", 0) - counted if at_rest else 0
    return Books(
        orders={i: parts for i, parts in books.orders.items() if i in known},
        stock={sku: units for sku, units in books.stock.items() if sku.startswith(f"{run}.")},
        ledger=[row for row in books.ledger if any(str(row["key"]).startswith(i) for i in _near(row["key"], mine))],
        receipts={i: receipt for i, receipt in books.receipts.items() if i in mine},
        notifications=frozenset(mail for mail in books.notifications if mail.partition(".")[0] in mine),
        sales={**sales, "total": sum(sales.values()) + off},
        letters=tuple(one for one in books.letters if not one.orders or one.orders & known),
    )


def _customer(parts: Mapping[str, Row]) -> str:
    return str(parts.get("ORDER", {}).get("customerId", ""))


def _near(key: str, ours: Collection[str]) -> Collection[str]:
    """An order's id, which begins the key of its row in the ledger, if it is one of ours."""
    return [key[:24]] if key[:24] in ours else []
