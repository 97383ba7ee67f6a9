"""`fates()`: the figure of what became of ten messages, one panel for each way to treat the bad one.

Each row is a message, each marker a delivery of it. A circle was done, a cross failed, a diamond was never tried; a
square is a dead letter. What was deleted without being done is lost, and has a word beside it.
Taught in notebooks/05_some_of_them_failed.ipynb
"""

from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot, count
from .tens import BAD, ORDERS, Life, Ten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, HIGH = 10.0, 4.9  # inches
MINUTE = 60.0  # seconds
LOOKS = {"done": ("o", "done"), "failed": ("X", "failed"), "untried": ("d", "not asked")}
WORDS = {"done": "done", "failed": "fails", "untried": "never tried"}


def fates(**ways: Ten) -> Plot:
    """Draw each way beside the others; its name is its title, with blanks for underscores."""
    figure = style.new_figure(WIDE, HIGH)
    panels = figure.subplots(1, len(ways), sharex=True, sharey=True)
    last = max(life.ended for way in ways.values() for life in way.lives) / MINUTE
    for axes, (name, way) in zip(panels, ways.items(), strict=True):
        axes.set_title(name.replace("_", " "))
        axes.axhspan(BAD - 0.5, BAD + 0.5, color="#EEEEEE", zorder=0)
        for n, life in enumerate(way.lives, 1):
            _row(axes, n, life)
        _words(axes, way)
        axes.set_xticks(range(int(last) + 1))
        axes.set_xlim(-0.4, 2.0 * last)
        axes.spines["bottom"].set_bounds(0, last)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_ylim(ORDERS + 0.6, 0.4)
    panels[0].set_yticks(range(1, ORDERS + 1))
    panels[0].set_ylabel("message (the fourth is bad)")
    figure.supxlabel("minutes since the first delivery", fontsize=style.FONT * style.scale())
    told = (f"{name.replace('_', ' ')}: {_facts(way)}" for name, way in ways.items())
    seed = next(iter(ways.values())).seed
    return Plot(figure, f"One history each (seed {seed}) of ten messages, the fourth of them bad. {'. '.join(told)}.")


def _row(axes: "Axes", n: int, life: Life) -> None:
    """One message: its deliveries, and the square of a dead letter."""
    for at, came in life.deliveries:
        marker, concept = LOOKS[came]
        _mark(axes, at / MINUTE, n, marker, style.CONCEPTS[concept])
    if life.end == "dead":
        _mark(axes, life.ended / MINUTE, n, "s", style.BLACK)


def _mark(axes: "Axes", x: float, y: float, marker: str, colour: str) -> None:
    axes.plot(x, y, marker, color=colour, markeredgecolor="black", markersize=9, linestyle="none", zorder=3)


def _words(axes: "Axes", way: Ten) -> None:
    """A word at the end of the first row of each kind, and at the first dead letter."""
    said: set[str] = set()
    for n, life in enumerate(way.lives, 1):
        text = "lost" if life.lost else WORDS[life.deliveries[0][1]]
        if len(life.deliveries) > 1 and text == "done":
            text = "done again\nand again"
        if life.end == "dead" and "dead" not in "".join(said) and not life.times("done"):
            text += ",\ndead letter"
        if text.split(",")[0] in said:
            continue
        said |= {text.split(",")[0], text}
        look: dict[str, Any] = {"weight": "bold"} if life.lost else {}
        last = life.ended if life.end == "dead" else life.deliveries[-1][0]
        axes.annotate(text, (last / MINUTE, n), (10, 0), textcoords="offset points", va="center",
                      linespacing=1.0, **look)  # fmt: skip


def _facts(way: Ten) -> str:
    dead = count(way.dead, "dead letter")
    return f"{way.deliveries} deliveries, {way.done} of them done, {dead}, {way.lost} lost"
