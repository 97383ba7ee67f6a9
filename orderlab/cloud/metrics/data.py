"""The data points of all metrics, and the statistics of a stretch of time.

A metric is a namespace, a name and a set of dimensions; another set is another metric, and nothing adds them up. A
statistic is taken over the data points of one period. Source: CloudWatch user guide, cloudwatch_concepts.
Departures: a percentile is the nearest rank (AWS does not publish its own rule); a metric has one unit, the last that
was sent. Taught in notebooks/12_ship_it.ipynb
"""

import math
import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..wire import NotYet

MINUTE = 60.0  # seconds, the finest look that anybody takes here
STATISTICS = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")


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

    @property
    def pairs(self) -> list[dict[str, str]]:
        """The dimensions as boto3 has them: [{Name, Value}]."""
        return [{"Name": name, "Value": value} for name, value in self.dimensions]


class Point(NamedTuple):
    """One data point, or several of the same instant as one (a statistic set). `at`: seconds since the epoch."""

    at: float
    samples: float
    sum: float
    low: float
    high: float


class Data:
    """All data points, in the order of their times, by metric."""

    def __init__(self) -> None:
        self.points: dict[Metric, list[Point]] = {}
        self.units: dict[Metric, str] = {}

    def add(self, metric: Metric, at: float, value: float, unit: str = "Count", count: float = 1.0) -> None:
        """Add a value that was seen `count` times."""
        self.put(metric, Point(at, count, value * count, value, value), unit)

    def put(self, metric: Metric, point: Point, unit: str) -> None:
        """Add a data point; one that comes late takes its place."""
        self.units[metric] = unit
        points = self.points.setdefault(metric, [])
        if points and point.at < points[-1].at:
            insort(points, point)
        else:
            points.append(point)

    def between(self, metric: Metric, start: float, end: float) -> list[Point]:
        """The data points from `start` on and before `end`."""
        points = self.points.get(metric)
        if not points or points[-1].at < start:
            return []
        return points[bisect_left(points, (start,)) : bisect_left(points, (end,))]

    def series(
        self, metric: Metric, start: float, end: float, period: float, statistic: str
    ) -> list[tuple[float, float]]:
        """(start of the period, statistic) for each `period` seconds from `start` on that has data, oldest first.

        Raises wire.NotYet for a statistic that is not done here.
        """
        check_statistic(statistic)
        found: dict[float, list[Point]] = {}
        for point in self.between(metric, start, end):
            found.setdefault(start + (point.at - start) // period * period, []).append(point)
        values = ((at, statistic_of(statistic, points)) for at, points in found.items())
        return [(at, value) for at, value in values if value is not None]


def check_statistic(statistic: str) -> None:
    """Raise NotYet for a statistic that is not done here, such as tm90."""
    if statistic not in STATISTICS and not re.fullmatch(r"p(\d{1,2}(\.\d+)?|100)", statistic):
        raise NotYet(f"the statistic {statistic}; the local cloud has {', '.join(STATISTICS)} and percentiles (p99)")


def statistic_of(statistic: str, points: list[Point]) -> float | None:
    """The statistic of these data points, or None where AWS has none; see `check_statistic`."""
    count, total = sum(p.samples for p in points), sum(p.sum for p in points)
    match statistic:
        case "SampleCount":
            return count
        case "Sum":
            return total
        case "Average":
            return total / count
        case "Minimum":
            return min(p.low for p in points)
        case "Maximum":
            return max(p.high for p in points)
    return _percentile(float(statistic[1:]), points, count)


def _percentile(percent: float, points: list[Point], count: float) -> float | None:
    """The nearest rank; None, as on AWS, when a statistic set hides its single values."""
    if any(p.low != p.high for p in points):
        return None
    rank, seen = max(1.0, math.ceil(percent / 100 * count)), 0.0
    for point in sorted(points, key=lambda p: p.low):
        seen += point.samples
        if seen >= rank:
            return point.low
    return None
