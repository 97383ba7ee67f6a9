"""What becomes of an asynchronous event: tried again, given to a destination, or dropped.

Lambda keeps an asynchronous event for up to 6 hours. A function that fails is tried twice more, after 1 and 2 minutes;
a throttled one goes back to Lambda's own queue, 1 s doubling to 5 minutes. Then the on-failure destination gets a
record of the event and of what went wrong. Source: Lambda developer guide, invocation-async-error-handling,
invocation-async-retain-records. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..queues.service import Queues
from ..stack import Stack
from ..wire import NotYet

WAITS = (60.0, 120.0)  # seconds before the first and the second retry
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


def asynchronous_retry(waiting: AsyncEvent, result: Any, settings: Settings, now: float) -> float | None:
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


class Destinations:
    """The destinations that the template configures."""

    def __init__(self, stack: Stack, queues: Queues) -> None:
        self._queues = queues
        self._settings: dict[str, Settings] = {}
        for resource in stack.of_type("AWS::Lambda::EventInvokeConfig"):
            given = resource.properties
            function = str(given["FunctionName"]).split(":function:")[-1]
            to = given.get("DestinationConfig") or {}
            self._settings[stack.logical_id(function) or function] = Settings(
                int(given.get("MaximumRetryAttempts", 2)),
                float(given.get("MaximumEventAgeInSeconds", 21600)),
                (to.get("OnSuccess") or {}).get("Destination"),
                (to.get("OnFailure") or {}).get("Destination"),
            )

    def settings(self, logical_id: str) -> Settings:
        """A function's settings; Lambda's defaults when the template says nothing."""
        return self._settings.get(logical_id, Settings())

    def deliver(self, waiting: AsyncEvent, result: Any, settings: Settings, now: float) -> str | None:
        """Give a finished event to its destination, and tell which that was. Queues only; others are not yet there."""
        failed = result.error is not None or result.throttled
        target = settings.on_failure if failed else settings.on_success
        if target is None:
            return None
        if ":sqs:" not in target:
            raise NotYet(f"a Lambda destination that is not a queue: {target} of {waiting.logical_id}")
        exhausted = waiting.failures > settings.retries
        condition = "Success" if not failed else "RetriesExhausted" if exhausted else "EventAgeExceeded"
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
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
        self._queues.send(target, json.dumps(record), source="lambda destination")
        return target.rsplit(":", 1)[-1]
