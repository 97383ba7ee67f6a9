"""Bronson et al., HotOS 2021: a database of 300 queries/s that stays down after an outage has long ended.

Source: N. Bronson, A. Aghayev, A. Charapko, T. Zhu, "Metastable Failures in Distributed Systems", HotOS 2021, the
retry example: 280 queries/s, one retry after a time-out of 1 s, an outage of 10 s; vulnerable above 150 queries/s.
Rates are those of the last 20 s; arrivals are Poisson, so a rate r has a standard error of sqrt(r / 20).
"""

import math

import numpy as np
import pytest

from orderlab.patterns.backoff import full_jitter, none
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.retry import Retry
from orderlab.sim import Strategy, formulas, simulate
from orderlab.sim.published import metastable, once_more

AT_THE_END = 20  # seconds


def rates(load, strategy, *, seconds=100.0, seed=1, **how):
    """(goodput, attempts/s) of the last 20 s."""
    run = simulate(*metastable(load, strategy, **how), seconds=seconds, seed=seed)
    begin = seconds - AT_THE_END
    good = np.count_nonzero(run.ok & (run.ended > begin)) / AT_THE_END
    return good, np.count_nonzero(run.sent > begin) / AT_THE_END


def is_about(rate, expected, each=1):
    """Within 3 standard errors, when every request counts `each` times."""
    return abs(rate - expected) <= 3 * each * math.sqrt(expected / each / AT_THE_END)


def test_without_a_trigger_280_queries_a_second_are_no_problem():
    """The vulnerable state looks healthy: full goodput, hardly a retry."""
    goodput, attempts = rates(280, once_more(), outage=0)
    assert is_about(goodput, 280) and is_about(attempts, 280)


def test_after_ten_seconds_of_outage_it_works_at_full_load_for_nobody():
    """560 queries/s, twice the load, and no goodput at all, 80 s after the outage has ended."""
    goodput, attempts = rates(280, once_more())
    assert goodput == 0
    assert is_about(attempts, 560, each=2)


def test_just_below_half_of_its_capacity_it_recovers():
    """149 queries/s: a backlog shrinks by 300 - 2 * 149 = 2 a second, so it is down after the outage, and comes back.

    A shorter outage than the published one, for the sake of time: it is long enough for every query to time out.
    """
    assert formulas.vulnerable_above(300, 1) == 150
    run = simulate(*metastable(149, once_more(), outage=3), seconds=1000, seed=1)
    good = run.ended[run.ok]
    assert np.count_nonzero((good > 15) & (good < 45)) == 0
    assert is_about(np.count_nonzero(good > 980) / AT_THE_END, 149)


def test_just_above_half_of_its_capacity_it_never_does():
    """152 queries/s: the backlog grows by 4 a second. That chance clears it yet is less likely than one in a million.

    A backlog x that grows by d a second with variance v a second is ever cleared with probability exp(-2 d x / v);
    v is 4 * 152 for arrivals that come in pairs, and 300 for the service.
    """
    run = simulate(*metastable(152, once_more()), seconds=200, seed=1)
    good = run.ended[run.ok]
    assert np.count_nonzero(good > 21) == 0
    backlog = np.count_nonzero(np.isnan(run.begun)) - 152  # less what might wait without harm, a second's worth
    assert math.exp(-2 * 4 * backlog / (4 * 152 + 300)) < 1e-6


def test_backoff_does_not_cure_it():
    """Up to 10 s with full jitter: in an open loop the same load comes, later."""
    goodput, attempts = rates(280, once_more(full_jitter(10, 10)))
    assert goodput == 0
    assert is_about(attempts, 560, each=2)


@pytest.mark.parametrize(("load", "seconds"), [(260, 200), (280, 60)])
def test_a_retry_budget_of_ten_per_cent_cures_what_leaves_room_for_it(load, seconds):
    """260 * 1.1 = 286 is below the capacity of 300 and recovers; 280 * 1.1 = 308 is above, and nobody is served.

    At 260 the backlog of 5 s of outage, 1,130, shrinks by 14 a second: gone 81 s later, with a standard error of 16 s.
    """
    goodput, attempts = rates(load, once_more(budget=0.1), seconds=seconds, outage=5)
    if load * 1.1 < 300:
        assert is_about(goodput, load) and attempts < 1.05 * goodput
    else:
        assert goodput == 0 and is_about(attempts, 1.1 * load, each=1.1)


@pytest.mark.parametrize("discipline", ["lifo", "drop-dead"])
def test_a_service_that_does_no_dead_work_first_recovers_by_itself(discipline):
    """Whoever serves the youngest first, or throws away what nobody waits for, is back at full goodput."""
    goodput, attempts = rates(280, once_more(), discipline=discipline)
    assert is_about(goodput, 280)
    assert attempts < 1.1 * goodput  # under lifo some starve and ask again; twice the load would be 2


def test_without_retries_the_backlog_is_worked_off():
    """280 of 300: 20 a second, so the 2,800 of the outage, less a second's worth, are gone after 126 s."""
    run = simulate(*metastable(280, lambda: Strategy(timeout=1.0)), seconds=240, seed=1)
    good = run.ended[run.ok]
    assert np.count_nonzero((good > 21) & (good < 80)) == 0
    assert is_about(np.count_nonzero(good > 220) / AT_THE_END, 280)


def test_the_articles_circuit_breaker_cures_it():
    """Not in the paper: five time-outs in a row, 30 s without a call, and the backlog of the outage is gone by 41 s.

    One breaker for all the load. It opens a second after the outage begins, so 280 attempts wait for the end of it, and
    its first probe finds a service that has recovered.
    """

    def strategy():
        return Strategy(Retry(2, none(), retry_on=TimeoutError), CircuitBreaker(5, 30.0), timeout=1.0)

    run = simulate(*metastable(280, strategy), seconds=70, seed=1)
    good = run.ended[run.ok]
    assert np.count_nonzero((good > 11) & (good < 40)) == 0
    assert is_about(np.count_nonzero(good > 50) / AT_THE_END, 280)
    sent = run.sent[(run.sent > 12) & (run.sent < 40)]
    assert len(sent) == 0
