"""The bars, marks and hops of one order's timeline, out of its journey. Times are seconds since the epoch here.

A lane is a place: the client, a function, or a queue together with the function that reads it, since a message lies in
the queue while the function works on it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import receives, telling, tries

if TYPE_CHECKING:
    from .journey import Journey


@dataclass(frozen=True)
class Bar:
    """Something that lasts: its kind is one of "waits", "hidden", "works", "open" and "half-open".

    `why` tells of a message that waited, and no longer does.
    """

    lane: str
    kind: str
    began: float
    ended: float
    why: str = ""

    @property
    def length(self) -> float:
        """Seconds."""
        return self.ended - self.began


@dataclass(frozen=True)
class Mark:
    """Something that happens: its kind is one of "done", "failed", "not asked" and "given up".

    `words` stand beside it; `short` is what stays of them where there is no room.
    """

    lane: str
    kind: str
    at: float
    words: str = ""
    short: str = ""


@dataclass(frozen=True)
class Hop:
    """An event goes from one lane, at `began`, to another, at `ended`."""

    lane: str
    to: str
    began: float
    ended: float


Drawn = Bar | Mark | Hop


def doors(known: "Journey") -> Iterator[Drawn]:
    """The client waits for its answer, and a function works on it. Reads are left out: they change nothing."""
    answers = {row.detail["request"]: row for row in known.trace.select("response")}
    for request, row in known.requests.items():
        answer, run = answers.get(row.detail["request"]), known.runs[request]
        if answer is None or row.what.startswith("GET "):
            continue
        yield Bar("client", "waits", row.at, answer.at)
        yield Mark("client", "done", answer.at, f"{answer.what} after {telling.lasting(answer.at - row.at)}")
        yield Bar(run.function, "works", run.began, run.ended or answer.at)
        yield Mark(run.function, "done", run.ended or answer.at)


def functions(known: "Journey") -> Iterator[Drawn]:
    """What functions did that read no queue of ours and that nobody waited for: Relay, Notify and their like."""
    for one in known.spoken:
        run = known.runs.get(one.request)
        if run is None or run.source in ("gateway", "invoke"):
            continue
        good, event = one.record.get("level") == "INFO", str(one.record.get("event", ""))
        yield Bar(run.function, "works", run.began, one.at)
        yield Mark(run.function, "done" if good else "failed", one.at, event.partition(".")[2])


def messages(known: "Journey", readers: dict[str, str], now: float) -> Iterator[Drawn]:
    """Each message: it waits, a function works on it, it lies hidden, it waits again, and perhaps it is given up."""
    dead = {row.what: row for row in known.trace.select("dead")}
    for message in known.carried:
        place = telling.queue(message.queue)
        lane, waits = readers.get(message.queue, place), message.at
        if message.event is not None:
            yield Hop(message.event.function, lane, message.event.at, message.at)
        if message.was in dead:
            row = dead[message.was]
            where = f"{message.type} lay in the {telling.queue(row.detail['to'])} until a redrive"
            yield Bar(lane, "waits", row.at, message.at, where)
        there = True
        for one in (one for one in known.tries if one.carried == message):
            yield Bar(lane, "waits", waits, one.began, f"{message.type} waited in the {place}")
            yield from _try(one, lane, now)
            there, waits = one.fate == "retry", one.shows_up
        if message.message in dead:
            row = dead[message.message]
            name = telling.queue(row.detail["to"]).partition(" ")[2]
            yield Mark(lane, "given up", row.at, f"goes to {name}", "given up")
        elif there and message.queue in readers:
            yield Bar(lane, "waits", waits, now)
        elif there:
            yield Mark(lane, "done", message.at, "no function reads it")


def _try(one: receives.Try, lane: str, now: float) -> Iterator[Drawn]:
    """One try: the work, its outcome, and the time for which the message is hidden because of it."""
    if one.failed or not one.function:
        where = f"{one.carried.type} lay hidden in the {telling.queue(one.carried.queue)} after try {one.number}"
        why = f"{where} ({telling.outcome(one)})" if one.fate == "retry" else ""
        yield Bar(lane, "hidden", one.began, one.shows_up, why)
    if one.function:
        yield Bar(lane, "works", one.began, now if one.ended is None else one.ended)
    if not one.function:
        words = f"try {one.number}: {'throttled' if one.error else 'taken by hand'}"
        yield Mark(lane, "failed", one.began, words, str(one.number))
    elif one.ended is not None:
        words, counted = tries.words(one), one.number > 1 or one.failed
        words, short = (f"try {one.number}: {words}", str(one.number)) if counted else (words, "")
        yield Mark(lane, tries.outcome(one), one.ended, words, short)


def asynchronous(known: "Journey") -> Iterator[Drawn]:
    """Events on their way to functions that a rule invokes, and the waits before Lambda tries one again."""
    waiting = {one.request: one.event.type for one in known.handed}
    for one in known.handed:
        yield Hop(one.event.function, one.function, one.event.at, one.at)
    for row in known.trace.select("retry", "destination", "dropped"):
        kind = waiting.get(row.detail.get("request", ""))
        if kind and row.kind == "retry":
            yield Mark(row.actor, "failed", row.at, "failed")
            again = row.at + float(row.what.split()[1])
            yield Bar(row.actor, "waits", row.at, again, f"{kind} waited until Lambda tried {row.actor} again")
        elif kind:
            yield Mark(row.actor, "given up", row.at, "given up")
