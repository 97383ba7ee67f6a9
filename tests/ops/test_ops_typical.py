"""The made-up day that lessons send: its mix is the real day's, and the order system judges it as the day does."""

import os
from collections import Counter
from pathlib import Path

import pytest

from orderlab.cloud import Cloud
from orderlab.ops.days import day as days
from orderlab.ops.days.play import Trouble, play
from orderlab.ops.days.retail import read_retail
from orderlab.ops.days.typical import LONGEST, typical_day


@pytest.mark.parametrize("seed", [0, 7])
def test_the_mix_is_the_real_days(seed: int) -> None:
    """143 requests: 6 cancellations, 16 without a customer, 17 with a code twice, 2 of over 500 lines."""
    day = typical_day(seed)
    reasons = Counter(request.flaw.reason for request in day.requests if request.flaw)
    assert len(day.requests) == 143
    assert reasons == {days.NOT_POSITIVE: 6, days.NO_CUSTOMER: 16, days.NAMED_TWICE: 17, days.TOO_MANY_CODES: 2}
    assert sum(len(request.body["items"]) > LONGEST for request in day.requests if request.body) == 2


def test_the_real_day_has_that_mix() -> None:
    """The numbers are those of the real file, where it is at hand."""
    file = Path(os.environ.get("ORDERLAB_VECTORS", ".")).parent / "data" / "online_retail_2010-12-01.csv"
    if not file.is_file():
        pytest.skip("the file online_retail_2010-12-01.csv is not here: set ORDERLAB_VECTORS, it lies beside")
    day = read_retail(file.read_text(encoding="utf-8"), file.name)
    reasons = Counter(request.flaw.reason for request in day.requests if request.flaw)
    assert (len(day.requests), reasons[days.CANCELLATION], reasons[days.NO_CUSTOMER]) == (143, 6, 16)


def test_same_seed_same_day() -> None:
    """And another seed, another day."""
    assert typical_day(3) == typical_day(3) != typical_day(4)


def test_the_order_system_refuses_what_the_day_calls_flawed_and_nothing_else() -> None:
    """Each flawed request gets a 4xx, each other one a 202."""
    day = typical_day(1)
    with Cloud(seed=1) as cloud:
        played = play(cloud, day, Trouble(), 1, lambda line: None)
    for number, request in enumerate(day.requests):
        assert played.answers[number][0] == (400 if request.flaw else 202), (request.line, request.flaw)
