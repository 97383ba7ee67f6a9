"""Answers to the exercises of lesson 03: further right ones, and one wrong one for each misconception of the lesson."""

from decimal import Decimal
from typing import Any

Pattern = dict[str, Any]
Entries = list[dict[str, Any]]
PLACED = {"detail-type": ["OrderPlaced"]}
REAL = {"customerId": [{"anything-but": {"prefix": "TEST-"}}]}
MUGS, MANY = {"sku": [{"prefix": "mug"}]}, {"quantity": [{"numeric": [">=", 50]}]}


def nested() -> Pattern:
    """Right: nested objects."""
    return {**PLACED, "detail": {**REAL, "items": {**MUGS, **MANY}}}


def dotted() -> Pattern:
    """Right: dotted names, the source as well, and a wildcard for the prefix."""
    return {
        "source": ["orders.api"],
        **PLACED,
        "detail": {**REAL, "items.sku": [{"wildcard": "mug*"}], "items.quantity": [{"numeric": [">", 49]}]},
    }


def more_than_fifty() -> Pattern:
    """Wrong: fifty is not more than fifty."""
    return {**PLACED, "detail": {**REAL, "items": {**MUGS, "quantity": [{"numeric": [">", 50]}]}}}


def any_type() -> Pattern:
    """Wrong: nothing says that it is about orders."""
    return {"source": ["orders.api"], "detail": {**REAL, "items": {**MUGS, **MANY}}}


def tests_too() -> Pattern:
    """Wrong: the shop's tests are forgotten."""
    return {**PLACED, "detail": {"items": {**MUGS, **MANY}}}


def one_mug() -> Pattern:
    """Wrong: the very sku."""
    return {**PLACED, "detail": {**REAL, "items": {"sku": ["mug"], **MANY}}}


def either() -> Pattern:
    """Wrong: mugs, or many of something."""
    return {**PLACED, "detail": {**REAL, "$or": [{"items": MUGS}, {"items": MANY}]}}


def outside() -> Pattern:
    """Wrong: the fields of the detail beside it."""
    return {**PLACED, **REAL, "items": {**MUGS, **MANY}}


def no_list() -> Pattern:
    """Wrong: an operator without its list."""
    return {**PLACED, "detail": {**REAL, "items": {"sku": {"prefix": "mug"}, **MANY}}}


def number_without_list() -> Pattern:
    """Wrong: PutRule takes it, and looks for a field that is called numeric."""
    return {**PLACED, "detail": {**REAL, "items": {**MUGS, "quantity": {"numeric": [">=", 50]}}}}


def zipped(client: Any, entries: Entries) -> Entries:
    """Right: each entry beside its result."""
    refused = []
    for start in range(0, len(entries), 10):
        some = entries[start : start + 10]
        results = client.put_events(Entries=some)["Entries"]
        refused += [entry for entry, result in zip(some, results, strict=True) if "ErrorCode" in result]
    return refused


def one_by_one(client: Any, entries: Entries) -> Entries:
    """Right: a call for each."""
    return [entry for entry in entries if client.put_events(Entries=[entry])["FailedEntryCount"]]


def believes(client: Any, entries: Entries) -> Entries:
    """Wrong: in tens, but the answer is not read."""
    for start in range(0, len(entries), 10):
        client.put_events(Entries=entries[start : start + 10])
    return []


def as_given(client: Any, entries: Entries) -> Entries:
    """Wrong in two ways, as the article has it: the worse one is named."""
    client.put_events(Entries=entries)
    return []


def all_in_one(client: Any, entries: Entries) -> Entries:
    """Wrong: one call, however many."""
    results = client.put_events(Entries=entries)["Entries"]
    return [entry for entry, result in zip(entries, results, strict=True) if "ErrorCode" in result]


def raises(client: Any, entries: Entries) -> Entries:
    """Wrong: an exception says that something failed, not what."""
    for start in range(0, len(entries), 10):
        if client.put_events(Entries=entries[start : start + 10])["FailedEntryCount"]:
            raise RuntimeError("the bus refused an entry")
    return []


def results_back(client: Any, entries: Entries) -> Entries:
    """Wrong: the refusals in place of what was refused."""
    refused: Entries = []
    for start in range(0, len(entries), 10):
        results = client.put_events(Entries=entries[start : start + 10])["Entries"]
        refused += [result for result in results if "ErrorCode" in result]
    return refused


def all_back(client: Any, entries: Entries) -> Entries:
    """Wrong: the whole call counts as failed."""
    refused: Entries = []
    for start in range(0, len(entries), 10):
        some = entries[start : start + 10]
        refused += some if client.put_events(Entries=some)["FailedEntryCount"] else []
    return refused


def all_again(client: Any, entries: Entries) -> Entries:
    """Wrong: the whole call is sent a second time."""
    for start in range(0, len(entries), 10):
        some = entries[start : start + 10]
        if client.put_events(Entries=some)["FailedEntryCount"]:
            client.put_events(Entries=some)
    return []


def first_ones(client: Any, entries: Entries) -> Entries:
    """Wrong: as if the first ones had failed, which the article's count suggests."""
    refused: Entries = []
    for start in range(0, len(entries), 10):
        some = entries[start : start + 10]
        refused += some[: client.put_events(Entries=some)["FailedEntryCount"]]
    return refused


def only_one(client: Any, entries: Entries) -> Entries:
    """Wrong: of each call, the first that was refused."""
    refused: Entries = []
    for start in range(0, len(entries), 10):
        some = entries[start : start + 10]
        results = client.put_events(Entries=some)["Entries"]
        refused += [entry for entry, result in zip(some, results, strict=True) if "ErrorCode" in result][:1]
    return refused


RIGHT: dict[str, list[Any]] = {
    "3.1": [nested, dotted],
    "3.2": [zipped, one_by_one],
    "3.3": [4, 4.0, Decimal("4.00")],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "3.1": [
        (more_than_fifty, "exactly fifty"),
        (any_type, "an event of another type"),
        (tests_too, "the shop's own tests"),
        (one_mug, "knows one mug only"),
        (either, "must meet in one line"),
        (outside, "matches nothing at all"),
        (number_without_list, "matches nothing at all"),
        (no_list, "each field of a pattern has a list"),
    ],
    "3.2": [
        (as_given, "It believes the 200"),
        (believes, "It believes the 200"),
        (all_in_one, "ten entries at most"),
        (raises, "cannot know which"),
        (results_back, "Those are the bus's results"),
        (all_back, "entries that the bus has taken"),
        (all_again, "gets that twice"),
        (first_ones, "how many, not which"),
        (only_one, "the others are lost"),
    ],
    "3.3": [
        (5.1, "counts deliveries"),
        (4.1, "your deliveries on top"),
        (1, "OrderPlaced alone"),
        (4_000_000, "wanted in dollars"),
    ],
}
