"""What a learner has done: one line of JSON for each thing, in work/progress.jsonl, and nowhere else.

A line holds the kind, the id and plain facts, and no time, no name and no path. The file is only ever added to, so a
damaged line costs no more than itself. With ORDERLAB_PROGRESS=off nothing is read or written: tests and `refresh` set
that, since what a learner has done must not change the outputs that are compared.
"""

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from orderlab.offline import ROOT

FILE = "work/progress.jsonl"
LONGEST = 4000  # bytes of one line
MOST = 100_000  # lines, the last ones: more than that is no record but an accident
LINE = re.compile(rb'\n\{"kind":[^\n]*')

_here: list[dict[str, Any]] = []  # all notes, while it is off
_waiting: list[dict[str, Any]] = []  # notes that could not be written so far
_told: list[str] = []  # what was said about that: once in this process


def note(kind: str, id: str, **facts: Any) -> None:
    """Write down one thing, such as note("hint", "0.1", number=1). Never raises.

    When the file cannot be written, one sentence says so, and the note waits in memory for the next time. Facts that no
    JSON can hold are left out.
    """
    try:
        record = _plain({"kind": kind, "id": id, **facts}) or {"kind": str(kind), "id": str(id)}
        if is_off():
            _here.append(record)
            return
        _waiting.append(record)
        while _waiting:
            _append(_path(), _waiting[0])
            del _waiting[0]
    except OSError as error:
        _tell(error)
    except Exception:  # no record is worth a lesson
        return


def notes(kind: str = "", id: str = "") -> list[dict[str, Any]]:
    """All that was noted, in order; of one kind or one id, where these are given. Never raises."""
    found = list(_here) if is_off() else [*_read(_path()), *_waiting]
    return [dict(one) for one in found if kind in ("", one["kind"]) and id in ("", one["id"])]


def is_off() -> bool:
    """Are notes kept in this process only?"""
    return os.environ.get("ORDERLAB_PROGRESS", "").lower() == "off"


def _path() -> Path:
    return ROOT / FILE


def _plain(record: dict[str, Any]) -> dict[str, Any] | None:
    """The record as it will be read back, or None when JSON cannot hold it."""
    try:
        line = json.dumps(record)
        return json.loads(line) if len(line) < LONGEST else None
    except (TypeError, ValueError, RecursionError):
        return None


def _append(path: Path, record: dict[str, Any]) -> None:
    """Add one line with one call, so that two kernels do not mix theirs; a torn line before it stays alone.

    Windows finds the end of a file first and writes then: of two lines at the very same moment, it may lose one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        raise OSError("it is not a file")
    line = json.dumps(record).encode("ascii") + b"\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    try:
        if os.lseek(file, 0, os.SEEK_END):
            os.lseek(file, -1, os.SEEK_END)
            line = line if os.read(file, 1) == b"\n" else b"\n" + line
        if os.write(file, line) < len(line):
            raise OSError("the disk is full")
    finally:
        os.close(file)


def _read(path: Path) -> list[dict[str, Any]]:
    """The records of a file; what is none is passed over."""
    try:
        data = b"\n" + path.read_bytes() if path.is_file() else b""
    except (OSError, MemoryError):
        return []
    found = []
    for line in LINE.findall(data)[-MOST:]:
        try:
            record = json.loads(line) if len(line) <= LONGEST else None
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("kind"), str) and isinstance(record.get("id"), str):
            found.append(record)
    return found


def _tell(error: OSError) -> None:
    """Say why nothing can be written, the first time."""
    if not _told:
        remedy = "Mend that, and your next check writes it down; until then this kernel remembers it."
        _told.append(f"Your progress cannot be kept in {FILE} ({error.strerror or error}). {remedy}")
        with contextlib.suppress(Exception):  # a kernel that cannot print
            print(_told[0])
