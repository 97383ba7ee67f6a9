"""One order's trail through the trace: what was said about it, where its events went, and which runs were at it.

The trace knows nothing of orders. Handlers log the order's id, Relay logs which event it published, and a rule's
delivery stands right behind the message that it put into a queue: these three tie an order to its messages.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace

Record = dict[str, Any]
SHORT = 8  # letters of an id in the trace


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


@dataclass(frozen=True)
class Run:
    """One invocation: who caused it, if it met a cold start, from when to when (None: it still runs), and its error."""

    function: str
    source: str
    cold: bool
    began: float
    ended: float | None = None
    error: str = ""


def said(trace: "Trace", order_id: str) -> list[Said]:
    """Every log line that is about the order, or one of its events, in the order of time."""
    found = []
    for row in trace.select("log", contains=order_id):
        record = parsed(row)
        if record.get("orderId") == order_id or str(record.get("event", "")).startswith(f"{order_id}."):
            found.append(Said(row.at, row.actor, record, row.n))
    return found


def parsed(row: "Row") -> Record:
    """The fields of a log line; none, where it is no JSON object."""
    try:
        record = json.loads(row.what)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def runs(trace: "Trace") -> dict[str, Run]:
    """Every invocation by its request id."""
    found: dict[str, Run] = {}
    for row in trace:
        request = row.detail.get("request", "")
        if row.kind == "invoke":
            found[request] = Run(row.actor, row.what.removeprefix("from "), row.detail["cold"], row.at)
        elif row.kind in ("end", "error") and request in found:
            error = row.what if row.kind == "error" else ""
            found[request] = replace(found[request], ended=row.at, error=error)
    return found


def requested(trace: "Trace", lines: list[Said]) -> dict[str, "Row"]:
    """The API's requests that led to these lines, by the invocation that answered; the row before is the gateway's."""
    requests = {one.request for one in lines}
    invoked = (row for row in trace.select("invoke") if row.what == "from gateway")
    return {row.detail["request"]: trace.rows[row.n - 1] for row in invoked if row.detail["request"] in requests}


def published(trace: "Trace") -> Iterator[tuple["Row", str, str]]:
    """Each event that a function put on the bus and logged: its row, its id such as "ORD-….OrderPlaced", who did it.

    One that went out twice, since the answer to the first call was lost, is there twice.
    """
    calls: dict[str, list[list[Row]]] = {}  # by request: what became of the entries of each of its calls
    for row in trace:
        request = row.detail.get("request", "")
        if row.kind == "call" and row.what == "eventbridge.PutEvents":
            calls.setdefault(request, []).append([])
        elif row.kind in ("event", "refused") and request in calls:
            calls[request][-1].append(row)
        elif row.kind == "log" and calls and '"event"' in row.what:
            record = parsed(row)
            event = str(record.get("event", "")) if record.get("level") == "INFO" else ""
            for rows in calls.get(str(record.get("requestId"))[:SHORT], ()):
                found = next((one for one in rows if event.endswith(f".{one.what}")), None)
                if found is not None:
                    rows.remove(found)
                if found is not None and found.kind == "event":
                    yield found, event, row.actor


def delivered(trace: "Trace") -> dict[str, "Row"]:
    """By message, the delivery that put it into its queue: that stands right behind the message."""
    found: dict[str, Row] = {}
    last: dict[str, str] = {}
    for row in trace.select("send", "deliver"):
        if row.kind == "send":
            last[row.actor] = row.what
        elif row.what in last:
            found[last[row.what]] = row
    return found


def sent(trace: "Trace", order_id: str, lines: list[Said], ran: dict[str, Run]) -> dict[str, Sent]:
    """The order's events by their short ids on the bus: those that were logged when they were published.

    One that was not, since its publisher died first or does not log, is known by a reader's line about the message, or
    about the order, if the reader had that message alone.
    """
    found = {
        row.detail["event"]: Sent(row.what, row.at, function)
        for row, event, function in published(trace)
        if event.startswith(f"{order_id}.")
    }
    events = {row.detail["event"]: row for row in trace.select("event")}
    deliveries, requests = delivered(trace), {line.request for line in lines}
    batches = (row.detail.get("ids", ()) for row in trace.select("invoke") if row.detail["request"] in requests)
    named = [line.record.get("messageId") for line in lines]
    for message in [*named, *(batch[0] for batch in batches if len(batch) == 1)]:
        if message in deliveries:
            event = events[deliveries[message].detail["event"]]
            run = ran.get(event.detail.get("request", ""))
            known = Sent(event.what, event.at, run.function if run is not None else "")
            found.setdefault(event.detail["event"], known)
    return found


def carried(trace: "Trace", events: dict[str, Sent]) -> list[Carried]:
    """The messages that carry these events: those that rules put into queues, and what a redrive made of them."""
    found = {
        message: Carried(row.at, row.what, message, events[row.detail["event"]].type, events[row.detail["event"]])
        for message, row in delivered(trace).items()
        if row.detail["event"] in events
    }
    for row in trace.select("redrive"):
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
