"""The price cache, against a real Valkey server: faster, and never anything else."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import cache, catalogue, place


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on loopback."""
    from orderlab.cloud.cache import CacheServer

    server = CacheServer()
    yield server.url
    server.close()


@pytest.fixture
def server(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty cache that CACHE_URL names; a client of the test's own."""
    import valkey

    monkeypatch.setenv("CACHE_URL", url)
    cache._client.cache_clear()
    client = valkey.Valkey.from_url(url, decode_responses=True)
    client.flushall()
    return client


def test_prices_are_read_once_and_then_come_from_the_cache(shop: Any, server: Any) -> None:
    """Until they are five minutes old, by the handler's clock."""
    shop.goods(A=5, B=5)
    calls = shop.calls()
    assert catalogue.prices(["A"], shop.now) == {"A": 100}
    assert catalogue.prices(["A", "B"], shop.now + 1) == {"A": 100, "B": 100}
    assert catalogue.prices(["A", "B"], shop.now + 2) == {"A": 100, "B": 100}
    assert calls == ["BatchGetItem"] * 2
    assert catalogue.prices(["A"], shop.now + cache.FRESH - 0.1) == {"A": 100} and len(calls) == 2
    assert catalogue.prices(["A"], shop.now + cache.FRESH) == {"A": 100} and len(calls) == 3


def test_a_changed_price_is_seen_after_five_minutes(shop: Any, server: Any) -> None:
    """That is the price of a cache."""
    shop.goods(A=5)
    catalogue.prices(["A"], shop.now)
    shop.add("catalogue", {"sku": "A", "price": 999, "name": "A"})
    assert catalogue.prices(["A"], shop.now + 299) == {"A": 100}
    assert catalogue.prices(["A"], shop.now + 301) == {"A": 999}


def test_what_the_shop_does_not_have_is_not_cached(shop: Any, server: Any) -> None:
    """It may come tomorrow."""
    assert catalogue.prices(["A"], shop.now) == {}
    shop.goods(A=5)
    assert catalogue.prices(["A"], shop.now) == {"A": 100}


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "nonsense",
        "[]",
        "7",
        "{}",
        "[" * 100_000,
        '{"price": "100", "expires": 9e99}',
        '{"price": 1, "expires": "x"}',
        '{"price": 1, "expires": 9e99}',
        '{"price": true, "expires": 1767603700}',
        '{"price": -5, "expires": 1767603700}',
    ],
)
def test_an_entry_that_is_none_is_a_miss(entry: str, shop: Any, server: Any) -> None:
    """Also one that would be fresh for ever."""
    shop.goods(A=5)
    server.set("{price}:A", entry)
    assert catalogue.prices(["A"], shop.now) == {"A": 100}
    assert json.loads(server.get("{price}:A"))["price"] == 100


def test_an_entry_goes_away_by_itself(shop: Any, server: Any) -> None:
    """The server drops what nobody renews, long after it stopped being fresh."""
    shop.goods(A=5)
    catalogue.prices(["A"], shop.now)
    assert cache.FRESH < server.ttl("{price}:A") <= cache.KEPT


def test_a_key_of_another_type_is_a_miss(shop: Any, server: Any) -> None:
    """Somebody else's data under our key."""
    shop.goods(A=5)
    server.lpush("{price}:A", "x")
    assert catalogue.prices(["A"], shop.now) == {"A": 100}


@pytest.mark.parametrize("broken", ["valkey://127.0.0.1:9", "valkeys://127.0.0.1:9", "nonsense", "http://x"])
def test_without_a_cache_orders_are_placed(
    broken: str, shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens there, or the address is none: a miss, never a failure."""
    shop.goods(A=5)
    monkeypatch.setenv("CACHE_URL", broken)
    request = tools.request({"customerId": "C-1", "items": [{"sku": "A", "quantity": 1}]})
    assert place.handler(request, tools.Context())["statusCode"] == 202


def test_without_a_url_the_library_is_never_imported(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes 66 ms, and on AWS it may not even be there."""
    import sys

    shop.goods(A=5)
    monkeypatch.setenv("CACHE_URL", "")
    monkeypatch.setitem(sys.modules, "valkey", None)
    assert catalogue.prices(["A"], shop.now) == {"A": 100}
    monkeypatch.setenv("CACHE_URL", "valkey://127.0.0.1:9")
    cache._client.cache_clear()
    assert catalogue.prices(["A"], shop.now) == {"A": 100}
