"""One circuit breaker for all execution environments: the same state machine, its state behind compare-and-set.

AWS Lambda gives each concurrent invocation an environment of its own, and a breaker in its memory sees only that one:
fifty environments make 250 failing calls before all of them are open, and then send fifty probes. Here each operation
loads the shared record, lets the pure breaker judge, and saves only what changed, and only if nobody was faster. So the
fleet counts one run of failures, one environment trips for all, and exactly one of them gets the probe. While all is
well nothing is written: a call costs two reads.

A probe whose environment died holds its place until its lease (`probe_lease`) is over. Clocks may differ: a skew of s
seconds, less than the timeout, makes recovery up to s early or late, and the probe stays the only one while it takes
less than its lease minus s. A store that cannot be reached, or a record that cannot be read, leaves the decision to the
local breaker, which goes on from the state that was last seen; what it then decides stays local.

Powertools for AWS Lambda 3.37 has one too, `circuit_breaker`. Until one of these is met, the two agree on every trace:

    count          it counts failures in each environment, and shares only that one has tripped; here all count together
    late result    a call from before the trip, or a probe past its lease, still moves its state; here a permit is over
    probers        it wants all good probes from one environment; here each may come from another one
    ignored probe  a probe that ends in an ignored error keeps the place until its lease is over; here the next may try
    store away     it lets everything through, and never opens; here the local breaker decides
    cached state   it believes for 5 s (a setting) what it has read; here each call reads
    whole seconds  its times are cut to them, so a probe may come up to 1 s early; here they are exact
    writes         it writes only when the state changes; here a failure is a write too, the price of one count
    good probes    3 close it unless it is told otherwise; here 1

It may be used by several threads, which this may not. Source: its code, and powertools-lambda-python issue 8257.
Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from orderlab.patterns.breaker import CircuitBreaker, Open, Permit
from orderlab.patterns.checks import whole

T = TypeVar("T")
Record = dict[str, Any]


class Store(Protocol):
    """Where the record is kept. Any exception from it means: unreachable."""

    def load(self) -> tuple[Record | None, int]:
        """The record (None before the first save) and its version, read consistently."""

    def save(self, record: Record, version: int) -> tuple[Record | None, int] | None:
        """Replace the record if it still has that version. None: done; else somebody was first: what is there now."""


class MemoryStore:
    """A store in memory, for lessons and tests; as JSON text, as a real one would keep it."""

    def __init__(self) -> None:
        self.text, self.version = "null", 0

    def load(self) -> tuple[Record | None, int]:
        """See Store."""
        return json.loads(self.text), self.version

    def save(self, record: Record, version: int) -> tuple[Record | None, int] | None:
        """See Store."""
        if version != self.version:
            return json.loads(self.text), self.version
        self.text, self.version = json.dumps(record), version + 1
        return None


@dataclass(frozen=True, slots=True)
class LocalPermit(Permit):
    """A permit that the local breaker gave while the store was unreachable: its result never reaches the record."""


class SharedBreaker:
    """`allow`, `success`, `failure`, `release` and `call` as in CircuitBreaker, for everyone who uses the same store.

    `local` is a new breaker with the settings, which all must share; it becomes the working copy. A change that loses
    the compare-and-set `tries` times is given up: others are writing the same news. `on_error` is told what the store
    raised. Raises ValueError for a breaker with a failure rate, which would write at every call.
    """

    def __init__(
        self,
        store: Store,
        local: CircuitBreaker,
        *,
        tries: int = 5,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        if local.failure_rate is not None:
            raise ValueError(
                "a shared breaker counts failures in a row; a failure rate would be a write for every call"
            )
        self.store, self.local, self.tries, self.on_error = store, local, whole("tries", tries), on_error
        self._new = local.record()

    @property
    def state(self) -> str:
        """The state that was last seen: "closed", "open" or "half-open"."""
        return self.local.state

    @property
    def opened_at(self) -> float | None:
        """When it tripped, as last seen, by the clock of the environment that saw it; None while closed."""
        return self.local.opened_at

    def retry_in(self, now: float) -> float:
        """Seconds until a probe may pass, from the state that was last seen."""
        return self.local.retry_in(now)

    def allow(self, now: float) -> Permit | None:
        """May a call pass? A permit, or None. Of all environments only `half_open_limit` at a time get a probe."""
        permit, shared = self._share(lambda: self.local.allow(now))
        return permit if shared or permit is None else LocalPermit(permit.period, permit.probe)

    def success(self, now: float, permit: Permit | None = None) -> None:
        """A call succeeded."""
        self._share(lambda: self.local.success(now, permit), permit)

    def failure(self, now: float, permit: Permit | None = None) -> None:
        """A call failed in a way that speaks against the dependency."""
        self._share(lambda: self.local.failure(now, permit), permit)

    def release(self, now: float, permit: Permit | None = None) -> None:
        """A call ended and says nothing about the dependency."""
        self._share(lambda: self.local.release(now, permit), permit)

    def call(self, fn: Callable[[], T], *, clock: Callable[[], float], ignore: tuple[type[Exception], ...] = ()) -> T:
        """As CircuitBreaker.call. Raises Open where the circuit lets nothing pass, and whatever `fn` raises."""
        now = clock()
        permit = self.allow(now)
        if permit is None:
            raise Open(self.retry_in(now))
        try:
            answer = fn()
        except ignore:
            self.release(clock(), permit)
            raise
        except Exception:
            self.failure(clock(), permit)
            raise
        self.success(clock(), permit)
        return answer

    def _share(self, act: Callable[[], T], permit: Permit | None = None) -> tuple[T | None, bool]:
        """Do `act` on the shared state. Answers its result, and whether it is what all others will see."""
        seen = None
        for _ in range(self.tries):
            try:
                record, version = seen or self.store.load()
                self.local.restore(record or self._new)
            except Exception as error:
                self._report(error)
                return act(), False
            if isinstance(permit, LocalPermit):
                break
            before = self.local.record()
            answer = act()
            after = self.local.record()
            try:
                seen = None if after == before else self.store.save(after, version)
            except Exception as error:  # saved or not, nobody knows: so it counts here only
                self._report(error)
                return answer, False
            if seen is None:
                return answer, True
        return None, True

    def _report(self, error: Exception) -> None:
        if self.on_error is not None:
            self.on_error(error)
