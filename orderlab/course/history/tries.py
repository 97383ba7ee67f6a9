"""`attempts()`: the figure of orders in trouble: each try of their messages against virtual time, with the waits.

A message that a function could not deal with stays in its queue. It is hidden for the visibility timeout, then it shows
up and is tried again: that is the retry that no client has to make.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot, count
from ..drawing.words import PAPER, Room
from . import index, journey, trail
from .telling import lasting, reason

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.trace import Trace

    from .receives import Try

MINUTE = 60.0  # seconds
MARKERS = {"done": "o", "failed": "X", "not asked": "D"}
ABOVE = 0.5  # lanes that the words at the top need
WORDS = {"done": "done", "failed": "no answer", "not asked": "breaker open"}


def attempts(
    cloud: "Cloud", order_ids: Sequence[str], down: tuple[float, float] | None = None, function: str = "ChargePayment"
) -> Plot:
    """Draw every try of `function` for these orders; `down` is when the provider went down and came back.

    Times are the cloud's, in seconds since the epoch. Raises ValueError when the function has tried none of the orders.
    """
    known = index.read(cloud.trace)
    read = {order_id: journey.read(cloud.trace, order_id, known).tries for order_id in order_ids}
    found = {order_id: [one for one in tried if one.function == function] for order_id, tried in read.items()}
    missing = [order_id for order_id, tried in found.items() if not tried]
    if missing or not found:
        raise ValueError(f"{function} has tried nothing for {', '.join(missing) or 'no order'}: run the cloud first")
    begin = down[0] if down else min(tried[0].began for tried in found.values())
    title = f"Every try of {function} (one history, seed {cloud.seed})"
    since = "the provider went down" if down else "the first try"
    rows = {f"order {n}": n + ABOVE for n in range(1, len(found) + 1)}
    figure, axes = style.new_lanes(rows, title, f"virtual time since {since} (minutes)")
    ends = [0.0, *((one.began - begin) / MINUTE for tried in found.values() for one in tried)]
    ends += [(down[1] - begin) / MINUTE] if down else []
    span = max(ends) - min(ends) or 0.1
    axes.set_xlim(min(ends) - 0.02 * span, max(ends) + 0.05 * span)
    room = Room(figure, axes)
    if down:
        _outage(axes, room, (down[1] - begin) / MINUTE)
    for y, tried in zip(rows.values(), found.values(), strict=True):
        _lane(axes, room, y, tried, begin)
    _label(room, dict(zip(rows.values(), found.values(), strict=True)), begin)
    return Plot(figure, _facts(cloud, found, down))


def words(attempt: "Try") -> str:
    """What came of a try, in a word or two: the status that it reached, or why it reached none."""
    kind = outcome(attempt)
    if kind == "done":
        return str((attempt.record or {}).get("status", "done"))
    return WORDS[kind] if kind == "not asked" or unanswered(attempt) else kind


def unanswered(attempt: "Try") -> bool:
    """Did the function ask somebody in vain? Else it failed in its own way."""
    return attempt.record is not None and reason(attempt.record).endswith(WORDS["failed"])


def outcome(attempt: "Try") -> str:
    """One of done, failed (asked in vain, or stopped) and "not asked" (the breaker was open from the start)."""
    if not attempt.failed:
        return "done"
    record = attempt.record or {}
    return "not asked" if record.get("message", "").startswith("Open:") and not record.get("notes") else "failed"


def _outage(axes: Any, room: Room, until: float) -> None:
    """The time in which the provider is down: grey, and a line from its begin to its end that says so."""
    axes.axvspan(0, until, facecolor="#F0F0F0", hatch="/", edgecolor="#DDDDDD", linewidth=0, zorder=0)
    look = {"color": "#555555", "linestyle": "-", "linewidth": 1.5, "marker": "|", "markersize": 16}
    axes.plot((0, until), (0.5, 0.5), **look, zorder=1)
    room.write(until / 2, 0.5, ["provider down", "down"], ["on"], bbox=PAPER)


def _lane(axes: Any, room: Room, y: float, tried: list["Try"], begin: float) -> None:
    """One order: a marker for each try, and a thin line for each wait."""
    times = [(one.began - begin) / MINUTE for one in tried]
    axes.plot(times, [y] * len(times), color=style.CONCEPTS["waiting"], linestyle=":", linewidth=1.5, zorder=1)
    for at, one in zip(times, tried, strict=True):
        kind = outcome(one)
        axes.plot(at, y, MARKERS[kind], color=style.CONCEPTS[kind], markeredgecolor="black", markersize=12, zorder=3)
        room.block(at, at, y, y, margin=6.0)


def _label(room: Room, lanes: dict[float, list["Try"]], begin: float) -> None:
    """Words at the first marker of each kind, and at the first wait."""
    shown: set[str] = set()
    for y, tried in lanes.items():
        for one in tried:
            kind = outcome(one)
            if kind not in shown:
                places = ("above", "above right", "above left", "below", "right")
                text = WORDS[kind] if kind == "done" else words(one)
                room.write((one.began - begin) / MINUTE, y, [text], places)
                shown.add(kind)
        if "waiting" not in shown and len(tried) > 1:
            first, second = ((one.began - begin) / MINUTE for one in tried[:2])
            text = f"hidden for {lasting(tried[0].length)}"
            room.write((first + second) / 2, y, [text, "hidden"], ("below", "above"), gap=4.0)
            shown.add("waiting")


def _facts(cloud: "Cloud", found: dict[str, list["Try"]], down: tuple[float, float] | None) -> str:
    kinds = Counter(outcome(one) for tried in found.values() for one in tried)
    in_vain = sum(unanswered(one) for tried in found.values() for one in tried if outcome(one) == "failed")
    others = f"{kinds['failed'] - in_vain} failed otherwise, " if kinds["failed"] > in_vain else ""
    ends = {order_id: _confirmed(cloud.trace, order_id) for order_id in found}
    waits = [f"{(end - found[order_id][0].carried.at) / MINUTE:.1f}" for order_id, end in ends.items() if end]
    after = " to ".join(dict.fromkeys((min(waits, key=float), max(waits, key=float)))) if waits else ""
    last = max((end for end in ends.values() if end), default=0.0)
    sentences = [
        f"One history (seed {cloud.seed}) of {count(len(found), 'order')} and {count(kinds.total(), 'try', 'tries')}: "
        f"{in_vain} got no answer, {others}{kinds['not asked']} found the breaker open and did not ask, "
        f"{kinds['done']} succeeded",
        f"{len(waits)} of the orders were confirmed, {after} minutes after they were placed" if waits else "",
        f"The provider was down for {(down[1] - down[0]) / MINUTE:.0f} minutes" if down else "",
        f"The last confirmation came {(last - down[1]) / MINUTE:.1f} minutes after its return"
        if down and last > down[1]
        else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _confirmed(trace: "Trace", order_id: str) -> float | None:
    """When the order was confirmed, or None."""
    words = (one.at for one in trail.said(trace, order_id) if one.record.get("status") == "CONFIRMED")
    return next(words, None)
