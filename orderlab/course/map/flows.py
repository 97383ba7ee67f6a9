"""The arrows of the picture: straight where a box calls the next one, and one line for all that comes back.

A function's small tables lie right below it and need no arrow. An arrow to the big table says that the function may
write there; that it may read it as well is not drawn a second time.
"""

from typing import TYPE_CHECKING, Any

from ..drawing import style
from . import layout, shapes

if TYPE_CHECKING:
    from .layout import Layout, Place
    from .wiring import Arrow

SMALL = 12.0  # points
STRAIGHT = ("call", "poll", "stream", "publish", "send")
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # behind words that stand on a line


def draw(axes: Any, drawn: "Layout", bottom: float) -> None:
    """Draw every arrow between boxes that have a place; `bottom` is the lower edge of the picture."""
    places, wired = drawn.places, drawn.wiring
    back = []
    for arrow in wired.arrows:
        if arrow.start not in places or arrow.end not in places:
            continue
        start, end = places[arrow.start], places[arrow.end]
        if arrow.kind == "write" and arrow.end in wired.tables and start.x > end.x:
            back.append((start, end))
        elif arrow.kind == "ask":
            _ask(axes, start, end)
        elif arrow.kind in STRAIGHT or _is_front(arrow, drawn):
            _across(axes, start, end)
    for bus in wired.of_kind("bus"):
        for target in wired.ends(bus, "rule"):
            found = [one.label for one in wired.arrows if (one.start, one.end, one.kind) == (bus, target, "rule")]
            _fan_out(axes, places[bus], places[target], found)
    if back:
        _way_back(axes, [start for start, _ in back], back[0][1], bottom)


def words(axes: Any, x: float, y: float, text: str, **look: Any) -> None:
    """Write small words, the way all arrows do."""
    axes.text(x, y, text, fontsize=SMALL * style.scale(), va="center", linespacing=1.1, zorder=4, **look)


def _is_front(arrow: "Arrow", drawn: "Layout") -> bool:
    """A write to the big table from its left, or a read by someone who does not write to it."""
    tables, writers = drawn.wiring.tables, drawn.wiring.starts(arrow.start, "write")
    return (arrow.kind == "write" and arrow.end in tables) or (
        arrow.kind == "read" and arrow.start in tables and arrow.end not in writers
    )


def _across(axes: Any, start: "Place", end: "Place") -> None:
    """A straight arrow between two columns, at the height of the smaller box; bent where they do not overlap."""
    xs = (start.right, end.left) if start.x < end.x else (start.left, end.right)
    low, high = max(start.bottom, end.bottom), min(start.top, end.top)
    if low < high:
        y = min(max(min((start, end), key=lambda place: place.height).y, low), high)
        shapes.arrow(axes, [(xs[0], y), (xs[1], y)])
    else:
        middle = (xs[0] + xs[1]) / 2
        shapes.arrow(axes, [(xs[0], start.y), (middle, start.y), (middle, end.y), (xs[1], end.y)])


def _ask(axes: Any, start: "Place", end: "Place") -> None:
    """A call that waits for its answer: dashed, with two heads, and around what lies between."""
    x = start.left - 0.16
    side = end.right if end.x < start.x else end.left
    points = [(start.left, start.y - 0.17), (x, start.y - 0.17), (x, end.y), (side, end.y)]
    shapes.arrow(axes, points, "dashed", both=True)


def _fan_out(axes: Any, bus: "Place", target: "Place", labels: list[str]) -> None:
    """From the bus to a target, with what the rules ask for written on the arrow."""
    shapes.arrow(axes, [(bus.right, target.y), (target.left, target.y)])
    words(axes, bus.right + 0.08, target.y, "\n".join(labels), bbox=PAPER)


def _way_back(axes: Any, workers: list["Place"], table: "Place", bottom: float) -> None:
    """One line that collects what the functions on the right write to the table on the left."""
    x, y = layout.WIDTH - 0.14, bottom + 0.2
    for worker in workers:
        shapes.arrow(axes, [(worker.right, worker.y), (x, worker.y)], head=False)
    highest = max(worker.y for worker in workers)
    shapes.arrow(axes, [(x, highest), (x, y), (table.x, y), (table.x, table.bottom)])
    words(axes, (x + table.x) / 2, y, "each outcome is a write to the table", ha="center", bbox=PAPER)
