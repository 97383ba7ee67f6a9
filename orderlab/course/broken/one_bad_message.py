"""A ReserveStock that must know each article's colour, and four ways to treat the message of the one that has none.

`all_or_nothing` lets its error end the invocation, and Lambda deletes no message of the batch. `swallow` catches it and
answers nothing, and Lambda deletes them all. `misnamed` gives it back under a wrong key, and AWS keeps them all.
`give_back` is the shipped way, patterns.batch. Taught in notebooks/05_some_of_them_failed.ipynb
"""

import json
import time
from typing import Any

from orderlab.orders import events, stock
from orderlab.patterns import batch

COLOURS = {"mug": "white", "clock": "black"}


def reserve(record: dict[str, Any]) -> None:
    """Reserve the goods of one message. Raises KeyError for an article without a colour."""
    say(record, "begun")
    kind, detail = events.received(record["body"])
    for item in detail["items"]:
        COLOURS[item["sku"]]
    stock.work(kind, detail, time.time(), lambda: 10.0)
    say(record, "done")


def say(record: dict[str, Any], what: str) -> None:
    """Log how far the work on a message has come."""
    print(json.dumps({"messageId": record["messageId"], "reserve": what}))


def all_or_nothing(event: dict[str, Any], context: Any) -> None:
    """Do one message after the other."""
    for record in event["Records"]:
        reserve(record)


def swallow(event: dict[str, Any], context: Any) -> None:
    """Do one message after the other, whatever happens."""
    for record in event["Records"]:
        try:
            reserve(record)
        except Exception as error:
            print(f"could not reserve: {error!r}")


def give_back(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do each message, and answer which of them failed."""
    return batch.process(event, reserve)


def misnamed(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do each message, and answer which of them failed, under a key that AWS does not know."""
    failures = []
    for record in event["Records"]:
        try:
            reserve(record)
        except Exception:
            failures.append({"messageId": record["messageId"]})
    return {"batchItemFailures": failures}
