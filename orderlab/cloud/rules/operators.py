"""What a pattern may ask of one value: each operator of the EventBridge pattern language, as a test of that value.

On AWS a field's list holds alternatives: plain values and one-key objects such as {"prefix": "eu-"}. Anything else is
refused when the rule is made; the refusals here are in AWS's words. A plain string that is an IP address matches every
spelling of that address. Source: AWS docs eb-create-pattern-operators, recordings of TestEventPattern, and the
behaviour of aws/event-ruler 2.0.1, the service's open engine. Numbers, addresses and wildcards have modules of
their own. Everything here raises ValueError, which `rules` turns into InvalidPattern.

Taught in notebooks/03_the_bus.ipynb.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from . import addresses, numeric, wildcards

Test = Callable[[Any], bool]

_MUST_BE_STRINGS = {
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
}


def tests_of(alternatives: list[Any]) -> list[Test | None]:
    """The tests that the alternatives of one field stand for; None for {"exists": false}, which no value can meet.

    A JSON object comes as a tuple of pairs, because a pattern may name one key twice.
    """
    numbers_as_digits = not any(map(_compares_numbers, alternatives))
    return [_test(alternative, numbers_as_digits) for alternative in alternatives]


def any_of(tests: Sequence[Test]) -> Test:
    """One test that passes where any of `tests` does."""
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> bool:
        for each in tests:  # noqa: SIM110  (the innermost line of the bus: any() would cost twice as much)
            if each(value):
                return True
        return False

    return test


def wildcards_of(alternative: Any) -> list[wildcards.Tokens]:
    """The wildcards inside one alternative, for the check of their complexity: one, a list of anything-but, or none."""
    match alternative:
        case (("wildcard", text),):
            return [wildcards.tokens(text)]
        case (("anything-but", (("wildcard", texts),)),):
            return [wildcards.tokens(text) for text in ([texts] if isinstance(texts, str) else texts)]
    return []


def _compares_numbers(alternative: Any) -> bool:
    match alternative:
        case (("numeric", _),):
            return True
        case (("anything-but", [number, *_] | number),):
            return numeric.is_number(number)
    return numeric.comparable(alternative)


def _test(alternative: Any, numbers_as_digits: bool) -> Test | None:
    match alternative:
        case tuple():
            return _operator(alternative, numbers_as_digits)
        case str():
            try:
                return addresses.exactly(alternative, numbers_as_digits)
            except ValueError:  # the usual case: not an address
                return _text(alternative)
        case None | True | False:
            return lambda value: value is alternative
        case list():
            raise ValueError("Match value must be String, number, true, false, or null")
    return numeric.equal(alternative)


def _operator(pairs: tuple[tuple[str, Any], ...], numbers_as_digits: bool) -> Test | None:
    name, wanted = _only_pair(pairs, "Match expression")
    match name:
        case "prefix" | "suffix" if isinstance(wanted, tuple):
            key, text = _only_pair(wanted, f"{name.title()} expression")
            if key != "equals-ignore-case":
                raise ValueError(f"Unsupported {name} pattern: {key}")
            return _folded(_string(key, text), where=name)
        case "prefix" | "suffix" | "equals-ignore-case" | "wildcard":
            return _string_test(name, _string(name, wanted))
        case "anything-but":
            return _anything_but(wanted)
        case "exactly":  # in the engine, not in the documentation
            return _text(_string("exact", wanted))
        case "numeric":
            return numeric.comparison(wanted)
        case "cidr":
            return addresses.network(
                _string("prefix", wanted), numbers_as_digits
            )  # "prefix" is what AWS says here, too
        case "exists":
            if not isinstance(wanted, bool):
                raise ValueError("exists match pattern must be either true or false.")
            return (lambda value: True) if wanted else None
    raise ValueError(f"Unrecognized match type {name}")


def _only_pair(pairs: tuple[tuple[str, Any], ...], what: str) -> tuple[str, Any]:
    if not pairs:
        raise ValueError(f"{what} name not found")
    if len(pairs) > 1:
        raise ValueError("Only one key allowed in match expression")
    return pairs[0]


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} match pattern must be a string")
    return value


def _text(text: str) -> Test:
    return lambda value: bool(value == text)


def _string_test(name: str, text: str) -> Test:
    """The operators that only strings can meet: AWS compares values with their quotes on, and no number has any."""
    match name:
        case "prefix":
            return lambda value: isinstance(value, str) and value.startswith(text)
        case "suffix":
            return lambda value: isinstance(value, str) and value.endswith(text)
        case "wildcard":
            fits = wildcards.matcher(text)
            return lambda value: isinstance(value, str) and fits(value)
    return _folded(text)


def _folded(text: str, where: str = "whole") -> Test:
    """Text at the "prefix" or "suffix" or as the "whole" of a string, each character in upper or in lower case.

    Character by character, as the engine does: no locale, and "ss" is not "ß".
    """
    letters = "".join(f"(?:{re.escape(letter.lower())}|{re.escape(letter.upper())})" for letter in text)
    start, end = ("" if where == "suffix" else r"\A"), ("" if where == "prefix" else r"\Z")
    search = re.compile(start + letters + end, re.DOTALL).search
    return lambda value: isinstance(value, str) and search(value) is not None


def _anything_but(wanted: Any) -> Test:
    """Every value but those named: numbers, true, false and null pass wherever strings are named, and the reverse."""
    name = None
    if isinstance(wanted, tuple):
        name, wanted = _only_pair(wanted, "Anything-But expression")
        if name not in _MUST_BE_STRINGS:
            raise ValueError(f"Unsupported anything-but pattern: {name}")
    if not isinstance(wanted, list | str) and not numeric.is_number(wanted):
        raise ValueError("Value of anything-but must be an array or single string/number value.")
    values = wanted if isinstance(wanted, list) else [wanted]
    excluded = any_of([_excluded_value(value) if name is None else _excluded_text(name, value) for value in values])
    if name is None and len({isinstance(value, str) for value in values}) != 1:
        raise ValueError(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    return lambda value: not excluded(value)


def _excluded_text(name: str, value: Any) -> Test:
    if not isinstance(value, str):
        raise ValueError(_MUST_BE_STRINGS[name])
    if not value and name in ("prefix", "suffix"):
        raise ValueError("Null prefix/suffix not allowed")
    return _string_test(name, value)


def _excluded_value(value: Any) -> Test:
    if isinstance(value, str):
        return _text(value)
    if not numeric.is_number(value):
        raise ValueError("Inside anything but list, start|null|boolean is not supported.")
    numeric.refuse_incomparable(value)
    return numeric.equal(value)
