"""The tools of the lesson on the bus: why a pattern fits or not, a queue of one's own, and who got what."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.cloud.rules import matches
from orderlab.course.broken import unread_answer
from orderlab.course.drawing import style
from orderlab.course.experiments import fanout
from orderlab.course.experiments.fanout import who_got_what
from orderlab.course.experiments.listening import let_in, own_queue, taken
from orderlab.course.experiments.playground import why
from orderlab.course.shop import audited, open_shop, place, status

BIG = {"detail-type": ["OrderPlaced"], "detail": {"total": [{"numeric": [">=", 25_000]}]}}
ORDER = {"detail-type": "OrderPlaced", "detail": {"total": 4195, "items": [{"sku": "mug", "quantity": 2}]}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    """One cloud for all; a handler that a test replaces is put back there."""
    with Cloud(seed=0) as made:
        yield made


@pytest.fixture
def cloud(shared: Cloud) -> Cloud:
    """The shop, as new."""
    shared.reset()
    open_shop(shared)
    return shared


def listen(cloud: Cloud, name: str, **settings: Any) -> tuple[Any, str]:
    """A queue behind a rule "gift" for big orders, which it does not let in yet; the queue, and the rule's ARN.

    Each test has a queue of its own: a queue that boto3 made, and its policy, outlive a reset.
    """
    events, bus, queue = cloud.client("events"), cloud.outputs["BusName"], own_queue(name)
    rule = events.put_rule(Name="gift", EventBusName=bus, EventPattern=json.dumps(BIG))["RuleArn"]
    events.put_targets(Rule="gift", EventBusName=bus, Targets=[{"Id": "gift", "Arn": queue.arn, **settings}])
    return queue, rule


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ({"detail-type": ["OrderPlaced"]}, "✓ match"),
        (BIG, '✗ no match\n  detail.total is 4195; the pattern wants {"numeric": [">=", 25000]}'),
        ({"detail": {"total": ["4195"]}}, '✗ no match\n  detail.total is 4195; the pattern wants "4195"'),
        ({"detail": {"total": {"numeric": [">=", 1]}}}, "detail.total.numeric is missing"),
        ({"detail": {"total": {"prefix": "4"}}}, "✗ refused when the rule is made: Event pattern is not valid."),
    ],
)
def test_the_playground_says_which_field_is_to_blame(pattern: dict[str, Any], says: str) -> None:
    """In its own words the verdict of the one matcher, also where PutRule would refuse the pattern."""
    assert says in repr(why(pattern, ORDER))
    assert repr(why(pattern, ORDER)).startswith("✓") == ("match" in says and matches(pattern, ORDER))


def test_a_reader_is_added_without_touching_the_producer(cloud: Cloud) -> None:
    """Only the order that fits arrives, once, and everybody else gets what they had before."""
    queue, rule = listen(cloud, "added")
    let_in(queue, rule)
    big, small = (place(cloud, str(n), {"clock": n}).json()["orderId"] for n in (2, 1))
    cloud.run()
    assert [message.body["detail"]["orderId"] for message in taken(queue)] == [big]
    assert taken(queue) == []
    assert {status(cloud, one) for one in (big, small)} == {"CONFIRMED"}


def test_without_permission_the_copy_is_gone_and_nobody_is_told(cloud: Cloud) -> None:
    """The order is confirmed, the queue stays empty; with a dead-letter queue the copy is there, and why."""
    queue, rule = listen(cloud, "closed")
    place(cloud, "1", {"clock": 2})
    cloud.run()
    dead = own_queue("dead", rule)
    listen(cloud, "closed", DeadLetterConfig={"Arn": dead.arn})
    place(cloud, "2", {"clock": 2})
    cloud.run()
    (letter,) = taken(dead)
    assert taken(queue) == []
    assert letter.body["detail"]["total"] == 25_800
    assert letter.attributes["ERROR_CODE"] == "NO_PERMISSIONS" and letter.attributes["RETRY_ATTEMPTS"] == "0"


def test_a_policy_lets_in_one_rule_and_no_other(cloud: Cloud) -> None:
    """The statement names it."""
    queue, rule = listen(cloud, "of-another")
    statement = let_in(queue, f"{rule}-of-another")
    place(cloud, "1", {"clock": 2})
    cloud.run()
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": f"{rule}-of-another"}}
    assert taken(queue) == []


def test_one_event_goes_to_stock_payment_and_review_at_once(cloud: Cloud) -> None:
    """The figure's facts count what the trace has; a type that no rule wants is named."""
    place(cloud, "1", {"clock": 8})
    cloud.run()
    since = len(cloud.trace)
    place(cloud, "2", {"clock": 1})
    cloud.run()
    facts = who_got_what(cloud).facts
    assert "2 OrderPlaced events went to payment (2), review (1), stock (2)." in facts
    assert "8 events of 4 types became 11 deliveries to 5 targets" in facts
    later = who_got_what(cloud, since, "stock").facts
    assert "1 OrderPlaced event went to payment (1), stock (1)." in later and "Highlighted is stock." in later


def test_a_type_that_nobody_reads_is_named_and_no_event_is_no_figure(cloud: Cloud) -> None:
    """And its row has a mark in the first column only."""
    with pytest.raises(ValueError, match="nothing was published"):
        who_got_what(cloud)
    entry = {"EventBusName": cloud.outputs["BusName"], "Source": "orders.stock", "DetailType": "StockReleased"}
    cloud.client("events").put_events(Entries=[{**entry, "Detail": "{}"}])
    place(cloud, "1", {"mug": 1})
    cloud.run()
    assert "No target had StockReleased." in who_got_what(cloud).facts


def test_the_figure_is_legible_for_a_projector(cloud: Cloud) -> None:
    """No two names of columns lie on each other, small or big."""
    place(cloud, "1", {"clock": 8})
    cloud.run()
    for big in (False, True):
        style.put_on(big)
        figure = who_got_what(cloud).figure
        figure.canvas.draw()
        names = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
        if not big:
            boxes = [label.get_window_extent() for label in names]
            assert not any(a.x1 > b.x0 for a, b in pairwise(boxes))
        else:
            assert {label.get_rotation() for label in names} == {20.0}
    style.put_on()
    assert fanout.short("orderlab-stock") == "stock"


def test_publish_after_write_loses_an_order_in_a_crash_and_its_next_try_gets_a_202(shared: Cloud) -> None:
    """The shipped PlaceOrder, in the same crash, loses nothing: its row carries the event."""
    ends = []
    for handler in (unread_answer.place_order, shipped()):
        shared.replace("PlaceOrder", handler)
        where = "PlaceOrder dynamodb.PutItem"
        shared.reset(faults=Faults(0).at_rate("crash-after", 1.0, where=where, limit=1))
        opening = open_shop(shared)
        first, again = (place(shared, "1", {"lamp": 1}) for _ in range(2))
        shared.run()
        order_id = again.json()["orderId"]
        lost = audited(shared, opening, [order_id]).counts["lost"]
        ends.append((first.status, again.status, status(shared, order_id), lost))
    assert ends == [(502, 202, "PENDING", 1), (502, 202, "CONFIRMED", 0)]


def shipped() -> Any:
    """The shipped handler of PlaceOrder."""
    from orderlab.orders.place import handler

    return handler


def test_the_numbers_of_the_bill_are_those_of_the_shop_and_of_the_price_list(cloud: Cloud) -> None:
    """Exercise 3.3: a confirmed order publishes so many events, whoever listens, and a million of them cost so much."""
    from orderlab.course.exercises.lesson_03 import EVENTS_OF_AN_ORDER, bill
    from orderlab.ops.prices import read

    queue, rule = listen(cloud, "bill")
    let_in(queue, rule)
    order_id = place(cloud, "1", {"clock": 2}).json()["orderId"]
    cloud.run()
    assert status(cloud, order_id) == "CONFIRMED" and len(taken(queue)) == 1
    assert len(cloud.trace.select("event")) == EVENTS_OF_AN_ORDER
    assert "$1.00 per 1,000,000" in str(read().find("event")) and bill()[0].wanted == 4.00
