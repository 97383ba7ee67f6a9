"""`check()`: hold an answer against the cases of its exercise, and say what is wrong with it, if anything.

It never raises and always ends. It says "not started", or shows the first case that fails with wanted beside got, and
names the mistake where it is one that the lesson knows; or "passed". Every answer is tried apart (see `trial`).
"""

import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from . import judging
from .exercise import Case, Exercise, NoSuchExercise, Observed, find
from .plain import same
from .record import note, notes
from .showing import Said, safe_repr, type_name

WIDE = 300  # letters of a value that are shown


@dataclass(frozen=True, repr=False)
class Verdict:
    """What `check` says. `state` is "not started", "not yet" or "passed"."""

    state: str
    text: str

    def __repr__(self) -> str:
        return {"not started": "○ ", "not yet": "✗ ", "passed": "✓ "}[self.state] + self.text


def check(id: str, answer: Any) -> Verdict:
    """Judge an answer to the exercise `id`, such as "0.2", and note the result in the learner's record."""
    try:
        exercise = find(id)
    except NoSuchExercise as error:
        return Verdict("not yet", f"Nothing was checked: {error}.")
    try:
        verdict, score = judge(exercise, answer)
    except Exception as error:  # a defect of ours must not look like one of the learner's
        words = f"{type(error).__name__}: {error}"
        return Verdict("not yet", f"Exercise {id} could not be judged, and that is the course's fault ({words}).")
    if verdict.state != "not started":
        note("exercise", id, state=verdict.state, **({} if score is None else {"score": score}))
    return verdict


def hint(id: str) -> Said:
    """The next hint to the exercise `id`; after the last one, the last one again."""
    try:
        exercise = find(id)
    except NoSuchExercise as error:
        return Said(f"No hint: {error}.")
    number = min(len(notes("hint", id)) + 1, len(exercise.hints))
    note("hint", id, number=number)
    return Said(f"Hint {number} of {len(exercise.hints)}: {exercise.hints[number - 1]}")


def judge(exercise: Exercise, answer: Any) -> tuple[Verdict, int | None]:
    """The verdict on an answer, and its score if it passed and the exercise has one."""
    name = f"Exercise {exercise.id}"
    if not_started(answer):
        where = "in the cell above, run that cell, then this one"
        return Verdict("not started", f"{name} is not started: replace the ... {where}."), None
    if exercise.is_function and not callable(answer):
        wrong = f"it wants your function itself, not the {type_name(answer)} that it returned. Write its name alone."
        return Verdict("not yet", f'{name} was not judged: check("{exercise.id}", …) {wrong}'), None
    if not exercise.is_function and callable(answer):
        return Verdict("not yet", f"{name} was not judged: its answer is a value, and you gave a function."), None
    cases = exercise.cases()
    try:
        seen = judging.observe(exercise, answer)
    except judging.NotPortable as error:
        remedy = "Let the function take it as an argument"
        why = f"your answer uses {error}, which the check cannot see"
        return Verdict("not yet", f"{name} was not judged: {why}. {remedy}."), None
    pairs = enumerate(zip(cases, seen, strict=False))
    failed = [(number, case, one) for number, (case, one) in pairs if not good(exercise, case, one)]
    if failed:
        return Verdict("not yet", "\n".join(complaint(exercise, failed, len(cases)))), None
    score = sum(exercise.score.of(one.value) for one in seen) if exercise.score else None
    return Verdict("passed", f"{name} passed: {len(cases)} of {len(cases)} cases{praise(exercise, score)}."), score


def not_started(answer: Any) -> bool:
    """Is it still what the lesson left open: `...`, nothing, or a function without a body?"""
    if answer is ... or answer is None:
        return True
    if type(answer) is not FunctionType:
        return False
    stubs, code = (_bare.__code__, _described.__code__), answer.__code__
    return code.co_code in [stub.co_code for stub in stubs] and set(code.co_consts) <= {None, answer.__doc__}


def _bare() -> None: ...


def _described() -> None:
    """A function that says what it is for, and does nothing."""


def good(exercise: Exercise, case: Case, seen: Observed) -> bool:
    """Did the case come to what is wanted?"""
    return seen.ended == "returned" and same(case.wanted, exercise.shown(seen.value), exercise.tolerance)


def complaint(exercise: Exercise, failed: Sequence[tuple[int, Case, Observed]], cases: int) -> list[str]:
    """What is wrong: the first case that fails, wanted beside got, and the mistake behind all that fail."""
    number, case, seen = failed[0]
    given = ", ".join(f"{name}={safe_repr(value, WIDE)}" for name, value in case.given.items())
    lines = [f"Exercise {exercise.id}, case {number + 1} of {cases}: {case.about}."]
    lines += [f"  given   {given}"] if given else []
    lines += [f"  wanted  {safe_repr(case.wanted, WIDE)}"] if exercise.is_function else []
    lines += [f"  got     {got(exercise, seen)}"]
    if seen.printed:
        lines.append("  printed " + "\n          ".join(seen.printed.splitlines()[:5]))
    mistakes = [one.words for one in exercise.mistakes if all(shows(one.shows, case, one_) for _, case, one_ in failed)]
    lines += [f"  {words}" for words in mistakes[:1]]
    left = len(exercise.hints) - len(notes("hint", exercise.id))
    return [*lines, f'  For a hint, run hint("{exercise.id}") in a new cell.'] if left > 0 else lines


def got(exercise: Exercise, seen: Observed) -> str:
    """What the answer did, in one line."""
    kind, text = seen.error
    where = f", in line {seen.line[1]}: {line_at(*seen.line)}" if seen.line else ""
    if seen.ended == "returned":
        value = exercise.shown(seen.value)
        return "..., as if something were still missing" if repr(value) == "<ellipsis>" else safe_repr(value, WIDE)
    return {
        "raised": f"{kind}{': ' if text else ''}{text}{where}",
        "endless": f"no end: it was cut after a million steps{where}",
        "stuck": "no end: it waits for something that never comes, or computes for ever",
        "quit": "no answer: it ended the whole Python process",
        "unloaded": f"no answer: it could not be taken out of the notebook ({kind}: {text})",
    }[seen.ended]


def line_at(file: str, number: int) -> str:
    """The learner's own line, as it stands in the notebook."""
    return linecache.getline(file, number).strip()


def shows(predicate: Any, case: Case, seen: Observed) -> bool:
    """Ask a mistake whether a case shows it; a value of an unexpected kind shows nothing."""
    try:
        return bool(predicate(case, seen))
    except Exception:
        return False


def praise(exercise: Exercise, score: int | None) -> str:
    """How good a right answer is."""
    if exercise.score is None or score is None:
        return ""
    unit, par = exercise.score.unit, exercise.score.par
    if score > par:
        return f", with {score} {unit}; the score to beat is {par}"
    return f", with {score} {unit}, {'as few as' if score == par else 'fewer than'} the reference solution"
