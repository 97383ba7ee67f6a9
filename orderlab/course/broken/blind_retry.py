"""The article's `retry_with_backoff`: it waits longer than a Lambda function lives, and retries whatever went wrong.

Three retries sleep 3.5 to 7 s; Lambda stops a function after 3 s unless told otherwise, so the last try never comes.
Its jitter is added to the delay (patterns.backoff.additive_jitter): nobody is ever early. A bug, a refusal and an open
circuit are tried four times, like an outage. The shipped way is patterns.retry: full jitter, named errors, a deadline.
Source: Lambda Developer Guide, "Configure Lambda function timeout". Taught in notebooks/08_waiting_well.ipynb
"""

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from orderlab.orders import asking, consumer, events, payment, receipts, rows
from orderlab.patterns.retry import Retry


def retry_with_backoff(
    call: Callable[[], Any], retries: int = 3, base: float = 0.5, sleep: Any = time.sleep, uniform: Any = random.uniform
) -> Any:
    """Call until it works, `retries` times more at most. Delays double from `base` seconds; up to as much is added."""
    for retry in range(retries):
        try:
            return call()
        except Exception:
            delay = base * 2**retry
            sleep(delay + uniform(0, delay))
    return call()


@dataclass(frozen=True, repr=False)
class Waits:
    """What a call that always fails costs, over many runs: the mean of its tries; seconds slept."""

    tries: float
    shortest: float
    mean: float
    longest: float

    def __repr__(self) -> str:
        slept = f"{self.shortest:.2f} to {self.longest:.2f} s of sleep, {self.mean:.2f} s on average"
        return f"{self.tries:.2f} tries, {slept}"


def waits(error: Exception, policy: Retry | None = None, *, runs: int = 1000, seed: int = 0) -> Waits:
    """Fail with `error` for ever, under a shipped policy or, without one, under the article's retry."""
    rng, slept = random.Random(seed), [[0.0] for _ in range(runs)]

    def fail() -> None:
        raise error

    for one in slept:
        with suppress(type(error)):
            if policy is None:
                retry_with_backoff(fail, sleep=one.append, uniform=rng.uniform)
            else:
                policy.call(fail, clock=partial(sum, one), sleep=one.append, rng=rng.random)
    sums = [sum(one) for one in slept]  # after each wait comes a try
    return Waits(sum(map(len, slept)) / runs, min(sums), sum(sums) / runs, max(sums))


class BlindRetry:
    """The article's retry in the place of a shipped policy: it takes the same arguments, and heeds neither clock."""

    def call(self, fn: Callable[[], Any], *, sleep: Any, rng: Any, **unheeded: Any) -> Any:
        """Call `fn` as the article does; `rng` draws from [0, 1)."""
        return retry_with_backoff(fn, sleep=sleep, uniform=lambda low, high: low + (high - low) * rng())


def charge_payment(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """ChargePayment with the article's retry around the question to the provider. All else is as shipped."""
    asking.policy = lambda: BlindRetry()  # type: ignore[assignment]
    return payment.handler(event, context)


def charge_anew(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The same in a function that begins a message however little time is left, and takes a new key for each run."""
    asking.policy = lambda: BlindRetry()  # type: ignore[assignment]
    return consumer.consume(event, context, partial(_charge, context.aws_request_id[:8]), 0.0)


def _charge(run: str, kind: str, detail: Any, now: float, remaining: consumer.Remaining) -> str:
    placed = events.placed(detail)
    answer = asking.ask("charge", f"{placed.order_id}-{run}", placed.total)
    receipts.keep(placed.order_id, answer)
    row = {"orderId": placed.order_id, "part": "PAYMENT", "status": "CHARGING", "amount": placed.total}
    paid = payment.charged(row, answer, now)
    rows.put(rows.new(os.environ["ORDERS_TABLE"], paid))
    return str(paid["status"])
