"""A counter in a global, in a row that is read and written, and in one update: what each makes of a crowd."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import kept_in_a_global
from orderlab.course.experiments.counting import counted, counters
from orderlab.course.experiments.visiting import environments, visits

KEY = {"id": "counter"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all: each history begins by emptying it."""
    with Cloud(seed=0) as made:
        yield made


@pytest.fixture
def table(cloud: Cloud) -> Any:
    """A table with one key, for the counters."""
    return boto3.resource("dynamodb").Table(cloud.outputs["SalesTableName"])


@pytest.mark.parametrize("at_once", [1, 2, 8, 20])
def test_a_global_counts_the_visits_of_its_own_environment(cloud: Cloud, at_once: int) -> None:
    """The environments share the visits evenly, so each gets as far as its share."""
    assert counted(cloud, kept_in_a_global.count, at_once) == 40 // at_once
    assert environments(cloud, "GetOrder") == at_once


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_row_that_is_read_and_written_loses_nearly_as_much(cloud: Cloud, table: Any, seed: int) -> None:
    """It is right for one visitor at a time, with any seed, and wrong for twenty."""

    def get_then_put(event: Any, context: Any) -> int:
        row = table.get_item(Key=KEY, ConsistentRead=True).get("Item", {"n": 0})
        table.put_item(Item=KEY | {"n": row["n"] + 1})
        return int(row["n"]) + 1

    cloud.reset(seed=seed)
    get_then_put.__module__ = "cell"  # as a function of a notebook is: of no file
    assert counted(cloud, get_then_put, 1) == 40
    assert counted(cloud, get_then_put, 20) < 10


@pytest.mark.parametrize("at_once", [1, 20])
def test_one_update_counts_every_visit(cloud: Cloud, table: Any, at_once: int) -> None:
    """However many come together."""

    def one_update(event: Any, context: Any) -> int:
        add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": 1}}
        return int(table.update_item(Key=KEY, ReturnValues="UPDATED_NEW", **add)["Attributes"]["n"])

    one_update.__module__ = "cell"
    assert counted(cloud, one_update, at_once) == 40


def test_a_basket_in_a_global_is_shown_to_the_next_customer_and_lost_to_its_own(cloud: Cloud) -> None:
    """One after the other share an environment; two at the same moment do not; a recycled one remembers nothing."""
    cloud.reset()
    cloud.replace("GetOrder", kept_in_a_global.add)
    lamp, mug = {"sku": "lamp"}, {"sku": "mug"}
    assert visits(cloud, "GetOrder", [lamp, mug]) == [["lamp"], ["lamp", "mug"]]
    assert visits(cloud, "GetOrder", [lamp, mug], at_once=2) == [["lamp", "mug", "lamp"], ["mug"]]
    cloud.functions.recycle("GetOrder")
    assert visits(cloud, "GetOrder", [mug]) == [["mug"]]


def test_a_visit_that_fails_is_no_answer(cloud: Cloud) -> None:
    """A mistake in a lesson's own code does not look like a number."""
    cloud.reset()
    cloud.replace("GetOrder", kept_in_a_global.add)
    with pytest.raises(RuntimeError, match="KeyError"):
        visits(cloud, "GetOrder", [{}])


def test_the_figure_says_what_was_counted() -> None:
    """All numbers, in the order of the crowds."""
    found = {name: {1: 40, 20: last} for name, last in {"a global": 2, "get, then put": 5, "one update": 40}.items()}
    assert repr(counters(found)) == (
        "One history each (seed 0): 40 visits, 1, 20 at a time. "
        "Counted by a global: 40, 2; get, then put: 40, 5; one update: 40, 40."
    )


def test_the_same_globals_leak_in_real_processes() -> None:
    """Two customers at once are both the first; the third is in a process that remembers one of them.

    The last test of the file, for its cloud closes the other one.
    """
    with Cloud(runner="processes") as cloud:
        cloud.replace("GetOrder", kept_in_a_global.count)
        assert visits(cloud, "GetOrder", [{}] * 2, at_once=2) == [1, 1]
        assert visits(cloud, "GetOrder", [{}]) == [2]
        assert len({environment._child._process.pid for environment in cloud._processes.alive}) == 2
