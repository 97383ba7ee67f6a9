"""`checkpoint()`: a clean copy of a lesson in work/, with the learner's own answers in it.

Every lesson runs alone, so its clean notebook is all that it takes to start there. What the learner had is never thrown
away: the file gets a second name in work/kept/ before the new one takes its place, both in one step each, so that
whatever stops this half-way loses nothing.
"""

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orderlab.offline import ROOT

from ..answers.showing import Said, safe_repr
from ..drawing.figures import count
from .carrying import answers, carry, unrun

LESSON = re.compile(r"(\d\d)_.*\.ipynb")
RELOAD = "If it is open in JupyterLab, choose File > Reload Notebook from Disk."


class Trouble(Exception):
    """What stops a checkpoint: one line that names it and the remedy."""


def main(argv: list[str]) -> int:
    """The command; return 1 when a lesson is unknown or work/ cannot be written."""
    parser = argparse.ArgumentParser(
        prog="python3 -m orderlab checkpoint",
        description="Put a clean copy of lessons into work/. Your answers are carried over, and your file is kept.",
    )
    parser.add_argument("lessons", nargs="+", metavar="LESSON", help='a number such as 03, or "all"')
    parser.add_argument("--clean", action="store_true", help="leave the exercises unsolved")
    options = parser.parse_args(argv)
    try:
        for path in chosen(options.lessons):
            print(put_back(path, options.clean), flush=True)
    except Trouble as trouble:
        print(f"orderlab: {trouble}", file=sys.stderr)
        return 1
    return 0


def checkpoint(lesson: Any, clean: bool = False) -> Said:
    """Put a clean copy of a lesson, such as "03", into work/, or of "all"; your answers are carried over.

    `clean` leaves the exercises unsolved. The file that was there is in work/kept/ afterwards. Never raises.
    """
    lines: list[str] = []
    try:
        for path in chosen([lesson]):
            lines.append(put_back(path, clean))
    except Trouble as trouble:
        lines.append(f"✗ Stopped: {trouble}.")
    return Said("\n".join(lines))


def chosen(wanted: Sequence[Any]) -> list[Path]:
    """The notebooks of these lessons, each once, in order. Raises Trouble for a lesson that does not exist."""
    there = {path.name[:2]: path for path in (ROOT / "notebooks").glob("*.ipynb") if LESSON.fullmatch(path.name)}
    numbers: set[str] = set()
    for one in wanted:
        word = one if type(one) is str else f"{one:02}" if type(one) is int and 0 <= one <= 99 else ""
        number = re.match(r"(\d{1,2})(?!\d)", word)
        if word != "all" and (number is None or number[1].zfill(2) not in there):
            raise Trouble(f"there is no lesson {safe_repr(one, 40)}; there are {', '.join(sorted(there)) or 'none'}")
        numbers |= {number[1].zfill(2)} if number else set(there)
    return [there[number] for number in sorted(numbers)]


def put_back(source: Path, clean: bool) -> str:
    """Put one lesson back to its start and say what was done. Raises Trouble."""
    name, target = f"work/{source.name}", ROOT / "work" / source.name
    try:
        before = read(target)
        mine, whole = answers(before or b"")
        after, carried = start_of(source, {} if clean else mine)
        if before is None:
            place(after, target)
            return f"{name} is there now; you had no copy of this lesson."
        if after == before:
            return f"{name} is at its start already{told(carried, clean)}: nothing was changed."
        kept = place(after, target, ROOT / "work" / "kept")
    except OSError as error:
        reason = error.strerror or error
        remedy = "mend that and run it again; nothing of yours is lost"
        raise Trouble(f"{name} cannot be written ({reason}): {remedy}") from error
    damaged = "" if whole else " Your file was damaged: this is what could be read of it."
    return f"{name} is at its start{told(carried, clean)}.{damaged}\nWhat was there is kept: work/kept/{kept}\n{RELOAD}"


def start_of(source: Path, mine: dict[str, str]) -> tuple[bytes, list[str]]:
    """The lesson as it begins, nothing run, with these answers in it; and the ids of those that differ from its own.

    Raises Trouble when the lesson cannot be read.
    """
    try:
        notebook = unrun(json.loads(source.read_bytes()))
        carried = carry(mine, notebook)
    except (OSError, ValueError, LookupError, TypeError) as error:
        name = f"notebooks/{source.name}"
        raise Trouble(f"{name} is damaged: run `git restore {name}` in the repository") from error
    return (json.dumps(notebook, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace"), carried


def told(carried: list[str], clean: bool) -> str:
    """What of the learner's is in the new copy."""
    if clean or not carried:
        return ", without any answers" if clean else "; you had changed no answer"
    exercises = sum(id.startswith("exercise") for id in carried)
    found = [(exercises, "exercise"), (len(carried) - exercises, "prediction")]
    return f", with what you wrote in {' and '.join(count(number, what) for number, what in found if number)}"


def read(path: Path) -> bytes | None:
    """The learner's file: None when there is none, empty when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:  # a folder of that name, or no right to read
        return b""


def place(data: bytes, target: Path, keep: Path | None = None) -> str:
    """Put `data` at `target`, whole or not at all; what was there has a name in the folder `keep` by then.

    Returns that name.
    """
    part, kept = target.with_name(f".{target.name}.part"), ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(data)
        if keep:
            keep.mkdir(exist_ok=True)
            kept = store(target, keep)
        os.replace(part, target)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    return kept


def store(path: Path, folder: Path) -> str:
    """Give the file a name in `folder`, the first that is free; return it."""
    number = 1
    while os.path.lexists(slot := folder / f"{path.stem}.{number}{path.suffix}"):
        number += 1
    try:
        os.link(path, slot)  # it keeps its place until the new one takes it
    except OSError:  # a folder, or a disk without links
        os.rename(path, slot)
    return slot.name
