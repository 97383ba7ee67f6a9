"""`python3 -m orderlab bench AREA`: how fast it is, as ratios to named peers, each in the same run.

The exit status is 1 when a bound is broken. What could not be measured is named, with the reason. An area is a module
of this package with PACKAGES, whose versions are told, and `lines(run, peers, say)`, its lines; `peers` is
the folder where the peers' environments are, None to leave them out.
"""

import argparse
import importlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from platform import python_version

from .frame import PEERS, Line, run, say, shown

AREAS = {  # what can be measured: its module, and against what
    "cloud": "the local cloud, against moto and ministack",
    "patterns": "the patterns, against tenacity, pybreaker, circuitbreaker and Powertools; and what imports cost",
    "sim": "the simulator, against SimPy and, given --peer PATH, AWS's own",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 1 when a bound is broken or a measurement fails."""
    parser = argparse.ArgumentParser(prog="python3 -m orderlab bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("area", choices=AREAS, help="; ".join(f"{name}: {what}" for name, what in AREAS.items()))
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    without = ("--without-peers", "--without-ministack")
    parser.add_argument(*without, dest="alone", action="store_true", help="measure what needs no installation")
    parser.add_argument("--peer", metavar="PATH", help="for sim: a checkout of aws-samples/aws-arch-backoff-simulator")
    wanted = parser.parse_args(argv)
    area = importlib.import_module(f".{wanted.area}", __name__)
    more = {"checkout": wanted.peer} if wanted.area == "sim" else {}
    try:
        lines: list[Line] = area.lines(run, None if wanted.alone else PEERS, say, **more)
    except RuntimeError as error:
        say(f"orderlab bench: {error}")
        return 1
    versions = {"Python": python_version(), **{name: version(name) for name in area.PACKAGES}}
    if wanted.json:
        print(json.dumps({"versions": versions, "figures": [asdict(line) | {"holds": line.holds} for line in lines]}))
    else:
        print("\n".join([", ".join(f"{name} {number}" for name, number in versions.items()), *map(shown, lines)]))
    return 0 if all(line.holds for line in lines) else 1
