"""The stacks of a played account: what each has told, what is still to come, and how it is described.

Time is virtual: an operation goes on by some events each time somebody asks for them, and every event takes a second.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from orderlab.cloud.guard import ACCOUNT, REGION

from ...described import defaults
from ...policy.template import settle
from ..names import last
from .answers import Refusal
from .timeline import Made, Step

PACE = 50  # events that happen between two looks
NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


@dataclass
class PlayedStack:
    """A stack: what it consists of, what it has told, and what is still to come."""

    name: str
    id: str
    created: datetime
    tags: list[dict[str, str]]
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    resources: list[Made] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    coming: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """A change set."""

    name: str
    id: str
    stack: str
    status: str
    reason: str
    parameters: dict[str, str]
    template: dict[str, Any]  # translated, with the resources that exist
    described: dict[str, Any]  # these resources, with every parameter and condition decided
    tags: list[dict[str, str]]
    changes: list[dict[str, Any]]

    @property
    def touched(self) -> set[str]:
        """The logical ids of what changes."""
        return {change["ResourceChange"]["LogicalResourceId"] for change in self.changes}


class Book:
    """All stacks, the virtual time, and ids that are the same in every run."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.stacks: list[PlayedStack] = []
        self._ids = 0

    def of_type(self, type: str) -> list[str]:
        """The physical ids of all resources of a type."""
        there = [stack for stack in self.stacks if stack.status != "DELETE_COMPLETE"]
        return [made.physical_id for stack in there for made in stack.resources if made.type == type]

    def go_on(self, stack: PlayedStack) -> None:
        """Let the next events happen."""
        for step in stack.coming[:PACE]:
            self.tell(stack, step)
        del stack.coming[:PACE]

    def tell(self, stack: PlayedStack, step: Step) -> None:
        """Write an event down, a second later."""
        self.now += timedelta(seconds=1)
        made = step.made or Made(stack.name, "AWS::CloudFormation::Stack", stack.id)
        name = f"{made.logical_id}-{step.status}-{self.now:%Y-%m-%dT%H:%M:%S}.000Z"
        event: dict[str, Any] = {
            "StackId": stack.id, "StackName": stack.name, "EventId": name if step.made else self.id(name),
            "LogicalResourceId": made.logical_id, "PhysicalResourceId": made.physical_id if step.physical else "",
            "ResourceType": made.type, "Timestamp": self.now, "ResourceStatus": step.status,
        }  # fmt: skip
        if step.reason:
            event["ResourceStatusReason"] = step.reason
        stack.events.append(event)
        if step.made is None:
            stack.status, stack.reason = step.status, step.reason

    def find(self, name: str) -> PlayedStack | None:
        """A stack by its id, or, unless it was deleted, by its name."""
        here = [one for one in self.stacks if one.id == name or (one.name == name and one.status != "DELETE_COMPLETE")]
        return here[-1] if here else None

    def stack(self, name: str) -> PlayedStack:
        """The same, or a refusal."""
        found = self.find(name)
        if found is None:
            raise Refusal("ValidationError", f"Stack with id {name} does not exist")
        return found

    def arn(self, kind: str, name: str) -> str:
        """A new ARN."""
        return f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:{kind}/{name}/{self.id(name)}"

    def id(self, name: str) -> str:
        """A new id."""
        self._ids += 1
        return str(uuid.uuid5(NAMESPACE, f"{self._ids} {name}"))


def as_described(stack: PlayedStack) -> dict[str, Any]:
    """A stack as DescribeStacks tells it."""
    answer: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created,
        "StackStatus": stack.status,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()],
        "Tags": stack.tags,
    }
    return {**answer, "StackStatusReason": stack.reason} if stack.reason else answer


def decided(translated: dict[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The resources with each condition and parameter decided, so that two of them can be compared."""
    values = {**defaults(translated), **parameters}
    text = json.dumps(settle(translated, **values)["Resources"])
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", json.dumps(value)[1:-1])
    found: dict[str, Any] = json.loads(text)
    return found


def changed(old: dict[str, Any], new: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The difference of two sets of resources, as a change set tells it."""
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True):
            continue
        action = "Add" if before is None else "Remove" if after is None else "Modify"
        change = {"Action": action, "LogicalResourceId": name, "ResourceType": (after or before or {})["Type"]}
        if action == "Modify":
            change |= {"Replacement": "Conditional" if "Name" in json.dumps(after) else "False"}
        yield {"Type": "Resource", "ResourceChange": change}


def arn_of(made: Made) -> str:
    """The ARN under which a resource is tagged; empty for a type that carries no tags."""
    service = {
        "AWS::SQS::Queue": "sqs:{place}:{name}", "AWS::DynamoDB::Table": "dynamodb:{place}:table/{name}",
        "AWS::Lambda::Function": "lambda:{place}:function:{name}", "AWS::S3::Bucket": "s3:::{name}",
        "AWS::EC2::VPC": "ec2:{place}:vpc/{name}", "AWS::EC2::Subnet": "ec2:{place}:subnet/{name}",
        "AWS::EC2::SecurityGroup": "ec2:{place}:security-group/{name}",
        "AWS::Logs::LogGroup": "logs:{place}:log-group:{name}",
    }.get(made.type)  # fmt: skip
    name = made.physical_id if made.type == "AWS::Logs::LogGroup" else last(made.physical_id)
    return f"arn:aws:{service.format(place=f'{REGION}:{ACCOUNT}', name=name)}" if service else ""
