"""`timeline()`: the figure of one order's way through the system, a lane for each place, against virtual time.

A dot is a step that went well, a cross a try in vain, a diamond a try that met an open breaker. A hatched bar is a
message that lies hidden in its queue until its visibility timeout is over: the retry that nobody has to write.
"""

from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot
from ..drawing.words import PAPER, Box, Room
from .sketch import Sketch, sketch
from .strokes import Bar, Mark
from .summary import ending, summary
from .telling import lasting

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

UNITS = ((100.0, 1.0, "seconds"), (6000.0, 60.0, "minutes"), (float("inf"), 3600.0, "hours"))  # up to, size, name
MARKERS = {"given up": "s", "failed": "X", "not asked": "D", "done": "o"}  # those whose words matter most come first
COLOURS = {**style.CONCEPTS, "given up": style.BLACK}
HEIGHTS = {"waits": 8.0, "hidden": 8.0, "works": 4.5, "open": 12.0, "half-open": 15.0}  # of bars, in points
LOOKS: dict[str, dict[str, Any]] = {
    "waits": {"facecolor": "white", "edgecolor": style.BLACK, "linewidth": 1.2, "zorder": 2},
    "hidden": {"facecolor": "#FBE5D6", "edgecolor": style.CONCEPTS["queue"], "hatch": "////", "zorder": 2},
    "works": {"facecolor": style.CONCEPTS["function"], "edgecolor": style.CONCEPTS["function"], "zorder": 3},
    "open": {"facecolor": "#F6E4EF", "edgecolor": style.CONCEPTS["not asked"], "linewidth": 1.5, "zorder": 2},
    "half-open": {"facecolor": "white", "edgecolor": style.BLACK, "linewidth": 1.5, "zorder": 3},
}
BESIDE = ("right", "above right", "left", "below right", "above", "above left", "below", "below left")
ABOVE = ("above right", *(place for place in BESIDE if place != "above right"))
NUMBER = ("below", "above")
BAR_WORDS = {
    "waits": ["waits for {}", "{}"],
    "hidden": ["hidden for {}", "{}"],
    "works": ["at work", "work"],
    "open": ["open"],
    "half-open": ["half-open"],
}
MORE = 0.7  # of a lane, above and below one in which messages lie hidden
MARKER = 11.0  # points


def timeline(cloud: "Cloud", order_id: str) -> Plot:
    """Draw what happened to one order, and when. Raises ValueError for one that the trace knows nothing of."""
    told = sketch(cloud, order_id)
    size, unit = next((size, unit) for most, size, unit in UNITS if told.end <= most)
    rows = _rows(told)
    title = f"One order: {ending(told)} (seed {cloud.seed})"
    time, last = f"virtual time since the order was placed ({unit})", told.lanes[-1]
    figure, axes = style.new_lanes(rows, title, time, 0.6 + (MORE if last in _troubled(told) else 0.0))
    span = max(told.end, 1e-3) / size
    axes.set_xlim(-0.03 * span, 1.04 * span)
    room = Room(figure, axes)
    for hop in told.hops:
        ends = (rows[hop.lane], rows[hop.to])
        axes.plot((hop.began / size, hop.ended / size), ends, color="#555555", linestyle="-", linewidth=1.2, zorder=1)
    bars = [(bar, _bar(axes, room, bar, rows[bar.lane], size)) for bar in told.bars]
    for mark in told.marks:
        _mark(axes, room, mark, rows[mark.lane], size)
    if told.now is not None:
        axes.axvline(told.now / size, color=style.BLACK, linestyle="--", linewidth=1.5, zorder=1)
        room.write(told.now / size, 0.3, ["now"], ["right", "left"], gap=4)
    _label_marks(room, told, rows, size)
    _label_bars(room, told, rows, bars, size)
    return Plot(figure, summary(told, order_id, cloud.seed))


def _rows(told: Sketch) -> dict[str, float]:
    """The height at which each lane lies, downwards from 0. One in which messages lie hidden has more to say."""
    troubled, rows, y = _troubled(told), {}, 0.0
    for lane in told.lanes:
        more = MORE if lane in troubled else 0.0
        y += 1 + more
        rows[lane] = y
        y += more
    return rows


def _troubled(told: Sketch) -> set[str]:
    return {bar.lane for bar in told.bars if bar.kind == "hidden"}


def _bar(axes: Any, room: Room, bar: Bar, y: float, size: float) -> Box:
    half = HEIGHTS[bar.kind] / 2 * room.lane
    axes.barh(y, bar.length / size, 2 * half, bar.began / size, **LOOKS[bar.kind])
    return room.block(bar.began / size, bar.ended / size, y - half, y + half)


def _mark(axes: Any, room: Room, mark: Mark, y: float, size: float) -> None:
    look = {"color": COLOURS[mark.kind], "markeredgecolor": "black", "markersize": MARKER, "zorder": 4}
    axes.plot(mark.at / size, y, MARKERS[mark.kind], **look)
    room.block(mark.at / size, mark.at / size, y, y, margin=MARKER / 2)


def _label_marks(room: Room, told: Sketch, rows: dict[str, float], size: float) -> None:
    """Words beside the marks. Of tries that failed in the same way, the first has words, the others their number."""
    seen: set[tuple[str, str]] = set()
    senders = {hop.lane for hop in told.hops}
    for mark in sorted(told.marks, key=lambda mark: (list(MARKERS).index(mark.kind), mark.lane in senders)):
        known, places = (mark.lane, mark.kind), (ABOVE if mark.lane in senders else BESIDE)
        texts = [mark.words, mark.short]
        if known in seen and mark.kind != "done":
            texts, places = [mark.short], NUMBER
        room.write(mark.at / size, rows[mark.lane], texts, places, bbox=PAPER)
        seen.add(known)


def _label_bars(room: Room, told: Sketch, rows: dict[str, float], bars: list[tuple[Bar, Box]], size: float) -> None:
    """What the longest bar of each kind is, on it or else near it: of what lies hidden in each lane, else in all."""
    longest: dict[tuple[str, str], tuple[Bar, Box]] = {}
    for bar, box in (pair for pair in bars if pair[0].lane != "client"):
        known = (bar.kind, bar.lane if bar.kind == "hidden" else "")
        if known not in longest or bar.length > longest[known][0].length + 1e-6:
            longest[known] = (bar, box)
    for bar, box in longest.values():
        if bar.length > told.end / 12 or bar.kind == "half-open":
            texts = [words.format(lasting(bar.length)) for words in BAR_WORDS[bar.kind]]
            middle = (bar.began + bar.ended) / 2 / size
            room.write(middle, rows[bar.lane], texts, ("on", "below", "above"), gap=10, over=box, bbox=PAPER)
