"""Reads JSON lines: one order request per line, as a client would send it to POST /orders.

Three things that are not part of the body may stand beside it: "idempotencyKey" (otherwise the key is "line-N"), "at"
(when it arrives, ISO 8601; otherwise one every 30 seconds from nine) and a "price" in pence at an item. A code without
a price gets one that depends on nothing but the code.

Taught in notebooks/00_start_here.ipynb
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Any, NoReturn

from .day import Day, Product, Refusal, Request, Skipped, flaw_of

OPENS, PACE = 9 * 3600.0, 30.0  # seconds after midnight, seconds between two requests


def read_json_lines(text: str, source: str) -> Day:
    """The day in these lines. A line that is not a JSON object is skipped; any object is a request."""
    requests, skipped, prices = list[Request](), list[Skipped](), dict[str, int]()
    moments: dict[int, datetime] = {}
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if not line.strip():
            continue
        try:
            request = _object(line)
            if "at" in request:
                moments[number] = _moment(request.pop("at"))
            key = request.pop("idempotencyKey", f"line-{number}")
            if not isinstance(key, str) or not key:
                raise ValueError("idempotencyKey is not a text")
        except (ValueError, RecursionError) as error:
            skipped.append(Skipped(number, str(error) or type(error).__name__))
            continue
        _take_prices(request.get("items"), prices)
        reason = flaw_of(request, key)
        arrives = OPENS + PACE * len(requests)
        requests.append(Request(number, key, arrives, request, Refusal(number, reason) if reason else None))
    if moments:
        opened = min(moments.values()).replace(hour=0, minute=0, second=0, microsecond=0)
        requests = [_at(request, moments.get(request.line), opened) for request in requests]
        requests.sort(key=lambda request: request.arrives)
    codes = {item["sku"] for request in requests if not request.flaw and request.body for item in request.body["items"]}
    catalogue = {sku: Product(prices.get(sku, made_up_price(sku)), sku) for sku in sorted(codes)}
    return Day(source, tuple(requests), catalogue, tuple(skipped))


def made_up_price(sku: str) -> int:
    """Pence between 0.50 and 9.99 pounds, the same for the same code on every run."""
    return 50 + int(hashlib.sha256(sku.encode()).hexdigest(), 16) % 950


def _at(request: Request, moment: datetime | None, opened: datetime) -> Request:
    if moment is None:
        return request
    return Request(request.line, request.key, (moment - opened).total_seconds(), request.body, request.flaw)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line, parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair passes json.loads, and no network
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except (TypeError, ValueError):
        raise ValueError(f'"at" {str(text)[:40]!r} is no ISO 8601 time') from None


def _take_prices(items: Any, prices: dict[str, int]) -> None:
    """Move the prices out of the items, which the API would refuse, into the price list: the first one counts."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and "price" in item:
            price, sku = item.pop("price"), item.get("sku")
            if isinstance(sku, str) and isinstance(price, int) and not isinstance(price, bool) and price > 0:
                prices.setdefault(sku, price)
