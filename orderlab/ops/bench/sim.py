"""The simulator's figures: against SimPy and the published simulator, as it grows, and as a panel that is moved."""

import math
from pathlib import Path
from typing import Any

from .frame import Line, Run, Say
from .peers import NotMeasured, environment

PACKAGES = ("numpy", "matplotlib")
SIMPY = "simpy==4.1.2"


def lines(run: Run, peers: Path | None, say: Say, checkout: str | None = None) -> list[Line]:
    """All figures of the simulator; `checkout` is a clone of AWS's own, None to leave it out."""
    say("measuring M/M/1 and a thundering herd, ours and SimPy's in turn")
    python, problem = _simpy(peers)
    found = {name: {"problem": problem} if problem else run("simulations", name, python) for name in ("queue", "herd")}
    say("measuring how it grows, and a panel")
    growth, panel = run("simulations", "growth"), run("orderlab.course.experiments.herd", "")
    published = {"problem": "no --peer PATH to a checkout"} if checkout is None else run("published", checkout)
    theirs = SIMPY.replace("==", " ")
    few = growth["10000"]
    return [
        _ratio(f"M/M/1, {theirs} / ours", found["queue"], 1e6, "us an event", ">= 4"),
        _ratio(f"thundering herd of 1,000, {theirs} / ours", found["herd"], 1e6, "us an event", ">= 2"),
        *(_grown(growth[f"{events}"], events, few) for events in (100_000, 1_000_000)),
        _ratio("Architecture Blog sweep, published / ours", published, 1e3, "ms a part of it", ">= 3"),
        Line("a panel's move, 95th percentile", panel["p95"], "ms", "<= 150", f"median {panel['median']:.0f} ms"),
    ]


def _simpy(peers: Path | None) -> tuple[Path | None, str]:
    """The Python that has SimPy; or why there is none."""
    if peers is None:
        return None, "left out"
    try:
        return environment(peers / SIMPY.replace("==", "-"), SIMPY, "numpy"), ""
    except NotMeasured as problem:
        return None, str(problem)


def _ratio(what: str, figures: dict[str, Any], scale: float, unit: str, bound: str) -> Line:
    """Theirs over ours, with both beside it."""
    if "problem" in figures:
        return Line(what, None, "x", bound, f"not measured: {figures['problem']}")
    theirs, ours = figures["theirs"], figures["ours"]
    return Line(what, theirs / ours, "x", bound, f"{theirs * scale:.3g} / {ours * scale:.3g} {unit}")


def _grown(seconds: float, events: int, few: float) -> Line:
    """Time an event against that of 10,000: log n allows as much as log(n) / log(10,000)."""
    bound = f"<= {math.log(events) / math.log(10_000):.2f}"
    beside = f"n log n allows this; {1e-6 / seconds:.2f} M events/s"
    return Line(f"time an event, of {events:,} / of 10,000", seconds / few, "x", bound, beside)
