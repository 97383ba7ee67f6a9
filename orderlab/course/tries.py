"""`attempts()`: the figure of orders in trouble: each try of their messages against virtual time, with the waits.

A message that a function could not deal with stays in its queue. It is hidden for the visibility timeout, then it shows
up and is tried again: that is the retry that no client has to make.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import style, trail
from .figures import Plot, count

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.trace import Trace

    from .trail import Try

MINUTE = 60.0  # seconds
MARKERS = {"done": "o", "failed": "X", "not asked": "D"}
WORDS = {"done": "done", "failed": "no answer", "not asked": "breaker open"}


def attempts(
    cloud: "Cloud", order_ids: Sequence[str], down: tuple[float, float] | None = None, function: str = "ChargePayment"
) -> Plot:
    """Draw every try of `function` for these orders; `down` is when the provider went down and came back.

    Times are the cloud's, in seconds since the epoch. Raises ValueError when the function has tried none of the orders.
    """
    found = {i: [one for one in trail.tries(cloud.trace, i) if one.function == function] for i in order_ids}
    missing = [order_id for order_id, tried in found.items() if not tried]
    if missing or not found:
        raise ValueError(f"{function} has tried nothing for {', '.join(missing) or 'no order'}: run the cloud first")
    begin = down[0] if down else min(tried[0].began for tried in found.values())
    figure = style.new_figure()
    axes = figure.subplots()
    if down:
        _outage(axes, (down[1] - begin) / MINUTE)
    shown: set[str] = set()
    for lane, tried in enumerate(found.values()):
        _lane(axes, lane, tried, begin, shown)
    axes.set_yticks(range(len(found)), [f"order {n}" for n in range(1, len(found) + 1)])
    since = "the provider went down" if down else "the first try"
    axes.set(xlabel=f"virtual time since {since} (minutes)", ylim=(len(found) - 0.4, -0.9))
    axes.set(title=f"Every try of {function} (one history, seed {cloud.seed})")
    axes.set_xlim(left=-0.15)
    return Plot(figure, _facts(cloud, found, down))


def outcome(attempt: "Try") -> str:
    """One of done, failed (asked in vain, or stopped) and "not asked" (the breaker was open from the start)."""
    if not attempt.failed:
        return "done"
    record = attempt.record or {}
    return "not asked" if record.get("message", "").startswith("Open:") and not record.get("notes") else "failed"


def _outage(axes: Any, until: float) -> None:
    axes.axvspan(0, until, facecolor="#F0F0F0", hatch="/", edgecolor="#DDDDDD", linewidth=0, zorder=0)
    look = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.text(until / 2, -0.68, "provider down", ha="center", va="center", bbox=look)


def _lane(axes: Any, lane: int, tried: list["Try"], begin: float, shown: set[str]) -> None:
    """One order: a marker for each try, a thin line for each wait, and words at the first marker of a kind."""
    times = [(one.began - begin) / MINUTE for one in tried]
    axes.plot(times, [lane] * len(times), color=style.CONCEPTS["waiting"], linestyle=":", linewidth=1.5, zorder=1)
    look = {"textcoords": "offset points", "color": "black", "zorder": 4}
    for at, one in zip(times, tried, strict=True):
        kind = outcome(one)
        axes.plot(at, lane, MARKERS[kind], color=style.CONCEPTS[kind], markeredgecolor="black", markersize=12, zorder=3)
        if kind not in shown:
            shown.add(kind)
            axes.annotate(WORDS[kind], (at, lane), (0, 11), ha="left" if at < 0.5 else "center", **look)
    if "waiting" not in shown and len(times) > 1:
        shown.add("waiting")
        words = f"hidden for {times[1] - times[0]:.0f} min"
        axes.annotate(words, ((times[0] + times[1]) / 2, lane), (0, -18), ha="center", **look)


def _facts(cloud: "Cloud", found: dict[str, list["Try"]], down: tuple[float, float] | None) -> str:
    kinds = Counter(outcome(one) for tried in found.values() for one in tried)
    ends = {order_id: _confirmed(cloud.trace, order_id) for order_id in found}
    waits = [f"{(end - found[order_id][0].carried.at) / MINUTE:.1f}" for order_id, end in ends.items() if end]
    after = " to ".join(dict.fromkeys((min(waits, key=float), max(waits, key=float)))) if waits else ""
    last = max((end for end in ends.values() if end), default=0.0)
    sentences = [
        f"One history (seed {cloud.seed}) of {count(len(found), 'order')} and {count(kinds.total(), 'try', 'tries')}: "
        f"{kinds['failed']} got no answer, {kinds['not asked']} found the breaker open and did not ask, "
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
