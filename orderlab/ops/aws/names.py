"""The names that the template gives, so that what is left can be told from what is another learner's.

Two learners may share an account as `shop` and `shop-ann`, and with whoever has a bucket `shop-orders`, so a name that
merely begins with the prefix proves nothing. A name is ours when it is one that the template writes under our prefix
for a resource of that very type, or one that CloudFormation makes for such a resource without a name of its own:
stack, logical id, random letters.

Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .target import Target

BUCKET, GROUP, FUNCTION = "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::Lambda::Function"
# What a type is found by, where that is not its own name; and what SAM makes of its own.
NAMED_AS = {"AWS::Lambda::EventSourceMapping": FUNCTION, "AWS::Serverless::Function": FUNCTION}


@dataclass(frozen=True)
class Names:
    """By type: every name that is written in the template, and how those begin that CloudFormation makes up."""

    written: Mapping[str, frozenset[str]]
    made_up: Mapping[str, tuple[str, ...]]

    def has(self, type: str, name: str) -> bool:
        """Is this the name of a resource of ours of this type? Takes a name, an ARN or a queue's address."""
        short, type = last(name), NAMED_AS.get(type, type)
        return short in self.written.get(type, ()) or short.startswith(self.made_up.get(type, ()))


def last(name: str) -> str:
    """The name itself, without what an ARN or a queue's address has before it; a log group keeps its folders."""
    if name.startswith("arn:"):
        name = name.split(":", 5)[5]
        if name.startswith("log-group:"):
            return name.removeprefix("log-group:").removesuffix(":*")
        name = re.sub(r"^(function|stateMachine|alarm|key|archive):", "", name)
        return name.rpartition("/")[2]
    return name.rpartition("/")[2] if name.startswith("https://") else name


def of_template(template: Mapping[str, Any], target: Target) -> Names:
    """The names of this template's resources under the target's prefix."""
    values = {"NamePrefix": target.prefix, "AWS::AccountId": target.account, "AWS::Region": target.region}
    written: dict[str, set[str]] = defaultdict(set, {BUCKET: {target.artifacts}})
    made_up: dict[str, tuple[str, ...]] = {}
    for logical_id, resource in template["Resources"].items():
        type = NAMED_AS.get(resource["Type"], resource["Type"])
        made_up[type] = (*made_up.get(type, ()), f"{target.stack}-{logical_id}-")
        for text in _names(resource.get("Properties", {})):
            for name, value in values.items():
                text = text.replace(f"${{{name}}}", value)
            written[type].add(text)
    return Names({type: frozenset(names) for type, names in written.items()}, made_up)


def _names(properties: Mapping[str, Any]) -> Iterator[str]:
    """What is under QueueName, TableName and the like, and begins with the prefix, or has it after folders."""
    for key, value in properties.items():
        if isinstance(value, dict):
            text = value.get("Fn::Sub")
            if key.endswith("Name") and isinstance(text, str) and "${NamePrefix}" in text:
                yield text
            else:
                yield from _names(value)
