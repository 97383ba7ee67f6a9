"""The demo against a deployed system: the same day through its API, and the same four numbers from its books.

Not run on AWS: `python3 -m orderlab demo --target aws --account … --region …` proves it, after a deploy.
Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import math
import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orderlab.installing import Problem

from ..audit.report import summary
from ..audit.requests import name_refusals
from ..aws.talk import Say
from ..days.day import Day
from ..days.play import Trouble
from . import bounds, scope
from .playing import calm, play
from .rest import Rest, settle
from .site import Site

MOST_DOWN = 120.0  # seconds that the provider may be down: a charge comes back after 180, and again
_AT_THE_DOOR = re.compile(r"never sent|no answer|HTTP (401|403|429|5\d\d)\b")  # not the request's own fault
POISON_TAKES = 30.0  # minutes: ten receives of the payment queue, 180 s apart, and some


@dataclass(frozen=True)
class Run:
    """What was asked for: the run's name, its trouble, seed and bounds."""

    name: str
    trouble: Trouble
    seed: int
    bounds: bounds.Bounds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a demo that is not played on the local cloud."""
    parser.add_argument(
        "--target", choices=("local", "aws"), default="local", help="where: this machine, or a deployed stack"
    )
    parser.add_argument("--run", metavar="NAME", help="begins this run's customers and codes (default: from the time)")
    bounds.add_arguments(parser)


def check(trouble: Trouble, minutes: float, requests: int = 0, rate: float = bounds.RATE) -> None:
    """Raises Problem for a day, or trouble in it, that a bounded run does not outlive."""
    takes = requests / rate / 60
    if takes >= minutes:
        raise Problem(
            f"{requests:,} requests at {rate:g} a second take {takes:.0f} minutes, and {minutes:g} are allowed: raise "
            f"--rate, or add --minutes {math.ceil(takes) + 10}"
        )
    if trouble.provider_down > MOST_DOWN:
        raise Problem(
            f"--provider-down {trouble.provider_down:g} is too long here: {MOST_DOWN:g} s at most against a stack"
        )
    if trouble.poison and minutes < POISON_TAKES:
        raise Problem(
            f"--poison takes {POISON_TAKES:g} minutes to reach the dead letters: add --minutes {POISON_TAKES + 10:g}"
        )


def name(said: str | None, now: float) -> str:
    """The run's name. Raises Problem for one that cannot begin customers and codes."""
    if said is not None and not scope.NAME.fullmatch(said):
        raise Problem(f"--run {said!r} cannot begin names: 1 to 12 lower-case letters and digits")
    return said or scope.name_of(now)


def audited(site: Site, day: Day, run: Run, say: Say) -> tuple[dict[str, Any], Rest]:
    """Play the day and audit it: the object that `demo --json` prints, and how the system came to rest."""
    deadline = site.clock() + run.bounds.minutes * 60
    ours = scope.named(day, run.name)
    say(
        f"run {run.name}: {len(ours.requests)} requests, {run.bounds.rate:g} a second, "
        f"{run.bounds.minutes:g} minutes at most"
    )
    check_new(site, run.name, next(iter(ours.catalogue), "none"))
    try:
        played = play(site, ours, run.trouble, f"{run.name} {run.seed}", run.bounds.rate, deadline, say)
        rest = settle(site, run.name, ours, played, deadline, say)
    finally:
        try:
            calm(site)
        except (BotoCoreError, ClientError):  # what went wrong first is told by whoever called
            say("the provider's knob could not be turned back: the next demo on this stack turns it back")
            raise
    say("at rest" if rest.at_rest else "not at rest when the time was over: what still moves is called in flight")
    name_refusals(ours, played, say)
    return summary(_told(site, run), ours, played, rest.books, rest.verdict), rest


def status(result: dict[str, Any], rest: Rest, say: Say) -> int:
    """The exit status: 0 when all is explained and at rest, and nothing is `amiss`, which is said."""
    told = amiss(result)
    for why in told:
        say(why)
    return 1 if told or not rest.at_rest or any(rest.verdict.counts.values()) else 0


def amiss(result: dict[str, Any]) -> list[str]:
    """What no book knows of, a line each: a day that was not played as it was meant, or that waits for a person."""
    orders, told = result["orders"], []
    turned_away = {reason: count for reason, count in orders["refused"].items() if _AT_THE_DOOR.match(reason)}
    if turned_away:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in turned_away.items())
        told.append(f"{sum(turned_away.values()):,} good requests were turned away at the door: {reasons}")
    letters = sum(orders["dead_letters"].values()) - 2 * result["run"]["poison"]
    if letters > 0:
        told.append(f"{letters:,} messages of this run wait in dead-letter queues for a person")
    if not orders["accepted"]:
        told.append("no order was accepted, which proves nothing: python3 -m orderlab smoke finds the hop that says no")
    return told


def check_new(site: Site, run: str, sku: str) -> None:
    """Raises Problem when the stack knows this code, the run's first, already."""
    asked = {"TableName": site.outputs["CatalogueTableName"], "Key": {"sku": {"S": sku}}, "ConsistentRead": True}
    if "Item" in site.client("dynamodb").get_item(**asked):
        raise Problem(f"the run {run} was played on this stack before: take another --run, or leave it out")


def _told(site: Site, run: Run) -> dict[str, Any]:
    return {"run": run.name, "stack": site.name, "where": site.where, "seed": run.seed, **run.trouble.told()}
