"""ProjectSales: each confirmed order counts once."""

from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import rows, sales


def order_row(n: int, status: str = "CONFIRMED", total: Any = 300, part: str = "ORDER") -> dict[str, Any]:
    """A row of the orders table."""
    return {"orderId": f"ORD-{n:020x}", "part": part, "status": status, "total": total}


def record(n: int, new: Any, old: Any = None) -> dict[str, Any]:
    """A record of the stream."""
    images = {name: rows.to_item(image) for name, image in (("NewImage", new), ("OldImage", old)) if image is not None}
    return {"eventName": "MODIFY", "dynamodb": {"SequenceNumber": str(n), **images}}


def run(tools: SimpleNamespace, *records: dict[str, Any], seconds: float = 10.0) -> list[str]:
    """Invoke ProjectSales; the sequence numbers that it gives back."""
    answer = sales.handler({"Records": list(records)}, tools.Context(seconds))
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def total(shop: Any) -> tuple[int, int] | None:
    """How many orders, and pence."""
    return next(((row["orders"], row["pence"]) for row in shop.all("sales") if row["id"] == "total"), None)


def test_confirmed_orders_are_added_once(shop: Any, tools: SimpleNamespace) -> None:
    """However often the stream delivers them."""
    records = [record(n, order_row(n, total=100 * n), order_row(n, "PENDING")) for n in range(1, 4)]
    assert run(tools, *records) == [] and total(shop) == (3, 600)
    assert run(tools, *records[1:]) == [] and total(shop) == (3, 600)
    assert len(shop.all("sales")) == 4


def test_nothing_else_counts(shop: Any, tools: SimpleNamespace) -> None:
    """Pending and cancelled orders, other parts, later changes of a confirmed order, deleted rows."""
    records = [
        record(1, order_row(1, "PENDING")),
        record(2, order_row(1, "CANCELLED"), order_row(1, "PENDING")),
        record(3, order_row(2, part="PAYMENT")),
        record(4, order_row(3), order_row(3)),
        record(5, None, order_row(4)),
    ]
    assert run(tools, *records) == [] and shop.all("sales") == []


@pytest.mark.parametrize("bad", [None, "300", 1.5, -1])
def test_a_bad_row_stops_the_stream_there_and_is_never_added(bad: Any, shop: Any, tools: SimpleNamespace) -> None:
    """Lambda goes on from its number, or bisects it out."""
    records = [record(n, order_row(n, total=bad if n == 2 else 300)) for n in (1, 2, 3)]
    assert run(tools, *records) == ["2"] and total(shop) == (1, 300)


def test_a_crash_after_the_write_counts_once(shop: Any, tools: SimpleNamespace) -> None:
    """The marker and the sum are one transaction."""
    assert sales.add("ORD-1", 500) and not sales.add("ORD-1", 500)
    assert total(shop) == (1, 500)


def test_with_less_than_three_seconds_left_nothing_is_added(shop: Any, tools: SimpleNamespace) -> None:
    """It comes back from there."""
    assert run(tools, record(1, order_row(1)), seconds=2.9) == ["1"] and shop.all("sales") == []
