"""`poke()`: a circuit breaker that one can poke, drawn as a diagram of its three states with the present one lit.

What is poked is the very CircuitBreaker that ships, with its default settings: so many calls fail in a row at 0 s, and
after a wait so many ask at the same moment. The first one that is let in is told whether the dependency works; the
others are still under way. An arrow that was taken is thick.

Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from itertools import pairwise
from typing import TYPE_CHECKING

from orderlab.sim.poking import CLOSED, HALF_OPEN, OPEN, Poked
from orderlab.sim.poking import poke as simulate

from ..drawing import style
from ..drawing.figures import Plot, count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLACES = {CLOSED: (0.16, 0.72), OPEN: (0.84, 0.72), HALF_OPEN: (0.5, 0.28)}
MEANS = {CLOSED: "calls pass", OPEN: "nobody passes", HALF_OPEN: "one may try"}
ARROWS = {  # from, to: the words beside it, their place and side; where it begins and ends, how it is bent
    (CLOSED, OPEN): ("{0.failure_threshold} failures in a row", (0.49, 0.79), "center", (0.275, 0.73), (0.70, 0.73), 0),
    (OPEN, HALF_OPEN): ("{0.recovery_timeout:g} s later,\nsomebody asks", (0.61, 0.56), "right",
                        (0.76, 0.60), (0.575, 0.40), 0.15),
    (HALF_OPEN, OPEN): ("it fails", (0.82, 0.42), "left", (0.595, 0.29), (0.86, 0.615), 0.3),
    (HALF_OPEN, CLOSED): ("it works", (0.20, 0.42), "right", (0.405, 0.29), (0.16, 0.615), -0.3),
}  # fmt: skip


def poke(failures: int = 5, waited: int = 30, calls: int = 3, works: int = 1) -> Plot:
    """Draw where a breaker is after `failures` calls that fail, `waited` seconds, and `calls` at that moment.

    `works` is 1 when the first of these that is let in gets a good answer, and 0 when it fails.
    """
    done = simulate(failures, waited, calls, bool(works))
    told = f"At 0 s {count(failures, 'call')}: {done.failed} failed, {failures - done.failed} refused."
    then = "is well again" if works else "still fails"
    told += f" At {waited} s it {then}: {count(calls, 'call')}, {done.let_in} let in, {calls - done.let_in} refused."
    path = " → ".join(done.path)
    return Plot(_drawn(done, told), f"{told} The breaker is now {done.breaker.state}: {path}.")


def _drawn(done: Poked, told: str) -> "Figure":
    breaker, path = done.breaker, done.path
    figure = style.new_figure(constrained=False)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    taken = set(pairwise(path))
    for step, (words, place, side, begin, end, bent) in ARROWS.items():
        _arrow(axes, begin, end, bent, step in taken)
        weight = "bold" if step in taken else "normal"
        axes.text(*place, words.format(breaker), ha=side, va="center", weight=weight, linespacing=1.1)
    for state, (x, y) in PLACES.items():
        lit = state == breaker.state
        box = {"boxstyle": "round,pad=0.8", "facecolor": style.TODAY if lit else "white", "edgecolor": "black"}
        text = f"{state}\n{MEANS[state]}"
        axes.text(x, y, text, ha="center", va="center", bbox={**box, "linewidth": 3.0 if lit else 1.0}, zorder=3)
    axes.text(0.5, 0.95, f"Now {breaker.state}", ha="center", va="center", fontsize=style.TITLE * style.scale())
    axes.text(0.5, 0.06, told.replace(". At", ".\nAt"), ha="center", va="center")
    return figure


def _arrow(axes: "Axes", begin: tuple[float, float], end: tuple[float, float], bent: float, taken: bool) -> None:
    look = {
        "arrowstyle": "-|>,head_width=0.35,head_length=0.7",
        "connectionstyle": f"arc3,rad={bent}",
        "color": style.BLUE if taken else "#888888",
        "linewidth": 4.0 if taken else 1.5,
        "linestyle": "-" if taken else "--",
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axes.annotate("", end, begin, arrowprops=look, zorder=2)
