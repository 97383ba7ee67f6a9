"""A stack as CloudFormation describes it: its state, whose it is, and what it consists of.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from .account import Account, code_of
from .explain import message_of

TAG = "orderlab"  # the key of the tag on everything that a deploy makes; its value is the prefix
# The user guide's "Stack status codes": a stack that never was, one that can be updated, one that must go first.
NEVER = {"REVIEW_IN_PROGRESS"}
UPDATABLE = {
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}  # fmt: skip
HOPELESS = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


@dataclass(frozen=True)
class Stack:
    """A stack's facts; `created` has its time zone."""

    id: str
    name: str
    status: str
    created: datetime
    reason: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False  # termination protection: CloudFormation refuses its deletion

    @property
    def at_work(self) -> bool:
        """Is an operation under way? (A stack under review waits for a change set and does nothing.)"""
        return self.status.endswith("_IN_PROGRESS") and self.status not in NEVER


def find(account: Account, name: str | None = None) -> Stack | None:
    """The stack of this name or id (default: the target's), or None."""
    try:
        found = account.ask("cloudformation", "describe_stacks", StackName=name or account.target.stack)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
            return None
        raise
    return stack_of(found[0]) if found else None


def stack_of(found: Mapping[str, Any]) -> Stack:
    """A stack from DescribeStacks' words."""
    return Stack(
        found["StackId"],
        found["StackName"],
        found["StackStatus"],
        found["CreationTime"],
        found.get("StackStatusReason", ""),
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in found.get("Parameters", ())},
        {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())},
        {each["Key"]: each["Value"] for each in found.get("Tags", ())},
        found.get("EnableTerminationProtection", False),
    )


def ours(account: Account, stack: Stack) -> None:
    """Raises Problem when the stack was not made by this course under this prefix.

    A stack under review has no tags yet: its first change set waits, and nothing of it exists.
    """
    if stack.status in NEVER and not stack.tags:
        return
    if stack.tags.get(TAG) != account.target.prefix:
        raise Problem(
            f"there is a stack {stack.name} in {account.target.region} that was not deployed by this course: "
            "take another --prefix"
        )


def resources(account: Account, stack: Stack) -> dict[str, tuple[str, str]]:
    """Logical id to (type, physical id) of what the stack has now."""
    found = account.every("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack.id)
    return {
        each["LogicalResourceId"]: (each["ResourceType"], each.get("PhysicalResourceId") or "")
        for each in found
        if each["ResourceStatus"] != "DELETE_COMPLETE"
    }
