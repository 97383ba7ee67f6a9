"""The predictions and exercises of lesson 05: work for nothing, what to give back, order by customer, a test to write.

Taught in notebooks/05_some_of_them_failed.ipynb
"""

from collections.abc import Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Shows, itself, says
from orderlab.course.answers.predictions import Prediction

from .batch_handlers import HANDLERS, examine
from .batches import RECEIVES, deliver, in_line

BATCH, BAD = 9, 6  # exercise 5.1


def begun() -> Sequence[Case]:
    """The one case of exercise 5.1: each delivery begins all up to the bad one."""
    return [Case("nine messages, the sixth is bad, three receives", {}, BAD * RECEIVES)]


def simple(value: Any) -> Any:
    """What exercise 5.2 compares."""
    return {name: value[name] for name in ("done", "lost", "dead letters")}


def ordered(value: Any) -> Any:
    """What exercise 5.3 compares."""
    return {name: value[name] for name in ("order", "lost", "dead letters", "held up")}


def standard() -> Sequence[Case]:
    """The cases of exercise 5.2."""

    def case(about: str, messages: list[str], fails: dict[str, int], dead: list[str]) -> Case:
        ends = {"done": {one: 1 for one in messages if one not in dead}, "lost": [], "dead letters": dead}
        return Case(about, {"messages": messages, "fails": fails}, ends)

    return [
        case("nothing fails", ["A1", "B1", "C1"], {}, []),
        case("one fails once", ["A1", "B1", "C1"], {"B1": 1}, []),
        case("one always fails", ["A1", "B1", "C1"], {"B1": 9}, ["B1"]),
        case("a body that is no JSON", ["A1", "?1", "C1"], {}, ["?1"]),
    ]


def fifo() -> Sequence[Case]:
    """The cases of exercise 5.3."""

    def case(about: str, messages: list[str], fails: dict[str, int], dead: list[str]) -> Case:
        names = sorted({one[0] for one in messages})
        order = {name: [one for one in messages if one[0] == name and one not in dead] for name in names}
        ends = {"order": order, "lost": [], "dead letters": dead, "held up": []}
        return Case(about, {"messages": messages, "fails": fails}, ends)

    return [
        case("nothing fails", ["A1", "B1", "A2"], {}, []),
        case("the first of A fails once", ["A1", "B1", "A2", "B2", "A3"], {"A1": 1}, []),
        case("the second of A fails once", ["A1", "A2", "B1", "A3", "C1"], {"A2": 1}, []),
        case("A and B fail once", ["A1", "B1", "C1", "A2", "B2", "C2"], {"A1": 1, "B1": 1}, []),
        case("the first of A always fails", ["A1", "B1", "A2", "B2"], {"A1": 9}, ["A1", "A2"]),
    ]


def handlers() -> Sequence[Case]:
    """The cases of exercise 5.4."""
    return [Case(name, {"handler": name}, "passes" if name.startswith("right") else "fails") for name in HANDLERS]


def came(name: str, *words: str) -> Shows:
    """Is this what the test said of the handler whose name begins so?"""
    return lambda case, seen: case.given["handler"].startswith(name) and str(seen.value).startswith(words)


EXERCISES = (
    Exercise(
        id="5.1",
        title="Work for nothing",
        cases=begun,
        observe=itself,
        mistakes=(
            Mistake("The messages after the bad one are never begun: its error ends the invocation.",
                    says(BATCH * RECEIVES)),
            Mistake("The work on the bad message is begun, too, before it fails.", says((BAD - 1) * RECEIVES)),
            Mistake("That is one delivery. The whole batch comes back.", says(BAD, BATCH)),
            Mistake("The fourth receive is none: it moves the messages to the dead-letter queue.",
                    says(BAD * (RECEIVES + 1))),
            Mistake("The good ones come back as well: Lambda deletes nothing of a batch that failed.",
                    says(BAD - 1 + RECEIVES, BATCH - 1 + RECEIVES)),
        ),
        hints=(
            "How far does the loop come in one delivery?",
            "And how many deliveries are there, when all come back each time?",
        ),
    ),
    Exercise(
        id="5.2",
        title="All came back",
        cases=standard,
        observe=deliver,
        shown=simple,
        mistakes=(
            Mistake("One body that cannot be read ends the invocation, and all come back. What may fail stands inside "
                    "the try.",
                    lambda case, seen: "?1" in case.given["messages"] and "C1" in seen.value["dead letters"]),
            Mistake("AWS looks for the id of a message of the batch, and that is none. So all of them come back.",
                    lambda case, seen: seen.value["unknown"]
                    or ("?1" in seen.value["dead letters"] and seen.value["back"])),
            Mistake("An error that gets out brings back all, those that were done too. Catch it for each message.",
                    lambda case, seen: seen.value["back"]),
            Mistake("What cannot be read is lost. Give it back: the dead-letter queue keeps it for a person.",
                    lambda case, seen: "?1" in seen.value["lost"]),
            Mistake("A failure that nobody names is deleted, and lost.", lambda case, seen: seen.value["lost"]),
        ),
        hints=(
            "By what does AWS know a message? And what happens before the try begins?",
            'record["messageId"], and json.loads inside the try.',
        ),
    ),
    Exercise(
        id="5.3",
        title="One customer after the other",
        cases=fifo,
        observe=in_line,
        shown=ordered,
        mistakes=(
            Mistake("A later message of a customer was done before an earlier one. Do not try it, and name it too.",
                    lambda case, seen: not seen.value["back"] and not seen.value["lost"]
                    and seen.value["order"] != case.wanted["order"]),
            Mistake("What is not tried must be named as well, or it is deleted, and lost.",
                    lambda case, seen: seen.value["lost"]),
            Mistake("Messages that were done came back, and were done again: name only failures and what waits "
                    "behind them.",
                    lambda case, seen: seen.value["back"]),
            Mistake("Other customers had to wait, though nothing of theirs failed: go on with those.",
                    lambda case, seen: seen.value["held up"]),
        ),
        hints=(
            "Keep a set of the customers of whom something has failed.",
            'A customer is record["attributes"]["MessageGroupId"].',
            "Is the customer in the set? Then name the message without trying it.",
        ),
    ),
    Exercise(
        id="5.4",
        title="A test that bites",
        cases=handlers,
        observe=examine,
        mistakes=(
            Mistake("It lets handlers pass that stop at a failure, or forget all but one. Let two fail.",
                    lambda case, seen: came("wrong: stops", "passes")(case, seen)
                    or came("wrong: names only the last", "passes")(case, seen)),
            Mistake("It lets a handler pass that names too many. Compare with exactly what is wanted.",
                    came("wrong: names all", "passes")),
            Mistake("It lets a handler pass that names something else than the messageId. Compare the ids.",
                    came("wrong: names the receipt handle", "passes")),
            Mistake("The shipped handler raises when all fail, for the alarm's sake. Let at least one succeed.",
                    lambda case, seen: seen.value == "fails: RuntimeError"
                    or came("wrong: names all", "passes")(case, seen)),
            Mistake("An error that comes out of the handler must fail the test. Do not catch it.",
                    came("wrong: lets the error out", "passes")),
            Mistake("It lets wrong handlers pass. Let two fail, neither the last, and compare the whole answer.",
                    lambda case, seen: case.given["handler"].startswith("wrong") and seen.value == "passes"),
            Mistake("It fails for a handler that is right.",
                    lambda case, seen: str(seen.value).startswith("fails:")),
        ),
        hints=(
            "Make a work that fails for two of the records: not all, and not the last ones only.",
            "Write down the answer that is wanted, with the messageId of those two, and compare.",
        ),
    ),
)  # fmt: skip


def how_many_die(dead: Any) -> str:
    """The option of prediction 5.A that the number of dead letters, of ten, shows."""
    return {1: "a", 7: "b", 10: "c"}.get(dead, "")


def how_misnamed(dead: Any) -> str:
    """The option of prediction 5.B that the dead letters show."""
    return {0: "a", 1: "b", 10: "c"}.get(dead, "")


PREDICTIONS = (
    Prediction(
        "5.A",
        "Dead letters for one bad message",
        {"a": "1", "b": "7", "c": "10"},
        how_many_die,
    ),
    Prediction(
        "5.B",
        "A wrong key in the answer",
        {"a": "none dies, the bad order is lost", "b": "the bad one dies", "c": "all ten die"},
        how_misnamed,
    ),
    Prediction(
        "5.C",
        "The mapping without its flag",
        {"a": "it comes back", "b": "all ten come back", "c": "it is lost"},
        lambda seen: {(1, 0): "a", (10, 0): "b", (0, 1): "c"}.get(tuple(seen), ""),
    ),
)
