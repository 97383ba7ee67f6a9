"""Messages seen from outside: a queue on AWS shows them to nobody but a receiver.

A work queue is only counted, because each receive counts toward its redrive. A dead-letter queue has no redrive of its
own, nor has the queue of a person's reviews, so their messages are received to be read, and are visible again after ten
seconds. The counts are approximate, says AWS: who waits for rest looks more than once.
Source: SQS API reference, GetQueueAttributes, ReceiveMessage. Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..audit.books import DEAD, REVIEW, WORK

HIDDEN = 10  # seconds for which a message that was read here is hidden from others
FRUITLESS = 3  # receives in a row that bring nothing new, and then it is taken for all
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def count(sqs: Any, url: str) -> int:
    """How many messages a queue holds, visible, in flight or delayed; approximately."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return sum(int(found.get(name, 0)) for name in COUNTS)


def waiting(sqs: Any, outputs: Mapping[str, str]) -> dict[str, int]:
    """The work queues that hold messages, and how many."""
    found = {name: count(sqs, outputs[f"{name}Url"]) for name in WORK}
    return {name: number for name, number in found.items() if number}


def reader(sqs: Any, outputs: Mapping[str, str]) -> Callable[[str], Iterable[str]]:
    """What `read_books` asks for messages: the texts of those that may be received to be read."""
    readable = {outputs[f"{name}Url"] for name in (*DEAD, REVIEW)}
    return lambda url: read(sqs, url, count(sqs, url)) if url in readable else []


def read(sqs: Any, url: str, number: int) -> list[str]:
    """The texts of about so many messages, each once."""
    found: dict[str, str] = {}
    fruitless = 0 if number else FRUITLESS
    while fruitless < FRUITLESS and len(found) < number:
        asked = {"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": HIDDEN, "WaitTimeSeconds": 1}
        before = len(found)
        found.update((one["MessageId"], one["Body"]) for one in sqs.receive_message(**asked).get("Messages", ()))
        fruitless = fruitless + 1 if len(found) == before else 0
    return [text for _, text in sorted(found.items())]
