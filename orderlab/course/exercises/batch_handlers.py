"""The handlers that exercise 5.4's test is tried on: some right, some wrong.

Taught in notebooks/05_some_of_them_failed.ipynb
"""

from collections.abc import Callable
from typing import Any

from .batches import Event, record_of


def by_hand(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A right handler: all are tried, those that raised are named."""
    failures = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def as_shipped(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A right handler: as patterns.batch, it raises when all failed."""
    answer = by_hand(event, work)
    if event["Records"] and len(answer["batchItemFailures"]) == len(event["Records"]):
        raise RuntimeError("all records of the batch failed")
    return answer


def all_or_nothing(event: Event, work: Callable[[Any], None]) -> None:
    """A wrong handler: one error ends it."""
    for record in event["Records"]:
        work(record)


def swallows(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: no error is told."""
    by_hand(event, work)
    return {"batchItemFailures": []}


def names_handles(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: names receipt handles."""
    named = {one["itemIdentifier"] for one in by_hand(event, work)["batchItemFailures"]}
    found = [record["receiptHandle"] for record in event["Records"] if record["messageId"] in named]
    return {"batchItemFailures": [{"itemIdentifier": handle} for handle in found]}


def stops(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: nothing is tried after a failure, and only that is named."""
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    return {"batchItemFailures": []}


def names_the_last(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: of several failures the last is named."""
    return {"batchItemFailures": by_hand(event, work)["batchItemFailures"][-1:]}


def names_all(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: when one fails, all are named."""
    failed = by_hand(event, work)["batchItemFailures"]
    every = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    return {"batchItemFailures": every if failed else []}


HANDLERS: dict[str, Callable[..., Any]] = {
    "right, by hand": by_hand,
    "right, raises when all fail": as_shipped,
    "wrong: lets the error out": all_or_nothing,
    "wrong: swallows it": swallows,
    "wrong: names the receipt handle": names_handles,
    "wrong: stops at the first failure": stops,
    "wrong: names only the last failure": names_the_last,
    "wrong: names all when one fails": names_all,
}


def examine(answer: Any, handler: str) -> str:
    """Run a learner's test on a handler: did the test pass?"""
    event = {"Records": [record_of(f"{name}1") for name in "ABCD"]}
    try:
        answer(HANDLERS[handler], event)
    except Exception as error:
        return "fails" if handler.startswith("wrong") else f"fails: {type(error).__name__}"
    return "passes"
