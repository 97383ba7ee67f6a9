"""`story()`: what happened to one order, told from the trace alone: seconds since it was placed, who, what.

On AWS you would put such a story together from CloudWatch Logs Insights (by the order's id, which every handler logs)
and X-Ray, minutes later and in part. Here it is whole: also the waits in queues, which no function can log.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import journey

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

    from .journey import Journey
    from .receives import Try
    from .trail import Said

WHO = 16  # letters
LONG = 1.0  # seconds: a message that waits less for its first receive has nothing to tell
ENDS = {"Sandbox.Timedout": "ran out of time", "Runtime.ExitError": "died"}


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` seconds after the order was placed."""

    at: float
    who: str
    what: str


@dataclass(frozen=True, repr=False)
class Story:
    """All that happened to one order, in the order of time; it began at `begin` seconds since the epoch."""

    order_id: str
    lines: tuple[Line, ...]
    begin: float

    def __repr__(self) -> str:
        head = [self.order_id, f"{'seconds':>8}  {'who':<{WHO}}  what"]
        return "\n".join(head + [f"{line.at:8.2f}  {line.who:<{WHO}}  {line.what}" for line in self.lines])

    def __len__(self) -> int:
        return len(self.lines)


def story(cloud: "Cloud", order_id: str) -> Story:
    """The story of an order. Raises ValueError for one that the trace knows nothing of."""
    return tell(journey.read(cloud.trace, order_id))


def tell(known: "Journey") -> Story:
    """The story of an order's journey."""
    found = [told for tell in (_doors, _words, _messages, _tries, _asynchronous) for told in tell(known)]
    found.sort(key=lambda told: told[0])
    begin = found[0][0]
    return Story(known.order_id, tuple(Line(round(at - begin, 6), who, what) for at, who, what in found), begin)


Told = tuple[float, str, str]


def _doors(known: "Journey") -> Iterator[Told]:
    """Requests about the order, as the gateway saw them."""
    for row in known.requests.values():
        yield row.at, "client", f"sends {row.what}"


def _words(known: "Journey") -> Iterator[Told]:
    """What functions said that read no queue of ours; those that do are told try by try."""
    for one in known.spoken:
        yield one.at, one.function, _phrase(one)


def _messages(known: "Journey") -> Iterator[Told]:
    """Each message: put in, and perhaps given up and brought home."""
    kinds = {one.message: one.type for one in known.carried}
    for one in known.carried:
        yield one.at, queue(one.queue), f"{one.type} is put in" + ("" if one.event else " again, by a redrive")
    for row in known.trace.select("dead"):
        if row.what in kinds:
            yield row.at, queue(row.actor), f"{kinds[row.what]} is given up: moved to the {queue(row.detail['to'])}"


def _tries(known: "Journey") -> Iterator[Told]:
    """Each try of a message, and its coming back when the visibility timeout is over."""
    for one in known.tries:
        place, kind = queue(one.carried.queue), one.carried.type
        if not one.function:
            yield one.began, place, f"try {one.number}: {kind} is {outcome(one)}"
        elif one.ended is not None:
            yield one.ended, one.function, plain(one)
        if one.fate == "retry":
            yield one.shows_up, place, f"{kind} shows up again after {lasting(one.length)}: not deleted"
        elif one.hides:
            yield one.shows_up, place, f"{kind} will show up again: it is hidden until then"


def _asynchronous(known: "Journey") -> Iterator[Told]:
    """What Lambda does about an asynchronous invoke that failed: it tries again, and gives up in the end."""
    waiting = {one.request: one.event.type for one in known.handed}
    for row in known.trace.select("retry", "destination", "dropped"):
        kind = waiting.get(row.detail.get("request", ""))
        if kind and row.kind == "retry":
            yield row.at, row.actor, f"{kind} failed: Lambda tries again {row.what}"
        elif kind:
            where = row.what if row.kind == "dropped" else f"sent to the {queue(row.what)}"
            yield row.at, row.actor, f"{kind} is given up: {where}"


def plain(one: "Try") -> str:
    """One try in plain words: its number, what came of it, how long the message had waited, the breaker's states."""
    number = f"try {one.number}: " if one.number > 1 or one.failed else ""
    waited = one.began - one.carried.at if one.number == 1 else 0.0
    notes = [f"waited {lasting(waited)}"] if waited >= LONG else []
    if one.breaker and (one.failed or one.breaker != ("closed",)):
        notes.append(f"breaker {' → '.join(one.breaker)}")
    return f"{number}{outcome(one)}" + (f" ({'; '.join(notes)})" if notes else "")


def outcome(one: "Try") -> str:
    """What came of one try that has ended, or that was none of ours."""
    if not one.function:
        return one.error or "taken by no function of ours"
    if one.record is None:
        return f"{ENDS.get(one.error, one.error) or ('stopped' if one.failed else 'done')} without a word"
    return reason(one.record) if one.failed else f"{one.carried.type} → {one.record.get('status', 'done')}"


def reason(record: dict[str, Any]) -> str:
    """Why a try failed, out of its log line. An open breaker and a missing answer are told in the course's words."""
    kind, _, text = str(record.get("message")).partition(": ")
    noted = re.search(r"after attempt (\d+)", " ".join(record.get("notes") or []))
    asked = int(noted.group(1)) if noted else 1
    if kind == "Open":
        asked -= 1  # the last attempt met it, and asked nobody
    if kind in ("Open", "Unknown"):
        return f"asked {'once' if asked == 1 else f'{asked} times'}, no answer" if asked else "not asked"
    return text or kind


def lasting(seconds: float) -> str:
    """A duration in words that a room can read: "0.34 s", "12.5 s", "3 min", "2.5 h"."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    size, unit = (1.0, "s") if seconds < 100 else (60.0, "min") if seconds < 6000 else (3600.0, "h")
    return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"


def queue(name: str) -> str:
    """A queue as the story names it: without the prefix that all names of the stack have."""
    return f"queue {name.partition('-')[2] or name}"


def _phrase(one: "Said") -> str:
    """A log line in the course's words; a function that these do not know, or that says other things, in its own."""
    try:
        return PHRASES[one.function](one.record)
    except KeyError:
        return " ".join(str(one.record[name]) for name in ("message", "status") if one.record.get(name))


def _answered(record: dict[str, Any]) -> str:
    return f"answers {record['status']}" + (": the order is in the table" if record["status"] == 202 else "")


def _relayed(record: dict[str, Any]) -> str:
    kind = record["event"].partition(".")[2]
    return f"publishes {kind}" if record["level"] == "INFO" else f"{kind}: {record['message']}"


PHRASES: dict[str, Callable[[dict[str, Any]], str]] = {
    "PlaceOrder": _answered,
    "GetOrder": _answered,
    "Relay": _relayed,
    "PaymentProvider": lambda record: f"{record['message']}: {record['answer']}",
    "ProjectSales": lambda record: f"counts {record['pence']} pence as sold",
    "Notify": lambda record: f"sends the mail {record['kind']}",
}
