"""One order's trail through the trace: what was said about it, which messages carried it, and every try of each.

The trace knows nothing of orders. Handlers log the order's id, Relay logs which event it published, and a rule's
delivery stands right behind the message that it put into a queue: these three tie an order to its messages.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace

Record = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """One log line about the order: when (seconds since the epoch), by which function, and its fields."""

    at: float
    function: str
    record: Record


@dataclass(frozen=True)
class Carried:
    """A message that carries an event of the order into a queue."""

    at: float
    queue: str
    message: str
    type: str


@dataclass(frozen=True)
class Try:
    """One receive of a message: its number, who worked on it, when that began and ended, and the log line, if any."""

    carried: Carried
    number: int
    function: str
    began: float
    ended: float
    record: Record | None

    @property
    def failed(self) -> bool:
        """Did the message stay in the queue?"""
        return self.record is None or self.record.get("level") == "ERROR"


def said(trace: "Trace", order_id: str) -> list[Said]:
    """Every log line that names the order, in the order of time. Lines that are no JSON are nobody's."""
    found = []
    for row in trace.select("log", contains=order_id):
        record = parsed(row)
        if record.get("orderId") == order_id:
            found.append(Said(row.at, row.actor, record))
    return found


def parsed(row: "Row") -> Record:
    """The fields of a log line; none, where it is no JSON object."""
    try:
        record = json.loads(row.what)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def published(trace: "Trace") -> Iterator[tuple["Row", str]]:
    """Each event that Relay published, as its row in the trace, and its id such as "ORD-….OrderPlaced"."""
    waiting: list[Row] = []
    for row in trace:
        if row.kind == "call" and row.what == "eventbridge.PutEvents":
            waiting.clear()  # what an earlier call put on the bus without a word stays unknown
        elif row.kind == "event":
            waiting.append(row)
        elif row.kind == "log" and waiting and (event := parsed(row).get("event")):
            found = next((one for one in waiting if event.endswith(f".{one.what}")), None)
            if found is not None:
                waiting.remove(found)
                yield found, event


def carried(trace: "Trace", order_id: str) -> list[Carried]:
    """The messages that rules put into queues for the order's events."""
    events = {row.detail["event"]: row.what for row, event in published(trace) if event.startswith(f"{order_id}.")}
    found, last = [], {}
    for row in trace:
        if row.kind == "send":
            last[row.actor] = row
        elif row.kind == "deliver" and row.detail["event"] in events and row.what in last:
            found.append(Carried(row.at, row.what, last[row.what].what, events[row.detail["event"]]))
    return found


def tries(trace: "Trace", order_id: str) -> list[Try]:
    """Every receive of every message of the order, in the order of time."""
    messages = {one.message: one for one in carried(trace, order_id)}
    lines = said(trace, order_id)
    found = []
    for row in trace.select("receive"):
        for message, number in zip(row.detail["ids"], row.detail["receives"], strict=True):
            if message in messages:
                found.append(_try(trace, row, messages[message], number, lines))
    return found


def _try(trace: "Trace", received: "Row", message: Carried, number: int, lines: list[Said]) -> Try:
    """What became of one receive: the invocation that it went into, and what that one logged about the order."""
    rows = trace.rows[received.n + 1 :]
    invoked = next((row for row in rows if row.kind == "invoke" and row.what == f"from {message.queue}"), received)
    request = invoked.detail.get("request", "-")
    ends = (row.at for row in rows if row.kind in ("end", "error") and row.detail.get("request") == request)
    words = (line for line in lines if line.record.get("requestId", "").startswith(request)
             and line.record.get("messageId", message.message) == message.message
             and (line.record["level"] == "ERROR" or line.record["message"] == message.type))  # fmt: skip
    line = next(words, None)
    ended = line.at if line is not None else next(ends, received.at)
    return Try(message, number, invoked.actor, received.at, ended, line.record if line is not None else None)
