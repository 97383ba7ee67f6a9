"""SQS on the wire: the operations that boto3 calls.

A long poll (WaitTimeSeconds) waits in virtual time: a handler is parked, a cell lets the world run; both end with the
first message or with the wait. A batch answers 200 and names what failed, entry by entry.
Source: SQS API reference.
Taught in notebooks/04_the_queue.ipynb
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..guard import ACCOUNT, REGION
from ..wire.answers import NotYet, Refusal
from . import fifo
from .limits import LONGEST_VISIBILITY, check_batch, check_batch_size, check_message, need, number, refusal
from .lines import IN_FLIGHT, Store
from .messages import describe, md5, md5_of_attributes
from .redrive import check_allowed

if TYPE_CHECKING:
    from .service import Queues

Answer = dict[str, Any]
IN_FLIGHT_LIMIT = 120_000  # messages of one standard queue
PURGE_INTERVAL = 60.0  # seconds


def operations(queues: "Queues") -> dict[tuple[str, str], Callable[[Answer], Answer | None]]:
    """The operations of the message plane: (service, operation) to a function from parameters to result.

    None as a result means "checked, let moto go on".
    """
    answers: dict[str, Callable[[Queues, Answer], Answer | None]] = {
        "CreateQueue": lambda queues, parameters: check_queue(queues, parameters, parameters["QueueName"]),
        "SetQueueAttributes": lambda queues, parameters: check_queue(
            queues, parameters, parameters["QueueUrl"].rpartition("/")[2]
        ),
        "SendMessage": send_message,
        "SendMessageBatch": send_message_batch,
        "ReceiveMessage": receive_message,
        "DeleteMessage": delete_message,
        "DeleteMessageBatch": delete_message_batch,
        "ChangeMessageVisibility": change_message_visibility,
        "ChangeMessageVisibilityBatch": change_message_visibility_batch,
        "PurgeQueue": purge_queue,
        "StartMessageMoveTask": lambda queues, parameters: queues.moves.start(parameters),
        "ListMessageMoveTasks": lambda queues, parameters: queues.moves.list(parameters),
        "CancelMessageMoveTask": lambda queues, parameters: queues.moves.cancel(parameters),
    }
    return {("sqs", name): partial(answer, queues) for name, answer in answers.items()}


def check_queue(queues: "Queues", parameters: Answer, name: str) -> None:
    """Refuse a redrive policy that the dead-letter queue does not allow."""
    attributes = parameters.get("Attributes") or {}
    check_allowed(queues, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", attributes.get("RedrivePolicy"))


def send_message(queues: "Queues", parameters: Answer) -> Answer:
    """Check one message and send it."""
    need(parameters, "QueueUrl")
    url, attributes = parameters["QueueUrl"], parameters.get("MessageAttributes") or {}
    system = parameters.get("MessageSystemAttributes") or {}
    check_message(parameters, queues.store(url).queue.maximum_message_size)
    if set(system) - {"AWSTraceHeader"}:
        names = ", ".join(sorted(set(system) - {"AWSTraceHeader"}))
        raise refusal("InvalidParameterValue", f"Message system attribute name '{names}' is invalid.")
    message = queues.send(
        url,
        parameters["MessageBody"],
        attributes=attributes,
        delay=number(parameters, "DelaySeconds", 0, 900),
        group=parameters.get("MessageGroupId"),
        dedup=parameters.get("MessageDeduplicationId"),
        system=system,
    )
    answer = {"MessageId": message.id, "MD5OfMessageBody": md5(parameters["MessageBody"])}
    if attributes:
        answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
    if system:
        answer["MD5OfMessageSystemAttributes"] = md5_of_attributes(system)
    if message.sequence is not None:
        answer["SequenceNumber"] = message.sequence
    return answer


def send_message_batch(queues: "Queues", parameters: Answer) -> Answer:
    """Send up to ten messages; what breaks a limit fails alone, a FIFO id that is missing fails the call."""
    store, url, entries = _batch(queues, "SendMessageBatch", parameters)
    check_batch_size(entries)
    for entry in entries if store.queue.fifo_queue else ():
        group, dedup = entry.get("MessageGroupId"), entry.get("MessageDeduplicationId")
        fifo.check(store, group, dedup, entry.get("DelaySeconds"))
    return _each(entries, lambda entry: send_message(queues, {**entry, "QueueUrl": url}))


def receive_message(queues: "Queues", parameters: Answer) -> Answer:
    """Receive up to ten messages, waiting for the first of them if asked to."""
    need(parameters, "QueueUrl")
    url = parameters["QueueUrl"]
    store, scheduler = queues.store(url), queues.scheduler
    limit = number(parameters, "MaxNumberOfMessages", 1, 10) or 1
    wait = number(parameters, "WaitTimeSeconds", 0, 20)
    wait = store.queue.receive_message_wait_time_seconds if wait is None else wait
    visibility = number(parameters, "VisibilityTimeout", 0, LONGEST_VISIBILITY)
    if parameters.get("ReceiveRequestAttemptId"):
        raise NotYet("ReceiveMessage with ReceiveRequestAttemptId (a FIFO queue's receive, tried again)")
    if store.count[IN_FLIGHT] >= IN_FLIGHT_LIMIT and not store.queue.fifo_queue:
        if wait:
            return {}
        raise refusal("OverLimit", f"More than {IN_FLIGHT_LIMIT} messages of this queue are in flight.")
    received, deadline = queues.receive(url, limit, visibility=visibility), scheduler.now + wait
    while not received and scheduler.now < deadline:
        scheduler.wait(lambda: bool(store.ready), deadline - scheduler.now)
        received = queues.receive(url, limit, visibility=visibility)
    return {"Messages": [describe(message, parameters) for message in received]} if received else {}


def delete_message(queues: "Queues", parameters: Answer) -> Answer:
    """Delete by receipt handle."""
    need(parameters, "QueueUrl", "ReceiptHandle")
    queues.delete(parameters["QueueUrl"], parameters["ReceiptHandle"])
    return {}


def delete_message_batch(queues: "Queues", parameters: Answer) -> Answer:
    """Delete up to ten messages."""
    _, url, entries = _batch(queues, "DeleteMessageBatch", parameters)
    return _each(entries, lambda entry: delete_message(queues, {**entry, "QueueUrl": url}))


def change_message_visibility(queues: "Queues", parameters: Answer) -> Answer:
    """Hide a received message for longer, or show it again."""
    need(parameters, "QueueUrl", "ReceiptHandle", "VisibilityTimeout")
    seconds = number(parameters, "VisibilityTimeout", 0, LONGEST_VISIBILITY)
    queues.change_visibility(parameters["QueueUrl"], parameters["ReceiptHandle"], seconds or 0)
    return {}


def change_message_visibility_batch(queues: "Queues", parameters: Answer) -> Answer:
    """Change the visibility of up to ten messages."""
    _, url, entries = _batch(queues, "ChangeMessageVisibilityBatch", parameters)
    return _each(entries, lambda entry: change_message_visibility(queues, {**entry, "QueueUrl": url}))


def purge_queue(queues: "Queues", parameters: Answer) -> Answer:
    """Empty a queue, once a minute at most."""
    need(parameters, "QueueUrl")
    store, now = queues.store(parameters["QueueUrl"]), queues.scheduler.now
    if store.purged_at is not None and now - store.purged_at < PURGE_INTERVAL:
        message = f"Only one PurgeQueue operation on {store.name} is allowed every 60 seconds."
        raise refusal("PurgeQueueInProgress", message)
    store.purged_at = now
    queues.trace.add("delete", store.name, "all messages", count=len(store.messages), why="purge")
    store.empty()
    return {}


def _batch(queues: "Queues", operation: str, parameters: Answer) -> tuple[Store, str, list[Answer]]:
    """The queue, its URL and the entries of a batch that is well formed."""
    need(parameters, "QueueUrl")
    store, entries = queues.store(parameters["QueueUrl"]), parameters.get("Entries") or []
    check_batch(operation, entries)
    return store, parameters["QueueUrl"], entries


def _each(entries: list[Answer], one: Callable[[Answer], Answer]) -> Answer:
    """Do `one` for each entry of a batch and sort the answers by success; as on AWS, an empty list is left out."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **one(entry)})
        except Refusal as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {name: found for name, found in (("Successful", successful), ("Failed", failed)) if found}
