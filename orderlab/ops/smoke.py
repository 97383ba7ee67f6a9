"""`python3 -m orderlab smoke`: one order through a deployed system, hop by hop, in a table of seconds.

Exit status 0 when every hop is right; 1 at the first that is not, with where to look, or when something is in the way.
Not run on AWS: `python3 -m orderlab smoke --account … --region …` proves it, after a deploy.
Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import time
from collections.abc import Sequence

from .aws import talk
from .aws.account import Account
from .aws.talk import Say
from .live import auditing, bounds, shopping
from .live.hops import HOPS, walk
from .live.site import Site, open_site


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. Raises Problem, one line, for what is in the way."""
    said = _parser().parse_args(argv)
    run = auditing.name(said.run, time.time())

    def act(account: Account) -> int:
        site = open_site(account)
        bounds.agree(site, bounds.Bounds(orders=1, yes=said.yes), "smoke: 1 order", talk.say, talk.ask)
        return smoke(site, run, talk.say)

    return bounds.act_on(said, act)


def smoke(site: Site, run: str, say: Say) -> int:
    """Walk the order through, a line for each hop; 0, or 1 when one failed. Raises Problem for a known run."""
    auditing.check_new(site, run, shopping.code(run, 0))
    for number, hop in enumerate(walk(site, run), 1):
        say(f"{number}/{len(HOPS)}  {hop.name:<46}{hop.seconds:>8.2f} s  {'WRONG' if hop.wrong else 'ok'}")
        if hop.wrong:
            say(f"  {hop.wrong}")
            say(f"  look at {hop.look}")
            return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderlab smoke", description="Send one order through a deployed system and check each hop."
    )
    talk.add_arguments(parser)
    parser.add_argument("--run", metavar="NAME", help="begins the customer and the code (default: from the time)")
    talk.add_yes(parser)
    return parser
