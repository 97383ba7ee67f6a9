"""Everything that the trace knows about one order, read once: what its story, its timeline and its walk are made of."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import breaker_states, index, receives, trail

if TYPE_CHECKING:
    from orderlab.cloud.trace import Row, Trace


@dataclass(frozen=True)
class Journey:
    """The rows of the trace that are about one order, in the terms of the course. Times are seconds since the epoch."""

    trace: "Trace"
    order_id: str
    requests: dict[str, "Row"]  # by the invocation that answered
    said: list[trail.Said]
    runs: dict[str, index.Run]
    carried: list[trail.Carried]
    handed: list[trail.Handed]
    tries: list[receives.Try]
    breaker: breaker_states.Writes

    @property
    def consumers(self) -> set[str]:
        """The functions that worked on the order's messages."""
        return {one.function for one in self.tries if one.function}

    @property
    def spoken(self) -> list[trail.Said]:
        """What the other functions said about it."""
        return [one for one in self.said if one.function not in self.consumers]


def read(trace: "Trace", order_id: str, known: index.Index | None = None) -> Journey:
    """The journey of an order; `known` is the trace's index, for who reads several orders.

    Raises ValueError for an order that the trace knows nothing of.
    """
    said = trail.said(trace, order_id)
    if not said:
        raise ValueError(f"nothing happened to an order {order_id} in this cloud: take the orderId of a 202 answer")
    known = known or index.read(trace)
    sent = trail.sent(known, order_id, said)
    carried = trail.carried(known, sent)
    tries = receives.read(known, carried, said)
    return Journey(
        trace,
        order_id,
        trail.requested(trace, said),
        said,
        known.runs,
        carried,
        trail.handed(trace, sent),
        tries,
        known.breaker,
    )
