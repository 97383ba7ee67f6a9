"""The price cache in Valkey (ElastiCache on AWS): a hit saves a read, and its absence costs nothing but that read.

Every error is a miss: a cache may make the shop faster, never slower than its time-out, and never wrong. So an entry
carries its own expiry, judged by the clock of whoever reads it; the key's time to live only clears away what nobody
reads any more. The client library is imported only where CACHE_URL names a cache. All keys share one hash tag, {price},
because a cluster reads several keys at once only from one slot.
Taught in notebooks/06_where_state_lives.ipynb
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from orderlab.orders import order

FRESH = 300.0  # seconds for which a price may be sold at
KEPT = 7 * 86_400  # seconds after which the server drops an entry that nobody renewed
PATIENCE = 0.2  # seconds for a connection or an answer; a read of the table takes 0.01


@cache
def _client(url: str) -> Any:
    import valkey

    secure = {"ssl_check_hostname": True} if url.startswith("valkeys:") else {}  # the library's default is False
    return valkey.Valkey.from_url(
        url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, decode_responses=True, **secure
    )


def prices(skus: Sequence[str], now: float) -> dict[str, int] | None:
    """The prices, in pence, of those of these articles that are cached and fresh at `now`; None without a cache."""
    url = os.environ.get("CACHE_URL")
    if not url:
        return None
    try:
        found = _client(url).mget([_key(sku) for sku in skus])
    except Exception:
        return None
    hits = {sku: _fresh(text, now) for sku, text in zip(skus, found, strict=True)}
    return {sku: price for sku, price in hits.items() if price is not None}


def remember(read: Mapping[str, int], now: float) -> None:
    """Keep these prices, in pence, for FRESH seconds from `now`. One round trip; an error is as good as a success."""
    try:
        pipe = _client(os.environ["CACHE_URL"]).pipeline(transaction=False)
        for sku, price in read.items():
            pipe.set(_key(sku), json.dumps({"price": price, "expires": now + FRESH}), ex=KEPT)
        pipe.execute()
    except Exception:
        return


def _key(sku: str) -> str:
    return f"{{price}}:{sku}"


def _fresh(text: str | None, now: float) -> int | None:
    """The price in an entry, unless it has expired or is no entry at all."""
    try:
        entry = json.loads(text or "null")
        fresh = now < entry["expires"] <= now + FRESH
        return order.whole(entry["price"], "price", 0) if fresh else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
