"""What became of each request: refused for a reason and at a line, or accepted and then judged by the audit.

Taught in notebooks/00_start_here.ipynb
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..days.day import Day
from ..days.play import Played
from .books import Books
from .findings import Expected, Finding
from .verdict import Audit, audit, in_order


@dataclass(frozen=True)
class Refused:
    """A request that became no order: its line and key, the reason to count it under, and all that is known."""

    line: int
    key: str
    reason: str
    text: str


def refusals(day: Day, played: Played) -> list[Refused]:
    """Every request that became no order: the API answered 4xx, or it is no order request at all and was never sent."""
    refused, accepted = [], played.accepted
    for n, request in enumerate(day.requests):
        if n in accepted:
            continue
        answer = _answer(*played.answers[n]) if n in played.answers else "never sent"
        line, reason = (request.flaw.line, request.flaw.reason) if request.flaw else (request.line, answer)
        refused.append(Refused(line, request.key, heading(reason), f"{reason} ({answer})" if request.flaw else answer))
    return refused


def name_refusals(day: Day, played: Played, say: Callable[[str], None]) -> None:
    """Say each request that was refused, in the order of their lines."""
    for refused in sorted(refusals(day, played), key=lambda one: one.line):
        say(f"line {refused.line}: {refused.key} is refused: {refused.text}")


def heading(reason: str) -> str:
    """A reason without its particulars: "out of stock: 22632" is counted as "out of stock"."""
    parts = reason.split(": ")
    return ", ".join(parts[:2]) if reason.startswith("HTTP ") else parts[0]


def _answer(status: int, body: dict[str, Any]) -> str:
    return f"HTTP {status}: {body.get('message', '')}" if status else "no answer"


def judge(day: Day, played: Played, books: Books, at_rest: bool = True) -> Audit:
    """The audit of a day, the front door included. `at_rest`: does nothing move any more?"""
    expected = Expected(played.opening, frozenset(played.accepted.values()), played.poison, at_rest)
    verdict = audit(books, expected)
    return Audit(verdict.ends, in_order([*verdict.findings, *_at_the_door(day, played, verdict)]))


def _at_the_door(day: Day, played: Played, verdict: Audit) -> Iterator[Finding]:
    """Something was accepted that must be refused, or is an order though no client was told so."""
    for n in played.accepted:
        flaw = day.requests[n].flaw
        if flaw is not None:
            why = f"it must be refused (line {flaw.line}: {flaw.reason}), and was accepted"
            yield Finding("unexplained", day.requests[n].key, why)
    for order_id in sorted(verdict.ends.keys() - set(played.accepted.values())):
        yield Finding("unexplained", order_id, "it is an order, and no client was told that it was accepted")
