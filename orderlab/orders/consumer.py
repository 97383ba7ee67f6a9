"""The edge of a function that reads a queue: messages in, the failed ones out.

Lambda hands over up to a batch of messages and deletes those that the answer does not name (batchItemFailures), so one
bad message costs only itself: it comes back after the visibility timeout, and after maxReceiveCount it goes to the
dead-letter queue. A record that might not be finished in time is not begun.
Taught in notebooks/05_some_of_them_failed.ipynb
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from orderlab.orders import events, log
from orderlab.patterns import batch

Remaining = Callable[[], float]
Work = Callable[[str, Mapping[str, Any], float, Remaining], str]
"""`work(type, detail, now, remaining) -> status`: does what one event asks for, or raises."""


def consume(event: dict[str, Any], context: Any, work: Work, reserve: float) -> dict[str, Any]:
    """Do `work` for each message, none with less than `reserve` seconds left. Answers with those to deliver again.

    Raises BatchProcessingError when all failed, and ValueError for an event that comes from no queue.
    """
    say, left = log.logger(context), remaining(context)
    order_id: str | None = None

    def one(record: dict[str, Any]) -> None:
        nonlocal order_id
        order_id = None
        kind, detail = events.received(record.get("body"))
        order_id = events.order_of(detail)
        say("INFO", kind, order_id, status=work(kind, detail, time.time(), left))

    def failed(record: dict[str, Any], error: Exception) -> None:
        receives = record.get("attributes", {}).get("ApproximateReceiveCount")
        why = {"messageId": record.get("messageId"), "receives": receives, "notes": getattr(error, "__notes__", [])}
        say("ERROR", f"{type(error).__name__}: {error}", order_id, **why)

    return batch.process(event, one, remaining=left, reserve=reserve, on_failure=failed)


def remaining(context: Any) -> Remaining:
    """A function that tells how many seconds the invocation has left."""
    return lambda: context.get_remaining_time_in_millis() / 1000
