"""Try again: only what may succeed later, only so often, and never for longer than there is time.

`Retry` is a policy without state, apart from the budget that it may carry. `decide` is the whole of it: one failed
attempt in; the wait before the next, or the reason to give up, out. Two drivers use it: `call`, or `wrap` as decorator,
with a clock and a sleep; and `decisions`, a generator for whoever keeps time elsewhere, such as a simulator.

AWS's SDKs retry at this point too: boto3's standard mode makes 3 attempts (DynamoDB 4) behind a budget of its own, also
after a read time-out. Where this policy is in charge, switch that off, `Config(retries={"total_max_attempts": 1})`, or
attempts multiply: 3 around 3 are 9. And a Lambda function that sleeps is billed, and stopped at its time-out (3 s by
default), hence `deadline` and `remaining`.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable, Generator
from dataclasses import KW_ONLY, dataclass, field
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from orderlab.patterns.backoff import Backoff, Rng, full_jitter
from orderlab.patterns.breaker import Open
from orderlab.patterns.budget import Budget
from orderlab.patterns.checks import seconds, whole

P = ParamSpec("P")
T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
Clock = Callable[[], float]
Sleep = Callable[[float], None]

_UP_TO_HALF_A_SECOND, _FOR_EVER = full_jitter(0.1, 0.5), math.inf


@dataclass(frozen=True)
class Decision:
    """What follows a failed attempt, for logs and traces: another after `wait` seconds, or, when that is None, none.

    `attempt` counts from 1. `reason` is "retry", or why not: "not retryable", "attempts", "deadline", "remaining",
    "budget".
    """

    attempt: int
    wait: float | None
    reason: str
    error: Exception


@dataclass(frozen=True)
class Retry:
    """When to try again, and how long to wait.

    attempts     tries in all, the first included
    backoff      the waits between them: one of `orderlab.patterns.backoff`
    retry_on     which errors: types, or a function that answers True. There is no default, since retrying everything
                 retries bugs and refusals too. `breaker.Open` is retried only where its type is named.
    deadline     seconds for the whole call: no wait begins that would not end before
    budget       a token bucket, shared by all calls of a client, that pays for the retries
    retry_after  reads from an error how many seconds the server asks to wait, or None; never less is waited
    on_event     is told each Decision

    Raises ValueError, naming the argument, when one makes no sense.
    """

    attempts: int = 3
    backoff: Backoff = _UP_TO_HALF_A_SECOND
    _: KW_ONLY
    retry_on: Errors
    deadline: float | None = None
    budget: Budget | None = None
    retry_after: Callable[[Exception], float | None] | None = None
    on_event: Callable[[Decision], None] | None = None
    _retried: set[type] = field(default_factory=set, init=False, repr=False, compare=False)  # by their type alone

    def __post_init__(self) -> None:
        whole("attempts", self.attempts)
        if self.deadline is not None:
            seconds("deadline", self.deadline)
        types = self.retry_on if isinstance(self.retry_on, tuple) else (self.retry_on,)
        named = len(types) > 0 and all(isinstance(t, type) and issubclass(t, Exception) for t in types)
        if not named and (isinstance(self.retry_on, type) or not callable(self.retry_on)):
            raise ValueError(f"retry_on names the exceptions to retry, or is a function, got {self.retry_on!r}")

    def retries(self, error: Exception) -> bool:
        """Is this an error that may go away by itself?"""
        errors = self.retry_on
        if isinstance(error, Open):
            named = errors if isinstance(errors, tuple) else (errors,)
            return any(isinstance(e, type) and issubclass(e, Open) and isinstance(error, e) for e in named)
        if not isinstance(errors, (type, tuple)):
            return errors(error)
        if isinstance(error, errors):
            self._retried.add(type(error))
            return True
        return False

    def decide(
        self,
        error: Exception,
        attempt: int,
        previous: float,
        started: float,
        now: float,
        rng: Rng,
        remaining: Clock | None = None,
    ) -> tuple[float | None, str]:
        """Judge one failure: (seconds to wait, "retry") or (None, why not), as in Decision.

        Attempt number `attempt` (from 1) of a call that began at `started` raised `error`; `previous` is the wait
        before that attempt (0.0 before the first); `remaining()` are the seconds that the invocation has left. Nothing
        is changed but the budget, by the one retry that it pays for.
        """
        wait = None
        if type(error) not in self._retried and not self.retries(error):
            reason = "not retryable"
        elif attempt >= self.attempts:
            reason = "attempts"
        else:
            wait = self.backoff(attempt, previous, rng)
            if self.retry_after is not None:
                wait = max(wait, self.retry_after(error) or 0.0)
            if not now - started + wait < (_FOR_EVER if self.deadline is None else self.deadline):
                reason = "deadline"
            elif remaining is not None and not wait < remaining():
                reason = "remaining"
            elif self.budget is not None and not self.budget.take(now):
                reason = "budget"
            else:
                reason = "retry"
        if reason != "retry":
            wait = None
        if self.on_event is not None:
            self.on_event(Decision(attempt, wait, reason, error))
        return wait, reason

    def call(self, fn: Callable[[], T], *, clock: Clock, sleep: Sleep, rng: Rng, remaining: Clock | None = None) -> T:
        """Call `fn` until it returns, and return that; or raise its last error as it is, with a note of the attempts.

        `clock`, `sleep` and `rng` are time.monotonic, time.sleep and random.random, or a test's stand-ins.
        """
        return self._run(fn, (), {}, clock, sleep, rng, remaining)

    def wrap(
        self, *, clock: Clock, sleep: Sleep, rng: Rng, remaining: Clock | None = None
    ) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """`call` as a decorator: `@policy.wrap(clock=time.monotonic, sleep=time.sleep, rng=random.random)`."""

        def decorate(fn: Callable[P, T]) -> Callable[P, T]:
            @wraps(fn)
            def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
                return self._run(fn, args, kwargs, clock, sleep, rng, remaining)

            return wrapper

        return decorate

    def _run(
        self, fn: Callable[..., T], args: Any, kwargs: Any, clock: Clock, sleep: Sleep, rng: Rng, left: Clock | None
    ) -> T:
        attempt, wait, budget = 1, 0.0, self.budget
        # Without a deadline and a budget nothing depends on the start, so the clock need not be read
        started = 0.0 if budget is None and self.deadline is None else clock()
        if budget is not None:
            budget.call(started)
        while True:
            try:
                answer = fn(*args, **kwargs)
            except Exception as error:
                next_wait, reason = self.decide(error, attempt, wait, started, clock(), rng, left)
                if next_wait is None:
                    if attempt > 1 or reason != "not retryable":
                        error.add_note(f"gave up after attempt {attempt} of {self.attempts}: {reason}")
                    raise
            else:
                if budget is not None:
                    budget.success(clock(), attempt > 1)
                return answer
            attempt, wait = attempt + 1, next_wait
            sleep(wait)

    def decisions(
        self, started: float, rng: Rng, remaining: Clock | None = None
    ) -> Generator[float | None, tuple[float, Exception | None], None]:
        """One call, for a driver that keeps time itself: yields how many seconds to wait before each attempt.

        `waits = policy.decisions(now, rng)` begins; `next(waits)` answers 0.0, for the first attempt. After one that
        failed, `waits.send((now, error))` answers the wait before the next, or None to give up. After one that worked,
        `waits.send((now, None))` answers None, and the budget has learnt of it.
        """
        attempt, wait = 1, 0.0
        if self.budget is not None:
            self.budget.call(started)
        now, error = yield wait
        while error is not None:
            next_wait, _ = self.decide(error, attempt, wait, started, now, rng, remaining)
            attempt, wait = attempt + 1, next_wait or 0.0
            now, error = yield next_wait
        if self.budget is not None:
            self.budget.success(now, attempt > 1)
        yield None
