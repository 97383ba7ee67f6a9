"""The predictions and exercises of lesson 01: what a chain of asks costs, a 200 that is none, what a destination says.

Taught in notebooks/01_ask_or_tell.ipynb
"""

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself
from orderlab.course.answers.predictions import Prediction

HOURS, UP, SERVICES = 720, 0.99, 5  # of a month; the share of it in which each service is up; how many are asked
SLIPS = (NameError, TypeError, AttributeError, LookupError)  # of which the learner should read


def down(hours: float, up: float, services: int) -> float:
    """Hours in which at least one of so many services is down."""
    return hours * (1 - up**services)


def one_more() -> Sequence[Case]:
    """The one case of exercise 1.1."""
    return [Case("five services, one after the other", {}, down(HOURS, UP, SERVICES))]


def says(*numbers: float, within: float = 0.005) -> Shows:
    """Is the answer one of these numbers, give or take a share of it?"""
    return lambda case, seen: any(abs(seen.value - number) <= within * abs(number) for number in numbers)


class Client:
    """A Lambda client whose one function says always the same: an answer, or its error."""

    def __init__(self, content: Any, failed: bool) -> None:
        self.content, self.failed = content, failed

    def invoke(self, **_: Any) -> dict[str, Any]:
        """What boto3 gives: a payload that can be read once, and FunctionError only where the function failed."""
        response = {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(self.content).encode())}
        return response | ({"FunctionError": "Unhandled"} if self.failed else {})


def ask(answer: Any, content: Any, failed: bool) -> dict[str, Any]:
    """Let an answer ask a function that says this, and tell what came of it."""
    try:
        return {"returns": answer("ORD-1", Client(content, failed))}
    except SLIPS:
        raise
    except Exception:
        return {"raises": True}


def asks() -> Sequence[Case]:
    """The cases of exercise 1.2."""

    def case(about: str, content: Any, failed: bool = False) -> Case:
        return Case(about, {"content": content, "failed": failed}, {"raises": True} if failed else {"returns": content})

    return [
        case("stock has the goods", {"status": "RESERVED"}),
        case("stock has none left", {"status": "REJECTED"}),
        case("stock raises an error", {"errorType": "Busy", "errorMessage": "the rows are busy"}, True),
        case("stock runs out of time",
             {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 10.00 seconds"}, True),
        case("stock has none left, and explains it", {"status": "REJECTED", "errorMessage": "sold out"}),
        case("stock has nothing to say", None),
    ]  # fmt: skip


def raised(case: Case, seen: Observed) -> bool:
    """Did the answer raise?"""
    return seen.value == {"raises": True}


def took_the_error(case: Case, seen: Observed) -> bool:
    """Did it return what describes the error?"""
    return bool(case.given["failed"] and seen.value["returns"] == case.given["content"])


def body(kind: str, order_id: str, condition: str, count: int, error: dict[str, str] | None) -> str:
    """A message in Notify's dead-letter queue: Lambda's record of an event that it has given up, as JSON text."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": "2026-01-05T09:03:01.213Z",
        "requestContext": {
            "requestId": "54df324e-ca10-47ce-a399-c846d2a8cf18",
            "condition": condition,
            "approximateInvokeCount": count,
        },
        "requestPayload": {"detail-type": kind, "detail": {"orderId": order_id}},
    }
    if error is not None:
        record |= {"responseContext": {"statusCode": 200, "functionError": "Unhandled"}, "responsePayload": error}
    return json.dumps(record)


def records() -> Sequence[Case]:
    """The cases of exercise 1.3."""
    refused = {"errorType": "ConnectionError", "errorMessage": "the mail server does not answer"}
    late = {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 5.00 seconds"}

    def case(about: str, kind: str, order_id: str, condition: str, count: int, error: dict[str, str] | None) -> Case:
        why = condition if error is None else error["errorMessage"]
        return Case(about, {"body": body(kind, order_id, condition, count, error)}, (order_id, count, why))

    return [
        case("it failed three times", "OrderConfirmed", "ORD-1", "RetriesExhausted", 3, refused),
        case("it ran out of time, three times", "OrderCancelled", "ORD-2", "RetriesExhausted", 3, late),
        case("no retries were allowed", "OrderConfirmed", "ORD-3", "RetriesExhausted", 1, refused),
        case("it failed once, and then there was no room for six hours", "OrderConfirmed", "ORD-4",
             "EventAgeExceeded", 1, None),
    ]  # fmt: skip


def part(number: int, wrong: Callable[[dict[str, Any]], Any]) -> Shows:
    """Is this part of the answer what `wrong` makes of the record?"""
    return lambda case, seen: seen.value[number] == wrong(json.loads(case.given["body"]))


def why_of(record: dict[str, Any]) -> str:
    """The type of the error, where there is one."""
    return str(record["responsePayload"]["errorType"])


EXERCISES = (
    Exercise(
        id="1.1",
        title="One question more",
        cases=one_more,
        observe=itself,
        tolerance=0.25,
        mistakes=(
            Mistake("That adds the five up, and counts an hour twice in which two are down: multiply what is up.",
                    says(HOURS * (1 - UP) * SERVICES)),
            Mistake("That is one service alone. The shop is up only while all five are.", says(HOURS * (1 - UP))),
            Mistake("Those are the hours in which the shop can take orders.", says(HOURS * UP**SERVICES)),
            Mistake("The answer is wanted in hours, and that looks like minutes.",
                    says(60 * down(HOURS, UP, SERVICES))),
            Mistake("That is the share of the month. How many of its 720 hours are that?",
                    says(down(1, UP, SERVICES), down(100, UP, SERVICES), UP**SERVICES, within=0.02)),
            Mistake("That is the answer for three services.", says(down(HOURS, UP, 3))),
        ),
        hints=(
            "With one service the shop is up for 0.99 of the month. With two?",
            "All five are up for 0.99 to the power of five. The rest of the 720 hours is the answer.",
        ),
    ),
    Exercise(
        id="1.2",
        title="The goods that nobody reserved",
        cases=asks,
        observe=ask,
        mistakes=(
            Mistake("It took the description of an error for stock's answer. The status is 200 here too: the one "
                    "sign is the key FunctionError of the response.", took_the_error),
            Mistake("The function failed, and the caller is told nothing: the error must go up to it.",
                    lambda case, seen: case.given["failed"] and "returns" in seen.value),
            Mistake("A function may use the word errorMessage in a good answer. Look at the response, not into the "
                    "payload.", lambda case, seen: raised(case, seen) and "errorMessage" in case.given["content"]),
            Mistake("An empty answer is an answer.", lambda case, seen: raised(case, seen)
                    and case.given["content"] is None),
            Mistake("No is an answer too: only a function that failed is an error.",
                    lambda case, seen: raised(case, seen) and not case.given["failed"]),
        ),
        hints=(
            "What does `response` hold when the function has raised, beside the status and the payload?",
            'Ask for "FunctionError" in response, and raise a RuntimeError when it is there.',
        ),
    ),
    Exercise(
        id="1.3",
        title="What became of the mail?",
        cases=records,
        mistakes=(
            Mistake("The body of a message is text: json.loads makes a dict of it.",
                    lambda case, seen: seen.error[0] == "TypeError" and "indices" in seen.error[1]),
            Mistake("When no try was left to answer, there is no responsePayload. Then the condition says why.",
                    lambda case, seen: seen.error == ("KeyError", "'responsePayload'")),
            Mistake("That names the request, by Lambda's own id. The order stands in what the function was given.",
                    part(0, lambda record: record["requestContext"]["requestId"])),
            Mistake("It is not always three tries: the record counts them.",
                    lambda case, seen: seen.value[1] == 3 != case.wanted[1]),
            Mistake("The condition says that Lambda gave up. The function's own error says why.",
                    part(2, lambda record: record["requestContext"]["condition"])),
            Mistake("That is the type of the error; wanted is its message.", part(2, why_of)),
        ),
        hints=(
            "json.loads(body) gives a record like the one in the lesson: look at its keys again.",
            'The order is in record["requestPayload"]["detail"], the count in record["requestContext"].',
            'record.get("responsePayload") is None when the function has not answered.',
        ),
    ),
)  # fmt: skip


def without_mail(seen: Any) -> str:
    """The option of prediction 1.A that the answers' statuses and the goods that went show."""
    statuses, gone = seen
    return "a" if set(statuses) == {200} else "c" if gone else "b"


PREDICTIONS = (
    Prediction(
        "1.A",
        "Mail is down, and PlaceOrder asks",
        {
            "a": "confirmed, and the mail comes later",
            "b": "refused, and nothing has happened",
            "c": "refused, and the goods are gone",
        },
        without_mail,
    ),
    Prediction(
        "1.B",
        "What comes back when the function raises",
        {"a": "an exception", "b": "the status 500", "c": "the status 200"},
        lambda seen: {500: "b", 200: "c"}.get(seen, "a"),
    ),
    Prediction(
        "1.C",
        "Mails from a function that fails",
        {"a": "none", "b": "one", "c": "two", "d": "three"},
        lambda seen: "abcd"[seen],
    ),
)
