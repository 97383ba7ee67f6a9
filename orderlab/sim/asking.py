"""The client's side of a simulated call: attempts, time-outs and retries, as the strategy's own objects decide.

They are driven as orderlab.patterns.retry drives a real call: the budget hears of each call and each success, the
breaker is asked before every attempt and hears of its result, and `Retry.decide` judges every failure. A time-out ends
an attempt for the client only: the service goes on working, and its late answer is ignored.

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable
from heapq import heappush

from orderlab.patterns.backoff import Rng
from orderlab.patterns.breaker import Open, Permit

from .clients import Strategy
from .log import FAILED, NEVER, OK, PENDING, REFUSED, TIMED_OUT, Log
from .service import Failed, Refused

Act = Callable[[float, int], None]
Event = tuple[float, int, Act, int]
"""When (seconds), a number that keeps the order of what happens at the same time, what to do, and with which row."""

ERRORS = {FAILED: Failed("an error"), REFUSED: Refused("no room, or out of order"), TIMED_OUT: TimeoutError("too late")}


class Asking:
    """The clients of one service. Rows of the log: `r` is a request, `a` an attempt.

    `send(now, a)` takes an attempt to the service; `done(now, r, ok)` is told of each request that ended.
    """

    def __init__(
        self, strategies: list[Strategy], log: Log, heap: list[Event], tick: Callable[[], int], rng: Rng
    ) -> None:
        self.strategies, self.log, self.heap, self.tick, self.rng = strategies, log, heap, tick, rng
        self.budgets = [None if strategy.retry is None else strategy.retry.budget for strategy in strategies]
        self.tried: dict[int, tuple[int, float]] = {}  # requests that failed before: how often, and the last wait
        self.permits: dict[int, Permit] = {}  # of attempts under way
        self.send: Act
        self.done: Callable[[float, int, bool], None] = lambda now, r, ok: None

    def queue(self, now: float, client: int) -> int:
        """A new request, which waits at its client. Returns its row."""
        log = self.log
        log.client.append(client)
        log.asked.append(now)
        log.began.append(NEVER)
        log.ended.append(NEVER)
        return len(log.ended) - 1

    def request(self, now: float, client: int) -> None:
        """A new request, and its first attempt."""
        log = self.log
        log.client.append(client)
        log.began.append(now)
        log.ended.append(NEVER)
        self.begin(now, len(log.ended) - 1)

    def begin(self, now: float, r: int) -> None:
        """The first attempt of a request."""
        log = self.log
        log.began[r] = now
        budget = self.budgets[log.client[r]]
        if budget is not None:
            budget.call(now)
        self.attempt(now, r)

    def attempt(self, now: float, r: int) -> None:
        """Send an attempt, unless the breaker is open."""
        log = self.log
        strategy = self.strategies[log.client[r]]
        a = len(log.sent)
        if strategy.breaker is not None:
            permit = strategy.breaker.allow(now)
            if permit is None:
                return self.failed(now, r, Open(strategy.breaker.retry_in(now)))
            self.permits[a] = permit
        log.request.append(r)
        log.sent.append(now)
        log.begun.append(NEVER)
        log.left.append(NEVER)
        log.answered.append(NEVER)
        log.outcome.append(PENDING)
        if strategy.timeout < math.inf:
            heappush(self.heap, (now + strategy.timeout, self.tick(), self.timed_out, a))
        self.send(now, a)

    def worked(self, now: float, a: int) -> None:
        """The answer is there, and good."""
        log = self.log
        if log.outcome[a] != PENDING:
            return  # it timed out before: nobody waits
        log.outcome[a] = OK
        log.answered[a] = now
        r = log.request[a]
        strategy = self.strategies[log.client[r]]
        if strategy.breaker is not None:
            strategy.breaker.success(now, self.permits.pop(a))
        if strategy.retry is not None and strategy.retry.budget is not None:
            strategy.retry.budget.success(now)
        self.tried.pop(r, None)
        log.ended[r] = now
        self.done(now, r, True)

    def refused(self, now: float, a: int) -> None:
        """The answer is there: nothing was done."""
        self.ended_badly(now, a, REFUSED)

    def broke(self, now: float, a: int) -> None:
        """The answer is there, and is an error."""
        self.ended_badly(now, a, FAILED)

    def timed_out(self, now: float, a: int) -> None:
        """No answer so far, and the client waits no longer."""
        self.ended_badly(now, a, TIMED_OUT)

    def ended_badly(self, now: float, a: int, outcome: int) -> None:
        """An attempt failed: tell the breaker, and ask the policy. Nothing to do when it ended before."""
        log = self.log
        if log.outcome[a] != PENDING:
            return
        log.outcome[a] = outcome
        log.answered[a] = now
        r = log.request[a]
        breaker = self.strategies[log.client[r]].breaker
        if breaker is not None:
            breaker.failure(now, self.permits.pop(a))
        self.failed(now, r, ERRORS[outcome])

    def failed(self, now: float, r: int, error: Exception) -> None:
        """Another attempt after a wait, or the end of the request."""
        log = self.log
        retry = self.strategies[log.client[r]].retry
        wait = None
        if retry is not None:
            before, previous = self.tried.get(r, (0, 0.0))
            wait, _ = retry.decide(error, before + 1, previous, log.began[r], now, self.rng)
            if wait is not None:
                self.tried[r] = before + 1, wait
                heappush(self.heap, (now + wait, self.tick(), self.attempt, r))
                return
        self.tried.pop(r, None)
        log.ended[r] = now
        self.done(now, r, False)
