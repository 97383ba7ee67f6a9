"""A retry budget: a token bucket that lets a client retry a little always, and never a lot.

A fixed number of retries multiplies the load exactly when the dependency can bear it least; a budget bounds the
multiplier. `per_call` is what Brooker's simulations and Finagle do (0.1 = one retry for ten calls), `per_success` what
botocore does: its standard mode is `Budget(500, per_success=1, cost=14, refund=True)` for transient errors and cost 5
for throttling (one bucket pays for both there), hence 35 retries in an outage (500 / 14) and then none. `per_second`
keeps a client with few calls able to retry at all.

Sources: M. Brooker, "Fixing retries with token buckets and circuit breakers", 2022; botocore 1.44.5.
Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math


class Budget:
    """A bucket of `capacity` tokens, full at first; a retry takes `cost` of them.

    One per client and execution environment, like the clients that it protects; not for several threads. Times are
    seconds of any clock that the caller likes, and matter only when `per_second` is used: a clock that goes backwards
    refills nothing. With `refund` a call that worked after a retry gets the `cost` of its last one back, in place of
    `per_success`. Raises ValueError for a capacity that could never pay for one retry, and for negative refills.
    """

    def __init__(
        self,
        capacity: float,
        *,
        per_call: float = 0.0,
        per_success: float = 0.0,
        per_second: float = 0.0,
        cost: float = 1.0,
        refund: bool = False,
    ) -> None:
        refills = (per_call, per_success, per_second)
        if not (math.isfinite(capacity) and 0 < cost <= capacity):
            raise ValueError(f"a budget needs 0 < cost <= capacity, got cost={cost!r}, capacity={capacity!r}")
        if not all(math.isfinite(refill) and refill >= 0 for refill in refills):
            raise ValueError(f"per_call, per_success and per_second are tokens, at least 0, got {refills!r}")
        self.capacity, self.cost, self.refund = capacity, cost, refund
        self.per_call, self.per_success, self.per_second = refills
        self._tokens = float(capacity)
        self._at: float | None = None  # when the tokens were last counted

    @property
    def tokens(self) -> float:
        """What is in the bucket, as of the last time that it was told of."""
        return self._tokens

    def call(self, now: float) -> None:
        """A call begins (its first attempt, not its retries)."""
        self._refill(now, self.per_call)

    def success(self, now: float, retried: bool = False) -> None:
        """A call succeeded: at its first attempt, or `retried`."""
        self._refill(now, self.cost if retried and self.refund else self.per_success)

    def take(self, now: float) -> bool:
        """Pay for one retry, or answer False and leave the bucket as it is."""
        self._refill(now, 0.0)
        if self._tokens < self.cost:
            return False
        self._tokens -= self.cost
        return True

    def _refill(self, now: float, tokens: float) -> None:
        if self.per_second:
            if self._at is not None and now > self._at:
                tokens += (now - self._at) * self.per_second
            self._at = now
        if tokens:
            self._tokens = min(self.capacity, self._tokens + tokens)
