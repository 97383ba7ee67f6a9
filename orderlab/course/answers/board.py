"""`progress()`: every exercise and prediction of the course, and how far the learner is, out of the record."""

import pkgutil
from dataclasses import dataclass
from typing import Any

from .. import exercises
from ..drawing.figures import count
from .exercise import Exercise, exercises_of
from .predictions import Prediction, past_of, predictions_of
from .record import notes

PASSED, NOT_YET, NOT_STARTED = "✓ passed", "✗ not yet", "○ not started"
RIGHT, WRONG, OPEN, MISSED = "✓ right", "✗ wrong", "○ open", "○ revealed first"


@dataclass(frozen=True)
class Row:
    """An exercise or a prediction: its id, its title, how it stands (one of the words above), its best score."""

    id: str
    title: str
    state: str
    score: str = ""


@dataclass(frozen=True, repr=False)
class Table:
    """The rows of each lesson that has any, by the lesson's number; the repr is the table."""

    lessons: dict[int, tuple[Row, ...]]

    def __repr__(self) -> str:
        rows = [row for lesson in self.lessons.values() for row in lesson]
        if not rows:
            return "No lesson has exercises yet."
        ids, titles, states = (max(len(getattr(row, name)) for row in rows) for name in ("id", "title", "state"))
        lines = []
        for number, lesson in self.lessons.items():
            lines.append(f"Lesson {number:02}")
            for row in lesson:
                line = f"  {row.id:<{ids}}  {row.title:<{titles}}  {row.state:<{states}}  {row.score}"
                lines.append(line.rstrip())
        return "\n".join([*lines, self.total()])

    def total(self) -> str:
        """The last line."""
        states = [row.state for lesson in self.lessons.values() for row in lesson]
        exercises = [state for state in states if state in (PASSED, NOT_YET, NOT_STARTED)]
        predictions = len(states) - len(exercises)
        return (
            f"Total: {exercises.count(PASSED)} of {count(len(exercises), 'exercise')} passed, "
            f"{states.count(RIGHT)} of {count(predictions, 'prediction')} right."
        )


def progress(lesson: int | None = None) -> Table:
    """How far you are in a lesson, or in all: exercises as passed, not yet or not started, predictions as right or not.

    What was passed once stays passed. Never raises: a damaged record counts as far as it can be read.
    """
    noted, lessons = notes(), {}
    for number in (one for one in numbers() if lesson in (None, one)):
        rows = [exercise_row(one, noted) for one in exercises_of(number)]
        rows += [prediction_row(one, noted) for one in predictions_of(number)]
        if rows:
            lessons[number] = tuple(rows)
    return Table(lessons)


def numbers() -> list[int]:
    """The lessons that have a module in `exercises`, in order."""
    names = [module.name.removeprefix("lesson_") for module in pkgutil.iter_modules(exercises.__path__)]
    return sorted(int(name) for name in names if name.isdigit())


def exercise_row(exercise: Exercise, noted: list[dict[str, Any]]) -> Row:
    """How an exercise stands; of its scores, the fewest."""
    tries = [one for one in noted if one["kind"] == "exercise" and one["id"] == exercise.id]
    passed = [one for one in tries if one.get("state") == "passed"]
    scores = [one["score"] for one in passed if type(one.get("score")) is int]
    unit = exercise.score.unit if exercise.score else ""
    best = f"best: {min(scores)} {unit}" if scores and unit else ""
    return Row(exercise.id, exercise.title, PASSED if passed else NOT_YET if tries else NOT_STARTED, best)


def prediction_row(prediction: Prediction, noted: list[dict[str, Any]]) -> Row:
    """How a prediction stands: the choice that was committed before the reveal, and what came true then."""
    past = past_of(prediction, noted)
    state = RIGHT if past.committed == past.option else WRONG
    if not past.option:
        state = OPEN
    elif not past.committed:
        state = MISSED
    return Row(prediction.id, prediction.title, state)
