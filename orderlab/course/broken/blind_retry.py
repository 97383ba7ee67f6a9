"""The article's `retry_with_backoff`: it waits longer than a Lambda function lives, and retries whatever went wrong.

Three retries sleep 3.5 to 7 s; Lambda stops a function after 3 s unless told otherwise, so the last try never comes.
Its jitter is added to the delay (patterns.backoff.additive_jitter): nobody is ever early. A bug, a refusal and an open
circuit are tried four times, like an outage. The shipped way is patterns.retry: full jitter, named errors, a deadline.
Source: Lambda Developer Guide, "Configure Lambda function timeout". Taught in notebooks/08_waiting_well.ipynb
"""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

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


@dataclass(frozen=True)
class Waits:
    """What a call that always fails costs, over many runs: the mean of its tries; seconds slept."""

    tries: float
    shortest: float
    mean: float
    longest: float


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
