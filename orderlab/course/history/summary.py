"""What the timeline of one order says in words: how it ended, its tries, its longest wait and why, the breaker."""

from collections import Counter
from typing import TYPE_CHECKING

from ..drawing.figures import count
from . import tries
from .sketch import BREAKER, Sketch
from .telling import lasting, queue

if TYPE_CHECKING:
    from .receives import Try

KINDS = {
    "done": "succeeded",
    "no answer": "got no answer",
    "not asked": "found the breaker open and did not ask",
    "failed": "failed otherwise",
}


def summary(told: Sketch, order_id: str, seed: int) -> str:
    """The sentences of the figure."""
    sentences = [
        f"Order {order_id} in one history (seed {seed}): {ending(told)}, in {count(told.steps, 'step')}",
        _tried(told),
        _waited(told),
        _breaker(told),
        *(_hidden(one) for one in told.tries if one.hides),
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def ending(told: Sketch) -> str:
    """The order's status and how long it took to get there, or how long it has been waiting for it."""
    if told.settled is not None:
        return f"{told.status} after {lasting(told.settled)}"
    if told.now is None:
        return f"{told.status}, given up after {lasting(told.end)}"
    return f"still {told.status} after {lasting(told.now)}"


def _tried(told: Sketch) -> str:
    """How often its messages were tried, and with what success."""
    ended = [one for one in told.tries if one.ended is not None]
    kinds = Counter(_kind(one) for one in ended)
    if not ended:
        return ""
    results = ", ".join(f"{kinds[kind]} {words}" for kind, words in KINDS.items() if kinds[kind])
    messages = len({one.carried.message for one in ended})
    return f"{count(messages, 'message')} took {count(len(ended), 'try', 'tries')}: {results}"


def _kind(one: "Try") -> str:
    kind = tries.outcome(one)
    return "no answer" if kind == "failed" and tries.unanswered(one) else kind


def _waited(told: Sketch) -> str:
    """The longest wait of a message, and why it waited."""
    longest = max((bar for bar in told.bars if bar.why), key=lambda bar: round(bar.length, 3), default=None)
    return f"The longest wait was {lasting(longest.length)}: {longest.why}" if longest is not None else ""


def _breaker(told: Sketch) -> str:
    """When the shared breaker was not closed, if the order had to do with it then."""
    spans = [bar for bar in told.bars if bar.lane == BREAKER]
    if not spans:
        return ""
    present = told.end if told.now is None else told.now
    opened = "was open from the start" if spans[0].began == 0 else f"opened after {lasting(spans[0].began)}"
    closed = "is not closed yet" if spans[-1].ended == present else f"closed after {lasting(spans[-1].ended)}"
    probes = sum(bar.kind == "half-open" for bar in spans)
    half_open = f"was half-open {'once' if probes == 1 else f'{probes} times'}, and" if probes else "and"
    return f"The breaker {opened}, {half_open} {closed}"


def _hidden(one: "Try") -> str:
    """What is to come by itself."""
    place = queue(one.carried.queue)
    return f"{one.carried.type} is hidden in the {place} since try {one.number}, for {lasting(one.length)} in all"
