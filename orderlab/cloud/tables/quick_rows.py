"""moto's rows, copied and counted without asking each value again what it is.

moto copies a row with `copy.deepcopy`, which asks of every value whether it was copied before, and adds up all values
of a row again, one by one, whenever one is set. What a row holds is a tree, so nothing here changes an answer; each
function is compared with the one that it stands for.
Taught in notebooks/06_where_state_lives.ipynb
"""

from base64 import b64decode
from copy import deepcopy
from typing import Any

import moto.dynamodb.responses
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

MOST = 405_000  # bytes: moto's limit for a row
_size, _in_answer = DynamoType.size, moto.dynamodb.responses.dynamo_to_dict


def copied(value: Any, memo: Any = None) -> Any:
    """A value of a row and everything in it."""
    new = object.__new__(type(value))
    new.type, inner = value.type, value.value
    if type(inner) is dict:
        new.value = {name: copied(each) for name, each in inner.items()}
    elif type(inner) is list:
        new.value = [copied(each) if isinstance(each, DynamoType) else each for each in inner]
    else:
        new.value = inner
    return new


def copied_row(row: Any, memo: Any = None) -> Any:
    """A row and everything in it."""
    new = object.__new__(type(row))
    new.hash_key = copied(row.hash_key)
    new.range_key = None if row.range_key is None else copied(row.range_key)
    new.attrs = LimitedSizeDict()
    dict.update(new.attrs, {name: copied(value) for name, value in row.attrs.items()})
    return new


def size(value: Any) -> int:
    """How many bytes a value counts."""
    kind, inner = value.type, value.value
    if kind == "S" or kind == "N":
        return _letters(inner) if type(inner) is str else int(_size(value))
    if kind == "M":
        return sum([_letters(name) + size(each) for name, each in inner.items()])
    return sum(map(size, inner)) if kind == "L" else int(_size(value))


def set_attribute(self: LimitedSizeDict, name: str, value: Any) -> None:
    """Put a value into a row, which may not become too large."""
    before = sum([_letters(name) + _counted(each) for name, each in self.items()])
    if before + _letters(name) + _counted(value) > MOST:
        raise ItemSizeTooLarge
    dict.__setitem__(self, name, value)


def to_regular_json(self: DynamoType) -> dict[str, Any]:
    """A value as DynamoDB writes it in JSON."""
    value = self.value
    if type(value) is dict:
        value = {name: _plain(each) for name, each in value.items()}
    elif type(value) is list:
        value = [_plain(each) for each in value]
    elif self.type == "B" and isinstance(value, str):
        value = b64decode(value)
    return {self.type: value}


def in_answer(value: Any) -> Any:
    """What an answer holds, without moto's objects in it."""
    kind = type(value)
    if kind is str or kind is bool or kind is int:
        return value
    if kind is dict:
        return {name: in_answer(each) for name, each in value.items()}
    if kind is list:
        return [in_answer(each) for each in value]
    if kind is DynamoType and value.type != "B" and value.type != "BS":
        return {value.type: in_answer(value.value)}
    return _in_answer(value)


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (DynamoType, "__deepcopy__", copied),
    (Item, "__deepcopy__", copied_row),
    (DynamoType, "size", size),
    (DynamoType, "to_regular_json", to_regular_json),
    (LimitedSizeDict, "__setitem__", set_attribute),
    (moto.dynamodb.responses, "dynamo_to_dict", in_answer),
)
"""Whose name, the name, and what stands for it: `orderlab.cloud.speed` puts them in and takes them out."""


def _letters(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _counted(value: Any) -> int:
    return size(value) if type(value) is DynamoType else _letters(str(value))


def _plain(value: Any) -> Any:
    return to_regular_json(value) if isinstance(value, DynamoType) else deepcopy(value)
