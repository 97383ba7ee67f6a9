"""The predictions and exercises of lesson 09: a load that a budget can carry, a breaker misused, a breaker written.

Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from collections.abc import Callable, Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself, says
from orderlab.course.answers.predictions import Prediction
from orderlab.sim.poking import CircuitBreaker, Open

CAPACITY, BUDGET = 300, 0.1  # calls/s, and retries for each call: exercise 9.1

ERRORS: dict[str, type[Exception]] = {"fails": TimeoutError, "is refused": ValueError}


def loads() -> Sequence[Case]:
    """The one case of exercise 9.1."""
    return [Case("one retry, behind a budget", {}, CAPACITY / (1 + BUDGET))]


def guard(answer: Any, calls: list[dict[str, Any]]) -> list[str]:
    """What came of each call under a breaker, in the order in which they began; some come during another's."""
    breaker, seen = CircuitBreaker(), list[str]()

    def one(at: float, call: str = "works", during: Sequence[dict[str, Any]] = ()) -> None:
        place = len(seen)
        seen.append("not asked")

        def ask() -> str:
            seen[place] = "asked"
            for other in during:
                one(**other)
            if call in ERRORS:
                raise ERRORS[call](call)
            return "a receipt"

        try:
            ended = str(answer(breaker, ask, float(at)))
        except (Open, TimeoutError, ValueError) as error:
            ended = type(error).__name__
        seen[place] += f", {ended}"

    for each in calls:
        one(**each)
    return seen


def shipped(breaker: CircuitBreaker, ask: Callable[[], Any], now: float) -> Any:
    """What exercise 9.2 must come to: the breaker's own `call`."""
    return breaker.call(ask, clock=lambda: now, ignore=(ValueError,))


TRIP = [{"at": 0, "call": "fails"}] * 5
LATE = "a call of before the trip ends after it"


def guarded_calls() -> Sequence[Case]:
    """The cases of exercise 9.2."""
    fails = {"call": "fails"}

    def case(about: str, *calls: dict[str, Any]) -> Case:
        return Case(about, {"calls": list(calls)}, guard(shipped, list(calls)))

    return [
        case("all is well", {"at": 0}, {"at": 1}),
        case("five failures in a row", *TRIP, {"at": 1}, {"at": 29}),
        case("a success between the failures", *TRIP[:4], {"at": 0}, *TRIP[:4], {"at": 1}),
        case("five refusals in a row", *[{"at": 0, "call": "is refused"}] * 5, {"at": 1}),
        case("30 s later it works again", *TRIP, {"at": 30}, {"at": 31}),
        case("another call during the probe", *TRIP, {"at": 30, "during": [{"at": 31}]}, {"at": 32}),
        case("the probe fails", *TRIP, {"at": 30, **fails}, {"at": 31}, {"at": 59}, {"at": 60}),
        case("the probe is refused", *TRIP, {"at": 30, "call": "is refused"}, {"at": 31}),
        case(LATE, {"at": 0, **fails, "during": [*TRIP, {"at": 30}]}, *[{"at": 31, **fails}] * 4, {"at": 32}),
    ]


def step(answer: Any, events: list[tuple[float, str]]) -> list[bool]:
    """Hand the events to the answer, one after the other, with its own state; what each "ask" was told."""
    state, told = None, []
    for now, event in events:
        state, may = answer(state, event, float(now))
        if event == "ask":
            told.append(may)
    return told


class Reference:
    """Exercise 9.3 by the breaker that ships."""

    def __init__(self) -> None:
        self.breaker = CircuitBreaker()

    def __call__(self, state: Any, event: str, now: float) -> tuple[None, bool]:
        if event == "ask":
            return None, self.breaker.allow(now) is not None
        (self.breaker.success if event == "worked" else self.breaker.failure)(now)
        return None, False


def asks(*at: float, event: str = "") -> list[tuple[float, str]]:
    """An "ask" at each of these times, each followed by this event."""
    return [(now, one) for now in at for one in (["ask", event] if event else ["ask"])]


def steps() -> Sequence[Case]:
    """The cases of exercise 9.3."""
    trip = asks(0, 0, 0, 0, 0, event="failed")
    four = asks(1, 2, 3, 4, event="failed")

    def case(about: str, *parts: list[tuple[float, str]]) -> Case:
        events = [event for part in parts for event in part]
        return Case(about, {"events": events}, step(Reference(), events))

    return [
        case("all is well", asks(0, 1, 2, event="worked")),
        case("four failures", four, asks(5)),
        case("five failures in a row", trip, asks(0, 1, 29)),
        case("a success between the failures", four, asks(5, event="worked"), four, asks(6)),
        case("the 30 s are over", trip, asks(30)),
        case("three ask when they are over", trip, asks(30, 30, 31)),
        case("the probe works", trip, asks(30, event="worked"), asks(31, 31)),
        case("the probe fails", trip, asks(30, event="failed"), asks(31, 59)),
        case("the probe fails, and 30 s more are over", trip, asks(30, event="failed"), asks(60)),
        case("closed again, and one failure", trip, asks(30, event="worked"), asks(31, event="failed"), asks(32)),
        case("somebody asks while it is open", trip, asks(10, 20), asks(30)),
        case("a late failure while it is open", trip, [(20, "failed")], asks(30)),
    ]


def only(*abouts: str) -> Shows:
    """Does it happen in a case of these?"""
    return lambda case, seen: seen.ended == "returned" and case.about in abouts


def swallows(case: Case, seen: Observed) -> bool:
    """Did the right calls go through, and an error did not get out?"""
    firsts = [[str(one).partition(",")[0] for one in told] for told in (case.wanted, seen.value or ())]
    return seen.ended == "returned" and firsts[0] == firsts[1]


SHUT = ("30 s later it works again", "another call during the probe", "the probe fails", "the probe is refused",
        LATE)  # fmt: skip
AGAIN = ("the 30 s are over", "three ask when they are over", "the probe works", "the probe fails",
         "the probe fails, and 30 s more are over", "closed again, and one failure", "somebody asks while it is open",
         "a late failure while it is open")  # fmt: skip

EXERCISES = (
    Exercise(
        id="9.1",
        title="How much can the budget carry?",
        cases=loads,
        observe=itself,
        tolerance=1.0,
        mistakes=(
            Mistake("That is the bound without a budget, where each request may come twice.", says(150)),
            Mistake("Ten per cent of the load, not of the capacity: 297 calls/s would do, and 300 are possible.",
                    says(270)),
            Mistake("At that load the first tries alone fill the database: there is no room for a retry.", says(300)),
            Mistake("More than the database can do. The retries are part of its load.", says(330)),
        ),
        hints=(
            "What reaches the database in the worst case: first tries, and a tenth as many retries.",
            "That sum must stay below 300.",
        ),
    ),
    Exercise(
        id="9.2",
        title="A breaker that never closes",
        cases=guarded_calls,
        observe=guard,
        mistakes=(
            Mistake("A probe that was refused keeps its place: tell the breaker of it, too.",
                    only("the probe is refused")),
            Mistake("A late result counts for the present state: hand the permit back with the result.", only(LATE)),
            Mistake("It never asks again: `state` changes when somebody asks `allow`, and not with the clock.",
                    only(*SHUT)),
            Mistake("A refusal is counted as a failure. The provider lives: it is our request that is wrong.",
                    only("five refusals in a row", "the probe is refused")),
            Mistake("The breaker never hears of a success, so old failures add up, and no probe ever closes it.",
                    only("a success between the failures", "30 s later it works again",
                         "another call during the probe", LATE)),
            Mistake("The caller must hear the error: raise it again.", swallows),
        ),
        hints=(
            "Ask `breaker.allow(now)` and not the state. What does it return?",
            "Each permit goes back once: with `success`, with `failure`, or with `release`.",
            "A ValueError comes from a provider that lives. Catch it before the other errors.",
        ),
    ),
    Exercise(
        id="9.3",
        title="Your own breaker",
        cases=steps,
        observe=step,
        mistakes=(
            Mistake("Half-open is for one call: when the 30 s are over, all were let in.",
                    only("three ask when they are over")),
            Mistake("A success does not set the count back: four failures, a success and more are no five in a row.",
                    only("a success between the failures")),
            Mistake("After a probe that works the count begins anew, at none.", only("closed again, and one failure")),
            Mistake("A probe that fails opens it for 30 s more, from that moment.", only("the probe fails")),
            Mistake("Who asks, or fails late, while it is open must not make the wait longer.",
                    only("somebody asks while it is open", "a late failure while it is open")),
            Mistake("It stays open for ever: 30 s after the trip one may ask.", only(*AGAIN)),
            Mistake("It opens too late: the fifth failure is the one that counts.",
                    only("five failures in a row", *AGAIN)),
        ),
        hints=(
            "Three facts are enough: failures in a row, when it opened, and whether a probe is under way.",
            "At an ask: closed, yes; open for less than 30 s, no; else yes, if no probe is under way.",
        ),
    ),
)  # fmt: skip

PREDICTIONS = (
    Prediction(
        id="9.A",
        title="Ten minutes without a breaker",
        options={"a": "orders are lost", "b": "somebody pays twice", "c": "neither"},
        right=lambda seen: "a" if seen["lost"] else "b" if seen["charged_twice"] else "c",
    ),
    Prediction(
        id="9.B",
        title="Half of all calls fail",
        options={"a": "about 10 calls", "b": "about 30 calls", "c": "about 60 calls"},
        right=lambda seen: "a" if seen < 20 else "b" if seen < 45 else "c",
    ),
    Prediction(
        id="9.C",
        title="Half a minute after the outage",
        options={"a": "all", "b": "about half of them", "c": "none"},
        right=lambda seen: "a" if seen > 250 else "b" if seen > 50 else "c",
    ),
)
