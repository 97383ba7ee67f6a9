"""The shop that asks: what fails on the way leaves half an order; the shop that tells loses none to the same outage."""

import itertools
import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud import Cloud
from orderlab.course.broken import chain_of_asks, mailers
from orderlab.course.shop import audited, on_hand, open_shop, place, status
from orderlab.ops.audit.books import books_of
from orderlab.orders import notify

ORDERS = 3


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all; each test begins its world anew and says which shop it wants."""
    with Cloud(seed=0) as made:
        yield made


def orders(cloud: Cloud) -> list[int]:
    """The statuses of some orders of one mug each."""
    return [place(cloud, f"k{n}", {"mug": 1}, f"C-{n}").status for n in range(ORDERS)]


def test_with_all_of_them_up_the_customer_learns_the_end_at_once(cloud: Cloud) -> None:
    """200 and CONFIRMED, and the books are in order: on a good day it is a fine shop."""
    cloud.reset()
    chain_of_asks.build(cloud)
    opening = open_shop(cloud)
    answer = place(cloud, "one", {"mug": 2, "lamp": 1})
    cloud.run()
    assert (answer.status, answer.json()["status"]) == (200, "CONFIRMED")
    assert audited(cloud, opening, [answer.json()["orderId"]]).findings == ()


def test_goods_that_are_sold_out_are_a_409(cloud: Cloud) -> None:
    """A no is an answer, and nothing is charged."""
    cloud.reset()
    chain_of_asks.build(cloud)
    open_shop(cloud)
    assert place(cloud, "one", {"lamp": 13}).status == 409
    assert books_of(cloud).ledger == []


def test_mail_that_is_down_refuses_orders_whose_goods_and_money_are_gone(cloud: Cloud) -> None:
    """Every customer gets a 502; every order is lost, its mug reserved and its money captured."""
    cloud.reset()
    chain_of_asks.build(cloud)
    opening = open_shop(cloud)
    cloud.replace("Notify", mailers.server_down)
    assert orders(cloud) == [502] * ORDERS
    cloud.run()
    assert audited(cloud, opening, []).counts["lost"] == ORDERS
    assert on_hand(cloud)["mug"] == opening["mug"] - ORDERS
    assert [row["answer"] for row in books_of(cloud).ledger] == ["captured"] * ORDERS


def test_the_shipped_shop_confirms_them_and_the_mail_follows(cloud: Cloud) -> None:
    """The same outage, 90 s long: Lambda keeps the event, and tries again."""
    cloud.reset()
    chain_of_asks.take_down(cloud)
    opening = open_shop(cloud)
    cloud.replace("Notify", mailers.server_down)
    ids = [place(cloud, f"k{n}", {"mug": 1}, f"C-{n}").json()["orderId"] for n in range(ORDERS)]
    cloud.advance(90)
    assert {status(cloud, order_id) for order_id in ids} == {"CONFIRMED"}
    cloud.replace("Notify", notify.handler)
    cloud.run()
    assert audited(cloud, opening, ids).findings == ()
    assert len(cloud.trace.select("log", actor="Notify", contains="mail sent")) == ORDERS


def test_a_function_that_fails_after_its_work_does_it_three_times(cloud: Cloud) -> None:
    """At 0, 60 and 180 s; the shipped one remembers what it has sent, even if its event comes twice."""
    cloud.reset()
    cloud.replace("Notify", mailers.mail_first)
    event = {"detail-type": "OrderConfirmed", "detail": {"orderId": "ORD-" + "0" * 20}}
    cloud.functions.enqueue("Notify", event, source="test")
    cloud.run()
    sent = cloud.trace.select("log", actor="Notify", contains="mail sent")
    assert [round(row.at - sent[0].at) for row in sent] == [0, 60, 180]
    assert len(cloud.queues.messages("orderlab-notify-dead")) == 1
    cloud.reset()
    cloud.replace("Notify", notify.handler)
    cloud.faults.at_rate("duplicate", 1.0, where="lambda.async Notify")
    cloud.functions.enqueue("Notify", event, source="test")
    cloud.run()
    assert len(cloud.trace.select("invoke", actor="Notify")) == 2
    assert len(cloud.trace.select("log", actor="Notify", contains="mail sent")) == 1


def test_when_there_is_no_room_who_asks_is_refused_and_who_tells_is_kept_waiting(cloud: Cloud) -> None:
    """One place for five mails of four seconds: a 429 after boto3's own retries, and five mails in the end."""
    cloud.reset()
    cloud.replace("Notify", mailers.slow_mail)
    functions = boto3.client("lambda")
    name = {"FunctionName": cloud.outputs["NotifyName"]}
    event = json.dumps({"detail": {"orderId": "ORD-" + "0" * 20}})
    functions.put_function_concurrency(**name, ReservedConcurrentExecutions=1)
    told = [functions.invoke(**name, InvocationType="Event", Payload=event)["StatusCode"] for _ in range(5)]
    cloud.advance(1)
    with pytest.raises(ClientError, match=r"TooManyRequestsException.*reached max retries"):
        functions.invoke(**name, Payload=event)
    cloud.run()
    functions.delete_function_concurrency(**name)
    sent = cloud.trace.select("log", actor="Notify", contains="mail sent")
    assert told == [202] * 5 and len(sent) == 5
    assert all(later.at - sooner.at >= 4 for sooner, later in itertools.pairwise(sent))
