"""What the resources of a template need of each other: by Ref, Fn::GetAtt, Fn::Sub, DependsOn and conditions."""

import re
from collections.abc import Iterator
from typing import Any

from .resource_types import TYPES
from .template import TemplateError

PSEUDO = {f"AWS::{name}" for name in ("AccountId", "NoValue", "Partition", "Region", "StackId", "StackName",
                                      "URLSuffix")}  # fmt: skip


def is_function(key: str) -> bool:
    return key == "Ref" or key.startswith("Fn::")


def functions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every intrinsic function in a value, with its argument."""
    if isinstance(value, dict):
        if len(value) == 1 and is_function(key := next(iter(value))):
            yield key, value[key]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from functions(each)


def named(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every resource or parameter that a resource's description names, with the attribute that it asks for or ""."""
    yield from ((one, "") for one in _listed(described.get("DependsOn")))
    for function, argument in functions(described):
        if function in ("Ref", "Fn::GetAtt", "Fn::Sub"):
            yield from _targets(function, argument)


def references(name: str, described: dict[str, Any], template: dict[str, Any]) -> set[str]:
    """The resources that this one needs. Raises TemplateError for what is not there to be referred to."""
    resources, needed = template["Resources"], set()
    for function, argument in functions(described):
        if function in ("Fn::If", "Fn::FindInMap"):
            _check_named(name, function, argument, template)
    if "Condition" in described and isinstance(described["Condition"], str):
        _check_named(name, "Condition", [described["Condition"]], template)
    for target, attribute in named(described):
        if target in resources:
            kind = resources[target]["Type"]
            if attribute and attribute not in TYPES[kind].attributes.split():
                known = TYPES[kind].attributes.replace(" ", ", ") or "none"
                raise TemplateError(f"{name} asks for {target}.{attribute}; of {kind} there is: {known}")
            needed.add(target)
        elif attribute or (target not in PSEUDO and target not in (template.get("Parameters") or {})):
            raise TemplateError(f"{name} refers to {target}, and the template has no such resource or parameter")
    return needed


def _targets(function: str, argument: Any) -> list[tuple[str, str]]:
    """What a Ref, a GetAtt or a Sub names: the resource or parameter, and its attribute."""
    if function == "Ref":
        return [(str(argument), "")]
    if function == "Fn::GetAtt":
        target, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return [(target, attribute if isinstance(attribute, str) else "")]
    text, own = argument if isinstance(argument, list) else (argument, {})
    names = (name.strip() for name in re.findall(r"\$\{([^!}][^}]*)\}", text))
    return [(first, rest) for first, _, rest in (n.partition(".") for n in names if n not in own)]


def _check_named(name: str, function: str, argument: Any, template: dict[str, Any]) -> None:
    section = "Mappings" if function == "Fn::FindInMap" else "Conditions"
    wanted = argument[0]
    if isinstance(wanted, str) and wanted not in (template.get(section) or {}):
        raise TemplateError(f"{name}: {function} names {wanted}, and the template's {section} have no such entry")


def circle(needs: dict[str, set[str]]) -> list[str]:
    """Resources that need each other in a circle, in order and back to the first; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name not in done:
            for needed in sorted(needs[name]):
                found = visit(needed, [*path, name])
                if found:
                    return found
            done.add(name)
        return []

    return next((found for name in needs if (found := visit(name, []))), [])


def _listed(value: Any) -> list[str]:
    return [] if value is None else value if isinstance(value, list) else [value]
