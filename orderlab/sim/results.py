"""What came of a simulation: arrays over requests and attempts, and small tables with units.

offered load   requests/s that clients want done
goodput        requests/s that are done: answered well, and before the client gave up
amplification  attempts for each request: what retries do to the load
in system      requests under way; their mean L is the arrival rate times the mean latency W (Little's law)

Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .log import FAILED, OK, REFUSED, TIMED_OUT, Log
from .service import Service

Array = np.ndarray[Any, Any]
COLUMNS = ("client", "asked", "began", "ended", "request", "sent", "begun", "left", "answered", "outcome")


@dataclass(frozen=True, repr=False)
class Table:
    """Columns of equal length, each with its unit; printed with both."""

    columns: Mapping[str, Array]
    units: Mapping[str, str]

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def __repr__(self) -> str:
        heads = [f"{name} ({self.units[name]})" if self.units[name] else name for name in self.columns]
        rows = [[f"{value:.4g}" for value in row] for row in zip(*self.columns.values(), strict=True)]
        wide = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        return "\n".join("  ".join(map(str.rjust, row, wide)) for row in [heads, *rows])


class Run:
    """One simulation of `service` for `seconds`, with `seed`. Arrays are made when they are first asked for.

    Over requests, in the order in which they came: `client` (its number), `asked` (it came), `began` (first attempt;
    later than `asked` for serial clients), `ended` (answered well, or given up). Over attempts, in the order in which
    they were sent: `request` (its row), `sent`, `begun` and `left` (service), `answered` (the client has an answer, or
    waits no longer), `outcome` (PENDING, OK, FAILED, REFUSED or TIMED_OUT, as the client saw it). Times are seconds
    since the beginning, nan for what never happened. `below` is the run of the layer below, or None.
    """

    def __init__(self, log: Log, service: Service, seconds: float, seed: int, below: "Run | None") -> None:
        self._log, self._horizon = log, seconds
        self.service, self.seed, self.below = service, seed, below
        self.seconds = max(log.ended + log.left) if seconds == math.inf else seconds

    def __getattr__(self, name: str) -> Array:
        if name not in COLUMNS:
            raise AttributeError(f"a run has {', '.join(COLUMNS)}, and no {name}")
        found = np.array(getattr(self._log, name), dtype=int if name in ("client", "request", "outcome") else float)
        if name in ("begun", "left"):  # these are kept for what was served only, and as they were planned
            found = np.full(len(self._log.sent), np.nan)
            found[self._log.served] = getattr(self._log, name)
            found[found >= self._horizon] = np.nan
        self.__dict__[name] = found
        return found

    @cached_property
    def ok(self) -> Array:
        """Of each request: was it answered well?"""
        return np.bincount(self.request[self.outcome == OK], minlength=len(self.asked)) > 0

    @cached_property
    def tries(self) -> Array:
        """Of each request: how many attempts were sent."""
        return np.bincount(self.request, minlength=len(self.asked))

    @cached_property
    def latency(self) -> Array:
        """Of each request: seconds from when it came until it ended; nan while under way."""
        return self.ended - self.asked

    def in_system(self) -> tuple[Array, Array]:
        """(times, counts): from times[i] on, counts[i] requests are under way."""
        ended = self.ended[~np.isnan(self.ended)]
        times, place = np.unique(np.concatenate([self.asked, ended]), return_inverse=True)
        changes = np.repeat([1, -1], [len(self.asked), len(ended)])
        return times, np.cumsum(np.bincount(place, changes)).astype(int)

    def per_second(self, width: float = 1.0) -> Table:
        """What happens in each `width` seconds, as rates: offered load, attempts, goodput, and how attempts failed."""
        bins = math.ceil(self.seconds / width - 1e-9)
        timeouts, refusals, errors = (self.answered[self.outcome == code] for code in (TIMED_OUT, REFUSED, FAILED))
        found = {
            "offered": self.asked,
            "attempts": self.sent,
            "goodput": self.ended[self.ok],
            "time-outs": timeouts,
            "refusals": refusals,
            "errors": errors,
        }
        counted = {
            name: np.bincount((times / width).astype(int), minlength=bins)[:bins] / width
            for name, times in found.items()
        }
        return Table({"from": np.arange(bins) * width, **counted}, {"from": "s", **dict.fromkeys(counted, "1/s")})

    def summary(self) -> Table:
        """The run in one row: rates, amplification, share of good ends, latency of the good ones, utilisation."""
        span = self.seconds
        began, good = np.count_nonzero(~np.isnan(self.began)), self.latency[self.ok]
        over = ~np.isnan(self.ended)
        p50, p95, p99 = np.percentile(good, [50, 95, 99]) if len(good) else (math.nan,) * 3
        served = np.where(np.isnan(self.left), span, self.left) - self.begun
        units = {
            "offered": ("1/s", len(self.asked) / span),
            "goodput": ("1/s", len(good) / span),
            "attempts": ("1/s", len(self.sent) / span),
            "amplification": ("x", len(self.sent) / began if began else math.nan),
            "success": ("", len(good) / np.count_nonzero(over) if over.any() else math.nan),
            "mean": ("s", float(good.mean()) if len(good) else math.nan),
            "p50": ("s", p50),
            "p95": ("s", p95),
            "p99": ("s", p99),
            "utilisation": ("", np.nansum(served) / span / self.service.capacity),
            "in system": ("", float(np.sum(np.where(over, self.ended, span) - self.asked)) / span),
        }
        columns = {name: np.array([value]) for name, (_, value) in units.items()}
        return Table(columns, {name: unit for name, (unit, _) in units.items()})
