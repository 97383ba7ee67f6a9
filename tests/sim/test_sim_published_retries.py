"""Brooker 2022: what retries cost and bring against a server that fails a share of all attempts.

Sources: M. Brooker, "Fixing retries with token buckets and circuit breakers" and "What is backoff for?", 2022.
REFERENCE is a run of the code published with them, retry_sim in github.com/mbrooker/simulator_example: 10,000 calls for
each figure. (Its list of shares has 0.75 where 0.075 was surely meant; 0.75 is what it runs, so 0.75 is compared.)
Clients share nothing there, so the standard error of a run comes from its clients. The reference has the same one, so
a difference may have 3 * sqrt(2) of it, and half a unit of the last printed digit.
"""

import math

import numpy as np
import pytest

from orderlab.patterns.backoff import exponential, none
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry
from orderlab.sim import Failed, OpenLoop, Serial, Strategy, formulas, simulate
from orderlab.sim.published import RETRIES, RatioBreaker, failing

REFERENCE = {  # share of attempts that fail: (success, load) of each strategy, in the order of RETRIES
    0.01: [(0.989, 1.00), (1.000, 1.01), (1.000, 1.01), (0.999, 1.01)],
    0.05: [(0.953, 1.00), (1.000, 1.05), (1.000, 1.05), (0.988, 1.04)],
    0.10: [(0.899, 1.00), (1.000, 1.11), (0.992, 1.10), (0.918, 1.03)],
    0.20: [(0.804, 1.00), (0.998, 1.24), (0.905, 1.13), (0.802, 1.00)],
    0.50: [(0.500, 1.00), (0.935, 1.88), (0.570, 1.14), (0.498, 1.00)],
    0.75: [(0.253, 1.00), (0.682, 2.72), (0.285, 1.14), (0.251, 1.00)],
}


def outcome(strategy, failure, *, clients=100, rate=1000.0, seconds=10.0, seed=1):
    """((success, its standard error), (attempts per request, its standard error)), all requests ended."""
    load = OpenLoop([(0, rate), (seconds, 0)], strategy, clients)
    run = simulate(load, failing(failure), seconds=seconds + 3, seed=seed)
    assert not np.isnan(run.ended).any()
    return of_clients(run.ok, run.client, clients), of_clients(run.tries, run.client, clients)


def of_clients(values, client, clients):
    """The mean over requests, and the standard error of that ratio of two sums over independent clients."""
    count = np.bincount(client, minlength=clients)
    total = np.bincount(client, values, clients)
    mean = total.sum() / count.sum()
    return mean, math.sqrt(((total - mean * count) ** 2).sum() * clients / (clients - 1)) / count.sum()


def agrees(seen, reference):
    """Are (success, load), each with its error, those of the reference?"""
    pairs = zip(seen, reference, (1e-3, 1e-2), strict=True)
    return all(abs(value - old) <= 3 * math.sqrt(2) * error + digit / 2 for (value, error), old, digit in pairs)


@pytest.mark.parametrize("failure", REFERENCE)
def test_brookers_four_strategies_cost_and_bring_what_his_code_says(failure):
    """No retries, three, a token bucket of 10 %, a breaker at 10 %: success and load of each, to 3 standard errors."""
    for name, reference in zip(RETRIES, REFERENCE[failure], strict=True):
        seen = outcome(RETRIES[name], failure)
        assert agrees(seen, reference), f"{name} at {failure}: {seen}, published {reference}"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Strategy(Retry(3, none(), retry_on=Failed)),
        lambda: Strategy(Retry(4, none(), retry_on=Failed, budget=Budget(5, per_call=0.12))),
        lambda: Strategy(Retry(4, none(), retry_on=Failed, budget=Budget(7, per_call=0.1))),
        lambda: Strategy(Retry(4, none(), retry_on=Failed, budget=RatioBreaker(0.2))),
    ],
    ids=["two retries", "budget of 12 %", "bucket of 7", "breaker at 20 %"],
)
def test_the_comparison_refuses_a_strategy_that_is_a_little_different(wrong):
    """So that agreement means something: none of these passes for any of the four at both 10 % and 50 % failures."""
    seen = {failure: outcome(wrong, failure) for failure in (0.1, 0.5)}
    for column in range(4):
        assert not all(agrees(seen[failure], REFERENCE[failure][column]) for failure in seen)


@pytest.mark.parametrize("failure", [0.1, 0.5, 0.75])
def test_simulated_retries_are_the_geometric_sum_and_the_bucket_keeps_its_bound(failure):
    """Load (1 - f^4) / (1 - f) and success 1 - f^4 to 3 standard errors; a tenth and a full bucket never exceeded."""
    (success, _), (load, load_error) = outcome(RETRIES["three retries"], failure, seed=2)
    expected = formulas.retry_success(failure, 3)
    assert abs(success - expected) <= 3 * math.sqrt(expected * (1 - expected) / 10_000)
    assert abs(load - formulas.retry_load(failure, 3)) <= 3 * load_error
    _, (load, _) = outcome(RETRIES["token bucket"], failure, seed=2)
    assert load <= formulas.budget_load(0.1, 5, 98)  # per client: 10,000 requests or a few less, of 100 clients


@pytest.mark.parametrize(("clients", "seconds", "load"), [(10, 50, 1.11), (100, 50, 1.18), (1000, 59.6, 1.65)])
def test_with_many_small_clients_the_buckets_never_empty(clients, seconds, load):
    """The client-count effect, half of the attempts failing: 1.11, 1.18 and 1.65 attempts per request.

    100 requests/s in all, for 50 s. Each of the published clients sends its first request at once, so that a thousand
    make 5,960 requests and not 5,000: for those 59.6 s are the same load.
    """
    seen = outcome(RETRIES["token bucket"], 0.5, clients=clients, rate=100, seconds=seconds)[1]
    assert abs(seen[0] - load) <= 3 * math.sqrt(2) * seen[1] + 0.005
    assert seen[0] <= formulas.budget_load(0.1, 5, 100 * seconds / clients * 0.95)


@pytest.mark.parametrize(("clients", "success"), [(10, 1.0), (100, 0.998), (1000, 0.990)])
def test_with_many_small_clients_the_breaker_is_no_retries_at_all(clients, success):
    """At 1 % failures: a client's first failure is more than a tenth of its few calls. 99.0 % is what no retries bring.

    The means of four runs of the published code: 0.9998, 0.9976, 0.9901.
    """
    seen = outcome(RETRIES["breaker"], 0.01, clients=clients, rate=100, seconds=50)[0]
    assert abs(seen[0] - success) <= 3 * math.sqrt(2) * seen[1] + 0.0005


def backed_off(budget):
    """Factories without and with the published "large" backoff, 0.1, 0.2 and 0.4 s before the retries."""
    return [
        lambda wait=wait: Strategy(Retry(4, wait, retry_on=Failed, budget=Budget(5, per_call=0.1) if budget else None))
        for wait in (none(), exponential(0.1, 10))
    ]


@pytest.mark.parametrize("budget", [False, True])
@pytest.mark.parametrize("failure", [0.2, 0.5])
def test_backoff_changes_nothing_for_clients_of_an_open_loop(failure, budget):
    """Neither success nor load, to 3 standard errors (which are less than 5 % of each): it only delays the load."""
    without, with_it = (outcome(strategy, failure, seed=4) for strategy in backed_off(budget))
    for (value, error), (other, other_error) in zip(without, with_it, strict=True):
        assert abs(value - other) <= 3 * math.hypot(error, other_error) < 0.05 * value


def test_backoff_takes_load_off_when_clients_do_one_thing_after_the_other():
    """Half of the attempts fail: a call takes 0.1875 s with its waits, so a client makes 5.3 a second and not 10.

    Without the waits it takes 0.0375 s, and nothing is taken off. Departs from the published clients, which drop the
    work that comes while they are busy: here it waits, so they are busy all the time.
    """
    for strategy, call in zip(backed_off(False), (0.0375, 0.1875), strict=True):
        run = simulate(Serial(1000, strategy, clients=100), failing(0.5), seconds=20, seed=5)
        began = np.bincount(run.client[~np.isnan(run.began)], minlength=100) / 20
        expected = min(10, 1 / call)
        assert abs(began.mean() - expected) <= 3 * began.std(ddof=1) / math.sqrt(100) < 0.05 * expected
