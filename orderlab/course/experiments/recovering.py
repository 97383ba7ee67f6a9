"""`recoveries()`: the figure of a service after an outage has ended: what it is asked for, and what it does of that.

A lane for each way to run it. The grey band is the outage; the green area is the goodput, answers for which somebody
still waits; the dashed line is the load, retries included. Where the line runs on above nothing, the service works at
full load for nobody: a metastable failure. Areas and lines are medians over the seeds, with a 5-95 % band.

Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from collections.abc import Iterable, Mapping

import numpy as np

from orderlab.sim import Band, OpenLoop, Outage, Service, simulate_many

from ..drawing import style
from ..drawing.figures import Plot

STEP = 2.0  # seconds: the width of what is counted together
TALL = 0.86  # of a lane, for the highest load
BACK = 0.9  # of the load: as much goodput is a recovery
DOWN = "#D9D9D9"


def recoveries(
    ways: Mapping[str, tuple[OpenLoop, Service]], seconds: float = 50.0, seeds: Iterable[int] = range(5)
) -> Plot:
    """Simulate and draw each way, such as those of sim.published; the first one's outage is taken for that of all.

    Raises ValueError where it has none.
    """
    seeds = tuple(seeds)
    found = {name: _rates(way, seconds, seeds) for name, way in ways.items()}
    clients, service = next(iter(ways.values()))
    outage = next((fault for fault in service.faults if isinstance(fault, Outage)), None)
    if outage is None:
        raise ValueError("the first way has no outage to recover from")
    most = max(load.median.max() for _, load in found.values())
    lanes = {name: number + 1.0 for number, name in enumerate(ways)}
    figure, axes = style.new_lanes(lanes, "After the outage: asked for, and done", "seconds", below=0.1)
    axes.set_yticks([floor - 0.22 for floor in lanes.values()], list(lanes))
    axes.axvspan(outage.start, outage.end, color=DOWN, zorder=0, linewidth=0)
    axes.set_xlim(0, seconds * (1 + 0.21 * style.scale()))
    axes.set_xticks(range(0, int(seconds) + 1, 10))
    axes.spines["bottom"].set_bounds(0, seconds)
    times = (np.arange(int(seconds / STEP)) + 0.5) * STEP
    told = []
    for name, (good, load) in found.items():
        floor = lanes[name]
        low, middle, high = (floor - TALL * each / most for each in (good.low, good.median, good.high))
        axes.fill_between(times, floor, middle, color=style.CONCEPTS["done"], alpha=0.55, linewidth=0)
        axes.fill_between(times, low, high, color=style.CONCEPTS["done"], alpha=0.35, linewidth=0)
        asked = floor - TALL * load.median / most
        axes.plot(times, asked, color=style.CONCEPTS["failed"], linestyle="--", linewidth=1.5)
        axes.plot([0, seconds], [floor, floor], color="#777777", linestyle="-", linewidth=0.8)
        back = _back(good, outage.end)
        words = "down" if back is None else f"back at {back:.0f} s"
        axes.text(seconds * 1.01, floor - 0.25, words, weight="bold" if back is None else "normal")
        asked_last, done_last = (float(each.median[-3:].mean()) for each in (load, good))
        told.append(f"{name}: {words}, at last {asked_last:.0f} calls/s, {done_last:.0f} answered in time")
    axes.text((outage.start + outage.end) / 2, 0.98, "outage", ha="center", va="bottom")
    axes.text(seconds / 2, 0.22, "asked for", va="top", color=style.CONCEPTS["failed"])
    axes.text(seconds / 2, len(ways) - 1.08, "answered in time", va="bottom")
    rate = float(clients.rate if isinstance(clients.rate, int | float) else clients.rate[0][1])
    what = f"{rate:g} requests/s, outage from {outage.start:g} to {outage.end:g} s"
    return Plot(figure, f"Median and 5-95 % band of {len(seeds)} seeds; {what}. {'; '.join(told)}.")


def _rates(way: tuple[OpenLoop, Service], seconds: float, seeds: tuple[int, ...]) -> tuple[Band, Band]:
    """Goodput and load, calls/s, over the steps."""
    many = simulate_many(*way, seconds=seconds, seeds=seeds)
    return many.band(lambda run: run.per_second(STEP)["goodput"]), many.band(
        lambda run: run.per_second(STEP)["attempts"]
    )


def _back(good: Band, end: float) -> float | None:
    """The second from which on the median goodput is as before the outage; None when it is not at the end."""
    before = float(good.median[: int(end / STEP / 2)].mean())
    low = np.flatnonzero(good.median < BACK * before)
    return None if low[-1] >= len(good.median) - 2 else float((low[-1] + 1) * STEP)
