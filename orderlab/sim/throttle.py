"""Client-side throttling: a client refuses its own requests when too few of them are accepted, without ever tripping.

Each client counts, over the last two minutes, the requests that its user made and those that the backend accepted, and
refuses a new one itself with probability max(0, (requests - k * accepts) / (requests + 1)). So it goes on sending `k`
times what is accepted: in a lasting overload the backend turns away k - 1 requests for each that it serves. A larger k
wastes more of the backend and sees its recovery sooner; there is no state to be stuck in, and no probe to be chosen.

It is here to be compared with a circuit breaker, and takes its place in a `Strategy`; it does not ship.

Source: Site Reliability Engineering (Google, 2016), chapter 21, "Handling Overload", client-side throttling (k = 2).
Departs from it in one thing: the window moves on by tenths of its length.
Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math

from orderlab.patterns.backoff import Rng
from orderlab.patterns.breaker import Permit
from orderlab.patterns.checks import finite, seconds

_PERMIT = Permit(0)


def rejection(requests: int, accepts: int, k: float = 2.0) -> float:
    """The probability, 0 to 1, that a client refuses a request itself: equation 21-1 of the source."""
    return max(0.0, (requests - k * accepts) / (requests + 1))


class Throttle:
    """What one client remembers: `allow`, `success`, `failure` and `release` as a CircuitBreaker has them.

    rng     draws from [0, 1)
    k       how many requests may be sent for each that is accepted, at least 1
    window  seconds that are remembered; it moves on by tenths, so between nine and ten of them

    Raises ValueError, naming the argument, when one makes no sense.
    """

    def __init__(self, rng: Rng, *, k: float = 2.0, window: float = 120.0) -> None:
        if not (math.isfinite(k) and k >= 1):
            raise ValueError(f"k is requests sent for each that is accepted, at least 1, got {k!r}")
        self.rng, self.k, self.window = rng, k, seconds("window", window)
        self.requests = self.accepts = 0
        """Within the window, as of the last call."""
        self._tenths: list[list[int]] = []  # number of the tenth since 0, requests, accepts; oldest first

    def allow(self, now: float) -> Permit | None:
        """Count a request, and let it pass or not: a permit, or None."""
        self._count(now, 1, 0)  # a refused one counts too: refusing must not make room for more
        return None if self.rng() < rejection(self.requests - 1, self.accepts, self.k) else _PERMIT

    def success(self, now: float, permit: Permit | None = None) -> None:
        """The backend accepted a request."""
        self._count(now, 0, 1)

    def failure(self, now: float, permit: Permit | None = None) -> None:
        """It did not, or did not answer: the request has been counted, and that is all."""

    def release(self, now: float, permit: Permit | None = None) -> None:
        """The backend answered that the request is wrong: it accepted it, as far as load is concerned."""
        self._count(now, 0, 1)

    def retry_in(self, now: float) -> float:
        """Seconds until a request may pass: always 0.0, since the next one has its chance."""
        return 0.0

    def _count(self, now: float, requests: int, accepts: int) -> None:
        tenth = math.floor(finite("now", now) * 10 / self.window)
        if not self._tenths or self._tenths[-1][0] != tenth:
            self._tenths.append([tenth, 0, 0])
            while abs(tenth - self._tenths[0][0]) >= 10:
                _, old_requests, old_accepts = self._tenths.pop(0)
                self.requests, self.accepts = self.requests - old_requests, self.accepts - old_accepts
        self._tenths[-1][1] += requests
        self._tenths[-1][2] += accepts
        self.requests, self.accepts = self.requests + requests, self.accepts + accepts
