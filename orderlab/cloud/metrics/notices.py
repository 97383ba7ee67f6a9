"""What an alarm tells those whom it calls: the message to an SNS topic, and the event of a Lambda function.

Source: SNS messages of alarms as published (field by field); CloudWatch user guide, alarms-and-actions-Lambda.
Departures: without StateReasonData, and the metric's id in the event is m1, where AWS makes one up.

Taught in notebooks/12_ship_it.ipynb
"""

from datetime import UTC, datetime
from typing import Any

from ..guard import ACCOUNT, REGION
from .alarm import ACTIONS, Alarm


def message(alarm: Alarm, before: str) -> dict[str, Any]:
    """What an alarm publishes to a topic."""
    given = alarm.settings
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": given.get("AlarmDescription"),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": iso(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": iso(alarm.changed),
        "Region": "US East (N. Virginia)",
        "AlarmArn": alarm.arn,
        "OldStateValue": before,
        **{name: alarm.actions(state) for state, name in ACTIONS.items()},
        "Trigger": {
            "MetricName": alarm.metric.name,
            "Namespace": alarm.metric.namespace,
            **_trigger_statistic(alarm),
            "Unit": given.get("Unit"),
            "Dimensions": [{"value": value, "name": name} for name, value in alarm.metric.dimensions],
            "Period": int(alarm.period),
            "EvaluationPeriods": alarm.criterion.periods,
            **({"DatapointsToAlarm": alarm.criterion.to_alarm} if alarm.criterion.to_alarm else {}),
            "ComparisonOperator": alarm.criterion.comparison,
            "Threshold": alarm.criterion.threshold,
            "TreatMissingData": alarm.criterion.missing,
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _trigger_statistic(alarm: Alarm) -> dict[str, str]:
    if alarm.statistic.startswith("p"):
        return {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": alarm.statistic}
    return {"StatisticType": "Statistic", "Statistic": alarm.statistic.upper()}


def event(alarm: Alarm) -> dict[str, Any]:
    """What an alarm invokes a function with."""
    metric = {
        "namespace": alarm.metric.namespace,
        "name": alarm.metric.name,
        "dimensions": dict(alarm.metric.dimensions),
    }
    stat = {"metric": metric, "period": int(alarm.period), "stat": alarm.statistic}
    configuration = {"metrics": [{"id": "m1", "metricStat": stat, "returnData": True}]}
    if description := alarm.settings.get("AlarmDescription"):
        configuration["description"] = description
    return {
        "source": "aws.cloudwatch",
        "alarmArn": alarm.arn,
        "accountId": ACCOUNT,
        "time": iso(alarm.changed),
        "region": REGION,
        "alarmData": {
            "alarmName": alarm.name,
            "state": {"value": alarm.state, "reason": alarm.reason, "timestamp": iso(alarm.changed)},
            "previousState": alarm.previous,
            "configuration": configuration,
        },
    }


def iso(at: float) -> str:
    """An instant (seconds since the epoch) as alarms write it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
