"""The predictions and exercises of lesson 05: work for nothing, what to give back, order by customer, a test to write.

Taught in notebooks/05_some_of_them_failed.ipynb
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, itself
from orderlab.course.answers.predictions import Prediction

Event = dict[str, Any]
BATCH, BAD, RECEIVES = 9, 6, 3  # exercise 5.1; RECEIVES also for the queue below


def begun() -> Sequence[Case]:
    """The one case of exercise 5.1: each delivery begins all up to the bad one."""
    return [Case("nine messages, the sixth is bad, three receives", {}, BAD * RECEIVES)]


def says(*numbers: float) -> Callable[[Case, Observed], bool]:
    """Is the answer one of these numbers?"""
    return lambda case, seen: seen.value in numbers


def record_of(message: str, receives: int = 1, fifo: bool = False) -> dict[str, Any]:
    """A message such as "A2", the second of customer A, as Lambda hands it over. "?" begins a body that is no JSON."""
    body = json.dumps({"orderId": f"ORD-{message}", "customerId": message[0]}) if message[0] != "?" else "mug, please"
    group = {"MessageGroupId": message[0]} if fifo else {}
    return {
        "messageId": f"id-{message}",
        "receiptHandle": f"handle-{message}-{receives}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), **group},
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:orders{'.fifo' if fifo else ''}",
    }


def kept(answer: Any, messages: Sequence[str]) -> list[str]:
    """The messages of a batch that AWS keeps for this answer of a function: all, if it cannot read it."""
    if answer is None:
        return []
    try:
        named = [one["itemIdentifier"] for one in answer.get("batchItemFailures") or []]
    except (AttributeError, LookupError, TypeError):
        return list(messages)
    known = {f"id-{message}": message for message in messages}
    return list(messages) if set(named) - known.keys() else [one for one in messages if f"id-{one}" in named]


def strange(answer: Any, messages: Sequence[str]) -> set[str]:
    """What an answer names that is no message of the batch."""
    try:
        named = {str(one["itemIdentifier"]) for one in answer["batchItemFailures"]}
    except (LookupError, TypeError):
        return set()
    return named - {f"id-{message}" for message in messages}


def deliver(answer: Any, messages: list[str], fails: dict[str, int], fifo: bool = False) -> dict[str, Any]:
    """Hand a batch to a handler, again and again, as its queue would; a message is received three times at most.

    `fails` is how often the work on a message fails at first. Counts how often each was done, what is lost, what ends
    as a dead letter; `back` are messages that were done and came back, `unknown` what was named and is no message's id,
    `order` how they were done, by customer.
    """
    tries: dict[str, int] = {}
    done: list[str] = []
    back: set[str] = set()
    unknown: set[str] = set()
    there, deliveries = list(messages), 0

    def work(given: Any) -> None:
        order = str(given["orderId"] if "orderId" in given else json.loads(given["body"])["orderId"])
        one = order.removeprefix("ORD-")
        tries[one] = tries.get(one, 0) + 1
        if tries[one] <= fails.get(one, 0):
            raise RuntimeError(f"{one} cannot be done now")
        done.append(one)

    while there and deliveries < RECEIVES:
        deliveries += 1
        event = {"Records": [record_of(one, deliveries, fifo) for one in there]}
        try:
            said = answer(event, work)
            keeps = kept(said, there)
            unknown |= strange(said, there)
        except (NameError, AttributeError, TypeError):  # a slip, of which the learner should read
            raise
        except Exception:
            keeps = list(there)
        back |= set(keeps) & set(done)
        there = keeps
    customers = sorted({one[0] for one in messages})
    return {
        "done": {one: done.count(one) for one in messages if one in done},
        "order": {name: [one for one in done if one[0] == name] for name in customers},
        "lost": [one for one in messages if one not in done and one not in there],
        "dead letters": there,
        "back": sorted(back),
        "unknown": sorted(unknown),
    }


def in_line(answer: Any, messages: list[str], fails: dict[str, int]) -> dict[str, Any]:
    """As `deliver`, on a FIFO queue; and which messages of healthy customers a first delivery left untried."""
    first: list[str] = []

    def watched(event: Event, work: Callable[[Any], None]) -> Any:
        def noted(given: Any) -> None:
            if all(record["attributes"]["ApproximateReceiveCount"] == "1" for record in event["Records"]):
                first.append(str(json.loads(given["body"])["orderId"]).removeprefix("ORD-"))
            work(given)

        return answer(event, noted)

    seen = deliver(watched, messages, fails, fifo=True)
    ill = {one[0] for one in fails}
    return {**seen, "held up": [one for one in messages if one[0] not in ill and one not in first]}


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


def by_hand(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A right handler: all are tried, those that raised are named."""
    failures = []
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def as_shipped(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A right handler: as patterns.batch, it raises when all failed."""
    answer = by_hand(event, work)
    if event["Records"] and len(answer["batchItemFailures"]) == len(event["Records"]):
        raise RuntimeError("all records of the batch failed")
    return answer


def all_or_nothing(event: Event, work: Callable[[Any], None]) -> None:
    """A wrong handler: one error ends it."""
    for record in event["Records"]:
        work(record)


def swallows(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: no error is told."""
    by_hand(event, work)
    return {"batchItemFailures": []}


def names_handles(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: names receipt handles."""
    named = {one["itemIdentifier"] for one in by_hand(event, work)["batchItemFailures"]}
    found = [record["receiptHandle"] for record in event["Records"] if record["messageId"] in named]
    return {"batchItemFailures": [{"itemIdentifier": handle} for handle in found]}


def stops(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: nothing is tried after a failure, and only that is named."""
    for record in event["Records"]:
        try:
            work(record)
        except Exception:
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    return {"batchItemFailures": []}


def names_the_last(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: of several failures the last is named."""
    return {"batchItemFailures": by_hand(event, work)["batchItemFailures"][-1:]}


def names_all(event: Event, work: Callable[[Any], None]) -> dict[str, Any]:
    """A wrong handler: when one fails, all are named."""
    failed = by_hand(event, work)["batchItemFailures"]
    every = [{"itemIdentifier": record["messageId"]} for record in event["Records"]]
    return {"batchItemFailures": every if failed else []}


HANDLERS: dict[str, Callable[..., Any]] = {
    "right, by hand": by_hand,
    "right, raises when all fail": as_shipped,
    "wrong: lets the error out": all_or_nothing,
    "wrong: swallows it": swallows,
    "wrong: names the receipt handle": names_handles,
    "wrong: stops at the first failure": stops,
    "wrong: names only the last failure": names_the_last,
    "wrong: names all when one fails": names_all,
}


def examine(answer: Any, handler: str) -> str:
    """Run a learner's test on a handler: did the test pass?"""
    event = {"Records": [record_of(f"{name}1") for name in "ABCD"]}
    try:
        answer(HANDLERS[handler], event)
    except Exception as error:
        return "fails" if handler.startswith("wrong") else f"fails: {type(error).__name__}"
    return "passes"


def handlers() -> Sequence[Case]:
    """The cases of exercise 5.4."""
    return [Case(name, {"handler": name}, "passes" if name.startswith("right") else "fails") for name in HANDLERS]


def came(name: str, *words: str) -> Callable[[Case, Observed], bool]:
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
