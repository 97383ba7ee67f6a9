"""The bill of lesson 12: what stands still, what an order adds, and what a retry policy costs."""

from collections.abc import Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import no_breaker
from orderlab.course.experiments.pricing import PROVIDER, month, monthly, priced
from orderlab.ops.bill.estimate import Estimate
from orderlab.orders import payment


@pytest.fixture(scope="module")
def bills() -> Iterator[list[Estimate]]:
    """Without an outage, as shipped, and without a breaker."""
    with Cloud(seed=0) as cloud:
        yield [
            priced(cloud, payment.handler),
            priced(cloud, payment.handler, minutes=10),
            priced(cloud, no_breaker.charge_payment, minutes=10),
        ]


def test_most_of_a_small_shops_bill_stands_still() -> None:
    """Alarms, and looks into empty queues; the cache costs more than both."""
    found = monthly(1000, False)
    assert 1 - found.standing / found.total < 0.1
    assert monthly(1000, True).standing > 4 * found.standing
    assert "1.75 dollars" in month().facts and "alarms 0.90" in month().facts and "$" not in month().facts


def test_each_retry_policy_has_its_price(bills: list[Estimate]) -> None:
    """A hanging partner costs, more without a breaker; what is done once costs about the same."""
    calm, shipped, without = (one.moving.of("duration") for one in bills)
    assert 2 * calm < shipped < without / 2
    assert "retries" not in bills[0].patterns()
    assert bills[1].patterns()["retries"] < bills[2].patterns()["retries"]
    assert bills[0].patterns()["front door"] == pytest.approx(bills[2].patterns()["front door"])


def test_the_providers_runs_are_not_ours(bills: list[Estimate]) -> None:
    """Its stand-in is a function here, and on no bill of the shop's."""
    assert all(use.who != PROVIDER for one in bills for use, _ in one.moving)


def test_the_shipped_function_stands_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or an earlier cell of the lesson, run once more, would measure the naive one."""
    with Cloud(seed=0) as cloud:
        replace, placed = cloud.replace, []

        def noting(name: str, handler: Any) -> None:
            placed.append(handler)
            replace(name, handler)

        monkeypatch.setattr(cloud, "replace", noting)
        priced(cloud, no_breaker.charge_payment, orders=1)
        assert placed == [no_breaker.charge_payment, payment.handler]
