"""SRE book, chapter 22: layers that retry each multiply the load on the last; a budget in each keeps it near one."""

import pytest

from orderlab.patterns.backoff import none
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry
from orderlab.sim import Call, Failed, OpenLoop, Service, Strategy, formulas, simulate, times


def chain(layers, strategy, failure):
    """`layers` services one above the other, all but the last calling the next with `strategy`; the last one fails."""
    service = Service(float("inf"), times.constant(0.001), failure=failure)
    for _ in range(layers - 1):
        service = Service(float("inf"), times.constant(0.001), calls=Call(service, strategy))
    return service


def attempts(run):
    """How many attempts each layer saw, from the top to the bottom."""
    seen = []
    while run is not None:
        seen.append(len(run.sent))
        run = run.below
    return seen


@pytest.mark.parametrize(("tries", "layers"), [(3, 3), (4, 3), (2, 5)])
def test_layers_that_retry_multiply_the_load_on_the_last(tries, layers):
    """27 calls at the bottom for one at the top with three layers of three attempts, 64 with three of four: exactly."""

    def strategy():
        return Strategy(Retry(tries, none(), retry_on=Failed))

    run = simulate(OpenLoop([(0, 50), (4, 0)], strategy), chain(layers, strategy, 1.0), seconds=10, seed=3)
    requests = len(run.began)
    assert requests > 100 and not run.ok.any()
    seen = attempts(run)
    assert [count / requests for count in seen] == [formulas.layered_load(tries, n) for n in range(1, layers + 1)]


def test_only_one_layer_that_retries_adds_instead_of_multiplying():
    """The book's rule, retry at one layer only: 3 at the bottom, not 27."""
    run = simulate(
        OpenLoop([(0, 50), (4, 0)], lambda: Strategy(Retry(3, none(), retry_on=Failed))),
        chain(3, Strategy, 1.0),
        seconds=10,
        seed=3,
    )
    assert attempts(run) == [3 * len(run.began)] * 3


def test_a_budget_in_each_layer_keeps_the_product_near_one():
    """Each layer passes on 1.1 attempts per call and its first bucket: at most 1.1 ** 3 and what the buckets add."""
    run = simulate(
        OpenLoop(
            [(0, 50), (20, 0)], lambda: Strategy(Retry(3, none(), retry_on=Failed, budget=Budget(5, per_call=0.1)))
        ),
        chain(3, lambda: Strategy(Retry(3, none(), retry_on=Failed, budget=Budget(5, per_call=0.1))), 1.0),
        seconds=30,
        seed=3,
    )
    calls = len(run.began)
    for seen in attempts(run):
        assert calls < seen <= calls * formulas.budget_load(0.1, 5, calls)
        calls = seen
