"""The article's breaker: one for each execution environment; beside the one that they share."""

import itertools

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import private_breaker
from orderlab.course.broken.private_breaker import Outage, outage
from orderlab.course.shop import open_shop, place, provider_down

ENVIRONMENTS = 10
WIDE = {"ChargePaymentMapping": {"ScalingConfig": {"MaximumConcurrency": ENVIRONMENTS}, "BatchSize": 1}}


@pytest.mark.parametrize("environments", [1, 2, 50])
def test_a_fleet_of_private_breakers_makes_five_errors_and_one_probe_each(environments: int) -> None:
    """The article's threshold is for one of them: fifty make 250, and then fifty probes; 5 and 1 when shared."""
    assert outage(environments) == Outage(5 * environments, environments)
    assert outage(environments, shared=True) == Outage(5, 1)


def test_on_the_local_cloud_each_environment_learns_for_itself() -> None:
    """ChargePayment in ten environments, one order each, the provider down.

    One breaker for all lets through five and what is under way by then, and after that one probe in each round of
    redelivery. With one for each, every environment makes all its three attempts, and more in the next round.
    """
    with Cloud(seed=0, overrides=WIDE) as cloud:
        first, later = asked(cloud)
        assert 5 <= first <= 5 + ENVIRONMENTS - 1
        assert later == [1, 1]
        cloud.replace("ChargePayment", private_breaker.charge_payment)
        first, later = asked(cloud)
        invokes = cloud.trace.select("invoke", actor="ChargePayment")
        assert sum(row.detail["cold"] for row in invokes) >= ENVIRONMENTS
        assert first == 3 * ENVIRONMENTS
        assert later[0] > 5


def asked(cloud: Cloud) -> tuple[int, list[int]]:
    """Calls to the provider, which is down: until all is quiet, and in each of two rounds of redelivery."""
    cloud.reset()
    open_shop(cloud)
    provider_down(cloud, 24 * 60)
    for n in range(ENVIRONMENTS):
        place(cloud, f"k{n}", {"mug": 1})
    counts = []
    for seconds in (30, 180, 180):
        cloud.advance(seconds)
        counts.append(len(cloud.trace.select("call", actor="ChargePayment", contains="lambda.Invoke")))
    return counts[0], [after - before for before, after in itertools.pairwise(counts)]
