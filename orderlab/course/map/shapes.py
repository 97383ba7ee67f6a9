"""The shapes of the picture of the system: each kind of thing has its own, so that colour only says it again.

A function is a rounded box, a queue a row of slots, a table a cylinder, a bucket a pail, a bus a bar. All measures are
inches: the picture's axes are its paper.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..drawing import style

if TYPE_CHECKING:
    from matplotlib.artist import Artist

Point = tuple[float, float]
TINTS = {  # pale, so that black text stands on them; the outline has the full colour
    "function": "#DCEBF5",
    "queue": "#FBE5D6",
    "table": "#D9F0E8",
    "bucket": "#D9F0E8",
    "bus": "#F6E4EF",
    "method": "#FFFFFF",
}
COLOURS = {
    "function": style.CONCEPTS["function"],
    "queue": style.CONCEPTS["queue"],
    "table": style.CONCEPTS["state"],
    "bucket": style.CONCEPTS["state"],
    "bus": style.CONCEPTS["event"],
    "method": style.BLACK,
}


def box(axes: Any, kind: str, x: float, y: float, width: float, height: float, today: bool = False) -> "list[Artist]":
    """Draw the outline of one box, its centre at (x, y); `today` is filled in yellow, with a thick black line.

    Returns its parts, the one at the back first.
    """
    look = {
        "facecolor": style.TODAY if today else TINTS[kind],
        "edgecolor": style.BLACK if today else COLOURS[kind],
        "linewidth": 3.5 if today else 1.8,
        "zorder": 3,
    }
    return {"table": _cylinder, "bucket": _pail, "queue": _slots}.get(kind, _rounded)(axes, x, y, width, height, look)


def _rounded(axes: Any, x: float, y: float, width: float, height: float, look: dict[str, Any]) -> "list[Artist]":
    from matplotlib.patches import FancyBboxPatch

    corner = "round,pad=0,rounding_size=0.1"
    return [axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle=corner, **look))]


def _slots(axes: Any, x: float, y: float, width: float, height: float, look: dict[str, Any]) -> "list[Artist]":
    from matplotlib.patches import Rectangle

    left, bottom = x - width / 2, y - height / 2
    parts = [axes.add_patch(Rectangle((left, bottom), width, height, **look))]
    for slot in (0.10, 0.20):  # two messages that wait at the end
        ends = ([left + slot] * 2, [bottom, bottom + height])
        parts += axes.plot(*ends, color=look["edgecolor"], linestyle="-", linewidth=1.2, zorder=4)
    return parts


def _cylinder(axes: Any, x: float, y: float, width: float, height: float, look: dict[str, Any]) -> "list[Artist]":
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    left, right, lid = x - width / 2, x + width / 2, min(0.09, height / 7)
    top, bottom = y + height / 2 - lid, y - height / 2 + lid
    bow = lid * 4 / 3  # of a Bézier curve that is as high as the lid
    side = [(left, top), (left, bottom), (left, bottom - bow), (right, bottom - bow), (right, bottom), (right, top)]
    up = [(right, top + bow), (left, top + bow), (left, top)]
    down = [(left, top), (left, top - bow), (right, top - bow), (right, top)]
    curve = [Path.CURVE4] * 3
    body = [Path.MOVETO, Path.LINETO, *curve, Path.LINETO, *curve]
    jar = PathPatch(Path(side + up, body), **look)
    rim = PathPatch(Path(down, [Path.MOVETO, *curve]), **{**look, "facecolor": "none", "zorder": 4})
    return [axes.add_patch(jar), axes.add_patch(rim)]


def _pail(axes: Any, x: float, y: float, width: float, height: float, look: dict[str, Any]) -> "list[Artist]":
    from matplotlib.patches import Polygon

    wide, narrow, half = width / 2, width / 2 - 0.1, height / 2
    corners = [(x - wide, y + half), (x + wide, y + half), (x + narrow, y - half), (x - narrow, y - half)]
    return [axes.add_patch(Polygon(corners, closed=True, **look))]


def arrow(axes: Any, points: Sequence[Point], kind: str = "solid", head: bool = True, both: bool = False) -> None:
    """Draw a line through points, with a head at its end (and at its start); "dashed" is what waits for an answer."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    ends = "<|-|>" if both else "-|>" if head else "-"
    look: dict[str, Any] = {"color": "#222222", "linewidth": 1.5, "linestyle": kind, "joinstyle": "miter", "zorder": 2}
    line = Path(list(points))
    axes.add_patch(FancyArrowPatch(path=line, arrowstyle=ends, mutation_scale=14 if head or both else 1, **look))


def frame(axes: Any, left: float, bottom: float, right: float, top: float) -> None:
    """A grey frame around boxes that belong together."""
    look = {"facecolor": "#EEEEEE", "edgecolor": "#666666", "linewidth": 1.2, "zorder": 1}
    _rounded(axes, (left + right) / 2, (bottom + top) / 2, right - left, top - bottom, look)
