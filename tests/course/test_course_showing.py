"""Showing a value: whatever it is and does, a short text comes out, the same each time."""

import collections
import dataclasses
import itertools
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from orderlab.course.answers.showing import safe_repr, type_name
from orderlab.offline import ROOT


class Plain:
    """Its repr holds an address."""


class Hostile:
    """Raises what it was given whenever it is shown, compared or looked into."""

    def __init__(self, error: BaseException) -> None:
        object.__setattr__(self, "error", error)

    def __repr__(self) -> str:
        raise object.__getattribute__(self, "error")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise object.__getattribute__(self, "error")

    def __hash__(self) -> int:
        return 77

    def __lt__(self, other: object) -> bool:
        raise object.__getattribute__(self, "error")

    def __getattribute__(self, name: str) -> Any:
        raise object.__getattribute__(self, "error")


@dataclasses.dataclass
class Order:
    """A dataclass with a set inside."""

    sku: str
    tags: set[str]
    secret: int = dataclasses.field(default=1, repr=False)
    back: Any = None


class Forged(type):
    """A metaclass whose classes lie about their name."""

    @property
    def __name__(cls) -> str:
        raise SystemExit("no name")


class Nameless(metaclass=Forged):
    """A class that has no name to give."""


@pytest.mark.parametrize(
    "value",
    [
        None, True, ..., 0, -7, 2**300 - 1, 1.5, float("nan"), float("inf"), 1j, "", "it's", 'a "word"', "two\nlines",
        b"\x00ab", [], [1, [2.0, "x"]], (), (1,), (1, 2), {}, {"b": 1, "a": [2]}, set(), frozenset(), {7}, {"one"},
        frozenset({"z"}), {(1, 2): {3: {4}}}, range(3), Order("mug", {"a"}), ValueError("no"), collections.deque([1]),
        "café ✓", int, KeyError,
    ],
    ids=repr,
)  # fmt: skip
def test_an_ordinary_value_is_shown_as_python_shows_it(value: object) -> None:
    """Who knows `repr` has nothing new to learn."""
    expected = "Order(sku='mug', tags={'a'}, back=None)" if isinstance(value, Order) else repr(value)
    assert safe_repr(value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({10, 9, 1, 2.5}, "{1, 2.5, 9, 10}"),
        (frozenset("cab"), "frozenset({'a', 'b', 'c'})"),
        ({"a", 1, None, (2, 1)}, "{'a', (2, 1), 1, None}"),
        ({float("nan"), 2.0, 1.0}, "{1.0, 2.0, nan}"),
        ([{"b", "a"}, {frozenset({2, 1}): {3, 1}}], "[{'a', 'b'}, {frozenset({1, 2}): {1, 3}}]"),
        (Order("mug", set("cab")), "Order(sku='mug', tags={'a', 'b', 'c'}, back=None)"),
    ],
)
def test_sets_are_sorted(value: object, text: str) -> None:
    """So that the seed of Python's hashes shows nowhere."""
    assert safe_repr(value) == text


def test_the_seed_of_hashes_cannot_be_seen() -> None:
    """Three processes with three seeds write the same."""
    code = (
        "from orderlab.course.answers.showing import safe_repr\n"
        "print(safe_repr([set('dcba'), {frozenset({'x', 1}), ('y', None), 'z', 2.0}, {b'b', b'a'}]))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_the_order_of_a_dict_is_kept() -> None:
    """It is the order in which the learner put things in."""
    assert safe_repr({"b": 1, "a": 2}) == "{'b': 1, 'a': 2}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plain(), "<Plain>"),
        ([Plain(), Plain()], "[<Plain>, <Plain>]"),
        ({Plain(), Plain()}, "{<Plain>, <Plain>}"),
        (object(), "<object>"),
        (safe_repr, "<function safe_repr>"),
        (lambda: 1, "<function <lambda>>"),
        ([].append, "<builtin_function_or_method>"),
        (Plain().__init__, "<method-wrapper>"),
        (os, "<module>"),
        (MagicMock(), "<MagicMock>"),
        (memoryview(b"ab"), "<memoryview>"),
        (collections.defaultdict(lambda: 1), "<defaultdict>"),
        (types.SimpleNamespace(a=Plain()), "<SimpleNamespace>"),
        (Order("mug", set(), 1, Plain()), "Order(sku='mug', tags=set(), back=<Plain>)"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_no_address_is_shown(value: object, text: str) -> None:
    """It differs from run to run, and tells nothing."""
    assert safe_repr(value) == text


def test_a_text_that_looks_like_an_address_is_the_learners_own() -> None:
    """`hex(2**40)` is an answer like any other."""
    assert safe_repr(hex(2**40)) == "'0x10000000000'"


ERRORS = [ValueError("no"), SystemExit(3), KeyboardInterrupt(), GeneratorExit(), RecursionError(), BaseException("odd")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_hostile_object_is_shown_by_its_type(error: BaseException) -> None:
    """On its own, in every container, as a key, in a set, and as a field."""
    bad = Hostile(error)
    assert safe_repr(bad) == "<Hostile>"
    assert safe_repr([bad, (bad,), {1: bad}]) == "[<Hostile>, (<Hostile>,), {1: <Hostile>}]"
    assert safe_repr({bad: bad}) == "{<Hostile>: <Hostile>}"
    assert safe_repr({bad, 1}) == "{1, <Hostile>}"
    assert safe_repr(Order("mug", set(), 1, bad)) == "Order(sku='mug', tags=set(), back=<Hostile>)"


def test_a_repr_that_is_no_text_or_odd_text_is_tamed() -> None:
    """Not a str; a str of a class of its own; letters that move the cursor or that no file can hold."""

    class Sly(str):
        def __getitem__(self, index: Any) -> str:
            raise ValueError

        __len__ = __str__ = __iter__ = split = __getitem__  # type: ignore[assignment]

    class Says:
        def __init__(self, text: object) -> None:
            self.text = text

        def __repr__(self) -> str:
            return self.text  # type: ignore[return-value]

    assert safe_repr(Says(7)) == "<Says>"
    assert safe_repr(Says(Sly("fine"))) == "fine"
    assert safe_repr(Says("a\x1b[2Jb\rc\ud800\u202ed")) == r"a\x1b[2Jb c\ud800\u202ed"
    assert safe_repr(Says("array([1,\n       2])")) == "array([1, 2])"
    assert safe_repr("\ud800") == r"'\ud800'"
    safe_repr(Says("\ud800")).encode("utf-8")


def test_subclasses_of_builtins_are_not_trusted() -> None:
    """Their methods may lie, so only their own words are asked for."""

    class Many(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            return itertools.count()

        def __getitem__(self, index: Any) -> Any:
            raise SystemExit

    class Big(int):
        def bit_length(self) -> int:
            return 77

        def __repr__(self) -> str:
            raise ValueError

    assert safe_repr(Many([1, 2])) == "[1, 2]"
    assert safe_repr(Big(5)) == "<Big>"


@pytest.mark.parametrize("digits", [100, 4_300, 100_000])
def test_a_huge_number_is_described(digits: int) -> None:
    """Python refuses to write more than 4,300 digits, and a screen more than a few lines."""
    assert safe_repr(10**digits) == f"<int of about {digits + 1} digits>"
    assert safe_repr([-(10**digits)]) == f"[<int of about {digits + 1} digits>]"


def test_a_huge_number_inside_a_foreign_object_is_no_trouble() -> None:
    """There Python's own limit raises ValueError."""
    assert safe_repr(collections.deque([10**100_000])) == "<deque>"


def test_nothing_is_taken_from_an_iterator() -> None:
    """A generator that was shown still has all that it had, and an endless one is no trap."""
    rest = (n for n in range(3))
    assert safe_repr(rest) == "<generator>"
    assert list(rest) == [0, 1, 2]
    assert [safe_repr(one) for one in (map(str, [1]), iter([1]))] == ["<map>", "<list_iterator>"]
    counter = itertools.count()
    safe_repr([counter, {1: counter}])
    assert next(counter) == 0


def test_what_holds_itself_ends() -> None:
    """As Python shows it: with dots."""
    loop: list[Any] = [1]
    loop.append(loop)
    ring: dict[str, Any] = {}
    ring["self"] = ring
    order = Order("mug", set())
    order.back = order
    deep: Any = []
    for _ in range(10_000):
        deep = [deep]
    assert safe_repr(loop) == "[1, [...]]"
    assert safe_repr(ring) == "{'self': {...}}"
    assert safe_repr(order) == "Order(sku='mug', tags=set(), back=Order(...))"
    assert safe_repr(deep) == "[" * 8 + "[...]" + "]" * 8
    assert safe_repr(collections.deque([deep])) == "<deque>"


@pytest.mark.parametrize("limit", [1, 2, 10, 37, 200])
def test_the_text_is_never_longer_than_asked(limit: int) -> None:
    """And it says that something is cut off."""
    wide = [[n] * 1000 for n in range(1000)]
    for value in ("x" * 10**6, b"x" * 10**6, wide, tuple(wide), dict.fromkeys(range(10**5)), set(range(10**5)),
                  ["a"] * 400, Order("y" * 999, set()), collections.deque(range(999)), {"k" * 999: 1}):  # fmt: skip
        text = safe_repr(value, limit)
        assert len(text) == limit and text.endswith("…")


def test_what_just_fits_is_not_cut() -> None:
    """Forty letters are forty letters."""
    assert safe_repr("x" * 38, 40) == repr("x" * 38)
    assert safe_repr("x" * 39, 40) == "'" + "x" * 38 + "…"


def test_a_wide_tree_is_not_walked_through() -> None:
    """Ten lists in each of ten levels would be ten thousand million values; a few letters of them are wanted."""
    tree: Any = 1
    for _ in range(10):
        tree = [tree] * 10**4
    assert safe_repr(tree, 60).endswith("…")


def test_the_name_of_a_type_cannot_be_forged() -> None:
    """Neither by `__class__` nor by a metaclass."""

    class Actor:
        __class__ = int  # type: ignore[assignment]

    assert safe_repr(Actor()) == "<Actor>"
    assert safe_repr(Nameless()) == "<Nameless>"
    assert type_name(Nameless()) == "Nameless"
    assert type_name(type("two\nlines" * 100, (), {})())[:12] == r"two\nlinestw"


def test_a_field_that_was_never_set_is_a_question_mark() -> None:
    """A dataclass can be made without its fields."""
    assert safe_repr(Order.__new__(Order)) == "Order(sku=?, tags=?, back=None)"


def test_a_dataclass_with_words_of_its_own_is_asked_for_them() -> None:
    """Its author decided how it looks."""

    @dataclasses.dataclass
    class Said:
        text: str

        def __repr__(self) -> str:
            return f"says {self.text}"

    assert safe_repr(Said("hello")) == "says hello"
    assert safe_repr(Said) == repr(Said) and str(Path.cwd()) not in safe_repr(Said)
