"""The predictions and exercises of lesson 03: a pattern for a warehouse, the article's put_events, and a bill.

Taught in notebooks/03_the_bus.ipynb
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from orderlab.cloud.rules import matches
from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself, says
from orderlab.course.answers.predictions import Prediction
from orderlab.ops.prices import price

MOST_ENTRIES = 10  # of one PutEvents
EVENTS_OF_AN_ORDER = 4  # confirmed: OrderPlaced, StockReserved, PaymentCaptured, OrderConfirmed
usd = partial(says, within=0.005)


def event(lines: dict[str, int], customer: str = "C-1", kind: str = "OrderPlaced") -> dict[str, Any]:
    """An event about an order of these goods, units by sku."""
    items = [{"sku": sku, "quantity": units} for sku, units in lines.items()]
    return {"source": "orders.api", "detail-type": kind, "detail": {"customerId": customer, "items": items}}


def pallets() -> Sequence[Case]:
    """The cases of exercise 3.1."""

    def case(about: str, wanted: bool, given: dict[str, Any]) -> Case:
        return Case(about, {"event": given}, wanted)

    return [
        case("sixty mugs", True, event({"mug": 60})),
        case("fifty mugs, which is enough", True, event({"mug": 50})),
        case("forty-nine mugs", False, event({"mug": 49})),
        case("seventy blue mugs, and a lamp", True, event({"lamp": 1, "mug-blue": 70})),
        case("one mug, and sixty lamps", False, event({"mug": 1, "lamp": 60})),
        case("sixty lamps", False, event({"lamp": 60})),
        case("sixty mugs, for a test", False, event({"mug": 60}, customer="TEST-7")),
        case("a quote for sixty mugs, which is no order", False, event({"mug": 60}, kind="QuoteAsked")),
    ]


def matched(answer: Any, event: dict[str, Any]) -> bool:
    """Does the pattern that the answer returns match this event? Raises InvalidPattern, as PutRule would."""
    return matches(answer(), event)


def takes(word: str) -> Shows:
    """Does it match a case of this description, though it should not?"""
    return lambda case, seen: word in case.about and seen.value is True


def leaves(word: str) -> Shows:
    """Does it not match a case of this description, though it should?"""
    return lambda case, seen: word in case.about and seen.value is False


def refused(case: Case, seen: Observed) -> bool:
    """Would PutRule refuse the pattern?"""
    return seen.error[0] == "InvalidPattern"


class ValidationException(Exception):
    """What PutEvents answers to a call with too many entries, or none."""


class Client:
    """A stand-in for boto3's client: refuses the entries with these numbers the first time that they come."""

    def __init__(self, refused: dict[int, str]) -> None:
        self.refused, self.taken = dict(refused), list[Any]()

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """Answer 200, as PutEvents does, whatever became of the single entries."""
        if not 1 <= len(Entries) <= MOST_ENTRIES:
            raise ValidationException(f"1 to {MOST_ENTRIES} entries are right, and these are {len(Entries)}")
        results = [self._result(entry) for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in one for one in results), "Entries": results}

    def _result(self, entry: dict[str, Any]) -> dict[str, str]:
        code = self.refused.pop(entry["Order"], None)
        if code is not None:
            return {"ErrorCode": code, "ErrorMessage": "not taken"}
        self.taken.append(entry["Order"])
        return {"EventId": f"event-{entry['Order']}"}


def send(answer: Any, entries: int, refused: dict[int, str]) -> dict[str, Any]:
    """Let the answer send that many entries, of which the bus refuses these. What is on the bus, and what came back."""
    client = Client(refused)
    back = answer(client, [{"DetailType": "OrderPlaced", "Order": number} for number in range(1, entries + 1)])
    numbers = [one["Order"] if isinstance(one, dict) and "Order" in one else one for one in back]
    return {"on the bus": client.taken, "returned": numbers}


def sendings() -> Sequence[Case]:
    """The cases of exercise 3.2."""

    def case(about: str, entries: int, refused: dict[int, str]) -> Case:
        taken = [number for number in range(1, entries + 1) if number not in refused]
        wanted = {"on the bus": taken, "returned": sorted(refused)}
        return Case(about, {"entries": entries, "refused": refused}, wanted)

    later, never = "ThrottlingException", "MalformedDetail"
    return [
        case("the bus takes all three", 3, {}),
        case("it refuses the second of three", 3, {2: later}),
        case("it refuses two of four", 4, {2: later, 3: never}),
        case("it refuses the first and the last of five", 5, {1: never, 5: later}),
        case("it refuses all of two", 2, {1: later, 2: later}),
        case("twelve entries, and it takes all", 12, {}),
        case("twelve entries, and it refuses one of each call", 12, {4: later, 12: never}),
        case("twenty entries, and it takes all", 20, {}),
    ]


def back(seen: Observed) -> list[Any]:
    """What an answer to exercise 3.2 returned."""
    return list(seen.value["returned"])


def bill() -> Sequence[Case]:
    """The one case of exercise 3.3."""
    return [Case("a million confirmed orders", {}, EVENTS_OF_AN_ORDER * price("event").of(1e6))]


EXERCISES = (
    Exercise(
        id="3.1",
        title="A pattern for the warehouse",
        cases=pallets,
        observe=matched,
        mistakes=(
            Mistake("PutRule refuses it: each field of a pattern has a list, and an operator is one object in it.",
                    refused),
            Mistake("An order of exactly fifty needs a pallet too.", leaves("fifty mugs")),
            Mistake("It takes an event of another type: a bus carries many, and each rule must say which it means.",
                    takes("quote")),
            Mistake("It takes the shop's own tests: their customerId begins with TEST-.", takes("for a test")),
            Mistake("It knows one mug only. Those in other colours have a sku that begins with mug.", leaves("blue")),
            Mistake("Mugs and fifty units must meet in one line of the order. $or takes either of the two.",
                    lambda case, seen: seen.value is True and ("forty-nine" in case.about or "lamps" in case.about)),
            Mistake("It matches nothing at all. Is each field where the event has it, and each operator in a list?",
                    lambda case, seen: case.wanted is True and seen.value is False),
        ),
        hints=(
            "Begin with the type: {\"detail-type\": [...], \"detail\": {...}}, and give each field a list.",
            "anything-but takes a prefix: {\"anything-but\": {\"prefix\": \"…\"}}.",
            "Inside detail, items is an object with two fields, sku and quantity: one line must meet both.",
        ),
    ),
    Exercise(
        id="3.2",
        title="The orders that a 200 swallowed",
        cases=sendings,
        observe=send,
        mistakes=(
            Mistake("One call takes ten entries at most, and refuses eleven altogether.",
                    lambda case, seen: seen.error[0] == "ValidationException"),
            Mistake("It raises, and the caller cannot know which of the entries are on the bus already.",
                    lambda case, seen: seen.ended == "raised"),
            Mistake("Those are the bus's results. The caller needs the entries, to send them again.",
                    lambda case, seen: any(isinstance(one, dict) for one in back(seen))),
            Mistake("It believes the 200. The answer has a result for each entry, and some have an ErrorCode.",
                    lambda case, seen: seen.error[0] == "ValidationException"
                    or (not back(seen) and len(seen.value["on the bus"]) == len(case.wanted["on the bus"]))),
            Mistake("It sends again itself, also what the bus has taken: every consumer gets that twice.",
                    lambda case, seen: len(seen.value["on the bus"]) > len(case.wanted["on the bus"])),
            Mistake("It returns entries that the bus has taken: the caller would send them twice.",
                    lambda case, seen: len(back(seen)) > len(case.wanted["returned"])),
            Mistake("FailedEntryCount says how many, not which. The results stand in the order of the entries.",
                    lambda case, seen: len(back(seen)) == len(case.wanted["returned"])),
            Mistake("It returns some of those that were refused, and the others are lost.",
                    lambda case, seen: 0 < len(back(seen)) < len(case.wanted["returned"])),
        ),
        hints=(
            "Keep the answer: answer[\"Entries\"] has one result for each entry, in the same order.",
            "zip(entries, answer[\"Entries\"]) puts each entry beside its result; refused is what has an ErrorCode.",
            "For more than ten: for start in range(0, len(entries), 10), and a slice of ten for each call.",
        ),
    ),
    Exercise(
        id="3.3",
        title="What a listener costs",
        cases=bill,
        observe=itself,
        tolerance=0.005,
        mistakes=(
            Mistake("That counts deliveries. EventBridge charges what is published, once, however many get it.",
                    usd(5, 5.1, 5.4, 6, 7)),
            Mistake("That counts the published events and your deliveries on top. A new listener costs nothing here.",
                    usd(4.1, 4.4)),
            Mistake("That is OrderPlaced alone. What the other services publish about the order is charged as well.",
                    usd(1)),
            Mistake("That is the number of events. The answer is wanted in dollars.", usd(4_000_000)),
        ),
        hints=(
            "Which events does a confirmed order have? Read the first column of the figure.",
            "The price is for a million events that are published. Does it say anything of deliveries?",
        ),
    ),
)  # fmt: skip


def after_the_crash(seen: Any) -> str:
    """The option of prediction 3.A that the second answer's status code and the order's status show."""
    code, status = seen
    return "b" if code != 202 else {"CONFIRMED": "a", "PENDING": "c"}.get(status, "")


def unasked(seen: Any) -> str:
    """The option of prediction 3.C that the order's status and the number of copies show."""
    status, copies = seen
    return "a" if status != "CONFIRMED" else "b" if copies else "c"


PREDICTIONS = (
    Prediction(
        "3.A",
        "The customer tries again after a crash",
        {"a": "confirmed", "b": "refused", "c": "accepted and lost"},
        after_the_crash,
    ),
    Prediction(
        "3.B",
        "Anything but a value that is not there",
        {"a": "a match", "b": "no match"},
        lambda seen: "a" if seen is True else "b" if seen is False else "",
    ),
    Prediction(
        "3.C",
        "A target that let nobody in",
        {"a": "the order fails", "b": "confirmed, with its copy", "c": "confirmed, without a copy"},
        unasked,
    ),
)
