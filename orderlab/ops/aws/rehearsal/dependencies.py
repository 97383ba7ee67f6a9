"""The order in which CloudFormation can make resources: each after those that it refers to or depends on."""

from collections.abc import Mapping
from typing import Any

from orderlab.cloud.stack.references import named


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The logical ids, each after those that it refers to or depends on."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        for other in sorted({target for target, _ in named(resources[name])} & {*resources} - {name}):
            visit(other)
        done[name] = None

    for name in resources:
        visit(name)
    return [*done]
