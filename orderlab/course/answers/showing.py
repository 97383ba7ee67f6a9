"""`safe_repr()`: any value in at most so many letters, whatever its own `__repr__` does, the same on every machine.

Answers and revealed values are shown with it. It never raises, never draws from an iterator, shows no memory address,
and sorts sets, so that the seed of Python's hashes cannot be seen.
"""

import dataclasses
import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from types import FunctionType, ModuleType
from typing import Any

LIMIT = 200  # letters
DEEPEST = 8  # containers in containers
BIGGEST = 300  # bits of a whole number that is written out
CHANGING = re.compile(r"\bat 0x[0-9a-f]|0x[0-9a-f]{8}|\bid='?\d{6}", re.IGNORECASE)  # from run to run
BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), dict: ("{", "}"),
                                         frozenset: ("frozenset({", "})")}  # fmt: skip


@dataclasses.dataclass(frozen=True, repr=False)
class Said:
    """What the course answers to a call: a text, and Jupyter shows just that."""

    text: str

    def __repr__(self) -> str:
        return self.text


def safe_repr(value: object, limit: int = LIMIT) -> str:
    """The value as `repr` would write it, in at most `limit` letters; what is cut off becomes "…".

    What has no such text that stays the same (an address, an error in `__repr__`) is shown as <Type>.
    """
    written: list[str] = []
    room = limit
    try:
        for piece in _pieces(value, limit, ()):
            written.append(piece)
            room -= len(piece)
            if room < 0:
                break
    except BaseException:  # a class that fakes a dataclass, a container that changes while it is shown
        written.append("…")
    text = "".join(written)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def type_name(value: object) -> str:
    """The name of the value's type, which the value cannot forge."""
    name = str.__str__(type.__dict__["__name__"].__get__(type(value)))
    return _printable(name[:LIMIT])


def _pieces(value: Any, limit: int, inside: tuple[int, ...]) -> Iterator[str]:
    """The text bit by bit, so that whoever has enough can stop; `inside` holds the ids of the containers around.

    Only the exact type decides: `isinstance` would ask the value.
    """
    kind = type(value)
    if kind is int:
        yield repr(value) if value.bit_length() <= BIGGEST else _digits(value)
    elif kind in (str, bytes):
        yield repr(value[: limit + 1])
    elif kind in BRACKETS:
        yield from _container(value, limit, inside)
    elif _is_plain_dataclass(kind):
        yield from _dataclass(value, limit, inside)
    elif kind is FunctionType:
        yield f"<function {_printable(value.__name__[:limit])}>"
    else:
        yield _own_words(value, limit)


def _container(value: Any, limit: int, inside: tuple[int, ...]) -> Iterator[str]:
    first, last = BRACKETS[type(value)]
    if not value:
        yield repr(value)
        return
    if id(value) in inside or len(inside) >= DEEPEST:
        yield f"{first}...{last}"
        return
    inside = (*inside, id(value))
    yield first
    if isinstance(value, dict):
        for n, (key, held) in enumerate(list(islice(value.items(), limit))):
            yield ", " if n else ""
            yield from _pieces(key, limit, inside)
            yield ": "
            yield from _pieces(held, limit, inside)
    else:
        items = _in_order(value, limit, inside) if isinstance(value, set | frozenset) else value[:limit]
        for n, item in enumerate(items):
            yield ", " if n else ""
            yield from _pieces(item, limit, inside)
    yield f",{last}" if isinstance(value, tuple) and len(value) == 1 else last


def _in_order(items: Iterable[Any], limit: int, inside: tuple[int, ...]) -> list[Any]:
    """The items of a set in an order of their own: numbers and words as usual, anything else by how it is shown."""
    found = list(items)
    kinds = {type(item) for item in found}
    numbers = kinds <= {int, float, bool} and not any(math.isnan(item) for item in found if type(item) is float)
    if numbers or kinds <= {str}:
        return sorted(found)
    return sorted(found, key=lambda item: "".join(islice(_pieces(item, limit, inside), limit)))


def _is_plain_dataclass(kind: type) -> bool:
    """Is it a dataclass whose `__repr__` is the one that was made for it? Its fields are then shown one by one."""
    made = type.__dict__["__dict__"].__get__(kind)
    return "__dataclass_fields__" in made and hasattr(made.get("__repr__"), "__wrapped__")


def _dataclass(value: Any, limit: int, inside: tuple[int, ...]) -> Iterator[str]:
    yield type_name(value) + "("
    if id(value) in inside or len(inside) >= DEEPEST:
        yield "...)"
        return
    inside, shown = (*inside, id(value)), 0
    for field in dataclasses.fields(value):
        if field.repr:
            yield f"{', ' if shown else ''}{field.name}="
            shown += 1
            try:
                held = getattr(value, field.name)
            except BaseException:  # never set, or a property that fails
                yield "?"
            else:
                yield from _pieces(held, limit, inside)
    yield ")"


def _own_words(value: object, limit: int) -> str:
    """What the value's own `__repr__` says, if that can be trusted."""
    nameless = f"<{type_name(value)}>"
    if type(value) is ModuleType:  # it would name a path
        return nameless
    try:
        text = str.__str__(repr(value))
    except BaseException:  # also SystemExit, and the learner who stops an endless one
        return nameless
    if CHANGING.search(text) or f"{id(value):x}" in text.lower():
        return nameless
    return _printable(" ".join(text[: 4 * limit].split())[: limit + 1])


def _digits(number: int) -> str:
    """A whole number too long to write: Python refuses that, or takes very long."""
    about = int(number.bit_length() * math.log10(2)) + 1
    return f"<int of about {about} digits>"


def _printable(text: str) -> str:
    """The text with everything escaped that moves a cursor, or cannot be saved."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
