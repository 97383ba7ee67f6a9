"""The circuit breaker: pybreaker's traces, a ten-line model, and everything that should not move it."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.breaker import CircuitBreaker, Open, Permit
from orderlab.patterns.failure_rate import FailureRate


def tripped(now: float = 0.0, **settings) -> CircuitBreaker:
    """A breaker that one failure opened at `now`."""
    breaker = CircuitBreaker(failure_threshold=1, **settings)
    breaker.failure(now, breaker.allow(now))
    assert breaker.state == "open"
    return breaker


@pytest.mark.parametrize("epoch", [0.0, 1_793_000_000.1])
@pytest.mark.parametrize("with_permits", [True, False])
def test_it_agrees_with_pybreaker_on_every_trace(vectors, epoch, with_permits):
    """State, admission and count of failures after each call; with and without permits, whatever the clock's zero."""
    for row in vectors("circuit_breaker_traces.json"):
        breaker = CircuitBreaker(row["fail_max"], row["reset_timeout"], row["success_threshold"])
        now = epoch
        for number, (step, expected) in enumerate(zip(row["steps"], row["expected"], strict=True)):
            if step["op"] == "advance":
                now += step["seconds"]
                continue
            permit = breaker.allow(now)
            if permit:
                report = breaker.success if step["outcome"] == "ok" else breaker.failure
                report(now, permit) if with_permits else report(now)
            seen = {"admitted": permit is not None, "state": breaker.state, "fail_counter": breaker.failures}
            assert seen == expected, f"row {row['id']}, step {number}"


def test_five_failures_in_a_row_open_it_and_a_success_between_starts_the_count_again():
    """The article's threshold is the default; four are not enough."""
    breaker = CircuitBreaker()
    for outcome in "ffffsffff":
        permit = breaker.allow(0.0)
        (breaker.success if outcome == "s" else breaker.failure)(0.0, permit)
        assert breaker.state == "closed"
    breaker.failure(7.0, breaker.allow(0.0))
    assert (breaker.state, breaker.opened_at) == ("open", 7.0)


def test_it_is_open_until_exactly_the_timeout_and_half_open_from_then():
    """Closed to calls a millisecond before 30 s, a probe at 30 s; who looks without calling sees the same."""
    breaker = tripped(100.0)
    assert breaker.allow(129.999) is None
    assert breaker.allow(129.9) is None
    assert (breaker.state_at(129.9), breaker.state_at(130.0), breaker.state) == ("open", "half-open", "open")
    assert breaker.retry_in(129.9) == pytest.approx(0.1)
    assert breaker.retry_in(130.0) == 0
    assert breaker.allow(130.0)
    assert breaker.state == "half-open"


def test_one_good_probe_closes_it_and_one_bad_one_opens_it_for_a_whole_timeout_again():
    """The timer starts afresh at the probe's failure."""
    breaker = tripped(0.0)
    breaker.failure(33.0, breaker.allow(31.0))
    assert (breaker.state, breaker.opened_at) == ("open", 33.0)
    assert breaker.allow(62.9) is None
    breaker.success(64.0, breaker.allow(63.0))
    assert (breaker.state, breaker.opened_at, breaker.failures) == ("closed", None, 0)


def test_only_so_many_probes_are_under_way_at_once():
    """Two of two; when one is reported, or gives its place back, the next may go."""
    breaker = tripped(0.0, half_open_limit=2, success_threshold=3)
    first, second = breaker.allow(30.0), breaker.allow(30.0)
    assert first != second and breaker.allow(30.0) is None
    breaker.success(31.0, first)
    third = breaker.allow(31.0)
    assert third and breaker.allow(31.0) is None
    breaker.release(31.0, second)
    fourth = breaker.allow(31.0)
    breaker.success(31.0, third)
    assert breaker.state == "half-open"
    breaker.success(31.0, fourth)
    assert breaker.state == "closed"


@pytest.mark.parametrize("late", ["success", "failure", "release"])
def test_a_result_from_before_the_trip_changes_nothing(late):
    """Not while it is open, nor half-open, nor closed again, nor does it clear the count of new failures."""
    breaker = CircuitBreaker(failure_threshold=2)
    slow = breaker.allow(0.0)
    breaker.failure(1.0)
    breaker.failure(1.0)
    begin, succeed, fail = breaker.allow, breaker.success, breaker.failure
    for act in (lambda: None, lambda: begin(31.0), lambda: succeed(32.0, Permit(2, 1)), lambda: fail(32.5)):
        act()
        before = breaker.record()
        getattr(breaker, late)(33.0, slow)
        assert breaker.record() == before
    assert (breaker.state, breaker.failures) == ("closed", 1)


def test_a_late_probe_of_an_earlier_half_open_neither_closes_nor_opens():
    """Two probes at once, the first fails: the second belongs to the past."""
    breaker = tripped(0.0, half_open_limit=2)
    first, second = breaker.allow(30.0), breaker.allow(30.0)
    breaker.failure(31.0, first)
    breaker.success(32.0, second)
    assert (breaker.state, breaker.opened_at) == ("open", 31.0)
    again = breaker.allow(61.0)
    breaker.failure(61.5, second)
    assert breaker.state == "half-open"
    breaker.success(62.0, again)
    assert breaker.state == "closed"


def test_a_probe_that_is_reported_twice_counts_once():
    """Three good probes are three probes, not one that is told three times."""
    breaker = tripped(0.0, success_threshold=3)
    probe = breaker.allow(30.0)
    for _ in range(3):
        breaker.success(31.0, probe)
    assert breaker.state == "half-open"
    breaker.failure(31.0, probe)
    assert breaker.state == "half-open"


def test_a_probe_that_nobody_reports_gives_its_place_back_after_its_lease():
    """Lease 5 s: refused at 34.9 s, the next probe at 35 s; the lost one's result comes too late to count."""
    breaker = tripped(0.0, probe_lease=5.0)
    lost = breaker.allow(30.0)
    assert breaker.allow(34.9) is None
    assert breaker.retry_in(34.9) == pytest.approx(0.1)
    probe = breaker.allow(35.0)
    breaker.success(35.5, lost)
    assert breaker.state == "half-open"
    breaker.success(36.0, probe)
    assert breaker.state == "closed"


def test_results_without_a_permit_do_not_move_an_open_circuit():
    """Nobody was let in, so whatever it is, it is late."""
    breaker = tripped(5.0)
    before = breaker.record()
    breaker.success(6.0)
    breaker.failure(7.0)
    breaker.release(8.0)
    assert breaker.record() == before


def test_a_result_without_a_permit_is_the_oldest_probes():
    """Two under way: after it the first has been told, the second has not."""
    breaker = tripped(0.0, half_open_limit=2, success_threshold=2)
    first, second = breaker.allow(30.0), breaker.allow(30.0)
    breaker.success(31.0)
    breaker.success(31.0, first)
    assert breaker.state == "half-open"
    breaker.success(31.0, second)
    assert breaker.state == "closed"


@pytest.mark.parametrize("jump", [-1e3, -1e9, 1e3, 1e9])
def test_a_clock_that_jumps_never_leaves_it_open_for_ever(jump):
    """A probe passes within one timeout of the clock after the jump; also when the probe's own time jumped."""
    breaker = tripped(0.0)
    assert breaker.allow(jump + 30.0)
    assert breaker.allow(60.0) or breaker.allow(jump + 60.0)


def test_a_clock_that_steps_back_a_little_waits_a_little_longer():
    """By less than the timeout: the trip's time is believed."""
    breaker = tripped(100.0)
    assert breaker.allow(80.0) is None
    assert breaker.allow(129.0) is None
    assert breaker.allow(130.0)


@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_number_is_refused_and_changes_nothing(now):
    """NaN in opened_at would keep it open for ever."""
    breaker = CircuitBreaker(failure_threshold=1)
    for act in (lambda: breaker.failure(now), lambda: tripped().allow(now)):
        with pytest.raises(ValueError, match="now is seconds, a finite number"):
            act()
    assert breaker.record() == CircuitBreaker().record()


def test_negative_times_are_times():
    """A simulator may begin before 0."""
    breaker = tripped(-100.0)
    assert breaker.allow(-71.0) is None
    breaker.success(-70.0, breaker.allow(-70.0))
    assert breaker.state == "closed"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"failure_threshold": 0}, "failure_threshold is a whole number, at least 1, got 0"),
        ({"failure_threshold": -5}, "failure_threshold is a whole number"),
        ({"failure_threshold": 2.5}, "failure_threshold is a whole number"),
        ({"failure_threshold": None}, "failure_threshold is a whole number"),
        ({"recovery_timeout": 0}, "recovery_timeout is seconds above 0, got 0"),
        ({"recovery_timeout": math.nan}, "recovery_timeout is seconds above 0"),
        ({"recovery_timeout": math.inf}, "recovery_timeout is seconds above 0"),
        ({"success_threshold": 0}, "success_threshold is a whole number"),
        ({"half_open_limit": 0}, "half_open_limit is a whole number"),
        ({"probe_lease": -1}, "probe_lease is seconds above 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    """One line that names the argument."""
    with pytest.raises(ValueError, match=message):
        CircuitBreaker(**settings)


class Refused(Exception):
    """A 400: the caller's fault, not the dependency's."""


def fail(error: Exception):
    """A function that raises it."""

    def work() -> None:
        raise error

    return work


def test_call_reports_what_happens_and_raises_open_with_the_time_to_wait():
    """Two failures trip it; then nothing is called; then a probe closes it."""
    breaker, now = CircuitBreaker(2, 30.0), [0.0]
    for _ in range(2):
        with pytest.raises(OSError):
            breaker.call(fail(OSError()), clock=lambda: now[0])
    now[0] = 10.0
    with pytest.raises(Open, match="a probe may pass in 20 s") as refused:
        breaker.call(pytest.fail, clock=lambda: now[0])
    assert refused.value.retry_in == 20.0
    now[0] = 30.0
    assert breaker.call(lambda: "back", clock=lambda: now[0]) == "back"
    assert breaker.state == "closed"


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_call_counts_every_good_probe(threshold):
    """So many successes close it, one by one."""
    breaker = tripped(0.0, success_threshold=threshold)
    for number in range(1, threshold + 1):
        assert breaker.state_at(30.0) == "half-open"
        breaker.call(lambda: None, clock=lambda: 30.0)
        assert (breaker.state == "closed") is (number == threshold)


def test_ignored_errors_neither_count_nor_clear_the_count_nor_decide_a_probe():
    """In the middle of a run of failures, and as the probe: the next probe may go at once."""
    breaker = CircuitBreaker(2, 30.0)
    for error in (OSError(), Refused(), OSError()):
        with pytest.raises(type(error)):
            breaker.call(fail(error), clock=lambda: 0.0, ignore=(Refused,))
    assert breaker.state == "open"
    with pytest.raises(Refused):
        breaker.call(fail(Refused()), clock=lambda: 30.0, ignore=(Refused,))
    assert breaker.state == "half-open"
    breaker.call(lambda: None, clock=lambda: 30.0)
    assert breaker.state == "closed"


def test_what_kills_the_invocation_is_no_result():
    """A killed probe is lost: its lease frees the place."""
    breaker = tripped(0.0)

    def killed() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        breaker.call(killed, clock=lambda: 30.0)
    assert breaker.state == "half-open" and breaker.allow(59.0) is None and breaker.allow(60.0)


def test_a_success_that_ends_after_failures_of_others_still_clears_the_count():
    """Calls may overlap: the run of failures is over when one of them works."""
    breaker = CircuitBreaker(3)

    def while_others_fail() -> None:
        breaker.failure(0.0, breaker.allow(0.0))
        breaker.failure(0.0, breaker.allow(0.0))

    breaker.call(while_others_fail, clock=lambda: 0.0)
    assert breaker.failures == 0


def test_a_failure_rate_trips_what_no_run_of_failures_would():
    """Every other call fails: never two in a row, but half of ten."""
    breaker = CircuitBreaker(5, failure_rate=FailureRate(0.5, window=60, min_calls=10))
    for number in range(10):
        assert breaker.state == "closed"
        (breaker.failure if number % 2 else breaker.success)(float(number), breaker.allow(float(number)))
    assert (breaker.state, breaker.opened_at) == ("open", 9.0)


def test_call_counts_its_successes_for_the_rate():
    """Four good calls and one bad one: a fifth is below a half; four bad ones more and it is not."""
    breaker = CircuitBreaker(99, failure_rate=FailureRate(0.5, min_calls=2))
    for _ in range(4):
        breaker.call(lambda: None, clock=lambda: 0.0)
    for number in range(1, 5):
        assert breaker.state == "closed"
        with pytest.raises(OSError):
            breaker.call(fail(OSError()), clock=lambda: 0.0)
        assert (breaker.state == "open") is (number == 4)


def test_a_failure_rate_forgets_what_left_its_window_and_what_was_before_the_trip():
    """Nine failures, a minute of silence, one more: one of one, which is below the minimum. And after closing: none."""
    rate = FailureRate(0.5, window=60, min_calls=10)
    breaker = CircuitBreaker(99, 30.0, failure_rate=rate)
    for now in range(9):
        breaker.failure(float(now))
    breaker.failure(70.0)
    assert breaker.state == "closed"
    for now in range(71, 80):
        breaker.failure(float(now))
    assert breaker.state == "open"
    breaker.success(110.0, breaker.allow(110.0))
    assert breaker.state == "closed" and rate.tenths == []


def test_a_failure_rate_survives_a_clock_that_jumps_back():
    """The tenths of the future are forgotten; and memory stays small."""
    rate = FailureRate(1.0, window=10, min_calls=1000)
    for now in [*range(1000, 1100), *range(100), *range(50, 80)]:
        rate.reached(float(now), True)
        assert len(rate.tenths) <= 20
    assert sum(calls for _, calls, _ in rate.tenths) <= 30


@given(st.lists(st.tuples(st.floats(0, 9), st.booleans()), max_size=80), st.floats(0.1, 1), st.integers(1, 8))
def test_a_failure_rate_agrees_with_a_list_of_all_results(results, limit, least):
    """Those of the last ten tenths, counted afresh each time."""
    rate, now, seen = FailureRate(limit, window=20, min_calls=least), 0.0, []
    for passed, failed in results:
        now += passed
        seen.append((math.floor(now / 2), failed))
        lately = [f for tenth, f in seen if tenth > math.floor(now / 2) - 10]
        assert rate.reached(now, failed) == (len(lately) >= least and sum(lately) >= limit * len(lately))
        assert sum(calls for _, calls, _ in rate.tenths) == len(lately)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"limit": 0}, "limit is a share"),
        ({"limit": 1.1}, "limit is a share"),
        ({"limit": math.nan}, "limit is a share"),
        ({"limit": 0.5, "window": 0}, "window is seconds above 0"),
        ({"limit": 0.5, "min_calls": 0}, "min_calls is a whole number"),
    ],
)
def test_a_failure_rate_that_makes_no_sense_is_refused(settings, message):
    """One line that names the argument."""
    with pytest.raises(ValueError, match=message):
        FailureRate(**settings)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([0.25, 1, 9, 10, 10.001])),
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.sampled_from(["ok", "ok", "fail", "fail", "release"]), st.none() | st.integers(-3, 2)),
    ),
    min_size=40,
    max_size=80,
)


class Model:
    """The rules again, as plainly as possible: lists of who was let in, and of how all calls of the period ended."""

    def __init__(self, threshold, timeout, needed, limit, lease, rate) -> None:
        self.threshold, self.timeout, self.needed, self.limit, self.lease = threshold, timeout, needed, limit, lease
        self.rate, self.ends = rate, []
        self.state, self.period, self.failed, self.good, self.since, self.probes = "closed", 0, 0, 0, 0.0, []

    def move(self, state: str, now: float) -> None:
        """Into a new period."""
        self.state, self.period, self.good, self.since, self.probes, self.ends = state, self.period + 1, 0, now, [], []

    def allow(self, now: float, call: object) -> bool:
        """Is this call let in?"""
        if self.state == "open" and now - self.since > self.timeout - 1e-6:
            self.move("half-open", now)
        if self.state == "half-open":
            self.probes = [(c, at) for c, at in self.probes if now - at < self.lease - 1e-6]
            if len(self.probes) < self.limit:
                self.probes.append((call, now))
                return True
        return self.state == "closed"

    def too_many(self, now: float) -> bool:
        """Did too many fail in the last forty seconds, moved on by four?"""
        lately = [failed for at, failed in self.ends if math.floor(at / 4) > math.floor(now / 4) - 10]
        return self.rate is not None and len(lately) >= self.rate[1] and sum(lately) >= self.rate[0] * len(lately)

    def report(self, outcome: str, now: float, call: object, period: int) -> None:
        """It ended. Who shows no permit (None) is of this period, and the oldest probe."""
        known = [c for c, _ in self.probes]
        if call is None:
            call, period = known[0] if known else None, self.period
        if period != self.period or self.state == "open" or (self.state == "half-open" and call not in known):
            return
        self.probes = [(c, at) for c, at in self.probes if c is not call]
        if outcome != "release":
            self.ends.append((now, outcome == "fail"))
        if outcome == "ok":
            self.failed, self.good = 0, self.good + 1
            if self.state == "half-open" and self.good >= self.needed:
                self.move("closed", now)
            elif self.state == "closed" and self.too_many(now):
                self.move("open", now)
        elif outcome == "fail":
            self.failed += 1
            if self.state == "half-open" or self.failed >= self.threshold or self.too_many(now):
                self.move("open", now)


rates = st.none() | st.tuples(st.sampled_from([0.25, 0.5, 1.0]), st.integers(1, 6))


@given(
    steps,
    st.sampled_from([1, 2, 3, 99, 99]),
    st.sampled_from([1, 1, 2, 3]),
    st.integers(1, 3),
    st.sampled_from([4.0, 10.0]),
    rates,
)
def test_it_agrees_with_a_plain_model_however_calls_overlap(steps, threshold, needed, limit, lease, rate):
    """Calls that begin and end in any order, late, lost, reported twice or without a permit; failures in a row and
    their rate; and its record can be kept in between."""
    settings = {"failure_threshold": threshold, "recovery_timeout": 10.0, "success_threshold": needed}
    settings |= {"half_open_limit": limit, "probe_lease": lease}
    settings |= {"failure_rate": rate and FailureRate(rate[0], window=40.0, min_calls=rate[1])}
    breaker, model, now = CircuitBreaker(**settings), Model(threshold, 10.0, needed, limit, lease, rate), 0.0
    calls: list[tuple[object, Permit, int]] = []
    for kind, value in steps:
        if kind == "wait":
            now += value
        elif kind == "begin":
            call, permit = object(), breaker.allow(now)
            assert model.allow(now, call) == (permit is not None)
            if permit is not None:
                calls.append((call, permit, model.period))
        elif value is None or calls:
            call, permit, period = (None, None, 0) if value is None else calls[value % len(calls)]
            {"ok": breaker.success, "fail": breaker.failure, "release": breaker.release}[kind](now, permit)
            model.report(kind, now, call, period)
        assert (breaker.state, breaker.failures) == (model.state, model.failed)
        breaker = CircuitBreaker.from_record(json.loads(json.dumps(breaker.record())), **settings)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "ajar"},
        {"state": None},
        {"failures": "many"},
        {"probes": [7]},
        {"probes": None},
        {"state": "open", "opened_at": None},
        {"period": None},
    ],
)
def test_a_record_that_is_none_is_refused_and_changes_nothing(change):
    """And the error shows it."""
    breaker = tripped(3.0)
    before = breaker.record()
    with pytest.raises(ValueError, match="not a circuit breaker's record"):
        breaker.restore({**CircuitBreaker().record(), **change})
    with pytest.raises(ValueError, match="not a circuit breaker's record"):
        CircuitBreaker.from_record({})
    assert breaker.record() == before
