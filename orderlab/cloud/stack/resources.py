"""The stack as the services read it: each resource with its properties, its intrinsic functions resolved."""

from dataclasses import dataclass, field
from typing import Any

from ..guard import REGION


@dataclass(frozen=True)
class Resource:
    """One resource of the stack, its intrinsic functions resolved."""

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    arn: str | None = None


@dataclass
class Stack:
    """The resources by logical id, and the outputs."""

    name: str = "orderlab"
    region: str = REGION
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)

    def of_type(self, type: str) -> list[Resource]:
        """The resources of one CloudFormation type, in the template's order."""
        return [resource for resource in self.resources.values() if resource.type == type]

    def logical_id(self, physical_id: str, type: str = "AWS::Lambda::Function") -> str | None:
        """The logical id behind a function's name (or another resource's, by its type)."""
        named = (r for r in self.resources.values() if r.physical_id == physical_id and r.type == type)
        return next((resource.logical_id for resource in named), None)
