"""What an answer returned, as plain data: no method of an odd object is ever called, and nothing compares itself.

An object may say that it equals everything, print a megabyte as its name or never stop yielding. So a value is taken
apart by its exact type into numbers, texts, lists and dicts; everything else becomes an `Odd` that equals nothing.
"""

import math
import sys
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .showing import type_name

MOST, DEEPEST, LONGEST = 10_000, 40, 100_000  # values, levels, letters: more than that no answer of an exercise has
BITS = 10_000  # of a whole number


@dataclass(frozen=True, eq=False)
class Odd:
    """A value that is no plain data: the name of its type, or what is wrong with it."""

    text: str

    def __repr__(self) -> str:
        return f"<{self.text}>"


def freeze(value: Any) -> list[Any]:
    """Take a value apart into what JSON can carry: lists that begin with the kind of value."""
    return _freeze(value, [MOST], DEEPEST)


def thaw(frozen: list[Any]) -> Any:
    """Put together again what `freeze` took apart: exact Python types, and `Odd` for the rest."""
    kind, *rest = frozen
    if kind in ("list", "tuple", "set"):
        return {"list": list, "tuple": tuple, "set": frozenset}[kind](thaw(one) for one in rest)
    if kind == "dict":
        return {thaw(key): thaw(value) for key, value in rest}
    if kind == "odd":
        return Odd(*rest)
    return bytes.fromhex(rest[0]) if kind == "bytes" else rest[0]


def plain(value: Any) -> Any:
    """A value of exact Python types that looks like `value`, or an `Odd`."""
    return thaw(freeze(value))


def same(wanted: Any, got: Any, tolerance: float = 0.0) -> bool:
    """Are two plain values the same? A number may differ by `tolerance`; True is not 1, and a list is no tuple."""
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return math.isclose(wanted, got, rel_tol=0.0, abs_tol=tolerance) if tolerance else wanted == got
    if type(wanted) is not type(got) or isinstance(got, Odd):
        return False
    if isinstance(wanted, dict):
        return wanted.keys() == got.keys() and all(same(wanted[key], got[key], tolerance) for key in wanted)
    if isinstance(wanted, list | tuple):
        return len(wanted) == len(got) and all(same(*pair, tolerance) for pair in zip(wanted, got, strict=True))
    return bool(wanted == got)


def _freeze(value: Any, left: list[int], depth: int) -> list[Any]:
    left[0] -= 1
    kind = type(value)
    if left[0] < 0 or depth < 0:
        return ["odd", "more than an answer holds"]
    if kind.__module__ == "numpy" and issubclass(kind, _numpy_numbers()):
        return _freeze(value.item(), left, depth)
    if value is None or kind is bool:
        return ["as is", value]
    if issubclass(kind, str) and str.__len__(value) <= LONGEST:
        return ["str", str.__str__(value)]
    if issubclass(kind, int) and int.bit_length(value) <= BITS:
        return ["int", int.__index__(value)]
    if kind in (Decimal, Fraction):
        value, kind = float(value), float
    if issubclass(kind, float):
        return ["float", float.__float__(value)]
    if issubclass(kind, bytes | bytearray) and len(memoryview(value)) <= LONGEST:
        return ["bytes", memoryview(value).hex()]
    if issubclass(kind, dict) and dict.__len__(value) <= MOST:
        pairs = [[_freeze(key, left, depth - 1), _freeze(one, left, depth - 1)] for key, one in dict.items(value)]
        return ["dict", *pairs] if all(_is_key(key) for key, _ in pairs) else _odd(value)
    for base in (list, tuple, set, frozenset):
        if issubclass(kind, base) and base.__len__(value) <= MOST:
            parts = [_freeze(one, left, depth - 1) for one in base.__iter__(value)]
            if base in (list, tuple):
                return [base.__name__, *parts]
            return ["set", *parts] if all(_is_key(one) for one in parts) else _odd(value)
    return _odd(value)


def _is_key(frozen: list[Any]) -> bool:
    """Can it be a key when it is thawed again?"""
    return frozen[0] in ("str", "int", "float", "as is", "bytes", "odd", "tuple") and all(
        _is_key(one) for one in frozen[1:] if frozen[0] == "tuple"
    )


def _numpy_numbers() -> tuple[type, ...]:
    """numpy's scalars, which stand for Python's; none, as long as nobody has imported it."""
    numpy = sys.modules.get("numpy")
    return (numpy.generic,) if numpy else ()


def _odd(value: Any) -> list[Any]:
    return ["odd", type_name(value)]
