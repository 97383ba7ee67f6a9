"""What every area of the bench is made of: a line with its bound, and a measurement in a process of its own.

A time in seconds says more of a machine than of a program, so every line is a ratio with a bound, or a time that a
person waits for.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "build" / "peers"  # ignored by git; a peer has an environment of its own there
Say = Callable[[str], None]


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


Run = Callable[..., dict[str, Any]]
"""`run(module, argument, python=…)`: a measurement of that name to its figures."""


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def run(module: str, argument: str, python: Path | str = sys.executable) -> dict[str, Any]:
    """One measurement in a fresh process, a peer's Python or ours; its figures. Raises RuntimeError when it fails."""
    command = [str(python), "-m", module if "." in module else f"orderlab.ops.bench.{module}", argument]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the measurement {argument} failed: {done.stderr.strip().splitlines()[-1:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def shown(line: Line) -> str:
    """The line as it is printed."""
    value = "  not measured" if line.value is None else f"{line.value:8.2f} {line.unit:<2} {line.bound:>6}"
    verdict = "" if line.value is None else "ok    " if line.holds else "BROKEN"
    return f"{line.what:<48}{value}  {verdict}  {line.beside}".rstrip()
