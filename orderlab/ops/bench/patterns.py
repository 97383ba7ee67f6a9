"""The patterns' figures: against named libraries and against code by hand; and what their import adds to boto3's.

Every peer has an environment of its own, since one that cannot be installed should not cost the others.
"""

from pathlib import Path
from typing import Any

from .frame import Line, Run, Say
from .peers import NotMeasured, environment

PACKAGES = ("boto3",)
VERSIONS = {  # each peer's package
    "tenacity": "tenacity==9.2.1",
    "stamina": "stamina==26.1.0",
    "circuitbreaker": "circuitbreaker==2.1.3",
    "pybreaker": "pybreaker==1.4.1",
    "powertools": "aws-lambda-powertools==3.37.0",
}

Figures = dict[str, Any]


def lines(run: Run, peers: Path | None, say: Say) -> list[Line]:
    """All figures of the patterns."""
    say("measuring the patterns, ours and each peer's in turn")
    hand = run("pattern_runs", "alone")
    found = {name: _against(run, peers, name) for name in VERSIONS}
    tenacity, counter = found["tenacity"], found["circuitbreaker"]
    stamina = _ratio(f"{_named('stamina')} /", found["stamina"], "theirs", "ours", ">= 1")
    powertools = _ratio(f"{_named('powertools')} /", found["powertools"], "theirs", "loop", ">= 1")
    say("measuring what imports cost")
    return [
        _ratio(f"retry that works, {_named('tenacity')} / ours", tenacity, "theirs", "ours", ">= 50", stamina),
        _ratio("retry that works, ours / a closure by hand", hand, "ours", "closure", "<= 2.5"),
        _ratio(f"two failures, {_named('tenacity')} / ours", tenacity, "theirs failing", "ours failing", ">= 12"),
        _ratio(f"breaker closed, {_named('circuitbreaker')} / ours", counter, "theirs", "ours", ">= 2"),
        _ratio(f"breaker closed, {_named('pybreaker')} / ours", found["pybreaker"], "theirs", "ours", ">= 6"),
        _ratio("batch of ten, ours / a loop by hand", hand, "process", "loop", "<= 1.5", powertools),
        *_imports(run),
    ]


def _named(name: str) -> str:
    return VERSIONS[name].replace("==", " ")


def _against(run: Run, peers: Path | None, name: str) -> Figures:
    """A peer's measurement; or {"problem": why there is none}."""
    if peers is None:
        return {"problem": "left out"}
    try:
        python = environment(peers / VERSIONS[name].replace("==", "-"), VERSIONS[name])
    except NotMeasured as problem:
        return {"problem": str(problem)}
    return run("pattern_runs", name, python)


def _ratio(what: str, figures: Figures, over: str, under: str, bound: str, other: Line | None = None) -> Line:
    """One over the other; beside it their times, and how another library compares with the same."""
    if "problem" in figures:
        return Line(what, None, "x", bound, f"not measured: {figures['problem']}")
    beside = f"{figures[over] * 1e6:.3g} us / {figures[under] * 1e6:.3g} us"
    if other is not None:
        beside += f"; {other.what} " + (other.beside if other.value is None else f"{under} {other.value:.1f} x")
    return Line(what, figures[over] / figures[under], "x", bound, beside)


def _imports(run: Run) -> list[Line]:
    from orderlab.cloud.stack.template import TEMPLATE, read

    resources = read(TEMPLATE)["Resources"].values()
    named = {str(each["Properties"]["Handler"]) for each in resources if "Handler" in each.get("Properties", {})}
    handlers = sorted({name.rpartition(".")[0] for name in named})
    alone = run("importing", "orderlab")["orderlab"]
    found = {handler: run("importing", f"boto3,{handler}") for handler in handlers}
    worst = max(found, key=lambda handler: found[handler][handler] / found[handler]["boto3"])
    ours, boto3 = found[worst][worst], found[worst]["boto3"]
    beside = (
        f"{worst.rpartition('.')[2]}, the slowest of {len(found)}: {ours * 1e3:.1f} ms on top of {boto3 * 1e3:.0f} ms"
    )
    return [
        Line("import orderlab, above a bare interpreter", alone * 1e3, "ms", "<= 20"),
        Line("import of a handler / boto3 with one client", (boto3 + ours) / boto3, "x", "<= 1.1", beside),
    ]
