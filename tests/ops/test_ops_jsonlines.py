"""JSON lines become order requests as they stand."""

import json

import pytest

from orderlab.ops.days.day import opening_stock
from orderlab.ops.days.jsonlines import made_up_price, read_json_lines

GOOD = {"customerId": "C-1", "items": [{"sku": "A", "quantity": 2}]}


def read(*lines):
    return read_json_lines("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines), "day.jsonl")


def test_a_line_is_a_request_with_its_number_as_the_key():
    """What a client would send is what is sent."""
    day = read(GOOD, GOOD)
    assert [request.key for request in day.requests] == ["line-1", "line-2"]
    assert [request.body for request in day.requests] == [GOOD, GOOD]


def test_key_time_and_prices_stand_beside_the_request_and_are_not_sent():
    """The API would refuse a field that it does not know."""
    item = {"sku": "A", "quantity": 2, "price": 250}
    day = read(
        {**GOOD, "items": [item], "idempotencyKey": "k", "at": "2026-01-05T10:00:00"},
        {**GOOD, "at": "2026-01-05T09:30"},
    )
    assert [(request.key, request.arrives) for request in day.requests] == [("line-2", 34200.0), ("k", 36000.0)]
    assert day.requests[1].body == GOOD and day.catalogue["A"].price == 250


def test_a_code_without_a_price_has_the_same_one_on_every_run():
    """It depends on nothing but the code."""
    assert read(GOOD).catalogue["A"].price == made_up_price("A") == read(GOOD, GOOD).catalogue["A"].price
    assert 50 <= made_up_price("A") < 1000 and made_up_price("A") != made_up_price("B")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ('{"customerId": ', "not JSON"),
        ("oops", "not JSON"),
        ("[1]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ('{"customerId": NaN}', "NaN is not JSON"),
        ('{"customerId": "\\ud800"}', "half of a surrogate pair"),
        ("[" * 100_000, ""),
        ('{"idempotencyKey": 5}', "idempotencyKey is not a text"),
        ('{"at": "noon"}', "\"at\" 'noon' is no ISO 8601 time"),
        ('{"at": 5}', "\"at\" '5' is no ISO 8601 time"),
    ],
)
def test_a_broken_line_is_named_and_skipped(bad, why):
    """The lines around it are read."""
    day = read(GOOD, bad, "", GOOD)
    assert [skipped.line for skipped in day.skipped] == [2] and day.skipped[0].why.startswith(why)
    assert [request.line for request in day.requests] == [1, 4]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "no customer"),
        ({**GOOD, "customerId": 5}, "no customer"),
        ({"customerId": "C"}, "no items"),
        ({**GOOD, "items": []}, "no items"),
        ({**GOOD, "items": {"sku": "A"}}, "no items"),
        ({**GOOD, "items": ["A"]}, "not an order request"),
        ({**GOOD, "items": [{"sku": 5, "quantity": 1}]}, "not an order request"),
        ({**GOOD, "items": [{"sku": "A", "quantity": "2"}]}, "not an order request"),
        ({**GOOD, "items": [{"sku": "A", "quantity": True}]}, "not an order request"),
        ({**GOOD, "items": [{"sku": "A", "quantity": 2.0}]}, "not an order request"),
        ({**GOOD, "coupon": "X"}, "not an order request"),
        ({**GOOD, "items": [{"sku": "A", "quantity": 0}]}, "quantity not positive"),
        ({**GOOD, "items": [{"sku": "A", "quantity": 100_001}]}, "quantity over 100000"),
        ({**GOOD, "items": [{"sku": "A", "quantity": 1}, {"sku": "A", "quantity": 1}]}, "a code twice"),
        ({**GOOD, "items": [{"sku": f"S{n}", "quantity": 1} for n in range(100)]}, "more than 99 different codes"),
        ({**GOOD, "customerId": "x" * 65}, "customer, code or key of other characters, or too long"),
        ({**GOOD, "idempotencyKey": "é"}, "customer, code or key of other characters, or too long"),
    ],
)
def test_a_request_that_the_api_must_refuse_has_its_reason_and_is_sent_all_the_same(body, reason):
    """It takes nothing from the opening stock."""
    day = read(body, GOOD)
    assert day.requests[0].flaw is not None and day.requests[0].flaw.reason == reason
    assert day.requests[0].body == {key: value for key, value in body.items() if key != "idempotencyKey"}
    assert opening_stock(day.usable) == {"A": 2}


def test_a_request_that_is_sent_twice_with_one_key_is_one_order():
    """So the shop opens with the goods for one."""
    twice = {**GOOD, "idempotencyKey": "k"}
    assert opening_stock(read(twice, twice, {**twice, "customerId": "C-2"}).usable) == {"A": 4}
