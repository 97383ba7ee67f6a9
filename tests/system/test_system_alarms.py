"""The template's alarms, on the whole system, in virtual time: each of them fires, and is quiet again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.orders import relay

MUGS, PRICE = {"mug": 5}, {"mug": 1250}
DEAD = {
    "StockDeadAlarm": "StockDeadQueue",
    "PaymentDeadAlarm": "PaymentDeadQueue",
    "SettlementDeadAlarm": "SettlementDeadQueue",
    "RelayDeadAlarm": "RelayDeadQueue",
    "NotifyDeadAlarm": "NotifyDeadQueue",
    "UndeliveredAlarm": "UndeliveredQueue",
}


def test_a_poison_message_alarms_within_two_minutes_and_ends_when_it_is_redriven(shop) -> None:
    """ReserveStock fails on it until it is a dead letter; the alarm rings once, and is OK after the move back."""
    cloud = shop(MUGS, PRICE).cloud
    assert set(cloud.alarms.values()) == {"OK"}
    assert not cloud.trace.select("alarm")
    stock, dead = cloud.outputs["StockQueueUrl"], cloud.outputs["StockDeadQueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=stock, MessageBody=json.dumps({"version": "0", "detail": {}}))
    cloud.run()
    (died,) = cloud.trace.select("dead")
    cloud.advance(120)
    (alarm,) = cloud.trace.select("alarm")
    assert (alarm.actor, alarm.what) == ("StockDeadAlarm", "ALARM")
    assert alarm.at - died.at <= 120
    assert {name for name, state in cloud.alarms.items() if state == "ALARM"} == {"StockDeadAlarm"}
    arn = cloud.stack.resources["StockDeadQueue"].arn
    cloud.client("sqs").start_message_move_task(SourceArn=arn)
    cloud.advance(120)
    assert cloud.queues.counts(dead) == (0, 0, 0)
    assert [row.what for row in cloud.trace.select("alarm", actor="StockDeadAlarm")] == ["ALARM", "OK"]


@pytest.mark.parametrize(("alarm", "queue"), DEAD.items())
def test_every_queue_of_dead_letters_has_an_alarm_that_fires(shop, alarm: str, queue: str) -> None:
    """One message in it, one alarm, its own; deleted, it is quiet again."""
    cloud = shop(MUGS, PRICE).cloud
    cloud.queues.send(cloud.stack.resources[queue].arn, "{}")
    cloud.advance(60)
    assert {name for name, state in cloud.alarms.items() if state == "ALARM"} == {alarm}
    (message,) = cloud.queues.receive(cloud.stack.resources[queue].arn, 1)
    cloud.queues.delete(cloud.stack.resources[queue].arn, message.handle)
    cloud.advance(60)
    assert set(cloud.alarms.values()) == {"OK"}


def test_a_big_order_that_waits_a_day_for_a_person_alarms(shop) -> None:
    """Not after 24 hours less a minute, but within two minutes more than 24 hours."""
    cloud = shop(MUGS, {"mug": 50_000}).cloud
    cloud.advance(30)
    it = cloud.queues.send(cloud.stack.resources["ReviewQueue"].arn, json.dumps({"detail": {}}))
    cloud.advance(86_400 - 60)
    assert cloud.alarms["ReviewAgeAlarm"] == "OK"
    cloud.advance(3_600)
    (alarm,) = cloud.trace.select("alarm")
    assert (alarm.actor, alarm.what) == ("ReviewAgeAlarm", "ALARM")
    assert 86_400 < alarm.at - it.sent_at <= 86_400 + 120
    assert f"[{alarm.at - it.sent_at} (" in alarm.detail["reason"]


def test_a_breaker_that_opens_alarms_and_is_quiet_when_the_provider_is_back(shop) -> None:
    """ChargePayment writes one line to its log, CloudWatch makes the metric of it, and a person hears."""
    it = shop({"mug": 9}, PRICE)
    cloud = it.cloud
    it.knob(downUntil=cloud.now + 300)
    ids = [it.order(f"k{n}", {"mug": 1}).json()["orderId"] for n in range(6)]
    cloud.advance(120)
    assert cloud.alarms["BreakerAlarm"] == "ALARM"
    table = cloud.outputs["BreakerTableName"]
    opened = cloud.metrics.series("OrderLab", "BreakerOpened", {"breaker": f"{table}/provider"}, 60.0, "Sum")
    assert sum(value for _, value in opened) >= 1
    assert any("BreakerOpened" in row.what for row in cloud.trace.select("log", actor="ChargePayment"))
    cloud.run()
    cloud.advance(600)
    assert cloud.alarms["BreakerAlarm"] == "OK"
    assert it.statuses(ids) == {"CONFIRMED"}


def test_a_stream_that_stands_still_alarms_and_is_quiet_when_its_events_are_out(shop) -> None:
    """Relay fails: orders are accepted and nothing happens. A person hears after five minutes, until it is mended."""
    it = shop({"mug": 9}, PRICE)
    cloud = it.cloud

    def broken(event: Any, context: Any) -> None:
        raise RuntimeError("a bad deploy")

    cloud.replace("Relay", broken)
    order_id = it.order("k1", {"mug": 1}).json()["orderId"]
    cloud.advance(290)
    assert cloud.alarms["RelayLateAlarm"] == "OK"
    cloud.advance(130)
    assert {name for name, state in cloud.alarms.items() if state == "ALARM"} == {"RelayLateAlarm"}
    cloud.replace("Relay", relay.handler)
    cloud.run()
    cloud.advance(300)
    assert cloud.alarms["RelayLateAlarm"] == "OK" and it.statuses([order_id]) == {"CONFIRMED"}
    it.order("k2", {"mug": 1})
    cloud.run()
    mine = {"FunctionName": cloud.stack.resources["Relay"].physical_id}
    ages = [age for _, age in cloud.metrics.series("AWS/Lambda", "IteratorAge", mine, 60.0, "Maximum")]
    assert 300_000 < max(ages) < 480_000 and ages[-1] < 1000


def test_an_order_shows_in_the_metrics_of_every_service(shop) -> None:
    """API, bus, queue and functions, by the dimensions that AWS gives them."""
    it = shop(MUGS, PRICE)
    it.order("k1", {"mug": 1})
    it.order("k2", {"nothing of the kind": -1})
    it.cloud.run()
    it.cloud.advance(60)

    def total(namespace: str, name: str, **dimensions: str) -> float:
        found = it.cloud.metrics.series(namespace, name, dimensions, statistic="Sum")
        return sum(value for _, value in found)

    resources = it.cloud.stack.resources
    api = resources["Api"].properties["Name"]
    assert total("AWS/ApiGateway", "Count", ApiName=api) == 2
    assert total("AWS/ApiGateway", "4XXError", ApiName=api) == 1
    assert total("AWS/Lambda", "Invocations", FunctionName=resources["PlaceOrder"].physical_id) == 1
    assert total("AWS/SQS", "NumberOfMessagesSent", QueueName=resources["StockQueue"].physical_id.split("/")[-1]) == 1
    bus = it.cloud.outputs["BusName"]
    rules = {row.actor for row in it.cloud.trace.select("match")}
    matched = sum(total("AWS/Events", "MatchedEvents", EventBusName=bus, RuleName=rule) for rule in rules)
    assert matched == len(it.cloud.trace.select("match")) > 0


@pytest.fixture
def orchestrated() -> Iterator[Any]:
    """The system with the saga as a state machine. It closes the other one: its test is the last of this file."""
    with Cloud(parameters={"Saga": "orchestration"}) as cloud:
        yield cloud


def test_a_failed_execution_calls_a_person(orchestrated) -> None:
    """As Step Functions reports it: one failure, and none of what succeeded; OK again when the failure is past."""
    start = orchestrated.now
    assert list(orchestrated.alarms.values()) == ["OK"] * 10
    for what in ("started", "succeeded", "started", "failed"):
        orchestrated.trace.add("execution", "SagaMachine", what, execution="e")
    orchestrated.advance(60)
    assert orchestrated.alarms["SagaFailedAlarm"] == "ALARM"
    orchestrated.advance(600)
    rows = orchestrated.trace.select("alarm")
    assert [(row.what, row.at - start) for row in rows] == [("ALARM", 60), ("OK", 240)]
    arn = {"StateMachineArn": orchestrated.stack.resources["SagaMachine"].physical_id}
    assert orchestrated.metrics.series("AWS/States", "ExecutionsStarted", arn, statistic="Sum") == [(start, 2)]
