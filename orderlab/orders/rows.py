"""Rows of DynamoDB as plain dicts, and the conditional writes that all of this rests on.

DynamoDB's condition is checked and the row written in one step, so whoever comes second is told: a condition that fails
answers with the row that is there (ReturnValuesOnConditionCheckFailure), and no read before the write is needed.
Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from orderlab.orders import clients

Row = dict[str, Any]


def encode(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's JSON: texts, numbers, booleans, None, lists and dicts. Raises TypeError for any other."""
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, (int, float)):
        return {"N": repr(value)}
    if isinstance(value, (list, tuple)):
        return {"L": [encode(entry) for entry in value]}
    if isinstance(value, dict):
        return {"M": to_item(value)}
    raise TypeError(f"a row cannot hold {value!r}")


def decode(value: Mapping[str, Any]) -> Any:
    """The value of DynamoDB's JSON; numbers become int where they are whole, else float. Raises TypeError."""
    kind, content = next(iter(value.items()))
    if kind in ("S", "BOOL"):
        return content
    if kind == "N":
        return int(content) if content.lstrip("-").isdigit() else float(content)
    if kind == "L":
        return [decode(entry) for entry in content]
    if kind == "M":
        return from_item(content)
    if kind == "NULL":
        return None
    raise TypeError(f"no row of this system holds a value of DynamoDB's type {kind}")


def to_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as DynamoDB takes it."""
    return {name: encode(value) for name, value in row.items()}


def from_item(item: Mapping[str, Any]) -> Row:
    """A row as DynamoDB gives it."""
    return {name: decode(value) for name, value in item.items()}


def get(table: str, **key: str) -> Row | None:
    """The row, read consistently, so that one's own write is seen; or None."""
    found = clients.dynamodb().get_item(TableName=table, Key=to_item(key), ConsistentRead=True)
    return from_item(found["Item"]) if "Item" in found else None


def new(table: str, row: Row) -> dict[str, Any]:
    """A put that happens only where no such row is. The row's first attribute must be its table's hash key."""
    return _put(table, row, "attribute_not_exists(#k)", {"#k": next(iter(row))}, {})


def over(table: str, row: Row, *values: str | int, of: str = "status") -> dict[str, Any]:
    """A put that happens only over a row whose attribute `of` has one of these values."""
    named = {f":v{n}": value for n, value in enumerate(values)}
    return _put(table, row, f"#a IN ({', '.join(named)})", {"#a": of}, named)


def put(action: dict[str, Any]) -> Row | None:
    """Do a put that `new` or `over` made. None: it is written; else the row in the way ({} where none is)."""
    try:
        clients.dynamodb().put_item(**action)
    except ClientError as error:
        return in_the_way(error)
    return None


def update(
    table: str, key: Mapping[str, str], expression: str, condition: str, names: Mapping[str, str], values: Row
) -> dict[str, Any]:
    """A conditional update, for `clients.dynamodb().update_item` or a transaction."""
    action = {
        "TableName": table,
        "Key": to_item(key),
        "UpdateExpression": expression,
        "ExpressionAttributeValues": to_item(values),
    }
    action |= {"ConditionExpression": condition} if condition else {}
    return action | ({"ExpressionAttributeNames": dict(names)} if names else {})


def in_the_way(error: ClientError) -> Row:
    """The row that made a condition fail; {} when none is there. Any other error is raised again."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    return from_item(error.response.get("Item", {}))


def _put(table: str, row: Row, condition: str, names: dict[str, str], values: Row) -> dict[str, Any]:
    action: dict[str, Any] = {
        "TableName": table,
        "Item": to_item(row),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return action | ({"ExpressionAttributeValues": to_item(values)} if values else {})
