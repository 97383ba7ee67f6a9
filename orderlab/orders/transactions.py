"""One transaction of DynamoDB: all of its writes or none, and an honest reason for none.

TransactWriteItems takes at most 100 actions on different rows. When it is cancelled, CancellationReasons has one entry
per action: a condition that failed is an answer, while a conflict with another transaction or throttling only means
"not now" and is tried again here, with jitter. boto3 does not: to it, TransactionCanceledException is final. What it
does retry, a lost answer, it sends again under the same ClientRequestToken, which DynamoDB remembers for 10 minutes.
Taught in notebooks/06_where_state_lives.ipynb
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from orderlab.orders import clients, rows
from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.retry import Retry

NOT_NOW = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class Busy(Exception):
    """Another transaction was at these rows, or DynamoDB throttled: nothing was written, nothing was decided."""


@dataclass(frozen=True)
class Reason:
    """Why one action did not happen: did its condition fail, and the row that is there, where it was asked for."""

    failed: bool
    row: rows.Row


RETRY = Retry(6, full_jitter(0.05, 0.5), retry_on=Busy, deadline=2.0)


def write(actions: Sequence[dict[str, Any]], remaining: Callable[[], float] | None = None) -> list[Reason]:
    """Do all actions, or none. [] when they are done, else one Reason per action, of which at least one `failed`.

    `remaining()` gives the seconds that the invocation has left. Raises Busy when it stayed busy for 2 s or 6 attempts.
    """
    return RETRY.call(
        lambda: _once(actions), clock=time.monotonic, sleep=time.sleep, rng=random.random, remaining=remaining
    )


def _once(actions: Sequence[dict[str, Any]]) -> list[Reason]:
    try:
        clients.dynamodb().transact_write_items(TransactItems=list(actions))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return _judge(error)
    return []


def _judge(error: ClientError) -> list[Reason]:
    found = error.response.get("CancellationReasons", [])
    codes = [reason.get("Code", "None") for reason in found]
    busy = NOT_NOW.intersection(codes)
    if busy:
        raise Busy(f"transaction cancelled: {', '.join(sorted(busy))}") from error
    if "ConditionalCheckFailed" not in codes:
        raise error
    return [
        Reason(reason.get("Code") == "ConditionalCheckFailed", rows.from_item(reason.get("Item", {})))
        for reason in found
    ]
