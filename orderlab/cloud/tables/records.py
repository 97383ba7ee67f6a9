"""What a write leaves behind: one stream record for one change, none where nothing changed, nothing when it failed.

On AWS UpdateItem creates or changes a row as a whole or not at all, and a PutItem or UpdateItem that changes no data
writes no stream record. moto writes two INSERT records where UpdateItem creates a row (the first with its key alone),
a MODIFY record where nothing changed, and keeps what an update that fails had done so far.
Source: DynamoDB developer guide, Streams; API_UpdateItem.
Taught in notebooks/06_where_state_lives.ipynb
"""

from typing import Any

from moto.dynamodb.models import DynamoDBBackend, Item
from moto.dynamodb.models.table import StreamShard

from .transactions import put_back, remember

_moto_update, _moto_add = DynamoDBBackend.update_item, StreamShard.add


def update_item(self: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **named: Any) -> Item:
    """moto's update, with its one record, or without a trace."""
    table = self.get_table(table_name)
    records = table.stream_shard.items if table.stream_shard is not None else []
    length, undo = len(records), [remember(table, key)] if set(key) == set(table.table_key_attrs) else []
    try:
        item = _moto_update(self, table_name, key, *args, **named)
    except Exception:
        put_back(undo)
        del records[length:]
        raise
    if len(records) == length + 2:
        records[length + 1].record["dynamodb"]["SequenceNumber"] = records[length].record["dynamodb"]["SequenceNumber"]
        del records[length]
    return item


def add(self: StreamShard, old: Item | None, new: Item | None) -> None:
    """moto's record of a change, if it is one."""
    if old is None or new is None or old.attrs != new.attrs:
        _moto_add(self, old, new)


def install() -> None:
    """Replace moto's two names; idempotent."""
    DynamoDBBackend.update_item = update_item  # type: ignore[method-assign]
    StreamShard.add = add  # type: ignore[method-assign]


def uninstall() -> None:
    """Give moto its own names back."""
    DynamoDBBackend.update_item, StreamShard.add = _moto_update, _moto_add  # type: ignore[method-assign]
