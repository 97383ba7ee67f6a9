"""The predictions and exercises of lesson 06: a counter in many environments, a basket, and the last one in stock.

Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Sequence

from orderlab.course.answers.exercise import Case, Exercise, Mistake, Observed, itself, says
from orderlab.course.answers.predictions import Prediction

from .raced_table import Visit, selling, visiting

PER_SECOND, SECONDS, CALLS = 10, 0.5, 60  # customers each second, of work on each, and in all


def told(per_second: float, seconds: float, calls: int) -> float:
    """The largest number that a counter in a global says: all environments are busy, and share the calls."""
    return calls / (per_second * seconds)


def largest() -> Sequence[Case]:
    """The one case of exercise 6.1."""
    return [Case("ten customers a second, half a second each", {}, told(PER_SECOND, SECONDS, CALLS))]


def baskets() -> Sequence[Case]:
    """The cases of exercise 6.2."""

    def case(about: str, visits: list[Visit], **wanted: list[str]) -> Case:
        return Case(about, {"visits": visits}, {name: sorted(goods) for name, goods in wanted.items()})

    return [
        case("one customer, one environment", [[1, "Ada", "lamp"], [1, "Ada", "mug"]], Ada=["lamp", "mug"]),
        case("two customers, one environment", [[1, "Ada", "lamp"], [1, "Ben", "mug"]], Ada=["lamp"], Ben=["mug"]),
        case("one customer, two environments", [[1, "Ada", "lamp"], [2, "Ada", "mug"]], Ada=["lamp", "mug"]),
        case("two mugs", [[1, "Ada", "mug"], [2, "Ada", "mug"]], Ada=["mug", "mug"]),
        case("two tabs of one customer at the same moment, and then a clock",
             [[1, "Ada", "lamp", [2, "Ada", "mug"]], [1, "Ada", "clock"]], Ada=["lamp", "mug", "clock"]),
        case("the same, when something is in the basket already",
             [[1, "Ada", "sofa"], [1, "Ada", "lamp", [2, "Ada", "mug"]], [3, "Ada", "clock"]],
             Ada=["sofa", "lamp", "mug", "clock"]),
    ]  # fmt: skip


def mixed_up(case: Case, seen: Observed) -> bool:
    """Does somebody see what only another customer asked for?"""
    return any(set(found) - set(case.wanted[name]) for name, found in seen.value["baskets"].items())


def lost(case: Case, seen: Observed) -> bool:
    """Is something missing where one visit falls into another?"""
    return any(len(visit) > 3 for visit in case.given["visits"]) and any(
        set(found) < set(case.wanted[name]) for name, found in seen.value["baskets"].items()
    )


def once_each(case: Case, seen: Observed) -> bool:
    """Is only what was asked for twice missing?"""
    return all(sorted(set(case.wanted[name])) == found for name, found in seen.value["baskets"].items())


def purchases() -> Sequence[Case]:
    """The cases of exercise 6.3."""

    def case(about: str, stock: int, wishes: list[int], sold: int, sku: str = "lamp") -> Case:
        left = stock - sold if sku == "lamp" else None
        return Case(about, {"stock": stock, "wishes": wishes, "sku": sku}, {"sold": sold, "left": left})

    return [
        case("one customer, three lamps", 3, [1], 1),
        case("the last lamp", 1, [1], 1),
        case("two lamps wanted, one there", 1, [2], 0),
        case("none there", 0, [1], 0),
        case("an article that the shop does not have", 3, [1], 0, sku="sofa"),
        case("two customers at once, and one lamp", 1, [1, 1], 1),
        case("two customers at once, and lamps for both", 5, [2, 2], 4),
        case("eight customers, two at a time, and five lamps", 5, [1] * 8, 5),
    ]


def oversold(case: Case, seen: Observed) -> bool:
    """Were customers told of more than there was, or did the row not allow it?"""
    if seen.ended == "raised":
        return "ValidationException" in " ".join(seen.error)
    return bool(seen.value["sold"] > case.wanted["sold"])


def raced(case: Case, seen: Observed) -> bool:
    """Did it read and then write, and go wrong when somebody came between?"""
    return len(case.given["wishes"]) > 1 and seen.value["calls"] > 1


def silent(case: Case, seen: Observed) -> bool:
    """Are the goods gone, and nobody was told True?"""
    return bool(case.wanted["sold"] > 0 == seen.value["sold"] and seen.value["left"] == case.wanted["left"])


EXERCISES = (
    Exercise(
        id="6.1",
        title="Who is the sixtieth customer?",
        cases=largest,
        observe=itself,
        tolerance=0.1,
        mistakes=(
            Mistake("That would be one counter for all. How many environments are busy at any moment?", says(60)),
            Mistake("That is the number of environments. Among them they share the 60 customers.", says(5)),
            Mistake("Ten come in a second, but each stays for half a second only: so fewer are inside at once.",
                    says(6)),
            Mistake("Rate times stay, not rate divided by stay: how many are inside at any moment?", says(3, 20)),
        ),
        hints=(
            "How many customers are inside at any moment? Rate times stay.",
            "So many environments share the customers evenly.",
        ),
    ),
    Exercise(
        id="6.2",
        title="Ada's lamp in Ben's basket",
        cases=baskets,
        observe=visiting,
        shown=lambda value: value["baskets"] if isinstance(value, dict) and "baskets" in value else value,
        mistakes=(
            Mistake("It keeps the basket in the environment's memory: whoever comes there next may see it, and no "
                    "other environment knows of it.", lambda case, seen: seen.value["calls"] == 0),
            Mistake("A customer sees what somebody else has put in. Whose basket is it? The row's key must say so.",
                    mixed_up),
            Mistake("Two visits at once, and one of them is lost: both read the same basket, and the second to write "
                    "wins. Let DynamoDB append, in one update.", lost),
            Mistake("Two mugs are two mugs. A set keeps one of each; a list keeps all.", once_each),
        ),
        hints=(
            "One row for each customer: Key={\"customer\": event[\"customer\"]}.",
            "list_append(if_not_exists(goods, :none), :new) in an UpdateExpression appends to a list, or begins one.",
            "ReturnValues=\"ALL_NEW\" lets update_item answer with the row, in \"Attributes\".",
        ),
    ),
    Exercise(
        id="6.3",
        title="The last lamp",
        cases=purchases,
        observe=selling,
        shown=lambda value: {name: value[name] for name in ("sold", "left")},
        mistakes=(
            Mistake("It believes a number that it has read. Before it writes, somebody else has bought: check in the "
                    "write itself.", raced),
            Mistake("A condition that fails raises ConditionalCheckFailedException. That is an answer: catch it, and "
                    "say False.",
                    lambda case, seen: seen.ended == "raised" and "ConditionalCheckFailed" in " ".join(seen.error)),
            Mistake("It promises goods that are not there. The update needs a condition that holds what is there "
                    "against what is wanted.", oversold),
            Mistake("The goods are gone, and no customer was told True.", silent),
            Mistake("The last one is never sold: as many as are wanted are enough.",
                    lambda case, seen: seen.value["sold"] < case.wanted["sold"]),
        ),
        hints=(
            "One update_item does both: the check and the taking.",
            "UpdateExpression=\"SET onHand = onHand - :q\", ConditionExpression=\"onHand >= :q\".",
            "Try the update; return False when it raises ClientError with the code of a failed condition, else True.",
        ),
    ),
)  # fmt: skip


def highest(number: int) -> str:
    """The option of prediction 6.A that the highest number told to one of 45 customers shows."""
    return "a" if number == 45 else "b" if number >= 20 else "c" if number < 10 else ""


def how_much(counted: int) -> str:
    """The option of prediction 6.B that a count of 40 visits shows."""
    return "a" if counted == 40 else "b" if 30 <= counted < 40 else "c" if counted < 10 else ""


def how_many(reads: int) -> str:
    """The option of prediction 6.C that the number of reads by eight customers shows."""
    return "a" if reads == 0 else "b" if reads == 1 else "c" if reads >= 4 else ""


PREDICTIONS = (
    Prediction("6.A", "Forty customers at the same moment", {"a": "45", "b": "20 to 44", "c": "9 at most"}, highest),
    Prediction("6.B", "A counter in a row", {"a": "40", "b": "30 to 39", "c": "9 at most"}, how_much),
    Prediction("6.C", "A price that has just expired", {"a": "none", "b": "1", "c": "4 or more"}, how_many),
)
