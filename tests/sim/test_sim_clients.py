"""The clients of a simulation: when they call, what their strategy's objects are asked, and that nothing is lost."""

import math
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderlab.patterns.backoff import decorrelated_jitter, equal_jitter, full_jitter, none
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry
from orderlab.sim import (
    BrownOut,
    Call,
    ClosedLoop,
    Failed,
    OpenLoop,
    Outage,
    Refused,
    Run,
    Serial,
    Service,
    SlowStart,
    Strategy,
    simulate,
    simulate_many,
    times,
)
from orderlab.sim.log import OK, PENDING, REFUSED, TIMED_OUT

SECOND = times.constant(1.0)
NOTHING = times.constant(0.0)
COLUMNS = ("client", "asked", "began", "ended", "request", "sent", "begun", "left", "answered", "outcome")


def jittery(seed: int, cap: float = 1.0) -> Run:
    """Something of everything: three clients, jitter, a budget, a breaker, time-outs, a network and an outage."""
    retry_on = (Failed, TimeoutError)

    def strategy() -> Strategy:
        retry = Retry(4, decorrelated_jitter(0.1, cap), retry_on=retry_on, budget=Budget(5, per_call=0.5))
        return Strategy(retry, CircuitBreaker(3, 5.0), timeout=2.0)

    service = Service(
        2, times.exponential(0.5), 5, failure=0.1, network=times.exponential(0.01), faults=(Outage(20, 30),)
    )
    return simulate(OpenLoop(3.0, strategy, clients=3), service, seconds=60, seed=seed)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    """Every column, bit by bit."""
    first, again, other = jittery(1), jittery(1), jittery(2)
    assert all(getattr(first, name).tobytes() == getattr(again, name).tobytes() for name in COLUMNS)
    assert first.sent.tobytes() != other.sent.tobytes()


def test_two_strategies_under_the_same_seed_meet_the_same_arrivals() -> None:
    """Chance has a stream of its own for arrivals: what differs between two strategies is not luck."""
    assert jittery(1).asked.tobytes() == jittery(1, cap=9.0).asked.tobytes()


def test_an_open_loop_keeps_its_rate_whatever_happens() -> None:
    """20/s, 100/s from 10 s and 0 from 20 s, over a dead service: counts within four standard errors."""
    clients = OpenLoop([(0, 20), (10, 100), (20, 0)], Strategy, clients=4)
    run = simulate(clients, Service(faults=(Outage(0, 99),)), seconds=30, seed=1)
    counts = run.per_second(10.0)["offered"] * 10
    assert abs(counts[0] - 200) < 4 * math.sqrt(200)
    assert abs(counts[1] - 1000) < 4 * math.sqrt(1000)
    assert counts[2] == 0
    assert np.abs(np.bincount(run.client) - 300).max() < 4 * math.sqrt(300)  # each client has its share


def test_a_closed_loop_waits_thinks_and_asks_again() -> None:
    """Two clients, one slot of 1 s, 0.5 s of thinking, three requests each: ends at 1, 2, ... 6 s."""
    clients = ClosedLoop(2, Strategy, think=times.constant(0.5), requests=3)
    run = simulate(clients, Service(time=SECOND), seconds=math.inf, seed=1)
    assert run.ended.tolist() == [1, 2, 3, 4, 5, 6]
    assert run.asked.tolist() == [0, 0, 1.5, 2.5, 3.5, 4.5]
    assert run.seconds == 6


def test_a_closed_loop_slows_down_with_its_service() -> None:
    """Ten clients over one slot of 1 s send one request/s, however eager they are: never more than ten under way."""
    run = simulate(ClosedLoop(10, Strategy), Service(time=SECOND), seconds=100, seed=1)
    assert len(run.sent) == 109
    assert run.in_system()[1].max() == 10


def test_a_serial_client_keeps_its_work_waiting() -> None:
    """Work of 1 s at 2/s for one client: it does 1/s, in order, each begun when the last one has ended."""
    run = simulate(Serial(2.0, Strategy, clients=1), Service(9, SECOND), seconds=50, seed=1)
    done = int(np.count_nonzero(~np.isnan(run.ended)))
    assert np.array_equal(run.ended[:done], run.began[:done] + 1)
    assert np.array_equal(run.began[1:done], np.maximum(run.asked[1:done], run.ended[: done - 1]))
    assert np.isnan(run.began[done + 1 :]).all()
    assert len(run.asked) > 70
    assert run.in_system()[1][-1] == len(run.asked) - done


def test_a_serial_client_that_backs_off_sends_less_and_an_open_loop_does_not() -> None:
    """A dead service, 10 requests/s over ten clients, two retries after 5 s each: 10 new requests/s, or at most one."""
    slow = Strategy(retry=Retry(3, lambda attempt, previous, rng: 5.0, retry_on=Exception))
    dead = Service(faults=(Outage(0, 99),))
    opened = simulate(OpenLoop(10.0, lambda: slow, clients=10), dead, seconds=90, seed=1)
    serial = simulate(Serial(10.0, lambda: slow, clients=10), dead, seconds=90, seed=1)
    assert np.count_nonzero(~np.isnan(opened.began)) / 90 == pytest.approx(10, abs=4 * math.sqrt(10 / 90))
    assert np.count_nonzero(~np.isnan(serial.began)) / 90 <= 10 / 10 + 10 / 90  # each client: one in 10 s


def test_what_is_simulated_is_what_retry_does_attempt_by_attempt() -> None:
    """The same policy driven by its own generator, with the same chance and results, sends at the same times."""
    policy = Retry(5, equal_jitter(0.1, 2.0), retry_on=Failed, deadline=3.0)
    run = simulate(
        ClosedLoop(1, lambda: Strategy(policy), requests=50), Service(1, SECOND, failure=0.6), seconds=999, seed=3
    )
    rng = Random("3 clients 0").random
    for r in range(50):
        rows = np.flatnonzero(run.request == r)
        waits = policy.decisions(run.began[r], rng)
        expected: Any = run.began[r] + next(waits)  # type: ignore[operator]
        for a in rows:
            assert run.sent[a] == expected
            wait = waits.send((run.answered[a], None if run.outcome[a] == OK else Failed()))
            expected = None if wait is None else run.answered[a] + wait
        assert expected is None
    assert 1 < run.tries.mean() < 5


def test_each_client_has_a_strategy_of_its_own_and_its_budget_hears_everything() -> None:
    """The factory is called once for each client; a budget of 3 pays for three retries in all, then for none."""
    budgets: list[Budget] = []

    def strategy() -> Strategy:
        budgets.append(Budget(3))
        return Strategy(Retry(99, none(), retry_on=Exception, budget=budgets[-1]))

    run = simulate(ClosedLoop(4, strategy, requests=5), Service(4, SECOND, failure=1.0), seconds=999, seed=1)
    assert len(budgets) == 4
    assert np.bincount(run.client, weights=run.tries).tolist() == [8] * 4
    assert [budget.tokens for budget in budgets] == [0] * 4


def test_a_budget_hears_of_each_call_retry_and_success_as_when_it_ships() -> None:
    """The same calls with `Retry.decisions` and in the simulation tell the budget the same, in the same order."""

    class Told(Budget):
        def __init__(self) -> None:
            super().__init__(50, per_call=0.5, per_success=1)
            self.told: list[tuple[Any, ...]] = []

        def call(self, now: float) -> None:
            self.told.append(("call", now))
            super().call(now)

        def success(self, now: float, retried: bool = False) -> None:
            self.told.append(("success", now, retried))
            super().success(now, retried)

        def take(self, now: float) -> bool:
            self.told.append(("take", now))
            return super().take(now)

    simulated, shipped = Told(), Told()
    policy = Retry(3, none(), retry_on=Failed, budget=simulated)
    clients = ClosedLoop(1, lambda: Strategy(policy), requests=40)
    run = simulate(clients, Service(1, SECOND, failure=0.5), seconds=999, seed=1)
    for r in range(40):
        waits = replace(policy, budget=shipped).decisions(float(run.began[r]), Random(1).random)
        next(waits)
        for a in np.flatnonzero(run.request == r):
            waits.send((float(run.answered[a]), None if run.outcome[a] == OK else Failed()))
    assert simulated.told == shipped.told
    assert {True, False} <= {each[2] for each in simulated.told if each[0] == "success"}


def test_an_open_breaker_fails_the_request_without_an_attempt_until_a_probe_may_pass() -> None:
    """Five failures trip it at 5 s; requests fail at once until the probe at 35 s, which works and closes it."""
    clients = ClosedLoop(1, lambda: Strategy(breaker=CircuitBreaker()), think=times.constant(0.001))
    service = Service(1, SECOND, faults=(BrownOut(0, 30, failing=1.0),))
    run = simulate(clients, service, seconds=40, seed=1)
    assert run.sent[4] == pytest.approx(4.004)
    opened = float(run.answered[4])
    assert run.sent[5] == pytest.approx(opened + 30, abs=0.002)
    assert run.outcome[:6].tolist() == [2, 2, 2, 2, 2, OK]
    between = (run.asked > opened) & (run.asked < opened + 29)
    assert (run.tries[between] == 0).all()
    assert not run.ok[between].any()
    assert np.array_equal(run.ended[between], run.asked[between])
    assert between.sum() > 20_000


def test_the_policy_sees_which_error_it_was() -> None:
    """Refused, failed, too late, open: each is retried only where it is named."""
    seen: list[str] = []
    retry = Retry(2, none(), retry_on=(Failed, TimeoutError), on_event=lambda d: seen.append(type(d.error).__name__))
    breaker = CircuitBreaker(1)
    for service in (Service(faults=(Outage(0, 9),)), Service(time=SECOND), Service(time=NOTHING, failure=1.0)):
        strategy = Strategy(retry, breaker, timeout=0.5)
        simulate(ClosedLoop(1, lambda s=strategy: s, requests=1), service, seconds=5, seed=1)
        breaker = CircuitBreaker(1)
    assert seen == ["Refused", "Open", "TimeoutError", "Open", "Failed", "Open"]
    assert issubclass(Refused, Failed)


def test_many_seeds_give_a_band_and_tell_their_progress() -> None:
    """Eleven runs: median and 5-95 % of a number, and of an array; each run is the one of its seed."""
    told: list[tuple[int, int]] = []
    clients = OpenLoop(5.0, Strategy)
    runs = simulate_many(
        clients, Service(time=SECOND), seconds=20, seeds=range(11), progress=lambda done, of: told.append((done, of))
    )
    assert told == [(n, 11) for n in range(1, 12)]
    alone = simulate(clients, Service(time=SECOND), seconds=20, seed=7)
    assert runs.runs[7].sent.tobytes() == alone.sent.tobytes()
    band = runs.band(lambda run: len(run.asked))
    counts = [len(run.asked) for run in runs.runs]
    assert (band.low, band.median, band.high) == tuple(np.percentile(counts, [5, 50, 95]))
    rows = runs.band(lambda run: run.per_second()["offered"])
    assert rows.median.shape == (20,)
    assert (rows.low <= rows.median).all()
    with pytest.raises(ValueError, match="seeds"):
        simulate_many(clients, Service(), seconds=1, seeds=())


def test_tables_say_what_the_arrays_say_with_units() -> None:
    """Rates times their width are the counts of the events; the printed table has its units."""
    run = jittery(4)
    table = run.per_second(0.5)
    sums = {name: column.sum() * 0.5 for name, column in table.columns.items()}
    assert sums["offered"] == len(run.asked)
    assert sums["attempts"] == len(run.sent)
    assert sums["goodput"] == run.ok.sum()
    assert sums["refusals"] == (run.outcome == REFUSED).sum() > 0
    assert sums["time-outs"] == (run.outcome == TIMED_OUT).sum() > 0
    summary = run.summary()
    assert summary["amplification"][0] == len(run.sent) / len(run.asked)
    assert summary["goodput"][0] == run.ok.sum() / 60
    assert "goodput (1/s)" in repr(summary)
    assert "p95 (s)" in repr(summary)
    assert len(repr(table).splitlines()) == 121


delays = st.sampled_from([NOTHING, times.constant(0.5), times.exponential(0.3), times.uniform(0.0, 2.0)])
faults = st.lists(
    st.builds(
        lambda kind, start, length: kind(start, length),
        st.sampled_from(
            [
                lambda start, length: Outage(start, start + length),
                lambda start, length: Outage(start, start + length, "stall"),
                lambda start, length: Outage(start, start + length, "silent"),
                lambda start, length: BrownOut(start, start + length, slower=3.0, failing=0.5),
                lambda start, length: SlowStart(start, length, slower=5.0),
            ]
        ),
        st.floats(0, 10),
        st.floats(0.5, 10),
    ),
    max_size=2,
).map(tuple)
services = st.builds(
    Service,
    capacity=st.sampled_from([1, 2, 5, math.inf]),
    time=st.sampled_from([times.constant(0.5), times.exponential(0.3), times.uniform(0.0, 2.0)]),
    queue=st.sampled_from([None, 0, 3]),
    discipline=st.sampled_from(["fifo", "lifo", "drop-dead"]),
    failure=st.sampled_from([0.0, 0.3, 1.0]),
    network=st.sampled_from([None, times.constant(0.1), times.exponential(0.1)]),
    faults=faults,
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Any, Service]:
    """Some clients and a service, which may have another below it."""
    tries, timeout = draw(st.integers(1, 4)), draw(st.sampled_from([math.inf, 0.7, 2.0]))
    guarded, frugal = draw(st.booleans()), draw(st.booleans())

    def strategy() -> Strategy:
        budget = Budget(2, per_call=0.2) if frugal else None
        retry = Retry(tries, full_jitter(0.2, 1.0), retry_on=Exception, budget=budget)
        return Strategy(retry, CircuitBreaker(2, 3.0) if guarded else None, timeout)

    service = draw(services)
    if draw(st.booleans()):
        service = replace(service, calls=Call(draw(services), strategy, clients=draw(st.integers(1, 3))))
    many = draw(st.integers(1, 4))
    kind = draw(st.sampled_from(["open", "closed", "serial"]))
    if kind == "closed":
        return ClosedLoop(
            many, strategy, think=times.uniform(0.1, 1.0), requests=draw(st.sampled_from([None, 3]))
        ), service
    return (OpenLoop(3.0, strategy, many) if kind == "open" else Serial(3.0, strategy, clients=many)), service


@settings(max_examples=120, deadline=None, derandomize=True)
@given(worlds(), st.integers(0, 1000))
def test_nothing_is_lost_and_nothing_happens_twice(world: tuple[Any, Service], seed: int) -> None:
    """Whatever the clients, the service, its faults and layers: every request ends once or is still under way."""
    clients, service = world
    run: Run | None = simulate(clients, service, seconds=20.0, seed=seed)
    while run is not None:
        over, begun, left = ~np.isnan(run.ended), ~np.isnan(run.begun), ~np.isnan(run.left)
        good = np.bincount(run.request[run.outcome == OK], minlength=len(run.asked))
        waiting = np.bincount(run.request[run.outcome == PENDING], minlength=len(run.asked))
        assert set(good) <= {0, 1}  # one good answer at most, and none after it
        assert (waiting[over] == 0).all()
        assert set(waiting) <= {0, 1}  # one attempt at a time
        assert (over[good == 1]).all()
        assert (run.ended[over] >= run.began[over]).all()
        began = ~np.isnan(run.began)
        assert (run.began[began] >= run.asked[began]).all()
        assert (began | (run.tries == 0)).all()
        assert (run.begun[begun] >= run.sent[begun]).all()
        assert (run.left[left] >= run.begun[left]).all()
        assert (begun | ~left).all()
        assert (np.isnan(run.answered) == (run.outcome == PENDING)).all()
        assert np.all(np.diff(run.asked) >= 0)
        assert np.all(np.diff(run.sent) >= 0)
        assert max([0.0, *run.ended[over], *run.sent, *run.left[left]]) <= 20.0
        assert begun[run.outcome == OK].all()
        assert not begun[run.outcome == REFUSED].any()
        moments = np.concatenate([run.left[left], run.begun[begun]])  # at the same moment a slot is freed first
        steps = np.concatenate([-np.ones(left.sum()), np.ones(begun.sum())])
        in_service = np.cumsum(steps[np.argsort(moments, kind="stable")])
        zero_length = (run.left[left] == run.begun[left]).any()
        assert zero_length or max(in_service, default=0) <= run.service.capacity
        run = run.below
