"""The demo against a deployed system: the same day through its API, and the same four numbers from its books.

Not run on AWS: `python3 -m orderlab demo --target aws --account … --region …` proves it, after a deploy.
Taught in notebooks/12_ship_it.ipynb
"""

import argparse
from dataclasses import dataclass
from typing import Any

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


def check(trouble: Trouble, minutes: float) -> None:
    """Raises Problem for trouble that a bounded run does not outlive."""
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
        played = play(site, ours, run.trouble, run.seed, run.bounds.rate, deadline, say)
        rest = settle(site, run.name, ours, played, deadline, say)
    finally:
        calm(site)
    say("at rest" if rest.at_rest else "not at rest when the time was over: what still moves is called in flight")
    name_refusals(ours, played, say)
    return summary(_told(site, run), ours, played, rest.books, rest.verdict), rest


def status(result: dict[str, Any], rest: Rest, say: Say) -> int:
    """The exit status: 0 when everything is explained and at rest, and anything was accepted at all."""
    if not result["orders"]["accepted"]:
        say("no order was accepted, which proves nothing: python3 -m orderlab smoke finds the hop that says no")
        return 1
    return 0 if rest.at_rest and not any(rest.verdict.counts.values()) else 1


def check_new(site: Site, run: str, sku: str) -> None:
    """Raises Problem when the stack knows this code, the run's first, already."""
    asked = {"TableName": site.outputs["CatalogueTableName"], "Key": {"sku": {"S": sku}}, "ConsistentRead": True}
    if "Item" in site.client("dynamodb").get_item(**asked):
        raise Problem(f"the run {run} was played on this stack before: take another --run, or leave it out")


def _told(site: Site, run: Run) -> dict[str, Any]:
    return {"run": run.name, "stack": site.name, "where": site.where, "seed": run.seed, **run.trouble.told()}
