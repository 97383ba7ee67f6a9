"""TransactWriteItems: all of its writes, or none and the reason of each.

A transaction is refused as a whole, with a ValidationException, when it is badly made (two actions on one row), and
cancelled, with one reason for each action, when a condition fails or a write does not fit the row that is there.
moto copies each whole table once for every action, to be able to roll back; here only the rows that are named.
Source: API_TransactWriteItems; recorded answers of github.com/paritysuite/dynamodb-conformance (refusals, their order).
Taught in notebooks/06_where_state_lives.ipynb
"""

import copy
from typing import Any

import moto.dynamodb.exceptions as errors
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models import DynamoDBBackend, DynamoType, Table

KINDS = {"ConditionCheck", "Put", "Update", "Delete"}
DOES_NOT_FIT = (  # the row that is there or the table's key, so a reason; all else is wrong with the request itself
    errors.AttributeDoesNotExist,
    errors.IncorrectDataType,
    errors.InvalidAttributeTypeError,
    errors.InvalidUpdateExpressionInvalidDocumentPath,
    errors.ItemSizeToUpdateTooLarge,
    errors.ProvidedKeyDoesNotExist,
)
Undo = tuple[dict[Any, Any], Any, Any]  # a dict, a name in it, and the value that it had (None: it was not there)


def write(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Do all actions, or none. Raises TransactionCanceledException with the reason of each, or what else is wrong."""
    actions = [_action(self, item) for item in transact_items]
    targets = [(table.name, repr([key.get(name) for name in table.table_key_attrs])) for _, _, table, key in actions]
    if len(set(targets)) < len(targets):
        raise errors.MultipleTransactionsException
    shards = {table.name: table.stream_shard for _, _, table, _ in actions if table.stream_shard is not None}
    lengths = {name: len(shard.items) for name, shard in shards.items()}
    undo: list[Undo] = []
    reasons: list[tuple[Any, Any, Any]] = []
    try:
        for kind, action, table, key in actions:
            try:
                _check_key(kind, table, key)
                undo.append(remember(table, key))
                reasons.append(_do(self, kind, action, table, key))
            except DOES_NOT_FIT as error:
                reasons.append(("ValidationError", error.message, None))
        if any(code for code, _, _ in reasons):
            raise errors.TransactionCanceledException(reasons)
    except Exception:
        put_back(undo)
        for name, shard in shards.items():
            del shard.items[lengths[name] :]
        raise


def _action(backend: DynamoDBBackend, item: dict[str, Any]) -> tuple[str, dict[str, Any], Table, dict[str, Any]]:
    """An action's kind, its parameters, its table and the key of its row."""
    if len(item) != 1 or not KINDS.issuperset(item):
        raise errors.TransactWriteSingleOpException
    [(kind, action)] = item.items()
    table = backend.get_table(action["TableName"])
    if kind != "Put":
        return kind, action, table, action["Key"]
    for name in table.table_key_attrs:
        if name not in action["Item"]:
            message = f"One or more parameter values were invalid: Missing the key {name} in the item"
            raise errors.MockValidationException(message)
    return kind, action, table, {name: action["Item"][name] for name in table.table_key_attrs}


def _do(
    backend: DynamoDBBackend, kind: str, action: dict[str, Any], table: Table, key: dict[str, Any]
) -> tuple[str | None, str | None, Any]:
    """Do one action; the reason if its condition fails, else three times None."""
    name, names, values = table.name, action.get("ExpressionAttributeNames"), action.get("ExpressionAttributeValues")
    current = backend.get_item(name, key)
    condition = action.get("ConditionExpression")
    if condition is not None and not get_filter_expression(condition, names, values).expr(current):
        wanted = current is not None and action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        row = current.to_json()["Attributes"] if wanted else None  # type: ignore[union-attr]
        return "ConditionalCheckFailed", "The conditional request failed", row
    if kind == "Put":
        backend.put_item(name, action["Item"])
    elif kind == "Delete":
        backend.delete_item(name, key)
    elif kind == "Update":
        backend.update_item(name, key, action["UpdateExpression"], names, values)  # type: ignore[arg-type]
    return None, None, None


def _check_key(kind: str, table: Table, key: dict[str, Any]) -> None:
    """Refuse a key that is not one of this table's; what is put is checked, in other words, when it is put."""
    types = {table.hash_key_attr: table.hash_key_type, table.range_key_attr: table.range_key_type}
    types.pop(None, None)
    if kind != "Put" and {name: next(iter(value)) for name, value in key.items()} != types:
        raise errors.ProvidedKeyDoesNotExist


def remember(table: Table, key: dict[str, Any]) -> Undo:
    """Note what stands at this key now, so that it can be put back. Raises KeyError for a key that is too short."""
    hash_key = DynamoType(key[table.hash_key_attr])
    if table.range_key_attr is None:
        return table.items, hash_key, copy.deepcopy(table.items.get(hash_key))
    rows = table.items.get(hash_key)
    if rows is None:
        return table.items, hash_key, None
    range_key = DynamoType(key[table.range_key_attr])
    return rows, range_key, copy.deepcopy(rows.get(range_key))


def put_back(undo: list[Undo]) -> None:
    """Undo, the last write first."""
    for rows, name, value in reversed(undo):
        if value is None:
            rows.pop(name, None)
        else:
            rows[name] = value


_moto_write = DynamoDBBackend.transact_write_items


def install() -> None:
    """Replace moto's transaction; idempotent."""
    DynamoDBBackend.transact_write_items = write  # type: ignore[method-assign]


def uninstall() -> None:
    """Give moto its own transaction back."""
    DynamoDBBackend.transact_write_items = _moto_write  # type: ignore[method-assign]
