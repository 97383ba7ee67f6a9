"""Where each box of the picture goes, decided by what it does: columns from left to right, one lane per rule's target.

Every box of the wiring gets a place, also one that a learner added to the template: a consumer on the bus is a lane
more, a function that is asked stands beside the one that asks, a table or a bucket lies below its first user. What is
connected to nothing stands in a lane of its own, where it is seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wiring import Wiring

WIDTH = 10.9  # inches, as everything here
COLUMNS = {"method": 0.89, "front": 2.39, "table": 3.6, "reader": 4.81, "bus": 5.77, "queue": 8.36, "worker": 9.92}
SIZES = {"method": (1.5, 0.5), "function": (1.1, 0.56), "queue": (1.28, 0.56), "table": (1.0, 0.56), "bus": (0.4, 0.5)}
KEPT, LETTER, LINE, GAP, HOP = 0.27, 0.082, 0.19, 0.22, 0.26


@dataclass(frozen=True)
class Place:
    """A box's centre, width and height; y is negative, downwards from the top of the picture."""

    x: float
    y: float
    width: float
    height: float
    small: bool = False

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y - self.height / 2


@dataclass
class Layout:
    """The places by logical id, in the order in which they were given."""

    wiring: "Wiring"
    places: dict[str, Place] = field(default_factory=dict)

    def put(self, name: str, column: str, top: float) -> float:
        """Place a box with its upper edge at `top`; returns the y of its lower edge."""
        width, height = SIZES.get(self.wiring.boxes[name].kind, SIZES["table"])
        self.places[name] = Place(COLUMNS[column], top - height / 2, width, height)
        return top - height

    def unit(self, name: str, column: str, top: float) -> float:
        """Place a function and, below it, what it keeps: tables and buckets that have no place yet."""
        bottom = self.put(name, column, top)
        for box in (*self.wiring.ends(name, "write"), *self.wiring.starts(name, "read")):
            if box not in self.places:
                width = LETTER * len(self.wiring.boxes[box].label) + 0.22
                self.places[box] = Place(COLUMNS[column], bottom - 0.05 - KEPT / 2, width, KEPT, small=True)
                bottom -= 0.05 + KEPT
        return bottom

    def units(self, names: Iterable[str], column: str, top: float) -> float:
        """Place functions one below the other, and whom they ask on their left; returns the next free y.

        In the columns that have something on their left already, whoever is asked stands below.
        """
        free = top
        for name in (name for name in names if name not in self.places):
            free = self.unit(name, column, free) - GAP
            for asked in self.wiring.ends(name, "ask"):
                if asked not in self.places and column == "worker":
                    free = min(free, self.units([asked], "queue", self.places[name].bottom - HOP))
                else:
                    free = self.units([asked], column, free)
        return free


def arrange(wiring: "Wiring", top: float) -> Layout:
    """Place all boxes, but those of the safety net, below `top`."""
    layout = Layout(wiring)
    methods, buses, tables = wiring.of_kind("method"), wiring.of_kind("bus"), wiring.tables
    for table in tables:
        layout.put(table, "table", top)
    called = [end for name in methods for end in wiring.ends(name, "call") if wiring.boxes[end].kind == "function"]
    free = [layout.units(called, "front", top)]
    free.append(layout.units([end for table in tables for end in wiring.ends(table, "stream")], "reader", top))
    for bus in buses:
        layout.put(bus, "bus", top)
    free.append(_lanes(layout, [end for bus in buses for end in wiring.ends(bus, "rule")], top))
    beside = [place.bottom for place in layout.places.values() if place.x in (COLUMNS["front"], COLUMNS["reader"])]
    for name, bottom in [(t, min(beside)) for t in tables] + [(bus, min(free) + GAP) for bus in buses]:
        place = layout.places[name]  # as high as what it serves
        layout.places[name] = Place(place.x, (top + bottom) / 2, place.width, top - bottom)
    _doors(layout, methods, top)
    return layout


def _lanes(layout: Layout, targets: list[str], top: float) -> float:
    """One lane for each target of the rules, then for whatever has no place yet; returns the next free y."""
    wiring = layout.wiring
    others = [name for name, box in wiring.boxes.items() if box.kind != "method" and name not in wiring.safety_net]
    for name in dict.fromkeys([*targets, *others]):
        if name in layout.places:
            continue
        kind = wiring.boxes[name].kind
        labels = {arrow.label for arrow in wiring.arrows if arrow.end == name and arrow.kind == "rule"}
        if kind == "function":
            bottom = layout.units([name], "worker", top)
        else:
            bottom = layout.put(name, "queue" if kind == "queue" else "worker", top) - GAP
            bottom = min(bottom, layout.units(wiring.ends(name, "poll"), "worker", top))
        top = min(bottom, top - LINE * len(labels) - GAP)
    return top


def _doors(layout: Layout, methods: list[str], top: float) -> None:
    """Place each method beside what it calls, as far as they leave each other room."""
    heights = {}
    for method in methods:
        ends = [layout.places[end].y for end in layout.wiring.ends(method, "call") if end in layout.places]
        heights[method] = max(ends, default=-100.0)
    for method in sorted(methods, key=lambda name: -heights[name]):
        beside = heights[method] + SIZES["method"][1] / 2
        top = layout.put(method, "method", min(beside, top) if beside > -99 else top) - 0.1
