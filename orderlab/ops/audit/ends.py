"""How each order ended, or what could still end it: judged from its rows and from the messages that lie in queues.

An order that is PENDING is not lost as long as a message lies somewhere that will bring, or after a redrive can bring,
every outcome that it lacks. That is what a dead-letter queue is for: late is not lost.

Taught in notebooks/11_game_day.ipynb
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .books import DEAD, FAILED_RECORDS, WORK, Letter, Row

_ANY_PLACE = {"RelayDeadQueue", "UndeliveredQueue", FAILED_RECORDS}
_OWN = {"stock": {"StockQueue", "StockDeadQueue"}, "payment": {"PaymentQueue", "PaymentDeadQueue"}}
_SETTLING = {"SettlementQueue", "SettlementDeadQueue"}
_OUTCOMES = {"stock": {"StockReserved", "StockRejected"}, "payment": {"PaymentCaptured", "PaymentDeclined"}}
_GRAVES = (*DEAD, FAILED_RECORDS)


@dataclass(frozen=True)
class End:
    """Where an order stands: "confirmed", "cancelled" (why), "dead" (in which queue), "in flight" or "lost" (why)."""

    state: str
    why: str = ""


def end_of(parts: Mapping[str, Row], letters: Iterable[Letter], at_rest: bool = True) -> End:
    """The end of one order, given its rows by part and the letters that name it.

    While the system still moves (`at_rest` False), an event may be on its way between a row and a queue, where nobody
    can see it: an order is then called in flight rather than lost.
    """
    order = parts.get("ORDER")
    if order is None:
        return End("lost", "it was accepted, and there is no ORDER row of it")
    if order["status"] != "PENDING":
        return End(str(order["status"]).lower(), str(order.get("reason", "")))
    lacking = [side for side in ("stock", "payment") if not order.get(side)]
    carriers = {
        side: [letter for letter in letters if brings(letter, side)] for side in lacking or ("stock", "payment")
    }
    found = [letter for side in carriers.values() for letter in side]
    nothing = [side for side in lacking if not carriers[side]] if lacking else ([] if found else ["last outcome"])
    if nothing and at_rest:
        return End("lost", f"it is PENDING, and no message can bring its {' and its '.join(nothing)}")
    graves = {letter.queue for letter in found} & set(_GRAVES)
    return End("dead", min(graves, key=_GRAVES.index)) if graves else End("in flight")


def brings(letter: Letter, side: str) -> bool:
    """Can this message still bring the order's outcome of that side, "stock" or "payment"?"""
    if letter.queue in _OWN[side]:
        return "OrderPlaced" in letter.types
    if letter.queue in _SETTLING:
        return bool(letter.types & _OUTCOMES[side])
    return letter.queue in _ANY_PLACE and bool(letter.types & (_OUTCOMES[side] | {"OrderPlaced"}))


def undoes(letter: Letter, side: str) -> bool:
    """Will this message, when it is handled, undo that side of a cancelled order?"""
    return "OrderCancelled" in letter.types and letter.queue in _OWN[side] | _ANY_PLACE


def tells(letter: Letter) -> bool:
    """Is this message the word to the customer that could not be given?"""
    told = {"OrderConfirmed", "OrderCancelled"}
    return letter.queue in _ANY_PLACE | {"NotifyDeadQueue"} and bool(letter.types & told)


def is_dead(letter: Letter) -> bool:
    """Does this message lie where only a person moves it?"""
    return letter.queue in _GRAVES


def is_waiting(letter: Letter) -> bool:
    """Does this message lie in a queue that a function reads?"""
    return letter.queue in WORK
