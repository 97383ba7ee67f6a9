"""How much a command may do to a deployed system: orders, minutes and dollars, each with a limit, and a typed yes.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

from orderlab.installing import Problem

from ..aws import talk, template
from ..aws.account import Account
from ..aws.explain import AGAIN
from ..aws.talk import Ask, Say
from ..bill.estimate import estimate
from ..described import admitted
from .site import Site

ORDERS, MOST, VERY_MOST = 50, 1000, 100_000  # by default, without --more, and with it
MINUTES = 15.0  # of real time, by default
DOLLARS = 1.0  # a run that is estimated dearer must be allowed by --cost
ANEW = "run the same command again: that is another run, and the orders that this one has sent go on without it"
RATE, MOST_RATE = 5.0, 50.0  # orders/s: default, and what the usage plan of the template lets through


@dataclass(frozen=True)
class Bounds:
    """What was allowed."""

    orders: int = ORDERS
    minutes: float = MINUTES
    dollars: float = DOLLARS
    rate: float = RATE
    yes: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that bound a run; `read` turns them into Bounds."""
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"give up after so long (default: {MINUTES:g})")
    parser.add_argument("--rate", type=float, default=RATE, help=f"orders a second (default: {RATE:g})")
    parser.add_argument("--more", action="store_true", help=f"allow more than {MOST:,} orders, up to {VERY_MOST:,}")
    parser.add_argument(
        "--cost", type=float, default=DOLLARS, metavar="DOLLARS", help="the most that it may cost (default: 1)"
    )
    talk.add_yes(parser)


def read(said: argparse.Namespace, orders: int) -> Bounds:
    """The bounds that the options set. Raises Problem, in one line, for one that cannot be."""
    if orders > (VERY_MOST if said.more else MOST) or orders < 1:
        hint = f"from 1 to {VERY_MOST:,}" if said.more else f"from 1 to {MOST:,}; --more allows up to {VERY_MOST:,}"
        raise Problem(f"{orders:,} orders are not allowed against a deployed system: {hint}")
    for name, value, most in (
        ("minutes", said.minutes, 24 * 60),
        ("rate", said.rate, MOST_RATE),
        ("cost", said.cost, 1e6),
    ):
        if not 0 < value <= most:
            raise Problem(f"--{name} {value:g} cannot be: it is above 0 and at most {most:,.0f}")
    return Bounds(orders, said.minutes, said.cost, said.rate, said.yes)


def act_on(said: argparse.Namespace, act: Callable[[Account], int]) -> int:
    """Run `act` on the account that the options name. An endpoint on this machine is no account: nobody is asked.

    Raises Problem, one line, when something is in the way.
    """
    if said.endpoint is not None:
        said.yes = True
    try:
        return talk.run(said, act)
    except Problem as problem:
        raise Problem(str(problem).replace(AGAIN, ANEW)) from None


def agree(site: Site, bounds: Bounds, what: str, say: Say, ask: Ask) -> None:
    """Show what it will cost, refuse what is too dear, and ask. Raises Problem for no."""
    found = estimate(admitted(template.read().body, site.parameters), bounds.orders)
    moving = found.dollars(found.moving)
    if moving > bounds.dollars:
        raise Problem(
            f"{bounds.orders:,} orders are estimated at ${max(0.01, moving):.2f}, above ${bounds.dollars:g}: allow it "
            f"with --cost {math.ceil(moving * 120) / 100:.2f}"
        )
    say(f"{what} on the stack {site.name}, {site.where}")
    if site.on_aws:
        say(
            f"estimated ${moving:.4f} for {bounds.orders:,} orders, at list prices of {found.prices.region} as of "
            f"{found.prices.as_of}; the stack itself costs ${found.standing:.2f} a month until python3 -m orderlab "
            "destroy"
        )
        if not bounds.yes and ask("type yes to go on: ") != "yes":
            raise Problem("nothing was sent: the answer was not yes")
