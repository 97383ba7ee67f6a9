"""The timeline of one order shows what its trace has, says it in one sentence, and works for every end of an order."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.cloud.trace import Trace
from orderlab.course.history import lanes, summary
from orderlab.course.history.lanes import timeline
from orderlab.course.history.sketch import BREAKER, sketch
from orderlab.course.history.strokes import Mark
from orderlab.course.shop import open_shop, place


def copy_of(cloud: Any, *changes: Any) -> Any:
    """A cloud's trace with rows changed by functions from a row to a row, or to None for one that is left out."""
    trace = Trace(lambda: cloud.now)
    for change in changes:
        trace.rows = [row for row in map(change, cloud.trace.rows) if row is not None]
    return SimpleNamespace(trace=trace, now=cloud.now, seed=cloud.seed, stack=cloud.stack)


def marks(told: Any, lane: str) -> list[tuple[str, str]]:
    """Kind and words of the marks in a lane."""
    return [(mark.kind, mark.words) for mark in told.marks if mark.lane == lane]


def test_a_fine_order_has_a_lane_for_each_place_in_the_order_of_its_way(played: Any) -> None:
    """From the client to the mail; queues share the lane of their function, and nobody heard of a breaker."""
    told = sketch(played.cloud, played.fine)
    assert told.lanes[:3] == ("client", "PlaceOrder", "Relay") and told.lanes[-1] == "Notify"
    assert set(told.lanes[3:-1]) == {"ReserveStock", "ChargePayment", "SettleOrder", "ProjectSales"}
    assert marks(told, "ChargePayment") == [("done", "CAPTURED")]
    assert sorted(words for _, words in marks(told, "Relay")) == [
        "OrderConfirmed",
        "OrderPlaced",
        "PaymentCaptured",
        "StockReserved",
    ]
    assert {(hop.lane, hop.to) for hop in told.hops} == {
        ("Relay", lane) for lane in ("ReserveStock", "ChargePayment", "SettleOrder", "Notify")
    }
    assert told.now is None and told.status == "CONFIRMED" and not any(bar.kind == "hidden" for bar in told.bars)


def test_an_order_in_an_outage_shows_tries_waits_and_the_breaker(played: Any) -> None:
    """A cross, a diamond and a dot; hidden for the visibility timeout between them; the breaker in a lane below."""
    told = sketch(played.cloud, played.troubled[1])
    assert marks(told, "ChargePayment") == [
        ("failed", "try 1: no answer"),
        ("not asked", "try 2: breaker open"),
        ("done", "try 3: CAPTURED"),
    ]
    assert [round(bar.length, 6) for bar in told.bars if bar.kind == "hidden"] == [180.0, 180.0]
    assert told.lanes[told.lanes.index("ChargePayment") + 1] == BREAKER
    states = [bar for bar in told.bars if bar.lane == BREAKER]
    assert [bar.kind for bar in states] == ["open", "half-open"] * 4
    assert all(one.ended == other.began for one, other in pairwise(states))
    first, second = (mark.at for mark in told.marks if mark.kind in ("failed", "not asked"))
    assert states[0].began < first and any(one.kind == "open" and one.began < second < one.ended for one in states)


def test_the_breakers_states_are_those_that_were_written_to_its_row(played: Any) -> None:
    """Found another way: by the calls that put a row into the breaker's table."""
    cloud, order = played.cloud, played.troubled[1]
    table = cloud.outputs["BreakerTableName"]
    puts = [row for row in cloud.trace.select("call", contains=table) if row.what == "dynamodb.PutItem"]
    opened = [row.at for row in puts if row.detail["state"] == "open" and "error" not in row.detail]
    placed = min(row.at for row in cloud.trace.select("request") if row.at > played.down[0] + 15)
    drawn = [bar.began for bar in sketch(cloud, order).bars if bar.kind == "open"]
    assert drawn == pytest.approx([at - placed for at in opened])


def test_a_declined_order_is_cancelled_and_undone(played: Any) -> None:
    """No try failed: a decline is an answer."""
    told = sketch(played.cloud, played.declined)
    assert told.status == "CANCELLED" and not any(mark.kind != "done" for mark in told.marks)
    assert ("done", "RELEASED") in marks(told, "ReserveStock") and ("done", "DECLINED") in marks(told, "ChargePayment")


def test_an_order_on_its_way_shows_the_present_and_what_is_bound_to_come(played: Any, earlier: Any) -> None:
    """The message is hidden beyond now, and the sentence says for how long."""
    then = earlier(played.cloud, played.down[0] + 80)
    told = sketch(then, played.troubled[1])
    (hidden,) = (bar for bar in told.bars if bar.kind == "hidden")
    assert told.now is not None and told.now < hidden.ended == told.end and told.settled is None
    facts = str(timeline(then, played.troubled[1]))
    assert "still PENDING after 6" in facts
    assert facts.endswith("OrderPlaced is hidden in the queue payment since try 1, for 3 min in all.")
    assert "and is not closed yet." in facts
    assert "The breaker was open from the start" in str(timeline(played.cloud, played.troubled[2]))


def test_an_order_that_was_just_accepted_can_be_drawn(earlier: Any, played: Any) -> None:
    """Two lanes, and nothing has happened behind the client's back."""
    answered = next(row.at for row in played.cloud.trace.select("response"))
    told = sketch(earlier(played.cloud, answered), played.fine)
    assert told.lanes == ("client", "PlaceOrder") and told.status == "PENDING" and told.tries == ()
    assert "still PENDING after 0.3" in str(timeline(earlier(played.cloud, answered), played.fine))


def test_ten_tries_end_in_the_dead_letter_queue(given_up: Any, earlier: Any) -> None:
    """As many crosses as the queue allows receives, then a square; the order stays as it is."""
    cloud, order_id, moment = given_up
    told = sketch(earlier(cloud, moment), order_id)
    receives = cloud.stack.resources["PaymentQueue"].properties["RedrivePolicy"]["maxReceiveCount"]
    kinds = [kind for kind, _ in marks(told, "ChargePayment")]
    assert kinds == ["failed"] * receives + ["given up"] and receives == 10
    assert marks(told, "ChargePayment")[-1] == ("given up", "goes to payment-dead")
    assert told.status == "PENDING" and told.now is None
    facts = str(timeline(earlier(cloud, moment), order_id))
    assert "PENDING, given up after 30 min" in facts and "12 tries: 2 succeeded, 10 got no answer." in facts


def test_a_redrive_brings_the_order_home_in_the_same_figure(given_up: Any) -> None:
    """The dead letter's new message is the same order's, and its hour in the dead-letter queue the longest wait."""
    cloud, order_id, _ = given_up
    told = sketch(cloud, order_id)
    assert marks(told, "ChargePayment")[-2:] == [("given up", "goes to payment-dead"), ("done", "CAPTURED")]
    assert told.status == "CONFIRMED" and told.now is None
    assert "The longest wait was 60 min: OrderPlaced lay in the queue payment-dead until a redrive." in str(
        timeline(cloud, order_id)
    )


def test_the_sentence_is_computed_from_the_trace(played: Any) -> None:
    """Every number of it, found another way."""
    cloud, order_id = played.cloud, played.troubled[1]
    told = sketch(cloud, order_id)
    tries = [one for one in told.tries if one.ended is not None]
    assert str(timeline(cloud, order_id)) == (
        f"Order {order_id} in one history (seed 0): CONFIRMED after 6 min, in {told.steps} steps. "
        f"{len({one.carried.message for one in tries})} messages took {len(tries)} tries: 4 succeeded, "
        "1 got no answer, 1 found the breaker open and did not ask. "
        "The longest wait was 3 min: OrderPlaced lay hidden in the queue payment after try 1 "
        "(asked 2 times, no answer). The breaker opened after 0.26 s, was half-open 4 times, and closed after 5.7 min."
    )


def test_another_history_has_another_sentence(played: Any) -> None:
    """One constant changed in the rows, and nbval would see it: the visibility timeout, a state, a try, an answer."""
    cloud, order_id = played.cloud, played.troubled[1]
    facts = str(timeline(cloud, order_id))

    def later(row: Any) -> Any:
        return replace(row, at=row.at + 60) if row.at > played.down[0] + 150 else row

    def never_open(row: Any) -> Any:
        return None if row.detail.get("state") == "open" else row

    def other_error(row: Any) -> Any:
        return replace(row, what=row.what.replace("Unknown: ", "Broken: ").replace("Open: ", "Broken: "))

    changed = [renumbered(copy_of(cloud, change)) for change in (later, never_open, other_error)]
    sentences = [str(timeline(one, order_id)) for one in changed]
    assert len({facts, *sentences}) == 4
    assert "CONFIRMED after 7 min" in sentences[0] and "The longest wait was 4 min" in sentences[0]
    assert "failed otherwise" in sentences[2]


def renumbered(cloud: Any) -> Any:
    """The cloud, its rows numbered as they stand."""
    cloud.trace.rows = [replace(row, n=n) for n, row in enumerate(cloud.trace.rows)]
    return cloud


def test_the_figure_draws_what_the_sketch_has(played: Any) -> None:
    """As many markers of each kind, and as many bars, each where it belongs on the axis of minutes."""
    told = sketch(played.cloud, played.troubled[1])
    axes = timeline(played.cloud, played.troubled[1]).figure.axes[0]
    for kind, marker in lanes.MARKERS.items():
        drawn = sorted(line.get_xdata()[0] for line in axes.lines if line.get_marker() == marker)  # type: ignore[index]
        assert drawn == pytest.approx(sorted(mark.at / 60 for mark in told.marks if mark.kind == kind))
    bars = sorted((patch.get_x(), patch.get_width()) for patch in axes.patches)  # type: ignore[attr-defined]
    assert bars == [pytest.approx(pair) for pair in sorted((bar.began / 60, bar.length / 60) for bar in told.bars)]
    assert axes.get_xlabel() == "virtual time since the order was placed (minutes)"
    assert "try 2: breaker open" in [note.get_text() for note in axes.texts]


@pytest.mark.parametrize(("end", "unit"), [(2.0, "seconds"), (99.0, "seconds"), (400.0, "minutes"), (9000.0, "hours")])
def test_the_unit_of_time_fits_the_span(played: Any, monkeypatch: pytest.MonkeyPatch, end: float, unit: str) -> None:
    """Two seconds are not 0.03 minutes, and five hours are not 300."""
    told = replace(sketch(played.cloud, played.fine), end=end)
    monkeypatch.setattr(lanes, "sketch", lambda *_: told)
    assert timeline(played.cloud, played.fine).figure.axes[0].get_xlabel().endswith(f"({unit})")


@pytest.mark.parametrize("order_id", ["ORD-00000000000000000000", ""])
def test_an_order_that_is_not_there_is_refused(played: Any, order_id: str) -> None:
    """A typing error gets a remedy, not an empty figure."""
    with pytest.raises(ValueError, match="take the orderId of a 202 answer"):
        timeline(played.cloud, order_id)


def test_an_empty_trace_is_refused(played: Any) -> None:
    """A cloud that was reset knows no order."""
    with pytest.raises(ValueError, match="take the orderId of a 202 answer"):
        timeline(copy_of(played.cloud, lambda row: None), played.fine)


def test_the_same_figure_twice_is_the_same_bytes(played: Any) -> None:
    """So that a refreshed notebook does not change."""
    assert timeline(played.cloud, played.troubled[0]).png() == timeline(played.cloud, played.troubled[0]).png()


def test_a_request_that_comes_long_after_does_not_stretch_the_figure() -> None:
    """Asking again with the same key changes nothing; a read is not shown at all."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "once", {"mug": 1}).json()["orderId"]
        cloud.run()
        facts, told = str(timeline(cloud, order_id)), sketch(cloud, order_id)
        cloud.advance(3600)
        place(cloud, "once", {"mug": 1})
        cloud.request("GET", f"/orders/{order_id}", headers={"x-api-key": cloud.api_key})
        cloud.run()
        assert sketch(cloud, order_id).end == told.end < 5
        assert str(timeline(cloud, order_id)).replace("in 21 steps", "in 17 steps") == facts


def test_a_mail_that_fails_is_tried_again_by_lambda_and_given_up() -> None:
    """Asynchronous invokes wait in Lambda's own queue: a minute, then two, then the destination."""
    from orderlab.cloud import Cloud

    def broken(event: Any, context: Any) -> None:
        raise RuntimeError("no mail today")

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        cloud.replace("Notify", broken)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.advance(30)
        early = sketch(cloud, order_id)
        cloud.run()
        told, facts = sketch(cloud, order_id), str(timeline(cloud, order_id))
    assert early.now is not None and early.end > 60
    assert [kind for kind, _ in marks(told, "Notify")] == ["failed", "failed", "given up"]
    assert "CONFIRMED after" in facts and "waited until Lambda tried Notify again" in facts


def test_reading_the_order_while_it_is_on_its_way_is_not_drawn() -> None:
    """A read changes nothing: the story tells it, the figure has no lane for it."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        assert cloud.request("GET", f"/orders/{order_id}", headers={"x-api-key": cloud.api_key}).status == 200
        cloud.run()
        told = sketch(cloud, order_id)
    assert "GetOrder" not in told.lanes and len(marks(told, "client")) == 1


def test_an_event_of_a_publisher_that_died_can_be_drawn() -> None:
    """Relay put it on the bus and left no word: there is no lane to draw it from."""
    from orderlab.cloud import Cloud
    from orderlab.cloud.faults import Faults

    faults = Faults(0).at_rate("crash-after", 1.0, where="Relay eventbridge.PutEvents", limit=1)
    with Cloud(seed=0, faults=faults) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.advance(0.8)
        told = sketch(cloud, order_id)
        timeline(cloud, order_id)
    assert "ReserveStock" in told.lanes and "Relay" not in told.lanes and told.hops == ()


def test_a_message_that_nobody_reads_lies_in_a_lane_of_its_own() -> None:
    """The review queue waits for a person; the order is done without."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "big", {"clock": 8}).json()["orderId"]
        cloud.run()
        cloud.advance(86_400)
        told = sketch(cloud, order_id)
    assert told.marks.count(Mark("queue review", "done", *here(told, "queue review"))) == 1
    assert told.now is None and told.end < 5


def here(told: Any, lane: str) -> tuple[float, str]:
    """Time and words of the one mark in a lane."""
    (mark,) = (mark for mark in told.marks if mark.lane == lane)
    assert mark.words == "no function reads it"
    return mark.at, mark.words


def test_an_ending_without_an_end_says_so(played: Any) -> None:
    """The words of the title, for each way in which an order may stand."""
    told = sketch(played.cloud, played.fine)
    assert summary.ending(replace(told, settled=None, now=30.0, status="PENDING")) == "still PENDING after 30 s"
    assert summary.ending(replace(told, settled=None, end=7200.0, status="PENDING")) == "PENDING, given up after 2 h"
    assert summary.ending(replace(told, settled=0.5, status="CANCELLED")) == "CANCELLED after 0.50 s"
