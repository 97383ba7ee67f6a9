"""The local cloud's figures: against itself with much or little in it, against moto, and against ministack."""

from pathlib import Path
from statistics import median
from typing import Any

from . import ministack
from .frame import Line, Run, Say

PACKAGES = ("moto", "botocore", "greenlet")
ROUNDS = 3  # runs of what is compared between processes; their median counts


def lines(run: Run, peers: Path | None, say: Say) -> list[Line]:
    """All figures of the local cloud."""
    say("measuring what does not depend on how much there is")
    found = [
        _depth(run, "SQS send, 3,000 messages wait / none", "queue_depth"),
        _depth(run, "transaction of 2 items, 3,000 rows / none", "transaction"),
    ]
    say("measuring whole orders, ours and the peers' in turn")
    found += _whole_orders(run, peers)
    say("measuring 1,000 orders against 100, and a second cloud")
    return found + _sizes(run)


def _depth(run: Run, what: str, name: str) -> Line:
    ours, moto = run("runs", name), run("runs", f"{name}_moto")
    beside = f"{ours['deep'] * 1000:.2f} ms; moto alone {moto['deep'] / moto['empty']:.0f} x"
    return Line(what, ours["deep"] / ours["empty"], "x", "<= 1.5", beside)


def _whole_orders(run: Run, peers: Path | None) -> list[Line]:
    folder = peers and peers / f"ministack-{ministack.VERSION}"
    turns = []
    for _ in range(ROUNDS):
        theirs: dict[str, Any] = run("ministack", str(folder)) if folder else {"problem": "left out"}
        turns.append((run("runs", "orders")["an order"], run("runs", "orders_without")["an order"], theirs))
    ours, without = median(turn[0] for turn in turns), median(turn[1] for turn in turns)
    beside = f"{ours * 1000:.1f} ms an order, {without * 1000:.1f} ms without"
    ends = [Line("orders/s, with / without replaced parts of moto", without / ours, "x", ">= 3", beside)]
    what, found = f"orders/s, ours / ministack {ministack.VERSION}", [turn[2] for turn in turns]
    problem = next((each["problem"] for each in found if "problem" in each), None)
    if problem is not None:
        return [*ends, Line(what, None, "x", ">= 3", f"not measured: {problem}")]
    theirs_took = median(float(each["an order"]) for each in found)
    beside = (
        f"{theirs_took * 1000:.1f} ms an order there, without {', '.join(found[0]['refused']) or 'nothing refused'}"
    )
    return [*ends, Line(what, theirs_took / ours, "x", ">= 3", beside)]


def _sizes(run: Run) -> list[Line]:
    growth, emptying, made = (run("runs", name) for name in ("growth", "emptying", "creation"))
    many, few = growth["of 1,000"], growth["of 100"]
    beside = f"{many * 1000:.1f} ms against {few * 1000:.1f} ms"
    more = f"cloud.reset(); of 100 orders {emptying['of 100'] * 1000:.1f} ms"
    creating = f"{made['whole'] * 1000:.0f} ms for {made['resources']:.0f} resources"
    return [
        Line("time an order, of 1,000 / of 100", many / few, "x", "<= 1.2", beside),
        Line("a second Cloud(), a resource", made["a resource"] * 1000, "ms", "<= 2.5", creating),
        Line("emptying it of a lesson's 40 orders", emptying["of 40"] * 1000, "ms", "<= 5", more),
    ]
