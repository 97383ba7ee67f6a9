"""The client's side of a simulated call: attempts, time-outs and retries, as the strategy's own objects decide.

They are driven as orderlab.patterns.retry drives a real call: the budget hears of each call and each success, the
breaker is asked before every attempt and hears of its result, and `Retry.decide` judges every failure. A time-out ends
an attempt for the client only: the service goes on working, and its late answer is ignored.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable
from functools import partial
from heapq import heappush

from orderlab.patterns.backoff import Rng
from orderlab.patterns.breaker import Open, Permit
from orderlab.patterns.retry import Retry

from .clients import Strategy
from .log import FAILED, NEVER, OK, PENDING, REFUSED, TIMED_OUT, Log
from .service import Failed, Refused

Act = Callable[[float, int], "Event | None"]
Event = tuple[float, int, Act, int]
"""When (seconds), a number that keeps the order of what happens at the same time, what to do, and with which row.

What is done at an event returns the event that follows from it, or None: the heap then replaces the one by the other
in one step. Further events are pushed.
"""

ERRORS = {FAILED: Failed("an error"), REFUSED: Refused("no room, or out of order"), TIMED_OUT: TimeoutError("too late")}
FIRST = (1, 0.0)
INFINITE = math.inf


class Asking:
    """The clients of one service. Rows of the log: `r` is a request, `a` an attempt.

    `send(now, a)` takes an attempt to the service; `done(now, r, ok)` is told of each request that ended.
    """

    def __init__(
        self, strategies: list[Strategy], log: Log, heap: list[Event], tick: Callable[[], int], rng: Rng
    ) -> None:
        self.strategies, self.log, self.heap, self.tick, self.rng = strategies, log, heap, tick, rng
        self.budgets = [None if one.retry is None else one.retry.budget for one in strategies]
        self.tried: dict[int, tuple[int, float]] = {}  # requests that failed: number of the attempt, wait before it
        self.permits: dict[int, Permit] = {}  # of attempts under way
        self.send: Act
        self.again: Act = self.attempt  # bound once, not for every retry
        self.replies = {code: partial(self.failed, outcome=code) for code in ERRORS} | {OK: self.worked}
        self.done: Callable[[float, int, bool], Event | None] | None = None

    def request(self, now: float, client: int) -> Event | None:
        """A new request, and its first attempt."""
        log = self.log
        log.client.append(client)
        log.began.append(now)
        log.ended.append(NEVER)
        budget = self.budgets[client]
        if budget is not None:
            budget.call(now)
        return self.attempt(now, len(log.ended) - 1)

    def queue(self, now: float, client: int) -> int:
        """A new request that waits at its client for its turn to `begin`; its row."""
        log = self.log
        log.client.append(client)
        log.asked.append(now)
        log.began.append(NEVER)
        log.ended.append(NEVER)
        return len(log.ended) - 1

    def begin(self, now: float, r: int) -> Event | None:
        """The first attempt of a request that has waited."""
        self.log.began[r] = now
        budget = self.budgets[self.log.client[r]]
        if budget is not None:
            budget.call(now)
        return self.attempt(now, r)

    def attempt(self, now: float, r: int) -> Event | None:
        """Send an attempt, unless the breaker is open."""
        log = self.log
        a = len(log.sent)
        strategy = self.strategies[log.client[r]]
        breaker, timeout = strategy.breaker, strategy.timeout
        if breaker is not None:
            permit = breaker.allow(now)
            if permit is None:
                return self.judge(now, r, strategy.retry, Open(breaker.retry_in(now)))
            self.permits[a] = permit
        log.request.append(r)
        log.sent.append(now)
        log.answered.append(NEVER)
        log.outcome.append(PENDING)
        if timeout != INFINITE:
            heappush(self.heap, (now + timeout, self.tick(), self.replies[TIMED_OUT], a))
        return self.send(now, a)

    def worked(self, now: float, a: int) -> Event | None:
        """The answer is there, and good."""
        log = self.log
        if log.outcome[a] != PENDING:
            return None  # it timed out before: nobody waits
        log.outcome[a] = OK
        log.answered[a] = now
        r = log.request[a]
        client = log.client[r]
        breaker, budget = self.strategies[client].breaker, self.budgets[client]
        if breaker is not None:
            breaker.success(now, self.permits.pop(a))
        if budget is not None:
            budget.success(now, r in self.tried)
        return self.end(now, r, True)

    def failed(self, now: float, a: int, outcome: int) -> Event | None:
        """An attempt failed: tell the breaker, and ask the policy. Nothing to do when it ended before."""
        log = self.log
        if log.outcome[a] != PENDING:
            return None
        log.outcome[a] = outcome
        log.answered[a] = now
        r = log.request[a]
        strategy = self.strategies[log.client[r]]
        if strategy.breaker is not None:
            strategy.breaker.failure(now, self.permits.pop(a))
        return self.judge(now, r, strategy.retry, ERRORS[outcome])

    def judge(self, now: float, r: int, retry: Retry | None, error: Exception) -> Event | None:
        """Another attempt after a wait, or the end of the request."""
        if retry is not None:
            tried, previous = self.tried.get(r, FIRST)
            wait, _ = retry.decide(error, tried, previous, self.log.began[r], now, self.rng)
            if wait is not None:
                self.tried[r] = tried + 1, wait
                return now + wait, self.tick(), self.again, r
        return self.end(now, r, False)

    def end(self, now: float, r: int, ok: bool) -> Event | None:
        """The request is answered well, or given up."""
        if self.tried:
            self.tried.pop(r, None)
        self.log.ended[r] = now
        return None if self.done is None else self.done(now, r, ok)
