"""Reads the CSV of the public "Online Retail" data set: one line per product of an invoice, one invoice per order.

An invoice is refused whole, since nobody ordered the half of it that happens to be clean. A credit note (its number
begins with C) is the shop's own paper for an earlier day, and no order request at all.

Taught in notebooks/00_start_here.ipynb
"""

from datetime import datetime
from typing import Any

from . import day
from .day import Day, Product, Refusal, Request, flaw_of, is_code
from .lines import Line, read_lines

_LONGEST_NAME = 200  # characters: a row of DynamoDB has 400 KB in all


def read_retail(text: str, source: str) -> Day:
    """The day in this CSV text. Raises Unusable if a column that an order needs is missing."""
    lines, skipped = read_lines(text, source)
    invoices: dict[str, list[Line]] = {}
    for line in lines:
        invoices.setdefault(line.invoice, []).append(line)
    opened = min((line.at for line in lines), default=datetime.min).replace(hour=0, minute=0, second=0, microsecond=0)
    requests = [_request(invoice, of_invoice, opened) for invoice, of_invoice in invoices.items()]
    requests.sort(key=lambda request: request.arrives)  # stable: the file's order within one minute
    return Day(source, tuple(requests), _catalogue(lines), tuple(skipped))


def _request(invoice: str, lines: list[Line], opened: datetime) -> Request:
    """One invoice as one request. Lines that could be ordered are merged by code; the others stay as they are."""
    first, merged, strange = lines[0], dict[str, int](), list[dict[str, Any]]()
    for line in lines:
        if line.units > 0:
            merged[line.sku] = merged.get(line.sku, 0) + line.units
        else:
            strange.append({"sku": line.sku, "quantity": line.units})
    items = [{"sku": sku, "quantity": units} for sku, units in merged.items()] + strange
    customers = {line.customer for line in lines} - {""}
    body: dict[str, Any] = {"customerId": f"C-{min(customers)}"} if customers else {}
    body["items"] = items
    arrives = (first.at - opened).total_seconds()
    if invoice.upper().startswith("C"):
        return Request(first.number, invoice, arrives, None, Refusal(first.number, day.CANCELLATION))
    reason = "two customers" if len(customers) > 1 else flaw_of(body, invoice)
    flaw = Refusal(_culprit(lines, reason), reason) if reason else None
    return Request(first.number, invoice, arrives, body if len(customers) < 2 else None, flaw)


def _culprit(lines: list[Line], reason: str) -> int:
    """The number of the line that shows this reason."""
    if reason == day.NOT_POSITIVE:
        return next(line.number for line in lines if line.units <= 0)
    if reason == day.TOO_MANY_CODES:
        first_of = list({line.sku: line.number for line in reversed(lines)}.values())
        return sorted(first_of)[day.MOST_CODES]
    return lines[0].number


def _catalogue(lines: list[Line]) -> dict[str, Product]:
    """Each code that can be ordered, at its first price that is not zero; one that never has a price is given away."""
    prices: dict[str, int] = {}
    names: dict[str, str] = {}
    for line in lines:
        if not prices.get(line.sku):
            prices[line.sku] = max(line.price, 0)  # a negative "price" is bad debt in the books, not a price
        if line.name:
            names.setdefault(line.sku, line.name[:_LONGEST_NAME])
    return {sku: Product(price, names.get(sku, sku)) for sku, price in sorted(prices.items()) if is_code(sku)}
