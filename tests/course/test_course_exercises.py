"""Every check teaches: right answers pass, and each misconception of a lesson is refused with words of its own."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from orderlab.course.answers.checks import check
from orderlab.course.answers.exercise import EXERCISES_FOLDER, Exercise, exercises_of

LESSONS = sorted(int(path.stem[-2:]) for path in EXERCISES_FOLDER.glob("lesson_*.py"))
ALL = [exercise for lesson in LESSONS for exercise in exercises_of(lesson)]
FEWEST_RIGHT, FEWEST_WRONG = 2, 3


def answers(kind: str) -> list[tuple[str, Any]]:
    """Every answer of one kind, RIGHT or WRONG, with its exercise."""
    known = [getattr(import_module(f"answers.lesson_{lesson:02}"), kind) for lesson in LESSONS]
    return [(id, one) for given in known for id, listed in given.items() for one in listed]


def named(value: Any) -> str:
    """What a test of this answer is called."""
    value = value[0] if isinstance(value, tuple) else value
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("id", "answer"), answers("RIGHT"), ids=named)
def test_a_right_answer_passes(id: str, answer: Any) -> None:
    """However it is written."""
    assert repr(check(id, answer)).startswith(f"✓ Exercise {id} passed"), check(id, answer)


@pytest.mark.parametrize(("id", "given"), answers("WRONG"), ids=named)
def test_a_misconception_is_refused_by_name(id: str, given: tuple[Any, str]) -> None:
    """The verdict says what the learner has misunderstood."""
    answer, words = given
    verdict = check(id, answer)
    assert verdict.state == "not yet"
    assert words in verdict.text, verdict


@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_each_exercise_has_answers_of_both_kinds_and_no_mistake_without_one(exercise: Exercise) -> None:
    """Two right ones or more, and a wrong one for every misconception, of which there are three or more."""
    right = [one for id, one in answers("RIGHT") if id == exercise.id]
    wrong = [one for id, one in answers("WRONG") if id == exercise.id]
    assert len(right) >= FEWEST_RIGHT and len(wrong) >= FEWEST_WRONG
    shown = [check(exercise.id, answer).text for answer, _ in wrong]
    for mistake in exercise.mistakes:
        assert any(mistake.words in text for text in shown), f"no answer shows: {mistake.words}"
    assert len({mistake.words for mistake in exercise.mistakes}) == len(exercise.mistakes) >= 3
    assert exercise.hints


def test_the_numbers_of_the_first_lesson_are_those_of_the_template_and_of_the_cloud() -> None:
    """Exercise 0.1: the visibility timeout is the template's, and an outage of twenty minutes heals when it says."""
    from orderlab.cloud import Cloud
    from orderlab.course.exercises.lesson_00 import OUTAGE, VISIBILITY, healed
    from orderlab.course.shop import open_shop, place, status
    from orderlab.ops.days.play import turn_knob

    with Cloud(seed=0) as cloud:
        assert float(cloud.stack.resources["PaymentQueue"].properties["VisibilityTimeout"]) == VISIBILITY
        open_shop(cloud)
        turn_knob(cloud.client, cloud.outputs, downUntil=cloud.now + OUTAGE * 60)
        began = cloud.now
        order = place(cloud, "one", {"mug": 1}).json()["orderId"]
        cloud.run(until=began + (healed(OUTAGE, VISIBILITY) - 0.5) * 60)
        assert status(cloud, order) == "PENDING"
        cloud.run(until=began + (healed(OUTAGE, VISIBILITY) + 0.5) * 60)
        assert status(cloud, order) == "CONFIRMED"


def test_every_lesson_with_exercises_has_a_notebook() -> None:
    """An exercise that nobody meets would prove nothing."""
    notebooks = Path(__file__).parents[2] / "notebooks"
    for lesson in LESSONS:
        text = "".join(path.read_text(encoding="utf-8") for path in notebooks.glob(f"{lesson:02}_*.ipynb"))
        for exercise in exercises_of(lesson):
            assert f'check(\\"{exercise.id}\\"' in text
