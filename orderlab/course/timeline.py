"""`story()`: what happened to one order, told from the trace alone: seconds since it was placed, who, what.

On AWS you would put such a story together from CloudWatch Logs Insights (by the order's id, which every handler logs)
and X-Ray, minutes later and in part. Here it is whole: also the waits in queues, which no function can log.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import trail

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.trace import Trace

WHO = 16  # letters


@dataclass(frozen=True)
class Line:
    """One thing that happened, `at` seconds after the order was placed."""

    at: float
    who: str
    what: str


@dataclass(frozen=True, repr=False)
class Story:
    """All that happened to one order, in the order of time."""

    order_id: str
    lines: tuple[Line, ...]

    def __repr__(self) -> str:
        head = [self.order_id, f"{'seconds':>8}  {'who':<{WHO}}  what"]
        return "\n".join(head + [f"{line.at:8.2f}  {line.who:<{WHO}}  {line.what}" for line in self.lines])

    def __len__(self) -> int:
        return len(self.lines)


def story(cloud: "Cloud", order_id: str) -> Story:
    """The story of an order. Raises ValueError for one that the trace knows nothing of."""
    found = [told for tell in (_doors, _words, _messages) for told in tell(cloud.trace, order_id)]
    found.sort(key=lambda told: told[0])
    if not found:
        raise ValueError(f"nothing happened to an order {order_id} in this cloud: take the orderId of a 202 answer")
    begin = min(at for at, _, _ in found)
    return Story(order_id, tuple(Line(round(at - begin, 6), who, what) for at, who, what in found))


Told = tuple[float, str, str]


def _doors(trace: "Trace", order_id: str) -> Iterator[Told]:
    """Requests about the order, as the gateway saw them: the row before the invocation of what answers them."""
    requests = {one.record["requestId"][:8] for one in trail.said(trace, order_id) if "status" in one.record}
    for row in trace.select("invoke"):
        if row.what == "from gateway" and row.detail["request"] in requests:
            yield trace.rows[row.n - 1].at, "client", f"sends {trace.rows[row.n - 1].what}"


def _words(trace: "Trace", order_id: str) -> Iterator[Told]:
    """What functions said that read no queue of ours; those that do are told try by try."""
    consumers = {one.function for one in trail.tries(trace, order_id)}
    for one in trail.said(trace, order_id):
        if one.function not in consumers:
            yield one.at, one.function, PHRASES.get(one.function, _fallback)(one.record)


def _messages(trace: "Trace", order_id: str) -> Iterator[Told]:
    """Each message: put in, tried, back again when its visibility timeout is over, given up."""
    messages = {one.message: one for one in trail.carried(trace, order_id)}
    for one in messages.values():
        yield one.at, _queue(one.queue), f"{one.type} is put in"
    for attempt in trail.tries(trace, order_id):
        yield attempt.ended, attempt.function, plain(attempt)
    for row in trace.select("retry", "dead"):
        if row.what in messages and row.kind == "retry":
            yield row.at, _queue(row.actor), f"{messages[row.what].type} shows up again: nobody deleted it"
        elif row.what in messages:
            yield row.at, _queue(row.actor), f"{messages[row.what].type} is given up: moved to {row.detail['to']}"


def plain(attempt: trail.Try) -> str:
    """One try in plain words."""
    number = f"try {attempt.number}: " if attempt.number > 1 or attempt.failed else ""
    record = attempt.record
    if record is None:
        return f"{number}stopped without a word"
    if not attempt.failed:
        return f"{number}{attempt.carried.type} → {record['status']}"
    return f"{number}{reason(record)}"


def reason(record: dict[str, Any]) -> str:
    """Why a try failed, out of its log line. An open breaker and a missing answer are told in the course's words."""
    kind, _, text = record["message"].partition(": ")
    attempts = re.search(r"after attempt (\d+)", " ".join(record.get("notes") or []))
    if kind == "Open":
        return "no answer, and now the breaker is open" if attempts else "not asked, because the breaker is open"
    if kind == "Unknown":
        return f"no answer from the provider, asked {attempts.group(1) if attempts else 1} times"
    return text or kind


def _queue(name: str) -> str:
    return f"queue {name.partition('-')[2] or name}"


def _fallback(record: dict[str, Any]) -> str:
    return str(record["message"])


PHRASES: dict[str, Callable[[dict[str, Any]], str]] = {
    "PlaceOrder": lambda record: f"answers {record['status']}: the order is in the table",
    "GetOrder": lambda record: f"answers {record['status']}",
    "Relay": lambda record: f"publishes {record['event'].partition('.')[2]}",
    "PaymentProvider": lambda record: f"{record['message']}: {record['answer']}",
    "ProjectSales": lambda record: f"counts {record['pence']} pence as sold",
    "Notify": lambda record: f"sends the mail {record['kind']}",
}
