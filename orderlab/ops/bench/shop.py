"""The shop that is measured: twenty articles, and orders of two of them, one after the other.

The same requests go to the local cloud and to ministack, so that the two can be compared.
"""

from typing import Any

from ..days.play import write_rows

ARTICLES = 20
UNITS = 1_000_000  # of each article: nothing is ever sold out


def open_shop(client: Any, outputs: dict[str, str]) -> None:
    """Write the price list and the stock, through a boto3 client for DynamoDB."""
    names = [f"S{n}" for n in range(ARTICLES)]
    catalogue = [{"sku": {"S": sku}, "price": {"N": "100"}, "name": {"S": f"article {sku}"}} for sku in names]
    write_rows(client, outputs["CatalogueTableName"], catalogue)
    write_rows(client, outputs["StockTableName"], [{"sku": {"S": s}, "onHand": {"N": str(UNITS)}} for s in names])


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
