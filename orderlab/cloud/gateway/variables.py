"""What a mapping template knows: $input, $util, $context and $stageVariables.

$input.path gives a value, $input.json its JSON text, $input.params a parameter from path, query string or header, in
that order; path parameters are as they stand in the URL, still percent-encoded. $util.escapeJavaScript makes \\' of a
single quote, which is no JSON: the guide's .replaceAll("\\\\'", "'") behind it is needed.
Source: API Gateway developer guide, api-gateway-mapping-template-reference; recordings in localstack's
test_apigateway_common (input_body_formatting: an empty body is {}, a property of a text is empty).
Of JSONPath there are names, indexes and wildcards; slices, filters, `..` and functions are refused by name.

Taught in notebooks/02_the_front_door.ipynb.
"""

import base64
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from ..wire.answers import NotYet
from . import proxy, values
from .exchange import Call, context
from .values import Map

_STEP = re.compile(r"""\.?([\w-]+|\*)|\[(\d+|\*)\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_ESCAPES = {"'": "\\'", '"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f"}
_ESCAPES["\r"] = "\\r"


def of(call: Call) -> dict[str, Any]:
    """The variables that stay from the request's template to the response's, which each get an `Input`."""
    override = Map({"header": Map({}, once=True)}, once=True)
    return {
        "context": Map({**context(call), "responseOverride": override}),
        "stageVariables": Map(dict(call.api.variables)),
        "util": Util(),
    }


class Input:
    """`$input`."""

    def __init__(self, call: Call, body: str) -> None:
        self.call, self.body = call, body
        self.properties = {"body": body or "{}"}
        self.methods = {"json": self.json, "params": self.params, "path": self.path}

    def path(self, path: str) -> Any:
        """The value at a JSONPath of the body."""
        return values.value_of(find(self.body, path))

    def json(self, path: str) -> str:
        """The JSON text of that value; the empty text where there is none."""
        found = find(self.body, path)
        return values.json_text("" if found is None else found)

    def params(self, name: str | None = None) -> Any:
        """One parameter, or a map of all three kinds."""
        request = self.call.request
        query = {known: values[-1] for known, values in request.query.items()}
        headers = {known: values[-1] for known, values in proxy.headers(self.call).items()}
        if name is None:
            return Map({"path": dict(self.call.path_parameters), "querystring": query, "header": headers})
        lower = {known.lower(): value for known, value in headers.items()}
        return self.call.path_parameters.get(name) or query.get(name) or lower.get(name.lower(), "")


class Util:
    """`$util`."""

    def __init__(self) -> None:
        self.methods = {
            "base64Decode": lambda value: base64.b64decode(value).decode(),
            "base64Encode": lambda value: base64.b64encode(values.text(value).encode()).decode(),
            "escapeJavaScript": lambda value: _escape(values.text(value)),
            "parseJson": lambda value: values.value_of(json.loads(value)),
            "urlDecode": unquote_plus,
            "urlEncode": lambda value: quote_plus(values.text(value), safe="*").replace("~", "%7E"),
        }


def find(body: str, path: str) -> Any:
    """The value at a JSONPath, None where there is none; with a wildcard the list of all. Raises NotYet."""
    steps = _steps(path)
    try:
        found = [json.loads(body)]
    except ValueError:
        return None
    for step in steps:
        if step == "*":
            parts = [value.values() if isinstance(value, dict) else value for value in found]
            found = [one for part in parts if not isinstance(part, str | int | float | None) for one in part]
        elif isinstance(step, int):
            found = [value[step] for value in found if isinstance(value, list) and step < len(value)]
        else:
            found = [value[step] for value in found if isinstance(value, dict) and step in value]
    return found if "*" in steps else next(iter(found), None)


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    at = 1 if path.startswith("$") else 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            raise NotYet(f"the JSONPath {path}: the local cloud knows names, indexes and * only")
        name = next(part for part in step.groups() if part is not None)
        steps.append(int(name) if step[2] and name != "*" else name)
        at = step.end()
    return tuple(steps)


def _escape(text: str) -> str:
    """As Java's libraries escape JavaScript: quotes, slashes, and all that is not ASCII."""
    units = text.encode("utf-16-be")
    letters = [chr(int.from_bytes(units[n : n + 2], "big")) for n in range(0, len(units), 2)]
    return "".join(_ESCAPES.get(c) or (c if " " <= c <= "\x7f" else f"\\u{ord(c):04X}") for c in letters)
