"""A projection that believes that a stream brings each change once, beside the one that leaves a marker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.course.broken import unmarked_sales
from orderlab.course.shop import open_shop, place
from orderlab.orders import sales


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all."""
    with Cloud(seed=0) as made:
        yield made


def sold(cloud: Cloud, project: Callable[[Any, Any], Any], faults: Faults | None = None) -> int:
    """The total, in pence, after two mugs were sold for 850 pence each."""
    cloud.reset(faults=faults)
    cloud.replace("ProjectSales", project)
    open_shop(cloud)
    for n in range(2):
        place(cloud, f"order-{n}", {"mug": 1})
    cloud.run()
    table, key = cloud.outputs["SalesTableName"], {"id": {"S": "total"}}
    return int(cloud.client("dynamodb").get_item(TableName=table, Key=key)["Item"]["pence"]["N"])


def test_a_crash_after_the_write_counts_an_order_twice(cloud: Cloud) -> None:
    """Lambda delivers again what it does not know to be done; without a crash the total is right."""
    crash = Faults().at_rate("crash-after", 1.0, where="ProjectSales dynamodb", limit=1)
    assert sold(cloud, unmarked_sales.project_sales) == 1700
    assert sold(cloud, unmarked_sales.project_sales, crash) == 2550


def test_a_marker_in_the_same_transaction_makes_it_right(cloud: Cloud) -> None:
    """The same crash."""
    crash = Faults().at_rate("crash-after", 1.0, where="ProjectSales dynamodb", limit=1)
    assert sold(cloud, sales.handler, crash) == 1700
