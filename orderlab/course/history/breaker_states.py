"""The shared circuit breaker as the trace knows it: each write to its row says which state it is in from then on.

The breaker's row is a record with an attribute `state`, which the trace shows at the call that writes it. A write whose
condition failed changed nothing: somebody else was faster. Before the first write the breaker is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace

CLOSED, OPEN, HALF_OPEN = STATES = ("closed", "open", "half-open")


@dataclass(frozen=True)
class Span:
    """The breaker is in one state from `began` to `ended`, in seconds since the epoch."""

    state: str
    began: float
    ended: float


@dataclass(frozen=True)
class Writes:
    """The writes to the breaker's row that took effect, in order."""

    rows: tuple["Row", ...]

    def before(self, n: int) -> str:
        """The state that a reader finds who comes just before row `n` of the trace."""
        return next((str(row.detail["state"]) for row in reversed(self.rows) if row.n < n), CLOSED)

    def during(self, calls: Sequence["Row"]) -> tuple[str, ...]:
        """The states that these calls of one invocation met and made; none when the breaker was not asked."""
        tables, written = {row.detail["table"] for row in self.rows}, {row.n for row in self.rows}
        asked = (row for row in calls if row.detail.get("table") in tables)
        states = (str(row.detail["state"]) if row.n in written else self.before(row.n) for row in asked)
        return tuple(state for state, _ in groupby(states))

    def spans(self, began: float, ended: float) -> list[Span]:
        """The states from one instant to another, without gaps; a state that lasted no time is left out."""
        states = [(CLOSED, began), *((str(row.detail["state"]), max(row.at, began)) for row in self.rows)]
        ends = [min(at, ended) for _, at in states[1:]] + [ended]
        spans = [Span(state, at, end) for (state, at), end in zip(states, ends, strict=True) if at < end]
        joined: list[Span] = []
        for span in spans:
            if joined and joined[-1].state == span.state:
                span = Span(span.state, joined.pop().began, span.ended)
            joined.append(span)
        return joined


def read(trace: "Trace") -> Writes:
    """What was written of the one breaker that all environments share."""
    calls = (row for row in trace.select("call") if row.detail.get("state") in STATES)
    return Writes(tuple(row for row in calls if "error" not in row.detail))
