"""What Lambda does with an asynchronous event: how long it tries, and what it tells of the end.

It keeps the event for up to 6 hours. A function that fails is tried twice more, after 1 and 2 minutes; a throttled one
goes back to Lambda's own queue, 1 s doubling to 5 minutes. Source: Lambda developer guide,
invocation-async-error-handling, invocation-async-retain-records; recorded calls.
Departure: an event that would be too old at its next attempt ends at once. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ..wire.answers import Refusal
from .invocation import Function, Result

if TYPE_CHECKING:
    from .service import Functions

WAITS = (60.0, 120.0)  # seconds before the first and the second retry
DUPLICATE = (0.05, 1.0)  # seconds after which the fault "duplicate" brings an event again
THROTTLE_FIRST, THROTTLE_MAX = 1.0, 300.0  # seconds


@dataclass(frozen=True)
class Settings:
    """An EventInvokeConfig: retries (0 to 2), age in seconds (60 to 21,600), ARNs of the destinations."""

    retries: int = 2
    age: float = 21600.0
    on_success: str | None = None
    on_failure: str | None = None


@dataclass
class AsyncEvent:
    """An event that Lambda keeps until a function has taken it."""

    arn: str
    logical_id: str
    event: Any
    request_id: str
    since: float
    failures: int = 0
    throttles: int = 0


def keep(functions: "Functions", function: Function, event: Any, request_id: str, source: str) -> str:
    """Take an event in, to be tried until it succeeds or Lambda gives up. Returns the request id."""
    scheduler, name = functions.scheduler, function.logical_id
    waiting = AsyncEvent(function.arn, name, event, request_id, scheduler.now)
    functions.trace.add("queued", name, f"from {source}", request=request_id[:8])
    scheduler.after(scheduler.latency(0.01, 0.03), partial(attempt, functions, waiting, source))
    if functions.faults.strikes("duplicate", f"lambda.async {name}"):
        functions.trace.add("fault", name, "duplicate", request=request_id[:8])
        scheduler.after(scheduler.latency(*DUPLICATE), partial(attempt, functions, replace(waiting), source))
    return request_id


def attempt(functions: "Functions", waiting: AsyncEvent, source: str) -> None:
    """Try the event once, and go on from how that ends."""

    def ended(result: Result) -> None:
        try:
            chosen = settings(functions.resolve(waiting.arn).described)
        except Refusal:  # deleted meanwhile
            chosen = Settings()
        scheduler, add, request = functions.scheduler, functions.trace.add, waiting.request_id[:8]
        again = asynchronous_retry(waiting, result, chosen, scheduler.now)
        if again is not None:
            add("retry", waiting.logical_id, f"in {again:g} s", request=request)
            scheduler.after(again, partial(attempt, functions, waiting, source))
            return
        where = functions.destinations.deliver(waiting, result, chosen)
        for name in where:
            add("destination", waiting.logical_id, name, request=request)
        if not where and (result.error is not None or result.throttled):
            add("dropped", waiting.logical_id, "no on-failure destination", request=request)

    functions.start(waiting.arn, waiting.event, ended, source=source)


def settings(described: Any) -> Settings:
    """The settings that stand on moto's function; Lambda's defaults when there are none."""
    given = described.event_invoke_config[-1].config if described.event_invoke_config else {}
    to = given.get("DestinationConfig") or {}
    return Settings(
        int(given.get("MaximumRetryAttempts", 2)),
        float(given.get("MaximumEventAgeInSeconds", 21600)),
        (to.get("OnSuccess") or {}).get("Destination") or None,
        (to.get("OnFailure") or {}).get("Destination") or None,
    )


def asynchronous_retry(waiting: AsyncEvent, result: Result, settings: Settings, now: float) -> float | None:
    """Seconds until the next attempt, or None when there is none. Counts this attempt."""
    if result.throttled:
        waiting.throttles += 1
        wait = min(THROTTLE_MAX, THROTTLE_FIRST * 2 ** min(waiting.throttles - 1, 16))
    elif result.error is not None:
        waiting.failures += 1
        if waiting.failures > settings.retries:
            return None
        wait = WAITS[waiting.failures - 1]
    else:
        return None
    return wait if now + wait - waiting.since <= settings.age else None


def end(waiting: AsyncEvent, result: Result, settings: Settings, timestamp: str) -> dict[str, Any]:
    """The record that a destination gets of an event that has come to its end."""
    failed = result.error is not None or result.throttled
    exhausted = waiting.failures > settings.retries
    condition = "Success" if not failed else "RetriesExhausted" if exhausted else "EventAgeExceeded"
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": timestamp,
        "requestContext": {
            "requestId": waiting.request_id,
            "functionArn": f"{waiting.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": waiting.failures + (0 if failed else 1),
        },
        "requestPayload": waiting.event,
    }
    if not result.throttled:
        record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if failed:
            record["responseContext"]["functionError"] = "Unhandled"
        record["responsePayload"] = result.error if failed else json.loads(result.payload)
    return record


def dead_letter(waiting: AsyncEvent, result: Result) -> dict[str, Any]:
    """The message attributes with which a function's dead-letter queue gets the bare event."""
    message = (result.error or {}).get("errorMessage", "Rate Exceeded.")
    return {
        "RequestID": {"DataType": "String", "StringValue": waiting.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "429" if result.throttled else "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or "-"},
    }
