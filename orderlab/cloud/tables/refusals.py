"""How DynamoDB says "not now": the answers of the faults `throttle` and `conflict`.

A table that is asked too much answers ThrottlingException (on-demand) or ProvisionedThroughputExceededException
(provisioned). A write of one row that a transaction is at answers TransactionConflictException, which boto3 does not
retry. A transaction is cancelled in both cases, with a reason at the action that it was: ThrottlingError,
ProvisionedThroughputExceeded or TransactionConflict; boto3 does not retry that either.
Source: API_TransactWriteItems (CancellationReasons); developer guide, transaction-apis (conflicts), Programming.Errors.
Departures: in process one call ends before the next begins, so that calls never conflict by themselves, only by the
fault; ThrottlingReasons are not told; an eventually consistent read always finds the newest row here.
Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Callable
from typing import Any

from ..wire.answers import Refusal

ONGOING = "Transaction is ongoing for the item"
ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly."
)
PROVISIONED = (
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning "
    "level with the UpdateTable API."
)


def conflict(parameters: dict[str, Any], pick: Callable[[int], int]) -> Refusal:
    """Another transaction is at this row, or at one of these: `pick(n)` says which, from 0 to n - 1."""
    actions = parameters.get("TransactItems")
    if actions is None:
        return Refusal("TransactionConflictException", ONGOING)
    return _cancelled(len(actions), pick(len(actions)), "TransactionConflict", ONGOING)


def throttle(parameters: dict[str, Any], pick: Callable[[int], int], tables: dict[str, Any]) -> Refusal:
    """The table is asked too much, or one of a transaction's tables."""
    actions = parameters.get("TransactItems")
    at = pick(len(actions)) if actions else 0
    asked = next(iter(actions[at].values())) if actions else parameters
    name = asked.get("TableName") or next(iter(parameters.get("RequestItems") or {}), None)
    provisioned = getattr(tables.get(str(name)), "billing_mode", None) == "PROVISIONED"
    message = PROVISIONED if provisioned else ON_DEMAND
    if actions:
        code = "ProvisionedThroughputExceeded" if provisioned else "ThrottlingError"
        return _cancelled(len(actions), at, code, message)
    return Refusal("ProvisionedThroughputExceededException" if provisioned else "ThrottlingException", message)


def _cancelled(length: int, at: int, code: str, message: str) -> Refusal:
    """A cancelled transaction with its reason at one of its actions."""
    codes = ["None"] * length
    codes[at] = code
    reasons = [{"Code": c, "Message": message} if c != "None" else {"Code": c} for c in codes]
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]"
    return Refusal("TransactionCanceledException", text, more={"CancellationReasons": reasons})
