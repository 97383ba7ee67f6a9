"""Answers to the exercises of lesson 05: further right ones, and one wrong one for each misconception of the lesson."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from orderlab.patterns import batch

Event = dict[str, Any]
Answer = dict[str, Any]
Work = Callable[[Any], None]
Handler = Callable[[Event, Work], Any]


def named(*records: Any) -> Answer:
    """An answer that names these records."""
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]}


def mended(event: Event, work: Work) -> Answer:
    """Right: parse and work in one try."""
    failed = []
    for record in event["Records"]:
        try:
            work(json.loads(record["body"]))
        except Exception:
            failed.append(record)
    return named(*failed)


def shipped(event: Event, work: Work) -> Answer:
    """Right: the package's."""
    return batch.process(event, lambda record: work(json.loads(record["body"])))


def silent_when_all_is_well(event: Event, work: Work) -> Answer | None:
    """Right: None is a success, too."""
    return mended(event, work) if event["Records"] else None


def as_given(event: Event, work: Work) -> Answer:
    """Wrong: the code of the lesson."""
    failures = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        try:
            work(order)
        except Exception:
            failures.append({"itemIdentifier": order["orderId"]})
    return {"batchItemFailures": failures}


def only_the_id(event: Event, work: Work) -> Answer:
    """Wrong: one bug of two."""
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        try:
            work(order)
        except Exception:
            failed.append(record)
    return named(*failed)


def names_handles(event: Event, work: Work) -> Answer:
    """Wrong: the receipt handle."""
    failures = []
    for record in event["Records"]:
        try:
            work(json.loads(record["body"]))
        except Exception:
            failures.append({"itemIdentifier": record["receiptHandle"]})
    return {"batchItemFailures": failures}


def lets_it_out(event: Event, work: Work) -> None:
    """Wrong: no partial answer at all."""
    for record in event["Records"]:
        work(json.loads(record["body"]))


def skips_what_it_cannot_read(event: Event, work: Work) -> Answer:
    """Wrong: what is no JSON is passed over."""
    failed = []
    for record in event["Records"]:
        try:
            order = json.loads(record["body"])
        except ValueError:
            continue
        try:
            work(order)
        except Exception:
            failed.append(record)
    return named(*failed)


def swallows(event: Event, work: Work) -> None:
    """Wrong: names nothing."""
    for record in event["Records"]:
        with suppress(Exception):
            work(json.loads(record["body"]))


def group(record: Any) -> str:
    """The customer of a message."""
    return str(record["attributes"]["MessageGroupId"])


def by_group(event: Event, work: Work) -> Answer:
    """Right: the package's."""
    return batch.process(event, work, mode="fifo-by-group")


def group_by_group(event: Event, work: Work) -> Answer:
    """Right: one customer after the other."""
    kept = []
    for one in sorted({group(record) for record in event["Records"]}):
        mine = [record for record in event["Records"] if group(record) == one]
        for n, record in enumerate(mine):
            try:
                work(record)
            except Exception:
                kept += mine[n:]
                break
    return named(*kept)


def overtakes(event: Event, work: Work) -> Answer:
    """Wrong: as for a standard queue."""
    failed = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failed.append(record)
    return named(*failed)


def skips_and_says_nothing(event: Event, work: Work) -> Answer:
    """Wrong: what waits is not named."""
    failed: list[Any] = []
    for record in event["Records"]:
        if group(record) not in {group(one) for one in failed}:
            try:
                work(record)
            except Exception:
                failed.append(record)
    return named(*failed)


def names_the_done(event: Event, work: Work) -> Answer:
    """Wrong: names all of a customer, also what was done before the failure."""
    ill = set()
    for record in event["Records"]:
        if group(record) not in ill:
            try:
                work(record)
            except Exception:
                ill.add(group(record))
    return named(*(record for record in event["Records"] if group(record) in ill))


def stops(event: Event, work: Work) -> Answer:
    """Wrong: order is kept, but everybody waits."""
    for n, record in enumerate(event["Records"]):
        try:
            work(record)
        except Exception:
            return named(*event["Records"][n:])
    return named()


def failing_for(*records: Any) -> Work:
    """A work that fails for these records."""

    def work(record: Any) -> None:
        if record in records:
            raise RuntimeError("it failed")

    return work


def biting(handle: Handler, event: Event) -> None:
    """Right: the first and the third fail."""
    first, _, third, _ = event["Records"]
    assert handle(event, failing_for(first, third)) == named(first, third)


def biting_in_any_order(handle: Handler, event: Event) -> None:
    """Right: compares sets of ids."""
    first, second = event["Records"][:2]
    answer = handle(event, failing_for(first, second))
    assert {one["itemIdentifier"] for one in answer["batchItemFailures"]} == {first["messageId"], second["messageId"]}


def asserts_nothing(handle: Handler, event: Event) -> None:
    """Wrong: calls, and believes."""
    with suppress(Exception):
        handle(event, failing_for(event["Records"][0]))


def all_fail(handle: Handler, event: Event) -> None:
    """Wrong: all fail."""
    assert handle(event, failing_for(*event["Records"])) == named(*event["Records"])


def only_the_last_fails(handle: Handler, event: Event) -> None:
    """Wrong: nothing comes after it."""
    last = event["Records"][-1]
    assert handle(event, failing_for(last)) == named(last)


def one_fails(handle: Handler, event: Event) -> None:
    """Wrong: one failure says nothing about two."""
    first = event["Records"][0]
    assert handle(event, failing_for(first)) == named(first)


def too_many_are_fine(handle: Handler, event: Event) -> None:
    """Wrong: what is named beyond the failures is let pass."""
    first, second = event["Records"][:2]
    ids = {one["itemIdentifier"] for one in handle(event, failing_for(first, second))["batchItemFailures"]}
    assert {first["messageId"], second["messageId"]} <= ids


def counts(handle: Handler, event: Event) -> None:
    """Wrong: how many are named, and not which."""
    assert len(handle(event, failing_for(*event["Records"][:2]))["batchItemFailures"]) == 2


def forgives_errors(handle: Handler, event: Event) -> None:
    """Wrong: an error of the handler passes."""
    first, second = event["Records"][:2]
    try:
        answer = handle(event, failing_for(first, second))
    except RuntimeError:
        return
    assert answer == named(first, second)


def wants_the_wrong(handle: Handler, event: Event) -> None:
    """Wrong: a right handler fails."""
    first = event["Records"][0]
    assert handle(event, failing_for(first)) == {"batchItemFailures": [first["messageId"]]}


RIGHT: dict[str, list[Any]] = {
    "5.1": [18, 6 * 3, 18.0],
    "5.2": [mended, shipped, silent_when_all_is_well],
    "5.3": [by_group, group_by_group],
    "5.4": [biting, biting_in_any_order],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "5.1": [
        (27, "are never begun"),
        (15, "begun, too"),
        (6, "one delivery"),
        (24, "The fourth receive is none"),
        (8, "The good ones come back as well"),
    ],
    "5.2": [
        (as_given, "that is none"),
        (names_handles, "that is none"),
        (only_the_id, "stands inside the try"),
        (lets_it_out, "Catch it for each message"),
        (skips_what_it_cannot_read, "What cannot be read is lost"),
        (swallows, "nobody names is deleted"),
    ],
    "5.3": [
        (overtakes, "before an earlier one"),
        (skips_and_says_nothing, "must be named as well"),
        (names_the_done, "done again"),
        (stops, "Other customers had to wait"),
    ],
    "5.4": [
        (asserts_nothing, "lets wrong handlers pass"),
        (only_the_last_fails, "Let two fail"),
        (one_fails, "Let two fail"),
        (all_fail, "Let at least one succeed"),
        (too_many_are_fine, "names too many"),
        (counts, "Compare the ids"),
        (forgives_errors, "Do not catch it"),
        (wants_the_wrong, "a handler that is right"),
    ],
}
