"""PlaceOrder and GetOrder: accepted once, answered as often as it is asked."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from orderlab.orders import get, order, place

BODY = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 3}]}


def post(tools: SimpleNamespace, body: Any = BODY, key: str | None = "1", **more: Any) -> dict[str, Any]:
    """POST /orders."""
    return tools.answered(place.handler(tools.request(body, key, **more), tools.Context()))


def test_an_order_is_accepted_with_its_location_and_its_event_in_its_row(shop: Any, tools: SimpleNamespace) -> None:
    """202, one row, and in it the one event that says so."""
    shop.goods(A=5, B=5)
    answer = post(tools, {"customerId": "C-1", "items": [{"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 1}]})
    order_id = order.order_id("C-1", "1")
    assert (answer["statusCode"], answer["headers"]["Location"]) == (202, f"/orders/{order_id}")
    assert answer["body"] == {"orderId": order_id, "status": "PENDING", "total": 400}
    (row,) = shop.all("orders")
    items = [{"sku": "A", "quantity": 3, "price": 100}, {"sku": "B", "quantity": 1, "price": 100}]
    assert {name: row[name] for name in ("part", "status", "items", "total", "placedAt")} == {
        "part": "ORDER",
        "status": "PENDING",
        "items": items,
        "total": 400,
        "placedAt": "2026-01-05T09:00:00.000+00:00",
    }
    assert (row["event"]["id"], row["event"]["source"]) == (f"{order_id}.OrderPlaced", "orders.api")
    assert json.loads(row["event"]["detail"]) == {
        "version": "1",
        "orderId": order_id,
        "at": "2026-01-05T09:00:00.000+00:00",
        "customerId": "C-1",
        "items": items,
        "total": 400,
    }


def test_the_same_key_and_body_get_the_same_answer(shop: Any, tools: SimpleNamespace) -> None:
    """Also after the price has changed, and however the body is spaced; nothing is written again."""
    shop.goods(A=5)
    first = place.handler(tools.request(BODY), tools.Context())
    rows = shop.all("orders")
    shop.add("catalogue", {"sku": "A", "price": 999, "name": "A"})
    shop.now += 60
    assert place.handler(tools.request(json.dumps(BODY, indent=2)), tools.Context()) == first
    assert shop.all("orders") == rows


def test_a_repeat_is_answered_though_the_shop_no_longer_has_the_article(shop: Any, tools: SimpleNamespace) -> None:
    """The order was accepted; another body under its key is still a mistake, and a new order is refused."""
    shop.goods(A=5)
    first = post(tools)
    shop.clients.dynamodb().delete_item(TableName="catalogue", Key={"sku": {"S": "A"}})
    assert post(tools) == first
    assert post(tools, {**BODY, "items": [{"sku": "A", "quantity": 4}]})["statusCode"] == 422
    assert post(tools, key="2")["statusCode"] == 400


def test_the_same_key_with_another_body_is_422(shop: Any, tools: SimpleNamespace) -> None:
    """And the first order stays as it is."""
    shop.goods(A=5)
    post(tools)
    rows = shop.all("orders")
    answer = post(tools, {**BODY, "items": [{"sku": "A", "quantity": 4}]})
    assert answer["statusCode"] == 422 and "another body" in answer["body"]["message"]
    assert shop.all("orders") == rows


def test_of_two_requests_at_once_one_is_written(shop: Any, tools: SimpleNamespace) -> None:
    """Both get the answer of the one; with two bodies, the other gets 422."""
    shop.goods(A=5)
    answers: list[dict[str, Any]] = []
    shop.before("PutItem", lambda: answers.append(post(tools)))
    answers.append(post(tools))
    assert answers[0] == answers[1] and answers[0]["statusCode"] == 202
    shop.before("PutItem", lambda: answers.append(post(tools, key="2")))
    other = post(tools, {**BODY, "items": [{"sku": "A", "quantity": 9}]}, key="2")
    assert (answers[2]["statusCode"], other["statusCode"]) == (202, 422)
    assert len(shop.all("orders")) == 2


def test_unknown_articles_are_named(shop: Any, tools: SimpleNamespace) -> None:
    """400, and nothing is written."""
    shop.goods(A=5)
    answer = post(tools, {**BODY, "items": [{"sku": sku, "quantity": 1} for sku in ("A", "nope", "85123A")]})
    assert (answer["statusCode"], answer["body"]["message"]) == (400, "not in the catalogue: nope, 85123A")
    assert shop.all("orders") == []


@pytest.mark.parametrize(("count", "status"), [(99, 202), (100, 400)])
def test_an_order_has_at_most_99_different_items(count: int, status: int, shop: Any, tools: SimpleNamespace) -> None:
    """Validated here again: the gateway's model does not see every body."""
    shop.goods(**{f"s{n}": 1 for n in range(count)})
    items = [{"sku": f"s{n}", "quantity": 1} for n in range(count)]
    assert post(tools, {"customerId": "C-1", "items": items})["statusCode"] == status


@pytest.mark.parametrize("key", [None, "", "x" * 65])
def test_without_a_key_there_is_no_order(key: str | None, shop: Any, tools: SimpleNamespace) -> None:
    """The header may come in any case, or not at all."""
    shop.goods(A=5)
    assert post(tools, key=key)["statusCode"] == 400
    assert tools.answered(place.handler({"headers": None, "body": json.dumps(BODY)}, {}))["statusCode"] == 400
    event = {"headers": {"IDEMPOTENCY-KEY": "1"}, "body": json.dumps(BODY)}
    assert tools.answered(place.handler(event, {}))["statusCode"] == 202


def test_a_body_may_come_as_base64(shop: Any, tools: SimpleNamespace) -> None:
    """API Gateway encodes binary media types; what is no text is refused."""
    shop.goods(A=5)
    encoded = base64.b64encode(json.dumps(BODY).encode()).decode()
    assert post(tools, encoded, isBase64Encoded=True)["statusCode"] == 202
    for broken in ("%%%", base64.b64encode(b"\xff\xfe").decode()):
        assert post(tools, broken, isBase64Encoded=True)["statusCode"] == 400
    assert post(tools, "", key="2")["statusCode"] == 400


def test_rows_that_dynamodb_left_out_are_asked_for_again(
    shop: Any, tools: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UnprocessedKeys is no error to boto3, and not "unknown article" to us."""
    shop.goods(A=5, B=5)
    real, seen = shop.clients.dynamodb().batch_get_item, []

    def forgetful(RequestItems: dict[str, Any]) -> dict[str, Any]:
        keys = RequestItems["catalogue"]["Keys"]
        seen.append(len(keys))
        wanted = {**RequestItems["catalogue"], "Keys": keys[:1]}
        rest = {"catalogue": {**RequestItems["catalogue"], "Keys": keys[1:]}} if keys[1:] else {}
        return {**real(RequestItems={"catalogue": wanted}), "UnprocessedKeys": rest}

    monkeypatch.setattr(shop.clients.dynamodb(), "batch_get_item", forgetful)
    items = [{"sku": sku, "quantity": 1} for sku in ("A", "B")]
    assert post(tools, {"customerId": "C-1", "items": items})["statusCode"] == 202
    assert seen == [2, 1] and len(shop.slept) == 1


def test_no_log_line_names_the_customer(shop: Any, tools: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    """Structured lines with the order's id, the function and the request, and no personal data."""
    shop.goods(A=5)
    context = tools.Context()
    place.handler(tools.request({**BODY, "customerId": "C-secret"}), context)
    place.handler(tools.request({**BODY, "customerId": "jo secret"}), context)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["level"] for line in lines] == ["INFO", "WARNING"]
    assert lines[0]["orderId"] == order.order_id("C-secret", "1")
    assert {line["requestId"] for line in lines} == {context.aws_request_id}
    assert "secret" not in json.dumps(lines)


def test_an_order_takes_two_calls(shop: Any, tools: SimpleNamespace) -> None:
    """Prices of all items in one read, then one write."""
    shop.goods(A=5, B=5)
    calls = shop.calls()
    post(tools, {"customerId": "C-1", "items": [{"sku": sku, "quantity": 1} for sku in ("A", "B")]})
    assert calls == ["BatchGetItem", "PutItem"]


def see(tools: SimpleNamespace, order_id: str) -> dict[str, Any]:
    """GET /orders/{orderId}."""
    return tools.answered(get.handler({"pathParameters": {"orderId": order_id}}, tools.Context()))


def test_an_order_can_be_seen_but_not_its_customer(shop: Any, tools: SimpleNamespace) -> None:
    """By one consistent read; the reason appears with the decision."""
    shop.goods(A=5)
    order_id = post(tools)["body"]["orderId"]
    shop.add("orders", {**shop.row(order_id, "ORDER"), "reason": "out of stock: A"})
    shown = see(tools, order_id)
    assert shown["statusCode"] == 200
    assert shown["body"] == {
        "orderId": order_id,
        "status": "PENDING",
        "total": 300,
        "items": [{"sku": "A", "quantity": 3, "price": 100}],
        "placedAt": "2026-01-05T09:00:00.000+00:00",
    }
    shop.add("orders", {**shop.row(order_id, "ORDER"), "status": "CANCELLED"})
    assert see(tools, order_id)["body"]["reason"] == "out of stock: A"


def test_an_order_that_is_not_there_is_404(shop: Any, tools: SimpleNamespace) -> None:
    """Also when the id cannot be one: then without a read."""
    calls = shop.calls()
    for order_id in ("ORD-" + "0" * 20, "nonsense", ""):
        assert see(tools, order_id)["statusCode"] == 404
    assert tools.answered(get.handler({"pathParameters": None}, tools.Context()))["statusCode"] == 404
    assert calls == ["GetItem"]
