"""The order system as a whole, on the local cloud: what it promises when things go wrong."""

import json

import boto3
import pytest

from orderlab.cloud import Faults
from orderlab.ops import republish

MUGS = {"mug": 50}
PRICE = {"mug": 700}


def settle_event(order_id: str, kind: str, source: str, **detail: object) -> str:
    """An outcome as EventBridge puts it on the settlement queue."""
    facts = {"version": "1", "orderId": order_id, "at": "2026-01-05T09:00:00+00:00", **detail}
    return json.dumps({"version": "0", "id": "1", "detail-type": kind, "source": source, "detail": facts})


def outcomes(order_id: str) -> list[str]:
    return [
        settle_event(order_id, "StockReserved", "orders.stock"),
        settle_event(order_id, "PaymentCaptured", "orders.payment", amount=700),
    ]


def test_an_order_is_accepted_at_once_and_confirmed_soon(shop) -> None:
    """202 and PENDING with a Location; then CONFIRMED, its customer told, its receipt kept."""
    it = shop(MUGS, PRICE)
    answer = it.order("k1", {"mug": 2})
    order_id = answer.json()["orderId"]
    assert (answer.status, answer.json()["status"], answer.json()["total"]) == (202, "PENDING", 1400)
    assert answer.headers["Location"] == f"/orders/{order_id}"
    it.cloud.run()
    seen = it.cloud.request("GET", f"/orders/{order_id}", headers={"x-api-key": it.cloud.api_key})
    assert (seen.status, seen.json()["status"]) == (200, "CONFIRMED")
    verdict = it.audit(order_id)
    assert not verdict.findings
    assert it.cloud.now - it.cloud.trace.start < 5


def test_both_outcomes_in_one_batch_settle_once(shop) -> None:
    """One batch of two, then the same outcomes again on the ordinary way: one decision, one event."""
    it = shop(MUGS, PRICE)
    order_id = it.order("k1", {"mug": 1}).json()["orderId"]
    for body in outcomes(order_id):
        it.cloud.queues.send("orderlab-settlement", body)
    it.cloud.run()
    received = it.cloud.trace.select("receive", actor="orderlab-settlement")
    assert received[0].what.startswith("2 messages")
    assert it.part(order_id)["status"] == "CONFIRMED"
    assert len([row for row in it.cloud.trace.select("event") if row.what == "OrderConfirmed"]) == 1
    assert not it.audit(order_id).findings


@pytest.mark.parametrize("seed", range(12))
def test_two_settlement_environments_at_once_decide_once(shop, seed: int) -> None:
    """Each has one of the outcomes, and whoever comes second sees both."""
    it = shop(MUGS, PRICE, seed=seed)
    order_id = it.order("k1", {"mug": 1}).json()["orderId"]
    answers: list = []
    for n, body in enumerate(outcomes(order_id)):
        record = {"messageId": f"m{n}", "body": body, "eventSource": "aws:sqs", "attributes": {}}
        it.cloud.functions.start("SettleOrder", {"Records": [record]}, answers.append, source="test")
    it.cloud.scheduler.wait(lambda: len(answers) == 2)
    assert [answer.error for answer in answers] == [None, None]
    assert it.part(order_id)["status"] == "CONFIRMED"
    it.cloud.run()
    assert len([row for row in it.cloud.trace.select("event") if row.what == "OrderConfirmed"]) == 1
    assert not it.audit(order_id).findings


def test_every_message_three_times_changes_nothing(shop, monkeypatch) -> None:
    """At-least-once delivery, at its worst: for an order that goes well and for two that are undone."""
    it = shop({"mug": 3}, PRICE)
    send = it.cloud.queues.send
    monkeypatch.setattr(it.cloud.queues, "send", lambda *a, **k: [send(*a, **k) for _ in range(3)].pop())
    it.knob(declineRate=0.5)
    ids = [it.order(f"k{n}", {"mug": quantity}).json()["orderId"] for n, quantity in enumerate((1, 1, 1, 9, 1))]
    it.cloud.run()
    verdict = it.audit(*ids)
    assert not verdict.findings
    assert {end.state for end in verdict.ends.values()} == {"confirmed", "cancelled"}
    assert it.calls("Notify", "dynamodb.PutItem") >= len(ids)


def test_a_lost_answer_of_the_provider_is_asked_again_and_charged_once(shop) -> None:
    """Unknown is not declined: two answers are lost, three calls are made, one capture stands."""
    lost = Faults().at_rate("lost-response", 1.0, where="ChargePayment lambda.Invoke", limit=2)
    it = shop(MUGS, PRICE, faults=lost)
    order_id = it.order("k1", {"mug": 1}).json()["orderId"]
    it.cloud.run()
    assert it.calls("ChargePayment", "lambda.Invoke") == 3
    assert len(it.cloud.trace.select("invoke", actor="PaymentProvider")) == 3
    assert it.part(order_id)["status"] == "CONFIRMED"
    assert not it.audit(order_id).findings


def test_the_same_key_gives_the_same_answer_and_with_another_body_is_refused(shop) -> None:
    """202 with the same order, 422 for a different one; and one order in the books."""
    it = shop(MUGS, PRICE)
    first, again = it.order("k1", {"mug": 1}), it.order("k1", {"mug": 1})
    other = it.order("k1", {"mug": 2})
    assert (again.status, again.json()) == (first.status, first.json())
    assert other.status == 422
    assert "Idempotency-Key" in other.json()["message"]
    somebody = it.order("k1", {"mug": 2}, customer="C-2")
    assert somebody.status == 202  # a key is bound to its customer
    it.cloud.run()
    assert not it.audit(first.json()["orderId"], somebody.json()["orderId"]).findings


def test_a_cancellation_that_overtakes_its_order_leaves_a_tombstone(shop) -> None:
    """OrderPlaced reaches stock ten minutes late; the payment was declined long before."""
    it = shop(MUGS, PRICE, faults=Faults().at_rate("delay", 1.0, where="orderlab-stock", seconds=600, limit=1))
    it.knob(declineRate=1.0)
    order_id = it.order("k1", {"mug": 5}).json()["orderId"]
    it.cloud.run()
    assert it.part(order_id, "STOCK")["status"] == "TOMBSTONE"
    assert it.part(order_id)["status"] == "CANCELLED"
    assert not it.audit(order_id).findings


@pytest.mark.parametrize("seed", range(8))
def test_a_cancellation_in_the_middle_of_a_charge_gives_the_money_back(shop, seed: int) -> None:
    """Sold out is known at once, and the provider takes its time: charge and cancel race, and no penny is kept."""
    it = shop({"mug": 1}, PRICE, seed=seed)
    it.knob(latency=0.9)
    order_id = it.order("k1", {"mug": 5}).json()["orderId"]
    it.cloud.run()
    assert it.part(order_id)["status"] == "CANCELLED"
    assert it.part(order_id, "PAYMENT")["status"] in ("REFUNDED", "VOIDED", "DECLINED", "TOMBSTONE")
    assert not it.audit(order_id).findings


def test_99_different_articles_fit_into_an_order_and_100_do_not(shop) -> None:
    """One transaction takes 100 items: 99 lines of stock and the reservation."""
    skus = [f"article-{n:03}" for n in range(100)]
    it = shop(dict.fromkeys(skus, 5), dict.fromkeys(skus, 100))
    full = it.order("k99", dict.fromkeys(skus[:99], 1))
    refused = it.order("k100", dict.fromkeys(skus, 1))
    assert (full.status, refused.status) == (202, 400)
    it.cloud.run()
    assert it.part(full.json()["orderId"])["status"] == "CONFIRMED"
    assert not it.audit(full.json()["orderId"]).findings


def test_an_outage_of_fifteen_minutes_is_ridden_out(shop) -> None:
    """Ten receives, three minutes apart: nothing reaches a dead-letter queue."""
    it = shop(MUGS, PRICE)
    it.knob(downUntil=it.cloud.now + 15 * 60)
    ids = [it.order(f"k{n}", {"mug": 1}).json()["orderId"] for n in range(20)]
    it.cloud.run(until=it.cloud.now + 14 * 60)
    assert it.statuses(ids) == {"PENDING"}
    it.cloud.run()
    assert it.bodies("PaymentDeadQueue") == []
    assert it.statuses(ids) == {"CONFIRMED"}
    assert not it.audit(*ids).findings


def test_an_outage_of_forty_minutes_is_brought_home_by_a_redrive(shop) -> None:
    """The orders wait in the dead-letter queue; late is not lost."""
    it = shop(MUGS, PRICE)
    it.knob(downUntil=it.cloud.now + 40 * 60)
    ids = [it.order(f"k{n}", {"mug": 1}).json()["orderId"] for n in range(10)]
    it.cloud.run()
    assert {end.state for end in it.audit(*ids).ends.values()} == {"dead"}
    assert len(it.bodies("PaymentDeadQueue")) == 10
    assert not it.audit(*ids).findings
    it.cloud.advance(3600)
    dead = it.cloud.stack.resources["PaymentDeadQueue"].arn
    boto3.client("sqs").start_message_move_task(SourceArn=dead)
    it.cloud.run()
    assert it.statuses(ids) == {"CONFIRMED"}
    assert not it.audit(*ids).findings


def test_an_open_breaker_spares_the_provider(shop) -> None:
    """While it is open the messages fail without an attempt: far fewer calls than messages received."""
    it = shop(MUGS, PRICE)
    it.knob(downUntil=it.cloud.now + 10 * 60)
    for n in range(30):
        it.order(f"k{n}", {"mug": 1})
    it.cloud.run()
    received = sum(len(row.detail["ids"]) for row in it.cloud.trace.select("receive", actor="orderlab-payment"))
    assert it.calls("ChargePayment", "lambda.Invoke") < received


def test_a_bus_that_refuses_for_25_hours_loses_no_order(shop) -> None:
    """The stream keeps an event for 24 hours, then S3 does; republish brings it home."""
    it = shop(MUGS, PRICE, faults=Faults().at_rate("throttle", 1.0, where="eventbridge.PutEvents"))
    ids = [it.order(f"k{n}", {"mug": 1}).json()["orderId"] for n in range(3)]
    it.cloud.run(until=it.cloud.now + 25 * 3600)
    verdict = it.audit(*ids)
    assert {(end.state, end.why) for end in verdict.ends.values()} == {("dead", "FailedRecordsBucket")}
    assert not verdict.findings
    it.cloud.faults.stop()
    republish.republish(it.cloud.client, it.cloud.outputs)
    it.cloud.run()
    assert it.statuses(ids) == {"CONFIRMED"}


def test_one_poison_row_among_a_hundred_stops_nobody(shop) -> None:
    """A row with an event that is none lies in the relay's dead-letter queue; the other hundred go through."""
    it = shop({"mug": 200}, PRICE)
    ids = []
    for n in range(100):
        ids.append(it.order(f"k{n}", {"mug": 1}).json()["orderId"])
        if n == 50:
            row = {"orderId": {"S": "ORD-" + "0" * 20}, "part": {"S": "STOCK"}, "event": {"S": "not an event"}}
            it.cloud.client("dynamodb").put_item(TableName=it.cloud.outputs["OrdersTableName"], Item=row)
    it.cloud.run()
    assert len(it.bodies("RelayDeadQueue")) == 1
    assert it.statuses(ids) == {"CONFIRMED"}


def test_an_event_without_items_ends_in_both_dead_letter_queues_and_harms_nobody(shop) -> None:
    """A poison message costs five receives of stock's and ten of payment's, and no order."""
    it = shop(MUGS, PRICE)
    good = it.order("k1", {"mug": 1}).json()["orderId"]
    poison = "ORD-" + "f" * 20
    detail = json.dumps({"version": "1", "orderId": poison, "at": "2026-01-05T09:00:00+00:00", "customerId": "C-9"})
    entry = {"EventBusName": it.cloud.outputs["BusName"], "Source": "orders.api", "DetailType": "OrderPlaced"}
    boto3.client("events").put_events(Entries=[{**entry, "Detail": detail}])
    it.cloud.run()
    assert len(it.bodies("StockDeadQueue")) == len(it.bodies("PaymentDeadQueue")) == 1
    assert not it.audit(good, poison=(poison,)).findings


@pytest.mark.parametrize("faults", ["duplicate", "reorder", "delay", "throttle", "error", "conflict", "cold-start"])
def test_queues_that_misbehave_at_a_rate_change_no_result(shop, faults: str) -> None:
    """A third of all deliveries doubled, out of order or late, or of writes in conflict; a tenth of calls refused."""
    plan = Faults(3).at_rate(faults, 0.1 if faults in ("throttle", "error") else 0.33, seconds=30)
    it = shop({"mug": 12}, PRICE, faults=plan, seed=3)
    it.knob(declineRate=0.3)
    placed = [it.order(f"k{n}", {"mug": 1}) for n in range(20)]
    ids = [answer.json()["orderId"] for answer in placed if answer.status == 202]
    it.cloud.run()
    verdict = it.audit(*ids)
    assert len(ids) >= 10
    assert not verdict.findings
    assert plan.struck or it.cloud.faults.struck


def test_the_same_seed_gives_the_same_history_and_another_one_does_not(shop) -> None:
    """Row for row."""

    def history(seed: int) -> str:
        it = shop(MUGS, PRICE, seed=seed)
        for n in range(3):
            it.order(f"k{n}", {"mug": 1})
        it.cloud.run()
        return it.cloud.trace.text()

    assert history(1) == history(1) != history(2)


def test_a_replay_of_the_archive_settles_nothing_a_second_time(shop) -> None:
    """Every event of the day comes again, and every consumer has seen it: the books stay as they were."""
    it = shop({"mug": 5}, PRICE)
    begin = it.cloud.now
    answers = [it.order(f"k{n}", {"mug": 2}) for n in range(4)]
    it.cloud.run()
    ids = [answer.json()["orderId"] for answer in answers]
    before = it.statuses(ids)
    events, archive = boto3.client("events"), it.cloud.stack.resources["Archive"]
    kept = events.describe_archive(ArchiveName=archive.physical_id)
    assert kept["EventCount"] == len(it.cloud.trace.select("event")) > 4
    events.start_replay(
        ReplayName="again", EventSourceArn=kept["ArchiveArn"], EventStartTime=begin, EventEndTime=it.cloud.now + 1,
        Destination={"Arn": kept["EventSourceArn"]},
    )  # fmt: skip
    it.cloud.run()
    assert len(it.cloud.trace.select("replayed")) == kept["EventCount"]
    assert events.describe_replay(ReplayName="again")["State"] == "COMPLETED"
    assert not it.audit(*ids).findings
    assert it.statuses(ids) == before == {"CONFIRMED", "CANCELLED"}


@pytest.mark.parametrize("sku", ["mug", "it's", 'a"b', "b\\c"])
def test_a_product_is_read_from_the_catalogue_without_a_function(whole, sku: str) -> None:
    """The gateway asks DynamoDB itself; its templates make the key, the product, or 404."""
    whole.reset()
    headers = {"x-api-key": whole.api_key}
    row = {"sku": {"S": sku}, "name": {"S": 'A "mug"'}, "price": {"N": "12.50"}}
    table = whole.stack.resources["CatalogueTable"].physical_id
    assert whole.request("GET", f"/products/{sku}", headers=headers).status == 404
    boto3.client("dynamodb").put_item(TableName=table, Item=row)
    found = whole.request("GET", f"/products/{sku}", headers=headers)
    assert (found.status, found.json()) == (200, {"sku": sku, "name": 'A "mug"', "price": 12.5})
    assert whole.request("GET", f"/products/{sku}", headers={**headers, "content-type": "text/plain"}).status == 415
    assert [row.actor for row in whole.trace.select("call")] == ["gateway", "gateway"]
