"""The table of progress: what it says of each exercise and prediction, and of a record that somebody damaged."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderlab.course import exercises
from orderlab.course.answers import record
from orderlab.course.answers.board import MISSED, NOT_STARTED, NOT_YET, OPEN, PASSED, RIGHT, WRONG, progress
from orderlab.course.answers.predictions import predict, reveal
from orderlab.course.answers.record import note
from orderlab.offline import ROOT

HEAD = """
from orderlab.course.answers.exercise import Exercise, Score
from orderlab.course.answers.predictions import Prediction
"""
MODULES = {
    "lesson_12": HEAD + 'EXERCISES = (Exercise("12.1", "Mend it", lambda: [], (), ()),)',
    "lesson_03": "EXERCISES = ()",
    "lesson_07": HEAD
    + """
EXERCISES = (
    Exercise("7.1", "Send it again", lambda: [], (), (), score=Score(len, "calls", 4)),
    Exercise("7.2", "Mend it", lambda: [], (), ()),
)
PREDICTIONS = (Prediction("7.A", "The status at once", {"a": "done", "b": "waiting"}, lambda seen: seen),)
""",
    "shared": "1 / 0",
}
BEFORE = """\
Lesson 07
  7.1   Send it again       ○ not started
  7.2   Mend it             ○ not started
  7.A   The status at once  ○ open
Lesson 12
  12.1  Mend it             ○ not started
Total: 0 of 3 exercises passed, 0 of 1 prediction right."""


@pytest.fixture(autouse=True)
def lessons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two lessons instead of the course's own, and an empty record in memory."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(exercises, "__path__", [str(tmp_path)])
    monkeypatch.setattr(record, "_here", [])
    loaded = [f"orderlab.course.exercises.{name}" for name in MODULES]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.invalidate_caches()
    yield tmp_path
    for name in loaded:
        sys.modules.pop(name, None)


def states() -> list[str]:
    """The state of each row."""
    return [row.state for lesson in progress().lessons.values() for row in lesson]


def test_a_beginner_sees_all_that_there_is() -> None:
    """In aligned columns, lesson by lesson, with a total; a lesson without exercises is not listed."""
    assert repr(progress()) == BEFORE


def test_a_lesson_may_show_its_own_part_alone() -> None:
    """So that what it shows stays the same when another lesson is written."""
    last = "Total: 0 of 1 exercise passed, 0 of 0 predictions right."
    assert repr(progress(12)).splitlines() == ["Lesson 12", "  12.1  Mend it  ○ not started", last]
    assert repr(progress(3)) == "No lesson has exercises yet."


def test_each_state_has_a_sign_and_words() -> None:
    """Nobody has to tell colours or signs apart."""
    words = [PASSED, NOT_YET, NOT_STARTED, RIGHT, WRONG, OPEN, MISSED]
    assert all(word[0] in "✓✗○" and word[1:].strip().isprintable() and len(word) > 5 for word in words)
    assert len({word[1:] for word in words}) == len(words)


def test_what_was_done_is_shown() -> None:
    """With the best score, which is the fewest, and the unit that the exercise counts in."""
    for score in (9, 4, 6):
        note("exercise", "7.1", state="passed", score=score)
    note("exercise", "7.2", state="not yet")
    predict("7.A", "b")
    reveal("7.A", "b")
    assert repr(progress()) == (
        "Lesson 07\n"
        "  7.1   Send it again       ✓ passed       best: 4 calls\n"
        "  7.2   Mend it             ✗ not yet\n"
        "  7.A   The status at once  ✓ right\n"
        "Lesson 12\n"
        "  12.1  Mend it             ○ not started\n"
        "Total: 1 of 3 exercises passed, 1 of 1 prediction right."
    )


def test_what_was_passed_stays_passed() -> None:
    """Somebody who tries something else afterwards loses nothing."""
    note("exercise", "7.2", state="passed")
    note("exercise", "7.2", state="not yet")
    assert states() == [NOT_STARTED, PASSED, OPEN, NOT_STARTED]


@pytest.mark.parametrize(
    ("before", "seen", "after", "state"),
    [
        ("", "", "", OPEN),
        ("a", "", "", OPEN),
        ("a", "a", "", RIGHT),
        ("a", "b", "", WRONG),
        ("a", "b", "b", WRONG),
        ("a", "a", "b", RIGHT),
        ("", "a", "", MISSED),
        ("", "a", "a", MISSED),
    ],
)
def test_a_prediction_counts_as_it_stood_when_the_value_was_revealed(
    before: str, seen: str, after: str, state: str
) -> None:
    """Before that it is open; who looked first has made none."""
    for choice in filter(None, [before]):
        predict("7.A", choice)
    for value in filter(None, [seen]):
        reveal("7.A", value)
    for choice in filter(None, [after]):
        predict("7.A", choice)
    assert states()[2] == state


def test_facts_that_somebody_edited_are_passed_over() -> None:
    """A score is a whole number, and a state a word; what the course does not know counts for nothing."""
    for score in ("few", None, [1], True, 2.5):
        note("exercise", "7.1", state="passed", score=score)
    note("exercise", "7.2", state=["passed"])
    note("exercise", "99.1", state="passed")
    note("prediction", "7.A", choice=7)
    note("reveal", "7.A", option={})
    note("odd", "7.1")
    assert states() == [PASSED, NOT_YET, OPEN, NOT_STARTED]
    assert "best" not in repr(progress())


def test_without_exercises_it_says_so(lessons: Path) -> None:
    """The course begins somewhere."""
    for path in lessons.glob("lesson_*.py"):
        path.unlink()
    assert repr(progress()) == "No lesson has exercises yet."


def test_the_courses_own_lessons_are_listed() -> None:
    """Read in a process of its own; every id belongs to its lesson and comes once."""
    code = (
        "from orderlab.course.answers.board import progress\n"
        "for number, rows in progress().lessons.items():\n"
        "    for row in rows: print(number, row.id, bool(row.title), row.state, sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONUTF8": "1"}, capture_output=True, check=True
    )
    rows = [line.split("|") for line in done.stdout.decode().splitlines()]
    assert rows and all(number == id.partition(".")[0] and title == "True" for number, id, title, _ in rows)
    assert len({id for _, id, _, _ in rows}) == len(rows)
    assert {state for *_, state in rows} <= {NOT_STARTED, OPEN}
