"""Asking the payment provider: a synchronous invoke under a retry, a budget, a deadline and a shared circuit breaker.

A RequestResponse invoke waits for the answer. It can fail in ways that say nothing about the charge: no answer in
time, no connection, a throttle, or a 200 whose FunctionError says that the function raised. All of them are Unknown:
ask again with the same key, never conclude "declined". Any answer, also a bad one, shows that the provider lives. The
breaker is inside the retry, and an open one is not retried: the message comes back later instead.
Taught in notebooks/01_ask_or_tell.ipynb, 08_waiting_well.ipynb and 09_knowing_when_to_stop.ipynb
"""

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from orderlab.orders import clients, log
from orderlab.orders.breaker_store import BreakerStore
from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.budget import Budget
from orderlab.patterns.retry import Retry
from orderlab.patterns.shared_breaker import SharedBreaker

ANSWERS = {"captured", "declined", "cancelled", "refunded", "refused"}


class Unknown(Exception):
    """There is no answer: the provider may have done it or not."""


class Refused(Exception):
    """The provider says that our request makes no sense: asking again would not help."""


@dataclass(frozen=True)
class Answer:
    """What the provider said: captured, declined, cancelled or refunded; the amount in pence; when it did so first."""

    answer: str
    amount: int
    at: str


@cache
def policy() -> Retry:
    """3 attempts, full jitter up to 0.5 s, all within 4 s; a budget of 10 retries and 1 more for every 5 calls."""
    return Retry(3, full_jitter(0.2, 0.5), retry_on=Unknown, deadline=4.0, budget=Budget(10, per_call=0.2))


@cache
def breaker() -> SharedBreaker:
    """Opens after 5 failures in a row, for 30 s; one good probe closes it. One for all environments."""
    return SharedBreaker(BreakerStore("provider"), CircuitBreaker(5, 30.0, 1), on_error=_report)


def ask(action: str, key: str, amount: int, remaining: Callable[[], float] | None = None) -> Answer:
    """Ask for a charge or a cancellation of `amount` pence; `remaining()` is the seconds the invocation has left.

    Raises Unknown without an answer, breaker.Open without asking, Refused, and what AWS answers to a wrong set-up.
    """
    request = {"action": action, "key": key, "amount": amount}
    content = policy().call(
        lambda: breaker().call(lambda: ask_provider(request), clock=time.time, ignore=(ClientError,)),
        clock=time.monotonic,
        sleep=time.sleep,
        rng=random.random,
        remaining=remaining,
    )
    if content["answer"] == "refused":
        raise Refused(str(content.get("message")))
    return Answer(content["answer"], content["amount"], content["at"])


def ask_provider(request: dict[str, Any]) -> dict[str, Any]:
    """One attempt. The provider's answer, checked; raises Unknown, or ClientError for a wrong set-up."""
    try:
        response = clients.provider().invoke(
            FunctionName=os.environ["PROVIDER_FUNCTION"],
            InvocationType="RequestResponse",
            Payload=json.dumps(request).encode(),
        )
        payload = response["Payload"].read()
    except (ConnectionError, HTTPClientError) as error:  # a read time-out is an HTTPClientError
        raise Unknown(f"no answer: {type(error).__name__}") from error
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] not in (429, 500, 502, 503, 504):
            raise
        raise Unknown(f"not served: {error.response['Error']['Code']}") from error
    if "FunctionError" in response:
        raise Unknown("the provider failed")
    return judge(payload)


def judge(payload: bytes) -> dict[str, Any]:
    """The provider's answer, if it is one. Raises Unknown: what cannot be understood says nothing about the charge."""
    try:
        content = json.loads(payload)
    except ValueError:
        content = None
    known = isinstance(content, dict) and content.get("answer") in ANSWERS
    if not known or (content["answer"] != "refused" and not isinstance(content.get("amount"), int)):
        raise Unknown("the provider's answer cannot be understood")
    return dict(content)


def _report(error: Exception) -> None:
    log.logger(None)("WARNING", f"the breaker's table cannot be used, so this environment decides alone: {error}")
