"""What the timeline of one order shows, as facts before any drawing: who has a lane, what lasts, what happens when.

A lane is a place: the client, a function, or a queue together with the function that reads it, since a message lies in
the queue while the function works on it. Times are seconds since the order was placed.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..map import wiring
from . import journey, receives, strokes, telling
from .breaker_states import CLOSED
from .strokes import Bar, Drawn, Hop, Mark

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.stack.resources import Stack

    from .journey import Journey

BREAKER = "breaker"
SETTLED = ("CONFIRMED", "CANCELLED")


@dataclass(frozen=True)
class Sketch:
    """All that is drawn. `steps` counts the story's lines; the order's `status` stands since `settled` (None: not yet).

    `now` is the cloud's present as long as something may still happen to the order, else None; `end` is the last thing
    that happened or is bound to happen.
    """

    lanes: tuple[str, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    hops: tuple[Hop, ...]
    tries: tuple[receives.Try, ...]
    steps: int
    status: str
    settled: float | None
    now: float | None
    end: float


def sketch(cloud: "Cloud", order_id: str) -> Sketch:
    """The facts of one order's timeline. Raises ValueError for an order that the trace knows nothing of."""
    known = journey.read(cloud.trace, order_id)
    story = telling.tell(known)
    begin = story.begin
    decided = next((one for one in known.said if one.record.get("status") in SETTLED), None)
    readers = _readers(cloud.stack)
    behind = [*strokes.functions(known), *strokes.messages(known, readers, cloud.now), *strokes.asynchronous(known)]
    given_up = any(isinstance(one, Mark) and one.kind == "given up" for one in behind)
    end = max([begin, *map(_until, behind)])
    under_way = end > cloud.now or _under_way(known, readers) or not (decided or given_up)
    end = max(end, cloud.now) if under_way else end
    front = [one for one in strokes.doors(known) if not behind or _since(one) <= end]  # a later request changed nothing
    end = max([_until(one) for one in front] + [end])
    found = [*front, *behind]
    lanes = list(dict.fromkeys(one.lane for one in sorted(found, key=_since) if not isinstance(one, Hop)))
    asking = [readers.get(one.carried.queue) for one in known.tries if set(one.breaker) - {CLOSED}]
    if asking and asking[0] in lanes:
        lanes.insert(lanes.index(asking[0]) + 1, BREAKER)
        spans = known.breaker.spans(begin, cloud.now if under_way else end)
        found += [Bar(BREAKER, one.state, one.began, one.ended) for one in spans if one.state != CLOSED]
    return Sketch(
        tuple(lanes),
        tuple(replace(one, began=one.began - begin, ended=one.ended - begin) for one in found if isinstance(one, Bar)),
        tuple(replace(one, at=one.at - begin) for one in found if isinstance(one, Mark)),
        tuple(
            replace(one, began=one.began - begin, ended=one.ended - begin)
            for one in found
            if isinstance(one, Hop) and {one.lane, one.to} <= set(lanes)
        ),
        tuple(known.tries),
        len(story),
        decided.record["status"] if decided else "PENDING",
        decided.at - begin if decided else None,
        cloud.now - begin if under_way else None,
        end - begin,
    )


def _since(one: Drawn) -> float:
    return one.at if isinstance(one, Mark) else one.began


def _until(one: Drawn) -> float:
    return one.at if isinstance(one, Mark) else one.ended


def _under_way(known: "Journey", readers: dict[str, str]) -> bool:
    """May anything still happen to one of the messages by itself?"""
    received = {one.carried.message for one in known.tries}
    waiting = any(one.message not in received and one.queue in readers for one in known.carried)
    return waiting or any(one.hides or (one.function and one.ended is None) for one in known.tries)


def _readers(stack: "Stack") -> dict[str, str]:
    """The functions that read queues, by queue: its lane is theirs. A queue that nobody reads has its own."""
    wired = wiring.read(stack)
    names = {name: stack.resources[name].physical_id.rpartition("/")[2] for name in wired.of_kind("queue")}
    return {names[name]: reader for name in names for reader in wired.ends(name, "poll")}
