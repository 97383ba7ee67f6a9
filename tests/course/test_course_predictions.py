"""Predictions: what is committed before the reveal counts, and nothing that a learner puts in stops the lesson."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orderlab.course.answers import record
from orderlab.course.answers.predictions import Past, Prediction, find, past_of, predict, predictions_of, reveal
from orderlab.course.answers.record import note, notes

STATUSES = Prediction(
    id="77.A",
    title="The status at once",
    options={"a": "CONFIRMED", "b": "PENDING", "c": "an error"},
    right=lambda seen: {"CONFIRMED": "a", "PENDING": "b", "FAILED": "c"}[seen],
)
FEWER = Prediction("77.B", "Fewer mugs?", {"a": "yes", "b": "no"}, lambda seen: "a" if seen < 40 else "b")


@pytest.fixture(autouse=True)
def lesson(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A lesson 77 with two predictions, and a record of its own in memory."""
    module = ModuleType("orderlab.course.exercises.lesson_77")
    module.PREDICTIONS = (STATUSES, FEWER)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(record, "_here", [])
    yield module


def test_an_open_prediction_says_what_to_do() -> None:
    """It names the letters of this very question."""
    text = '○ No prediction yet: put "a", "b" or "c" in place of ... and run this cell again.'
    assert repr(predict("77.A", ...)) == repr(predict("77.A", None)) == text
    assert '"a" or "b"' in repr(predict("77.B", ...))
    assert notes() == []


def test_a_choice_is_committed_without_a_word_on_whether_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right and a wrong choice read the same."""
    for letter, option in STATUSES.options.items():
        monkeypatch.setattr(record, "_here", [])
        assert repr(predict("77.A", letter)) == f"● Prediction 77.A is committed: ({letter}) {option}."
        assert notes() == [{"kind": "prediction", "id": "77.A", "choice": letter}]


@pytest.mark.parametrize("letter", ["b", "B", " b ", "(b)"])
def test_a_letter_may_be_written_in_several_ways(letter: str) -> None:
    """The text of the lesson writes (b)."""
    assert repr(predict("77.A", letter)) == "● Prediction 77.A is committed: (b) PENDING."


def test_a_change_before_the_reveal_takes_the_place_of_the_first() -> None:
    """And it says so; the last one counts."""
    predict("77.A", "a")
    assert repr(predict("77.A", "b")) == "● Prediction 77.A is committed: (b) PENDING, in place of (a)."
    assert repr(reveal("77.A", "PENDING")) == "'PENDING' → (b). You predicted (b): right."


def test_the_reveal_begins_with_the_value() -> None:
    """Then comes the option that it makes true, and how the learner did."""
    assert repr(reveal("77.B", 38)) == "38 → (a). You made no prediction."
    predict("77.A", "a")
    assert repr(reveal("77.A", "PENDING")) == "'PENDING' → (b). You predicted (a): not this time."


def test_a_notebook_that_runs_again_says_the_same_again() -> None:
    """As often as one likes; the record grows no further."""
    predict("77.A", "a")
    first = repr(reveal("77.A", "PENDING"))
    before = notes()
    for _ in range(2):
        again = repr(predict("77.A", "a"))
        assert again == "● Prediction 77.A is committed before the value was revealed: (a) CONFIRMED."
        assert repr(reveal("77.A", "PENDING")) == first
    assert notes() == before


def test_a_change_after_the_reveal_does_not_count() -> None:
    """It is said so, and stays so when all runs again."""
    predict("77.A", "a")
    reveal("77.A", "PENDING")
    for _ in range(2):
        said = repr(predict("77.A", "b"))
        assert said == (
            "○ (b) PENDING comes after the value was revealed and does not count: your prediction stays (a)."
        )
        assert repr(reveal("77.A", "PENDING")) == "'PENDING' → (b). You predicted (a): not this time."
    assert past_of(STATUSES, notes()) == Past(committed="a", late="b", option="b")
    assert len(notes()) == 3


def test_a_first_choice_after_the_reveal_does_not_count_either() -> None:
    """Who looked first has not predicted."""
    assert repr(reveal("77.A", "PENDING")) == "'PENDING' → (b). You made no prediction."
    assert repr(predict("77.A", ...)) == "○ Prediction 77.A: none was made before the value was revealed."
    assert repr(predict("77.A", "b")) == (
        "○ (b) PENDING comes after the value was revealed and does not count: no prediction was made before."
    )
    assert repr(reveal("77.A", "PENDING")) == "'PENDING' → (b). You chose (b) only after it was revealed."
    assert past_of(STATUSES, notes()).committed == ""


def test_a_committed_choice_outlives_an_empty_cell() -> None:
    """A fresh copy of the lesson has `...` in its cell; the record knows better."""
    predict("77.A", "c")
    assert repr(predict("77.A", ...)) == "● Prediction 77.A is committed: (c) an error. You chose it earlier."
    assert repr(reveal("77.A", "FAILED")) == "'FAILED' → (c). You predicted (c): right."


def test_it_is_the_value_that_decides() -> None:
    """No answer is written down: another value makes another option true."""
    assert [repr(reveal("77.B", n)).partition(".")[0] for n in (38, 40)] == ["38 → (a)", "40 → (b)"]
    assert past_of(FEWER, notes()).option == "a"  # the first reveal is the one that counts


class Hostile:
    """Raises whenever it is touched."""

    def __repr__(self) -> str:
        raise SystemExit("repr")

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt

    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        raise GeneratorExit(name)


class Sly(str):
    """A letter with methods of its own."""

    def strip(self, *letters: Any) -> Any:
        raise SystemExit


ODD = ["d", "z", "", "ab", "a or b", "PENDING", 1, 0, 2.5, True, ["a"], ("a",), {"a"}, b"a", object(), Hostile(),
       Sly("a"), predict, "a" * 10**6, "\ud800", float("nan"), [Hostile()]]  # fmt: skip


def test_what_is_no_choice_gets_one_clear_line() -> None:
    """It shows what was put in, and what to put there; nothing is committed."""
    for choice in ODD:
        said = repr(predict("77.A", choice))
        assert said.startswith("✗ ") and "\n" not in said and len(said) < 150
        assert said.endswith('is no choice: put "a", "b" or "c" there, quotes included, and run this cell again.')
    assert repr(predict("77.A", "d")).startswith("✗ 'd' is no choice")
    assert notes() == []


def test_a_wrong_id_gets_one_clear_line() -> None:
    """The value of a reveal is shown all the same."""
    wrong: list[Any] = ["77.C", "78.A", "77.a", "77A", "", "77", "exercise", 77, None, ..., Hostile(), Sly("77.A")]
    for id in wrong:
        said = repr(predict(id, "a"))
        assert said.startswith("✗ ") and "\n" not in said and ("called" in said or "those of lesson" in said)
        assert repr(reveal(id, "PENDING")) == f"'PENDING'\n{said}"
    assert notes() == []


def test_a_wrong_id_names_those_that_there_are() -> None:
    """A typing error is seen at once."""
    assert repr(predict("77.C", "a")) == '✗ There is no prediction "77.C"; those of lesson 77: 77.A, 77.B.'
    assert repr(predict("99.A", "a")) == '✗ There is no prediction "99.A"; those of lesson 99: none.'


def test_a_value_that_fits_no_option_is_shown_and_reveals_nothing() -> None:
    """The learner changed the cell, or ran it too early: the prediction stays open."""
    predict("77.A", "a")
    odd: list[Any] = ["ODD", None, [], {"a": 1}, Hostile(), 7, float("nan")]
    for seen in odd:
        said = repr(reveal("77.A", seen))
        assert said.endswith(" fits none of the options: run the notebook again from the top.")
    assert past_of(STATUSES, notes()) == Past(committed="a")


def test_a_rule_that_tells_no_option_reveals_nothing() -> None:
    """A defect of a lesson is no error of the learner's."""
    wrong: list[Any] = [None, "d", "z", "", 1, Hostile(), Sly("a"), ["a"]]
    for answer in wrong:
        odd = Prediction("77.A", "odd", {"a": "1", "b": "2"}, lambda seen, answer=answer: answer)
        assert odd.option_of(7) == ""
    assert Prediction("77.A", "fine", {"a": "1", "b": "2"}, lambda seen: "b").option_of(7) == "b"


@pytest.mark.parametrize(
    "options", [{}, {"a": "1"}, {"b": "1", "a": "2"}, {"a": "1", "c": "2"}, dict.fromkeys("abcde", "")]
)
def test_options_of_other_letters_are_refused(options: dict[str, str]) -> None:
    """When the lesson is written, not when a learner comes."""
    with pytest.raises(ValueError, match=r'the options of prediction 77\.A are "a", "b" and so on'):
        Prediction("77.A", "title", options, lambda seen: "a")


@pytest.mark.parametrize("letter", [None, 7, ["a"], {}, "d", "", "A", True])
def test_a_record_that_somebody_edited_is_passed_over(letter: Any) -> None:
    """A letter that is no option was never chosen."""
    note("prediction", "77.A", choice="a")
    note("prediction", "77.A", choice=letter)
    note("reveal", "77.A", option=letter)
    note("prediction", "77.A")
    note("exercise", "77.A", choice="b", option="b")
    assert past_of(STATUSES, notes()) == Past(committed="a")


def test_the_next_kernel_knows_what_was_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is a file, and the order of its lines says what came first."""
    monkeypatch.delenv("ORDERLAB_PROGRESS")
    monkeypatch.setattr(record, "ROOT", tmp_path)
    predict("77.A", "a")
    reveal("77.A", "PENDING")
    predict("77.A", "b")
    for name in ("_here", "_waiting"):
        monkeypatch.setattr(record, name, [])
    assert past_of(STATUSES, notes()) == Past(committed="a", late="b", option="b")
    assert "You predicted (a): not this time." in repr(reveal("77.A", "PENDING"))


def test_a_lesson_without_predictions_has_none(lesson: ModuleType) -> None:
    """There may be exercises in it, or no such lesson."""
    del lesson.PREDICTIONS
    assert predictions_of(77) == predictions_of(98) == ()
    assert "those of lesson 77: none." in repr(find("77.A"))
