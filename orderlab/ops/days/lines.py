"""Reads the lines of a CSV of the "Online Retail" columns; one that cannot be read is named, and the others go on.

Taught in notebooks/00_start_here.ipynb
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from .day import Skipped, Unusable

COLUMNS = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID")
_DATES = ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %H:%M")  # as the original spreadsheet prints them
_LONGEST_RECORD = 5  # lines: how far a line break inside quotes may go before the quote counts as left open
_OPEN = "a quote is never closed"
_LARGEST = Decimal(10**9)


@dataclass(frozen=True)
class Line:
    """One readable line: price in pence, customer "" if there is none."""

    number: int
    invoice: str
    sku: str
    name: str
    units: int
    at: datetime
    price: int
    customer: str


def read_lines(text: str, source: str) -> tuple[list[Line], list[Skipped]]:
    """The readable lines, and what is wrong with the others. Raises Unusable if a column is missing."""
    rows = _records(re.split(r"\r\n|\n|\r", text))
    head = next(rows, None)
    names = [name.strip() for name in head[1]] if head and isinstance(head[1], list) else []
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        found = ", ".join(names)[:100] or "nothing"
        raise Unusable(
            f"{source} has no column {', '.join(missing)} in its first line ({found}): "
            f"the columns {', '.join(COLUMNS)} are needed, separated by commas"
        )
    lines, skipped = list[Line](), list[Skipped]()
    for number, row in rows:
        try:
            if isinstance(row, str):
                raise ValueError(row)
            if len(row) != len(names):
                raise ValueError(f"{len(row)} columns instead of {len(names)}")
            lines.append(_line(number, dict(zip(names, map(str.strip, row), strict=True))))
        except ValueError as error:
            skipped.append(Skipped(number, str(error)))
    return lines, skipped


def _records(lines: list[str]) -> Iterator[tuple[int, list[str] | str]]:
    """Each record with the number of its first line: its cells, or what is wrong with it.

    A csv.reader over the whole file would swallow thousands of lines after one quote that is never closed.
    """
    at, width = 0, 0
    while at < len(lines):
        cells, taken = _cells(lines[at]), 1
        for size in range(2, _LONGEST_RECORD + 1) if cells == _OPEN else ():
            joined = _cells("\n".join(lines[at : at + size]))
            if isinstance(joined, list) and len(joined) == width:
                cells, taken = joined, size
                break
        if cells:
            yield at + 1, cells
            width = width or len(cells)
        at += taken


def _cells(text: str) -> list[str] | str:
    """The cells of one record; [] for an empty line, and for a broken one what is wrong with it."""
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        return _OPEN if "unexpected end" in str(error) else str(error)


def _line(number: int, cells: dict[str, str]) -> Line:
    for name in ("InvoiceNo", "StockCode"):
        if not cells[name]:
            raise ValueError(f"{name} is empty")
    units = _number("Quantity", cells["Quantity"])
    if units != units.to_integral_value():
        raise ValueError(f"Quantity {cells['Quantity']!r} is not a whole number")
    pence = (_number("UnitPrice", cells["UnitPrice"]) * 100).quantize(Decimal(1), ROUND_HALF_UP)
    customer = _plain(cells["CustomerID"])
    return Line(
        number,
        _plain(cells["InvoiceNo"]),
        _plain(cells["StockCode"]),
        cells.get("Description", ""),
        int(units),
        _moment(cells["InvoiceDate"]),
        int(pence),
        "" if customer.lower() in ("nan", "null", "none") else customer,
    )


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
        if abs(number) <= _LARGEST:  # false for NaN as well, which raises on comparison
            return number
    except InvalidOperation:
        pass
    raise ValueError(f"{name} {text[:40]!r} is not a number that an order can have")


def _plain(text: str) -> str:
    """A number that a spreadsheet has turned into a float ("17850.0"), as it was."""
    return re.sub(r"^(\d+)\.0+$", r"\1", text)


@lru_cache(maxsize=4096)  # every line of an invoice repeats its date, and strptime is slow
def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for form in _DATES:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    raise ValueError(f"InvoiceDate {text[:40]!r} is neither YYYY-MM-DD HH:MM:SS nor M/D/YYYY H:MM")
