"""Paths: how a state takes a part of its input, builds its parameters from it, and puts its result back.

"$" is the state's input, "$$" the context object (which execution, which state, which retry). In a payload template
each field whose name ends in ".$" is replaced by what its path finds; everything else stays as it is written.
ResultPath puts a result into the *raw* input: what InputPath left out is not lost by it.
Source: Amazon States Language specification, "Paths", "Payload Template", "ResultPath"; texts as recorded in
localstack's test_base_scenarios (test_invalid_jsonpath).
Departure: reference paths only ($.a.b, $['a'], $.a[0]). A path that selects many values (*, .., slices, filters) and
an intrinsic function (States.Format) are refused by name when the machine is created.
Taught in notebooks/10_undoing.ipynb
"""

import json
import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"""\.([^\s.\[\]'"*?@:,$()]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]""")
_MANY = re.compile(r"\*|\.\.|\[[^'\"\]]*[:,?]")


class NotFound(Exception):
    """A path that leads nowhere in the value it was asked of."""


@lru_cache(maxsize=512)
def steps(path: str) -> tuple[str | int, ...]:
    """The names and indexes of a path after its "$" or "$$". Raises ValueError for what is no reference path."""
    rest = path.removeprefix("$").removeprefix("$")
    found = list(_STEP.finditer(rest))
    if path.startswith("States."):
        raise ValueError(f"the intrinsic function {path} is not run by the local cloud")
    if path.startswith("$") and _MANY.search(rest):
        raise ValueError(f"the path {path} selects many values, which the local cloud does not do")
    if not path.startswith("$") or "".join(match[0] for match in found) != rest:
        raise ValueError(f"{path!r} must be a valid JSONPath")
    return tuple(int(m[2]) if m[2] else m[1] or m[3] or m[4] or "" for m in found)


def find(path: str, data: Any, context: Any) -> Any:
    """What a path finds in the input, or in the context when it begins with "$$". Raises NotFound."""
    value: Any = context if path.startswith("$$") else data
    for step in steps(path):
        try:
            value = _inside(value, step)
        except LookupError:
            spelt = "".join(f"['{name}']" if isinstance(name, str) else f"[{name}]" for name in steps(path))
            raise NotFound(f"Invalid path '{path}' : No results for path: ${spelt}") from None
    return value


def _inside(value: Any, step: Any) -> Any:
    if not isinstance(value, dict if isinstance(step, str) else list):
        raise LookupError(step)
    return value[step]


def put(path: str | None, data: Any, value: Any) -> Any:
    """`data` with `value` at that path; the objects on the way are made. None drops the value, "$" drops the data.

    Raises NotFound where the way is barred by something that is no object, or by an index that is not there.
    """
    return data if path is None else _put(steps(path), data, value, path)


def _put(way: tuple[str | int, ...], data: Any, value: Any, path: str) -> Any:
    if not way:
        return value
    step, rest = way[0], way[1:]
    if isinstance(step, str) and isinstance(data, dict):
        return {**data, step: _put(rest, data.get(step, {}), value, path)}
    if isinstance(step, int) and isinstance(data, list) and step < len(data):
        return [*data[:step], _put(rest, data[step], value, path), *data[step + 1 :]]
    raise NotFound(f"Unable to apply ReferencePath {path} to input {json.dumps(data, separators=(',', ':'))}")


def render(template: Any, data: Any, context: Any) -> Any:
    """A payload template with its paths replaced. Raises NotFound with AWS's text."""
    if isinstance(template, list):
        return [render(item, data, context) for item in template]
    if not isinstance(template, dict):
        return template
    built: dict[str, Any] = {}
    for name, value in template.items():
        if name.endswith(".$"):
            built[name[:-2]] = named(value, name, data, context)
        else:
            built[name] = render(value, data, context)
    return built


def named(path: str, field: str, data: Any, context: Any) -> Any:
    """What a path finds for a field. Raises NotFound, with AWS's text, which names the field."""
    try:
        return find(path, data, context)
    except NotFound:
        asked = json.dumps(data, separators=(",", ":"))
        text = f"The JSONPath '{path}' specified for the field '{field}' could not be found in the input '{asked}'"
        raise NotFound(text) from None


def check(template: Any) -> None:
    """Raise ValueError for the first path of a payload template that cannot be followed."""
    for name, value in template.items() if isinstance(template, dict) else enumerate(template):
        if isinstance(name, str) and name.endswith(".$"):
            if not isinstance(value, str):
                raise ValueError(f"the value of {name} must be a path")
            steps(value)
        elif isinstance(value, dict | list):
            check(value)
