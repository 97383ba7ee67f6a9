"""The day on which the provider hangs: with and without a breaker the same books, and other costs."""

from collections.abc import Iterator

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import no_breaker
from orderlab.course.experiments.outage import Outage, hanging
from orderlab.orders import payment


@pytest.fixture(scope="module")
def days() -> Iterator[tuple[Outage, Outage]]:
    """The day without a breaker, and with it."""
    with Cloud(seed=0) as cloud:
        yield hanging(cloud, no_breaker.charge_payment), hanging(cloud, payment.handler)


def test_the_breaker_changes_the_costs_and_not_the_books(days: tuple[Outage, Outage]) -> None:
    """All are confirmed, once; a fraction of the calls, of the seconds and of the dollars."""
    without, shipped = days
    for day in days:
        assert day.confirmed == day.orders == 19 and set(day.findings.values()) == {0}
    assert shipped.asked < without.asked / 2 and shipped.each < without.each / 2
    assert shipped.dollars < without.dollars / 2


def test_without_a_breaker_nobody_asks_its_table(days: tuple[Outage, Outage]) -> None:
    """And with it each call reads its row twice, while writes are few."""
    without, shipped = days
    assert (without.reads, without.writes) == (0, 0)
    assert shipped.reads > 2 * shipped.orders > shipped.writes > 5
    assert f"{shipped.reads} reads and {shipped.writes} writes" in repr(shipped)


def test_the_wait_of_the_message_decides_when_orders_settle(days: tuple[Outage, Outage]) -> None:
    """Within the queue's three minutes after the provider's return, both."""
    without, shipped = days
    assert shipped.settled == pytest.approx(without.settled, abs=1.0)
    assert 0 < without.settled < 180
