"""`python3 -m orderlab load`: orders at a rate against a deployed system, and the latencies that its clients see.

Exit status 0 when every request was accepted or throttled (429), one at least was accepted, and every accepted order
is decided; 1 when that is not so, or something is in the way.
Not run on AWS: `python3 -m orderlab load --account … --region …` proves it, after a deploy.
Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Sequence
from typing import Any

from orderlab.installing import Problem

from .aws import talk
from .aws.account import Account
from .live import auditing, bounds
from .live.loading import arrivals, load, summary
from .live.site import open_site

SECONDS, MOST_SECONDS = 10.0, 3600.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. Raises Problem, one line, for what is in the way."""
    said = _parser().parse_args(argv)
    if not 0 < said.seconds <= MOST_SECONDS:
        raise Problem(f"--seconds {said.seconds:g} cannot be: it is above 0 and at most {MOST_SECONDS:,.0f}")
    allowed = bounds.read(said, 1)
    if said.seconds > allowed.minutes * 60:
        raise Problem(
            f"--seconds {said.seconds:g} is longer than the {allowed.minutes:g} minutes that are allowed: "
            f"add --minutes {math.ceil(said.seconds / 60) + 5}"
        )
    times = arrivals(allowed.rate, said.seconds, said.seed)
    if not times:
        raise Problem(
            f"no order falls into {said.seconds:g} s at --rate {allowed.rate:g}: raise one of them, or take another "
            "--seed"
        )
    allowed = bounds.read(said, len(times))
    run = auditing.name(said.run, time.time())

    def act(account: Account) -> int:
        site = open_site(account)
        what = f"load: {len(times)} orders in {said.seconds:g} s"
        bounds.agree(site, allowed, what, progress, talk.ask)
        found = summary(load(site, run, times, site.clock() + allowed.minutes * 60, progress, seed=said.seed))
        talk.say(json.dumps(found, sort_keys=True) if said.json else to_table(found))
        for why in wrong(found, len(times)):
            progress(f"not well: {why}")
        return status(found, len(times))

    return bounds.act_on(said, act)


def progress(text: str) -> None:
    """One line on standard error, so that the result alone is on standard output."""
    print(text, file=sys.stderr, flush=True)


def status(found: dict[str, Any], wanted: int) -> int:
    """0 when nothing is wrong with it, else 1."""
    return 1 if wrong(found, wanted) else 0


def wrong(found: dict[str, Any], wanted: int) -> list[str]:
    """What is wrong with a load of so many orders, each a line; every order of it is one that the API must accept."""
    told = []
    refused = {code: count for code, count in found["statuses"].items() if code not in ("202", "429")}
    if refused:
        told.append(f"{sum(refused.values()):,} requests were neither accepted nor throttled ({_statuses(refused)})")
    if found["accepted"] < found["statuses"].get("202", 0):
        told.append(f"{found['statuses']['202'] - found['accepted']:,} answers 202 have no order's id")
    if not found["accepted"]:
        told.append("no order was accepted, which measures nothing: python3 -m orderlab smoke says where to look")
    if found["pending"]:
        told.append(f"{found['pending']:,} orders were not decided in time")
    if found["sent"] < wanted:
        told.append(f"{wanted - found['sent']:,} of {wanted:,} requests were not sent")
    return told


def to_table(found: dict[str, Any]) -> str:
    """The object for a person."""
    statuses = _statuses(found["statuses"]) or "none"
    decided = ", ".join(f"{name} {n:,}" for name, n in found["decided"].items()) or "none"
    pending = f", pending {found['pending']:,}" if found["pending"] else ""
    return "\n".join(
        [
            f"requests          {found['sent']:>7,}   {statuses}; throttled {found['throttled']:,}",
            f"orders                      {decided}{pending}",
            f"POST /orders (s)            {_spread(found['post'])}",
            f"to decided (s)              {_spread(found['to_decided'])}",
            f"started late by (s)         {found['latest_start']:.3f} at most, which is in the latencies",
        ]
    )


def _statuses(counts: dict[str, int]) -> str:
    return ", ".join(f"{code if code != '0' else 'no answer'} {n:,}" for code, n in counts.items())


def _spread(found: dict[str, float]) -> str:
    return "   ".join(f"{name} {seconds:.3f}" for name, seconds in found.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderlab load", description="Send orders at random times to a deployed system, and measure it."
    )
    talk.add_arguments(parser)
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"how long (default: {SECONDS:g})")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="decides the times (default: 7)")
    parser.add_argument("--run", metavar="NAME", help="begins customers and codes (default: from the time)")
    bounds.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    return parser
