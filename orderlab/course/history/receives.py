"""What became of each receive of a message: who worked on it, how that ended, how long the message lay hidden.

SQS counts receives, not successes. A function that takes a message and is not done with it in time leaves it where it
is: hidden until its visibility timeout is over, then there for the next receive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .index import Index, Record, parsed
from .trail import Carried, Said

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace

FATES = ("delete", "retry", "dead")  # of a receive: done, back in the queue, given up


@dataclass(frozen=True)
class Try:
    """One receive of a message. Times are seconds since the epoch, `hidden` is seconds.

    `function` is "" where no function of ours had it, `ended` None while one still has. `record` is the log line, if
    any, `error` how the run ended that left none, `fate` one of FATES, or "" while the message is hidden. `breaker`
    are the states of the shared breaker that it met and made, none where it asked none.
    """

    carried: Carried
    number: int
    function: str
    began: float
    ended: float | None
    record: Record | None
    error: str = ""
    hidden: float = 0.0
    fate: str = ""
    until: float | None = None
    breaker: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Did the message stay in the queue? Not while the function still works on it."""
        if self.record is not None:
            return self.record.get("level") == "ERROR"
        return self.fate != "delete" and (self.ended is not None or self.fate != "")

    @property
    def length(self) -> float:
        """For how many seconds the message is hidden."""
        return self.shows_up - self.began

    @property
    def hides(self) -> bool:
        """Is the message hidden now, and nobody works on it?"""
        return not self.fate and (self.failed or not self.function)

    @property
    def shows_up(self) -> float:
        """When the message is to be seen again, if nobody deletes it, or when it was."""
        return self.began + self.hidden if self.until is None else self.until


def read(known: Index, carried: Sequence[Carried], lines: Sequence[Said]) -> list[Try]:
    """Every receive of these messages, in the order of time; `lines` are what was logged about their order."""
    found = [_try(known, rows, message, lines) for message in carried for rows in _receives(known, message.message)]
    return sorted(found, key=lambda one: one.began)


def _receives(known: Index, message: str) -> Iterator[list["Row"]]:
    """The rows of each receive of a message: the receive, and what the trace tells of the message until the next."""
    rows: list[Row] = []
    for row in known.messages.get(message, ()):
        if row.kind == "receive" and rows:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _try(known: Index, rows: Sequence["Row"], message: Carried, lines: Sequence[Said]) -> Try:
    """What became of one receive: the invocation that it went into, and what that one logged about the order."""
    received = rows[0]
    number = received.detail["receives"][received.detail["ids"].index(message.message)]
    fate = next((row for row in rows if row.kind in FATES), None)
    hidden = [row.at + row.detail["seconds"] for row in rows if row.kind == "visibility"]
    ends = {
        "hidden": hidden[-1] - received.at if hidden else received.detail["hidden"],
        "fate": fate.kind if fate else "",
        "until": fate.at if fate else None,
    }
    invoked = next((row for row in rows if row.kind == "invoke"), None)
    if invoked is None:
        error = "throttled" if any(row.kind == "throttled" for row in rows) else ""
        return Try(message, number, "", received.at, None, None, error, **ends)
    request = invoked.detail["request"]
    run = known.runs[request]
    words = (line for line in lines if line.request == request
             and line.record.get("messageId", message.message) == message.message
             and (line.record.get("level") == "ERROR" or line.record.get("message") == message.type))  # fmt: skip
    line = next(words, None)
    return Try(
        message,
        number,
        invoked.actor,
        received.at,
        line.at if line is not None else run.ended,
        line.record if line is not None else None,
        "" if line is not None else run.error,
        breaker=known.breaker.during(_section(known.trace, invoked, line)),
        **ends,
    )


def _section(trace: "Trace", invoked: "Row", line: Said | None) -> list["Row"]:
    """The calls of an invocation for one message of its batch: those between the log line before and its own."""
    calls: list[Row] = []
    request = invoked.detail["request"]
    for row in trace.rows[invoked.n : line.n if line is not None else None]:
        if row.kind == "call" and row.detail["request"] == request:
            calls.append(row)
        elif row.kind == "log" and request in row.what and str(parsed(row).get("requestId")).startswith(request):
            calls.clear()
    return calls
