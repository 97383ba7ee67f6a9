"""The closed forms of retries, budgets, layers and breakers, against the numbers that their sources print."""

import math
import random
from statistics import mean, stdev

import pytest

from orderlab.patterns.breaker import CircuitBreaker
from orderlab.sim import formulas


@pytest.mark.parametrize(
    ("failure", "load", "success"),
    [(0.0, 1.0, 1.0), (0.1, 1.11, 1.0), (0.2, 1.24, 0.998), (0.5, 1.88, 0.935), (0.75, 2.72, 0.682), (1.0, 4.0, 0.0)],
)
def test_three_retries_cost_and_bring_what_the_geometric_sum_says(failure, load, success):
    """Brooker 2022, as simulated by the published code: within 0.015 of it (10,000 calls), 0 and 1 exactly."""
    allowed = 0.0 if failure in (0.0, 1.0) else 0.015
    assert formulas.retry_load(failure, 3) == pytest.approx(load, abs=allowed)
    assert formulas.retry_success(failure, 3) == pytest.approx(success, abs=allowed)


def test_a_client_that_never_retries_makes_one_attempt_and_keeps_its_failures():
    """n = 0 of both formulas."""
    assert (formulas.retry_load(0.3, 0), formulas.retry_success(0.3, 0)) == (1.0, 0.7)


def test_a_budget_bounds_the_load_by_its_refill_and_one_full_bucket():
    """Brooker 2022: 1.15 for 5 tokens, a tenth per call and 100 calls; more clients with fewer calls are worse off."""
    assert formulas.budget_load(0.1, 5, 100) == pytest.approx(1.15)
    assert formulas.budget_load(0.1, 5, 5) == pytest.approx(
        2.1
    )  # 1,000 clients: more than three retries cost at f = .5


def test_layers_multiply():
    """SRE book, chapter 22: 64 for three layers of four; three of three are 27, five of three 243."""
    assert [formulas.layered_load(a, n) for a, n in ((4, 3), (3, 3), (3, 5), (1, 9))] == [64, 27, 243, 1]


@pytest.mark.parametrize(
    ("failure", "calls"),
    [(1.0, 5), (0.9, 6.94), (0.75, 12.86), (0.5, 62), (0.3, 586.46), (0.2, 3905), (0.1, 111_110), (0.0, math.inf)],
)
def test_five_failures_in_a_row_are_long_in_coming(failure, calls):
    """Feller's mean recurrence time of a run; at 10 % failures 111,110 calls, without any never."""
    assert formulas.calls_until_open(failure) == pytest.approx(calls, rel=1e-3)


@pytest.mark.parametrize(("failure", "runs"), [(1.0, 3), (0.9, 4000), (0.75, 3000), (0.5, 1500), (0.3, 400)])
def test_the_breaker_that_ships_opens_after_the_calls_that_theory_expects(failure, runs):
    """The real CircuitBreaker, fed random outcomes: its mean is within 3 standard errors, and 12 from k = 4 and 6."""
    rng = random.Random(9).random
    calls = [calls_to_open(CircuitBreaker(), failure, rng) for _ in range(runs)]
    error = stdev(calls) / math.sqrt(runs)
    assert abs(mean(calls) - formulas.calls_until_open(failure)) <= 3 * error
    for wrong in (4, 6):
        assert abs(mean(calls) - formulas.calls_until_open(failure, wrong)) > 12 * error


def calls_to_open(breaker, failure, rng):
    """How many calls a closed breaker lets pass before it opens, when a share `failure` of them fails."""
    calls = 0
    while breaker.state == "closed":
        permit = breaker.allow(0.0)
        (breaker.failure if rng() < failure else breaker.success)(0.0, permit)
        calls += 1
    return calls


@pytest.mark.parametrize(
    ("formula", "arguments", "complaint"),
    [
        (formulas.retry_load, (50, 3), "failure is a share of attempts, 0 to 1, got 50"),
        (formulas.retry_success, (math.nan, 3), "failure is a share"),
        (formulas.calls_until_open, (-0.1,), "failure is a share"),
        (formulas.calls_until_open, (0.5, 0), "threshold is a whole number"),
        (formulas.retry_load, (0.5, -1), r"retries \+ 1 is a whole number, at least 1, got 0"),
        (formulas.layered_load, (2.5, 3), "attempts is a whole number"),
        (formulas.vulnerable_above, (300, -1), r"retries \+ 1 is a whole number"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(formula, arguments, complaint):
    """A percentage for a share, a negative number of retries, half an attempt."""
    with pytest.raises(ValueError, match=complaint):
        formula(*arguments)
