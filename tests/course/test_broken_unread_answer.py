"""The article's put_events: what the bus refuses inside its 200 is lost; Relay loses none of it."""

from collections.abc import Iterator

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.course.broken import unread_answer
from orderlab.course.broken.unread_answer import Loss
from orderlab.course.shop import audited, open_shop, place, status
from orderlab.ops.audit.verdict import Audit

ORDERS = 12


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all; the tests run in this order, since a handler that was replaced stays."""
    with Cloud(seed=0) as made:
        yield made


def day(cloud: Cloud, seed: int, rate: float = 0.3) -> tuple[list[str], Audit]:
    """Place orders while the bus refuses that share of the entries OrderPlaced; their ids, and the audit at rest."""
    cloud.reset(seed=seed, faults=Faults(seed).at_rate("put-events", rate, where="OrderPlaced"))
    opening = open_shop(cloud)
    ids = [place(cloud, f"k{n}", {"mug": 1}).json()["orderId"] for n in range(ORDERS)]
    cloud.run()
    return ids, audited(cloud, opening, ids)


def test_relay_loses_none_of_what_the_bus_refuses(cloud: Cloud) -> None:
    """Every order is confirmed, though entries were refused, some of them again and again."""
    ids, judged = day(cloud, 1)
    found = unread_answer.loss(cloud, ids)
    assert found.refused > 0 and found.lost == 0
    assert judged.findings == () and {end.state for end in judged.ends.values()} == {"confirmed"}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_articles_way_loses_exactly_what_the_bus_refuses(cloud: Cloud, seed: int) -> None:
    """One order for each refused entry; nobody was told, and all the others are well."""
    cloud.replace("Relay", unread_answer.publish)
    ids, judged = day(cloud, seed)
    found = unread_answer.loss(cloud, ids)
    assert 0 < found.lost == found.refused < ORDERS
    lost = [order_id for order_id, end in judged.ends.items() if end.state == "lost"]
    assert len(lost) == judged.counts["lost"] == found.lost
    assert {status(cloud, order_id) for order_id in lost} == {"PENDING"}
    assert {status(cloud, order_id) for order_id in set(ids) - set(lost)} == {"CONFIRMED"}
    ends = [row for row in cloud.trace.select(actor="Relay") if row.kind == "end"]
    assert ends and all(row.what == "ok" for row in ends)  # no invocation failed, no alarm has a reason


def test_without_refusals_nobody_would_notice(cloud: Cloud) -> None:
    """It works on every day on which nothing goes wrong; on the worst it loses all."""
    cloud.replace("Relay", unread_answer.publish)
    ids, judged = day(cloud, 3, rate=0.0)
    assert unread_answer.loss(cloud, ids) == Loss(0, 0) and judged.findings == ()
    ids, _ = day(cloud, 3, rate=1.0)
    assert unread_answer.loss(cloud, ids) == Loss(ORDERS, ORDERS)
