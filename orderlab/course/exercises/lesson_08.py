"""The predictions and exercises of lesson 08: calls through three layers, the article's retry, a backoff of one's own.

Taught in notebooks/08_waiting_well.ipynb
"""

from collections.abc import Sequence
from functools import cache
from statistics import median
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Score, Shows, itself, says
from orderlab.course.answers.predictions import Prediction
from orderlab.sim.contention import article_strategies, contend_many

RECEIVES, ATTEMPTS, HIDDEN = 5, 3, 3  # exercise 8.1: of the queue, of our policy, of boto3 in it
WINDOWS = (0.5, 1.0, 2.0)  # seconds, exercise 8.2
ENOUGH, CALL = 30.0, 0.1  # seconds: time left in most cases, one call
CLIENTS, SEEDS = (5, 20, 50, 100), range(5)  # exercise 8.3
SLACK = 1.25  # as long as full jitter may it take
FULL = article_strategies()["FullJitter"]  # the one of AWS's measurement


class Killed(BaseException):
    """Lambda has stopped the function: no except of the answer's own is for this."""


def asked() -> Sequence[Case]:
    """The one case of exercise 8.1: the layers multiply."""
    return [Case("three layers that ask again", {}, RECEIVES * ATTEMPTS * HIDDEN)]


def tried(answer: Any, outcomes: list[str], share: float, left: float) -> dict[str, Any]:
    """Run a retry in a world of its own: the seconds of each wait, how often it called, and how it ended.

    `outcomes` are what the calls come to, and the last one stays; chance is always at this `share` of what is asked
    for; Lambda kills it when `left` seconds are over.
    """
    clock, calls, slept = [0.0], [0], list[float]()

    def pass_by(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] >= left:
            raise Killed

    def call() -> str:
        outcome = outcomes[min(calls[0], len(outcomes) - 1)]
        calls[0] += 1
        pass_by(CALL)
        if outcome == "ok":
            return "the answer"
        raise {"time-out": TimeoutError, "bug": ValueError}[outcome](outcome)

    def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        pass_by(seconds)

    try:
        end = answer(call, sleep, lambda low, high: low + share * (high - low), lambda: left - clock[0])
    except Killed:
        end = "killed by Lambda"
    except (TimeoutError, ValueError) as error:
        end = f"raised {type(error).__name__}"
    return {"slept": slept, "calls": calls[0], "end": end}


def retries() -> Sequence[Case]:
    """The cases of exercise 8.2."""

    def case(about: str, outcomes: list[str], share: float, waits: int, end: str, left: float = ENOUGH) -> Case:
        slept = [round(share * window, 3) for window in WINDOWS[:waits]]
        given = {"outcomes": outcomes, "share": share, "left": left}
        return Case(about, given, {"slept": slept, "calls": waits + 1, "end": end})

    return [
        case("it works at once", ["ok"], 0.5, 0, "the answer"),
        case("one time-out, then it works", ["time-out", "ok"], 0.5, 1, "the answer"),
        case("it never answers", ["time-out"], 0.5, 3, "raised TimeoutError"),
        case("it never answers, and chance is small", ["time-out"], 0.1, 3, "raised TimeoutError"),
        case("a bug", ["bug"], 0.5, 0, "raised ValueError"),
        case("a time-out, then a bug", ["time-out", "bug"], 0.5, 1, "raised ValueError"),
        case("it never answers, and the function has 1 s", ["time-out"], 0.9, 1, "raised TimeoutError", 1.0),
    ]


def all_ended(*ends: str) -> Shows:
    """Did it end so?"""
    return lambda case, seen: seen.value["end"] in ends


def longer(case: Case, seen: Observed) -> bool:
    """Is its first wait at least the window, or too long to begin, where a part of the window is wanted?"""
    slept, wanted = seen.value["slept"], case.wanted["slept"]
    return len(wanted) > 0 and (not slept or slept[0] >= WINDOWS[0])


def measured(answer: Any, clients: int) -> dict[str, Any]:
    """Let clients contend for one row with a backoff: medians of calls and seconds; and is there chance in it?"""
    low, high = (answer(3, 0.1, lambda share=share: share) for share in (0.1, 0.9))
    runs = contend_many(clients, answer, seeds=SEEDS)
    calls, seconds = int(median(runs.calls)), round(float(median(runs.seconds)), 2)
    most, longest = bounds(clients)
    return {
        "calls": calls,
        "seconds": seconds,
        "chance": low != high,
        "few": calls <= most,
        "soon": seconds <= longest,
    }


@cache
def bounds(clients: int) -> tuple[int, float]:
    """The calls of full jitter, and the seconds that are allowed."""
    runs = contend_many(clients, FULL, seeds=SEEDS)
    return int(median(runs.calls)), round(SLACK * float(median(runs.seconds)), 2)


def crowds() -> Sequence[Case]:
    """The cases of exercise 8.3."""
    found = []
    for clients in CLIENTS:
        most, longest = bounds(clients)
        about = f"{clients} clients: at most {most} calls and {longest:.2f} s"
        found.append(Case(about, {"clients": clients}, {"few calls": True, "in time": True}))
    return found


def shown(value: Any) -> Any:
    """What of a measurement is compared, with the numbers where they are not good enough."""
    return {
        "few calls": value["few"] or f"{value['calls']} calls",
        "in time": value["soon"] or f"{value['seconds']:.2f} s",
    }


EXERCISES = (
    Exercise(
        id="8.1",
        title="How often is the provider asked?",
        cases=asked,
        observe=itself,
        tolerance=0.1,
        mistakes=(
            Mistake("You have added the layers. Each attempt of the outer one is a whole call of the inner one.",
                    says(11)),
            Mistake("The queue is a layer, too: it hands the message out again, and the function starts anew.",
                    says(9)),
            Mistake("One of the three layers is missing.", says(15)),
            Mistake("The sixth receive never reaches the function: it makes the dead letter.", says(54)),
            Mistake("An attempt is the first call, too: three attempts are two retries.", says(80, 64)),
            Mistake("The queue hands it out five times, not three.", says(27)),
        ),
        hints=(
            "How many calls does one attempt of the policy make?",
            "How many attempts does one run of the function make, and how many runs are there?",
        ),
    ),
    Exercise(
        id="8.2",
        title="The article's retry",
        cases=retries,
        observe=tried,
        mistakes=(
            Mistake("It retries whatever went wrong: a bug stays one however long you wait.",
                    lambda case, seen: "bug" in case.given["outcomes"] and seen.value["calls"] > case.wanted["calls"]),
            Mistake("It sleeps until Lambda kills it: compare the wait with remaining() first.",
                    all_ended("killed by Lambda")),
            Mistake("After the last try it sleeps once more, for nothing.",
                    lambda case, seen: len(seen.value["slept"]) >= seen.value["calls"]),
            Mistake("It hides the last error: the caller takes that for success.",
                    lambda case, seen: case.wanted["end"].startswith("raised") and seen.value["end"] is None),
            Mistake("Nobody is ever early: full jitter draws from the whole window, beginning at 0.", longer),
            Mistake("All waits are drawn from the same window: let it double.",
                    lambda case, seen: len(set(seen.value["slept"])) == 1 < len(case.wanted["slept"])),
            Mistake("It calls three times at most, and four are wanted: three retries come after the first call.",
                    lambda case, seen: seen.value["calls"] == 3 < case.wanted["calls"]),
        ),
        hints=(
            "Three things are wrong: what is caught, what is slept, and what is not asked.",
            "Full jitter is uniform(0, delay).",
            "`if wait >= remaining(): raise` inside the except gives the last error to the caller.",
        ),
    ),
    Exercise(
        id="8.3",
        title="Beat full jitter",
        cases=crowds,
        observe=measured,
        shown=shown,
        score=Score(lambda value: value["calls"], "calls", 985),
        mistakes=(
            Mistake("Everybody waits equally long, so they come back together: use rng().",
                    lambda case, seen: not seen.value["chance"]),
            Mistake("With chance, but too short: they meet again and again. What is long enough for two to miss?",
                    lambda case, seen: seen.value["soon"] and not seen.value["few"]),
            Mistake("Few calls, but it takes too long: a few clients wait as if they were many. Begin shorter.",
                    lambda case, seen: seen.value["few"] and not seen.value["soon"]),
            Mistake("A wait is a number of seconds, finite and at least 0.",
                    lambda case, seen: seen.ended == "raised" and seen.error[0] in ("ValueError", "TypeError")),
        ),
        hints=(
            "A try takes four hops of 10 ms. What does it help to wait for less than that?",
            "full_jitter(base, cap) of orderlab.patterns.backoff makes such functions: try other bases.",
        ),
    ),
)  # fmt: skip


def many_times(seconds: Any) -> str:
    """The option of prediction 8.A that the billed seconds show; the shipped function is billed for 4."""
    return "a" if seconds < 10 else "b" if seconds <= 40 else "c" if seconds > 120 else ""


PREDICTIONS = (
    Prediction(
        "8.A",
        "Seconds billed behind the same breaker",
        {"a": "about as many", "b": "up to ten times as many", "c": "more than thirty times as many"},
        many_times,
    ),
    Prediction(
        "8.B",
        "The last of a hundred that wait alike",
        {"a": "before 1.5 s", "b": "after about 3 s", "c": "after more than 10 s"},
        lambda seconds: "a" if seconds < 1.5 else "b" if 2 < seconds < 4 else "c" if seconds > 10 else "",
    ),
    Prediction(
        "8.C",
        "Calls that reach a database that is down",
        {"a": "20", "b": "55", "c": "80"},
        lambda calls: {20: "a", 55: "b", 80: "c"}.get(calls, ""),
    ),
)
