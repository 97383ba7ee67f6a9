"""The rules of a Choice state: one comparison, or And, Or and Not of others.

A comparison of a value that has another type is false, never an error; a path that leads nowhere fails the execution,
and only IsPresent may ask for it.
Source: Step Functions developer guide, state-choice; the operators as recorded in localstack's
stepfunctions/v2/choice_operators, which this module is compared with. The texts are AWS's.
Departure: comparisons of timestamps are refused by name when the machine is created.
Taught in notebooks/10_undoing.ipynb
"""

import operator
import re
from collections.abc import Callable
from typing import Any

from . import paths


def _of(*types: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) in types else None


_KINDS: dict[str, Callable[[Any], Any]] = {"Boolean": _of(bool), "Numeric": _of(int, float), "String": _of(str)}
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq, "GreaterThan": operator.gt, "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt, "LessThanEquals": operator.le,
}  # fmt: skip
COMPARISONS = {
    kind + relation: (_KINDS[kind], compare)
    for kind in _KINDS
    for relation, compare in _RELATIONS.items()
    if kind != "Boolean" or relation == "Equals"
}
TESTS = {f"Is{kind}": test for kind, test in _KINDS.items()} | {"IsNull": lambda value: value is None or None}


def matches(rule: dict[str, Any], data: Any, context: Any) -> bool:
    """Is this (already checked) rule true of the input? Raises NotFound with AWS's text."""
    if "And" in rule:
        return all(matches(part, data, context) for part in rule["And"])
    if "Or" in rule:
        return any(matches(part, data, context) for part in rule["Or"])
    if "Not" in rule:
        return not matches(rule["Not"], data, context)
    ((name, wanted),) = ((name, value) for name, value in rule.items() if is_operator(name))
    if name == "IsPresent":
        try:
            paths.find(rule["Variable"], data, context)
        except paths.NotFound:
            return wanted is False
        return wanted is True
    value = _find(rule["Variable"], data, context)
    if name in TESTS:
        return (TESTS[name](value) is not None) is wanted
    if name == "StringMatches":
        return isinstance(value, str) and _glob(wanted).fullmatch(value) is not None
    if name.endswith("Path"):
        name, wanted = name[:-4], _find(wanted, data, context)
    kind, compare = COMPARISONS[name]
    left, right = kind(value), kind(wanted)
    return left is not None and right is not None and compare(left, right)


def is_operator(name: str) -> bool:
    """Is this field of a rule its comparison?"""
    return name in TESTS or name in ("IsPresent", "StringMatches") or name.removesuffix("Path") in COMPARISONS


def check(rule: Any, *, inner: bool = False) -> None:
    """Raise ValueError for a rule that AWS would refuse or that cannot be followed. Inner rules have no Next."""
    if not isinstance(rule, dict):
        raise ValueError("a Choice rule must be an object")
    if inner and "Next" in rule:
        raise ValueError("Next stands in the outermost rule only")
    names = [name for name in rule if name in ("And", "Or", "Not") or is_operator(name)]
    strange = set(rule) - {*names, "Variable", "Next", "Comment"}
    if any("Timestamp" in name for name in strange):
        raise ValueError(f"the comparison {', '.join(sorted(strange))} is not run by the local cloud")
    if len(names) != 1 or strange:
        raise ValueError(f"a Choice rule has one comparison operator; this one has {[*names, *sorted(strange)]}")
    (name,) = names
    if name in ("And", "Or", "Not"):
        parts = rule[name] if name != "Not" else [rule[name]]
        if not isinstance(parts, list) or not parts:
            raise ValueError(f"{name} needs a non-empty array of rules")
        for part in parts:
            check(part, inner=True)
        return
    for path in [rule.get("Variable"), *([rule[name]] if name.endswith("Path") else [])]:
        if not isinstance(path, str):
            raise ValueError(f"{name} needs a Variable, and a path where its name ends in Path")
        paths.steps(path)
    kind = _KINDS["Boolean"] if name in TESTS or name == "IsPresent" else COMPARISONS.get(name, (_of(str),))[0]
    if kind(rule[name]) is None:
        raise ValueError(f"{name} cannot be compared with {rule[name]!r}")


def _find(path: str, data: Any, context: Any) -> Any:
    try:
        return paths.find(path, data, context)
    except paths.NotFound:
        text = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        raise paths.NotFound(text) from None


def _glob(pattern: str) -> re.Pattern[str]:
    r"""StringMatches: * is any text, \* a star and \\ a backslash."""
    parts = re.findall(r"\\[*\\]|.", pattern, re.DOTALL)
    return re.compile("".join(".*" if part == "*" else re.escape(part[-1]) for part in parts), re.DOTALL)
