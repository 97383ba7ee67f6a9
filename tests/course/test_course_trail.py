"""An order's trail is found by what the trace names, not by what stands near: under faults and in batches too."""

import itertools
import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.cloud.faults import Faults
from orderlab.cloud.trace import Trace
from orderlab.course.history import breaker_states, index, journey
from orderlab.course.history.telling import lasting, story
from orderlab.course.shop import open_shop, place
from orderlab.ops.days.play import turn_knob


def orders(cloud: Cloud, number: int, pause: float = 0.0) -> list[str]:
    """So many orders, placed and worked on until the world is at rest."""
    open_shop(cloud)
    found = []
    for n in range(number):
        found.append(place(cloud, f"order-{n}", {"mug": 1}).json()["orderId"])
        cloud.advance(pause)
    cloud.run()
    return found


def told(cloud: Cloud, order_id: str) -> list[tuple[str, str]]:
    """Who did what, in order."""
    return [(line.who, line.what) for line in story(cloud, order_id).lines]


def check_receives(cloud: Cloud, found: list[str]) -> None:
    """Every receive in the trace is a try of one order, with its own number; each log line is used once at most."""
    tries = [one for order_id in found for one in journey.read(cloud.trace, order_id).tries]
    received = Counter(
        (message, number)
        for row in cloud.trace.select("receive")
        for message, number in zip(row.detail["ids"], row.detail["receives"], strict=True)
    )
    assert Counter((one.carried.message, one.number) for one in tries) == received
    told_apart = [id(one.record) for one in tries if one.record is not None]
    assert len(told_apart) == len(set(told_apart))


@pytest.mark.parametrize("seed", [1, 2])
def test_orders_at_the_same_moment_in_one_batch_are_told_apart(seed: int) -> None:
    """Each try has its own order's outcome, although several messages share an invocation."""
    with Cloud(seed=seed, overrides={"ReserveStockMapping": {"MaximumBatchingWindowInSeconds": 1}}) as cloud:
        found = orders(cloud, 5)
        batches = [row.detail["ids"] for row in cloud.trace.select("invoke", actor="ReserveStock")]
        assert max(map(len, batches)) > 1
        check_receives(cloud, found)
        for order_id in found:
            assert ("ReserveStock", "OrderPlaced → RESERVED") in [
                (who, what.partition(" (")[0]) for who, what in told(cloud, order_id)
            ]


def test_what_a_lost_answer_made_relay_publish_twice_belongs_to_the_order() -> None:
    """PutEvents took effect, its answer never came: boto3 sends it again, and both copies arrive."""
    faults = Faults(0).at_rate("lost-response", 1.0, where="Relay eventbridge.PutEvents", limit=1)
    with Cloud(seed=0, faults=faults) as cloud:
        (order_id,) = orders(cloud, 1)
        put = Counter(what for who, what in told(cloud, order_id) if who == "queue stock")
        assert put["OrderPlaced is put in"] == 2
        check_receives(cloud, [order_id])
        assert any(who == "SettleOrder" and what.endswith("→ CONFIRMED") for who, what in told(cloud, order_id))


def test_what_relay_published_before_it_died_belongs_to_the_order_too() -> None:
    """Nobody logged that event: a reader that had it alone names the order."""
    faults = Faults(0).at_rate("crash-after", 1.0, where="Relay eventbridge.PutEvents", limit=1)
    with Cloud(seed=0, faults=faults) as cloud:
        (order_id,) = orders(cloud, 1)
        carried = journey.read(cloud.trace, order_id).carried
        sent = [row.what for row in cloud.trace.select("send")]
        assert sorted(one.message for one in carried) == sorted(sent)
        assert sum(one.type == "OrderPlaced" for one in carried) == 4
        check_receives(cloud, [order_id])


def test_an_entry_that_the_bus_refused_is_no_event_of_the_order() -> None:
    """Relay says that it could not publish yet, tries again, and only what the bus took is drawn."""
    faults = Faults(0).at_rate("put-events", 1.0, where="OrderPlaced", limit=2)
    with Cloud(seed=0, faults=faults) as cloud:
        (order_id,) = orders(cloud, 1)
        relay = [what for who, what in told(cloud, order_id) if who == "Relay"]
        assert [what for what in relay if "not published yet" in what] == relay[:2] and len(relay) == 6
        assert [one.type for one in journey.read(cloud.trace, order_id).carried].count("OrderPlaced") == 2


def test_a_second_publisher_does_not_take_the_orders_events() -> None:
    """A cell that puts events of its own on the bus, at the same time, is no Relay."""
    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.advance(0.2)  # Relay is about to work
        entry = {"EventBusName": cloud.outputs["BusName"], "Source": "orders.api", "DetailType": "OrderPlaced"}
        cloud.client("events").put_events(Entries=[{**entry, "Detail": json.dumps({"orderId": "ORD-x"})}])
        cloud.run()
        carried = journey.read(cloud.trace, order_id).carried
        assert len(carried) == 4 and len(cloud.trace.select("send")) == 6


def test_a_handler_that_logs_nothing_still_has_its_tries() -> None:
    """What was deleted was done, as far as the queue knows."""
    with Cloud(seed=0) as cloud:
        cloud.replace("SettleOrder", lambda event, context: {"batchItemFailures": []})
        (order_id,) = orders(cloud, 1)
        settled = [what for who, what in told(cloud, order_id) if who == "SettleOrder"]
        assert settled == ["done without a word"] * 2


def test_a_throttled_batch_is_not_taken_for_the_next_one() -> None:
    """The receive was in vain: no function had it, and the one that did later is another try."""
    with Cloud(seed=0, overrides={"ReserveStock": {"ReservedConcurrentExecutions": 0}}) as cloud:
        open_shop(cloud)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.advance(70)
        first, second = (one for one in journey.read(cloud.trace, order_id).tries if "stock" in one.carried.queue)
        assert (first.function, first.error, first.fate) == ("", "throttled", "retry")
        assert second.number == 2
        assert ("queue stock", "try 1: OrderPlaced is throttled") in told(cloud, order_id)


def test_a_message_that_a_learner_takes_and_hides_is_told() -> None:
    """By a client of one's own: no function had it; ChangeMessageVisibility decides when it shows up."""
    with Cloud(seed=0, overrides={"ReserveStockMapping": {"Enabled": False}}) as cloud:
        (order_id,) = orders(cloud, 1)
        queues, url = cloud.client("sqs"), cloud.outputs["StockQueueUrl"]
        (message,) = queues.receive_message(QueueUrl=url)["Messages"]
        queues.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=20)
        assert told(cloud, order_id)[-2:] == [
            ("queue stock", "try 1: OrderPlaced is taken by no function of ours"),
            ("queue stock", "OrderPlaced will show up again: it is hidden until then"),
        ]
        (one,) = (one for one in journey.read(cloud.trace, order_id).tries if "stock" in one.carried.queue)
        assert one.length == pytest.approx(20.0)
        cloud.run()
        assert told(cloud, order_id)[-1] == ("queue stock", "OrderPlaced shows up again after 20 s: not deleted")
        (message,) = queues.receive_message(QueueUrl=url)["Messages"]
        queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert journey.read(cloud.trace, order_id).tries[-1].fate == "delete"


def test_two_messages_of_one_order_in_one_batch_have_their_own_ends() -> None:
    """One is done and one failed: the log line that names a message is that message's."""

    def half(event: Any, context: Any) -> Any:
        failed = []
        for record in event["Records"]:
            body = json.loads(record["body"])
            line = {"requestId": context.aws_request_id, "orderId": body["detail"]["orderId"], "level": "INFO"}
            if body["detail-type"] == "StockReserved":
                failed.append({"itemIdentifier": record["messageId"]})
                line |= {"level": "ERROR", "message": "Half: not now", "messageId": record["messageId"]}
            else:
                line |= {"message": body["detail-type"], "status": "GOOD"}
            print(json.dumps(line))
        return {"batchItemFailures": failed}

    with Cloud(seed=0, overrides={"SettleOrderMapping": {"MaximumBatchingWindowInSeconds": 5}}) as cloud:
        open_shop(cloud)
        cloud.replace("SettleOrder", half)
        order_id = place(cloud, "k", {"mug": 1}).json()["orderId"]
        cloud.advance(20)
        (batch,) = (row.detail["ids"] for row in cloud.trace.select("invoke", actor="SettleOrder"))
        assert len(batch) == 2
        settled = {what for who, what in told(cloud, order_id) if who == "SettleOrder"}
        assert settled == {"try 1: not now", "PaymentCaptured → GOOD"}


def test_each_order_of_a_batch_met_the_breaker_in_its_own_state() -> None:
    """Three orders in one invocation: the second trips the breaker, the third only finds it open."""
    with Cloud(seed=0, overrides={"ChargePaymentMapping": {"MaximumBatchingWindowInSeconds": 5}}) as cloud:
        open_shop(cloud)
        turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + 60)
        found = [place(cloud, f"order-{n}", {"mug": 1}).json()["orderId"] for n in range(3)]
        cloud.advance(20)
        (batch,) = (row.detail["ids"] for row in cloud.trace.select("invoke", actor="ChargePayment"))
        tries = [one for each in found for one in journey.read(cloud.trace, each).tries if one.breaker]
    assert len(batch) == 3
    assert [one.breaker for one in sorted(tries, key=lambda one: one.ended or 0)] == [
        ("closed",),
        ("closed", "open"),
        ("open",),
    ]


def test_a_message_that_waited_long_for_its_first_receive_is_told() -> None:
    """A queue hands it out only seven seconds later."""
    with Cloud(seed=0, faults=Faults(0).at_rate("delay", 1.0, where="stock", seconds=7.0)) as cloud:
        (order_id,) = orders(cloud, 1)
        assert ("ReserveStock", "OrderPlaced → RESERVED (waited 7 s)") in told(cloud, order_id)


def test_what_a_publisher_could_not_publish_is_not_taken_for_what_it_did() -> None:
    """In one call the bus refuses one order's event and takes the other's; only the second is on the bus."""
    trace = Trace(lambda: 0.0)
    kind, facts = "OrderPlaced", {"requestId": "12345678-more"}

    def log(level: str, order: str) -> None:
        trace.add("log", "Relay", json.dumps({**facts, "level": level, "event": f"{order}.{kind}"}))

    for _ in range(2):  # the answer to the first call was lost
        trace.add("call", "Relay", "eventbridge.PutEvents", request="12345678")
        trace.add("refused", "orders", kind, code="ThrottlingException", request="12345678")
        trace.add("event", "orders", kind, event="e2", source="orders.api", request="12345678")
    log("WARNING", "ORD-1")
    log("INFO", "ORD-1")
    log("INFO", "ORD-2")
    assert [(row.n, event) for row, event, _ in index.read(trace).published] == [
        (2, "ORD-2.OrderPlaced"),
        (5, "ORD-2.OrderPlaced"),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_under_many_faults_every_message_belongs_to_one_order_at_most(seed: int) -> None:
    """Duplicates, crashes, throttles, lost answers: stories never fail and never mix."""
    faults = Faults(seed).at_rate("duplicate", 0.2).at_rate("crash-after", 0.05).at_rate("throttle", 0.05)
    faults = faults.at_rate("lost-response", 0.05).at_rate("put-events", 0.2)
    with Cloud(seed=seed, faults=faults) as cloud:
        open_shop(cloud)
        turn_knob(cloud.client, cloud.outputs, errorRate=0.3)
        answers = [place(cloud, f"order-{n}", {"mug": 1}) for n in range(4)]
        cloud.run()
        found = [answer.json()["orderId"] for answer in answers if answer.status == 202]
        carried = [one.message for order_id in found for one in journey.read(cloud.trace, order_id).carried]
        assert len(carried) == len(set(carried)) > 0
        for order_id in found:
            times = [line.at for line in story(cloud, order_id).lines]
            assert times[0] == 0.0 and times == sorted(times)


def test_a_write_that_failed_changes_no_state() -> None:
    """Two environments trip the breaker at once: the second's condition fails, as does a write that was throttled."""
    faults = Faults(0).at_rate("throttle", 1.0, where="ChargePayment dynamodb.PutItem orderlab-breaker", limit=1)
    with Cloud(seed=0, faults=faults) as cloud:
        open_shop(cloud)
        turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + 600)
        for n in range(4):
            place(cloud, f"order-{n}", {"mug": 1})
        cloud.run()
        wrote = [row for row in cloud.trace.select("call") if "state" in row.detail]
        failed = [row.detail["error"] for row in wrote if "error" in row.detail]
        assert "ConditionalCheckFailedException" in failed and "ThrottlingException" in failed
        kept = breaker_states.read(cloud.trace).rows
        assert len(kept) == len(wrote) - len(failed)
        record = row_of(cloud)
        assert record["state"] == kept[-1].detail["state"] == "closed"
        versions = int(record["version"])
        assert len(kept) == versions


def row_of(cloud: Cloud) -> dict[str, str]:
    """The breaker's row as the table has it: its state, and how often it was written."""
    key = {"name": {"S": "provider"}}
    item = cloud.client("dynamodb").get_item(TableName=cloud.outputs["BreakerTableName"], Key=key)["Item"]
    return {"state": item["record"]["M"]["state"]["S"], "version": item["version"]["N"]}


def test_the_states_of_the_breaker_fill_the_time_without_gaps(played: Any) -> None:
    """Closed before the first write, then what was written, joined where nothing changed."""
    writes = breaker_states.read(played.cloud.trace)
    begin, end = played.cloud.trace.start, played.cloud.now
    spans = writes.spans(begin, end)
    assert spans[0].state == "closed" and spans[0].began == begin and spans[-1].ended == end
    for one, other in itertools.pairwise(spans):
        assert one.ended == other.began and one.state != other.state
    assert breaker_states.Writes(()).spans(0.0, 9.0) == [breaker_states.Span("closed", 0.0, 9.0)]
    assert writes.before(0) == "closed" and breaker_states.Writes(()).during(writes.rows) == ()


def test_a_run_without_an_end_is_still_running(played: Any, earlier: Any) -> None:
    """The trace of a moment in the middle of an invocation."""
    began = next(row for row in played.cloud.trace.select("invoke") if row.actor == "ReserveStock")
    then = earlier(played.cloud, began.at + 0.001)
    assert index.read(then.trace).runs[began.detail["request"]].ended is None
    one = journey.read(then.trace, played.fine).tries[0]
    assert one.ended is None and not one.failed and not one.hides
    assert replace(one, ended=one.began, error="Runtime.ExitError").hides


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0.00 s"), (0.345, "0.34 s"), (1.0, "1 s"), (12.34, "12.3 s"), (99.9, "99.9 s"), (180.0, "3 min"),
     (360.3, "6 min"), (5400.0, "90 min"), (7200.0, "2 h"), (9000.0, "2.5 h")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_a_room_understands(seconds: float, words: str) -> None:
    """Nobody reads 5,400 seconds."""
    assert lasting(seconds) == words
