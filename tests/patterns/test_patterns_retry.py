"""Retry as a call, a decorator and a generator of decisions; and everything that must end it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.backoff import decorrelated_jitter, exponential, full_jitter, none
from orderlab.patterns.breaker import Open
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Decision, Retry


class Transient(Exception):
    """An error that may go away."""


class World:
    """A clock that only sleeping and working move, and a function that fails as told."""

    def __init__(self, *outcomes, takes: float = 0.0) -> None:
        self.now, self.slept, self.calls, self.outcomes, self.takes = 0.0, [], 0, list(outcomes), takes

    def clock(self) -> float:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass time."""
        self.slept.append(seconds)
        self.now += seconds

    def work(self) -> str:
        """The next outcome: an exception is raised, anything else returned; "ok" when there is none left."""
        self.calls += 1
        self.now += self.takes
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def run(self, policy: Retry, **more) -> str:
        """Drive the policy with this world's time."""
        return policy.call(self.work, clock=self.clock, sleep=self.sleep, rng=lambda: 0.5, **more)


def test_the_first_success_is_returned_without_waiting():
    """No failure, no sleep."""
    world = World("done")
    assert world.run(Retry(retry_on=Transient)) == "done"
    assert (world.calls, world.slept) == (1, [])


def test_it_waits_by_the_backoff_until_a_try_works():
    """Two failures, two waits, each from the strategy with the attempt counted from 1."""
    world = World(Transient(), Transient(), "done")
    assert world.run(Retry(5, exponential(1, 10), retry_on=Transient)) == "done"
    assert world.slept == [1, 2]


def test_the_default_is_three_attempts_with_full_jitter_up_to_half_a_second():
    """The shop's own provider call."""
    world = World(Transient(), Transient(), Transient())
    with pytest.raises(Transient):
        world.run(Retry(retry_on=Transient))
    assert world.slept == [0.05, 0.1]
    assert Retry(retry_on=Transient).backoff(50, 0.0, lambda: 1.0) == 0.5


def test_the_last_error_is_raised_as_it_is_with_a_note():
    """The very object, with what was tried; no chain of the earlier ones."""
    first, last = Transient("first"), Transient("last")
    with pytest.raises(Transient) as raised:
        World(first, last).run(Retry(2, none(), retry_on=Transient))
    assert raised.value is last
    assert raised.value.__notes__ == ["gave up after attempt 2 of 2: attempts"]
    assert raised.value.__context__ is None
    assert not hasattr(first, "__notes__")


def test_what_is_not_named_is_never_retried():
    """And comes out untouched."""
    bug = KeyError("sku")
    with pytest.raises(KeyError) as raised:
        World(bug).run(Retry(retry_on=(Transient, OSError)))
    assert raised.value is bug and not hasattr(bug, "__notes__")


def test_which_errors_to_retry_can_be_a_question():
    """As for botocore's ClientError, where the code decides."""
    policy = Retry(5, none(), retry_on=lambda error: "throttled" in str(error))
    world = World(ValueError("throttled"), ValueError("refused"))
    with pytest.raises(ValueError, match="refused"):
        world.run(policy)
    assert world.calls == 2


class OpenToo(Open):
    """A more special kind of open."""


@pytest.mark.parametrize(
    ("retry_on", "error", "again"),
    [
        (Exception, Open(), False),
        ((Transient, Exception), Open(), False),
        ((lambda error: True), Open(), False),
        (Open, Open(), True),
        ((Transient, Open), Open(), True),
        ((Transient, Open), OpenToo(), True),
        (OpenToo, OpenToo(), True),
        (OpenToo, Open(), False),
        (Exception, Transient(), True),
    ],
)
def test_an_open_circuit_is_retried_only_where_its_type_is_named(retry_on, error, again):
    """Retrying what the breaker refuses would only burn the time that is left."""
    assert Retry(retry_on=retry_on).retries(error) is again


def test_what_kills_an_invocation_is_never_caught():
    """KeyboardInterrupt and SystemExit pass through at once."""
    world = World(SystemExit())
    with pytest.raises(SystemExit):
        world.run(Retry(retry_on=Exception))
    assert world.calls == 1


def test_no_wait_begins_that_would_not_end_before_the_deadline():
    """Deadline 4 s, waits of 1, 2, 4 s: the third would end at 7 s, so the call ends after the third try at 3 s."""
    world = World(*[Transient() for _ in range(9)])
    with pytest.raises(Transient) as raised:
        world.run(Retry(9, exponential(1, 60), retry_on=Transient, deadline=4.0))
    assert (world.slept, world.now) == ([1, 2], 3)
    assert raised.value.__notes__ == ["gave up after attempt 3 of 9: deadline"]


def test_the_time_that_the_tries_take_counts_for_the_deadline():
    """Tries of 1 s each and no wait at all: with a deadline of 2.5 s the third is the last."""
    world = World(*[Transient() for _ in range(9)], takes=1.0)
    with pytest.raises(Transient):
        world.run(Retry(9, none(), retry_on=Transient, deadline=2.5))
    assert world.calls == 3


def test_it_never_sleeps_beyond_what_the_invocation_has_left():
    """Remaining 2.9 s: waits of 1 s fit twice; the third would end 0.1 s after the function was stopped."""
    world = World(*[Transient() for _ in range(9)])
    with pytest.raises(Transient) as raised:
        world.run(Retry(9, exponential(1, 1), retry_on=Transient), remaining=lambda: 2.9 - world.now)
    assert world.slept == [1, 1]
    assert raised.value.__notes__ == ["gave up after attempt 3 of 9: remaining"]


@pytest.mark.parametrize(("deadline", "left"), [(None, 1.0), (1.0, 9.0)])
def test_a_wait_that_takes_all_that_is_left_is_too_long(deadline, left):
    """No time would be left to try in: neither of the invocation nor of the deadline."""
    world = World(Transient())
    with pytest.raises(Transient):
        world.run(Retry(2, exponential(1, 1), retry_on=Transient, deadline=deadline), remaining=lambda: left)
    assert world.slept == []


def test_each_wait_is_told_the_one_before():
    """Decorrelated jitter grows from what was drawn: half-way between 1 and 3 is 2, then between 1 and 6."""
    world = World(Transient(), Transient(), Transient())
    world.run(Retry(4, decorrelated_jitter(1, 60), retry_on=Transient))
    assert world.slept == [2.0, 3.5, 5.75]
    waits = Retry(4, decorrelated_jitter(1, 60), retry_on=Transient).decisions(0.0, lambda: 0.5)
    next(waits)
    assert [waits.send((0.0, Transient())) for _ in range(3)] == [2.0, 3.5, 5.75]


def test_a_server_that_asks_to_wait_is_never_asked_earlier():
    """Retry-after 3 s against a back-off of 1 s; then none, and less than the back-off."""
    answers = iter([3.0, None, 0.5])
    world = World(Transient(), Transient(), Transient(), "done")
    policy = Retry(9, exponential(1, 1), retry_on=Transient, retry_after=lambda error: next(answers))
    assert world.run(policy) == "done"
    assert world.slept == [3.0, 1, 1]


@pytest.mark.parametrize("asked", [math.inf, 1e6])
def test_a_server_that_asks_for_too_long_ends_the_call(asked):
    """Longer than the deadline is no wait at all."""
    world = World(Transient())
    with pytest.raises(Transient):
        world.run(Retry(retry_on=Transient, deadline=5.0, retry_after=lambda error: asked))
    assert world.slept == []


def test_an_endless_wait_ends_the_call_even_without_a_deadline():
    """Nobody sleeps for ever; and a wait that is no number is none."""
    for never in (lambda attempt, previous, rng: math.inf, lambda attempt, previous, rng: math.nan):
        world = World(Transient())
        with pytest.raises(Transient):
            world.run(Retry(2, never, retry_on=Transient))
        assert world.slept == []


def test_the_budget_pays_for_retries_and_for_nothing_else():
    """Two tokens: two retries over several calls; first tries are free; a forbidden retry costs none."""
    budget = Budget(2)
    policy = Retry(9, none(), retry_on=Transient, budget=budget)
    world = World(*[Transient() for _ in range(9)])
    with pytest.raises(Transient) as raised:
        world.run(policy)
    assert world.calls == 3
    assert raised.value.__notes__ == ["gave up after attempt 3 of 9: budget"]
    assert World("done").run(policy) == "done"
    late = Retry(9, exponential(9, 9), retry_on=Transient, budget=Budget(1), deadline=1.0)
    with pytest.raises(Transient):
        World(Transient()).run(late)
    assert late.budget.tokens == 1


def test_the_budget_learns_of_calls_and_successes():
    """One call with one retry that works: -1 for the retry, +0.1 for the call (full), +0.2 for the success."""
    budget = Budget(5, per_call=0.1, per_success=0.2)
    World(Transient(), "done").run(Retry(retry_on=Transient, budget=budget))
    assert budget.tokens == pytest.approx(4.2)


def test_the_hook_sees_every_decision_with_its_reason():
    """For logs and traces."""
    seen = []
    last = KeyError("bug")
    with pytest.raises(KeyError):
        World(Transient(), last).run(Retry(3, exponential(1, 1), retry_on=Transient, on_event=seen.append))
    assert [(d.attempt, d.wait, d.reason) for d in seen] == [(1, 1, "retry"), (2, None, "not retryable")]
    assert isinstance(seen[0], Decision) and seen[1].error is last
    assert last.__notes__ == ["gave up after attempt 2 of 3: not retryable"]


def test_as_a_decorator_it_keeps_name_and_arguments():
    """Positional and keyword arguments reach the function at each try."""
    world, seen = World(Transient(), Transient()), []

    @Retry(3, none(), retry_on=Transient).wrap(clock=world.clock, sleep=world.sleep, rng=lambda: 0.5)
    def charge(order, *, amount):
        """Charge it."""
        seen.append((order, amount))
        return world.work()

    assert charge("ORD-1", amount=5) == "ok"
    assert seen == [("ORD-1", 5)] * 3
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge it.")


def test_one_call_after_another_starts_afresh():
    """A policy has no memory of its own: the second call has all its attempts."""
    policy = Retry(2, none(), retry_on=Transient)
    for _ in range(3):
        assert World(Transient(), "done").run(policy) == "done"


def test_as_a_generator_it_decides_for_who_keeps_time_elsewhere():
    """0.0 for the first try, then each wait; None when it gives up; the budget learns of the success."""
    budget = Budget(5, per_success=1)
    policy = Retry(3, exponential(1, 10), retry_on=Transient, budget=budget)
    waits = policy.decisions(100.0, lambda: 0.5)
    assert next(waits) == 0.0
    assert waits.send((100.5, Transient())) == 1.0
    assert waits.send((102.0, Transient())) == 2.0
    assert waits.send((104.5, Transient())) is None
    assert budget.tokens == 3
    waits = policy.decisions(200.0, lambda: 0.5)
    next(waits)
    assert waits.send((200.5, Transient())) == 1.0
    assert waits.send((202.0, None)) is None
    assert budget.tokens == 3  # one retry paid, one success earned


class Bug(Exception):
    """An error that stays."""


class Asks(Transient):
    """An error whose server asks to wait for so many seconds."""


ERRORS = {"transient": Transient(), "asks 2 s": Asks(2.0), "bug": Bug(), "open": Open()}
eighths = st.integers(0, 24).map(lambda n: n / 8)  # seconds that add up exactly
policies = st.fixed_dictionaries(
    {
        "attempts": st.sampled_from([1, 2, 3, 6, 6, 6]),
        "backoff": st.sampled_from([none(), exponential(0.5, 2), full_jitter(1, 4), decorrelated_jitter(0.5, 8)]),
        "retry_on": st.sampled_from([Transient, (Transient, Open), lambda error: isinstance(error, (Transient, Open))]),
        "deadline": st.none() | st.sampled_from([1.0, 4.0, 16.0]),
        "retry_after": st.none() | st.just(lambda error: error.args[0] if isinstance(error, Asks) else None),
    }
)
budgets = st.none() | st.tuples(st.integers(1, 3), st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.25]))
MOSTLY = ["transient"] * 8 + ["asks 2 s"] * 3 + ["bug", "open", "ok"]
ends = st.lists(st.lists(st.sampled_from(MOSTLY), min_size=6, max_size=6), min_size=2, max_size=6)
Told = list[tuple[float | None, str]]


def expected_of(traces, policy, filled, takes, until, draw) -> tuple[list[Told], float, float | None]:
    """The rules once more, in a loop: what is decided after each failure of each call; then the time and the tokens."""
    now, told = 0.0, []
    tokens, per_call, per_success = filled or (math.inf, 0.0, 0.0)
    most = tokens
    for trace in traces:
        told.append([])
        tokens, started, wait = min(most, tokens + per_call), now, 0.0
        for attempt, outcome in enumerate(trace, 1):
            now += takes
            if outcome == "ok":
                tokens = min(most, tokens + per_success)
                break
            again = outcome != "bug" and (outcome != "open" or isinstance(policy["retry_on"], tuple))
            wait = policy["backoff"](attempt, wait, lambda: draw)
            wait = max(wait, 2.0) if outcome == "asks 2 s" and policy["retry_after"] else wait
            reasons = {
                "not retryable": not again,
                "attempts": attempt >= policy["attempts"],
                "deadline": now - started + wait >= (policy["deadline"] or math.inf),
                "remaining": wait >= until - now,
                "budget": tokens < 1,
            }
            reason = next((name for name, holds in reasons.items() if holds), "retry")
            told[-1].append((wait, reason) if reason == "retry" else (None, reason))
            if reason != "retry":
                break
            tokens, now = tokens - 1, now + wait
    return told, now, filled and tokens


@given(ends, policies, budgets, eighths, st.sampled_from([8.0, 64.0]), st.sampled_from([0.0, 0.25, 0.5]))
def test_all_ways_to_use_it_agree_with_a_model_on_every_trace(traces, policy, filled, takes, until, draw):
    """Calls in a row that share a budget: call, decorator, generator and single decisions wait, stop and pay alike."""
    wanted, end, left = expected_of(traces, policy, filled, takes, until, draw)

    def by_driver(decorated: bool) -> None:
        for trace in traces:
            world.outcomes = [ERRORS.get(outcome, outcome) for outcome in trace]
            told.append([])
            how = {"clock": world.clock, "sleep": world.sleep, "rng": lambda: draw, "remaining": remaining}
            try:
                answer = retry.wrap(**how)(world.work)() if decorated else retry.call(world.work, **how)
                assert answer == "ok" == trace[len(told[-1])]
            except Exception as error:
                assert error is ERRORS[trace[len(told[-1]) - 1]]
                error.__dict__.pop("__notes__", None)

    def by_generator() -> None:
        for trace in traces:
            told.append([])
            waits = retry.decisions(world.now, lambda: draw, remaining)
            assert next(waits) == 0.0
            for outcome in trace:
                world.now += takes
                wait = waits.send((world.now, ERRORS.get(outcome)))
                if wait is None:
                    break
                world.now += wait

    def by_hand() -> None:
        for trace in traces:
            told.append([])
            started, wait = world.now, 0.0
            if retry.budget is not None:
                retry.budget.call(started)
            for attempt, outcome in enumerate(trace, 1):
                world.now += takes
                if outcome == "ok":
                    if retry.budget is not None:
                        retry.budget.success(world.now)
                    break
                answer = retry.decide(ERRORS[outcome], attempt, wait, started, world.now, lambda: draw, remaining)
                assert answer == told[-1][-1]
                if answer[0] is None:
                    break
                wait = answer[0]
                world.now += wait

    for way in (lambda: by_driver(False), lambda: by_driver(True), by_generator, by_hand):
        world, told = World(takes=takes), []
        budget = filled and Budget(filled[0], per_call=filled[1], per_success=filled[2])
        retry = Retry(**policy, budget=budget, on_event=lambda d: told[-1].append((d.wait, d.reason)))  # noqa: B023

        def remaining(world: World = world) -> float:
            return until - world.now

        way()
        assert (told, world.now, budget and budget.tokens) == (wanted, end, left)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attempts": 0}, "attempts is a whole number, at least 1, got 0"),
        ({"attempts": -1}, "attempts is a whole number"),
        ({"attempts": 2.5}, "attempts is a whole number"),
        ({"deadline": 0}, "deadline is seconds above 0, got 0"),
        ({"deadline": math.nan}, "deadline is seconds above 0"),
        ({"deadline": -3.0}, "deadline is seconds above 0"),
        ({"retry_on": ()}, "retry_on names the exceptions to retry"),
        ({"retry_on": BaseException}, "retry_on names the exceptions to retry"),
        ({"retry_on": (Transient, KeyboardInterrupt)}, "retry_on names the exceptions to retry"),
        ({"retry_on": (Transient, lambda error: True)}, "retry_on names the exceptions to retry"),
        ({"retry_on": "Transient"}, "retry_on names the exceptions to retry"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    """One line that names the argument."""
    with pytest.raises(ValueError, match=message):
        Retry(**{"retry_on": Transient, **settings})


def test_there_is_no_default_for_what_to_retry():
    """It has to be said."""
    with pytest.raises(TypeError, match="retry_on"):
        Retry()
