"""The values inside a mapping template, and their methods: Java's, as far as templates use them.

In API Gateway what is missing is the empty text, never null; a map prints as {a=b}, a list as JSON, true as `true`; a
map is walked by its values; "404" == 404 is true, because the texts of two types are compared. A method that is not in
the tables below is refused by name.
Source: Velocity 1.7 user guide; recordings in localstack's test_apigateway_common (input_path_template_formatting).

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ..wire.answers import NotYet


class RenderProblem(RuntimeError):
    """A template that failed on what it was given."""


class Map:
    """A JSON object inside a template. `once`: each name may be set once, as API Gateway's overrides."""

    def __init__(self, values: dict[str, Any], once: bool = False) -> None:
        self.values, self.once = {name: value_of(value) for name, value in values.items()}, once

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values.values())

    def __len__(self) -> int:
        return len(self.values)

    def __str__(self) -> str:
        return "{" + ", ".join(f"{name}={_shown(value)}" for name, value in self.values.items()) + "}"

    def put(self, name: str, value: Any) -> str:
        """Set one value. Raises RenderProblem for an override that is set twice."""
        if self.once and name in self.values:
            raise RenderProblem(f"{name} is overridden twice; API Gateway allows one override of each parameter")
        self.values[name] = value
        return ""


def value_of(value: Any) -> Any:
    """A JSON value as templates see it."""
    if isinstance(value, list):
        return [value_of(one) for one in value]
    return Map(value) if isinstance(value, dict) else value


def json_text(value: Any) -> str:
    """A template's value as JSON, without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=lambda found: found.values)


def text(value: Any) -> str:
    """A template's value as it is printed."""
    return "" if value is None else _shown(value)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return json_text(value) if isinstance(value, list) else str(value)


def get(owner: Any, key: Any) -> Any:
    """`$owner.key` and `$owner[key]`: what is missing or null is the empty text."""
    found = None
    if isinstance(owner, Map):
        found = owner.values.get(str(key))
    elif isinstance(owner, dict):  # the variables, or $foreach
        with suppress(KeyError):
            found = owner[key]
    elif isinstance(owner, list) and isinstance(key, int):
        found = owner[key] if 0 <= key < len(owner) else None
    elif hasattr(owner, "properties"):  # $input
        found = owner.properties.get(key)
    return "" if found is None else found


def call(owner: Any, name: str, arguments: list[Any]) -> Any:
    """`$owner.name(…)`."""
    known = getattr(owner, "methods", None) or _METHODS.get(type(owner), _ANY)
    if name not in known:
        kind = {str: "text", Map: "map", list: "list"}.get(type(owner), type(owner).__name__)
        raise NotYet(f"a mapping template calls .{name}() of a {kind}, which the local cloud does not know")
    found = known[name](*arguments) if hasattr(owner, "methods") else known[name](owner, *arguments)
    return "" if found is None else found


def _replace_all(owner: str, pattern: str, replacement: str) -> str:
    """Java's: in the replacement \\x is x and $1 a group."""

    def put(found: re.Match[str]) -> str:
        parts = re.finditer(r"\\(.)|\$(\d)|(.)", replacement, re.S)
        return "".join(found[int(part[2])] or "" if part[2] else part[1] or part[3] for part in parts)

    return re.sub(pattern, put, owner)


_ANY: dict[str, Callable[..., Any]] = {"toString": text, "equals": lambda a, b: equal(a, b)}
_METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: {
        **_ANY,
        "contains": operator.contains,
        "endsWith": str.endswith,
        "equalsIgnoreCase": lambda a, b: a.lower() == b.lower(),
        "indexOf": str.find,
        "isEmpty": operator.not_,
        "length": len,
        "matches": lambda a, pattern: re.fullmatch(pattern, a) is not None,
        "replace": str.replace,
        "replaceAll": _replace_all,
        "startsWith": str.startswith,
        "substring": lambda a, start, end=None: a[start:end],
        "toLowerCase": str.lower,
        "toUpperCase": str.upper,
        "trim": str.strip,
    },
    list: {
        **_ANY,
        "add": lambda a, value: a.append(value) or True,
        "contains": operator.contains,
        "get": get,
        "isEmpty": operator.not_,
        "size": len,
    },
    Map: {
        **_ANY,
        "containsKey": lambda a, name: name in a.values,
        "get": get,
        "isEmpty": lambda a: not a.values,
        "keySet": lambda a: list(a.values),
        "put": Map.put,
        "size": len,
        "values": list,
    },
}


def equal(left: Any, right: Any) -> bool:
    """Velocity compares the texts of what is of two types."""
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    return left == right if numbers or type(left) is type(right) else text(left) == text(right)


def order(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Only numbers have an order, anything else is not less and not more."""
    return lambda a, b: isinstance(a, int | float) and isinstance(b, int | float) and compare(a, b)
