"""How an event pattern is written: from its JSON text to the fields that an event must meet.

On AWS nested objects and dotted keys name the same paths, "$or" forks the pattern into branches, and a path that is
named twice counts as it was named last, also across "$or". What is malformed is refused in AWS's words; everything
here raises ValueError, which `rules` turns into InvalidPattern. Where an "$or" is malformed the service's open engine
would take it for a field's name; the service validates without that fallback (README of aws/event-ruler, "validate"),
and so do we.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import fields, numeric, operators, wildcards

MAX_PATTERN = 2048
"""Characters of a pattern: AWS's default quota (docs eb-quota)."""
MAX_BRANCHES = 1000
"""Combinations that nested "$or" may multiply to: our own guard, AWS documents no number."""

_RESERVED_IN_OR = frozenset(
    """exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard
    not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range
    ip-address-in-range ip-address-not-in-range""".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a pattern: the path it names and what a value of it must pass."""

    path: str
    ways: fields.Ways
    test: Callable[[Any], bool]
    may_be_absent: bool
    alternatives: tuple[Any, ...]

    def choice(self, event: dict[str, Any]) -> fields.Choice:
        """Where in the event this field is met; see `fields.Choice`."""
        found = fields.values(event, self.ways)
        passing = [trail for value, trail in found if self.test(value)]
        return passing, [trail for _, trail in found] if self.may_be_absent else None


Branch = dict[str, Field]
"""The fields of one way through all "$or"s, by their paths."""


def read(text: str) -> list[Branch]:
    """The branches of a pattern, of which an event must meet one; raises ValueError where PutRule refuses."""
    if len(text) > MAX_PATTERN:
        raise ValueError(f"the pattern has {len(text)} characters, more than {MAX_PATTERN}")
    root = json.loads(text, object_pairs_hook=tuple, parse_float=numeric.exact)
    if not isinstance(root, tuple):
        raise ValueError("Filter is not an object")
    branches = _object(root, "", [{}], in_or=False)
    _refuse_complex_wildcards({id(field): field for branch in branches for field in branch.values()}.values())
    return branches


def _object(pairs: tuple[tuple[str, Any], ...], prefix: str, branches: list[Branch], in_or: bool) -> list[Branch]:
    """Adds the fields of an object to every branch; a path that is named again replaces what stood there, as on AWS."""
    if not pairs:
        raise ValueError("Empty objects are not allowed")
    for key, value in pairs:
        if key == "$or":
            branches = _or(value, prefix, branches)
        elif in_or and key in _RESERVED_IN_OR:
            raise ValueError(f"{key} is Ruler reserved fieldName which cannot be used inside $or.")
        elif isinstance(value, tuple):
            branches = _object(value, f"{prefix}{key}.", branches, in_or)
        elif isinstance(value, list):
            field = _field(prefix + key, value)
            branches = [{**branch, field.path: field} for branch in branches]
        else:
            raise ValueError(f'"{key}" must be an object or an array')
    return branches


def _or(objects: Any, prefix: str, branches: list[Branch]) -> list[Branch]:
    if not isinstance(objects, list):
        raise ValueError("It must be an Array followed with $or.")
    forked: list[Branch] = []
    for each in objects:
        if not isinstance(each, tuple):
            raise ValueError("Only JSON object is allowed in array of $or relationship.")
        forked += _object(each, prefix, branches, in_or=True)
        if len(forked) > MAX_BRANCHES:
            raise ValueError(f"$or multiplies to more than {MAX_BRANCHES} combinations")
    if len(objects) < 2:
        raise ValueError("There must have at least 2 Objects in $or relationship.")
    return forked


def _field(path: str, alternatives: list[Any]) -> Field:
    if not alternatives:
        raise ValueError("Empty arrays are not allowed")
    tests = operators.tests_of(alternatives)
    of_values = [test for test in tests if test is not None]
    return Field(path, fields.ways(path), operators.any_of(of_values), None in tests, tuple(alternatives))


def _refuse_complex_wildcards(all_fields: Iterable[Field]) -> None:
    asked: dict[str, dict[str, list[wildcards.Tokens]]] = {}  # per path, the different alternatives with wildcards
    for field in all_fields:
        for alternative in field.alternatives:
            if texts := operators.wildcards_of(alternative):
                asked.setdefault(field.path, {})[repr(alternative)] = texts
    if any(wildcards.complexity(each.values()) > wildcards.MAX_COMPLEXITY for each in asked.values()):
        raise ValueError(
            "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
            "after a wildcard character"
        )
