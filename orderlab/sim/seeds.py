"""The same experiment under many seeds: a median and a band, never one lucky run.

Taught in notebooks/08_waiting_well.ipynb.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .clients import Clients
from .engine import simulate
from .results import Array, Run
from .service import Service


@dataclass(frozen=True)
class Band:
    """Over the seeds: the 5th percentile, the median and the 95th, each of the measure's shape and unit."""

    low: Array
    median: Array
    high: Array


@dataclass(frozen=True)
class Runs:
    """Runs that differ in their seed only."""

    runs: tuple[Run, ...]

    def band(self, measure: Callable[[Run], Any]) -> Band:
        """Of a measure of one run, a number or an array of the same shape for each, the band over the seeds."""
        return Band(*np.percentile([measure(run) for run in self.runs], [5, 50, 95], axis=0))


def simulate_many(
    clients: Clients,
    service: Service,
    *,
    seconds: float,
    seeds: Iterable[int],
    progress: Callable[[int, int], None] | None = None,
) -> Runs:
    """`simulate` with each seed; `progress(done, of)` is told after each. Raises ValueError where there is no seed."""
    wanted = list(seeds)
    if not wanted:
        raise ValueError("seeds is at least one whole number, such as range(11), got none")
    runs = []
    for seed in wanted:
        runs.append(simulate(clients, service, seconds=seconds, seed=seed))
        if progress is not None:
            progress(len(runs), len(wanted))
    return Runs(tuple(runs))
