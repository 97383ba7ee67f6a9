"""Notify: the customer is told once, and not at all of what is no news."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import notify
from orderlab.orders.idempotency_store import IdempotencyStore
from orderlab.orders.order import Invalid
from orderlab.patterns.idempotency import COMPLETED, INPROGRESS, InProgress, Record

ORDER = "ORD-0123456789abcdef0123"


def news(tools: SimpleNamespace, kind: str = "OrderConfirmed", **detail: Any) -> dict[str, Any]:
    """An event for a customer."""
    return tools.envelope(kind, {"orderId": ORDER, **detail})


def mails(shop: Any) -> list[str]:
    """The texts that went out."""
    return sorted(row["text"] for row in shop.all("notifications") if "text" in row)


def test_a_customer_is_told_once_however_often_the_event_comes(shop: Any, tools: SimpleNamespace) -> None:
    """EventBridge twice, republished later: another event id, another request, the same news."""
    first = notify.handler(news(tools), tools.Context(5))
    for _ in range(3):
        shop.now += 3600
        assert notify.handler(news(tools), tools.Context(5)) == first
    assert mails(shop) == ["Your order is confirmed."]


def test_each_order_and_each_news_has_its_own_mail(shop: Any, tools: SimpleNamespace) -> None:
    """And a cancellation says why."""
    notify.handler(news(tools), tools.Context(5))
    notify.handler(news(tools, "OrderCancelled", reason="out of stock: A"), tools.Context(5))
    notify.handler(news(tools, orderId="ORD-" + "1" * 20), tools.Context(5))
    assert mails(shop) == [
        "Your order is confirmed.",
        "Your order is confirmed.",
        "Your order was cancelled: out of stock: A.",
    ]


def test_it_is_remembered_for_a_day(shop: Any, tools: SimpleNamespace) -> None:
    """A record past its expiry counts as gone, though DynamoDB has not deleted it yet."""
    notify.handler(news(tools), tools.Context(5))
    (record,) = [row for row in shop.all("notifications") if "status" in row]
    assert record["id"] == f"{ORDER}.OrderConfirmed"
    assert record["expires"] == shop.now + 86_400 and isinstance(record["expires"], int)
    shop.now += 86_400
    notify.handler(news(tools), tools.Context(5))
    assert len(mails(shop)) == 1
    shop.now += 1
    notify.handler(news(tools), tools.Context(5))
    assert len(mails(shop)) == 2


def test_a_mail_that_could_not_be_sent_is_sent_at_the_next_try(shop: Any, tools: SimpleNamespace) -> None:
    """An error frees the key."""

    def die() -> None:
        raise ConnectionError("no mail today")

    shop.before("PutItem", die, 2)
    with pytest.raises(ConnectionError):
        notify.handler(news(tools), tools.Context(5))
    assert shop.all("notifications") == []
    notify.handler(news(tools), tools.Context(5))
    assert len(mails(shop)) == 1


def test_a_killed_invocation_blocks_the_news_only_as_long_as_it_could_have_lived(
    shop: Any, tools: SimpleNamespace
) -> None:
    """It died after sending: Lambda's retry has the same request id, so the mail is the same one."""

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    context = tools.Context(5)
    shop.before("PutItem", die, 3)
    with pytest.raises(Killed):
        notify.handler(news(tools), context)
    shop.now += 5
    with pytest.raises(InProgress):
        notify.handler(news(tools), context)
    shop.now += 55
    notify.handler(news(tools), context)
    assert len(mails(shop)) == 1


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"detail-type": "OrderConfirmed", "detail": {}},
        {"detail-type": "OrderPlaced", "detail": {"orderId": ORDER}},
        {"detail-type": "OrderCancelled", "detail": {"orderId": ORDER}},
    ],
)
def test_what_is_no_news_is_refused(event: dict[str, Any], shop: Any, tools: SimpleNamespace) -> None:
    """It ends in the destination queue."""
    with pytest.raises(Invalid):
        notify.handler(event, tools.Context(5))
    assert shop.all("notifications") == []


def test_the_store_keeps_a_record_as_it_is(shop: Any) -> None:
    """A record that never expires has no `expires`, and its falsy answers come back."""
    store = IdempotencyStore("ledger", "key")
    record = Record("k", INPROGRESS, None, shop.now + 5, "hash")
    assert store.put_if_free(record, shop.now) is None
    assert store.put_if_free(record, shop.now) == record
    done = Record("k", COMPLETED, None, None, "hash", {"n": 0, "list": [], "x": None, "f": 1.5})
    store.complete(done)
    store.delete("k")
    assert store.put_if_free(record, shop.now + 10**6) == done
    assert "expires" not in shop.all("ledger")[0]


def test_a_lease_that_is_over_frees_the_key(shop: Any) -> None:
    """Strictly after it, as Powertools has it."""
    store = IdempotencyStore("ledger", "key")
    record = Record("k", INPROGRESS, None, shop.now + 5, "hash")
    store.put_if_free(record, shop.now)
    assert store.put_if_free(record, shop.now + 5) == record
    assert store.put_if_free(record, shop.now + 5.1) is None
    store.delete("k")
    store.delete("k")
    assert shop.all("ledger") == []


def test_a_news_takes_three_calls(shop: Any, tools: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """The guard, the mail, the guard; and a line in the log without a word of it."""
    calls = shop.calls()
    notify.handler(news(tools), tools.Context(5))
    assert calls == ["PutItem"] * 3
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["message"], line["orderId"]) == ("mail sent", ORDER)
