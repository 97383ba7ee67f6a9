"""A reservation that checks first and takes then, beside the transaction that does both in one step."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.course.broken import check_then_take
from orderlab.course.experiments.rushing import rush
from orderlab.course.shop import audited, open_shop, place
from orderlab.orders import stock

MUGS, ORDERS = 5, 8


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all: each race begins by emptying it."""
    with Cloud(seed=0) as made:
        yield made


def race(cloud: Cloud, reserve: Callable[[Any, Any], Any], seed: int) -> Any:
    """The audit after eight customers wanted one of five mugs at the same moment, and DynamoDB was a little slow."""
    cloud.reset(seed=seed, faults=Faults(seed).at_rate("slow", 1.0, where="ReserveStock dynamodb", seconds=0.05))
    cloud.replace("ReserveStock", reserve)
    opening = open_shop(cloud) | {"mug": MUGS}
    shelf = boto3.resource("dynamodb").Table(cloud.outputs["StockTableName"])
    shelf.put_item(Item={"sku": "mug", "onHand": MUGS})
    return audited(cloud, opening, rush(cloud, ORDERS))


@pytest.mark.parametrize("seed", [0, 1])
def test_who_checks_first_sells_what_is_not_there(cloud: Cloud, seed: int) -> None:
    """Nothing else goes wrong: each order is paid and shipped, and the audit alone knows."""
    report = race(cloud, check_then_take.reserve_stock, seed)
    assert report.counts == {"lost": 0, "charged_twice": 0, "oversold": 1, "unexplained": 0}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_transaction_never_does(cloud: Cloud, seed: int) -> None:
    """In the same race, all is well."""
    assert not race(cloud, stock.handler, seed).findings


def test_one_after_the_other_nobody_sees_a_difference(cloud: Cloud) -> None:
    """Which is why it is written like that."""
    cloud.reset(seed=0)
    cloud.replace("ReserveStock", check_then_take.reserve_stock)
    opening, ids = open_shop(cloud), []
    for n in range(3):
        ids.append(place(cloud, f"order-{n}", {"lamp": 5}).json()["orderId"])
        cloud.run()
    assert not audited(cloud, opening, ids).findings
