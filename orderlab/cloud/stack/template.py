"""The template as its file has it, and a copy of it with some properties changed."""

import copy
from pathlib import Path
from typing import Any

from .text import parse

TEMPLATE = Path(__file__).resolve().parents[3] / "infra" / "template.yaml"


class TemplateError(ValueError):
    """The template cannot be made into a stack; the message names the resource and what is wrong with it."""


def read(path: Path) -> dict[str, Any]:
    """The template as it stands in the file. Raises TemplateError when it is not there or not YAML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path.name} in {path.parent.name}/") from None
    return copy.deepcopy(_parse(text, path.name))


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        template = parse(text)
    except Exception as error:
        raise TemplateError(f"{name} is not YAML: {error}") from None
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{name} has no Resources")
    return template


def override(template: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """A copy of the template with some resources' properties changed: {"StockQueue": {"VisibilityTimeout": 30}}.

    Dicts are merged, everything else is replaced; None takes a property away. A logical id with None for its
    properties takes the resource away. Raises TemplateError for a resource that the template does not have.
    """
    changed = copy.deepcopy(template)
    for logical_id, properties in overrides.items():
        if logical_id not in changed["Resources"]:
            raise TemplateError(f"override of {logical_id}: the template has no such resource")
        if properties is None:
            del changed["Resources"][logical_id]
        else:
            _merge(changed["Resources"][logical_id].setdefault("Properties", {}), properties)
    return changed


def _merge(into: dict[str, Any], changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if value is None:
            into.pop(name, None)
        elif isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
