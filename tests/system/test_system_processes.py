"""The order system with every handler in a process of its own: the same books as in process."""

from collections.abc import Iterator
from typing import Any

import pytest

STOCK, PRICES = {"mug": 3, "lamp": 9}, {"mug": 700, "lamp": 110_000}


@pytest.fixture(scope="module")
def whole() -> Iterator[Any]:
    """The cloud of this file, in whose place the test opens another one."""
    from orderlab.cloud import Cloud

    with Cloud(runner="processes") as cloud:
        yield cloud


def day(shop: Any) -> dict[str, Any]:
    """A handful of orders, one too many for the stock, one placed twice; the books that they leave."""
    it = shop(STOCK, PRICES)
    wanted = {"k1": {"mug": 2}, "k2": {"lamp": 1}, "k3": {"mug": 2}, "k4": {"lamp": 2, "mug": 1}}
    ids = {}
    for key, items in [*wanted.items(), ("k1", wanted["k1"])]:
        answer = it.order(key, items)
        assert answer.status == 202
        ids[key] = answer.json()["orderId"]
        it.cloud.run()  # one after the other: which of two at once gets the last mug is chance
    assert not it.audit(*ids.values()).findings
    kept = ("status", "total", "stock", "payment", "reason")
    books = {key: {name: it.part(order_id).get(name) for name in kept} for key, order_id in ids.items()}
    return {**books, "review": len(it.bodies("ReviewQueue"))}


def test_a_handful_of_orders_leaves_the_same_books_as_in_process(shop, whole) -> None:
    """Placed, relayed, reserved, charged by a nested invoke, settled: across real processes, without a finding."""
    books = day(shop)
    assert [books[key]["status"] for key in ("k1", "k2", "k3", "k4")] == ["CONFIRMED"] * 2 + ["CANCELLED", "CONFIRMED"]
    assert books["review"] == 2
    assert len({process._child._process.pid for process in whole._processes.alive}) >= 6
    whole._processes.clear()
    whole.functions.reset(0)
    runner, whole.functions.make = whole.functions.make, whole.functions.in_process
    try:
        assert day(shop) == books
    finally:
        whole.functions.make = runner
