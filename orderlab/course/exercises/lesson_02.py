"""The predictions and exercises of lesson 02: what a refusal costs, a model for returns, and a template that leaks.

Taught in notebooks/02_the_front_door.ipynb
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, Shows, itself, says
from orderlab.course.answers.predictions import Prediction
from orderlab.course.experiments.bodies import mapped, model_errors
from orderlab.ops.prices import price

MEMORY, SECONDS = 1.0, 0.3  # GB, and seconds that a refusal is billed for, in exercise 2.1
usd = partial(says, within=0.02)
GOOD_RETURN = {"orderId": "ORD-0123456789abcdef0123", "reason": "broken", "quantity": 2}


def saved(memory: float, seconds: float, million: float = 1e6) -> float:
    """US dollars that a million refusals by a function cost beyond the requests themselves; memory in GB."""
    return price("invocation").of(million) + price("duration").of(million * seconds * memory)


def what_is_saved() -> Sequence[Case]:
    """The one case of exercise 2.1."""
    return [Case(f"{SECONDS * 1000:.0f} ms at {MEMORY:.0f} GB", {}, round(saved(MEMORY, SECONDS), 2))]


def held_against(answer: Any, body: Any) -> str:
    """What the gateway does with a body when the answer is its model. Raises ModelError for what is no draft 4."""
    return "refused" if model_errors(answer(), body) else "taken"


def returns() -> Sequence[Case]:
    """The cases of exercise 2.2. What judges them is loaded here, before the answer's steps are counted."""
    model_errors({}, {})
    without = {name: {key: value for key, value in GOOD_RETURN.items() if key != name} for name in GOOD_RETURN}

    def case(about: str, body: Any, wanted: str = "refused") -> Case:
        return Case(about, {"body": body}, wanted)

    return [
        case("a good return", GOOD_RETURN, "taken"),
        case("another reason, one unit", GOOD_RETURN | {"reason": "unwanted", "quantity": 1}, "taken"),
        case("the third reason, many units", GOOD_RETURN | {"reason": "wrong", "quantity": 500}, "taken"),
        *(case(f"a return without {name}", body) for name, body in without.items()),
        case("a reason that nobody knows", GOOD_RETURN | {"reason": "bored"}),
        case("something before the id", GOOD_RETURN | {"orderId": "my ORD-0123456789abcdef0123"}),
        case("something after the id", GOOD_RETURN | {"orderId": "ORD-0123456789abcdef0123456"}),
        case("an id of other letters", GOOD_RETURN | {"orderId": "ORD-0123456789ABCDEFGHIJ"}),
        case("zero units", GOOD_RETURN | {"quantity": 0}),
        case("fewer than zero units", GOOD_RETURN | {"quantity": -2}),
        case("one and a half units", GOOD_RETURN | {"quantity": 1.5}),
        case("units as a text", GOOD_RETURN | {"quantity": "2"}),
        case("a field too many", GOOD_RETURN | {"refund": 1000000}),
        case("a list", [GOOD_RETURN]),
    ]


def of(*words: str) -> Shows:
    """Was a bad body taken, in a case about one of these?"""
    return lambda case, seen: seen.value == "taken" and any(word in case.about for word in words)


def written(answer: Any, customerId: str, text: str) -> Any:
    """What DynamoDB is asked for when the answer is the template: the request as JSON, or the text that is none."""
    request = mapped(answer(), {"customerId": customerId, "text": text})
    try:
        return json.loads(request)
    except ValueError:
        return {"no JSON": request}


def wishes() -> Sequence[Case]:
    """The cases of exercise 2.3. What judges them is loaded here, before the answer's steps are counted."""
    mapped("$util.urlEncode($input.path('$.a'))", {})

    def case(about: str, text: str, customer: str = "C-1") -> Case:
        item = {"customerId": {"S": customer}, "text": {"S": text}}
        return Case(about, {"customerId": customer, "text": text}, {"TableName": "wishes", "Item": item})

    return [
        case("a plain wish", "a blue teapot"),
        case("a wish with quotation marks", 'a 12" pan'),
        case("a wish with an apostrophe", "O'Brien's mug"),
        case("a wish in two lines, with a backslash", "red \\ white\nand blue"),
        case("a wish that is written like a request", 'a mug"}, "approved": {"S": "yes'),
        case("a customer who is written like a request", "a mug", 'C-1"}, "approved": {"S": "yes'),
    ]


def quoted_twice(case: Case, seen: Observed) -> bool:
    """Does a text begin with two quotation marks?"""
    return '"S": ""' in seen.value.get("no JSON", "")


def apostrophe_escaped(case: Case, seen: Observed) -> bool:
    """Did \\' make the text no JSON?"""
    return "\\'" in seen.value.get("no JSON", "")


def leaked(case: Case, seen: Observed) -> bool:
    """Did what a customer wrote become a part of the request, or break it?"""
    return "approved" in seen.value.get("Item", {}) or "no JSON" in seen.value


EXERCISES = (
    Exercise(
        id="2.1",
        title="What does the model save?",
        cases=what_is_saved,
        observe=itself,
        tolerance=0.02,
        mistakes=(
            Mistake("That is the whole bill without the model. The requests are charged in both cases.",
                    usd(price("api-request").of(1e6) + saved(MEMORY, SECONDS))),
            Mistake("That is what is charged in both cases. What comes on top when a function runs?",
                    usd(price("api-request").of(1e6))),
            Mistake("That is the time alone. Lambda charges each invocation, too.",
                    usd(saved(MEMORY, SECONDS) - saved(0, 0))),
            Mistake("That is the invocations alone. Lambda charges the memory for its time, too.", usd(saved(0, 0))),
            Mistake("That is the bill for 512 MB. This function has twice as much.", usd(saved(MEMORY / 2, SECONDS))),
            Mistake("A GB-second is for seconds, and 300 are milliseconds.", usd(saved(MEMORY, SECONDS * 1000))),
        ),
        hints=(
            "Which lines of the bill does the model change? Not the first one.",
            "A million invocations, and a million times 0.3 seconds with 1 GB.",
        ),
    ),
    Exercise(
        id="2.2",
        title="A model for returns",
        cases=returns,
        observe=held_against,
        mistakes=(
            Mistake("This is no JSON Schema of draft 4, so API Gateway would not take it. There, `required` is a list "
                    "beside `properties`, and `exclusiveMinimum` is true or false.",
                    lambda case, seen: seen.error[0] == "ModelError"),
            Mistake("A property that is described may still be missing. Which ones must be there?", of("without")),
            Mistake("A field that nobody knows gets through, and some day a line of code will read it.",
                    of("too many")),
            Mistake("A pattern is looked for anywhere in the text. ^ and $ tie it to the beginning and to the end.",
                    of("before the id", "after the id")),
            Mistake("Nothing in it says how few units a return may have.", of("zero units")),
            Mistake("1.5 is a number, too. Whole numbers have a type of their own.", of("one and a half")),
            Mistake("`properties` and `required` are asked of objects only: a list walks past them.", of("a list")),
            Mistake("Draft 4 passes over words that it does not know: `const` came later, `enum` is the one to use.",
                    of("nobody knows")),
            Mistake("It refuses a good return.",
                    lambda case, seen: case.wanted == "taken" and seen.value == "refused"),
        ),
        hints=(
            "Begin with the shop's own model, which the lesson prints, and change it line by line.",
            'An object with three properties: {"type": "string", "pattern": …}, {"enum": […]} and '
            '{"type": "integer", "minimum": …}.',
            "Then `required` with all three names, and `additionalProperties` false.",
        ),
    ),
    Exercise(
        id="2.3",
        title="The wish that approved itself",
        cases=wishes,
        observe=written,
        mistakes=(
            Mistake("$input.json brings its own quotation marks, so there are now two pairs.", quoted_twice),
            Mistake("escapeJavaScript writes \\' for an apostrophe, and JSON knows no \\'. The shop's own template "
                    "shows what to put behind it.", apostrophe_escaped),
            Mistake("What the customer wrote becomes a part of the request. Every text from outside must be written "
                    "as JSON, whoever wrote it.", leaked),
            Mistake("The row must hold what the customer wrote, with nothing taken out and nothing added.",
                    lambda case, seen: "Item" in seen.value),
        ),
        hints=(
            'What does the template write for the wish a 12" pan? Put the text in its place by hand.',
            "$input.path gives a bare text. The lesson shows two ways to write a text as JSON.",
            "$input.json writes a value as JSON, with its quotation marks: leave out your own.",
        ),
    ),
)  # fmt: skip


def caught(seen: Any) -> str:
    """The option of prediction 2.A that a number of bad requests stopped by the gateway shows."""
    from orderlab.ops.days import typical

    every = typical.CANCELLATIONS + typical.WITHOUT_CUSTOMER + typical.CODE_TWICE + typical.ENDLESS
    known = {every: "a", every - typical.CODE_TWICE: "b", typical.WITHOUT_CUSTOMER: "c"}
    return known.get(seen, "")


def share(seen: Any) -> str:
    """The option of prediction 2.B that a share of the cost shows."""
    return "a" if seen > 0.8 else "b" if 0.3 < seen < 0.7 else "c" if 0 < seen < 0.1 else ""


def past_the_label(seen: Any) -> str:
    """The option of prediction 2.C that a status and the number of functions that ran show."""
    status, ran = seen
    return {(415, 0): "a", (400, 0): "b", (400, 1): "c", (202, 1): "d"}.get((status, ran), "")


PREDICTIONS = (
    Prediction(
        "2.A",
        "What the model catches",
        {"a": "all of them", "b": "all but the codes named twice", "c": "only those without a customer"},
        caught,
    ),
    Prediction(
        "2.B",
        "How much of its cost a refusal saves",
        {"a": "nearly all", "b": "about half", "c": "less than a tenth"},
        share,
    ),
    Prediction(
        "2.C",
        "A bad order with another label",
        {
            "a": "415 from the gateway",
            "b": "400 from the gateway",
            "c": "400 from PlaceOrder",
            "d": "202",
        },
        past_the_label,
    ),
)
