"""The waits: their windows, their means, and what must be refused."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns import backoff

WITH_WINDOW = [backoff.exponential, backoff.equal_jitter, backoff.full_jitter, backoff.additive_jitter]
ALL = [backoff.none, *WITH_WINDOW, backoff.decorrelated_jitter]
LOW = 0.0
HIGH = math.nextafter(1.0, 0.0)  # the largest number that an rng draws


@pytest.mark.parametrize(
    ("make", "least", "most"),
    [
        (backoff.none, [0, 0, 0, 0], [0, 0, 0, 0]),
        (backoff.exponential, [1, 2, 4, 5], [1, 2, 4, 5]),
        (backoff.equal_jitter, [0.5, 1, 2, 2.5], [1, 2, 4, 5]),
        (backoff.full_jitter, [0, 0, 0, 0], [1, 2, 4, 5]),
        (backoff.additive_jitter, [1, 2, 4, 5], [2, 4, 5, 5]),
    ],
)
def test_each_strategy_waits_between_its_published_bounds(make, least, most):
    """The first four waits of base 1 s and cap 5 s, with the lowest and the highest draw."""
    delay = make(1.0, 5.0)
    assert [delay(n, 0.0, lambda: LOW) for n in (1, 2, 3, 4)] == pytest.approx(least)
    assert [delay(n, 0.0, lambda: HIGH) for n in (1, 2, 3, 4)] == pytest.approx(most)


def test_decorrelated_jitter_grows_from_what_was_drawn():
    """From the base up to three times the previous delay, and never above the cap."""
    delay = backoff.decorrelated_jitter(1.0, 10.0)
    assert delay(1, 0.0, lambda: LOW) == 1.0
    assert delay(1, 0.0, lambda: HIGH) == pytest.approx(3.0)
    assert delay(2, 3.0, lambda: HIGH) == pytest.approx(9.0)
    assert delay(3, 9.0, lambda: HIGH) == 10.0


@pytest.mark.parametrize(("make", "factor"), [(backoff.full_jitter, 0.5), (backoff.equal_jitter, 0.75)])
def test_the_mean_waits_are_those_of_the_closed_form(make, factor):
    """Base 10 ms, cap 2 s: half (full jitter) or three quarters (equal) of 10, 20, 40 … 2000 ms, to 2 %."""
    delay, rng = make(0.010, 2.0), random.Random(7).random
    for attempt in range(1, 10):
        mean = sum(delay(attempt, 0.0, rng) for _ in range(20_000)) / 20_000
        assert mean == pytest.approx(factor * min(2.0, 0.010 * 2 ** (attempt - 1)), rel=0.02)


def test_the_mean_waits_of_decorrelated_jitter_follow_their_recurrence():
    """E[d1] = 2b, E[d(k+1)] = (b + 3 E[d(k)]) / 2, below the cap: 10, 17.5, 28.8, 45.6, 70.9 for base 5."""
    delay, rng = backoff.decorrelated_jitter(5.0, 1e9), random.Random(7).random
    sums = [0.0] * 5
    for _ in range(40_000):
        previous = 0.0
        for k in range(5):
            previous = delay(k + 1, previous, rng)
            sums[k] += previous
    assert [s / 40_000 for s in sums] == pytest.approx([10, 17.5, 28.75, 45.625, 70.9375], rel=0.03)


def test_the_articles_variant_never_waits_less_than_plain_exponential():
    """Its three sleeps of base 0.5 s add up to 3.5-7.0 s: above Lambda's default time-out of 3 s, at best."""
    delay = backoff.additive_jitter(0.5, 60.0)
    assert sum(delay(n, 0.0, lambda: LOW) for n in (1, 2, 3)) == 3.5
    assert sum(delay(n, 0.0, lambda: HIGH) for n in (1, 2, 3)) == pytest.approx(7.0)


@given(
    st.sampled_from(ALL),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10**9),
    st.floats(0, 1e9),
    st.floats(0, 1, exclude_max=True),
)
def test_no_delay_is_negative_or_above_the_cap_however_many_attempts(make, a, b, attempt, previous, draw):
    """2 ** attempt overflows a float at 1024; the delay stays a number between 0 and the cap."""
    base, cap = sorted((a, b))
    assert 0 <= make(base, cap)(attempt, previous, lambda: draw) <= cap


FORMULAS = {  # (base, cap, window, previous, draw) -> seconds, as published
    backoff.none: lambda b, c, w, p, u: 0.0,
    backoff.exponential: lambda b, c, w, p, u: w,
    backoff.equal_jitter: lambda b, c, w, p, u: w / 2 + u * w / 2,
    backoff.full_jitter: lambda b, c, w, p, u: u * w,
    backoff.decorrelated_jitter: lambda b, c, w, p, u: min(c, b + u * (3 * (p or b) - b)),
    backoff.additive_jitter: lambda b, c, w, p, u: min(c, w + u * w),
}


@given(st.sampled_from(ALL), st.floats(1e-3, 10), st.floats(1, 1e4), st.lists(st.floats(0, 1, exclude_max=True)))
def test_each_strategy_agrees_with_its_formula_along_a_whole_trace(make, base, times, draws):
    """Every wait of a call that keeps failing, told the wait before it; and each takes one draw at most."""
    cap, previous = base * times, 0.0
    delay, formula = make(base, cap), FORMULAS[make]
    for attempt, draw in enumerate(draws, 1):
        rng = iter([draw]).__next__
        wait = delay(attempt, previous, rng)
        assert wait == pytest.approx(formula(base, cap, min(cap, base * 2.0 ** (attempt - 1)), previous, draw))
        previous = wait


@pytest.mark.parametrize("make", [*WITH_WINDOW, backoff.decorrelated_jitter])
@pytest.mark.parametrize(
    "base, cap", [(-1, 1), (2, 1), (math.nan, 1), (1, math.nan), (1, math.inf), (math.inf, math.inf)]
)
def test_a_base_or_cap_that_makes_no_sense_is_refused(make, base, cap):
    """One line that names both."""
    with pytest.raises(ValueError, match=r"0 <= base <= cap, got base=.*, cap="):
        make(base, cap)


@pytest.mark.parametrize("make", WITH_WINDOW)
@pytest.mark.parametrize("attempt", [0, -1])
def test_an_attempt_before_the_first_is_refused(make, attempt):
    """Counting from 0 would quietly wait half as long as was meant."""
    with pytest.raises(ValueError, match="attempt counts retries from 1"):
        make(0.1, 1.0)(attempt, 0.0, lambda: 0.5)
