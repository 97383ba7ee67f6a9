"""`python3 -m orderlab destroy`: everything away, and the proof of it.

It shows what will be deleted and asks for the prefix. Buckets are emptied (all versions), the stack is deleted and
watched, a bucket that was filled meanwhile is emptied once more, the bucket of the deploy and late log groups go too.
Then AWS is asked, by tag and by name, whether anything is left. Run it again at any time: it is harmless.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from . import checks, emptying, explain, names, progress, stacks, talk, template
from .account import Account, code_of
from .names import Names
from .proof import LISTS, prove
from .talk import Ask, Say
from .template import Template

TRIES = 3  # deletions of the stack: a bucket can be filled while it is being deleted


@dataclass(frozen=True)
class There:
    """What there is to delete."""

    stack: stacks.Stack | None
    resources: dict[str, tuple[str, str]]
    buckets: tuple[str, ...]
    artifacts: bool
    log_groups: tuple[str, ...]

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0 when nothing is left, else 1. Raises Problem."""
    parser = talk.parser("destroy", "Delete the stack and everything that it left, and prove that nothing is left.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    said = parser.parse_args(argv)
    return talk.run(said, lambda account: destroy(account, said))


def destroy(account: Account, said: argparse.Namespace, ask: Ask = talk.ask, say: Say = talk.say) -> int:
    """Delete everything of the target's prefix. Raises Problem and what botocore raises."""
    described = template.read()
    ours = names.of_template(described.body, account.target)
    checks.identity(account)
    there = look(account, ours)
    if there:
        show(account, there, say)
        if (
            not said.yes
            and ask(f'type "{account.target.prefix}" to delete all this for good: ') != account.target.prefix
        ):
            say("nothing was deleted")
            return 1
        delete(account, there, ours, say)
    return conclude(account, described, ours, say, there.types)


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
    there = There(stack, resources, tuple(sorted(buckets)), account.target.artifacts in all_buckets, ())
    in_stack = {id for _, id in resources.values()}
    groups = [name for name in emptying.log_groups(account, ours, there.apis) if name not in in_stack]
    return There(stack, resources, there.buckets, there.artifacts, tuple(groups))


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


def delete(account: Account, there: There, ours: Names, say: Say) -> None:
    """Delete it in the order in which it can be deleted."""
    if there.stack is not None:
        delete_stack(account, there.stack, list(there.buckets), say)
    for bucket in there.buckets:  # of a stack that is gone already
        if there.stack is None and emptying.delete_bucket(account, bucket):
            say(f"deleted the bucket {bucket}")
    if emptying.delete_bucket(account, account.target.artifacts):
        say(f"deleted the bucket {account.target.artifacts}")
    late = emptying.log_groups(account, ours, there.apis)
    emptying.delete_log_groups(account, late)
    for group in late:
        say(f"deleted the log group {group}")


def delete_stack(account: Account, stack: stacks.Stack, buckets: Sequence[str], say: Say) -> None:
    """Empty, delete, watch; and again when a bucket was not empty. Raises Problem when something else is in the way."""
    if stack.at_work and stack.status.startswith(("UPDATE_", "IMPORT_")):  # AWS deletes none in the middle of one
        stack = progress.watch_first(account, stack, say) or stack
    for _ in range(TRIES):
        if stack.status != "DELETE_IN_PROGRESS":
            for bucket in buckets:
                if emptied := emptying.empty(account, bucket):
                    say(f"emptied the bucket {bucket}: {emptied} objects")
        end = deletion(account, stack, say)
        if end.status == "DELETE_COMPLETE":
            return
        failed = explain.first_failure(end.events, stack.id)
        full = failed is not None and "not empty" in failed.get("ResourceStatusReason", "")
        if not full:
            break
        say("a bucket was filled while the stack was being deleted: emptying it again")
        stack = stacks.find(account, stack.id) or stack
    raise Problem(f"{explain.failure_of(failed, 'deleted')}. Then run destroy again")


def deletion(account: Account, stack: stacks.Stack, say: Say) -> progress.Seen:
    """Ask for the deletion, unless it is under way, and watch it."""
    if stack.status == "DELETE_IN_PROGRESS":
        say("the stack is being deleted already: watching")
        return progress.watch(account, stack.id, progress.before_this_operation(account, stack.id), say)
    known = progress.known(account, stack.id)
    try:
        account.ask("cloudformation", "delete_stack", StackName=stack.id)
    except ClientError as error:
        if code_of(error) != "ValidationError":
            raise
        raise Problem(f"CloudFormation does not delete the stack: {explain.clean(explain.message_of(error))}") from None
    try:
        return progress.watch(account, stack.id, known, say)
    except KeyboardInterrupt:
        say("stopped watching, and AWS goes on deleting: run destroy again for the rest and the proof")
        raise


def conclude(account: Account, described: Template, ours: Names, say: Say, had: set[str] | None = None) -> int:
    """The proof, and the exit status. What may not be asked does no harm where the stack `had` nothing of the type."""
    proof = prove(account, ours, described.types)
    say(f"\n{proof}\n")
    unknown = [what for what in proof.unasked if had is None or what not in LISTS or what in had]
    for what in proof.unasked:
        say(f"these credentials may not ask for {what}" + ("" if what in unknown else ", and the stack had none"))
    if not proof.left and unknown:
        say(f"nothing else is left; see for yourself, or run destroy again with more rights, for {', '.join(unknown)}")
        return 1
    if not proof.left:
        say(f"nothing of {account.target.prefix} is left in account {account.target.account}, {account.target.region}")
        return 0
    for name in proof.left:
        say(f"left: {name}")
    say("run destroy again in some minutes; what is still left then, delete by hand")
    return 1
