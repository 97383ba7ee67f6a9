"""The shared breaker: fifty environments that act as one, races, dead probers, skewed clocks, a store that is away."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.breaker import CircuitBreaker, Open, Permit
from orderlab.patterns.failure_rate import FailureRate
from orderlab.patterns.shared_breaker import LocalPermit, MemoryStore, SharedBreaker


class Away(Exception):
    """The store does not answer."""


class TestStore(MemoryStore):
    """A store that counts, can be away, can lose an answer, and lets others act just before a save."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__()
        self.away, self.lose_answers = False, False
        self.loads = self.saves = 0
        self.before_save: Callable[[], Any] | None = None

    def load(self) -> tuple[dict[str, Any] | None, int]:
        """Unless away."""
        self.loads += 1
        if self.away:
            raise Away
        return super().load()

    def save(self, record: dict[str, Any], version: int) -> tuple[dict[str, Any] | None, int] | None:
        """Unless away; others first."""
        if self.before_save is not None:
            self.before_save()
        if self.away:
            raise Away
        in_the_way = super().save(record, version)
        self.saves += in_the_way is None
        if self.lose_answers:
            raise Away
        return in_the_way


def fleet(size: int, store: TestStore | None = None, **settings: Any) -> tuple[TestStore, list[SharedBreaker]]:
    """Environments that share a store."""
    store = store or TestStore()
    return store, [SharedBreaker(store, CircuitBreaker(**settings)) for _ in range(size)]


def trip(breakers: list[SharedBreaker], now: float = 0.0) -> None:
    """One failure after the other, each in the next environment, until the circuit is open."""
    for number in range(100):
        breaker = breakers[number % len(breakers)]
        permit = breaker.allow(now)
        if permit is None:
            return
        breaker.failure(now, permit)
    pytest.fail("a hundred failures did not open it")


def test_five_failures_anywhere_open_it_for_all():
    """Fifty breakers of their own would have let 250 through."""
    _, breakers = fleet(50)
    for breaker in breakers[:5]:
        assert breaker.state == "closed"
        breaker.failure(7.0, breaker.allow(7.0))
    assert all(breaker.allow(8.0) is None for breaker in breakers)
    assert {(breaker.state, breaker.opened_at) for breaker in breakers} == {("open", 7.0)}
    assert breakers[9].retry_in(27.0) == 10.0


def test_while_all_is_well_nothing_is_written():
    """Nor while it is open; only what changes is."""
    store, breakers = fleet(3)
    for breaker in breakers * 10:
        breaker.success(1.0, breaker.allow(1.0))
    assert store.saves == 0
    trip(breakers)
    assert store.saves == 5
    assert all(breaker.allow(2.0) is None for breaker in breakers)
    assert store.saves == 5


@pytest.mark.parametrize("limit", [1, 3])
def test_of_fifty_environments_that_race_exactly_the_limit_get_a_probe(limit):
    """All of them have read "open, and the time is over" before the first one saves."""
    store, breakers = fleet(50, half_open_limit=limit)
    trip(breakers)
    permits, waiting = [], list(breakers)

    def next_one() -> None:
        if waiting:
            permits.append(waiting.pop().allow(30.0))

    store.before_save = next_one
    next_one()
    while waiting:
        next_one()
    assert len(permits) == 50
    assert len([permit for permit in permits if permit is not None]) == limit
    assert len({permit for permit in permits if permit is not None}) == limit


def test_who_loses_is_told_what_is_there_and_does_not_read_again():
    """One read and two writes for the loser, who then sees that the probe is another one's."""
    store, (first, second) = fleet(2)
    trip([first, second])
    store.loads, permits = 0, []

    def first_one() -> None:
        store.before_save = None
        permits.append(first.allow(30.0))

    store.before_save = first_one
    assert second.allow(30.0) is None and permits[0] is not None
    assert store.loads == 2


@given(st.integers(0, 2**32), st.integers(1, 2))
def test_a_random_fleet_acts_as_one_breaker_would(seed, limit):
    """Each operation leaves the shared record that a single breaker has, told the same in the same order."""
    rng = random.Random(seed)
    settings = {"failure_threshold": 2, "recovery_timeout": 10.0, "success_threshold": 2, "half_open_limit": limit}
    store, breakers = fleet(5, **settings)
    one, now, calls = CircuitBreaker(**settings), 0.0, []
    for _ in range(60):
        now += rng.choice([0.0, 0.5, 4.0, 10.0])
        breaker = rng.choice(breakers)
        if not calls or rng.random() < 0.5:
            permit = breaker.allow(now)
            assert permit == one.allow(now)
            if permit is not None:
                calls.append(permit)
        else:
            permit = calls.pop(rng.randrange(len(calls)))
            outcome = rng.choice(["success", "failure", "failure", "release"])
            getattr(breaker, outcome)(now, permit)
            getattr(one, outcome)(now, permit)
        assert (store.load()[0] or CircuitBreaker().record()) == one.record()


@given(st.integers(0, 2**32), st.integers(1, 2))
def test_a_random_fleet_whose_store_comes_and_goes_is_one_record_and_what_each_saw_last(seed, limit):
    """While the store is away each goes on from what it saw; the record holds what was done while it was there."""
    rng = random.Random(seed)
    settings = {"failure_threshold": 2, "recovery_timeout": 10.0, "success_threshold": 2, "half_open_limit": limit}
    store, breakers = fleet(4, **settings)
    one, seen = CircuitBreaker(**settings), [CircuitBreaker(**settings) for _ in breakers]
    now, calls = 0.0, []
    for _ in range(60):
        now += rng.choice([0.0, 0.5, 4.0, 10.0])
        store.away = rng.random() < (0.8 if store.away else 0.2)
        reports = calls and rng.random() < 0.5
        who, given = calls.pop(rng.randrange(len(calls))) if reports else (rng.randrange(len(breakers)), None)
        if not store.away:
            seen[who].restore(one.record())
        if given is not None:
            outcome = rng.choice(["success", "failure", "failure", "release"])
            getattr(breakers[who], outcome)(now, given)
            if store.away or not isinstance(given, LocalPermit):
                getattr(seen[who], outcome)(now, Permit(given.period, given.probe))
        else:
            permit, expected = breakers[who].allow(now), seen[who].allow(now)
            assert isinstance(permit, LocalPermit) == (store.away and permit is not None)
            assert (permit and (permit.period, permit.probe)) == (expected and (expected.period, expected.probe))
            if permit is not None:
                calls.append((who, permit))
        if not store.away:
            one.restore(seen[who].record())
        assert (json.loads(store.text) or CircuitBreaker().record()) == one.record()
        assert breakers[who].local.record() == seen[who].record()


@given(st.integers(0, 2**32))
def test_races_never_give_two_environments_a_probe_at_once(seed):
    """Others act between any load and its save, at random; all calls end within the lease."""
    rng = random.Random(seed)
    store, breakers = fleet(8, failure_threshold=1, recovery_timeout=10.0)
    world = {"now": 0.0, "depth": 0}
    probes: dict[int, Any] = {}  # environment: its permit

    def act() -> None:
        world["now"] += rng.choice([0.0, 0.0, 0.1, 3.0])
        who = rng.randrange(8)
        if who in busy:
            return
        busy.add(who)
        breaker, now = breakers[who], world["now"]
        if who in probes:
            permit = probes[who]
            (breaker.success if rng.random() < 0.3 else breaker.failure)(now, permit)
            del probes[who]
        elif (permit := breaker.allow(now)) is not None and permit.probe:
            live = [p for p in probes.values() if p.period == permit.period]
            assert not live, "two probes of one half-open period"
            probes[who] = permit
        elif permit is not None:
            (breaker.success if rng.random() < 0.8 else breaker.failure)(now, permit)
        busy.discard(who)

    def others() -> None:
        if world["depth"] < 4 and rng.random() < 0.5:
            world["depth"] += 1
            act()
            world["depth"] -= 1

    busy: set[int] = set()
    store.before_save = others
    breakers[0].local.probe_lease = 1e9
    for breaker in breakers:
        breaker.local.probe_lease = 1e9
    for _ in range(80):
        act()


def test_a_dead_prober_does_not_block_the_others_for_ever():
    """Its lease of 5 s is over at 35 s, its late result no longer counts."""
    _, breakers = fleet(3, probe_lease=5.0)
    trip(breakers)
    dead = breakers[0].allow(30.0)
    assert breakers[1].allow(34.9) is None
    probe = breakers[1].allow(35.0)
    assert probe is not None and breakers[2].allow(35.0) is None
    breakers[0].failure(36.0, dead)
    breakers[1].success(37.0, probe)
    assert breakers[2].allow(37.0) is not None and breakers[2].state == "closed"


@pytest.mark.parametrize("skew", [-25.0, -5.0, 5.0, 25.0])
def test_a_skewed_clock_makes_the_recovery_early_or_late_by_its_skew_and_no_more(skew):
    """Whoever trips is `skew` ahead: the others probe at 30 s + skew, and one at a time."""
    _, breakers = fleet(3, failure_threshold=1)
    breakers[0].failure(100.0 + skew, breakers[0].allow(100.0 + skew))
    assert breakers[1].allow(130.0 + skew - 0.1) is None
    assert breakers[1].allow(130.0 + skew) is not None
    assert breakers[2].allow(130.0 + skew) is None


@pytest.mark.parametrize("skew", [-25.0, 25.0])
def test_the_probe_stays_the_only_one_while_it_takes_less_than_its_lease_minus_the_skew(skew):
    """Lease 30 s, skew 25 s: alone for the first 5 s at least, whoever is ahead."""
    _, breakers = fleet(2, failure_threshold=1)
    breakers[0].failure(0.0, breakers[0].allow(0.0))
    assert breakers[0].allow(30.0) is not None
    assert breakers[1].allow(34.9 + skew) is None


@pytest.mark.parametrize("skew", [-1e9, 1e9])
def test_a_clock_that_is_years_off_never_blocks_the_others(skew):
    """What it wrote is over at once; the next good clock writes a good time."""
    _, breakers = fleet(3, failure_threshold=1)
    breakers[0].failure(skew, breakers[0].allow(skew))
    probe = breakers[1].allow(1.0)
    assert probe is not None
    breakers[1].failure(1.0, probe)
    assert breakers[2].allow(30.9) is None
    assert breakers[2].allow(31.0) is not None


def test_while_the_store_is_away_the_local_breaker_decides_from_what_was_last_seen():
    """Open stays open; the probe, the trip and the recovery are each environment's own; all is reported."""
    seen: list[Exception] = []
    store = TestStore()
    breakers = [SharedBreaker(store, CircuitBreaker(), on_error=seen.append) for _ in range(2)]
    trip(breakers)
    assert breakers[1].allow(1.0) is None
    store.away = True
    assert breakers[1].allow(2.0) is None
    probes = [breaker.allow(30.0) for breaker in breakers]
    assert all(isinstance(probe, LocalPermit) for probe in probes)
    breakers[0].success(31.0, probes[0])
    breakers[1].failure(31.0, probes[1])
    assert [breaker.state for breaker in breakers] == ["closed", "open"]
    assert len(seen) == 5 and all(isinstance(error, Away) for error in seen)
    for _ in range(5):
        breakers[0].failure(32.0, breakers[0].allow(32.0))
    assert breakers[0].state == "open"


def test_what_was_decided_while_the_store_was_away_never_reaches_the_record():
    """A local probe's success, told when the store is back, closes nothing for the others."""
    store, breakers = fleet(2)
    trip(breakers)
    store.away = True
    probe = breakers[0].allow(30.0)
    store.away = False
    before = store.text
    breakers[0].success(31.0, probe)
    assert store.text == before and breakers[0].state == "open"
    assert breakers[1].allow(31.0) is not None


def test_a_shared_probe_that_ends_while_the_store_is_away_counts_here_and_its_lease_frees_the_others():
    """The environment itself knows; the record learns nothing."""
    store, breakers = fleet(2)
    trip(breakers)
    probe = breakers[0].allow(30.0)
    store.away = True
    breakers[0].success(31.0, probe)
    assert breakers[0].state == "closed"
    store.away = False
    assert breakers[1].allow(59.9) is None
    assert breakers[1].allow(60.0) is not None


def test_a_save_whose_answer_is_lost_gives_a_probe_that_counts_only_here():
    """It is in the record, but nobody knows: the lease frees the others, and two never probe at once."""
    store, breakers = fleet(2)
    trip(breakers)
    store.lose_answers = True
    probe = breakers[0].allow(30.0)
    store.lose_answers = False
    assert isinstance(probe, LocalPermit)
    assert breakers[1].allow(31.0) is None
    breakers[0].success(32.0, probe)
    assert breakers[1].allow(59.9) is None
    assert breakers[1].allow(60.0) is not None


def test_a_record_that_cannot_be_read_is_a_store_that_is_away():
    """The local breaker decides, and the error says why."""
    seen: list[Exception] = []
    store = TestStore()
    breaker = SharedBreaker(store, CircuitBreaker(), on_error=seen.append)
    store.text = '{"state": "ajar"}'
    assert isinstance(breaker.allow(0.0), LocalPermit)
    assert "not a circuit breaker's record" in str(seen[0])


def test_a_record_that_was_deleted_is_a_new_circuit():
    """An operator's way to close it by hand."""
    store, breakers = fleet(2)
    trip(breakers)
    store.text = "null"
    assert breakers[0].allow(1.0) is not None and breakers[0].state == "closed"


def test_a_change_that_always_loses_is_given_up_and_no_probe_is_granted():
    """Somebody else is always faster: five tries, and no sixth."""
    store, breakers = fleet(1)
    trip(breakers)
    tries = []

    def somebody_else() -> None:
        tries.append(store.version)
        store.version += 1

    store.before_save = somebody_else
    assert breakers[0].allow(30.0) is None
    assert len(tries) == 5


def test_call_works_as_with_a_breaker_of_ones_own():
    """Failures count, ignored errors do not, Open says how long, a probe closes it for the other."""
    _, (first, second) = fleet(2, failure_threshold=2)
    for error in (OSError(), KeyError(), OSError()):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            first.call(fail, clock=lambda: 0.0, ignore=(KeyError,))
    with pytest.raises(Open) as refused:
        second.call(pytest.fail, clock=lambda: 10.0)
    assert refused.value.retry_in == 20.0
    assert second.call(lambda: "back", clock=lambda: 30.0) == "back"
    assert first.call(lambda: "yes", clock=lambda: 31.0) == "yes"


def test_settings_that_make_no_sense_are_refused():
    """A rate would write at every call; no tries at all would never count anything."""
    with pytest.raises(ValueError, match="a failure rate would be a write for every call"):
        SharedBreaker(MemoryStore(), CircuitBreaker(failure_rate=FailureRate(0.5)))
    with pytest.raises(ValueError, match="tries is a whole number, at least 1"):
        SharedBreaker(MemoryStore(), CircuitBreaker(), tries=0)
