"""The result of a day: one object with every request at exactly one end, and the same as a small table.

The object holds no wall-clock time and nothing without an order: the same seed gives the same bytes.

Taught in notebooks/00_start_here.ipynb
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import Any

from ..days.day import Day
from ..days.play import Played
from .books import REVIEW, Books, Row
from .ends import is_dead
from .findings import order_of, reserved, shipped, was_captured
from .requests import heading, refusals
from .verdict import Audit

_ALWAYS = {"requests", "  accepted", "    confirmed", "    cancelled"}


def summary(run: dict[str, Any], day: Day, played: Played, books: Books, verdict: Audit) -> dict[str, Any]:
    """The object that `demo --json` prints. Money in pence, times in virtual seconds."""
    return {
        "run": {"source": day.source, **run},
        "orders": _orders(day, played, books, verdict),
        "money": _money(books),
        "units": {
            "opening": sum(played.opening.values()),
            "on_hand": sum(books.stock.values()),
            "reserved": reserved(books).total(),
            "shipped": shipped(books).total(),
        },
        "seconds": _seconds(books),
        "audit": verdict.counts,
        "findings": [vars(finding) for finding in verdict.findings],
    }


def to_json(result: dict[str, Any]) -> str:
    """The object as one line of ASCII, keys in order."""
    return json.dumps(result, sort_keys=True)


def to_table(result: dict[str, Any]) -> str:
    """The object for a person, in plain ASCII: any terminal can show it."""
    orders, seconds = result["orders"], result["seconds"]
    rows = [
        ("requests", orders["requests"], result["run"]["source"]),
        ("unreadable", orders["skipped_lines"], "lines, named above and skipped"),
        ("  refused", sum(orders["refused"].values()), _list(orders["refused"])),
        ("  repeated", orders["repeated"], "the same key again, so the same order"),
        (
            "  accepted",
            orders["accepted"],
            "settled after {median:g} s (median), {slowest:g} s (slowest)".format(**seconds),
        ),
        ("    confirmed", orders["confirmed"], ""),
        ("    cancelled", sum(orders["cancelled"].values()), _list(orders["cancelled"])),
        ("    dead", sum(orders["dead"].values()), _list(orders["dead"])),
        ("    in flight", orders["in_flight"], ""),
        ("review", orders["review"], "copies of orders of 1,000 pounds and more, for a person"),
        ("dead letters", sum(orders["dead_letters"].values()), _list(orders["dead_letters"])),
    ]
    lines = [f"{name:<15}{number:>7,}   {text}".rstrip() for name, number, text in rows if number or name in _ALWAYS]
    pounds = {name: f"{pence / 100:,.2f}" for name, pence in result["money"].items()}
    units = {name: f"{count:,}" for name, count in result["units"].items()}
    lines += [
        "money (GBP)       {captured} captured = {confirmed} confirmed + {refunded} refunded + {held} held".format(
            **pounds
        ),
        "units             {opening} at opening = {on_hand} on hand + {reserved} reserved + {shipped} shipped".format(
            **units
        ),
        "audit             "
        + ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in result["audit"].items()),
    ]
    return "\n".join(lines + [f"  {one['kind']}: {one['subject']}: {one['why']}" for one in result["findings"]])


def _orders(day: Day, played: Played, books: Books, verdict: Audit) -> dict[str, Any]:
    ends = verdict.ends.values()
    states, told = Counter(end.state for end in ends), played.accepted.values()
    return {
        "requests": len(day.requests),
        "skipped_lines": len(day.skipped),
        "refused": _count(one.reason for one in refusals(day, played)),
        "repeated": len(told) - len(set(told)),
        "accepted": len(ends),
        "confirmed": states["confirmed"],
        "cancelled": _count(heading(end.why) for end in ends if end.state == "cancelled"),
        "dead": _count(end.why for end in ends if end.state == "dead"),
        "in_flight": states["in flight"],
        "review": sum(letter.queue == REVIEW for letter in books.letters),
        "dead_letters": _count(letter.queue for letter in books.letters if is_dead(letter)),
    }


def _money(books: Books) -> dict[str, int]:
    """Held is what was captured for orders that are neither confirmed nor undone yet: they lie in a queue."""
    confirmed = {i: row["total"] for i, row in _placed(books).items() if row["status"] == "CONFIRMED"}
    captured = [row for row in books.ledger if was_captured(row)]
    return {
        "captured": sum(row["amount"] for row in captured),
        "confirmed": sum(confirmed.values()),
        "refunded": sum(row["amount"] for row in captured if row["answer"] == "refunded"),
        "held": sum(r["amount"] for r in captured if r["answer"] == "captured" and order_of(r) not in confirmed),
    }


def _seconds(books: Books) -> dict[str, float]:
    """From the request to the end, over all orders that have one."""
    waits = []
    for row in _placed(books).values():
        if row["status"] != "PENDING":
            ended = datetime.fromisoformat(json.loads(row["event"]["detail"])["at"])
            waits.append((ended - datetime.fromisoformat(row["placedAt"])).total_seconds())
    return {"median": round(median(waits or [0.0]), 3), "slowest": round(max(waits or [0.0]), 3)}


def _placed(books: Books) -> dict[str, Row]:
    return {order_id: parts["ORDER"] for order_id, parts in sorted(books.orders.items()) if "ORDER" in parts}


def _count(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
