"""The token bucket: what it holds, what it lets pass, what botocore's numbers come to."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry


def test_an_outage_costs_botocores_quota_exactly_35_retries_and_then_none():
    """500 tokens, 14 for a transient error (botocore 1.44.5): 35; 5 for throttling: 100."""
    for cost, retries in ((14, 35), (5, 100)):
        budget = Budget(500, per_success=1, cost=cost)
        assert sum(budget.take(0.0) for _ in range(1000)) == retries


def test_each_way_of_refilling_refills_and_never_above_the_capacity():
    """Per call, per success, per second; a full bucket stays full."""
    budget = Budget(2, per_call=0.5, per_success=1, per_second=0.25)
    assert budget.take(10.0) and budget.take(10.0) and not budget.take(10.0)
    budget.call(10.0)
    assert budget.tokens == 0.5
    budget.call(12.0)
    assert budget.tokens == 1.5
    budget.success(12.0)
    assert budget.tokens == 2.0
    budget.success(1e9)
    assert budget.tokens == 2.0


def test_a_retry_that_worked_is_refunded_where_that_is_wanted():
    """Its own cost in place of per_success, by `call` and by `decisions` alike; a first attempt earns per_success."""
    for refund, left in ((True, 86), (False, 73)):
        called, decided = (Budget(100, per_success=1, cost=14, refund=refund) for _ in range(2))
        outcomes: list[Exception | None] = [OSError(), OSError(), None]

        def work(outcomes=outcomes):
            error = outcomes.pop(0)
            if error is not None:
                raise error

        policy = Retry(4, retry_on=OSError, budget=called)
        policy.call(work, clock=lambda: 0.0, sleep=lambda wait: None, rng=lambda: 0.0)
        waits = Retry(4, retry_on=OSError, budget=decided).decisions(0.0, lambda: 0.0)
        next(waits)
        for error in (OSError(), OSError(), None):
            waits.send((0.0, error))
        assert called.tokens == decided.tokens == left
        called.success(0.0)
        assert called.tokens == left + 1


def test_a_refused_retry_costs_nothing():
    """The bucket is left as it is."""
    budget = Budget(1.5)
    assert budget.take(0.0)
    assert not budget.take(0.0)
    assert budget.tokens == 0.5


def test_a_clock_that_goes_backwards_neither_refills_nor_stops_the_refill():
    """After the jump, time counts from there."""
    budget = Budget(10, per_second=1)
    for _ in range(10):
        assert budget.take(100.0)
    assert not budget.take(50.0)
    assert not budget.take(50.5)
    assert budget.take(51.0)


@given(st.lists(st.tuples(st.sampled_from(["call", "success", "take"]), st.floats(0, 3)), min_size=20, max_size=60))
def test_it_agrees_with_a_model_that_adds_it_all_up(steps):
    """Tokens = what was there + what came in - what was paid, between 0 and the capacity, at every step."""
    budget, tokens, now = Budget(3, per_call=0.1, per_success=0.5, per_second=0.2), 3.0, 0.0
    budget.call(now)
    for kind, passed in steps:
        now += passed
        refill = {"call": 0.1, "success": 0.5, "take": 0.0}[kind]
        tokens = min(3.0, tokens + refill + passed * 0.2)
        answer = getattr(budget, kind)(now)
        if kind == "take" and math.isclose(tokens, 1.0):
            tokens = budget.tokens  # a rounding error either way decides: both are right
        elif kind == "take":
            assert answer == (tokens > 1)
            tokens -= answer
        assert budget.tokens == pytest.approx(tokens)


@given(st.integers(1, 50), st.floats(0, 0.5), st.lists(st.booleans(), min_size=20, max_size=200))
def test_the_load_is_bounded_whatever_fails(capacity, share, outcomes):
    """Retries <= capacity + share x calls: that is what a budget is for."""
    budget, calls, retries = Budget(capacity, per_call=share), 0, 0
    for fails in outcomes:
        calls += 1
        budget.call(0.0)
        while fails and budget.take(0.0):
            retries += 1
    assert retries <= capacity + share * calls + 1e-9


@pytest.mark.parametrize(
    "settings",
    [
        {"capacity": 0},
        {"capacity": -1},
        {"capacity": math.nan},
        {"capacity": math.inf},
        {"capacity": 1, "cost": 2},
        {"capacity": 1, "cost": 0},
        {"capacity": 1, "cost": math.nan},
        {"capacity": 1, "per_call": -0.1},
        {"capacity": 1, "per_success": math.nan},
        {"capacity": 1, "per_second": math.inf},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    """A capacity that could never pay for one retry, a cost of nothing, a refill that takes away."""
    with pytest.raises(ValueError, match=r"cost=|at least 0"):
        Budget(**settings)
