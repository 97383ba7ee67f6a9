"""The predictions and exercises of lesson 07: how old a message can be, points for an order, and work done once.

Taught in notebooks/07_exactly_once_nearly.ipynb
"""

from collections.abc import Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself, says
from orderlab.course.answers.predictions import Prediction

from .leases import ask
from .points import give

KEPT, KEPT_DEAD = 4, 14  # days: the retention of the payment queue and of its dead-letter queue


def oldest() -> Sequence[Case]:
    """The one case of exercise 7.1: 14 days as a dead letter by its first date, then 4 more as a new message."""
    return [Case("one redrive at the last moment", {}, KEPT_DEAD + KEPT)]


def gifts() -> Sequence[Case]:
    """The cases of exercise 7.2."""
    one = {"orderId": "ORD-1", "customerId": "C-1", "points": 85, "sentAt": "Mon 09:00"}
    second = {**one, "orderId": "ORD-2", "points": 20}
    later = {**one, "sentAt": "Wed 11:30"}

    def case(about: str, *messages: dict[str, Any], points: int = 85, **more: Any) -> Case:
        return Case(about, {"messages": list(messages), **more}, {"C-1": points})

    return [
        case("one message", one),
        case("the same message twice", one, one),
        case("two orders of one customer", one, second, points=105),
        case("a redrive two days later, which sends it anew", one, later),
        *(case(f"two copies at once, at call {n}", one, at_once=n) for n in (1, 2, 3)),
        *(case(f"it dies {when} call {n}", one, dies=(n, when)) for n in (1, 2, 3) for when in ("before", "after")),
    ]


def more(*abouts: str) -> Shows:
    """Are there too many points, in a case of these?"""
    return lambda case, seen: case.about.startswith(abouts) and total(seen) > case.wanted["C-1"]


def fewer(*abouts: str) -> Shows:
    """Are there too few, in a case of these?"""
    return lambda case, seen: case.about.startswith(abouts) and total(seen) < case.wanted["C-1"]


def either(*shows: Shows) -> Shows:
    """Does one of them hold?"""
    return lambda case, seen: any(one(case, seen) for one in shows)


def total(seen: Observed) -> int:
    """All points that were given."""
    return sum(seen.value.values())


def requests() -> Sequence[Case]:
    """The cases of exercise 7.3."""

    def case(about: str, requests: list[dict[str, Any]], *wanted: Any, runs: int) -> Case:
        return Case(about, {"requests": requests}, [*wanted, f"runs: {runs}"])

    first, second, busy = {"receipt": 1}, {"receipt": 2}, "in progress"
    killed, unrecorded = "is killed", "is done, and killed before the record"
    return [
        case("one request", [{"at": 0}], first, runs=1),
        case("it is repeated", [{"at": 0}, {"at": 10}, {"at": 99_999}], first, first, first, runs=1),
        case("two keys", [{"at": 0, "key": "a"}, {"at": 1, "key": "b"}], first, second, runs=2),
        case("a request during the work", [{"at": 0, "during": {"at": 5}}], busy, first, runs=1),
        case("the work fails", [{"at": 0, "work": "fails"}, {"at": 1}], "failed", second, runs=2),
        case("it is killed", [{"at": 0, "work": killed}, {"at": 29}], "killed", busy, runs=1),
        case("it is killed, and its lease is over", [{"at": 0, "work": killed}, {"at": 31}, {"at": 32}],
             "killed", second, second, runs=2),
        case("it is killed between work and record", [{"at": 0, "work": unrecorded}, {"at": 29}, {"at": 31}],
             "killed", busy, second, runs=2),
        case("the answer is empty", [{"at": 0, "work": "has nothing to say"}, {"at": 1}], {}, {}, runs=1),
    ]  # fmt: skip


def ran(seen: Observed) -> int:
    """How often the work ran."""
    return int(str(seen.value[-1]).removeprefix("runs: "))


def plainly(value: Any) -> Any:
    """What can be looked for in a set."""
    return value if isinstance(value, str | None) else "an answer"


def too_rarely(*abouts: str) -> Shows:
    """Did the work run too rarely, in a case of these?"""
    return lambda case, seen: (
        seen.ended == "returned" and case.about in abouts and ran(seen) < int(case.wanted[-1].removeprefix("runs: "))
    )


OVER = ("it is killed, and its lease is over", "it is killed between work and record")

EXERCISES = (
    Exercise(
        id="7.1",
        title="How old can a message be?",
        cases=oldest,
        observe=itself,
        tolerance=0.1,
        mistakes=(
            Mistake("That is as long as the dead-letter queue keeps it. A redrive then sends it to the first queue.",
                    says(14)),
            Mistake("That is the first queue alone: a message can fail there, and wait elsewhere.", says(4)),
            Mistake("A dead letter keeps its first date: the days before it died are among the 14.", says(22)),
            Mistake("A record of a day is Notify's. The question is what a message can reach.", says(1)),
            Mistake("It counts two stays in the dead-letter queue. The question ends with the try after one redrive.",
                    says(28, 32, 36)),
        ),
        hints=(
            "Draw its life: sent, dead, redriven, received.",
            "A dead letter's 14 days began when it was first sent; after the redrive it is a new message.",
        ),
    ),
    Exercise(
        id="7.2",
        title="Points for an order",
        cases=gifts,
        observe=give,
        mistakes=(
            Mistake("A redrive sends the message anew, with a new time: name what happened, not its sending.",
                    more("a redrive")),
            Mistake("One customer, two orders: the second one is taken for a repeat of the first.",
                    fewer("two orders")),
            Mistake("The marker is there before the points: a crash between the two, and nobody gets them.",
                    either(fewer("it dies"), more("two copies"))),
            Mistake("The points are there before the marker: a crash between the two, and they are given again.",
                    either(more("it dies", "two copies"))),
            Mistake("It does not remember what it has done: every delivery gives the points again.",
                    more("the same", "two copies", "it dies", "a redrive")),
        ),
        hints=(
            "What is the same each time that this order is told of?",
            "Two writes have a gap between them. Which one of the four calls has none?",
            "transact checks and writes in one step: no get is needed before it.",
        ),
    ),
    Exercise(
        id="7.3",
        title="Once, with a lease",
        cases=requests,
        observe=ask,
        mistakes=(
            Mistake("It takes the key from one that is still at work: its lease is not over.",
                    lambda case, seen: "in progress" in case.wanted
                    and not {"in progress", None}.intersection(map(plainly, seen.value))),
            Mistake("A try that was killed keeps the key for ever: nobody is left to free it, so its lease must.",
                    too_rarely(*OVER)),
            Mistake("Work that failed has done nothing: free its key, so that the next request tries again.",
                    lambda case, seen: case.about == "the work fails" and seen.value[0] == "failed"),
            Mistake("The caller must hear of the error: raise it again.",
                    lambda case, seen: case.about == "the work fails" and seen.value[0] != "failed"),
            Mistake("An empty answer is an answer: ask the status of the record, not whether the answer is true.",
                    lambda case, seen: case.about == "the answer is empty"),
            Mistake("It says done before it is: a try that was killed is then taken for one that succeeded.",
                    lambda case, seen: case.about.startswith(("it is killed", "a request"))),
            Mistake("A repeat runs the work again: put_if must refuse a key whose record is completed.",
                    lambda case, seen: seen.ended == "returned"
                    and ran(seen) > int(case.wanted[-1].removeprefix("runs: "))),
        ),
        hints=(
            "Three steps: take the key with put_if, do the work, put the record with its answer.",
            "free(old) is true where old is None, or in progress with a lease that ended before now.",
            "If put_if gives you a row, it is completed (return its answer) or in progress (say so).",
            "Around the work: except Exception, delete the key, and raise.",
        ),
    ),
)  # fmt: skip


PREDICTIONS = (
    Prediction(
        "7.A",
        "Publish first, and nobody asks again",
        {"a": "nothing", "b": "a confirmed order", "c": "paid, and no order"},
        lambda end: "c" if end == "paid, no order" else "",
    ),
    Prediction(
        "7.B",
        "A redrive on Wednesday",
        {"a": "once", "b": "twice", "c": "ten times"},
        lambda seen: {1: "a", 2: "b"}.get(seen, "c" if seen > 2 else ""),
    ),
    Prediction(
        "7.C",
        "One token, three times",
        {"a": "one mug", "b": "two mugs", "c": "three mugs"},
        lambda sold: {1: "a", 2: "b", 3: "c"}.get(sold, ""),
    ),
)
