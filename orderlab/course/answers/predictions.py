"""Predictions: `predict()` commits the learner to an answer, and `reveal()` holds it against what came out.

The choice that stood when the value was first revealed is the one that counts, in every later run and every later
kernel. A letter that is put in or changed after that is shown as such. So a notebook that runs again from the top says
the same again, and nobody's record improves by looking first.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .exercise import listed
from .record import note, notes
from .showing import Said, safe_repr

LETTERS = "abcd"


@dataclass(frozen=True)
class Prediction:
    """A question with two to four options, by letter from "a" on.

    `right` tells from the revealed value which option it makes true, so that the answer is written down nowhere. Raises
    ValueError when the letters are others.
    """

    id: str
    title: str
    options: Mapping[str, str]
    right: Callable[[Any], str]

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= len(LETTERS) or "".join(self.options) != LETTERS[: len(self.options)]:
            raise ValueError(f'the options of prediction {self.id} are "a", "b" and so on, not {list(self.options)}')

    def named(self, letter: str) -> str:
        """An option as it stands in a sentence: "(b) an error"."""
        return f"({letter}) {self.options[letter]}"

    def option_of(self, seen: Any) -> str:
        """The option that `seen` makes true, or "" when it fits none."""
        try:
            letter = self.right(seen)
        except BaseException:  # whatever the learner has put there, this is no place for its errors
            return ""
        return letter if type(letter) is str and letter in self.options else ""


@dataclass(frozen=True)
class Past:
    """What the record knows of a prediction, as letters: committed, chosen too late, and the option that came true."""

    committed: str = ""
    late: str = ""
    option: str = ""


def predict(id: str, choice: Any) -> Said:
    """Commit to a choice, "a" to "d", and say so; with `...`, say what to do. Never raises.

    Until the value is revealed, another letter takes the place of the first one; afterwards it does not count.
    """
    prediction = find(id)
    if isinstance(prediction, Said):
        return prediction
    past, letters = past_of(prediction, notes()), _listed(prediction)
    if choice is ... or choice is None:
        if past.committed:
            return Said(f"● {_committed(prediction, past)} You chose it earlier.")
        if past.option:
            return Said(f"○ Prediction {id}: none was made before the value was revealed.")
        return Said(f"○ No prediction yet: put {letters} in place of ... and run this cell again.")
    letter = choice.strip(" ()").lower() if type(choice) is str else ""
    if letter not in prediction.options:
        return Said(
            f"✗ {safe_repr(choice, 40)} is no choice: put {letters} there, quotes included, and run this cell again."
        )
    if letter not in (past.committed, past.late):
        note("prediction", id, choice=letter)
    if letter == past.committed:
        return Said(f"● {_committed(prediction, past)}")
    if past.option:
        stands = f"your prediction stays ({past.committed})" if past.committed else "no prediction was made before"
        return Said(f"○ {prediction.named(letter)} comes after the value was revealed and does not count: {stands}.")
    instead = f", in place of ({past.committed})" if past.committed else ""
    return Said(f"● {_committed(prediction, Past(letter))[:-1]}{instead}.")


def reveal(id: str, seen: Any) -> Said:
    """Show the value, the option that it makes true, and how the learner's prediction did. Never raises."""
    value, prediction = safe_repr(seen), find(id)
    if isinstance(prediction, Said):
        return Said(f"{value}\n{prediction.text}")
    option, past = prediction.option_of(seen), past_of(prediction, notes())
    if not option:
        return Said(f"{value} fits none of the options: run the notebook again from the top.")
    if not past.option:
        note("reveal", id, option=option)
    if past.committed:
        how = f"You predicted ({past.committed}): {'right' if past.committed == option else 'not this time'}."
    else:
        how = f"You chose ({past.late}) only after it was revealed." if past.late else "You made no prediction."
    return Said(f"{value} → ({option}). {how}")


def past_of(prediction: Prediction, noted: list[dict[str, Any]]) -> Past:
    """What became of a prediction so far, by the order of the notes."""
    committed = late = option = ""
    for one in (one for one in noted if one["id"] == prediction.id):
        letter = one.get({"prediction": "choice", "reveal": "option"}.get(one["kind"], ""))
        if not isinstance(letter, str) or letter not in prediction.options:
            continue
        if one["kind"] == "reveal":
            option = option or letter
        elif option:
            late = letter
        else:
            committed = letter
    return Past(committed, late, option)


def predictions_of(lesson: int) -> tuple[Prediction, ...]:
    """The predictions of a lesson; none, where it has none."""
    return listed(lesson, "PREDICTIONS")


def find(id: str) -> Prediction | Said:
    """The prediction of this id, or what to say when there is none."""
    parts = re.fullmatch(r"([0-9]{1,2})\.([A-Z])", id) if type(id) is str else None
    if parts is None:
        return Said(f'✗ {safe_repr(id, 40)} is no prediction: they are called "0.A", "0.B" and so on.')
    there = {one.id: one for one in predictions_of(int(parts[1]))}
    known = ", ".join(there) or "none"
    return there.get(id) or Said(f'✗ There is no prediction "{id}"; those of lesson {int(parts[1]):02}: {known}.')


def _committed(prediction: Prediction, past: Past) -> str:
    when = "committed before the value was revealed" if past.option else "committed"
    return f"Prediction {prediction.id} is {when}: {prediction.named(past.committed)}."


def _listed(prediction: Prediction) -> str:
    """The letters to choose from, in words."""
    *most, last = (f'"{letter}"' for letter in prediction.options)
    return f"{', '.join(most)} or {last}"
