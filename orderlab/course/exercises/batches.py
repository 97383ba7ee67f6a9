"""A queue's side of exercises 5.2 to 5.4: a batch is handed over, and again, by what the function answers.

Taught in notebooks/05_some_of_them_failed.ipynb
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

Event = dict[str, Any]
RECEIVES = 3  # of a message at most


def record_of(message: str, receives: int = 1, fifo: bool = False) -> dict[str, Any]:
    """A message such as "A2", the second of customer A, as Lambda hands it over. "?" begins a body that is no JSON."""
    body = json.dumps({"orderId": f"ORD-{message}", "customerId": message[0]}) if message[0] != "?" else "mug, please"
    group = {"MessageGroupId": message[0]} if fifo else {}
    return {
        "messageId": f"id-{message}",
        "receiptHandle": f"handle-{message}-{receives}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), **group},
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:orders{'.fifo' if fifo else ''}",
    }


def kept(answer: Any, messages: Sequence[str]) -> list[str]:
    """The messages of a batch that AWS keeps for this answer of a function: all, if it cannot read it."""
    if answer is None:
        return []
    try:
        named = [one["itemIdentifier"] for one in answer.get("batchItemFailures") or []]
    except (AttributeError, LookupError, TypeError):
        return list(messages)
    known = {f"id-{message}": message for message in messages}
    return list(messages) if set(named) - known.keys() else [one for one in messages if f"id-{one}" in named]


def strange(answer: Any, messages: Sequence[str]) -> set[str]:
    """What an answer names that is no message of the batch."""
    try:
        named = {str(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
    except (LookupError, TypeError):
        return set()
    return named - {f"id-{message}" for message in messages}


def deliver(answer: Any, messages: list[str], fails: dict[str, int], fifo: bool = False) -> dict[str, Any]:
    """Hand a batch to a handler, again and again, as its queue would; a message is received three times at most.

    `fails` is how often the work on a message fails at first. Counts how often each was done, what is lost, what ends
    as a dead letter; `back` are messages that were done and came back, `unknown` what was named and is no message's id,
    `order` how they were done, by customer.
    """
    tries: dict[str, int] = {}
    done: list[str] = []
    back: set[str] = set()
    unknown: set[str] = set()
    there, deliveries = list(messages), 0

    def work(given: Any) -> None:
        order = str(given["orderId"] if "orderId" in given else json.loads(given["body"])["orderId"])
        one = order.removeprefix("ORD-")
        tries[one] = tries.get(one, 0) + 1
        if tries[one] <= fails.get(one, 0):
            raise RuntimeError(f"{one} cannot be done now")
        done.append(one)

    while there and deliveries < RECEIVES:
        deliveries += 1
        event = {"Records": [record_of(one, deliveries, fifo) for one in there]}
        try:
            said = answer(event, work)
            keeps = kept(said, there)
            unknown |= strange(said, there)
        except (NameError, AttributeError, TypeError):  # a slip, of which the learner should read
            raise
        except Exception:
            keeps = list(there)
        back |= set(keeps) & set(done)
        there = keeps
    customers = sorted({one[0] for one in messages})
    return {
        "done": {one: done.count(one) for one in messages if one in done},
        "order": {name: [one for one in done if one[0] == name] for name in customers},
        "lost": [one for one in messages if one not in done and one not in there],
        "dead letters": there,
        "back": sorted(back),
        "unknown": sorted(unknown),
    }


def in_line(answer: Any, messages: list[str], fails: dict[str, int]) -> dict[str, Any]:
    """As `deliver`, on a FIFO queue; and which messages of healthy customers a first delivery left untried."""
    first: list[str] = []

    def watched(event: Event, work: Callable[[Any], None]) -> Any:
        def noted(given: Any) -> None:
            if all(record["attributes"]["ApproximateReceiveCount"] == "1" for record in event["Records"]):
                first.append(str(json.loads(given["body"])["orderId"]).removeprefix("ORD-"))
            work(given)

        return answer(event, noted)

    seen = deliver(watched, messages, fails, fifo=True)
    ill = {one[0] for one in fails}
    return {**seen, "held up": [one for one in messages if one[0] not in ill and one not in first]}
