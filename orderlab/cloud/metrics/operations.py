"""What boto3 may ask CloudWatch about metrics: put, list, and get statistics. None of them is moto's.

boto3 speaks JSON to CloudWatch (a canary test says when it no longer does), so parameters and answers are what they are
for SQS. Source: CloudWatch API reference; GetMetricStatistics gives 1,440 data points, its start is rounded down to the
minute. Departures: answers come in one page; ListMetrics shows every metric that has data, however old.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..wire import NotYet, Refusal
from .data import MINUTE, Metric, Point

if TYPE_CHECKING:
    from .service import Metrics

Answer = dict[str, Any]
MAX_POINTS = 1440


def operations(metrics: "Metrics") -> dict[tuple[str, str], Callable[[Answer], Answer]]:
    """(service, operation) to a function from parameters to result."""
    asked = Operations(metrics)
    return {
        ("cloudwatch", "PutMetricData"): asked.put_metric_data,
        ("cloudwatch", "GetMetricStatistics"): asked.get_metric_statistics,
        ("cloudwatch", "GetMetricData"): asked.get_metric_data,
        ("cloudwatch", "ListMetrics"): asked.list_metrics,
    }


class Operations:
    """The operations on one cloud's metrics: parameters in, result out."""

    def __init__(self, metrics: "Metrics") -> None:
        self.metrics = metrics

    def put_metric_data(self, params: Answer) -> Answer:
        """Raises Refusal for a namespace of AWS's own, and for a datum without one kind of value."""
        if str(params["Namespace"]).startswith("AWS/"):
            raise Refusal("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
        if "EntityMetricData" in params:
            raise NotYet("PutMetricData with EntityMetricData")
        parsed = [(_metric(params, datum), *found) for datum in params["MetricData"] for found in self._points(datum)]
        for metric, point, unit in parsed:
            self.metrics.data.put(metric, point, unit)
        return {}

    def _points(self, datum: dict[str, Any]) -> list[tuple[Point, str]]:
        kinds = {"Value", "Values", "StatisticValues"} & set(datum)
        if len(kinds) != 1:
            given = ", ".join(sorted(kinds)) or "none of them"
            raise Refusal(
                "InvalidParameterCombination",
                f"{datum['MetricName']} needs exactly one of Value, Values and StatisticValues, and has {given}",
            )
        at, unit = float(datum.get("Timestamp", self.metrics.scheduler.now)), datum.get("Unit", "None")
        if "StatisticValues" in datum:
            s = datum["StatisticValues"]
            return [(Point(at, s["SampleCount"], s["Sum"], s["Minimum"], s["Maximum"]), unit)]
        values = datum.get("Values") or [datum["Value"]]
        counts = datum.get("Counts") or [1.0] * len(values)
        return [(Point(at, c, float(v * c), float(v), float(v)), unit) for v, c in zip(values, counts, strict=True)]

    def get_metric_statistics(self, params: Answer) -> Answer:
        """One metric, several statistics. Raises Refusal for more data points than AWS gives."""
        metric, plain, extended = _metric(params), params.get("Statistics", []), params.get("ExtendedStatistics", [])
        if (params["EndTime"] - params["StartTime"]) / params["Period"] > MAX_POINTS:
            raise Refusal(
                "InvalidParameterCombination",
                f"more than {MAX_POINTS:,} data points are asked for: take a longer Period or a shorter time range",
            )
        found: dict[float, dict[str, Any]] = {}
        for name in (*plain, *extended):
            for at, value in self._series(metric, name, params):
                place = found.setdefault(at, {"Timestamp": at, "Unit": self.metrics.data.units[metric]})
                (place if name in plain else place.setdefault("ExtendedStatistics", {}))[name] = value
        return {"Label": metric.name, "Datapoints": [found[at] for at in sorted(found)]}

    def get_metric_data(self, params: Answer) -> Answer:
        """Several metrics, one statistic each. Raises NotYet for metric math."""
        results = []
        for query in params["MetricDataQueries"]:
            if "MetricStat" not in query:
                raise NotYet(f"GetMetricData: {query['Id']} is an Expression; the local cloud has no metric math")
            stat = query["MetricStat"]
            metric = _metric(stat["Metric"])
            values = self._series(metric, stat["Stat"], {**params, **stat})
            if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
                values.reverse()
            if query.get("ReturnData", True):
                results.append({
                    "Id": query["Id"], "Label": query.get("Label", metric.name), "StatusCode": "Complete",
                    "Timestamps": [at for at, _ in values], "Values": [value for _, value in values],
                })  # fmt: skip
        return {"MetricDataResults": results, "Messages": []}

    def _series(self, metric: Metric, statistic: str, params: dict[str, Any]) -> list[tuple[float, float]]:
        if params["Period"] % MINUTE:
            raise NotYet(f"a Period of {params['Period']} s; the local cloud's metrics are looked at by the minute")
        self.metrics.read()
        start, data = params["StartTime"] // MINUTE * MINUTE, self.metrics.data
        if params.get("Unit", data.units.get(metric)) != data.units.get(metric):
            return []
        return data.series(metric, start, params["EndTime"], params["Period"], statistic)

    def list_metrics(self, params: Answer) -> Answer:
        """The metrics that have data. Raises NotYet for RecentlyActive."""
        if "RecentlyActive" in params:
            raise NotYet("ListMetrics with RecentlyActive")
        self.metrics.read()
        asked = [(d["Name"], d.get("Value")) for d in params.get("Dimensions") or ()]
        found = [
            {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": metric.pairs}
            for metric in self.metrics.data.points
            if params.get("Namespace", metric.namespace) == metric.namespace
            and params.get("MetricName", metric.name) == metric.name
            and all(any(n == name and value in (None, v) for n, v in metric.dimensions) for name, value in asked)
        ]
        return {"Metrics": found}


def _metric(params: dict[str, Any], datum: dict[str, Any] | None = None) -> Metric:
    told = datum or params
    return Metric.of(params["Namespace"], told["MetricName"], told.get("Dimensions") or ())
