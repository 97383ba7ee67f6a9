"""Answers to the exercises of lesson 00: further right ones, and one wrong one for each misconception of the lesson."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

Send = Callable[[str, Any], str]
NewKey = Callable[[], str]


def recursive(basket: Any, send: Send, new_key: NewKey) -> str:
    """Right: each try is a call."""

    def attempt(key: str, left: int) -> str:
        try:
            return send(key, basket)
        except TimeoutError:
            if left == 1:
                raise
            return attempt(key, left - 1)

    return attempt(new_key(), 4)


def remembering(basket: Any, send: Send, new_key: NewKey) -> str:
    """Right: the last error is kept and raised at the end."""
    key, last = new_key(), None
    for _ in range(4):
        try:
            return send(key, basket)
        except TimeoutError as error:
            last = error
    raise last or AssertionError


def while_loop(basket: Any, send: Send, new_key: NewKey) -> str:
    """Right: counts down, and lets the last one out."""
    key, left = new_key(), 4
    while left > 1:
        left -= 1
        try:
            return send(key, basket)
        except TimeoutError:
            pass
    return send(key, basket)


def key_each_time(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: a new key for each try."""
    for left in (3, 2, 1, 0):
        try:
            return send(new_key(), basket)
        except TimeoutError:
            if not left:
                raise
    raise AssertionError


def one_key_for_all(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: the key says nothing of the order."""
    for left in (3, 2, 1, 0):
        try:
            return send("my-key", basket)
        except TimeoutError:
            if not left:
                raise
    raise AssertionError


def key_of_the_goods(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: two equal orders have one key."""
    for left in (3, 2, 1, 0):
        try:
            return send(str(sorted(basket.items())), basket)
        except TimeoutError:
            if not left:
                raise
    raise AssertionError


def once(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: no second try."""
    return send(new_key(), basket)


def twice(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: only one more try."""
    key = new_key()
    try:
        return send(key, basket)
    except TimeoutError:
        return send(key, basket)


def whatever_happens(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: also what was refused is sent again."""
    key = new_key()
    for left in (3, 2, 1, 0):
        try:
            return send(key, basket)
        except Exception:
            if not left:
                raise
    raise AssertionError


def all_is_well(basket: Any, send: Send, new_key: NewKey) -> str | None:
    """Wrong: after four tries it returns as if there were an order."""
    key = new_key()
    for _ in range(4):
        try:
            return send(key, basket)
        except TimeoutError:
            pass
    return None


def for_ever(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: never gives up."""
    key = new_key()
    while True:
        try:
            return send(key, basket)
        except TimeoutError:
            pass


def five(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: one try too many."""
    key = new_key()
    for left in (4, 3, 2, 1, 0):
        try:
            return send(key, basket)
        except TimeoutError:
            if not left:
                raise
    raise AssertionError


def says_the_error(basket: Any, send: Send, new_key: NewKey) -> str:
    """Wrong: the error's name is returned, as if it were an order's id."""
    key = new_key()
    for _ in range(4):
        try:
            return send(key, basket)
        except TimeoutError as error:
            last = type(error).__name__
    return last


Message = dict[str, Any]
Provider = Callable[[str, int], str]


def let_it_out(message: Message, provider: Provider) -> str:
    """Right: nothing is caught."""
    return provider(message["orderId"], message["amount"])


def own_error(message: Message, provider: Provider) -> str:
    """Right: an error that says more."""
    try:
        return provider(message["orderId"], message["amount"])
    except TimeoutError as error:
        raise RuntimeError("nobody knows whether the money was taken") from error


def asks_twice(message: Message, provider: Provider) -> str:
    """Right: one more try at once, then it leaves the rest to the queue."""
    try:
        return provider(message["orderId"], message["amount"])
    except TimeoutError:
        return provider(message["orderId"], message["amount"])


def declined(message: Message, provider: Provider) -> str:
    """Wrong: the code as the lesson gives it."""
    try:
        return provider(message["orderId"], message["amount"])
    except TimeoutError:
        return "DECLINED"


def captured(message: Message, provider: Provider) -> str:
    """Wrong: silence taken for a yes."""
    try:
        return provider(message["orderId"], message["amount"])
    except TimeoutError:
        return "CAPTURED"


def swallowed(message: Message, provider: Provider) -> str | None:
    """Wrong: the error is gone, and the message too."""
    try:
        return provider(message["orderId"], message["amount"])
    except TimeoutError:
        return None


def hangs_on(message: Message, provider: Provider) -> str:
    """Wrong: waits inside the function."""
    while True:
        try:
            return provider(message["orderId"], message["amount"])
        except TimeoutError:
            continue


def decline_is_an_error(message: Message, provider: Provider) -> str:
    """Wrong: a decline is tried again and again."""
    answer = provider(message["orderId"], message["amount"])
    if answer == "DECLINED":
        raise ValueError("the card was declined")
    return answer


RIGHT: dict[str, list[Any]] = {
    "0.1": [21, 21.0, 21.2, Fraction(63, 3), Decimal("21.0")],
    "0.2": [recursive, remembering, while_loop],
    "0.3": [let_it_out, own_error, asks_twice],
}
WRONG: dict[str, list[tuple[Any, str]]] = {  # the answer, and words of the message that it must get
    "0.1": [
        (20, "nobody tells the queue"),
        (18, "still falls into the outage"),
        (23, "does not begin when the provider returns"),
        (6, "for the outage of five minutes"),
        (1260, "looks like seconds"),
    ],
    "0.2": [
        (key_each_time, "One order, one key"),
        (one_key_for_all, "Two orders came with one key"),
        (key_of_the_goods, "Two orders came with one key"),
        (once, "gives up too early"),
        (twice, "gives up too early"),
        (whatever_happens, "A 400 stays a 400"),
        (all_is_well, "must learn that nobody knows"),
        (says_the_error, "must learn that nobody knows"),
        (for_ever, "never gives up"),
        (five, "more often than four times"),
    ],
    "0.3": [
        (declined, "That is the complaint"),
        (captured, "Silence is not a yes"),
        (swallowed, "SQS deleted the message"),
        (hangs_on, "hangs on inside the function"),
        (decline_is_an_error, "A decline is an answer"),
    ],
}
