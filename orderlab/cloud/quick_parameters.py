"""A quick yes to parameters that plainly fit their shape; botocore's own validation has the word on all others.

botocore walks through every value of every call by the service model, and asks each shape the same questions each
time. Here a shape becomes a function once. It says yes only to what is plainly right (dict, list, str, int, bool,
bytes); anything else gets botocore's report, letter by letter.
"""

from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.utils import is_json_value_header
from botocore.validate import ParamValidator, ValidationErrors

Fits = Callable[[Any], bool]
SCALARS = {"string": str, "integer": int, "long": int, "boolean": bool, "blob": bytes}


def fits(shape: Shape) -> Fits:
    """The function that says whether a value plainly fits; made once for each shape, and kept with it."""
    known: Fits | None = shape.__dict__.get("_orderlab_fits")
    if known is None:
        known = shape.__dict__["_orderlab_fits"] = _made(shape)
    return known


def _made(shape: Shape) -> Fits:
    if is_json_value_header(shape) or shape.serialization.get("hostLabel"):
        return _unsure
    if isinstance(shape, StructureShape):
        return _unsure if shape.is_document_type or shape.is_tagged_union else _structure(shape)
    if isinstance(shape, MapShape):
        return _map(shape)
    if isinstance(shape, ListShape):
        return _list(shape)
    return _scalar(shape)


def _unsure(value: Any) -> bool:
    return False


def _structure(shape: StructureShape) -> Fits:
    required, members = frozenset(shape.metadata.get("required", ())), shape.members
    known: dict[str, Fits] = {}

    def structure(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, each in value.items():
            if name not in known:
                if name not in members:
                    return False
                known[name] = fits(members[name])
            if not known[name](each):
                return False
        return True

    return structure


def _map(shape: MapShape) -> Fits:
    key, value = fits(shape.key), shape.value

    def mapping(given: Any) -> bool:
        if type(given) is not dict:
            return False
        right = fits(value)
        return all(key(name) and right(each) for name, each in given.items())

    return mapping


def _list(shape: ListShape) -> Fits:
    member, least = shape.member, shape.metadata.get("min", 0)

    def listing(given: Any) -> bool:
        if type(given) is not list or len(given) < least:
            return False
        right = fits(member)
        return all(right(each) for each in given)

    return listing


def _scalar(shape: Shape) -> Fits:
    kind, least = SCALARS.get(shape.type_name), shape.metadata.get("min")
    if kind is None or (kind is bytes and least is not None):
        return _unsure
    if least is None or kind is bool:
        return lambda given: type(given) is kind
    if kind is str:
        return lambda given: type(given) is str and len(given) >= least
    return lambda given: type(given) is int and given >= least


def _validate(self: ParamValidator, params: Any, shape: Shape) -> ValidationErrors:
    return ValidationErrors() if fits(shape)(params) else _validated(self, params, shape)


_validated = ParamValidator.validate
REPLACED: tuple[tuple[Any, str, Any], ...] = ((ParamValidator, "validate", _validate),)
"""Whose name, the name, and what stands for it: `orderlab.cloud.speed` puts them in and takes them out."""
