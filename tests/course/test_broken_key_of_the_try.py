"""A consumer that believes in one delivery, and a queue that lends for less than its batch needs."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken import key_of_the_try
from orderlab.course.experiments.rushing import deliveries, rush
from orderlab.course.shop import audited, open_shop
from orderlab.ops.days.play import turn_knob
from orderlab.orders import payment


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all: each day begins by emptying it."""
    with Cloud(seed=0) as made:
        yield made


def day(cloud: Cloud, charge: Callable[[Any, Any], Any], hidden: int) -> tuple[dict[str, int], list[int]]:
    """Ten orders at once, 0.7 s for a charge, `hidden` seconds of visibility: the audit's counts, and deliveries."""
    cloud.reset()
    cloud.replace("ChargePayment", charge)
    opening, url = open_shop(cloud), cloud.outputs["PaymentQueueUrl"]
    turn_knob(cloud.client, cloud.outputs, latency=0.7)
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(hidden)})
    return audited(cloud, opening, rush(cloud, 10)).counts, deliveries(cloud, url)


def test_who_believes_in_one_delivery_charges_again_and_again(cloud: Cloud) -> None:
    """Every run succeeds, and still the messages of the full batch end as dead letters."""
    counts, delivered = day(cloud, key_of_the_try.charge_payment, 2)
    assert counts["charged_twice"] >= 7 and counts["lost"] == 0
    assert max(delivered) == 10 and len(cloud.trace.select("dead")) == delivered.count(10)
    assert not cloud.trace.select("error") and not cloud.trace.select("log", contains='"ERROR"')


def test_the_template_s_timeout_hides_the_same_fault(cloud: Cloud) -> None:
    """It charges once as long as nothing comes twice, which nobody promises."""
    counts, delivered = day(cloud, key_of_the_try.charge_payment, 180)
    assert set(counts.values()) == {0} and delivered == [1] * 10


def test_the_shipped_function_charges_once_under_the_same_timeout(cloud: Cloud) -> None:
    """Messages come more than once, the money is taken once, and nothing dies."""
    counts, delivered = day(cloud, payment.handler, 2)
    assert set(counts.values()) == {0} and max(delivered) > 1
    assert not cloud.trace.select("dead")
