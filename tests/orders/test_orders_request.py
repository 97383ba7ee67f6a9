"""What a client may ask for: judged, named and priced without AWS."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.orders import order
from orderlab.orders.order import Invalid, Item, Line, Request


def body(**changes: Any) -> str:
    """A good request, changed."""
    return json.dumps({"customerId": "C-17850", "items": [{"sku": "85123A", "quantity": 6}], **changes})


@pytest.mark.parametrize("sku", ["85123A", "POST", "C2", "gift_0001_40", "M", "m", "BANK CHARGES", "DCGS0003"])
def test_the_codes_of_a_real_shop_are_skus(sku: str) -> None:
    """Letters, digits, inner spaces, dots, underscores and hyphens."""
    assert order.parse(body(items=[{"sku": sku, "quantity": 4300}])).lines == (Line(sku, 4300),)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 5000, "not JSON"),
        ("[]", "the body must be a JSON object"),
        ("{}", "lacks customerId, items"),
        (body(note="gift"), "fields that nobody knows"),
        (body(customerId=""), "customerId"),
        (body(customerId="jo@example.com"), "customerId"),
        (body(customerId="C-1\n2"), "customerId"),
        (body(customerId=17850), "customerId"),
        (body(items=[]), "items must be a list"),
        (body(items={}), "items must be a list"),
        (body(items=["85123A"]), "items[0] must be a JSON object"),
        (body(items=[{"sku": "A"}]), "items[0] lacks quantity"),
        (body(items=[{"sku": "A", "quantity": 1, "price": 1}]), "items[0] has fields"),
        (body(items=[{"sku": " A", "quantity": 1}]), "items[0].sku"),
        (body(items=[{"sku": "A\n", "quantity": 1}]), "items[0].sku"),
        (body(items=[{"sku": "A" * 65, "quantity": 1}]), "items[0].sku"),
        (body(items=[{"sku": "é", "quantity": 1}]), "items[0].sku"),
        (body(items=[{"sku": "A", "quantity": 0}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": -1}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": 100_001}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": 1.0}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": "1"}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": True}]), "items[0].quantity"),
        (body(items=[{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 2}]), "merge the quantities: A"),
        (body(items=[{"sku": str(n), "quantity": 1} for n in range(100)]), "at most 99 different items"),
    ],
)
def test_a_bad_request_is_refused_by_name(text: str, names: str) -> None:
    """One clear error that says what is wrong and where."""
    with pytest.raises(Invalid) as refused:
        order.parse(text)
    assert names in str(refused.value)
    assert "jo@example.com" not in str(refused.value)


def test_99_different_items_are_an_order() -> None:
    """With the reservation they are the 100 actions of a transaction."""
    assert len(order.parse(body(items=[{"sku": str(n), "quantity": 1} for n in range(99)])).lines) == 99


@pytest.mark.parametrize("key", [None, "", "k" * 65, "ké", "a\tb", 7])
def test_a_key_is_1_to_64_printable_characters(key: object) -> None:
    """What is no Idempotency-Key is refused, and what is one is kept as it is."""
    with pytest.raises(Invalid, match="Idempotency-Key"):
        order.check_key(key)
    assert order.check_key("536365") == "536365"


def test_customer_and_key_name_the_order() -> None:
    """The contract of the id, so that a client could compute it; two customers may use the same key."""
    assert order.order_id("C-17850", "536365") == "ORD-8bbc0c9a0902b5288c13"
    assert order.order_id("C-1", "23") != order.order_id("C-12", "3")


def test_the_payload_hash_is_of_the_content() -> None:
    """Spaces and the order of fields do not matter; any change of content does."""
    request = order.parse(body())
    spaced = '{ "items": [ {"quantity": 6, "sku": "85123A"} ],\n "customerId": "C-17850" }'
    assert order.payload_hash(order.parse(spaced)) == order.payload_hash(request)
    changed = [
        order.parse(body(customerId="C-2")),
        order.parse(body(items=[{"sku": "85123A", "quantity": 7}])),
        order.parse(body(items=[{"sku": "85123B", "quantity": 6}])),
    ]
    assert len({order.payload_hash(other) for other in [request, *changed]}) == 4


def test_prices_come_from_the_shop_and_unknown_articles_are_all_named() -> None:
    """The client has no say in prices; a price of zero is one."""
    request = Request("C-1", (Line("85123A", 6), Line("POST", 1)))
    items = order.priced(request, {"85123A": 255, "POST": 0, "71053": 339})
    assert items == (Item("85123A", 6, 255), Item("POST", 1, 0))
    assert order.total(items) == 1530
    with pytest.raises(Invalid, match=r"not in the catalogue: 85123A, POST$"):
        order.priced(request, {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.one_of(
        st.text(max_size=40),
        json_values.map(json.dumps),
        st.fixed_dictionaries({"customerId": json_values, "items": json_values}).map(json.dumps),
        st.lists(st.fixed_dictionaries({"sku": json_values, "quantity": json_values}), min_size=1, max_size=3).map(
            lambda items: body(items=items)
        ),
    )
)
def test_whatever_comes_is_a_request_or_invalid(text: str) -> None:
    """No other exception, and what passes has whole positive quantities."""
    try:
        request = order.parse(text)
    except Invalid:
        return
    assert all(type(line.quantity) is int and line.quantity > 0 for line in request.lines)
