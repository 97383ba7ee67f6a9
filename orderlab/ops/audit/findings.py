"""What can be wrong with the books, rule by rule: stock, messages, mail and sales (the money is in money.py).

Taught in notebooks/11_game_day.ipynb
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .books import FAILED_RECORDS, ORDER_ID, Books, Letter, Row
from .ends import End, is_dead, is_waiting, tells, undoes

KINDS = ("lost", "charged_twice", "oversold", "unexplained")
Letters = Mapping[str, list[Letter]]  # by order id


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: one of KINDS, the order, code or queue, and what is wrong with it."""

    kind: str
    subject: str
    why: str


@dataclass(frozen=True)
class Expected:
    """What the books cannot know: what lay in stock at opening, what was accepted, what was spoilt on purpose."""

    opening: Mapping[str, int] = field(default_factory=dict)  # sku -> units
    accepted: Collection[str] = ()  # order ids that a client was given
    poison: Collection[str] = ()  # order ids of poisonous events; none of them is an order
    at_rest: bool = True  # has the system come to rest?


def order_of(row: Row) -> str:
    """The order that a row of the provider's ledger is about: its key is the order's id, or begins with it."""
    found = ORDER_ID.match(row["key"])
    return found.group() if found else str(row["key"])


def was_captured(row: Row) -> bool:
    """Did the provider take this money, whether or not it gave it back later?"""
    return row.get("answer") in ("captured", "refunded")


def status_of(parts: Mapping[str, Row], part: str) -> str | None:
    """The status of one part of an order; None if there is no such row."""
    row = parts.get(part)
    return row.get("status") if row is not None else None


def shipped(books: Books) -> Counter[str]:
    """Units by code in all confirmed orders."""
    return _units(parts["ORDER"] for parts in books.orders.values() if status_of(parts, "ORDER") == "CONFIRMED")


def reserved(books: Books) -> Counter[str]:
    """Units by code that are set aside for orders that are not confirmed."""
    waiting = (parts for parts in books.orders.values() if status_of(parts, "ORDER") != "CONFIRMED")
    return _units(parts["STOCK"] for parts in waiting if status_of(parts, "STOCK") == "RESERVED")


def stock(books: Books, ends: Mapping[str, End], letters: Letters, expected: Expected) -> Iterator[Finding]:
    """By code: on hand + reserved + shipped = opening, and never less than none on hand."""
    out, aside = shipped(books), reserved(books)
    for sku in sorted({*expected.opening, *books.stock, *out, *aside}):
        on_hand, opening = books.stock.get(sku, 0), expected.opening.get(sku, 0)
        promised = out[sku] + aside[sku]
        sums = f"{on_hand} on hand, {aside[sku]} reserved, {out[sku]} shipped, and {opening} at opening"
        if on_hand < 0 or promised > opening:
            yield Finding("oversold", sku, sums)
        elif on_hand + promised != opening:
            yield Finding("unexplained", sku, f"the units do not add up: {sums}")
    for order_id, end in ends.items():
        status = status_of(books.orders.get(order_id, {}), "STOCK")
        bound = not expected.at_rest or any(undoes(letter, "stock") for letter in letters.get(order_id, ()))
        if end.state == "confirmed" and status != "RESERVED":
            yield Finding("unexplained", order_id, f"it is confirmed, and its stock is {status}")
        if end.state == "cancelled" and status == "RESERVED" and not bound:
            yield Finding("unexplained", order_id, "it is cancelled, and its stock was never released")


def told(books: Books, ends: Mapping[str, End], letters: Letters, at_rest: bool) -> Iterator[Finding]:
    """Every customer is told how the order ended, and nothing else, or the word lies in a dead-letter queue."""
    for order_id, end in ends.items():
        words = {
            word for word in ("confirmed", "cancelled") if f"{order_id}.Order{word.title()}" in books.notifications
        }
        for word in words - {end.state}:
            yield Finding("unexplained", order_id, f"the customer was told {word}, and it is {end.state}")
        waits = not at_rest or any(tells(letter) for letter in letters.get(order_id, ()))
        if end.state in ("confirmed", "cancelled") and not words and not waits:
            yield Finding("unexplained", order_id, f"it is {end.state}, and the customer was never told")


def sales(books: Books, ends: Mapping[str, End], letters: Letters, at_rest: bool) -> Iterator[Finding]:
    """The sum of sales has each confirmed order once, or what the stream gave up on says why not."""
    for order_id, end in ends.items():
        total = books.orders.get(order_id, {}).get("ORDER", {}).get("total")
        sold = books.sales.get(order_id)
        waits = not at_rest or any(letter.queue == FAILED_RECORDS for letter in letters.get(order_id, ()))
        if end.state == "confirmed" and sold is None and not waits:
            yield Finding("unexplained", order_id, "it is confirmed, and missing from the sales")
        if sold is not None and (end.state != "confirmed" or sold != total):
            yield Finding(
                "unexplained", order_id, f"the sales have {sold} pence of it, and it is {end.state} over {total}"
            )
    counted = sum(pence for order_id, pence in books.sales.items() if order_id != "total")
    if books.sales.get("total", 0) != counted:
        yield Finding("unexplained", "sales", f"the total is {books.sales.get('total', 0)}, its orders make {counted}")


def messages(books: Books, expected: Expected) -> Iterator[Finding]:
    """Every message is about an order, or is poison: that lies once in stock's and once in payment's dead letters."""
    poison, known = set(expected.poison), {*books.orders, *expected.accepted}
    lying: Counter[tuple[str, str]] = Counter()
    for letter in books.letters:
        lying.update((order_id, letter.queue) for order_id in letter.orders & poison)
        if not letter.orders & (known | poison) and (is_dead(letter) or (expected.at_rest and is_waiting(letter))):
            named = ", ".join(sorted(letter.orders)) or "no order"
            yield Finding(
                "unexplained", letter.queue, f"a message names {named}, which nobody placed: {letter.text:.100}"
            )
    for order_id in sorted(poison):
        for queue in ("StockDeadQueue", "PaymentDeadQueue"):
            if expected.at_rest and lying[order_id, queue] != 1:
                yield Finding("unexplained", queue, f"poison {order_id} lies there {lying[order_id, queue]} times")
        if order_id in books.orders:
            yield Finding("unexplained", order_id, "a poisonous event has become rows of an order")


def _units(rows: Iterable[Row]) -> Counter[str]:
    units: Counter[str] = Counter()
    for row in rows:
        for item in row["items"]:
            units[item["sku"]] += item["quantity"]
    return units
