"""The predictions and exercises of lesson 04: how long a poison message lives, a queue's settings, a receive loop.

Taught in notebooks/04_the_queue.ipynb
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, itself
from orderlab.course.answers.predictions import Prediction

VISIBILITY, RECEIVES, WORK = 300.0, 3, 20.0  # exercise 4.1: seconds, receives, seconds
LENT, CALL, NEXT = 30.0, 0.05, 60.0  # exercise 4.3, seconds: visibility timeout, one call, until the loop starts again
FEWEST = 5  # receives, as AWS recommends


def lifetime() -> Sequence[Case]:
    """The one case of exercise 4.1: the move comes with the receive after the last one that is allowed."""
    return [Case("three tries, 300 s each", {}, VISIBILITY * RECEIVES / 60)]


def says(*numbers: float) -> Callable[[Case, Observed], bool]:
    """Is the answer one of these numbers, give or take a tenth?"""
    return lambda case, seen: any(abs(seen.value - number) < 0.1 for number in numbers)


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


class Sqs:
    """As much of boto3's SQS client as a receive loop needs, with one queue and its own clock, in seconds."""

    def __init__(self, arrivals: dict[str, float]) -> None:
        self.now, self.handles, self.deletions = 0.0, 0, 0
        self.there: dict[str, dict[str, Any]] = {body: {"from": at, "handle": ""} for body, at in arrivals.items()}

    def receive_message(self, *, QueueUrl: str, MaxNumberOfMessages: int = 1, WaitTimeSeconds: int = 0,
                        VisibilityTimeout: float = LENT, **more: Any) -> dict[str, Any]:  # fmt: skip
        """Up to so many messages; an empty answer has no "Messages", as boto3's has none."""
        if not 1 <= MaxNumberOfMessages <= 10 or not 0 <= WaitTimeSeconds <= 20:
            raise ValueError("InvalidParameterValue: at most 10 messages, and a wait of at most 20 seconds")
        self.now += CALL
        first = min((one["from"] for one in self.there.values()), default=float("inf"))
        self.now = max(self.now, min(first, self.now + WaitTimeSeconds))
        answer: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": 200}}
        found = [body for body, one in self.there.items() if one["from"] <= self.now][:MaxNumberOfMessages]
        for body in found:
            self.handles += 1
            self.there[body] = {"from": self.now + VisibilityTimeout, "handle": f"handle-{self.handles}"}
        messages = [
            {"MessageId": f"id-{body}", "ReceiptHandle": self.there[body]["handle"], "Body": body} for body in found
        ]
        return {**answer, "Messages": messages} if messages else answer

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        """Delete by the newest handle; an older one does nothing, and what is no handle is refused."""
        self.now += CALL
        if not str(ReceiptHandle).startswith("handle-"):
            raise ValueError(f"ReceiptHandleIsInvalid: {ReceiptHandle}")
        self.deletions += 1
        self.there = {body: one for body, one in self.there.items() if one["handle"] != ReceiptHandle}

    def delete_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        """Delete several."""
        for entry in Entries:
            self.delete_message(QueueUrl=QueueUrl, ReceiptHandle=entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: float) -> None:
        """Hide a message for so long from now on."""
        for one in self.there.values():
            if one["handle"] == ReceiptHandle:
                one["from"] = self.now + VisibilityTimeout


def consume(answer: Any, arrivals: dict[str, float], fails: dict[str, int], runs: int) -> dict[str, Any]:
    """Run a receive loop `runs` times, a minute apart: how often each message was done, what was lost, what is left.

    `arrivals` are seconds by message; `fails` is how often the work on a message fails at first.
    """
    sqs, tries, done, early = Sqs(arrivals), Counter[str](), Counter[str](), False

    def work(body: str) -> None:
        nonlocal early
        early = early or body not in sqs.there
        sqs.now += 2.0
        tries[body] += 1
        if tries[body] <= fails.get(body, 0):
            raise RuntimeError(f"{body} cannot be done now")
        done[body] += 1

    for _ in range(runs):
        answer(sqs, "https://sqs.example/orders", work)
        sqs.now += NEXT
    lost = [body for body in arrivals if body not in sqs.there and not done[body]]
    return {
        "done": dict(done),
        "lost": lost,
        "in the queue": list(sqs.there),
        "early": early,
        "deletions": sqs.deletions,
    }


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


def raised(*names: str) -> Callable[[Case, Observed], bool]:
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
