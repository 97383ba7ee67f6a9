"""One order's trail through the trace: what was said about it, and where its events went.

The trace knows nothing of orders. Handlers log the order's id, Relay logs which event it published, and a rule's
delivery stands right behind the message that it put into a queue: these three tie an order to its messages.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .index import SHORT, Index, Record, parsed

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace


@dataclass(frozen=True)
class Said:
    """One log line about the order: when (seconds since the epoch), by which function, and its fields."""

    at: float
    function: str
    record: Record
    n: int  # its row in the trace

    @property
    def request(self) -> str:
        """The invocation that said it, as the trace names it."""
        return str(self.record.get("requestId", ""))[:SHORT]


@dataclass(frozen=True)
class Sent:
    """An event of the order on its way: its type, when it was published, and by which function."""

    type: str
    at: float
    function: str


@dataclass(frozen=True)
class Carried:
    """A message that carries an event of the order into a queue; a redrive made it of the dead letter `was`, if any."""

    at: float
    queue: str
    message: str
    type: str
    event: Sent | None = None
    was: str = ""


@dataclass(frozen=True)
class Handed:
    """An event of the order in Lambda's own queue for asynchronous invokes of a function."""

    at: float
    function: str
    request: str
    event: Sent


def said(trace: "Trace", order_id: str) -> list[Said]:
    """Every log line that is about the order, or one of its events, in the order of time."""
    found = []
    for row in (row for row in trace.select("log") if order_id in row.what):
        record = parsed(row)
        if record.get("orderId") == order_id or str(record.get("event", "")).startswith(f"{order_id}."):
            found.append(Said(row.at, row.actor, record, row.n))
    return found


def requested(trace: "Trace", lines: list[Said]) -> dict[str, "Row"]:
    """The API's requests that led to these lines, by the invocation that answered; the row before is the gateway's."""
    requests = {one.request for one in lines}
    invoked = (row for row in trace.select("invoke") if row.what == "from gateway")
    return {row.detail["request"]: trace.rows[row.n - 1] for row in invoked if row.detail["request"] in requests}


def sent(known: Index, order_id: str, lines: list[Said]) -> dict[str, Sent]:
    """The order's events by their short ids on the bus: those that were logged when they were published.

    One that was not, since its publisher died first or does not log, is known by a reader's line about the message, or
    about the order, if the reader had that message alone.
    """
    found = {
        row.detail["event"]: Sent(row.what, row.at, function)
        for row, event, function in known.published
        if event.startswith(f"{order_id}.")
    }
    requests = {line.request for line in lines}
    invoked = (row for row in known.trace.select("invoke") if row.detail["request"] in requests)
    alone = [row.detail["ids"][0] for row in invoked if len(row.detail.get("ids", ())) == 1]
    for message in [*(line.record.get("messageId") for line in lines), *alone]:
        if message in known.deliveries:
            event = known.events[known.deliveries[message].detail["event"]]
            run = known.runs.get(event.detail.get("request", ""))
            sender = run.function if run is not None else ""
            found.setdefault(event.detail["event"], Sent(event.what, event.at, sender))
    return found


def carried(known: Index, events: dict[str, Sent]) -> list[Carried]:
    """The messages that carry these events: those that rules put into queues, and what a redrive made of them."""
    found = {
        message: Carried(row.at, row.what, message, events[row.detail["event"]].type, events[row.detail["event"]])
        for message, row in known.deliveries.items()
        if row.detail["event"] in events
    }
    for row in known.trace.select("redrive"):
        if row.what in found:
            message, to = row.detail["message"], row.detail["to"]
            found[message] = Carried(row.at, to, message, found[row.what].type, was=row.what)
    return list(found.values())


def handed(trace: "Trace", events: dict[str, Sent]) -> list[Handed]:
    """Those of the events that rules handed to functions; the row before such a delivery says that Lambda has it."""
    rows = trace.rows
    queued = ((row, rows[row.n - 1]) for row in trace.select("deliver") if row.detail["event"] in events)
    return [
        Handed(row.at, before.actor, before.detail["request"], events[row.detail["event"]])
        for row, before in queued
        if before.kind == "queued"
    ]
