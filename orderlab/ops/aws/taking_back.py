"""A deploy that does not come to its execution leaves the account as it was before it.

Taught in notebooks/12_ship_it.ipynb
"""

import contextlib
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from . import changeset, emptying, progress, stacks
from .account import Account
from .talk import Say


@contextlib.contextmanager
def undone(back: Callable[[], None], *errors: type[BaseException]) -> Iterator[None]:
    """Take back what was made when one of these errors ends the block; the error is raised all the same."""
    try:
        yield
    except errors:
        with contextlib.suppress(BotoCoreError, ClientError):  # of whatever kind: the first error is the one to tell
            back()
        raise


def take_back(account: Account, new: bool, change_set: str, say: Say) -> None:
    """Leave the account as it was before: no change set, and no bucket and no stack that was not there.

    A stack that somebody else has begun to make meanwhile needs the bucket, and keeps it.
    """
    stack = stacks.find(account)
    if new and (stack is None or stack.status in stacks.NEVER):
        if stack is not None:  # it takes its change set along
            known = progress.known(account, stack.id)
            account.ask("cloudformation", "delete_stack", StackName=stack.id)
            progress.watch(account, stack.id, known, lambda _: None)
        emptying.delete_bucket(account, account.target.artifacts)
        say("taken back: the change set, the bucket and the stack under review")
    elif stack is not None and not stack.at_work:
        changeset.forget(account, {"StackName": stack.name, "ChangeSetName": change_set})
        say("taken back: the change set")
    elif stack is not None:
        say(f"the stack {stack.name} is {stack.status}: run the same command again to watch it, or destroy")
