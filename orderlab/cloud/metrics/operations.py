"""What boto3 may ask CloudWatch: to put, describe and delete alarms, to put metrics and to get their statistics.

boto3 speaks JSON to CloudWatch (a canary test says when it no longer does), so parameters and answers are what they are
for SQS; none of it is moto's. Source: CloudWatch API reference; GetMetricStatistics gives 1,440 data points, its start
is rounded down to the minute. Departures: answers come in one page, without filters but those that are here.
Everything else that CloudWatch does is refused by name.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from ..wire.answers import NotYet, Refusal, refusing
from . import rows
from .alarm import Alarm
from .alarms import Alarms
from .data import MINUTE, Metric
from .service import Metrics

Answer = dict[str, Any]
MAX_POINTS = 1440
REFUSED = (
    "ListMetrics SetAlarmState EnableAlarmActions DisableAlarmActions DescribeAlarmHistory DescribeAlarmsForMetric "
    "PutCompositeAlarm PutAnomalyDetector DescribeAnomalyDetectors DeleteAnomalyDetector PutMetricStream "
    "GetMetricWidgetImage PutInsightRule"
)


def operations(metrics: Metrics, alarms: Alarms) -> dict[tuple[str, str], Callable[[Answer], Answer]]:
    """(service, operation) to a function from parameters to result."""
    named: dict[str, Callable[[Answer], Answer]] = {
        "PutMetricData": partial(_put_data, metrics),
        "GetMetricStatistics": partial(_get_statistics, metrics),
        "GetMetricData": partial(_get_data, metrics),
        "PutMetricAlarm": partial(_put_alarm, alarms),
        "DescribeAlarms": partial(_describe, alarms),
        "DeleteAlarms": partial(_delete, alarms),
    }
    refused = refusing("cloudwatch", REFUSED, "the local cloud has metrics and alarms on one metric's statistic")
    return {**refused, **{("cloudwatch", name): answer for name, answer in named.items()}}


def _only(operation: str, params: Answer, *known: str) -> None:
    """Raises NotYet for a parameter that would be ignored."""
    if unknown := sorted(params.keys() - set(known)):
        raise NotYet(f"{operation} with {', '.join(unknown)}")


def _put_data(metrics: Metrics, params: Answer) -> Answer:
    """Raises Refusal for a namespace of AWS's own."""
    _only("PutMetricData", params, "Namespace", "MetricData", "StrictEntityValidation")
    if str(params["Namespace"]).startswith("AWS/"):
        raise Refusal("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    for datum in params["MetricData"]:
        _only("PutMetricData", datum, "MetricName", "Dimensions", "Timestamp", "Value", "Unit", "StorageResolution")
        if "Value" not in datum:
            raise Refusal("InvalidParameterCombination", f"{datum['MetricName']} needs a Value")
    for datum in params["MetricData"]:
        metric = Metric.of(params["Namespace"], datum["MetricName"], datum.get("Dimensions") or ())
        at = float(datum.get("Timestamp", metrics.scheduler.now))
        metrics.data.add(metric, at, float(datum["Value"]), datum.get("Unit", "None"))
    return {}


def _get_statistics(metrics: Metrics, params: Answer) -> Answer:
    """One metric, several statistics. Raises Refusal for more data points than AWS gives."""
    asked = ("Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics")
    _only("GetMetricStatistics", params, *asked)
    if (params["EndTime"] - params["StartTime"]) / params["Period"] > MAX_POINTS:
        raise Refusal(
            "InvalidParameterCombination",
            f"more than {MAX_POINTS:,} data points are asked for: take a longer Period or a shorter time range",
        )
    found: dict[float, Answer] = {}
    for name in params["Statistics"]:
        metric, values = _series(metrics, params, params, params["Period"], name)
        for at, value in values:
            found.setdefault(at, {"Timestamp": at, "Unit": metrics.data.units[metric]})[name] = value
    return {"Label": params["MetricName"], "Datapoints": [found[at] for at in sorted(found)]}


def _get_data(metrics: Metrics, params: Answer) -> Answer:
    """Several metrics, one statistic each, newest first. Raises NotYet for metric math."""
    _only("GetMetricData", params, "MetricDataQueries", "StartTime", "EndTime")
    results = []
    for query in params["MetricDataQueries"]:
        _only(f"GetMetricData, the query {query['Id']},", query, "Id", "MetricStat", "Label")
        stat = query["MetricStat"]
        _only("GetMetricData", stat, "Metric", "Period", "Stat")
        metric, values = _series(metrics, stat["Metric"], params, stat["Period"], stat["Stat"])
        times, numbers = [at for at, _ in values[::-1]], [value for _, value in values[::-1]]
        told = {"Id": query["Id"], "Label": query.get("Label", metric.name), "StatusCode": "Complete"}
        results.append({**told, "Timestamps": times, "Values": numbers})
    return {"MetricDataResults": results, "Messages": []}


def _series(
    metrics: Metrics, named: Answer, times: Answer, period: float, statistic: str
) -> tuple[Metric, list[tuple[float, float]]]:
    metric = rows.check(Metric.of(named["Namespace"], named["MetricName"], named.get("Dimensions") or ()))
    metrics.read()
    start = times["StartTime"] // MINUTE * MINUTE
    return metric, metrics.data.series(metric, start, times["EndTime"], period, statistic)


def _put_alarm(alarms: Alarms, params: Answer) -> Answer:
    alarms.put(params, params["AlarmName"])
    return {}


def _describe(alarms: Alarms, params: Answer) -> Answer:
    """The alarms that were asked for, by name, prefix or state."""
    _only("DescribeAlarms", params, "AlarmNames", "AlarmNamePrefix", "StateValue", "MaxRecords")
    found = [
        _described(alarm)
        for name, alarm in sorted(alarms.known.items())
        if name in params.get("AlarmNames", [name])
        and name.startswith(params.get("AlarmNamePrefix", ""))
        and alarm.state == params.get("StateValue", alarm.state)
    ]
    return {"MetricAlarms": found, "CompositeAlarms": []}


def _described(alarm: Alarm) -> Answer:
    told = {
        **alarm.shared(),
        **alarm.asked(),
        "Dimensions": [{"Name": name, "Value": value} for name, value in alarm.metric.dimensions],
        "ActionsEnabled": alarm.enabled,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": alarm.changed,
        "StateTransitionedTimestamp": alarm.changed,
    }
    return {name: value for name, value in told.items() if value is not None}


def _delete(alarms: Alarms, params: Answer) -> Answer:
    """All of them, or none when one is unknown."""
    names = set(params["AlarmNames"])
    if names - alarms.known.keys():
        raise Refusal("ResourceNotFound", "Alarm does not exist", 404)
    for name in names:
        del alarms.known[name]
    return {}
