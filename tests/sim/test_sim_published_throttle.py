"""Google's client-side throttling (SRE book, chapter 21): k - 1 refusals by the backend for each request it serves."""

import math
import random
from statistics import mean, stdev

import numpy as np
import pytest

from orderlab.sim import OpenLoop, Service, Strategy, simulate, times
from orderlab.sim.results import OK, REFUSED
from orderlab.sim.throttle import Throttle, rejection


def refused_for_each_served(k, seed, *, window=4.0, seconds=20):
    """A client wants 1,000 requests/s of a backend that serves 200; counted once its window has passed twice."""

    def strategy():
        return Strategy(breaker=Throttle(random.Random(seed).random, k=k, window=window))

    backend = Service(1, times.exponential(1 / 200), queue=10)
    run = simulate(OpenLoop(1000, strategy), backend, seconds=seconds, seed=seed)
    late = run.outcome[run.sent > 2 * window]
    return np.count_nonzero(late == REFUSED) / np.count_nonzero(late == OK)


@pytest.mark.parametrize(("k", "ratio"), [(1.1, 0.1), (1.5, 0.5), (2, 1.0), (3, 2.0)])
def test_the_backend_refuses_k_minus_one_requests_for_each_that_it_serves(k, ratio):
    """The book's figures: half of the backend's work are refusals at k = 2, a tenth of what it serves at k = 1.1."""
    ratios = [refused_for_each_served(k, seed) for seed in range(8)]
    error = stdev(ratios) / math.sqrt(len(ratios))
    assert error < 0.02
    assert abs(mean(ratios) - ratio) <= 4.5 * error  # Student with 7 degrees of freedom: as 3 of a normal mean


def test_while_the_backend_accepts_half_nothing_is_refused_here():
    """With k = 2 the client steps in only when fewer than one in two is accepted; none yet is no reason either."""
    assert [rejection(*counts) for counts in ((0, 0), (100, 100), (100, 50))] == [0, 0, 0]
    assert rejection(100, 49) == pytest.approx(2 / 101)
    assert rejection(9, 0) == pytest.approx(0.9)


def test_a_request_that_was_refused_here_still_counts():
    """Otherwise refusing would lower its own probability. No chance above a half passes once 2 of 3 were lost."""
    throttle = Throttle(lambda: 0.5)
    passed = [throttle.allow(1.0) is not None for _ in range(1000)]
    assert (passed[:2], sum(passed)) == ([True, True], 2)  # 1 / 2 is not above 0.5, 2 / 3 is
    assert (throttle.requests, throttle.accepts) == (1000, 0)


def test_it_forgets_after_two_minutes_and_lets_all_pass_again():
    """The window of the book; an hour later nothing is left of the outage."""
    throttle = Throttle(lambda: 0.999)
    for second in range(240):
        throttle.failure(float(second), throttle.allow(float(second)))
        assert throttle.requests <= 120
    assert throttle.requests > 100
    assert throttle.allow(3600.0) is not None
    assert throttle.requests == 1


def test_an_answer_that_the_request_is_wrong_is_an_acceptance():
    """A 400 costs the backend its service like a 200: released, it counts as accepted."""
    throttle = Throttle(lambda: 0.0)
    throttle.release(0.0, throttle.allow(0.0))
    throttle.success(0.0, throttle.allow(0.0))
    throttle.failure(0.0, throttle.allow(0.0))
    assert (throttle.requests, throttle.accepts, throttle.retry_in(0.0)) == (3, 2, 0.0)


@pytest.mark.parametrize("wrong", [{"k": 0.9}, {"k": math.nan}, {"window": 0.0}])
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    """Below one the client would send less than is accepted, for ever less."""
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
        Throttle(random.random, **wrong)
