"""`python3 -m orderlab destroy`: everything away, and the proof of it.

It shows what will be deleted and asks for the prefix. Buckets are emptied (all versions), the stack is deleted and
watched, a bucket that was filled meanwhile is emptied once more, the bucket of the deploy and late log groups go too.
Then AWS is asked, by tag and by name, whether anything is left. Run it again at any time: it is harmless.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import argparse
from collections.abc import Sequence

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from . import checks, emptying, explain, names, progress, stacks, talk, template
from .account import Account, code_of
from .inventory import There, look, show
from .names import Names
from .proof import LISTS, prove
from .talk import Ask, Say
from .template import Template

TRIES = 3  # deletions of the stack: a bucket can be filled while it is being deleted


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0 when nothing is left, else 1. Raises Problem."""
    parser = talk.parser("destroy", "Delete the stack and everything that it left, and prove that nothing is left.")
    talk.add_yes(parser)
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
    status = conclude(account, described, ours, say, there.types)
    for region in there.elsewhere:
        say(f"mind: {account.target.prefix} has a bucket in {region}: what was deployed there is still there")
    return status


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
