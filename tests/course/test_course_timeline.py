"""One order's story is told from the trace: complete, in order, and the same for the same seed."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.course.history import journey, trail
from orderlab.course.history.telling import reason, story
from orderlab.course.history.tries import attempts, outcome
from orderlab.course.shop import open_shop, place


def lines(played: Any, order_id: str) -> list[tuple[str, str]]:
    """Who did what, in order."""
    return [(line.who, line.what) for line in story(played.cloud, order_id).lines]


def test_a_fine_order_is_told_from_the_request_to_the_mail(played: Any) -> None:
    """Every hop of the design is a line, in the order in which it happened."""
    told = lines(played, played.fine)
    assert told[:3] == [
        ("client", "sends POST /orders"),
        ("PlaceOrder", "answers 202: the order is in the table"),
        ("Relay", "publishes OrderPlaced"),
    ]
    assert told[-1] == ("Notify", "sends the mail OrderConfirmed")
    assert {
        ("queue stock", "OrderPlaced is put in"),
        ("queue payment", "OrderPlaced is put in"),
        ("ReserveStock", "OrderPlaced → RESERVED"),
        ("PaymentProvider", "charge: captured"),
        ("ChargePayment", "OrderPlaced → CAPTURED"),
        ("ProjectSales", "counts 1700 pence as sold"),
    } < set(told)
    settled = [what for who, what in told if who == "SettleOrder"]
    assert len(settled) == 2 and settled[0].endswith("PENDING") and settled[1].endswith("CONFIRMED")


def test_times_count_from_the_request_and_never_go_back(played: Any) -> None:
    """Seconds since the order was placed."""
    times = [line.at for line in story(played.cloud, played.troubled[0]).lines]
    assert times[0] == 0.0 and times == sorted(times) and 300 < times[-1] < 600


def test_a_story_is_text_in_columns(played: Any) -> None:
    """What a notebook shows and nbval compares."""
    text = repr(story(played.cloud, played.fine)).splitlines()
    assert text[0] == played.fine and text[1].split() == ["seconds", "who", "what"]
    assert text[2] == "    0.00  client            sends POST /orders"
    assert len(text) == len(story(played.cloud, played.fine)) + 2


def test_a_troubled_order_tells_of_each_try_and_of_the_queue_that_brought_it_back(played: Any) -> None:
    """The visibility timeout is the retry: every later try follows a line that says so."""
    told = lines(played, played.troubled[1])
    charging = [what for who, what in told if who == "ChargePayment"]
    assert charging == [
        "try 1: asked 2 times, no answer (breaker closed → open)",
        "try 2: not asked (breaker open)",
        "try 3: OrderPlaced → CAPTURED",
    ]
    assert told.count(("queue payment", "OrderPlaced shows up again after 3 min: not deleted")) == 2
    other = [what for who, what in lines(played, played.troubled[0]) if who == "ChargePayment"]
    assert other == [
        "try 1: asked 3 times, no answer (breaker closed)",
        "try 2: asked once, no answer (breaker open → half-open → open)",
        "try 3: OrderPlaced → CAPTURED (breaker open → half-open → closed)",
    ]


def test_a_declined_order_tells_of_the_undoing(played: Any) -> None:
    """Cancelled, its stock given back, the customer told."""
    told = lines(played, played.declined)
    assert ("SettleOrder", "PaymentDeclined → CANCELLED") in told
    assert ("ReserveStock", "OrderCancelled → RELEASED") in told
    assert told[-1][0] in ("Notify", "Relay", "SettleOrder", "ChargePayment", "ReserveStock")
    assert ("Notify", "sends the mail OrderCancelled") in told


def test_stories_do_not_mix(played: Any) -> None:
    """Five orders share the functions and queues; each message belongs to one story."""
    orders = [played.fine, played.declined, *played.troubled]
    messages = [one.message for order in orders for one in journey.read(played.cloud.trace, order).carried]
    assert len(messages) == len(set(messages))
    sent = [row.what for row in played.cloud.trace.select("send")]
    assert sorted(messages) == sorted(sent)


def test_an_unknown_order_is_refused(played: Any) -> None:
    """A typing error gets a remedy, not an empty story."""
    with pytest.raises(ValueError, match="take the orderId of a 202 answer"):
        story(played.cloud, "ORD-00000000000000000000")


def test_the_same_seed_tells_the_same_story(played: Any) -> None:
    """Byte for byte, in a new cloud."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "fine", {"mug": 2}).json()["orderId"]
        cloud.run()
        again = repr(story(cloud, order_id))
    assert again == repr(story(played.cloud, played.fine))


def test_a_try_that_says_nothing_and_a_message_that_is_given_up_are_told() -> None:
    """A function that is killed logs nothing; the queue gives the message up in the end."""
    from orderlab.cloud import Cloud

    with Cloud(seed=0, overrides={"StockQueue": {"RedrivePolicy": {"maxReceiveCount": 2}}}) as cloud:

        def hang(event: Any, context: Any) -> None:
            import time

            time.sleep(3600)

        open_shop(cloud)
        cloud.replace("ReserveStock", hang)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.run()
        told = [(line.who, line.what) for line in story(cloud, order_id).lines]
    stuck = [what for who, what in told if who in ("ReserveStock", "queue stock")]
    assert stuck == [
        "OrderPlaced is put in",
        "try 1: ran out of time without a word",
        "OrderPlaced shows up again after 60 s: not deleted",
        "try 2: ran out of time without a word",
        "OrderPlaced shows up again after 60 s: not deleted",
        "OrderPlaced is given up: moved to the queue stock-dead",
    ]


def test_an_order_id_in_a_strange_log_line_is_no_part_of_the_story(played: Any) -> None:
    """Plain prints of a learner, and JSON that is no record, are passed over."""
    trace = played.cloud.trace
    before = trail.said(trace, played.fine)
    number = len(trace)
    for text in (f"got {played.fine}", json.dumps([played.fine]), json.dumps({"note": played.fine})):
        trace.add("log", "PlaceOrder", text)
    try:
        assert trail.said(trace, played.fine) == before
    finally:
        del trace.rows[number:]


@pytest.mark.parametrize(
    ("message", "notes", "words"),
    [
        ("Open: the circuit is open; a probe may pass in 3 s", [], "not asked"),
        ("Open: the circuit is open", ["gave up after attempt 2 of 3"], "asked once, no answer"),
        (
            "Unknown: no answer: ReadTimeoutError",
            ["gave up after attempt 3 of 3: attempts"],
            "asked 3 times, no answer",
        ),
        ("UnknownOrder: there is no order X", [], "there is no order X"),
    ],
)
def test_a_reason_is_given_in_the_courses_words(message: str, notes: list[str], words: str) -> None:
    """What a handler logs for an engineer, a learner reads in plain words."""
    assert reason({"message": message, "notes": notes}) == words


def test_the_figure_counts_the_tries_that_the_trace_has(played: Any) -> None:
    """The sentence's numbers, found another way: receives of the payment queue, and log lines of ChargePayment."""
    trace = played.cloud.trace
    since = [row for row in trace if row.at >= played.down[0]]
    receives = sum(len(row.detail["ids"]) for row in since if row.kind == "receive" and row.actor == "orderlab-payment")
    logs = [json.loads(row.what) for row in since if row.kind == "log" and row.actor == "ChargePayment"]
    logs = [log for log in logs if "level" in log]  # the other kind of line is a metric
    done = sum(log["level"] == "INFO" for log in logs)
    idle = sum(log["message"].startswith("Open") and not log["notes"] for log in logs)
    facts = attempts(played.cloud, played.troubled, played.down).facts
    assert facts == (
        f"One history (seed 0) of 4 orders and {receives} tries: {receives - done - idle} got no answer, {idle} found "
        f"the breaker open and did not ask, {done} succeeded. 4 of the orders were confirmed, 6.0 minutes after they "
        "were placed. The provider was down for 5 minutes. The last confirmation came 2.0 minutes after its return."
    )
    assert receives == len(logs)


def test_the_figure_has_a_marker_for_each_try_where_it_began(played: Any) -> None:
    """Marker, colour and lane say what became of a try, and the figure has no more of them than there were."""
    axes = attempts(played.cloud, played.troubled, played.down).figure.axes[0]
    orders = {tick.get_loc(): tick.label1.get_text() for tick in axes.yaxis.get_major_ticks()}
    drawn = sorted(
        (round(line.get_xdata()[0], 6), orders[line.get_ydata()[0]], line.get_marker())  # type: ignore[index]
        for line in axes.lines
        if line.get_marker() in ("o", "X", "D")
    )
    markers = {"done": "o", "failed": "X", "not asked": "D"}
    expected = sorted(
        (round((one.began - played.down[0]) / 60, 6), f"order {number}", markers[outcome(one)])
        for number, order in enumerate(played.troubled, 1)
        for one in journey.read(played.cloud.trace, order).tries
        if one.function == "ChargePayment"
    )
    assert drawn == expected and len(drawn) == 12


def test_the_figure_without_an_outage_counts_from_the_first_try(played: Any) -> None:
    """Also an order that went well can be drawn."""
    plot = attempts(played.cloud, [played.fine])
    assert plot.facts.startswith("One history (seed 0) of 1 order and 1 try: 0 got no answer")
    assert "provider" not in plot.facts


@pytest.mark.parametrize(
    ("order_ids", "words"),
    [([], "run the cloud first"), (["ORD-00000000000000000000"], "take the orderId of a 202 answer")],
)
def test_the_figure_of_no_try_is_refused(played: Any, order_ids: list[str], words: str) -> None:
    """Nothing to draw is said, with what to do."""
    with pytest.raises(ValueError, match=words):
        attempts(played.cloud, order_ids)


def test_the_figure_of_a_function_that_never_had_the_order_is_refused(played: Any) -> None:
    """A name that is wrong, or a function that reads no queue."""
    with pytest.raises(ValueError, match=r"Relay has tried nothing for ORD-\w+: run the cloud first"):
        attempts(played.cloud, [played.fine], function="Relay")


def test_a_try_without_a_word_counts_as_failed(played: Any) -> None:
    """Nothing was heard of it, and the message stayed in the queue."""
    one = journey.read(played.cloud.trace, played.fine).tries[0]
    assert outcome(one) == "done"
    assert outcome(replace(one, record=None)) == "done"  # its message was deleted: it said nothing, and did it
    assert outcome(replace(one, record=None, fate="retry")) == "failed"


def test_a_story_needs_the_trace_alone(played: Any) -> None:
    """The cloud is closed; its trace is enough."""
    trace_only: Any = SimpleNamespace(trace=played.cloud.trace)
    assert len(story(trace_only, played.fine)) > 10
