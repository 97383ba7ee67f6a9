"""What a trace says about all orders, read once: the functions' runs, what went over the bus, what befell messages."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import breaker_states

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace

Record = dict[str, Any]
SHORT = 8  # letters of an id in the trace
ABOUT_ONE = ("retry", "dead", "delete", "visibility")  # rows about one message, which they call what
ABOUT_SOME = ("receive", "invoke", "throttled")  # rows about several, which they list


@dataclass(frozen=True)
class Run:
    """One invocation: who caused it, from when to when (None: it still runs), and the error that it ended with."""

    function: str
    source: str
    began: float
    ended: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Index:
    """A trace and what is found in it again and again.

    `runs` are by request id. `published` are the events on the bus that their publisher logged: the row, the id such as
    "ORD-….OrderPlaced", and who did it. `events` are all rows of the bus by event, `deliveries` those that put a
    message into a queue by message, and `messages` what befell each message since.
    """

    trace: "Trace"
    runs: dict[str, Run]
    published: "list[tuple[Row, str, str]]"
    events: "dict[str, Row]"
    deliveries: "dict[str, Row]"
    messages: "dict[str, list[Row]]"
    breaker: breaker_states.Writes


def read(trace: "Trace") -> Index:
    """The index of a trace as it is now."""
    events = {row.detail["event"]: row for row in trace.select("event")}
    messages: dict[str, list[Row]] = {}
    for row in trace.select(*ABOUT_ONE, *ABOUT_SOME):
        for message in [row.what] if row.kind in ABOUT_ONE else row.detail.get("ids", ()):
            messages.setdefault(message, []).append(row)
    breaker = breaker_states.read(trace)
    return Index(trace, _runs(trace), [*_published(trace)], events, _deliveries(trace), messages, breaker)


def parsed(row: "Row") -> Record:
    """The fields of a log line; none, where it is no JSON object."""
    try:
        record = json.loads(row.what)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _runs(trace: "Trace") -> dict[str, Run]:
    """Every invocation by its request id."""
    found: dict[str, Run] = {}
    for row in trace.select("invoke", "end", "error"):
        request = row.detail["request"]
        if row.kind == "invoke":
            found[request] = Run(row.actor, row.what.removeprefix("from "), row.at)
        elif request in found:
            begun = found[request]
            found[request] = Run(begun.function, begun.source, begun.began, row.at, row.what * (row.kind == "error"))
    return found


def _published(trace: "Trace") -> Iterator[tuple["Row", str, str]]:
    """Each event that a function put on the bus and logged. One that went out twice is there twice.

    That happens when the answer to a call is lost: the call is made again, and then all is logged once.
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


def _deliveries(trace: "Trace") -> dict[str, "Row"]:
    """By message, the delivery that put it into its queue: that stands right behind the message."""
    found: dict[str, Row] = {}
    last: dict[str, str] = {}
    for row in trace.select("send", "deliver"):
        if row.kind == "send":
            last[row.actor] = row.what
        elif row.what in last:
            found[last[row.what]] = row
    return found
