"""A day that is made up is plausible, and the same for the same seed."""

from statistics import median

from orderlab.ops.days.day import flaw_of
from orderlab.ops.days.plausible import plausible_day


def test_the_same_seed_makes_the_same_day_and_another_one_another():
    """Not one byte differs."""
    assert repr(plausible_day(200, 7)) == repr(plausible_day(200, 7))
    assert repr(plausible_day(200, 7)) != repr(plausible_day(200, 8))


def test_every_request_is_clean_priced_and_in_order_of_arrival():
    """Dirt comes from real files; a day that is made up has none."""
    for seed in range(20):
        day = plausible_day(100, seed)
        assert len(day.usable) == 100 and len({request.key for request in day.requests}) == 100
        assert all(flaw_of(request.body, request.key) is None for request in day.requests)
        assert {item["sku"] for request in day.requests for item in request.body["items"]} <= day.catalogue.keys()
        arrivals = [request.arrives for request in day.requests]
        assert arrivals == sorted(arrivals) and arrivals[0] > 8 * 3600 and arrivals[-1] < 18 * 3600


def test_the_mix_is_that_of_a_real_day():
    """Of the real day: 23 % of orders have one or two lines, the median is 11, 8 % are worth 1,000 pounds or more."""
    day = plausible_day(2000, 1)
    lines = [len(request.body["items"]) for request in day.requests]
    totals = [
        sum(day.catalogue[item["sku"]].price * item["quantity"] for item in r.body["items"]) for r in day.requests
    ]
    assert 8 <= median(lines) <= 12 and max(lines) <= 99
    assert 0.15 < sum(count <= 2 for count in lines) / 2000 < 0.3
    assert 0.04 < sum(total >= 100_000 for total in totals) / 2000 < 0.12
