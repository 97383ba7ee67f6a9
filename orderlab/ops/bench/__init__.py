"""`python3 -m orderlab bench cloud`: how fast the local cloud is, as ratios to named peers, each in the same run.

A time in seconds says more of a machine than of a program, so every line is a ratio with a bound: this much slower
when 3,000 messages wait, this many times faster than ministack. The exit status is 1 when a bound is broken. What
could not be measured is named, with the reason.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from statistics import median
from typing import Any

from . import ministack

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "build" / "peers"  # ignored by git; a peer has an environment of its own there
Run = Callable[[str, str], dict[str, Any]]  # module and argument of a measurement to its figures
ROUNDS = 3  # runs of what is compared between processes; their median counts


@dataclass(frozen=True)
class Line:
    """One figure: what it is, its value and unit, its bound ("<= 1.5" or ">= 3"), and what belongs beside it."""

    what: str
    value: float | None
    unit: str
    bound: str
    beside: str = ""

    @property
    def holds(self) -> bool:
        """Is the figure within its bound? What was not measured breaks none."""
        if self.value is None:
            return True
        sign, limit = self.bound.split()
        return self.value <= float(limit) if sign == "<=" else self.value >= float(limit)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 1 when a bound is broken or a measurement fails."""
    parser = argparse.ArgumentParser(prog="python3 -m orderlab bench", description=__doc__.splitlines()[0])
    parser.add_argument("area", choices=["cloud"], help="what to measure")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--without-ministack", action="store_true", help="measure what needs no installation")
    wanted = parser.parse_args(argv)
    try:
        lines = cloud_lines(run, None if wanted.without_ministack else PEERS / f"ministack-{ministack.VERSION}", say)
    except RuntimeError as error:
        say(f"orderlab bench: {error}")
        return 1
    if wanted.json:
        print(json.dumps({"versions": versions(), "figures": [asdict(line) | {"holds": line.holds} for line in lines]}))
    else:
        print("\n".join([", ".join(f"{name} {number}" for name, number in versions().items()), *map(_shown, lines)]))
    return 0 if all(line.holds for line in lines) else 1


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def versions() -> dict[str, str]:
    """What was measured with."""
    return {"Python": python_version(), **{name: version(name) for name in ("moto", "botocore", "greenlet")}}


def run(module: str, argument: str) -> dict[str, Any]:
    """One measurement in a fresh process; its figures. Raises RuntimeError when it fails."""
    command = [sys.executable, "-m", f"orderlab.ops.bench.{module}", argument]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the measurement {argument} failed: {done.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def cloud_lines(run: Run, peer: Path | None, say: Callable[[str], None]) -> list[Line]:
    """All figures of the local cloud; `peer` is ministack's folder, None to leave it out."""
    say("measuring what does not depend on how much there is")
    lines = [
        _depth(run, "SQS send, 3,000 messages wait / none", "queue_depth"),
        _depth(run, "transaction of 2 items, 3,000 rows / none", "transaction"),
    ]
    say("measuring whole orders, ours and the peers' in turn")
    lines += _whole_orders(run, peer)
    say("measuring 1,000 orders against 100, and a second cloud")
    return lines + _sizes(run)


def _depth(run: Run, what: str, name: str) -> Line:
    ours, moto = run("runs", name), run("runs", f"{name}_moto")
    beside = f"{ours['deep'] * 1000:.2f} ms; moto alone {moto['deep'] / moto['empty']:.0f} x"
    return Line(what, ours["deep"] / ours["empty"], "x", "<= 1.5", beside)


def _whole_orders(run: Run, peer: Path | None) -> list[Line]:
    turns = []
    for _ in range(ROUNDS):
        theirs: dict[str, Any] = run("ministack", str(peer)) if peer else {"problem": "left out"}
        turns.append((run("runs", "orders")["an order"], run("runs", "orders_without")["an order"], theirs))
    ours, without = median(turn[0] for turn in turns), median(turn[1] for turn in turns)
    beside = f"{ours * 1000:.1f} ms an order, {without * 1000:.1f} ms without"
    lines = [Line("orders/s, with / without replaced parts of moto", without / ours, "x", ">= 3", beside)]
    what, found = f"orders/s, ours / ministack {ministack.VERSION}", [turn[2] for turn in turns]
    problem = next((each["problem"] for each in found if "problem" in each), None)
    if problem is not None:
        return [*lines, Line(what, None, "x", ">= 3", f"not measured: {problem}")]
    peers = median(float(each["an order"]) for each in found)
    beside = f"{peers * 1000:.1f} ms an order there, without {', '.join(found[0]['refused']) or 'nothing refused'}"
    return [*lines, Line(what, peers / ours, "x", ">= 3", beside)]


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


def _shown(line: Line) -> str:
    value = "  not measured" if line.value is None else f"{line.value:8.2f} {line.unit:<2} {line.bound:>6}"
    verdict = "" if line.value is None else "ok    " if line.holds else "BROKEN"
    return f"{line.what:<48}{value}  {verdict}  {line.beside}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
