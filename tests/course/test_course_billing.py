"""The bill of a trace: what is charged, what is free, and how time is rounded."""

import pytest

from orderlab.cloud import Cloud
from orderlab.course.billing import Bill, bill
from orderlab.course.shop import headers, open_shop, place


def test_requests_invocations_and_time_are_charged() -> None:
    """A million of each at the list prices, as infra/prices.json has them; and so many times as much."""
    million = Bill(1e6, 1e6, 10_000)
    assert (million.gateway, million.functions) == (pytest.approx(3.50), pytest.approx(0.20 + 0.133334))
    assert million.times(3).dollars == pytest.approx(3 * million.dollars) == pytest.approx(11.50, abs=0.001)
    assert repr(million).splitlines()[0].split() == ["API", "Gateway", "1,000,000", "requests", "$", "3.50"]
    assert repr(million).splitlines()[-1].split() == ["sum", "$", "3.83"]


def test_a_refusal_by_the_function_costs_less_than_a_tenth_more() -> None:
    """The request is charged whoever refuses it, so validation in Lambda alone costs more, but not much more."""
    woken, refused = Bill(1e6, 1e6, 1e6 * 0.020 * 0.5), Bill(1e6, 0, 0)
    assert 0 < 1 - refused.dollars / woken.dollars < 0.1


def test_a_trace_is_added_up() -> None:
    """One order through the whole system, one that the model refuses, one request without a key, which is free."""
    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        place(cloud, "one", {"mug": 1})
        place(cloud, "two", {"mug": 0})
        cloud.request("GET", "/products/mug")
        cloud.run()
        found, ends = bill(cloud), cloud.trace.select("end", "error")
    assert (found.requests, found.invocations) == (2, len(ends))
    seconds = sum(row.detail["seconds"] for row in ends)
    assert seconds * 0.5 < found.gb_seconds <= (seconds + 0.001 * len(ends)) * 0.5


def test_a_limit_that_refuses_is_free_and_no_time_is_a_millisecond() -> None:
    """A burst above the plan's; and a refusal by a warm PlaceOrder, which only computes."""
    with Cloud(seed=0) as cloud:
        open_shop(cloud)
        pending = [cloud.request_at(cloud.now, "GET", "/products/mug", headers=headers(cloud)) for _ in range(110)]
        cloud.run()
        answered = [one.response.status for one in pending if one.response]
        assert answered.count(429) == 10 and bill(cloud).requests == 100
        twice = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": 1}, {"sku": "mug", "quantity": 2}]}
        named = headers(cloud) | {"Idempotency-Key": "twice"}
        cloud.request("POST", "/orders", body=twice, headers=named)
        before = bill(cloud).gb_seconds
        cloud.request("POST", "/orders", body=twice, headers=named)
        assert bill(cloud).gb_seconds - before == pytest.approx(0.001 * 0.5)
