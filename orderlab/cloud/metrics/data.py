"""The data points of all metrics, and the statistics of a stretch of time.

A metric is a namespace, a name and a set of dimensions; another set is another metric, and nothing adds them up. A
statistic is taken over the data points of one period. Source: CloudWatch user guide, cloudwatch_concepts.
Departures: no percentiles; a metric has one unit, the last that was sent.

Taught in notebooks/12_ship_it.ipynb
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from ..wire.answers import NotYet

MINUTE = 60.0  # seconds, the finest look that anybody takes here
STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "SampleCount": lambda values: float(len(values)),
    "Sum": sum,
    "Average": lambda values: sum(values) / len(values),
    "Minimum": min,
    "Maximum": max,
}


class Metric(NamedTuple):
    """What a metric is known by; dimensions are (name, value), sorted."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(namespace: str, name: str, dimensions: Mapping[str, str] | Iterable[Mapping[str, str]] = ()) -> "Metric":
        """The metric with these dimensions: {name: value}, or as boto3 and templates have them [{Name, Value}]."""
        pairs = dimensions.items() if isinstance(dimensions, Mapping) else ((d["Name"], d["Value"]) for d in dimensions)
        return Metric(namespace, name, tuple(sorted((str(key), str(value)) for key, value in pairs)))


class Data:
    """All data points (seconds since the epoch, value), in the order of their times, by metric."""

    def __init__(self) -> None:
        self.points: dict[Metric, list[tuple[float, float]]] = {}
        self.units: dict[Metric, str] = {}

    def add(self, metric: Metric, at: float, value: float, unit: str = "Count") -> None:
        """Add a data point; one that comes late takes its place."""
        self.units[metric] = unit
        points = self.points.setdefault(metric, [])
        if points and at < points[-1][0]:
            insort(points, (at, value))
        else:
            points.append((at, value))

    def series(
        self, metric: Metric, start: float, end: float, period: float, statistic: str
    ) -> list[tuple[float, float]]:
        """(start of the period, statistic) for each `period` seconds from `start` on that has data, oldest first.

        Raises NotYet for a statistic or a period that is not done here.
        """
        check(statistic, period)
        points, found = self.points.get(metric, []), dict[float, list[float]]()
        if not points or points[-1][0] < start:
            return []
        for at, value in points[bisect_left(points, (start,)) : bisect_left(points, (end,))]:
            found.setdefault(start + (at - start) // period * period, []).append(value)
        return [(at, STATISTICS[statistic](values)) for at, values in found.items()]


def check(statistic: str, period: float) -> None:
    """Raise NotYet for a statistic that is not done here, such as p99 or tm90, and for a period (seconds) below 60."""
    if statistic not in STATISTICS:
        raise NotYet(f"the statistic {statistic}; the local cloud has {', '.join(STATISTICS)}")
    if period % MINUTE:
        raise NotYet(f"a Period of {period:g} s; the local cloud's metrics are looked at by the minute")
