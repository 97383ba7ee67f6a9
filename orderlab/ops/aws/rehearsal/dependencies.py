"""The order in which CloudFormation can make resources: each after those that it refers to or depends on."""

from collections.abc import Iterator, Mapping
from typing import Any


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The logical ids, each after those that it refers to or depends on."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        for other in sorted(set(referred(resources[name])) & {*resources} - {name}):
            visit(other)
        done[name] = None

    for name in resources:
        visit(name)
    return [*done]


def referred(value: Any) -> Iterator[str]:
    """Every logical id that a resource's description names: Ref, GetAtt, Sub and DependsOn."""
    if isinstance(value, list):
        for each in value:
            yield from referred(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [each] if isinstance(each, str) else each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "Fn::Sub":
                text = each if isinstance(each, str) else each[0]
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
            yield from referred(each)
