"""A circuit breaker: stop calling what keeps failing, and find out with one call whether it is back.

closed     calls pass; `failure_threshold` failures in a row trip it
open       calls are refused, at once and without touching the dependency, for `recovery_timeout` seconds
half-open  `half_open_limit` probes at a time pass; `success_threshold` of them close it, one failure opens it again

These are the rules of pybreaker 1.4.1, and the article's: five consecutive errors. Beyond them, a call that is let in
gets a permit. A result that belongs to an earlier state (a slow call from before the trip) changes nothing, and a probe
that is never reported gives its place back after a lease. In AWS Lambda an object of this class lives in one execution
environment: fifty environments are fifty breakers and 250 errors. One that all share is in `shared_breaker`.

Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from orderlab.patterns.checks import finite, seconds, whole
from orderlab.patterns.failure_rate import FailureRate

T = TypeVar("T")

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"
SLACK = 1e-6  # seconds: sums of float times are off in their last digits, pybreaker's clock counts microseconds


class Open(Exception):
    """The circuit is open: nothing was called. `retry_in` is the number of seconds until a probe may pass."""

    def __init__(self, retry_in: float = 0.0) -> None:
        super().__init__(retry_in)
        self.retry_in = retry_in

    def __str__(self) -> str:
        return f"the circuit is open; a probe may pass in {self.retry_in:g} s"


@dataclass(frozen=True, slots=True)
class Permit:
    """The admission of one call, to be handed back once, with its result. `probe` is 0 for a call that is none."""

    period: int
    probe: int = 0


class CircuitBreaker:
    """The state machine. Times are seconds of one clock, given by the caller; not for several threads.

    failure_threshold  failures in a row that trip it
    recovery_timeout   seconds from the trip to the first probe
    success_threshold  probes that must succeed to close it
    half_open_limit    probes under way at the same time
    failure_rate       a second way to trip, beside the failures in a row
    probe_lease        seconds after which an unreported probe counts as lost; recovery_timeout unless given

    A time that lies a whole timeout ahead of the caller's clock can only be wrong, and counts as over: a clock that
    jumped costs an early probe, never a breaker that stays open. Raises ValueError for bad settings and times.
    """

    def __init__(
        self,
        failure_threshold: int = 5,
        recovery_timeout: float = 30.0,
        success_threshold: int = 1,
        half_open_limit: int = 1,
        *,
        failure_rate: FailureRate | None = None,
        probe_lease: float | None = None,
    ) -> None:
        self.failure_threshold = whole("failure_threshold", failure_threshold)
        self.recovery_timeout = seconds("recovery_timeout", recovery_timeout)
        self.success_threshold = whole("success_threshold", success_threshold)
        self.half_open_limit = whole("half_open_limit", half_open_limit)
        self.failure_rate = failure_rate
        self.probe_lease = seconds("probe_lease", recovery_timeout if probe_lease is None else probe_lease)
        self.state = CLOSED
        """What the last event left: "closed", "open" or "half-open"; open turns half-open when `allow` is asked."""
        self.failures = 0
        """In a row, the one that tripped it included."""
        self.opened_at: float | None = None
        self._period = 0  # counts the changes of state: a permit of another period is late
        self._permit = Permit(0)  # all calls of a closed circuit share one
        self._successes = 0
        self._probes: dict[int, float] = {}  # under way: number, when it began
        self._last_probe = 0

    def retry_in(self, now: float) -> float:
        """Seconds until a probe may pass: 0.0 when one may pass now, or when the circuit is closed."""
        if self.state == OPEN:
            return _left(self.opened_at, self.recovery_timeout, now)
        if len(self._probes) < self.half_open_limit:
            return 0.0
        return min(_left(began, self.probe_lease, now) for began in self._probes.values())

    def state_at(self, now: float) -> str:
        """The state as a call at `now` would find it; changes nothing."""
        return HALF_OPEN if self.state == OPEN and self.retry_in(now) == 0 else self.state

    def allow(self, now: float) -> Permit | None:
        """May a call pass? A permit, to be given to `success`, `failure` or `release`; or None: do not call."""
        if self.state == CLOSED:
            return self._permit
        if self.retry_in(finite("now", now)) > 0:
            return None
        if self.state == OPEN:
            self._enter(HALF_OPEN)
        self._probes = {probe: at for probe, at in self._probes.items() if _left(at, self.probe_lease, now) > 0}
        self._last_probe += 1
        self._probes[self._last_probe] = now
        return Permit(self._period, self._last_probe)

    def success(self, now: float, permit: Permit | None = None) -> None:
        """A call succeeded. Without a permit it counts for the present state (half-open: for the oldest probe)."""
        if permit is not None and permit.period != self._period:
            return
        if self.state == CLOSED:
            self.failures = 0
            if self.failure_rate is not None and self.failure_rate.reached(finite("now", now), False):
                self._enter(OPEN, now)
        elif self._end_probe(permit):
            self.failures = 0
            self._successes += 1
            if self._successes >= self.success_threshold:
                self._enter(CLOSED)

    def failure(self, now: float, permit: Permit | None = None) -> None:
        """A call failed in a way that speaks against the dependency. A refusal that is right, a 400, is `release`d."""
        if permit is not None and permit.period != self._period:
            return
        finite("now", now)
        if self.state == CLOSED:
            self.failures += 1
            too_many = self.failure_rate is not None and self.failure_rate.reached(now, True)
            if too_many or self.failures >= self.failure_threshold:
                self._enter(OPEN, now)
        elif self._end_probe(permit):
            self.failures += 1
            self._enter(OPEN, now)

    def release(self, now: float, permit: Permit | None = None) -> None:
        """A call ended and says nothing about the dependency: a probe gives its place to the next."""
        self._end_probe(permit)

    def call(self, fn: Callable[[], T], *, clock: Callable[[], float], ignore: tuple[type[Exception], ...] = ()) -> T:
        """Call `fn` if the circuit lets it pass, and report its result; errors in `ignore` do not count.

        Raises Open where it does not, and whatever `fn` raises.
        """
        permit: Permit | None = self._permit
        if self.state != CLOSED:
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
        # All is well, and was before: there is nothing to count, so the clock need not be read
        if self.state != CLOSED or self.failures or self.failure_rate is not None:
            self.success(clock(), permit)
        return answer

    def record(self) -> dict[str, Any]:
        """The state (settings and failure rate apart) as numbers, strings and lists, to be kept elsewhere as JSON."""
        return {
            "state": self.state,
            "failures": self.failures,
            "opened_at": self.opened_at,
            "period": self._period,
            "successes": self._successes,
            "probes": [[probe, began] for probe, began in self._probes.items()],
            "last_probe": self._last_probe,
        }

    def restore(self, record: dict[str, Any]) -> None:
        """Take over a record's state. Raises ValueError when it is not a breaker's."""
        try:
            state, opened_at = record["state"], record["opened_at"]
            if state not in (CLOSED, OPEN, HALF_OPEN):
                raise ValueError(f"a circuit is closed, open or half-open, not {state!r}")
            opened_at = None if state == CLOSED else float(opened_at)
            probes = {int(probe): float(began) for probe, began in record["probes"]}
            numbers = [int(record[name]) for name in ("failures", "successes", "period", "last_probe")]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a circuit breaker's record: {record!r}") from error
        self.state, self.opened_at, self._probes = state, opened_at, probes
        self.failures, self._successes, self._period, self._last_probe = numbers
        self._permit = Permit(self._period)

    @classmethod
    def from_record(cls, record: dict[str, Any], **settings: Any) -> "CircuitBreaker":
        """A breaker with these settings (the constructor's) and that record's state."""
        breaker = cls(**settings)
        breaker.restore(record)
        return breaker

    def _enter(self, state: str, now: float | None = None) -> None:
        """Begin a new period: results of calls that were let in before no longer count."""
        if state == OPEN:
            self.opened_at = now
        elif state == CLOSED:
            self.opened_at = None
            if self.failure_rate is not None:
                self.failure_rate.tenths.clear()
        self.state, self._successes, self._probes = state, 0, {}
        self._period += 1
        self._permit = Permit(self._period)

    def _end_probe(self, permit: Permit | None) -> bool:
        """Take a probe off the list; False when it is not there: reported before, or lost by its lease."""
        probe = permit.probe if permit is not None else min(self._probes, default=0)
        return self._probes.pop(probe, None) is not None


def _left(since: float | None, length: float, now: float) -> float:
    """Seconds of `length` that are left at `now`; none, too, when `since` is so far ahead that it must be wrong."""
    left = (now if since is None else since) + length - now
    return 0.0 if left <= SLACK or left > 2 * length else left
