"""`python3 -m orderlab status`: is there a stack, how old is it, what has it cost so far, where is its API.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Sequence

from ..bill.estimate import estimate
from ..bill.facts import HOURS
from ..described import admitted
from . import checks, stacks, talk, template
from .account import Account
from .talk import Say


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0, or 1 when nothing is deployed. Raises Problem."""
    said = talk.parser("status", "Show the stack's state, age, parameters, outputs and cost so far.").parse_args(argv)
    return talk.run(said, status)


def status(account: Account, say: Say = talk.say) -> int:
    """Say what there is; 1 when nothing is deployed."""
    checks.identity(account)
    stack = stacks.find(account)
    where = f"account {account.target.account}, {account.target.region}"
    if stack is None:
        say(f"no stack {account.target.stack} in {where}")
        return 1
    stacks.ours(account, stack)
    hours = max(0.0, (account.now() - stack.created).total_seconds() / 3600)
    say(f"stack {stack.name} in {where}: {stack.status}{f' ({stack.reason})' if stack.reason else ''}")
    say(f"age {age(hours)}, since {stack.created:%Y-%m-%d %H:%M} UTC")
    if stack.status in (*stacks.NEVER, "ROLLBACK_COMPLETE"):
        say("nothing of it exists: a deploy was not finished; deploy again, or take the rest down:")
        say(f"python3 -m orderlab destroy {account.target.arguments()}")
        return 1
    standing = estimate(admitted(template.read().body, stack.parameters), 0).standing
    say(
        f"cost so far, without any order: about ${standing * hours / HOURS:,.2f} "
        f"(an estimate: ${standing:,.2f} a month while idle; AWS's own figures are in its console, Billing)"
    )
    for name, value in stack.parameters.items():
        say(f"  parameter {name} = {value}")
    for name, value in stack.outputs.items():
        say(f"  output {name} = {value}")
    say(f"to take it down: python3 -m orderlab destroy {account.target.arguments()}")
    return 0


def age(hours: float) -> str:
    """Hours as a person says them."""
    if hours < 48:
        return f"{int(hours)} h {int(hours * 60) % 60} min"
    return f"{int(hours / 24)} days {int(hours) % 24} h"
