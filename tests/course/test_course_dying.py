"""Lesson 07: where PlaceOrder may die, a record beside the work, a time-out taken for no, the age of a message."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.course.broken import publish_first, record_beside, timeout_is_no, unread_answer
from orderlab.course.drawing import style
from orderlab.course.exercises.lesson_07 import KEPT, KEPT_DEAD
from orderlab.course.experiments.dying import FINE, LOST, PAID, deaths, where_it_may_die
from orderlab.course.shop import audited, open_shop, place, status
from orderlab.ops.days.play import turn_knob
from orderlab.orders import payment
from orderlab.orders.place import handler as place_order

Handler = Callable[[Any, Any], Any]
DAY = 86_400.0


@pytest.fixture(scope="module")
def shared() -> Iterator[Cloud]:
    """One cloud for all; each test starts it anew."""
    with Cloud(seed=0) as made:
        yield made


@pytest.fixture
def cloud(shared: Cloud) -> Cloud:
    """With the shipped handlers."""
    shared.replace("PlaceOrder", place_order)
    shared.replace("ChargePayment", payment.handler)
    return shared


def ends(cloud: Cloud, handler: Handler, asks_again: bool) -> list[str]:
    """How the crashes ended, in the order of the history."""
    return [death.end for death in deaths(cloud, handler, asks_again)]


def test_one_write_survives_every_crash_and_two_writes_do_not(cloud: Cloud) -> None:
    """Write first loses the order; publish first is saved by a customer who asks again, and by nobody else."""
    assert ends(cloud, unread_answer.place_order, True) == [FINE, LOST, LOST, FINE]
    assert ends(cloud, unread_answer.place_order, False) == [FINE, LOST, LOST, FINE]
    assert ends(cloud, publish_first.place_order, True) == [FINE] * 4
    assert ends(cloud, publish_first.place_order, False) == [FINE, PAID, PAID, FINE]
    assert ends(cloud, place_order, True) == ends(cloud, place_order, False) == [FINE] * 4


def test_publish_first_answers_no_202_for_what_the_bus_refused(cloud: Cloud) -> None:
    """It reads the answer of PutEvents: its trouble is the crash alone."""
    cloud.replace("PlaceOrder", publish_first.place_order)
    cloud.reset(faults=Faults(0).at_rate("put-events", 1.0, where="OrderPlaced", limit=1))
    opening = open_shop(cloud)
    first, again = (place(cloud, "1", {"lamp": 1}) for _ in range(2))
    cloud.run()
    assert (first.status, again.status) == (502, 202)
    assert not any(audited(cloud, opening, [again.json()["orderId"]]).counts.values())


def test_the_figure_says_how_each_lane_ended_and_is_legible_for_a_projector(cloud: Cloud) -> None:
    """Its sentence counts the bad ends; the legend lies within the picture at both sizes."""
    lanes = {
        "publish, write\ngives up": deaths(cloud, publish_first.place_order, False),
        "one write\nasks again": deaths(cloud, place_order),
    }
    assert repr(lanes["one write\nasks again"][1]) == "after the row: fine"
    for big in (False, True):
        style.put_on(big)
        plot = where_it_may_die(lanes)
        plot.figure.canvas.draw()
        box, legend = plot.figure.bbox, plot.figure.axes[0].get_legend()
        assert legend is not None
        extent = legend.get_window_extent()
        assert box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 <= extent.y0
    style.put_on()
    assert plot.facts == (
        "8 histories (seed 0) of one order and one crash. "
        "publish, write gives up: 2 paid without an order; one write asks again: all fine."
    )


def charged(cloud: Cloud, handler: Handler, faults: Faults, days: float = 0) -> int:
    """Orders that were charged twice, of one; with `days`, after a redrive of what is dead by then."""
    cloud.replace("ChargePayment", handler)
    cloud.reset(faults=faults)
    opening = open_shop(cloud)
    order_id = place(cloud, "1", {"lamp": 1}).json()["orderId"]
    cloud.run()
    if days:
        assert status(cloud, order_id) == "PENDING"
        cloud.faults.stop()
        cloud.advance(days * DAY)
        policy = cloud.stack.resources["PaymentQueue"].properties["RedrivePolicy"]
        cloud.client("sqs").start_message_move_task(SourceArn=policy["deadLetterTargetArn"])
        cloud.run()
    assert status(cloud, order_id) == "CONFIRMED"
    return audited(cloud, opening, [order_id]).counts["charged_twice"]


def test_a_record_that_expires_charges_twice_after_a_redrive_and_one_beside_the_work_after_a_crash(
    cloud: Cloud,
) -> None:
    """A record for ever survives the redrive only; the key that is sent along survives both; twice a message, all."""

    def troubles(handler: Handler) -> list[int]:
        twice = Faults(0).at_rate("duplicate", 1.0, where="payment")
        away = Faults(0).at_rate("error", 1.0, where="s3.PutObject")
        crash = Faults(0).at_rate("crash-after", 1.0, where="ChargePayment lambda.Invoke", limit=1)
        return [charged(cloud, handler, twice), charged(cloud, handler, away, days=2), charged(cloud, handler, crash)]

    assert troubles(record_beside.for_a_day) == [0, 1, 1]
    assert troubles(record_beside.for_ever) == [0, 0, 1]
    assert troubles(payment.handler) == [0, 0, 0]


@pytest.mark.parametrize(
    ("handler", "end", "wrong"), [(timeout_is_no.charge_payment, "CANCELLED", 1), (payment.handler, "CONFIRMED", 0)]
)
def test_who_takes_silence_for_no_keeps_the_money_of_a_cancelled_order(
    cloud: Cloud, handler: Handler, end: str, wrong: int
) -> None:
    """The provider took it, and its answer was late; the shipped function asks again and hears of it."""
    cloud.replace("ChargePayment", handler)
    cloud.reset()
    opening = open_shop(cloud)
    turn_knob(cloud.client, cloud.outputs, lostRate=1.0)
    order_id = place(cloud, "1", {"lamp": 1}).json()["orderId"]
    cloud.advance(60)
    turn_knob(cloud.client, cloud.outputs, lostRate=0.0)
    cloud.run()
    assert status(cloud, order_id) == end
    findings = audited(cloud, opening, [order_id]).findings
    assert ["were not refunded" in one.why for one in findings] == [True] * wrong


def test_without_trouble_the_naive_consumers_do_their_work(cloud: Cloud) -> None:
    """What is broken in them is only what the lesson says."""
    for handler in (timeout_is_no.charge_payment, record_beside.for_a_day, record_beside.for_ever):
        assert charged(cloud, handler, Faults(0)) == 0


def test_the_numbers_of_exercise_7_1_are_those_of_the_template_and_of_the_queues(cloud: Cloud) -> None:
    """A message that died, and was redriven at the last moment, is received on its 18th day, and never after it."""
    kept = [
        int(cloud.stack.resources[name].properties["MessageRetentionPeriod"]) / DAY
        for name in ("PaymentQueue", "PaymentDeadQueue")
    ]
    assert kept == [KEPT, KEPT_DEAD]
    for late, there in ((-0.1, 1), (0.1, 0)):
        cloud.reset()
        sqs = cloud.client("sqs")
        dead = sqs.create_queue(QueueName="days-dead", Attributes={"MessageRetentionPeriod": str(int(KEPT_DEAD * DAY))})
        arn = sqs.get_queue_attributes(QueueUrl=dead["QueueUrl"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        wanted = {"MessageRetentionPeriod": str(int(KEPT * DAY)), "RedrivePolicy": policy}
        url = sqs.create_queue(QueueName="days", Attributes=wanted)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="a charge")
        for _ in range(2):  # the second receive makes it a dead letter
            sqs.receive_message(QueueUrl=url)
            cloud.advance(60)
        cloud.advance((KEPT_DEAD - 0.02) * DAY)
        sqs.start_message_move_task(SourceArn=arn)
        cloud.advance((KEPT + late) * DAY)
        assert len(sqs.receive_message(QueueUrl=url).get("Messages", [])) == there
