"""All handlers together, one after the other, without a cloud: every message of an order, three times, in any order."""

import json
import random
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import notify, relay, rows, sales

ROUTES = {
    "OrderPlaced": ["stock", "payment"],
    "StockReserved": ["settlement"],
    "StockRejected": ["settlement"],
    "PaymentCaptured": ["settlement"],
    "PaymentDeclined": ["settlement"],
    "OrderConfirmed": ["notify"],
    "OrderCancelled": ["stock", "payment", "notify"],
    "StockReleased": [],
    "PaymentRefunded": [],
}


def settle(shop: Any, tools: SimpleNamespace, chance: random.Random, order_ids: list[str]) -> None:
    """Deliver every event that the rows carry to its consumers, three times each, in any order, until all is quiet."""
    seen: set[str] = set()
    waiting: list[tuple[str, str, dict[str, Any]]] = []

    def look(order_id: str) -> None:
        for part in ("ORDER", "STOCK", "PAYMENT"):
            found = shop.row(order_id, part).get("event")
            if found and found["id"] not in seen:
                seen.add(found["id"])
                event = tools.envelope(found["type"], json.loads(found["detail"]))
                waiting.extend((consumer, order_id, event) for consumer in ROUTES[found["type"]] for _ in range(3))

    for order_id in order_ids:
        look(order_id)
    while waiting:
        consumer, order_id, event = waiting.pop(chance.randrange(len(waiting)))
        if consumer == "notify":
            notify.handler(event, tools.Context(5))
        else:
            assert shop.mine(consumer, event) == []
        look(order_id)


@pytest.mark.parametrize("seed", range(2))
def test_every_message_three_times_in_any_order(seed: int, shop: Any, tools: SimpleNamespace) -> None:
    """Orders end confirmed or cancelled; money and units add up; each customer is told once."""
    shop.goods(A=5, B=5)
    shop.knob(declineRate=0.4)
    wanted = [{"A": 2}, {"A": 3, "B": 1}, {"B": 2}, {"A": 2, "B": 2}, {"A": 1}]
    ids = [shop.placed(items, str(n))[0] for n, items in enumerate(wanted)]
    settle(shop, tools, random.Random(seed), ids)
    orders = [shop.row(order_id, "ORDER") for order_id in ids]
    assert {order["status"] for order in orders} <= {"CONFIRMED", "CANCELLED"}
    confirmed = [order for order in orders if order["status"] == "CONFIRMED"]
    ledger = {row["key"]: row for row in shop.all("ledger") if "answer" in row}
    kept = {key: row["amount"] for key, row in ledger.items() if row["answer"] == "captured"}
    assert kept == {order["orderId"]: order["total"] for order in confirmed}
    shipped = {sku: sum(i["quantity"] for o in confirmed for i in o["items"] if i["sku"] == sku) for sku in ("A", "B")}
    assert {sku: 5 - n for sku, n in shipped.items()} == shop.on_hand()
    mails = [row for row in shop.all("notifications") if "text" in row]
    assert sorted(row["orderId"] for row in mails) == sorted(ids)


def test_the_stream_of_a_whole_order_brings_its_four_events_and_one_sale(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relay and ProjectSales on the images that the handlers really write."""
    shop.goods(A=5)
    before: dict[tuple[str, str], dict[str, Any]] = {}
    stream: list[dict[str, Any]] = []

    def watch(**_: Any) -> None:
        for row in shop.all("orders"):
            key = (row["orderId"], row["part"])
            if before.get(key) != row:
                images = {"NewImage": rows.to_item(row)}
                images |= {"OldImage": rows.to_item(before[key])} if key in before else {}
                stream.append({"dynamodb": {"SequenceNumber": str(len(stream) + 1), **images}})
                before[key] = row

    order_id, placed = shop.placed({"A": 2})
    watch()
    shop.mine("stock", placed)
    watch()
    shop.mine("payment", placed)
    watch()
    for part in ("STOCK", "PAYMENT"):
        shop.mine("settlement", shop.event(order_id, part))
        watch()
    sent: list[str] = []

    def put_events(Entries: list[dict[str, Any]]) -> dict[str, Any]:
        sent.extend(entry["DetailType"] for entry in Entries)
        return {"Entries": [{}] * len(Entries)}

    monkeypatch.setattr(shop.clients, "events", lambda: SimpleNamespace(put_events=put_events))
    assert relay.handler({"Records": stream}, tools.Context()) == {"batchItemFailures": []}
    assert sent == ["OrderPlaced", "StockReserved", "PaymentCaptured", "OrderConfirmed"]
    assert sales.handler({"Records": stream}, tools.Context()) == {"batchItemFailures": []}
    assert {row["id"]: row["pence"] for row in shop.all("sales")} == {"total": 200, order_id: 200}
