"""Which method of the API a request meets.

API Gateway takes the most specific resource: a literal segment before a {parameter}, that before a greedy {proxy+}. It
ignores a slash at the end, joins slashes at the start, and hands path parameters on as they stand in the URL, still
percent-encoded. A path that exists without that method is refused like a path that does not exist.
Source: API Gateway developer guide, api-gateway-method-settings-method-request; recordings in localstack's
test_apigateway_lambda and test_apigateway_common.
Departure: of two resources that fit, the one that has the method is taken; whether AWS looks further is not known.

Taught in notebooks/02_the_front_door.ipynb.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Method:
    """One method of one resource and what it checks. `required` holds names such as method.request.header.x-shop."""

    logical_id: str
    verb: str  # or ANY
    resource_id: str
    path: str
    needs_key: bool
    required: tuple[str, ...]
    models: dict[str, str] | None  # content type to model name; None: bodies are not checked
    integration: dict[str, Any] = field(repr=False)
    signed: bool = False  # the caller must sign (AWS_IAM)


def match(methods: Iterable[Method], verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """The method that answers this request, and the path parameters as they stand in the URL; None for no method.

    `methods` must be in the order of `rank`, the most specific path first.
    """
    segments = normal(path).rstrip("/").split("/")
    for method in methods:
        if method.verb in (verb, "ANY"):
            found = _fit(method.path.rstrip("/").split("/"), segments)
            if found is not None:
                return method, found
    return None


def rank(path: str) -> list[int]:
    """What to sort paths by, the most specific first."""
    return [2 if part.endswith("+}") else 1 if part.startswith("{") else 0 for part in path.split("/")]


def normal(path: str) -> str:
    """The path with one slash at its start: `//orders` reaches `/orders`."""
    return "/" + path.lstrip("/")


def _fit(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for n, part in enumerate(pattern):
        if len(segments) <= n:
            return None
        if part.endswith("+}"):
            return {**found, part[1:-2]: "/".join(segments[n:])}
        if part.startswith("{") and segments[n]:
            found[part[1:-1]] = segments[n]
        elif part != segments[n]:
            return None
    return found if len(segments) == len(pattern) else None
