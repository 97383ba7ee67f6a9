"""Answers to the exercises of lesson 07: further right ones, and one wrong one for each misconception of the lesson."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

Message = dict[str, Any]
Work = Callable[[], Any]


def one_transaction(message: Message, table: Any) -> None:
    """Right: marker and points together."""
    table.transact(put=message["orderId"], add=(message["customerId"], message["points"]))


def looks_first(message: Message, table: Any) -> None:
    """Right: the look saves a write, and the transaction decides."""
    key = f"points {message['orderId']}"
    if not table.get(key):
        table.transact(put=key, add=(message["customerId"], message["points"]))


def key_of_the_sending(message: Message, table: Any) -> None:
    """Wrong: a key that changes with each sending."""
    key = f"{message['orderId']} {message['sentAt']}"
    table.transact(put=key, add=(message["customerId"], message["points"]))


def key_of_the_customer(message: Message, table: Any) -> None:
    """Wrong: a key that does not change with the order."""
    table.transact(put=message["customerId"], add=(message["customerId"], message["points"]))


def marker_first(message: Message, table: Any) -> None:
    """Wrong: check, then act, the marker before the points."""
    if not table.get(message["orderId"]):
        table.put(message["orderId"])
        table.add(message["customerId"], message["points"])


def marker_wins_the_race(message: Message, table: Any) -> None:
    """Wrong: no race, but still a crash between the two."""
    if table.put(message["orderId"]):
        table.add(message["customerId"], message["points"])


def points_first(message: Message, table: Any) -> None:
    """Wrong: check, then act, the points before the marker."""
    if not table.get(message["orderId"]):
        table.add(message["customerId"], message["points"])
        table.put(message["orderId"])


def forgets(message: Message, table: Any) -> None:
    """Wrong: believes in one delivery."""
    table.add(message["customerId"], message["points"])


def once(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Right: take the key, work, keep the answer."""

    def free(old: Any) -> bool:
        return old is None or (old["status"] == "in progress" and old["until"] < now)

    old = table.put_if(key, {"status": "in progress", "until": now + lease}, free)
    if old is not None:
        return old["answer"] if old["status"] == "completed" else "in progress"
    try:
        answer = work()
    except Exception:
        table.delete(key)
        raise
    table.put(key, {"status": "completed", "answer": answer})
    return answer


def with_numbers(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Right: the lease alone tells what is in progress, and a completed record has none."""
    old = table.put_if(key, {"lease": now + lease}, lambda old: not old or ("lease" in old and old["lease"] < now))
    if old:
        return old.get("answer") if "answer" in old else "in progress"
    try:
        answer = work()
    except Exception as error:
        table.delete(key)
        raise error
    table.put(key, {"answer": answer})
    return answer


def impatient(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: whatever is in progress is free."""
    old = table.put_if(key, {"status": "in progress"}, lambda old: old is None or old["status"] == "in progress")
    return _finish(table, key, work, old)


def no_lease(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: attribute_not_exists, and nothing more."""
    old = table.put_if(key, {"status": "in progress"}, lambda old: old is None)
    return _finish(table, key, work, old)


def never_frees(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: an error keeps the key."""
    old = table.put_if(key, {"status": "in progress", "until": now + lease}, lambda old: _free(old, now))
    if old is not None:
        return old["answer"] if old["status"] == "completed" else "in progress"
    answer = work()
    table.put(key, {"status": "completed", "answer": answer})
    return answer


def swallows(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: the caller never hears of the error."""
    old = table.put_if(key, {"status": "in progress", "until": now + lease}, lambda old: _free(old, now))
    if old is not None:
        return old["answer"] if old["status"] == "completed" else "in progress"
    try:
        answer = work()
    except Exception:
        table.delete(key)
        return None
    table.put(key, {"status": "completed", "answer": answer})
    return answer


def truthy(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: takes an empty answer for none."""
    old = table.put_if(key, {"status": "in progress", "until": now + lease}, lambda old: _free(old, now))
    return _finish(table, key, work, old, truth=True)


def done_before(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: writes completed, and then works."""
    old = table.put_if(key, {"status": "completed", "answer": None}, lambda old: old is None)
    return _finish(table, key, work, old)


def takes_all(table: Any, key: str, work: Work, now: float, lease: float) -> Any:
    """Wrong: a condition that is always true."""
    old = table.put_if(key, {"status": "in progress", "until": now + lease}, lambda old: True)
    return _finish(table, key, work, old)


def _free(old: Any, now: float) -> bool:
    return old is None or (old["status"] == "in progress" and old["until"] < now)


def _finish(table: Any, key: str, work: Work, old: Any, truth: bool = False) -> Any:
    if old is not None:
        done = old.get("answer") if truth else old["status"] == "completed"
        return old["answer"] if done else "in progress"
    try:
        answer = work()
    except Exception:
        table.delete(key)
        raise
    table.put(key, {"status": "completed", "answer": answer})
    return answer


RIGHT: dict[str, list[Any]] = {
    "7.1": [18, 18.0, Fraction(36, 2)],
    "7.2": [one_transaction, looks_first],
    "7.3": [once, with_numbers],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "7.1": [
        (14, "sends it to the first queue"),
        (4, "first queue alone"),
        (22, "keeps its first date"),
        (1, "is Notify's"),
        (32, "ends with the try after one redrive"),
    ],
    "7.2": [
        (key_of_the_sending, "sends the message anew"),
        (key_of_the_customer, "taken for a repeat of the first"),
        (marker_first, "The marker is there before the points"),
        (marker_wins_the_race, "The marker is there before the points"),
        (points_first, "The points are there before the marker"),
        (forgets, "does not remember"),
    ],
    "7.3": [
        (impatient, "still at work"),
        (no_lease, "keeps the key for ever"),
        (never_frees, "free its key"),
        (swallows, "must hear of the error"),
        (truthy, "An empty answer is an answer"),
        (done_before, "says done before it is"),
        (takes_all, "A repeat runs the work again"),
    ],
}
