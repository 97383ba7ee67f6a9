"""`python3 -m orderlab deploy`: from the template to a running stack, with a question before anything costs money.

The account is checked, the code and the template are put into a private bucket, CloudFormation says what it would
change, you see that, the estimated bill and the command that takes it all down, and you are asked. Say no, and the
account is as it was. Run it again whenever it was interrupted: it goes on from where the stack is.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import functools
from collections.abc import Sequence

from botocore.exceptions import ClientError

from orderlab.installing import Problem

from ..bill.estimate import estimate
from ..described import admitted
from . import changeset, checks, explain, progress, stacks, talk, template, upload
from .account import Account
from .stage import Stage, stage
from .taking_back import take_back, undone
from .talk import Ask, Say
from .template import Template

# What to do with a stack that takes no change set, before the command that takes it down.
STUCK = {
    "DELETE_FAILED": "",
    "UPDATE_ROLLBACK_FAILED": "mend the cause and let its rollback go on, with aws cloudformation "
    "continue-update-rollback, which keeps what is in it; or take it down: ",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 1 when it failed or was declined. Raises Problem."""
    parser = talk.parser("deploy", "Deploy the order system to an AWS account, after showing what that means.")
    template.add_argument(parser)
    parser.add_argument(
        "--orders-a-month", type=int, default=1000, metavar="N", help="for the estimate of the bill; default: 1000"
    )
    talk.add_yes(parser)
    said = parser.parse_args(argv)
    if said.orders_a_month < 0:
        raise Problem(f"--orders-a-month {said.orders_a_month} is less than none")
    return talk.run(said, lambda account: deploy(account, said))


def deploy(account: Account, said: argparse.Namespace, ask: Ask = talk.ask, say: Say = talk.say) -> int:
    """Deploy, or say why not. Raises Problem and what botocore raises; a Ctrl-C leaves AWS at work, and says so."""
    described = template.read()
    given = template.parameters(said.parameters, described, account.target.prefix)
    who = checks.identity(account)
    say(f"account {account.target.account}, {account.target.region}, as {who.rpartition('/')[2]}")
    stack = at_rest(account, stacks.find(account), say)
    kept = stack.parameters if stack is not None and stack.status in stacks.UPDATABLE else {}
    given = {**admitted(described.body, kept), **given}
    checks.all_of(account, described.body, given, stack, say)
    if stack is not None and stack.status in stacks.HOPELESS:
        remove_failed(account, stack, say)
        stack = None
    new = stack is None or stack.status in stacks.NEVER
    staged = stage()
    say(f"code: {len(staged.files)} files, digest {staged.digest[:16]}")
    back = functools.partial(take_back, account, new, name_of(staged), say)
    with undone(back, KeyboardInterrupt, Problem, ClientError, OSError):  # the last: nobody reads our output any more
        wanted = prepare(account, staged, described, given, new)
        if wanted is None:
            say(f"nothing to change: the stack {account.target.stack} is as the template says")
            return 0
        show(account, wanted, given, said.orders_a_month, say)
        agreed = said.yes or ask('type "yes" to go ahead: ') == "yes"
    if not agreed:
        back()
        say("nothing was deployed")
        return 1
    with undone(back, KeyboardInterrupt, ClientError):  # but not what belongs to who deployed meanwhile
        known = progress.known(account, wanted.stack_id)
        changeset.execute(account, wanted)
    return watch(account, wanted, known, new, say)


def at_rest(account: Account, stack: stacks.Stack | None, say: Say) -> stacks.Stack | None:
    """The stack once it rests: an operation that is under way, such as an interrupted deploy's, is watched first."""
    if stack is not None and stack.at_work:
        stacks.ours(account, stack)
        stack = progress.watch_first(account, stack, say)
    if stack is not None and stack.status in STUCK:
        stacks.ours(account, stack)
        raise Problem(
            f"the stack {stack.name} is {stack.status} and cannot be deployed to: {STUCK[stack.status]}"
            f"python3 -m orderlab destroy {account.target.arguments()}"
        )
    return stack


def remove_failed(account: Account, stack: stacks.Stack, say: Say) -> None:
    """A stack whose creation failed can only be deleted; it has nothing in it."""
    say(f"the stack {stack.name} is {stack.status}, left by a deploy that failed: deleting it first")
    known = progress.known(account, stack.id)
    account.ask("cloudformation", "delete_stack", StackName=stack.id)
    end = progress.watch(account, stack.id, known, say)
    if end.status != "DELETE_COMPLETE":
        raise Problem(explain.failure_of(explain.first_failure(end.events, stack.id), "deleted"))


def prepare(
    account: Account, staged: Stage, described: Template, given: dict[str, str], new: bool
) -> changeset.ChangeSet | None:
    """Upload, and ask for the change set."""
    upload.make_bucket(account)
    url = upload.upload(account, staged, described.text)
    return changeset.make(account, url, given, "CREATE" if new else "UPDATE", name_of(staged))


def name_of(staged: Stage) -> str:
    """The change set's name."""
    return f"deploy-{staged.digest[:16]}"


def show(account: Account, wanted: changeset.ChangeSet, given: dict[str, str], orders: int, say: Say) -> None:
    """What will change, what it will cost, and how it comes down again."""
    say(f"\n{wanted}\n")
    say(str(estimate(given, orders)))
    say(f"\nto take it down again: python3 -m orderlab destroy {account.target.arguments()}")
    for loss in wanted.losses():
        say(f"mind: {loss}")


def watch(account: Account, wanted: changeset.ChangeSet, known: set[str], new: bool, say: Say) -> int:
    """Watch the change set at work; returns the exit status."""
    verb = "created" if new else "updated"
    try:
        end = progress.watch(account, wanted.stack_id, known, say)
    except KeyboardInterrupt:
        say("stopped watching, and AWS goes on: run the same command again to watch, or destroy to take it down")
        raise
    if end.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        if left := explain.left_behind(end.events):
            say(f"\nthe stack {account.target.stack} is {verb}, but these could not be deleted and are nobody's now:")
            for each in left:
                say(f"  {each}")
            say("CloudFormation does not try again: delete them by hand in 20 minutes; destroy will name them, too")
            return 1
        say(f"\nthe stack {account.target.stack} is {verb}; try it with one order:")
        say(f"python3 -m orderlab smoke {account.target.arguments()}")
        if account.target.endpoint:
            say("(an account that `rehearse` plays takes no orders; `python3 -m orderlab demo` sends them without one)")
        return 0
    say(f"\n{explain.failure_of(explain.first_failure(end.events, wanted.stack_id), verb)}")
    became = "AWS has rolled it back" if end.status.endswith("ROLLBACK_COMPLETE") else "it was not rolled back"
    say(f"{became} ({end.status}). Mend the cause and deploy again, or take the rest down:")
    say(f"python3 -m orderlab destroy {account.target.arguments()}")
    return 1
