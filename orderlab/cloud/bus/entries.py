"""One entry of PutEvents: what is refused about it, how many bytes it counts, and the event that it becomes.

A bad entry does not fail the call: it has an ErrorCode at its place in an answer of 200, and the others go on. The
event carries what the producer said in four fields (source, detail-type, resources, detail) and what EventBridge adds.
Source: EventBridge API reference, PutEventsRequestEntry, PutEventsResultEntry; entry size: user guide, eb-putevents;
the error texts as recorded in localstack's test_events.snapshot.json.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from datetime import datetime
from typing import Any

from ..clock import iso
from ..guard import ACCOUNT, REGION


def size(entry: dict[str, Any]) -> int:
    """Bytes that an entry counts: 14 for its Time, and the UTF-8 of Source, DetailType, Detail and each resource."""
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or [])]
    return sum(len(text.encode()) for text in texts if text) + (14 if entry.get("Time") is not None else 0)


def error(entry: dict[str, Any]) -> tuple[str, str]:
    """Error code and message for an entry that is refused, two empty texts for a good one."""
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        detail = json.loads(entry["Detail"], parse_constant=_no_constant)
    except (ValueError, RecursionError):
        detail = None
    return ("", "") if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def event(entry: dict[str, Any], event_id: str, now: float) -> dict[str, Any]:
    """The event as patterns and targets see it; its time is `now`, seconds since the epoch, or the entry's own."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": ACCOUNT,
        "time": iso(seconds(entry.get("Time"), now)),
        "region": REGION,
        "resources": list(entry.get("Resources") or []),
        "detail": json.loads(entry["Detail"]),
    }


def seconds(time: float | datetime | None, now: float) -> float:
    """An entry's Time, or `now` when it has none: seconds since the epoch, as boto3 sends it."""
    return now if time is None else time.timestamp() if isinstance(time, datetime) else float(time)
