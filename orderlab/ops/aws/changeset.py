"""What a deploy would change, asked of CloudFormation before anything is changed.

Taught in notebooks/12_ship_it.ipynb
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from .account import Account, code_of
from .explain import clean, message_of
from .stacks import TAG
from .talk import table

MISSING = ("ChangeSetNotFound", "ChangeSetNotFoundException")
UNREADY = ("InvalidChangeSetStatus", "InvalidChangeSetStatusException")
# What CloudFormation says when there is nothing to do, in its two wordings.
EMPTY = ("didn't contain changes", "No updates are to be performed")
POLL, PATIENCE = 3.0, 200  # seconds, polls: ten minutes
SHOWN = 40  # rows of the table; the rest is counted by type
DELETABLE = 10  # polls until a change set that is still being made can be deleted
KEEPERS = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Events::Archive"}  # they hold data
REPLACED = {"True": "will be replaced by an empty one", "Conditional": "may be replaced by an empty one"}


@dataclass(frozen=True)
class Change:
    """One resource that will be added, modified or removed; `replacement` is True, False, Conditional or empty."""

    action: str
    logical_id: str
    type: str
    replacement: str = ""


@dataclass(frozen=True)
class ChangeSet:
    """A change set that waits for its execution."""

    id: str
    stack_id: str
    changes: tuple[Change, ...]

    def losses(self) -> list[str]:
        """A line for each resource with data in it that goes, or may go."""
        return [
            f"{one.logical_id} ({one.type}) {fate}, and what is in it is lost"
            for one in self.changes
            if one.type in KEEPERS
            and (fate := "will be removed" if one.action == "Remove" else REPLACED.get(one.replacement))
        ]

    def __str__(self) -> str:
        changes = sorted(self.changes, key=lambda one: one.action != "Remove" and one.replacement not in REPLACED)
        rows = [(one.action, one.logical_id, one.type, one.replacement) for one in changes]
        text = table(("action", "logical id", "type", "replacement"), rows[:SHOWN])
        if len(rows) > SHOWN:
            rest = Counter(row[2] for row in rows[SHOWN:])
            text += f"\n… and {len(rows) - SHOWN} more: " + ", ".join(f"{n} {type}" for type, n in sorted(rest.items()))
        return text


def make(account: Account, url: str, parameters: Mapping[str, str], kind: str, name: str) -> ChangeSet | None:
    """Ask for a change set (`kind` is CREATE or UPDATE) and wait for it; None when there is nothing to change.

    Raises Problem with CloudFormation's reason when it cannot be made.
    """
    where = {"StackName": account.target.stack, "ChangeSetName": name}
    forget(account, where)
    account.ask(
        "cloudformation",
        "create_change_set",
        ChangeSetType=kind,
        TemplateURL=url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())],
        Capabilities=["CAPABILITY_AUTO_EXPAND", "CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": TAG, "Value": account.target.prefix}],
        **where,
    )
    for _ in range(PATIENCE):
        found = account.ask("cloudformation", "describe_change_set", **where)
        if found["Status"] == "CREATE_COMPLETE":
            changes = account.every("cloudformation", "describe_change_set", "Changes[].ResourceChange", **where)
            listed = [
                Change(one["Action"], one["LogicalResourceId"], one["ResourceType"], one.get("Replacement", ""))
                for one in changes
            ]
            return ChangeSet(found["ChangeSetId"], found["StackId"], tuple(listed))
        if found["Status"] == "FAILED":
            reason = found.get("StatusReason", "no reason given")
            forget(account, where)
            if any(words in reason for words in EMPTY):
                return None
            raise Problem(f"CloudFormation does not take the template: {clean(reason)}")
        account.pause(POLL)
    raise Problem("the change set is not ready after ten minutes: run the same command again")


def forget(account: Account, where: Mapping[str, str]) -> None:
    """Delete a change set of this name, if there is one: an interrupted deploy may have left it."""
    for attempt in range(DELETABLE):
        try:
            account.ask("cloudformation", "delete_change_set", **where)
            return
        except ClientError as error:
            if code_of(error) in ("ValidationError", *MISSING):
                return
            if code_of(error) not in UNREADY or attempt == DELETABLE - 1:
                raise
            account.pause(POLL)


def execute(account: Account, wanted: ChangeSet) -> None:
    """Begin. Raises Problem when the change set is gone or superseded, as when two deploy at once."""
    try:
        account.ask("cloudformation", "execute_change_set", ChangeSetName=wanted.id)
    except ClientError as error:
        if code_of(error) not in (*MISSING, *UNREADY):
            raise
        raise Problem(
            f"the change set cannot be executed any more ({clean(message_of(error))}): somebody else deploys to "
            f"{account.target.stack}, or another terminal of yours; run the same command again"
        ) from None
