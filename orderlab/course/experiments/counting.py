"""`counted()`: what a counter says after so many visits, by where it is kept; `counters()`: the figure of it.

Whoever counts in an execution environment counts that environment's visits only. Whoever reads a row, adds one and
writes it back loses what others wrote in between. An update that adds in one step loses nothing.
Taught in notebooks/06_where_state_lives.ipynb
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot
from .visiting import visits

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

FUNCTION = "GetOrder"  # whose place the counters take: any function would do
VISITS = 40
LOOKS = (  # of the three: colour, line, marker, and how far its name is moved upwards, in font sizes
    (style.VERMILLION, "--", "s", -0.25),
    (style.PURPLE, ":", "^", 0.25),
    (style.GREEN, "-", "o", 0.0),
)
ROOM = 1.75  # inches beside the lines, for their names


def counted(cloud: "Cloud", counter: Callable[[Any, Any], Any], at_once: int, number: int = VISITS) -> int:
    """How far a counter gets in so many visits of which `at_once` come together; `number` is right, less is a loss.

    Every environment is warm: a first round of visits, which is not counted, has made as many as are needed.
    """
    cloud.reset()
    cloud.replace(FUNCTION, counter)
    before = visits(cloud, FUNCTION, [{}] * at_once, at_once)
    return int(max(visits(cloud, FUNCTION, [{}] * number, at_once)) - max(before))


def counters(found: Mapping[str, Mapping[int, int]], number: int = VISITS) -> Plot:
    """Draw what each counter said, by how many customers came at once: `found[name][at_once]`."""
    figure = style.new_figure(constrained=False)
    font = style.FONT * style.scale() / 72
    left, bottom, top = 4.2 * font, 3.6 * font, 2.4 * font
    room = ROOM * style.scale()
    place = (left / style.WIDTH, bottom / style.HEIGHT)
    size = (1 - (left + room) / style.WIDTH, 1 - (bottom + top) / style.HEIGHT)
    axes = figure.add_axes((*place, *size))
    for (name, said), (colour, line, marker, up) in zip(found.items(), LOOKS, strict=True):
        axes.plot(list(said), list(said.values()), color=colour, linestyle=line, marker=marker, clip_on=False)
        end = list(said)[-1], list(said.values())[-1]
        offset = (0.7 * style.FONT, up * style.FONT * style.scale())
        axes.annotate(name, end, offset, textcoords="offset points", va="center")
    axes.set_ylim(0, 1.08 * number)
    axes.set_xlim(0, max(at_once for said in found.values() for at_once in said))  # names stand beside the axis
    axes.set_xticks(sorted({at_once for said in found.values() for at_once in said}))
    axes.set_xlabel("customers at the same moment")
    axes.set_ylabel("visits counted")
    axes.set_title(f"{number} visits: what does the counter say?")
    return Plot(figure, _facts(found, number))


def _facts(found: Mapping[str, Mapping[int, int]], number: int) -> str:
    """All that was counted, in words."""
    at_once = list(next(iter(found.values())))
    told = "; ".join(f"{name}: {', '.join(map(str, said.values()))}" for name, said in found.items())
    return f"One history each (seed 0): {number} visits, {', '.join(map(str, at_once))} at a time. Counted by {told}."
