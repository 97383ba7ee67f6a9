"""The house style of the course's figures: sizes, fonts and colours, in this one place.

The four colours are told apart by colour-blind readers too, and each has a contrast of at least 3 to 1 on white. A
colour stands for one concept through the whole course, and a marker, a line style or a shape always says it again.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, BLACK)
TODAY = "#F0E442"  # behind black text only: what a lesson is about
CONCEPTS = {  # one colour for each, in every figure
    "function": BLUE,
    "queue": VERMILLION,
    "state": GREEN,
    "event": PURPLE,
    "done": GREEN,
    "failed": VERMILLION,
    "not asked": PURPLE,
    "waiting": BLACK,
}
WIDTH, HEIGHT = 8.0, 4.5  # inches
DPI = 110
FONT, TITLE, BIGGER = 13.0, 15.0, 1.25  # points, points, and the factor for a projector

_scale: list[float] = []  # empty until the style is on


def settings(big: bool = False) -> dict[str, Any]:
    """matplotlib's settings for the house style; `big` makes every text larger, for a projector."""
    font = FONT * (BIGGER if big else 1.0)
    return {
        "figure.figsize": (WIDTH, HEIGHT),
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "savefig.facecolor": "white",
        "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
        "font.size": font,
        "axes.labelsize": font,
        "xtick.labelsize": font,
        "ytick.labelsize": font,
        "legend.fontsize": font,
        "axes.titlesize": TITLE * (BIGGER if big else 1.0),
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 2.5,
        "lines.markersize": 9,
    }


def put_on(big: bool = False) -> None:
    """Make the house style that of every figure from now on, the learner's own ones too."""
    import matplotlib
    from cycler import cycler

    lines = cycler(color=PALETTE, linestyle=["-", "--", "-.", ":", "-"])
    house: Any = {**settings(big), "axes.prop_cycle": lines}
    matplotlib.rcParams.update(house)
    _scale[:] = [BIGGER if big else 1.0]


def scale() -> float:
    """How much larger than usual texts are; 1.0 unless `start(big=True)`."""
    return _scale[0] if _scale else 1.0


def new_figure(width: float = WIDTH, height: float = HEIGHT, constrained: bool = True) -> "Figure":
    """An empty figure of the house style, in inches; it belongs to no window and no backend.

    A `constrained` one makes room for its labels by itself.
    """
    from matplotlib.figure import Figure

    if not _scale:
        put_on()
    return Figure(figsize=(width, height), layout="constrained" if constrained else None)


def new_lanes(rows: Mapping[str, float], title: str, time: str, below: float = 0.6) -> tuple["Figure", "Axes"]:
    """A figure against time with a named lane at each of these heights, which count downwards from 0 and lie 1 apart.

    Its axes have their final place, so that words can be put where there is room; `below` is what is left under the
    last lane. It is higher than other figures only where the names need it. The limits of time are the caller's.
    """
    font = FONT * scale() / 72  # inches
    high = max(rows.values()) + below
    height = max(HEIGHT, (4.8 + 1.35 * high) * font)
    figure = new_figure(height=height, constrained=False)
    left, right = max(map(len, rows)) * 0.62 * font + 0.15, 1.4 * font  # half of the last tick's label fits there
    bottom, top = 3.0 * font, 1.8 * font
    place = (left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height)
    axes = figure.add_axes(place, ylim=(high, 0))
    axes.set_yticks(list(rows.values()), list(rows))
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(time)
    axes.set_title(title, x=(0.12 - left) / (WIDTH - left - right))  # from the edge of the paper: a title is long
    return figure, axes
