"""The shop that is measured: twenty articles, and orders of two of them, one after the other.

The same requests go to the local cloud and to ministack, so that the two can be compared.
"""

from collections.abc import Callable
from typing import Any

from ..days import play
from ..days.day import Product

ARTICLES = 20
UNITS = 1_000_000  # of each article: nothing is ever sold out


def open_shop(client: Callable[[str], Any], outputs: dict[str, str]) -> None:
    """Write the price list and the stock."""
    catalogue = {f"S{n}": Product(100, f"article S{n}") for n in range(ARTICLES)}
    play.open_shop(client, outputs, catalogue, dict.fromkeys(catalogue, UNITS))


def request(n: int, key: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of the order number `n`; `key` is the API key."""
    items = [{"sku": f"S{n % ARTICLES}", "quantity": 1}, {"sku": f"S{(n + 3) % ARTICLES}", "quantity": 2}]
    headers = {"Content-Type": "application/json", "x-api-key": key, "Idempotency-Key": f"bench-{n}"}
    return {"customerId": f"C-{n}", "items": items}, headers


def statuses(client: Any, table: str) -> list[str]:
    """The status of every order in the orders table."""
    found: list[str] = []
    wanted: dict[str, Any] = {"TableName": table}
    while True:
        answer = client.scan(**wanted)
        rows = (row for row in answer["Items"] if row["part"]["S"] == "ORDER")
        found += [row["status"]["S"] for row in rows]
        if "LastEvaluatedKey" not in answer:
            return found
        wanted["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
