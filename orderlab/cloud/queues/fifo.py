"""What a FIFO queue adds: messages stand in line by group, and a repeated one is taken once.

A producer that gets no answer sends again; for 5 minutes the queue knows the deduplication id (given, or the SHA-256
of the body), answers as before, and keeps one message, even if that was received and deleted meanwhile.
Source: SQS API reference, SendMessage; SQS developer guide, FIFO-queues-exactly-once-processing.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import hashlib

from .limits import invalid, refusal
from .lines import Message, Store

INTERVAL = 300.0  # seconds for which a deduplication id is known
FIRST_SEQUENCE = 18_849_496_460_467_696_128  # AWS counts in numbers of 20 digits


def check(store: Store, group: str | None, dedup: str | None, delay: float | None) -> None:
    """Refuse what a queue of this kind does not take. Raises Refusal."""
    not_valid = "The request include parameter that is not valid for this queue type."
    if not store.queue.fifo_queue:
        if dedup is not None:
            raise invalid(dedup, "MessageDeduplicationId", not_valid)
        return
    if delay:
        raise invalid(delay, "DelaySeconds", not_valid)
    if not group:
        raise refusal("MissingParameter", "The request must contain the parameter MessageGroupId.")
    if not dedup and not store.queue.content_based_deduplication:
        words = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise refusal("InvalidParameterValue", f"{words} explicitly")


def line_up(store: Store, message: Message) -> Message | None:
    """Stand a new message in the line of its group, or find the one of the last 5 minutes that it repeats."""
    message.dedup = message.dedup or hashlib.sha256(message.body.encode()).hexdigest()
    message.line, message.sequence = str(message.group), str(FIRST_SEQUENCE + message.number)
    while store.sent and message.sent_at - next(iter(store.sent.values()))[0] >= INTERVAL:
        store.sent.popitem(last=False)
    scope = message.group if store.queue.deduplication_scope == "messageGroup" else None
    first = store.sent.setdefault((scope, message.dedup), (message.sent_at, message))[1]
    return None if first is message else first


def bury(message: Message, now: float) -> None:
    """Make a message one of a FIFO dead-letter queue: its retention starts again, and no other can be its duplicate."""
    message.line, message.sequence = str(message.group), str(FIRST_SEQUENCE + message.number)
    message.sent_at, message.dedup = now, message.id
