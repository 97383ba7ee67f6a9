"""The predictions and exercises of lesson 04: how long a poison message lives, a queue's settings, a receive loop.

Taught in notebooks/04_the_queue.ipynb
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself, says
from orderlab.course.answers.predictions import Prediction

from .receive_loop import consume

VISIBILITY, RECEIVES = 300.0, 3  # exercise 4.1: seconds, receives
FEWEST = 5  # receives, as AWS recommends


def lifetime() -> Sequence[Case]:
    """The one case of exercise 4.1: the move comes with the receive after the last one that is allowed."""
    return [Case("three tries, 300 s each", {}, VISIBILITY * RECEIVES / 60)]


def right_settings(timeout: float, window: float, outage: float) -> dict[str, float]:
    """AWS's rule, and a last try that does not come before the outage is over. Seconds."""
    visibility = 6 * timeout + window
    return {"VisibilityTimeout": visibility, "maxReceiveCount": max(FEWEST, ceil(outage / visibility) + 1)}


def queues() -> Sequence[Case]:
    """The cases of exercise 4.2."""
    given = (
        ("the payment queue, and an outage of 15 minutes", 30, 0, 900),
        ("a batching window of a minute", 30, 60, 3600),
        ("an outage that ends between two tries", 10, 0, 1000),
        ("a short outage", 10, 0, 60),
        ("a window, and an end between two tries", 10, 20, 1000),
    )
    names = ("timeout", "window", "outage")
    return [Case(about, dict(zip(names, some, strict=True)), right_settings(*some)) for about, *some in given]


def setting(name: str, wrong: Callable[..., float], when: Callable[..., bool] = lambda **given: True) -> Any:
    """Is this setting what a misconception makes of it, wherever it would show?"""
    return lambda case, seen: when(**case.given) and seen.value[name] == wrong(**case.given) != case.wanted[name]


def loops() -> Sequence[Case]:
    """The cases of exercise 4.3."""

    def case(about: str, arrivals: dict[str, float], fails: dict[str, int], runs: int, left: list[str]) -> Case:
        ends = {"done": {body: 1 for body in arrivals if body not in left}, "lost": [], "in the queue": left}
        return Case(about, {"arrivals": arrivals, "fails": fails, "runs": runs}, ends)

    return [
        case("three messages", {"A": 0, "B": 0, "C": 0}, {}, 2, []),
        case("an empty queue", {}, {}, 1, []),
        case("twelve messages, more than one call brings", {f"M{n}": 0 for n in range(1, 13)}, {}, 1, []),
        case("a message that comes after 8 seconds", {"A": 8}, {}, 1, []),
        case("the work on B fails once", {"A": 0, "B": 0, "C": 0}, {"B": 1}, 2, []),
        case("the work on B always fails", {"A": 0, "B": 0, "C": 0}, {"B": 99}, 2, ["B"]),
    ]


def never_deletes(case: Case, seen: Observed) -> bool:
    """Was work done and nothing deleted? Of many messages the first are back before the last, so that has no end."""
    if seen.ended == "endless":
        return len(case.given["arrivals"]) > 10
    return seen.value["deletions"] == 0 and bool(seen.value["done"])


def raised(*names: str) -> Shows:
    """Did the answer raise one of these, or an error that says so?"""
    return lambda case, seen: seen.ended == "raised" and any(name in " ".join(seen.error) for name in names)


EXERCISES = (
    Exercise(
        id="4.1",
        title="How long does poison live?",
        cases=lifetime,
        observe=itself,
        tolerance=0.1,
        mistakes=(
            Mistake("At that moment the last try begins. Then the message is hidden once more: who would move it?",
                    says(10)),
            Mistake("The visibility timeout runs from the receive, while the function works, not after it.",
                    says(16, 11)),
            Mistake("It is moved by the receive after the third; that one is not a try any more.", says(20)),
            Mistake("The answer is wanted in minutes, and that looks like seconds.", says(600, 900, 960)),
            Mistake("That is one visibility timeout; it takes as many as there are receives.", says(5)),
        ),
        hints=(
            "Write down the minutes at which the message is received: 0, 5, …",
            "The dead letter is made by the receive that would be one too many.",
        ),
    ),
    Exercise(
        id="4.2",
        title="The article's queue",
        cases=queues,
        mistakes=(
            Mistake("The batching window is missing: a message waits there with its clock running.",
                    setting("VisibilityTimeout", lambda timeout, **more: 6 * timeout)),
            Mistake("A timeout that just covers the function leaves nothing for what comes before its start.",
                    setting("VisibilityTimeout", lambda timeout, window, **more: timeout + window)),
            Mistake("The window counts once: a message waits there once for each receive.",
                    setting("VisibilityTimeout", lambda timeout, window, **more: 6 * (timeout + window))),
            Mistake("Fewer than five receives: with that, throttling alone can push healthy messages out.",
                    lambda case, seen: case.wanted["maxReceiveCount"] == FEWEST > seen.value["maxReceiveCount"]),
            Mistake("The last try falls into the outage. The first try is at second 0, so n tries take n - 1 timeouts.",
                    lambda case, seen: seen.value["maxReceiveCount"] < case.wanted["maxReceiveCount"]),
            Mistake("More receives than needed: a poison message lives that much longer.",
                    lambda case, seen: seen.value["maxReceiveCount"] > case.wanted["maxReceiveCount"]),
        ),
        hints=(
            "AWS's rule has two terms.",
            "Tries are at 0, V, 2 V and so on. How many until one is not before the end of the outage?",
            "Round up, add the one at second 0, and never go below five.",
        ),
    ),
    Exercise(
        id="4.3",
        title="Receive, work, delete",
        cases=loops,
        observe=consume,
        shown=lambda value: {name: value[name] for name in ("done", "lost", "in the queue")},
        mistakes=(
            Mistake("It deletes before the work. When that fails, or the machine dies, nobody has the message.",
                    lambda case, seen: seen.value["early"]),
            Mistake("It deletes what it could not do. Leave such a message alone, and it comes back.",
                    lambda case, seen: seen.value["lost"]),
            Mistake("It works and never deletes: the message comes back, and is done again.",
                    never_deletes),
            Mistake("One message that fails stops the whole loop, and the others of its batch come back for nothing.",
                    raised("RuntimeError")),
            Mistake('When nothing is there, the answer has no "Messages" at all.', raised("KeyError")),
            Mistake("A message is deleted by the receipt handle of this receive, not by its id.",
                    raised("ReceiptHandleIsInvalid")),
            Mistake("It stops after one answer, and more messages are waiting.",
                    lambda case, seen: len(case.given["arrivals"]) > 10 and seen.value["in the queue"]),
            Mistake("It gives up at the first empty answer without waiting: let the call wait up to 20 seconds.",
                    lambda case, seen: case.given["arrivals"] == {"A": 8} and seen.value["in the queue"]),
            Mistake("It never ends: stop when a long poll brings nothing.", lambda case, seen: seen.ended == "endless"),
        ),
        hints=(
            "A while loop around receive_message with MaxNumberOfMessages=10 and WaitTimeSeconds=20.",
            'answer.get("Messages", []) is a list, empty when nothing came: then return.',
            "Try the work of each message; delete in the else branch, with the message's ReceiptHandle.",
        ),
    ),
)  # fmt: skip


def how_many(twice: Any) -> str:
    """The option of prediction 4.A that the number of orders paid twice, of ten, shows."""
    return "a" if twice == 0 else "b" if twice < 4 else "c" if twice > 6 else ""


def how_often(seen: Any) -> str:
    """The option of prediction 4.B that dead letters, and those of them without any work, show."""
    dead, unseen = seen
    return "a" if dead == 0 else "b" if unseen == 0 else "c"


PREDICTIONS = (
    Prediction(
        "4.A",
        "A timeout of nearly three charges",
        {"a": "none", "b": "one to three", "c": "seven or more"},
        how_many,
    ),
    Prediction(
        "4.B",
        "Dead letters of a function that never fails",
        {"a": "none", "b": "some, each worked on in vain", "c": "some that no code has ever seen"},
        how_often,
    ),
    Prediction(
        "4.C",
        "The end of a poison message",
        {"a": "at once", "b": "after 240 s", "c": "after 300 s", "d": "never"},
        lambda seconds: "a" if seconds < 5 else "b" if 235 < seconds < 245 else "c" if 295 < seconds < 305 else "",
    ),
)
