"""`contention()`: the figure of clients that all want to write one row: calls and time until all have, per backoff.

Two measures, side by side, because no strategy is best in both: who never waits is done first, and asks most often. A
line is the median over the seeds, the band around it reaches from the 5th to the 95th percentile.

Taught in notebooks/08_waiting_well.ipynb.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from orderlab.sim.contention import article_strategies, contend_many

from ..drawing import style
from ..drawing.figures import Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS = {  # of the five, by AWS's names: words, colour, line, marker
    "None": ("no backoff", style.BLACK, "-", "o"),
    "Exponential": ("exponential", style.VERMILLION, "--", "s"),
    "EqualJitter": ("equal jitter", style.GREEN, "-.", "^"),
    "FullJitter": ("full jitter", style.BLUE, "-", "."),
    "Decorr": ("decorrelated", style.PURPLE, ":", "v"),
}
WIDE, HIGH = 10.0, 4.8  # inches
NAMES = 1.75  # inches beside each panel, for the names of its lines
LINE = 1.25  # font sizes from one name to the next
Bands = dict[str, np.ndarray]  # strategy: (3, counts), the 5th, 50th and 95th percentiles


def contention(counts: Sequence[int] = (10, 40, 70, 100, 130, 160, 190), seeds: Iterable[int] = range(11)) -> Plot:
    """Draw the article's five strategies for these numbers of clients. Raises ValueError as `contend_many` does."""
    seeds = tuple(seeds)
    calls: Bands = {}
    seconds: Bands = {}
    for name, strategy in article_strategies().items():
        runs = [contend_many(count, strategy, seeds=seeds) for count in counts]
        calls[name] = np.percentile([each.calls for each in runs], (5, 50, 95), axis=1)
        seconds[name] = np.percentile([each.seconds for each in runs], (5, 50, 95), axis=1)
    figure = style.new_figure(WIDE, HIGH, constrained=False)
    font = style.FONT * style.scale() / 72
    left, bottom, top, names = 4.4 * font / WIDE, 3.4 * font / HIGH, 2.2 * font / HIGH, NAMES * style.scale() / WIDE
    each = (1 - 2 * (left + names)) / 2
    for number, (title, bands) in enumerate((("Calls", calls), ("Seconds until all have written", seconds))):
        axes = figure.add_axes((left + number * (left + names + each), bottom, each, 1 - bottom - top))
        axes.set_title(title)
        axes.set_xlabel("clients")
        axes.set_xlim(0, 1.06 * max(counts))
        if number:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g} s")
            axes.yaxis.set_minor_formatter("")
        else:
            axes.set_ylim(0, 1.05 * max(band[2].max() for band in bands.values()))
            axes.yaxis.set_major_formatter("{x:,.0f}")
        _lines(axes, counts, bands)
    return Plot(figure, _facts(counts, len(seeds), calls, seconds))


def _lines(axes: "Axes", counts: Sequence[int], bands: Bands) -> None:
    """A band, a line and its name for each strategy."""
    points = 72 / axes.figure.dpi
    font = style.FONT * style.scale() / points  # pixels
    ends = {}
    for name, (low, middle, high) in bands.items():
        _, colour, line, marker = LOOKS[name]
        axes.fill_between(counts, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(counts, middle, color=colour, linestyle=line, marker=marker)
        ends[name] = (counts[-1], middle[-1])
    heights = {name: axes.transData.transform(end)[1] for name, end in ends.items()}
    for name, height in _apart(heights, LINE * font).items():
        offset = (0.8 * font * points, (height - heights[name]) * points)
        axes.annotate(LOOKS[name][0], ends[name], offset, textcoords="offset points", va="center")


def _apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """The heights with `least` between neighbours: the mean of pushing all upwards and pushing all downwards."""
    order = sorted(heights, key=lambda name: heights[name])
    upwards, downwards = [heights[order[0]]], [heights[order[-1]]]
    for name in order[1:]:
        upwards.append(max(heights[name], upwards[-1] + least))
    for name in order[-2::-1]:
        downwards.append(min(heights[name], downwards[-1] - least))
    return {name: (up + down) / 2 for name, up, down in zip(order, upwards, downwards[::-1], strict=True)}


def _facts(counts: Sequence[int], seeds: int, calls: Bands, seconds: Bands) -> str:
    """The last column of both panels, in words."""
    told = (f"{LOOKS[name][0]} {calls[name][1, -1]:,.0f} and {seconds[name][1, -1]:.1f} s" for name in calls)
    what = f"{counts[-1]} clients write one row; calls, and seconds until all have written"
    return f"Median and 5-95 % band of {seeds} seeds. {what}: {', '.join(told)}."
