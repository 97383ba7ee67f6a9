"""What an exercise is: cases with the result that is wanted, the mistakes that its lesson names, hints, a score.

The exercises of lesson 3 are the tuple EXERCISES of `orderlab/course/exercises/lesson_03.py`; "3.2" is the second one.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

EXERCISES_FOLDER = Path(__file__).parent.parent / "exercises"


class NoSuchExercise(LookupError):
    """There is no exercise of this number. The message names those that exist."""


@dataclass(frozen=True)
class Case:
    """One case: what it is about, the arguments of `observe` by name, and what it must come to."""

    about: str
    given: dict[str, Any]
    wanted: Any


@dataclass(frozen=True)
class Observed:
    """What an answer did in one case. How it `ended`: "returned", "raised", "endless", "stuck", "quit" or "unloaded".

    `value` is plain data (see `plain`); `error` the exception's type and message; `line` where in the learner's
    own code it happened (file and number); `printed` what it printed.
    """

    ended: str
    value: Any = None
    error: tuple[str, str] = ("", "")
    line: tuple[str, int] | None = None
    printed: str = ""


Shows = Callable[[Case, Observed], bool]


@dataclass(frozen=True)
class Mistake:
    """A misconception: the words that name it, and whether what was observed in a case shows it.

    It is named only when every failing case shows it, so that nobody is told of a mistake that they did not make.
    """

    words: str
    shows: Shows


def says(*numbers: float, within: float = 0.1) -> Shows:
    """Is the answer one of these numbers, give or take `within`?"""
    return lambda case, seen: any(abs(seen.value - number) <= within for number in numbers)


@dataclass(frozen=True)
class Score:
    """What a right answer can still be better at: a sum over all cases, the fewer the better.

    `of` takes what a case came to; `unit` is the plural of what is counted, `par` what the reference solution needs.
    """

    of: Callable[[Any], int]
    unit: str
    par: int


def call(answer: Any, **given: Any) -> Any:
    """The usual thing to observe: what a function returns."""
    return answer(**given)


def itself(answer: Any, **given: Any) -> Any:
    """What to observe of an answer that is no function: the answer."""
    return answer


@contextmanager
def uncounted() -> Iterator[None]:
    """What is done in here is a judge's work, and not the answer's: the budget does not count its steps."""
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(counting)


@dataclass(frozen=True)
class Exercise:
    """An exercise. `cases` is called anew for each check; `observe` runs with the answer, apart from the notebook.

    `shown` says what of a result is compared; all of it, unless a score needs more than is compared.
    """

    id: str
    title: str
    cases: Callable[[], Sequence[Case]]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    observe: Callable[..., Any] = call
    shown: Callable[[Any], Any] = lambda value: value
    tolerance: float = 0.0
    score: Score | None = None

    @property
    def is_function(self) -> bool:
        """Is the answer a function, not a value?"""
        return self.observe is not itself


def lesson_of(id: str) -> int:
    """The lesson's number of an exercise or a prediction. Raises NoSuchExercise when it has none."""
    lesson, dot, rest = id.partition(".") if isinstance(id, str) else ("", "", "")
    if not (lesson.isascii() and lesson.isdigit() and dot and rest):
        raise NoSuchExercise(f'{id!r} is no number of an exercise; they look like "0.1"')
    return int(lesson)


def exercises_of(lesson: int) -> tuple[Exercise, ...]:
    """The exercises of a lesson; none, where it has none."""
    return listed(lesson, "EXERCISES")


def listed(lesson: int, name: str) -> tuple[Any, ...]:
    """What the lesson's module in `exercises` lists under this name; nothing, where there is no such module or list."""
    module = f"orderlab.course.exercises.lesson_{lesson:02}"
    try:
        return tuple(getattr(import_module(module), name, ()))
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return ()


def find(id: str) -> Exercise:
    """The exercise of this number. Raises NoSuchExercise."""
    there = exercises_of(lesson_of(id))
    for exercise in there:
        if exercise.id == id:
            return exercise
    known = ", ".join(exercise.id for exercise in there) or "none"
    raise NoSuchExercise(f"there is no exercise {id}; those of this lesson: {known}")
