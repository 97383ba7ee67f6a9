"""The names that the template gives, so that what is left can be told from what is another learner's.

Two learners may share an account as `shop` and `shop-ann`, so a name that merely begins with the prefix proves nothing.
A name is ours when it is one that the template writes under our prefix, or one that CloudFormation makes for a
resource without a name of its own: stack, logical id, random letters.

Taught in notebooks/12_ship_it.ipynb
"""

import re
from dataclasses import dataclass
from typing import Any

from .target import Target

WRITTEN = re.compile(r"\$\{NamePrefix\}([^\s\"'}{$]*(?:\$\{AWS::\w+\}[^\s\"'}{$]*)*)")
FOLDERS = ("/aws/lambda/", "/aws/vendedlogs/", "/aws/apigateway/", "/aws/states/")


@dataclass(frozen=True)
class Names:
    """Every name that is written in the template, and how those begin that CloudFormation makes up."""

    written: frozenset[str]
    made_up: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Is this a name of our stack? Takes a name, an ARN or a queue's address."""
        short = last(name)
        return short in self.written or short.startswith(self.made_up)


def last(name: str) -> str:
    """The name itself, without what an ARN, a queue's address or a log group's folder has before it."""
    if name.startswith("arn:"):
        name = name.split(":", 5)[5]
        name = re.sub(r"^(function|stateMachine|alarm|key|log-group|archive):", "", name)
        return name.rpartition("/")[2] if not name.startswith("/aws/") else last(name.removesuffix(":*"))
    if name.startswith("https://"):
        return name.rpartition("/")[2]
    for folder in FOLDERS:
        name = name.removeprefix(folder)
    return name


def of_template(text: str, template: dict[str, Any], target: Target) -> Names:
    """The names of this template's resources under the target's prefix."""
    pseudo = {"${AWS::AccountId}": target.account, "${AWS::Region}": target.region}
    written = set()
    for ending in WRITTEN.findall(text):
        for name, value in pseudo.items():
            ending = ending.replace(name, value)
        written.add(last(f"{target.prefix}{ending}"))
    written.add(target.artifacts)
    return Names(frozenset(written), tuple(f"{target.stack}-{logical_id}-" for logical_id in template["Resources"]))
