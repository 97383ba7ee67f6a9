"""`herd()`: the figure of clients that all call at the same instant, and of what each backoff makes of it.

A lane for each strategy shows how many calls arrive, moment by moment: without jitter the herd comes back as a herd,
wave after wave; with it the same clients are served by fewer calls, in less time. A line is the median over the seeds,
the band reaches from the 5th to the 95th percentile, the marker is when the last client was served. A lane is as high
as the whole herd; what is higher, of clients that call again and again within one step, is cut off.

Taught in notebooks/08_waiting_well.ipynb.
"""

import gc
import json
from collections.abc import Iterable
from time import process_time

import numpy as np

from orderlab.sim.herd import WAYS
from orderlab.sim.herd import herd as simulate

from ..drawing import style
from ..drawing.figures import Plot
from .contending import LOOKS as FIVE

LOOKS = {**FIVE, "Additive": ("the article's", style.VERMILLION, "-", "D")}  # words, colour, line, marker
STEPS = 120  # of the time axis
TALL = 0.82  # of a lane, for the most calls in one step


def herd(
    clients: int = 100,
    slots: int = 20,
    base: float = 0.01,
    cap: float = 2.0,
    outage: float = 0.0,
    seeds: Iterable[int] = range(11),
    ways: Iterable[str] = tuple(WAYS),
) -> Plot:
    """Draw what `orderlab.sim.herd` simulates: `clients` at once on a service that takes `slots` at a time.

    `base` and `cap` are the backoff's, in seconds; for the first `outage` seconds the service is down. Raises
    ValueError as it does.
    """
    seeds = tuple(seeds)
    found = simulate(clients, slots, base, cap, seeds, outage, ways)
    last = {name: float(many.band(lambda run: run.seconds).median) for name, many in found.items()}
    calls = {name: float(many.band(lambda run: len(run.sent)).median) for name, many in found.items()}
    end = 1.02 * max(last.values())
    width = end / STEPS
    lanes = {LOOKS[name][0]: number + 1.0 for number, name in enumerate(found)}
    title = f"Calls of {clients} clients at once{'; grey: the service is down' if outage else ''}"
    figure, axes = style.new_lanes(lanes, title, "seconds", below=0.1)
    axes.set_xlim(0, end)
    axes.xaxis.set_major_formatter("{x:g}")
    moments = (np.arange(STEPS) + 0.5) * width
    arrived = {
        name: many.band(lambda run: np.bincount((run.sent / width).astype(int), minlength=STEPS)[:STEPS])
        for name, many in found.items()
    }
    most = min(clients, max(band.high.max() for band in arrived.values()))
    if outage:
        axes.axvspan(0, outage, facecolor="#F0F0F0", hatch="/", edgecolor="#DDDDDD", linewidth=0, zorder=0)
    for name, band in arrived.items():
        words, colour, line, marker = LOOKS[name]
        floor = lanes[words]
        cut = (np.minimum(each, most) for each in (band.low, band.median, band.high))
        low, middle, high = (floor - TALL * each / most for each in cut)
        axes.fill_between(moments, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.fill_between(moments, floor, middle, color=colour, alpha=0.5, linewidth=0)
        axes.plot(moments, middle, color=colour, linestyle=line, linewidth=1.5)
        axes.plot([last[name]], [floor], color=colour, marker=marker, clip_on=False)
        axes.text(end, floor - 0.48, f"{calls[name]:,.0f} calls, {last[name]:.2f} s", ha="right")
    told = ", ".join(f"{LOOKS[name][0]} {calls[name]:,.0f} and {last[name]:.2f} s" for name in found)
    back = f", down for the first {outage:g} s" if outage else ""
    what = f"{clients} clients at once on {slots} slots{back}; calls, and seconds until all are served"
    return Plot(figure, f"Median and 5-95 % band of {len(seeds)} seeds. {what}: {told}.")


def waves(slots: int = 10, first: int = 50, longest: int = 2000, outage: int = 1000) -> Plot:
    """`herd` for a panel: few seeds, and without "no backoff", whose calls in an outage would make every move slow.

    `first` is the backoff's base and `longest` its cap; like `outage` in whole milliseconds.
    """
    base, cap, down = first / 1000, longest / 1000, outage / 1000
    return herd(slots=slots, base=base, cap=cap, outage=down, seeds=range(3), ways=[*WAYS][1:])


def redrawn(moves: int = 40) -> dict[str, float]:
    """Milliseconds of CPU time for a panel's moves, simulated and drawn anew: the median and the 95th percentile."""
    waves().quick_png()  # imports, fonts
    gc.collect()
    gc.freeze()  # as an open cloud does, and every lesson has one
    taken = []
    for move in range(moves):
        begun = process_time()
        waves(slots=6 + move % 9).quick_png()
        taken.append(1000 * (process_time() - begun))
    return {"median": float(np.median(taken)), "p95": float(np.percentile(taken, 95))}


if __name__ == "__main__":
    print(json.dumps(redrawn()))
