"""`system_map()`: the picture of the order system, drawn from the stack, so that it cannot be wrong.

From left to right: the API, the functions behind it, the table that they write to, what reads its stream, the bus, and
one lane for each place that the rules send events to. Below a function lies what it keeps. The picture is wider than
the house style's figures: more than twenty boxes on 8 inches could not be read from a chair.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot, count
from . import flows, layout, shapes, wiring

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

    from orderlab.cloud import Cloud
    from orderlab.cloud.stack.resources import Stack

    from .layout import Layout, Place
    from .wiring import Wiring

TOP, FOOT = -0.62, 0.5  # inches for the title of the API above, and for the way back below
WORDS = {"method": ("API method",), "bus": ("bus", "buses")}  # what a kind is called, where that differs
LEGEND = {
    "function": "function (Lambda)",
    "queue": "queue (SQS)",
    "bus": "bus (EventBridge)",
    "table": "table (DynamoDB)",
    "bucket": "bucket (S3)",
    "ask": "asks, and waits",
}


@dataclass(frozen=True)
class Map:
    """The drawn system: its figure, what is connected to what, and where each box lies (inches)."""

    figure: "Figure"
    axes: Any
    wired: "Wiring"
    layout: "Layout"

    def box(self, name: str, today: bool) -> "list[Artist]":
        """Draw one box with its name, over what is there; returns its artists, those at the back first."""
        return _box(self.axes, self.wired.boxes[name], self.layout.places[name], today)


def system_map(cloud: "Cloud", highlight: str | Iterable[str] = ()) -> Plot:
    """Draw the system; `highlight` names one or more of its boxes by logical id, such as "Relay" or "StockQueue".

    Raises ValueError for a box that is not in the picture.
    """
    today = [highlight] if isinstance(highlight, str) else list(highlight)
    drawn = draw_map(cloud.stack, today)
    return Plot(drawn.figure, _facts(drawn.wired, drawn.layout, today))


def draw_map(stack: "Stack", today: Sequence[str] = ()) -> Map:
    """Draw a stack's map with these boxes highlighted. Raises ValueError for one that is not in the picture."""
    wired = wiring.read(stack)
    arranged = layout.arrange(wired, TOP)
    unknown = [name for name in today if name not in arranged.places]
    if unknown:
        boxes = ", ".join(arranged.places)
        raise ValueError(f"there is no box {', '.join(unknown)} in the picture; its boxes: {boxes}")
    bottom = min(place.bottom for place in arranged.places.values()) - FOOT
    figure = style.new_figure(layout.WIDTH * style.scale(), -bottom * style.scale(), constrained=False)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, layout.WIDTH), ylim=(bottom, 0))
    axes.axis("off")
    drawn = Map(figure, axes, wired, arranged)
    _api(axes, [arranged.places[name] for name in wired.of_kind("method")])
    flows.draw(axes, arranged, bottom)
    for name, place in arranged.places.items():
        drawn.box(name, name in today)
        if wired.boxes[name].kind == "queue" and not wired.ends(name, "poll"):
            flows.words(axes, place.right + 0.1, place.y, "no function\nreads it")
    kinds = {wired.boxes[name].kind for name in arranged.places} | {arrow.kind for arrow in wired.arrows}
    _legend(axes, kinds, bottom)
    return drawn


def _facts(wired: "Wiring", drawn: "Layout", today: list[str]) -> str:
    """The sentence: what is drawn, by kind; what is left out; what is highlighted."""
    counts = Counter(wired.boxes[name].kind for name in drawn.places)
    hidden = Counter(wired.boxes[name].kind for name in wired.boxes if name not in drawn.places)
    sentences = [
        f"The order system: {_counted(counts)}, joined by {count(wired.rules, 'rule')}",
        f"Not drawn: {_counted(hidden)} for what fails" if hidden else "",
        f"Highlighted: {', '.join(today)}" if today else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)


def _counted(counts: Counter[str]) -> str:
    parts = [count(counts[kind], *WORDS.get(kind, (kind,))) for kind in wiring.KINDS.values() if counts[kind]]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _box(axes: Any, box: "wiring.Box", place: "Place", today: bool) -> "list[Artist]":
    shape = shapes.box(axes, box.kind, place.x, place.y, place.width, place.height, today)
    texts = {
        "bus": f"bus “{box.label}”",
        "table": box.label if place.small else f"{box.label}\ntable",
        "method": box.label.replace(" ", "\n", 1),
        "function": _broken(box.label),
    }
    size = flows.SMALL if place.small or box.kind == "method" else style.FONT
    name = axes.text(
        place.x + (0.1 if box.kind == "queue" else 0.0),
        place.y - (0.02 if box.kind == "table" else 0.0),
        texts.get(box.kind, box.label),
        fontsize=size * style.scale(),
        rotation=90 if box.kind == "bus" else 0,
        ha="center",
        va="center",
        linespacing=1.05,
        zorder=5,
        gid=box.id,
    )
    return [*shape, name]


def _broken(name: str) -> str:
    """A function's name in two lines, cut at its second capital."""
    cut = next((n for n, letter in enumerate(name) if n and letter.isupper()), 0)
    return f"{name[:cut]}\n{name[cut:]}" if cut else name


def _api(axes: Any, doors: list["Place"]) -> None:
    """The frame around all methods."""
    if doors:
        left, right = doors[0].left - 0.08, doors[0].right + 0.08
        bottom, top = min(door.bottom for door in doors) - 0.1, max(door.top for door in doors) + 0.42
        shapes.frame(axes, left, bottom, right, top)
        size = style.FONT * style.scale()
        axes.text((left + right) / 2, top - 0.22, "API Gateway", fontsize=size, ha="center", va="center")


def _legend(axes: Any, kinds: set[str], bottom: float) -> None:
    """What the shapes stand for, in the corner that nothing else needs."""
    for n, kind in enumerate(kind for kind in reversed(LEGEND) if kind in kinds):
        y = bottom + 0.55 + 0.36 * n
        if kind == "ask":
            shapes.arrow(axes, [(0.2, y), (0.75, y)], "dashed", both=True)
        else:
            shapes.box(axes, kind, 0.47, y, *((0.16, 0.32) if kind == "bus" else (0.55, 0.24)))
        flows.words(axes, 0.9, y, LEGEND[kind])
