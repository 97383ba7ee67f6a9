"""`herd()`: the figure of clients that all call at the same instant, and of what each backoff makes of it.

A lane for each strategy shows how many calls arrive, moment by moment: without jitter the herd comes back as a herd,
wave after wave; with it the same clients are served by fewer calls, in less time. A line is the median over the seeds,
the band reaches from the 5th to the 95th percentile, the marker is when the last client was served.

Taught in notebooks/08_waiting_well.ipynb.
"""

import gc
import json
from collections.abc import Iterable
from time import process_time

import numpy as np

from orderlab.sim.herd import herd as simulate

from ..drawing import style
from ..drawing.figures import Plot
from .contending import LOOKS

STEPS = 75  # of the time axis
TALL = 0.82  # of a lane, for the most calls in one step


def herd(
    clients: int = 100, slots: int = 20, base: float = 0.01, cap: float = 2.0, seeds: Iterable[int] = range(11)
) -> Plot:
    """Draw what `orderlab.sim.herd` simulates: `clients` at once on a service that takes `slots` at a time.

    `base` and `cap` are the backoff's, in seconds. Raises ValueError as it does.
    """
    seeds = tuple(seeds)
    found = simulate(clients, slots, base, cap, seeds)
    last = {name: float(many.band(lambda run: run.seconds).median) for name, many in found.items()}
    calls = {name: float(many.band(lambda run: len(run.sent)).median) for name, many in found.items()}
    end = 1.02 * max(last.values())
    width = end / STEPS
    lanes = {LOOKS[name][0]: number + 1.0 for number, name in enumerate(found)}
    figure, axes = style.new_lanes(lanes, f"Calls that arrive, for {clients} clients at once", "seconds", below=0.1)
    axes.set_xlim(0, end)
    axes.xaxis.set_major_formatter("{x:g}")
    moments = (np.arange(STEPS) + 0.5) * width
    arrived = {
        name: many.band(lambda run: np.bincount((run.sent / width).astype(int), minlength=STEPS)[:STEPS])
        for name, many in found.items()
    }
    most = max(band.high.max() for band in arrived.values())
    for name, band in arrived.items():
        words, colour, line, marker = LOOKS[name]
        floor = lanes[words]
        low, middle, high = (floor - TALL * each / most for each in (band.low, band.median, band.high))
        axes.fill_between(moments, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.fill_between(moments, floor, middle, color=colour, alpha=0.5, linewidth=0)
        axes.plot(moments, middle, color=colour, linestyle=line, linewidth=1.5)
        axes.plot([last[name]], [floor], color=colour, marker=marker, clip_on=False)
        axes.text(end, floor - 0.35, f"{calls[name]:,.0f} calls, {last[name]:.2f} s", ha="right")
    told = ", ".join(f"{LOOKS[name][0]} {calls[name]:,.0f} and {last[name]:.2f} s" for name in found)
    what = f"{clients} clients at once on {slots} slots; calls, and seconds until all are served"
    return Plot(figure, f"Median and 5-95 % band of {len(seeds)} seeds. {what}: {told}.")


def redrawn(moves: int = 40) -> dict[str, float]:
    """Milliseconds of CPU time for a panel's moves, simulated and drawn anew: the median and the 95th percentile."""
    herd().quick_png()  # imports, fonts
    gc.collect()
    gc.freeze()  # as an open cloud does, and every lesson has one
    taken = []
    for move in range(moves):
        begun = process_time()
        herd(clients=100, slots=16 + move % 9).quick_png()
        taken.append(1000 * (process_time() - begun))
    return {"median": float(np.median(taken)), "p95": float(np.percentile(taken, 95))}


if __name__ == "__main__":
    print(json.dumps(redrawn()))
