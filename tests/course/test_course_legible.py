"""What the lessons show can be read: from a chair, on a projector, by the colour-blind, with nothing cut or covered."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from orderlab.course.drawing import style, words
from orderlab.course.experiments import counting, entrance
from orderlab.course.history import lanes, tries
from orderlab.course.map import picture, shapes

COLUMN = 880  # pixels of a notebook's column on a screen of 1280; a wider picture is made that narrow
CODE = 13.0  # pixels: the size of JupyterLab's own code, which nobody would call large
PROJECTED = 1080 / 50  # pixels: a fiftieth of a projector's lines, for the last row of a room
TEXT, GRAPHICS = 4.5, 3.0  # contrasts that WCAG asks for

FIGURES = ["map", "today", "attempts", "fine", "declined", "outage", "refused", "under way", "given up", "brought home",
           "stopped", "counters"]  # fmt: skip


@pytest.fixture(scope="module")
def drawers(played: Any, given_up: Any, earlier: Any) -> dict[str, Any]:
    """Each figure that lessons show, as a function that draws it."""
    cloud, (lost, dead, moment) = played.cloud, given_up
    orders = {
        "fine": (cloud, played.fine),
        "declined": (cloud, played.declined),
        "outage": (cloud, played.troubled[1]),
        "refused": (cloud, played.troubled[2]),
        "under way": (earlier(cloud, played.down[0] + 80), played.troubled[1]),
        "given up": (earlier(lost, moment), dead),
        "brought home": (lost, dead),
    }
    drawers = {name: lambda order=order: lanes.timeline(*order) for name, order in orders.items()}
    drawers["map"] = lambda: picture.system_map(cloud)
    drawers["today"] = lambda: picture.system_map(cloud, ["Relay", "StockQueue", "OrdersTable", "Bus"])
    drawers["attempts"] = lambda: tries.attempts(cloud, played.troubled, played.down)
    drawers["stopped"] = lambda: entrance.stopped(
        {
            "the model": refused((entrance.GATEWAY, 24), (entrance.FUNCTION, 17)),
            "text/plain, and\nPlaceOrder trusts": refused((entrance.CRASH, 35), (entrance.NOBODY, 6)),
        }
    )
    told = {"a global": (40, 20, 10, 5, 2), "get, then put": (40, 22, 12, 7, 5), "one update": (40, 40, 40, 40, 40)}
    counts = {name: dict(zip((1, 2, 4, 8, 20), said, strict=True)) for name, said in told.items()}
    drawers["counters"] = lambda: counting.counters(counts)
    return drawers


def refused(*ends: tuple[str, int]) -> entrance.Entrance:
    """A day of bad requests, by who stopped how many."""
    return entrance.Entrance(tuple(("bad", who) for who, count in ends for _ in range(count)), 0)


class Drawn:
    """A figure after it was drawn, its texts that are seen, and where they stand."""

    def __init__(self, figure: Any, big: bool) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.text import Text

        self.figure, self.big, self.canvas = figure, big, FigureCanvasAgg(figure)
        self.canvas.draw()
        (axes,) = figure.axes
        ticks = [
            tick.label1
            for axis in (axes.xaxis, axes.yaxis)
            for tick in axis.get_major_ticks()
            if axes.axison and min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        ]
        all_ticks = {id(text) for axis in (axes.xaxis, axes.yaxis) for text in axis.findobj(Text)} - {
            id(axes.xaxis.label)
        }
        others = [text for text in figure.findobj(Text) if id(text) not in all_ticks]
        self.texts = [text for text in [*others, *ticks] if text.get_visible() and text.get_text()]
        renderer = self.canvas.get_renderer()
        self.places = [text.get_window_extent(renderer) for text in self.texts]

    def behind(self) -> Any:
        """The picture without its letters, as an array of pixels; what lies behind words stays."""
        import numpy as np

        colours = [text.get_color() for text in self.texts]
        for text in self.texts:
            text.set_color("none")
        self.canvas.draw()
        pixels = np.array(self.canvas.buffer_rgba())[:, :, :3]
        for text, colour in zip(self.texts, colours, strict=True):
            text.set_color(colour)
        return pixels


@pytest.fixture(scope="module", params=[f"{name}{big}" for name in FIGURES for big in ("", " big")])
def drawn(drawers: dict[str, Any], request: Any) -> Iterator[Drawn]:
    """Each figure, for a notebook and for a projector."""
    big = request.param.endswith(" big")
    style.put_on(big)
    try:
        yield Drawn(drawers[request.param.removesuffix(" big")]().figure, big)
    finally:
        style.put_on()


def luminance(colour: Any) -> float:
    """The relative luminance of a colour, as WCAG defines it."""
    return float(sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True)))


def linear(colour: Any) -> list[float]:
    """Red, green and blue as light, from 0 to 1."""
    from matplotlib.colors import to_rgb

    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]


def contrast(one: Any, other: Any) -> float:
    """The contrast of two colours, as WCAG defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_no_text_is_small_where_it_is_shown(drawn: Drawn) -> None:
    """On a screen as large as the code beside it, also where the picture is made narrower; on a projector larger."""
    wide = drawn.figure.get_size_inches()[0] * drawn.figure.dpi
    shown = 1.0 if drawn.big else min(1.0, COLUMN / wide)
    for text in drawn.texts:
        size = text.get_fontsize() * drawn.figure.dpi / 72 * shown
        assert size >= (PROJECTED if drawn.big else CODE), f"{text.get_text()!r} is {size:.1f} pixels high"


def test_no_text_is_cut(drawn: Drawn) -> None:
    """All letters lie on the paper."""
    paper = drawn.figure.bbox
    for text, box in zip(drawn.texts, drawn.places, strict=True):
        inside = paper.x0 <= box.x0 and box.x1 <= paper.x1 and paper.y0 <= box.y0 and box.y1 <= paper.y1
        assert inside, f"{text.get_text()!r} runs over the edge"


def test_no_text_covers_another(drawn: Drawn) -> None:
    """Each word has its own place."""
    pairs = zip(drawn.texts, drawn.places, strict=True)
    for (one, a), (other, b) in combinations(pairs, 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart, f"{one.get_text()!r} and {other.get_text()!r} overlap"


def test_every_text_stands_out_from_what_lies_behind_it(drawn: Drawn) -> None:
    """Against each pixel behind it, those of lines and hatches too: no word is crossed by what it could be lost in."""
    import numpy as np

    pixels = drawn.behind()
    high = pixels.shape[0]
    for text, box in zip(drawn.texts, drawn.places, strict=True):
        part = pixels[round(high - box.y1) : round(high - box.y0), round(box.x0) : round(box.x1)]
        for colour in np.unique(part.reshape(-1, 3), axis=0):
            found = contrast(text.get_color(), tuple(colour / 255))
            assert found >= TEXT, f"{text.get_text()!r} has a contrast of {found:.1f} to {tuple(colour)}"


def test_every_line_marker_and_box_stands_out_from_the_paper(drawn: Drawn) -> None:
    """By its edge or by its face; the grey behind an outage is decoration, its line says the same."""
    (axes,) = drawn.figure.axes
    for line in axes.lines:
        marked = line.get_marker() not in ("None", None, "")
        seen = [line.get_markeredgecolor(), line.get_markerfacecolor()] if marked else [line.get_color()]
        assert max(contrast(colour, "white") for colour in seen) >= GRAPHICS
    for patch in (patch for patch in axes.patches if patch.get_zorder() > 0):
        assert max(contrast(colour, "white") for colour in (patch.get_edgecolor(), patch.get_facecolor())) >= GRAPHICS


def test_no_two_concepts_differ_by_colour_alone() -> None:
    """Markers by their shape, bars by their height or hatch, boxes by their outline: a grey copy says as much."""
    assert len({*lanes.MARKERS.values()}) == len(lanes.MARKERS)
    assert {kind: lanes.MARKERS[kind] for kind in tries.MARKERS} == tries.MARKERS  # the same in both figures
    bars = {
        (lanes.HEIGHTS[kind], look.get("hatch"), contrast(look["facecolor"], "white") > GRAPHICS)
        for kind, look in lanes.LOOKS.items()
    }
    assert len(bars) == len(lanes.LOOKS) == len(lanes.HEIGHTS)


def test_the_shapes_of_the_maps_legend_differ_without_their_colours(drawers: dict[str, Any]) -> None:
    """Each kind of box has a shape of its own, or other proportions."""
    figure = drawers["map"]().figure
    (axes,) = figure.axes
    low = {text.get_text(): text.get_position()[1] for text in axes.texts}
    inches = axes.transData.inverted()
    found = {}
    for kind, name in ((kind, name) for kind, name in picture.LEGEND.items() if kind != "ask"):
        boxes = [(patch, patch.get_window_extent().transformed(inches)) for patch in axes.patches]
        beside = [(patch, box) for patch, box in boxes if box.x1 < 0.9 and box.y0 < low[name] < box.y1]
        (patch, box), *_ = sorted(beside, key=lambda pair: -pair[1].height)
        found[kind] = (type(patch).__name__, box.width > box.height)
    assert len(set(found.values())) == len(found) == 5


CONFUSIONS = {  # what a colour looks like to the colour-blind: Machado, Oliveira and Fernandes 2009, severity 1.0
    "normal": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
FAR = 15.0  # CIE 1976 colour difference: 2.3 is just noticeable side by side


def lab(colour: str, eyes: str) -> tuple[float, float, float]:
    """A colour as these eyes see it, in CIE L*a*b* for daylight (D65)."""
    light = [sum(a * b for a, b in zip(row, linear(colour), strict=True)) for row in CONFUSIONS[eyes]]
    r, g, b = (min(1.0, max(0.0, value)) for value in light)
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    x, y, z = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def closest(colours: Any, eyes: str) -> float:
    """The smallest difference between two of the colours."""
    from math import dist

    return min(dist(lab(one, eyes), lab(other, eyes)) for one, other in combinations(colours, 2))


@pytest.mark.parametrize("eyes", CONFUSIONS)
def test_the_colours_are_told_apart_by_the_colour_blind(eyes: str) -> None:
    """Each pair of the palette, and each colour from the paper."""
    assert closest([*style.PALETTE, "#FFFFFF"], eyes) >= FAR


def test_matplotlibs_own_colours_would_not_pass() -> None:
    """The measure tells good from bad: of the ten default colours some become the same."""
    defaults = ["#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22"]
    assert min(closest(defaults, eyes) for eyes in CONFUSIONS) < FAR / 2


def test_the_tints_carry_black_letters() -> None:
    """Names stand on the pale fills of their boxes, and on the yellow of today's."""
    assert all(contrast(style.BLACK, tint) >= 7 for tint in [*shapes.TINTS.values(), style.TODAY])


@pytest.mark.parametrize("big", [False, True])
def test_a_figure_with_many_lanes_is_higher_so_that_their_names_have_room(big: bool) -> None:
    """Thirty lanes on the usual paper would write over each other."""
    style.put_on(big)
    try:
        rows = {f"lane {n}": float(n) for n in range(1, 31)}
        figure, _ = style.new_lanes(rows, "Thirty lanes", "virtual time (seconds)")
        few, _ = style.new_lanes({"one": 1.0}, "One lane", "virtual time (seconds)")
        drawn = Drawn(figure, big)
    finally:
        style.put_on()
    assert few.get_size_inches()[1] == style.HEIGHT < figure.get_size_inches()[1]
    assert sum(text.get_text().startswith("lane") for text in drawn.texts) == 30
    test_no_text_covers_another(drawn)
    test_no_text_is_cut(drawn)


def test_words_go_where_there_is_room_or_nowhere() -> None:
    """Beside the point, else above it, else shorter, else not at all; never over what is there."""
    figure, axes = style.new_lanes({"one": 1.0}, "One lane", "virtual time (seconds)")
    axes.set_xlim(0, 1)
    room = words.Room(figure, axes)
    assert room.write(0.5, 1.0, ["word"], ["right"])
    assert not room.write(0.5, 1.0, ["word"], ["right"])
    assert room.write(0.5, 1.0, ["word"], ["right", "above"])
    assert not room.write(1.0, 1.0, ["too long for the paper"], ["right"])
    assert room.write(0.9, 0.3, ["far too long for what is left of the paper", "short"], ["right"])
    bar = room.block(0.0, 0.3, 0.8, 1.2)
    assert not room.write(0.15, 1.0, ["on"], ["on"]) and room.write(0.15, 1.0, ["on"], ["on"], over=bar)
    assert [note.get_text() for note in axes.texts] == ["word", "word", "short", "on"]
