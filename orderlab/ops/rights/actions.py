"""The one table from a call to the IAM actions that it needs.

Most operations are an action of their own name. A transaction needs the rights of its parts on each of its tables, and
an invoke has another name. A call that is in no row is an error, not a call without needs: whoever writes a new one
looks its rights up and says where.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .heard import Call

_REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/"
_DYNAMODB = _REFERENCE + "list_amazondynamodb.html"
_TRANSACTIONS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html"
_PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}
Needed = tuple[str, str]  # an action, and the ARN of what it is done to


class Unknown(LookupError):
    """A call whose rights nobody has looked up."""


class Row(NamedTuple):
    """What the calls of one operation need, and the page of AWS's documentation that says so."""

    needs: Callable[[Call], Iterator[Needed]]
    source: str


def needs(call: Call) -> set[Needed]:
    """The actions that a call needs, each on the ARN of what it is done to. Raises Unknown."""
    row = TABLE.get(call.operation)
    if row is None:
        raise Unknown(
            f"{call.caller} calls {call.operation}, and orderlab/ops/rights/actions.py does not say which rights it "
            "needs: look it up in AWS's service authorization reference and add a row"
        )
    return set(row.needs(call))


def _on_table(call: Call) -> Iterator[Needed]:
    yield f"dynamodb:{call.operation.partition('.')[2]}", call.arn("dynamodb", f"table/{call.asked['TableName']}")


def _on_tables(call: Call) -> Iterator[Needed]:
    for table in call.asked["RequestItems"]:
        yield f"dynamodb:{call.operation.partition('.')[2]}", call.arn("dynamodb", f"table/{table}")


def _transaction(call: Call) -> Iterator[Needed]:
    for item in call.asked["TransactItems"]:
        for kind, part in item.items():
            yield f"dynamodb:{_PARTS[kind]}", call.arn("dynamodb", f"table/{part['TableName']}")


def _events(call: Call) -> Iterator[Needed]:
    for entry in call.asked["Entries"]:
        bus: Any = entry.get("EventBusName", "default")
        yield "events:PutEvents", call.arn("events", f"event-bus/{bus.rpartition('/')[2]}")


def _send(call: Call) -> Iterator[Needed]:
    yield "sqs:SendMessage", call.arn("sqs", call.asked["QueueUrl"].rpartition("/")[2])


def _invoke(call: Call) -> Iterator[Needed]:
    yield "lambda:InvokeFunction", call.arn("lambda", f"function:{call.asked['function'].rpartition(':')[2]}")


def _put_object(call: Call) -> Iterator[Needed]:
    """The narrowest that can be written down: the folder of the object, for its name is new each time."""
    folder = call.asked["key"].rpartition("/")[0]
    yield "s3:PutObject", f"arn:aws:s3:::{call.asked['bucket']}/{folder + '/' if folder else ''}*"


TABLE = {
    "dynamodb.BatchGetItem": Row(_on_tables, _DYNAMODB),
    "dynamodb.DeleteItem": Row(_on_table, _DYNAMODB),
    "dynamodb.GetItem": Row(_on_table, _DYNAMODB),
    "dynamodb.PutItem": Row(_on_table, _DYNAMODB),
    "dynamodb.TransactWriteItems": Row(_transaction, _TRANSACTIONS),
    "dynamodb.UpdateItem": Row(_on_table, _DYNAMODB),
    "eventbridge.PutEvents": Row(_events, _REFERENCE + "list_amazoneventbridge.html"),
    "lambda.Invoke": Row(_invoke, _REFERENCE + "list_awslambda.html"),
    "s3.PutObject": Row(_put_object, _REFERENCE + "list_amazons3.html"),
    "sqs.SendMessage": Row(_send, _REFERENCE + "list_amazonsqs.html"),
}
