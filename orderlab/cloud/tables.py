"""DynamoDB in the local cloud: moto's tables, with transactions that cost what they touch.

On AWS TransactWriteItems is all or nothing for at most 100 items. moto backs up each whole table once for every item
of a transaction (60 ms for two items on a table of 3,000 rows) to be able to roll back. Here only the rows that the
transaction names are remembered, and put back when it is refused.
"""

import copy
from typing import Any

import moto.dynamodb.models as models
from moto.dynamodb.exceptions import MockValidationException

_moto_transact = models.DynamoDBBackend.transact_write_items


class _CopyWithoutTables:
    """Stands for the `copy` module inside moto.dynamodb.models: a whole table is not copied."""

    @staticmethod
    def deepcopy(value: Any, memo: Any = None) -> Any:
        return value if isinstance(value, models.Table) else copy.deepcopy(value, memo)

    copy = staticmethod(copy.copy)


def _transact_write_items(self: models.DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    before: list[tuple[dict[Any, Any], Any, Any]] = []
    shards: dict[str, int] = {}
    for item in transact_items:
        action = next(iter(item.values()))
        table = self.tables.get(action.get("TableName"))
        if table is None:
            continue
        if table.stream_shard is not None:
            shards[table.name] = len(table.stream_shard.items)
        key = action.get("Key") or action.get("Item") or {}
        try:
            _remember(before, table, key)
        except KeyError:
            raise MockValidationException("The provided key element does not match the schema") from None
    try:
        _moto_transact(self, transact_items)
    except Exception:
        for holder, name, value in reversed(before):
            if value is None:
                holder.pop(name, None)
            else:
                holder[name] = value
        for name, length in shards.items():
            shard = self.tables[name].stream_shard
            del shard.items[length:]  # type: ignore[union-attr]
        raise


def _remember(before: list[tuple[dict[Any, Any], Any, Any]], table: Any, key: dict[str, Any]) -> None:
    """Note what stands at this key now, so that it can be put back."""
    hash_key = models.DynamoType(key[table.hash_key_attr])
    if table.range_key_attr is None:
        before.append((table.items, hash_key, copy.deepcopy(table.items.get(hash_key))))
        return
    range_key = models.DynamoType(key[table.range_key_attr])
    rows = table.items.get(hash_key)
    if rows is None:
        before.append((table.items, hash_key, None))
    else:
        before.append((rows, range_key, copy.deepcopy(rows.get(range_key))))


def install() -> None:
    """Replace moto's transaction; idempotent."""
    models.DynamoDBBackend.transact_write_items = _transact_write_items  # type: ignore[method-assign]
    models.copy = _CopyWithoutTables  # type: ignore[assignment]


def uninstall() -> None:
    """Give moto its own transaction back."""
    models.DynamoDBBackend.transact_write_items = _moto_transact  # type: ignore[method-assign]
    models.copy = copy


def clear(backend: models.DynamoDBBackend) -> None:
    """Empty all tables and their streams; the tables stay."""
    for table in backend.tables.values():
        table.items.clear()
        if table.stream_shard is not None:
            table.stream_shard.items.clear()
