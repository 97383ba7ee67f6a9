"""Relay: the only function that publishes. It reads the orders table's stream and sends the events that rows carry.

A row and its event are one write, so there is no event without its row and no row without its event: the transactional
outbox. PutEvents takes ten entries and answers 200 even if it refused some (FailedEntryCount), so every entry is looked
at: what is only "not now" sends Lambda back to that place in the stream, any other refusal goes whole to a queue of its
own, and the rest goes on. Lambda delivers again from the lowest sequence number returned: some events go out twice, and
every consumer is idempotent.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orderlab.orders import clients, consumer, events, log, rows
from orderlab.orders.events import Event
from orderlab.orders.order import Invalid

MOST_ENTRIES = 10  # of one PutEvents (EventBridge quotas)
NOT_NOW = {"ThrottlingException", "InternalFailure", "InternalException"}
RESERVE = 3.0  # seconds: no PutEvents is begun with less time left


@dataclass(frozen=True)
class Change:
    """One stream record that has something to publish: its place in the batch and in the stream."""

    place: int
    sequence: str
    event: Event


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point on the stream. Answers with the place to go on from, if not everything went out."""
    again = relay(event["Records"], consumer.remaining(context), log.logger(context))
    return {"batchItemFailures": [{"itemIdentifier": again.sequence}] if again else []}


def relay(records: Sequence[dict[str, Any]], remaining: Callable[[], float], say: log.Say) -> Change | None:
    """Publish the new events of these records. None, or the first change that must be seen again."""
    changes: list[Change] = []
    poison: list[tuple[int, str, str]] = []
    for place, record in enumerate(records):
        try:
            event = fresh(record["dynamodb"])
        except Invalid as error:
            poison.append((place, json.dumps(record["dynamodb"]["NewImage"]), str(error)))
            continue
        if event is not None:
            changes.append(Change(place, record["dynamodb"]["SequenceNumber"], event))
    again = _publish_all(changes, remaining, say)
    for place, image, why in poison:
        if again is None or place < again.place:  # the others will be seen again
            bury(image, "InvalidRow", why, say)
    return again


def _publish_all(changes: Sequence[Change], remaining: Callable[[], float], say: log.Say) -> Change | None:
    for start in range(0, len(changes), MOST_ENTRIES):
        some = changes[start : start + MOST_ENTRIES]
        again = some[0] if remaining() < RESERVE else publish(some, say)
        if again is not None:
            return again
    return None


def fresh(change: dict[str, Any]) -> Event | None:
    """The event that this change of a row brought, if any. Raises Invalid for a row whose event is none."""
    new, old = (change.get(image, {}).get("event") for image in ("NewImage", "OldImage"))
    if new is None:
        return None
    try:
        event, before = events.of_value(rows.decode(new)), rows.decode(old) if old else None
    except TypeError as error:
        raise Invalid(str(error)) from error
    return None if isinstance(before, dict) and before.get("id") == event.id else event


def publish(changes: Sequence[Change], say: log.Say) -> Change | None:
    """One PutEvents. None, or the first change that must be seen again."""
    try:
        results = clients.events().put_events(Entries=[_entry(change.event) for change in changes])["Entries"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":  # throttled, forbidden, broken: not their fault
            return _later(changes[0], error, say)
        if len(changes) > 1:  # together too big, or one of them bad: find out which
            return next(filter(None, (publish([change], say) for change in changes)), None)
        results = [{"ErrorCode": "ValidationException", "ErrorMessage": str(error)}]
    except BotoCoreError as error:  # no answer: perhaps they are out, perhaps not
        return _later(changes[0], error, say)
    again = None
    for change, result in zip(changes, results, strict=True):
        code = result.get("ErrorCode")
        if again is not None:  # it will be seen again, whatever became of it
            continue
        if code in NOT_NOW:
            again = _later(change, code, say)
        elif code:
            bury(json.dumps(asdict(change.event)), code, result.get("ErrorMessage", ""), say)
        else:
            say("INFO", "published", change.event.id.partition(".")[0], event=change.event.id)
    return again


def bury(body: str, code: str, message: str, say: log.Say) -> None:
    """Put what EventBridge will never take into the queue "relay-dead", with the reason; raises what SQS raises."""
    say("ERROR", "refused for good", code=code, reason=message)
    texts = {"ERROR_CODE": code, "ERROR_MESSAGE": message or "none"}
    clients.queues().send_message(
        QueueUrl=os.environ["RELAY_DEAD_QUEUE_URL"],
        MessageBody=body,
        MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in texts.items()},
    )


def _entry(event: Event) -> dict[str, str]:
    return {
        "EventBusName": os.environ["BUS_NAME"],
        "Source": event.source,
        "DetailType": event.type,
        "Detail": event.detail,
    }


def _later(change: Change, why: object, say: log.Say) -> Change:
    say("WARNING", f"not published yet: {why}", event=change.event.id)
    return change
