"""The verdict on a batch: which of its messages the mapping deletes after the function has answered.

With ReportBatchItemFailures a function names the messages that failed; the mapping deletes all others, and what is not
deleted comes back when its visibility timeout ends. An answer that AWS cannot read fails the whole batch, so that
nothing is lost; without the setting the answer is not read at all, and a function that did not raise has done it all.
Source: Lambda developer guide, services-sqs-errorhandling; recorded calls. Where the guide is silent, an answer that
is JSON but no object counts as one that cannot be read. Taught in notebooks/05_some_of_them_failed.ipynb
"""

import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..functions.service import Result


def judge(batch_ids: Collection[str], result: "Result", report_batch_item_failures: bool) -> set[str]:
    """The ids of the messages to delete, of those in `batch_ids`."""
    if result.error is not None or result.timed_out or result.throttled:
        return set()
    if not report_batch_item_failures:
        return set(batch_ids)
    try:
        failed = named_failures(result.payload)
    except ValueError:
        return set()
    return set(batch_ids) - failed if failed <= set(batch_ids) else set()


def named_failures(payload: str) -> set[str]:
    """The ids that an answer names as failed. Raises ValueError for an answer that AWS cannot read."""
    answer: Any = json.loads(payload) if payload else None
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        raise ValueError("the answer is no JSON object")
    failures = answer.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        raise ValueError("batchItemFailures is no list")
    named: set[str] = set()
    for failure in failures:
        name = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not isinstance(name, str) or not name:
            raise ValueError("an entry of batchItemFailures has no itemIdentifier")
        named.add(name)
    return named
