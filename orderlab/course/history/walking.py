"""`walk()`: an order's way through the map, step by step: the box where it is lights up, and the story tells the step.

The map is drawn once. A step draws one box over it, so that a slider answers at once.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..drawing import style
from ..drawing.figures import Plot
from ..drawing.panels import Panel, panel
from ..drawing.sliders import slider
from ..map import picture
from . import telling

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

    from ..map.picture import Map
    from .telling import Line


def walk(cloud: "Cloud", *order_ids: str) -> Panel:
    """The map with a slider for the step, and another for the order where several are given.

    Raises ValueError for no order, and for one that the trace knows nothing of.
    """
    draw, stories = steps(cloud, *order_ids), [telling.story(cloud, order_id) for order_id in order_ids]
    sliders = {"step": slider(1, max(2, *map(len, stories)), 1, label="Step")}
    if len(stories) > 1:
        sliders = {"order": slider(1, len(stories), 1, label="Order"), **sliders}
    return panel(draw, **sliders)


def steps(cloud: "Cloud", *order_ids: str) -> Callable[..., Plot]:
    """What `walk` draws: a function from a step, and an order, both counted from 1, to the map. Raises as `walk`."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if not order_ids:
        raise ValueError("name one order or more: walk(cloud, order_id), with the orderId of a 202 answer")
    stories = [telling.story(cloud, order_id) for order_id in order_ids]
    drawn = picture.draw_map(cloud.stack)
    canvas = FigureCanvasAgg(drawn.figure)
    canvas.draw()
    empty = canvas.copy_from_bbox(drawn.figure.bbox)

    def draw(step: int = 1, order: int = 1) -> Plot:
        story = stories[order - 1]
        number = min(step, len(story))
        line = story.lines[number - 1]
        box = place(line, drawn)
        canvas.restore_region(empty)
        for artist in drawn.box(box, today=True) if box else ():
            drawn.axes.draw_artist(artist)
            artist.remove()
        which = f"Order {order} of {len(stories)}, step" if len(stories) > 1 else "Step"
        told = f"{which} {number} of {len(story)}, after {line.at:.2f} s: {line.who}, {line.what}."
        width, height = drawn.figure.get_size_inches()
        still = style.new_figure(width, height, constrained=False)  # the map goes on to other steps
        still.figimage(np.array(canvas.buffer_rgba()))
        return Plot(still, f"{told}{_remark(line, box, drawn)}")

    return draw


def _remark(line: "Line", box: str, drawn: "Map") -> str:
    """What a reader should know where the box is not called what the step says."""
    if not box:
        return " Nothing is highlighted: this place is not on the map."
    if line.who == "client":
        return f" Highlighted is where it comes in: {drawn.wired.boxes[box].label}."
    return ""


def place(line: "Line", drawn: "Map") -> str:
    """The box where a step of a story happens, by logical id; the API's method for a client; "" for none."""
    boxes = {name: drawn.wired.boxes[name] for name in drawn.layout.places}
    if line.who in boxes:
        return line.who
    if line.who == "client":
        asked = line.what.removeprefix("sends ").partition("?")[0]
        routes = {name: re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(box.label)) for name, box in boxes.items()}
        return next((name for name, route in routes.items() if re.fullmatch(route, asked)), "")
    kind, _, label = line.who.partition(" ")
    return next((name for name, box in boxes.items() if (box.kind, box.label) == (kind, label)), "")
