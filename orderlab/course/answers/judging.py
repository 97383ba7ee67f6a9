"""How an answer gets out of the notebook, is tried in a process of its own, and what that process saw comes back.

The answer is handed over by value, with what it uses of the notebook: its own functions, imports and plain values. What
lives only in the notebook, such as a client, cannot go along; an answer takes such things as arguments.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FunctionType
from typing import Any

from . import plain
from .exercise import Exercise, Observed, itself
from .showing import type_name

PATIENCE = 30.0  # seconds; only for what makes no step at all, such as waiting for ever


class NotPortable(Exception):
    """The answer uses something that lives only in the notebook. The message names it."""


def observe(exercise: Exercise, answer: Any) -> list[Observed]:
    """What the answer did, case by case; the list ends at a case that did not end. Raises NotPortable."""
    if exercise.observe is itself:
        return [Observed("returned", plain.plain(answer)) for _ in exercise.cases()]
    lines, ending = tried(portable(exercise) + portable(answer))
    seen = [_observed(json.loads(line)) for line in lines]
    whole = len(seen) == len(exercise.cases()) or (seen and seen[-1].ended in ("endless", "unloaded"))
    return seen if whole else [*seen, Observed(ending)]


def portable(answer: Any) -> bytes:
    """The answer as bytes, with all that it needs. Raises NotPortable."""
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(answer))
    except KeyboardInterrupt:
        raise
    except BaseException:
        raise NotPortable(", ".join(_culprits(answer)) or f"a {type_name(answer)}") from None


def _culprits(answer: Any) -> list[str]:
    """The names in a function that cannot leave the notebook, with what they are."""
    import cloudpickle

    if type(answer) is not FunctionType:
        return []
    used = {name: answer.__globals__[name] for name in answer.__code__.co_names if name in answer.__globals__}
    cells = [cell.cell_contents for cell in answer.__closure__ or ()]
    used |= dict(zip(answer.__code__.co_freevars, cells, strict=True))
    found = []
    for name, value in used.items():
        try:
            cloudpickle.dumps(value)
        except Exception:
            found.append(f"{name} (a {type_name(value)})")
    return found


def tried(job: bytes) -> tuple[list[bytes], str]:
    """Run the job in `trial`; the reports that came back whole, and how the process ended: "quit" or "stuck"."""
    path = os.pathsep.join([str(Path(__file__).resolve().parents[3]), *filter(None, sys.path)])
    with tempfile.TemporaryDirectory(prefix="orderlab-", ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "orderlab.course.answers.trial"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        )
        ending = "quit"
        try:
            output, _ = process.communicate(job, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            ending = "stuck"
            process.kill()
            output, _ = process.communicate()
        finally:
            process.kill()  # also when the learner presses Stop
    return [line for line in output.split(b"\n")[:-1] if line], ending


def _observed(report: dict[str, Any]) -> Observed:
    line = report.get("line")
    return Observed(
        ended=report["ended"],
        value=plain.thaw(report.get("value", ["as is", None])),
        error=tuple(report.get("error", ("", ""))),
        line=tuple(line) if line else None,
        printed=report.get("printed", ""),
    )
