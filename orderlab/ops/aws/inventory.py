"""What there is to delete: the stack, and what it left or will leave, each found before anything is deleted.

Taught in notebooks/12_ship_it.ipynb
"""

from dataclasses import dataclass, replace

from orderlab.installing import Problem

from . import checks, emptying, names, stacks
from .account import Account
from .names import Names
from .talk import Say


@dataclass(frozen=True)
class There:
    """What there is to delete; `elsewhere`: other regions in which this prefix has a bucket of a deploy."""

    stack: stacks.Stack | None
    resources: dict[str, tuple[str, str]]
    buckets: tuple[str, ...]
    artifacts: bool
    log_groups: tuple[str, ...]
    elsewhere: tuple[str, ...] = ()

    @property
    def apis(self) -> tuple[str, ...]:
        """The ids of the stack's APIs."""
        return tuple(id for type, id in self.resources.values() if type == "AWS::ApiGateway::RestApi")

    @property
    def types(self) -> set[str] | None:
        """The types that the stack had; None where there is no stack to ask."""
        return {type for type, _ in self.resources.values()} if self.stack is not None else None

    def __bool__(self) -> bool:
        return bool(self.stack or self.buckets or self.artifacts or self.log_groups)


def look(account: Account, ours: Names) -> There:
    """Find what there is. Raises Problem when a stack or a bucket of our name is somebody else's."""
    stack = stacks.find(account)
    checks.name_is_free(account, stack)
    if stack is not None and stack.protected:
        raise Problem(
            f"the stack {stack.name} has termination protection, and nothing was deleted: take that off in the console "
            "(Stack actions) and run destroy again"
        )
    made = stack is not None and stack.status not in stacks.NEVER
    resources = stacks.resources(account, stack) if stack is not None and made else {}
    all_buckets = account.every("s3", "list_buckets", "Buckets[].Name")
    buckets = {id for type, id in resources.values() if type == "AWS::S3::Bucket" and id in all_buckets}
    buckets |= {name for name in all_buckets if ours.has(names.BUCKET, name) and name != account.target.artifacts}
    begins = account.target.artifacts.removesuffix(account.target.region)
    elsewhere = {name.removeprefix(begins) for name in all_buckets if name.startswith(begins)} - {account.target.region}
    there = There(
        stack, resources, tuple(sorted(buckets)), account.target.artifacts in all_buckets, (), tuple(sorted(elsewhere))
    )
    in_stack = {id for _, id in resources.values()}
    groups = [name for name in emptying.log_groups(account, ours, there.apis) if name not in in_stack]
    return replace(there, log_groups=tuple(groups))


def show(account: Account, there: There, say: Say) -> None:
    """Say what will be deleted."""
    say(f"in account {account.target.account}, {account.target.region}, this will be deleted:")
    if there.stack is not None:
        say(f"  the stack {there.stack.name} ({there.stack.status}) with {len(there.resources)} resources")
    for bucket in there.buckets:
        say(f"  the bucket {bucket}, with everything in it")
    if there.artifacts:
        say(f"  the bucket {account.target.artifacts}, with the code and the template")
    for group in there.log_groups:
        say(f"  the log group {group}")
