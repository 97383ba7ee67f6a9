"""Words in a figure where there is room for them: they cover no other words, no marker and no bar, and are never cut.

Each text tries places around its point, in order; one that finds none gives way to a shorter one, or is left out. What
a figure leaves out is still in its sentence and in the story.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PLACES = {  # how many of its widths, heights, gaps right and gaps up from its point a text begins
    "right": (0.0, -0.5, 1, 0),
    "left": (-1.0, -0.5, -1, 0),
    "above": (-0.5, 0.0, 0, 1),
    "below": (-0.5, -1.0, 0, -1),
    "above right": (0.0, 0.0, 0, 1),
    "below right": (0.0, -1.0, 0, -1),
    "above left": (-1.0, 0.0, 0, 1),
    "below left": (-1.0, -1.0, 0, -1),
    "on": (-0.5, -0.5, 0, 0),
}
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # behind words that stand on a line or a bar
AIR = (3.0, 1.0)  # points beside, above and below words that stay free


@dataclass(frozen=True)
class Box:
    """A rectangle of the paper, in pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, wide: float, high: float) -> "Box":
        """The box with that much around it."""
        return Box(self.left - wide, self.bottom - high, self.right + wide, self.top + high)

    def meets(self, other: "Box") -> bool:
        """Do they overlap?"""
        beside = self.left < other.right and other.left < self.right
        return beside and self.bottom < other.top and other.bottom < self.top


class Room:
    """What is taken of the paper of a figure with these axes, whose place and limits must be set."""

    def __init__(self, figure: Any, axes: Any) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        self.axes, self.renderer = axes, FigureCanvasAgg(figure).get_renderer()
        self.point = figure.dpi / 72  # pixels
        frame = axes.get_window_extent()
        self.lane = abs(axes.get_ylim()[1] - axes.get_ylim()[0]) * self.point / frame.height  # of the y axis, a point
        self.paper = Box(frame.x0, frame.y0, figure.bbox.x1, frame.y1)
        self.taken: list[Box] = []

    def block(self, began: float, ended: float, low: float, high: float, margin: float = 0.0) -> Box:
        """Keep words out of a box between points of the data, and `margin` points around it."""
        ends = self.axes.transData.transform(((began, low), (ended, high)))
        wide = margin * self.point
        box = Box(*ends.min(axis=0), *ends.max(axis=0)).grown(wide, wide)
        self.taken.append(box)
        return box

    def write(
        self,
        x: float,
        y: float,
        texts: Sequence[str],
        places: Sequence[str],
        gap: float = 9.0,
        over: Box | None = None,
        **look: Any,
    ) -> bool:
        """Write the first of the texts that fits at one of PLACES, `gap` points from the data's (x, y); did one fit?

        `over` is a bar that it may cover.
        """
        at_x, at_y = self.axes.transData.transform((x, y))
        for text in filter(None, texts):
            note = self.axes.annotate(text, (x, y), (0, 0), textcoords="offset points", va="bottom", zorder=6, **look)
            size = note.get_window_extent(self.renderer)
            for place in places:
                wide, high, right, up = PLACES[place]
                left = wide * size.width + right * gap * self.point
                bottom = high * size.height + up * gap * self.point
                corner = (at_x + left, at_y + bottom)
                box = Box(*corner, corner[0] + size.width, corner[1] + size.height)
                if self._is_free(box, over):
                    note.set_position((left / self.point, bottom / self.point))
                    self.taken.append(box)
                    return True
            note.remove()
        return False

    def _is_free(self, box: Box, over: Box | None) -> bool:
        paper = self.paper
        inside = paper.left <= box.left and box.right <= paper.right
        inside = inside and paper.bottom <= box.bottom and box.top <= paper.top
        aired = box.grown(*(air * self.point for air in AIR))
        return inside and not any(aired.meets(other) for other in self.taken if other is not over)
