"""Answers to the exercises of lesson 04: further right ones, and one wrong one for each misconception of the lesson."""

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from math import ceil
from typing import Any

Work = Callable[[str], None]


def with_a_loop(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Right: counts the tries."""
    visibility, receives = 6 * timeout + window, 1
    while receives < 5 or (receives - 1) * visibility < outage:
        receives += 1
    return {"VisibilityTimeout": visibility, "maxReceiveCount": receives}


def rounded_down(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Right: rounds up by rounding down."""
    visibility = 6 * timeout + window
    return {"maxReceiveCount": max(5, 1 - (-outage // visibility)), "VisibilityTimeout": visibility}


def articles(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: the code as the lesson gives it, with a count that is right."""
    visibility = 6 * timeout
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(5, ceil(outage / visibility) + 1)}


def just_long_enough(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: the function's time-out, and nothing for what comes before."""
    visibility = timeout + window
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(5, ceil(outage / visibility) + 1)}


def six_windows(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: the window six times."""
    visibility = 6 * (timeout + window)
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(5, ceil(outage / visibility) + 1)}


def no_floor(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: fewer than five receives."""
    visibility = 6 * timeout + window
    return {"VisibilityTimeout": visibility, "maxReceiveCount": ceil(outage / visibility) + 1}


def one_too_few(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: the last try begins before the end."""
    visibility = 6 * timeout + window
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(5, ceil(outage / visibility))}


def one_too_many(timeout: float, window: float, outage: float) -> dict[str, Any]:
    """Wrong: a try more than is needed."""
    visibility = 6 * timeout + window
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(5, ceil(outage / visibility) + 2)}


def patient(sqs: Any, url: str, work: Work) -> None:
    """Right: leaves what fails."""
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        if "Messages" not in answer:
            return
        for message in answer["Messages"]:
            try:
                work(message["Body"])
            except Exception:
                continue
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def suppressing(sqs: Any, url: str, work: Work) -> None:
    """Right: the deletion stands inside."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            with suppress(Exception):
                work(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def in_batches(sqs: Any, url: str, work: Work) -> None:
    """Right: deletes what was done of a batch in one call."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        done = []
        for message in messages:
            with suppress(Exception):
                work(message["Body"])
                done.append({"Id": str(len(done)), "ReceiptHandle": message["ReceiptHandle"]})
        if done:
            sqs.delete_message_batch(QueueUrl=url, Entries=done)


def deletes_first(sqs: Any, url: str, work: Work) -> None:
    """Wrong: deletes before the work."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            with suppress(Exception):
                work(message["Body"])


def deletes_failures(sqs: Any, url: str, work: Work) -> None:
    """Wrong: deletes what could not be done."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            with suppress(Exception):
                work(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def never_deletes(sqs: Any, url: str, work: Work) -> None:
    """Wrong: believes that receiving is taking."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            with suppress(Exception):
                work(message["Body"])


def lets_errors_out(sqs: Any, url: str, work: Work) -> None:
    """Wrong: one failure ends the loop."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            work(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def expects_messages(sqs: Any, url: str, work: Work) -> None:
    """Wrong: an empty answer has no list."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)["Messages"]:
        for message in messages:
            with suppress(RuntimeError):
                work(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def deletes_by_id(sqs: Any, url: str, work: Work) -> None:
    """Wrong: the id is no handle."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20).get("Messages"):
        for message in messages:
            with suppress(RuntimeError):
                work(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["MessageId"])


def one_answer(sqs: Any, url: str, work: Work) -> None:
    """Wrong: no loop."""
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
    for message in answer.get("Messages", []):
        with suppress(Exception):
            work(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def short_poll(sqs: Any, url: str, work: Work) -> None:
    """Wrong: an empty answer comes at once."""
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            with suppress(Exception):
                work(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def for_ever(sqs: Any, url: str, work: Work) -> None:
    """Wrong: never ends."""
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in answer.get("Messages", []):
            with suppress(Exception):
                work(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


RIGHT: dict[str, list[Any]] = {
    "4.1": [15, 15.0, Fraction(45, 3)],
    "4.2": [with_a_loop, rounded_down],
    "4.3": [patient, suppressing, in_batches],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "4.1": [
        (10, "hidden once more"),
        (16, "runs from the receive"),
        (20, "not a try any more"),
        (900, "looks like seconds"),
        (5, "as many as there are receives"),
    ],
    "4.2": [
        (articles, "batching window is missing"),
        (just_long_enough, "leaves nothing for what comes before"),
        (six_windows, "The window counts once"),
        (no_floor, "Fewer than five receives"),
        (one_too_few, "The last try falls into the outage"),
        (one_too_many, "More receives than needed"),
    ],
    "4.3": [
        (deletes_first, "deletes before the work"),
        (deletes_failures, "deletes what it could not do"),
        (never_deletes, "never deletes"),
        (lets_errors_out, "stops the whole loop"),
        (expects_messages, 'has no "Messages"'),
        (deletes_by_id, "by the receipt handle"),
        (one_answer, "stops after one answer"),
        (short_poll, "gives up at the first empty answer"),
        (for_ever, "never ends"),
    ],
}
