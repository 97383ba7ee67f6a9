"""What articles cost: from the cache, else from the catalogue's table, and then into the cache (cache-aside).

BatchGetItem reads up to 100 rows in one call, and may leave some out under load (UnprocessedKeys): that is no error to
boto3, so asking again for the rest is up to us.
Taught in notebooks/06_where_state_lives.ipynb
"""

import os
import random
import time
from collections.abc import Sequence
from typing import Any

from orderlab.orders import cache, clients, rows
from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.retry import Retry


class Unread(Exception):
    """DynamoDB left rows out."""


RETRY = Retry(4, full_jitter(0.05, 0.5), retry_on=Unread, deadline=2.0)


def prices(skus: Sequence[str], now: float) -> dict[str, int]:
    """The price, in pence, of every one of these articles that the shop has. Raises Unread after 2 s or 4 attempts."""
    cached = cache.prices(skus, now)
    missing = [sku for sku in skus if sku not in (cached or {})]
    read = _read(missing) if missing else {}
    if cached is not None and read:
        cache.remember(read, now)
    return {**(cached or {}), **read}


def _read(skus: Sequence[str]) -> dict[str, int]:
    table = os.environ["CATALOGUE_TABLE"]
    found: dict[str, int] = {}
    wanted: dict[str, Any] = {
        table: {
            "Keys": [rows.to_item({"sku": sku}) for sku in skus],
            "ProjectionExpression": "sku, price",
        }
    }

    def ask() -> None:
        nonlocal wanted
        answer = clients.dynamodb().batch_get_item(RequestItems=wanted)
        for row in map(rows.from_item, answer["Responses"].get(table, [])):
            found[row["sku"]] = row["price"]
        wanted = answer.get("UnprocessedKeys") or {}
        if wanted:
            raise Unread(f"DynamoDB left {len(wanted[table]['Keys'])} rows of the catalogue out")

    RETRY.call(ask, clock=time.monotonic, sleep=time.sleep, rng=random.random)
    return found
