"""The predictions and exercises of lesson 00: when a queue heals, how an app sends again, and what a time-out says.

Taught in notebooks/00_start_here.ipynb
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Shows, itself, says
from orderlab.course.answers.predictions import Prediction

Basket = dict[str, int]
VISIBILITY = 180.0  # seconds: the payment queue's, in the template
OUTAGE = 20.0  # minutes


def healed(outage: float, visibility: float) -> float:
    """Minutes until the first try at or after the end of an outage in minutes; visibility in seconds."""
    return ceil(outage * 60 / visibility) * visibility / 60


def when_healed() -> Sequence[Case]:
    """The one case of exercise 0.1."""
    return [Case(f"an outage of {OUTAGE:.0f} minutes", {}, healed(OUTAGE, VISIBILITY))]


def send_again(answer: Any, baskets: list[Basket], lines: list[str]) -> dict[str, Any]:
    """Let an app place one order after the other in a shop that is called over bad lines, and count.

    The last line stays as it is. A line is "good", "question lost" (the shop never hears it), "answer lost" (the app
    never hears it), or "refused".
    """
    orders: dict[str, Basket] = {}
    ends, sends, keys = [], 0, 0

    def new_key() -> str:
        nonlocal keys
        keys += 1
        return f"key-{keys}"

    def send(key: str, basket: Basket) -> str:
        nonlocal sends
        line = lines[min(sends, len(lines) - 1)]
        sends += 1
        if line == "refused":
            raise ValueError("400 Bad Request")
        if line != "question lost":
            orders.setdefault(str(key), basket)
        if line != "good":
            raise TimeoutError("no answer")
        return f"ORD-{list(orders).index(str(key)) + 1}"

    for basket in baskets:
        try:
            ends.append(answer(dict(basket), send, new_key))
        except (TimeoutError, ValueError) as error:
            ends.append({"raises": type(error).__name__})
    return {"ends": ends, "orders in the shop": len(orders), "sends": sends}


def bad_lines() -> Sequence[Case]:
    """The cases of exercise 0.2."""
    mug, lamp = {"mug": 1}, {"lamp": 1}

    def case(about: str, baskets: list[Basket], lines: list[str], ends: list[Any], orders: int, sends: int) -> Case:
        return Case(about, {"baskets": baskets, "lines": lines},
                    {"ends": ends, "orders in the shop": orders, "sends": sends})  # fmt: skip

    return [
        case("a good line", [mug], ["good"], ["ORD-1"], 1, 1),
        case("the question gets lost", [mug], ["question lost", "good"], ["ORD-1"], 1, 2),
        case("the answer gets lost", [mug], ["answer lost", "good"], ["ORD-1"], 1, 2),
        case("three answers get lost, the fourth arrives", [mug], ["answer lost"] * 3 + ["good"], ["ORD-1"], 1, 4),
        case("no answer ever arrives", [mug], ["answer lost"], [{"raises": "TimeoutError"}], 1, 4),
        case("the shop refuses the order", [mug], ["refused"], [{"raises": "ValueError"}], 0, 1),
        case("two different orders", [mug, lamp], ["good"], ["ORD-1", "ORD-2"], 2, 2),
        case("the same goods ordered twice, on purpose", [mug, mug], ["good"], ["ORD-1", "ORD-2"], 2, 2),
    ]


def deliver(answer: Any, provider: list[str], deliveries: int = 4) -> dict[str, Any]:
    """Hand one message to a function as its queue would: again after each failure, until it is given up.

    `provider` is what the provider says each time that it is asked, its last word again and again.
    """
    asked = 0

    def ask(order_id: str, amount: int) -> str:
        nonlocal asked
        word = provider[min(asked, len(provider) - 1)]
        asked += 1
        if word == "no answer":
            raise TimeoutError("the provider did not answer in time")
        return word

    for delivery in range(1, deliveries + 1):
        try:
            outcome = answer({"orderId": "ORD-1", "amount": 850}, ask)
        except (NameError, TypeError, AttributeError, LookupError):  # a slip, of which the learner should read
            raise
        except Exception:
            continue
        return {"the message": "deleted", "the order": outcome, "deliveries": delivery}
    return {"the message": "in the dead-letter queue", "the order": "PENDING", "deliveries": deliveries}


def outcomes() -> Sequence[Case]:
    """The cases of exercise 0.3."""

    def case(about: str, provider: list[str], order: str) -> Case:
        return Case(about, {"provider": provider}, {"the message": "deleted", "the order": order})

    dead = {"the message": "in the dead-letter queue", "the order": "PENDING"}
    return [
        case("the provider takes the money", ["CAPTURED"], "CAPTURED"),
        case("the provider declines the card", ["DECLINED"], "DECLINED"),
        case("no answer at first, but the money was taken", ["no answer", "CAPTURED"], "CAPTURED"),
        case("no answer at first, and then a decline", ["no answer", "no answer", "DECLINED"], "DECLINED"),
        Case("the provider stays away", {"provider": ["no answer"]}, dead),
    ]


def without_deliveries(value: Any) -> Any:
    """What the third exercise compares: where the message and the order ended, not after how many deliveries."""
    return {key: word for key, word in value.items() if key != "deliveries"} if isinstance(value, dict) else value


def ended(word: str | None, *when: str) -> Shows:
    """Was the message deleted with this outcome (None: any), and was the provider's first word one of these?"""
    return lambda case, seen: (
        seen.value["the message"] == "deleted"
        and word in (None, seen.value["the order"])
        and case.given["provider"][0] in when
    )


EXERCISES = (
    Exercise(
        id="0.1",
        title="When does it heal?",
        cases=when_healed,
        observe=itself,
        tolerance=0.5,
        mistakes=(
            Mistake("At that moment the provider is back, but nobody tells the queue.", says(OUTAGE)),
            Mistake("That try still falls into the outage. Which is the first one after it?", says(18)),
            Mistake("The visibility timeout does not begin when the provider returns; it began with the try before.",
                    says(OUTAGE + VISIBILITY / 60)),
            Mistake("That is the answer for the outage of five minutes.", says(5, 6)),
            Mistake("The answer is wanted in minutes, and that looks like seconds.", says(1200, 1260)),
        ),
        hints=(
            "Write down the minutes at which the message is tried: 0, 3, 6, …",
            "Which of these minutes is the first at which the provider answers?",
        ),
    ),
    Exercise(
        id="0.2",
        title="Send it again",
        cases=bad_lines,
        observe=send_again,
        mistakes=(
            Mistake("Each try brought a key of its own, so the shop took it for another order. One order, one key.",
                    lambda case, seen: seen.value["orders in the shop"] > case.wanted["orders in the shop"]),
            Mistake("Two orders came with one key, so the shop took the second for the first one sent again.",
                    lambda case, seen: seen.value["orders in the shop"] < case.wanted["orders in the shop"]),
            Mistake("It sends again what the shop has refused. A 400 stays a 400: only silence is worth another try.",
                    lambda case, seen: "refused" in case.given["lines"] and seen.value["sends"] > 1),
            Mistake("It gives up too early: the shop may well answer the next time.",
                    lambda case, seen: 0 < seen.value["sends"] < case.wanted["sends"]),
            Mistake("After the last try it acts as if all were well. The customer must learn that nobody knows.",
                    lambda case, seen: case.wanted["sends"] == seen.value["sends"] == 4),
            Mistake("It never gives up, and the customer waits for ever.",
                    lambda case, seen: seen.ended == "endless"),
            Mistake("It sends more often than four times.",
                    lambda case, seen: seen.value["sends"] > case.wanted["sends"] == 4),
        ),
        hints=(
            "Make the key once, before the first try.",
            "A loop over four tries, with try and except TimeoutError inside; return as soon as an answer is there.",
            "In the last try let the TimeoutError out: a bare raise does it.",
        ),
    ),
    Exercise(
        id="0.3",
        title="The bug behind a complaint",
        cases=outcomes,
        observe=deliver,
        shown=without_deliveries,
        mistakes=(
            Mistake("That is the complaint: the provider has the money, or will, and the shop has said no.",
                    ended("DECLINED", "no answer")),
            Mistake("Silence is not a yes either. Goods would leave that nobody has paid for.",
                    ended("CAPTURED", "no answer")),
            Mistake("It hangs on inside the function. Lambda stops it at its timeout, and you pay for the waiting; "
                    "the queue waits for nothing.", lambda case, seen: seen.ended == "endless"),
            Mistake("It returned, so SQS deleted the message, and nobody will ever ask again.",
                    ended(None, "no answer")),
            Mistake("A decline is an answer, not a failure. Asking again brings the same answer.",
                    lambda case, seen: case.wanted["the order"] == "DECLINED"),
        ),
        hints=(
            "What does SQS do with the message when the function returns, and what when it raises?",
            "No answer means that you do not know. Which of the two tells the queue to ask again later?",
        ),
    ),
)  # fmt: skip


def when_asked_again(seen: Any) -> str:
    """The option of prediction 0.B that two answers show, the first one and the one to the same request sent again."""
    first, second = seen
    return "b" if "orderId" not in second else "c" if first == second else "a"


def fate(seen: Any) -> str:
    """The option of prediction 0.C that the statuses show, if all orders came to the same end."""
    ends = {"CANCELLED": "c", "CONFIRMED": "d", "PENDING": "b"}
    return ends.get(seen[0], "a") if len(set(seen)) == 1 else ""


PREDICTIONS = (
    Prediction(
        "0.A",
        "The status right after the 202",
        {"a": "CONFIRMED", "b": "PENDING", "c": "an error"},
        lambda seen: {"CONFIRMED": "a", "PENDING": "b"}.get(seen, "c"),
    ),
    Prediction(
        "0.B",
        "The same request once more",
        {"a": "a second order", "b": "an error", "c": "the first answer again"},
        when_asked_again,
    ),
    Prediction(
        "0.C",
        "Orders without a payment provider",
        {"a": "refused", "b": "lost", "c": "cancelled", "d": "confirmed in the end"},
        fate,
    ),
)
