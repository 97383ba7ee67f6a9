"""One alarm: its settings as CloudFormation and PutMetricAlarm have them, read and checked, and what it says.

An alarm here is on one statistic of one metric, and its actions are SNS topics. Metric math, anomaly detection, periods
below a minute, percentiles, a Unit, and any other action (a Lambda function too) are refused by name, never ignored.
Source: CloudWatch API reference, PutMetricAlarm; SNS messages of alarms as published (field by field); the texts of
the refusals are ours. Departure: the message is without StateReasonData.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import clock
from ..guard import ACCOUNT, REGION
from ..wire.answers import NotYet, Refusal
from . import data, rows
from .evaluation import ALARM, COMPARISONS, INSUFFICIENT, OK, Criterion

ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_NEEDED = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
_KNOWN = {
    *_NEEDED, *ACTIONS.values(), "AlarmName", "AlarmDescription", "ActionsEnabled", "Tags", "Dimensions",
    "DatapointsToAlarm", "ComparisonOperator", "TreatMissingData",
}  # fmt: skip


@dataclass
class Alarm:
    """One alarm: what it asks, and the state it is in. `label` is its logical id, or its name; `settings` are AWS's."""

    name: str
    label: str
    settings: dict[str, Any]
    metric: data.Metric
    period: float
    criterion: Criterion
    configured: float
    changed: float
    state: str = INSUFFICIENT
    reason: str = "Unchecked: Initial alarm creation"
    idle: str = ""  # the state that it comes to without any data

    @property
    def enabled(self) -> bool:
        """Does it act at all?"""
        return str(self.settings.get("ActionsEnabled", True)).lower() == "true"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.name}"

    def actions(self, state: str) -> list[str]:
        """The topics that it tells when it comes into this state."""
        return list(self.settings.get(ACTIONS[state]) or ())

    def shared(self) -> dict[str, Any]:
        """What its description and its message have in common."""
        return {
            "AlarmName": self.name,
            "AlarmDescription": self.settings.get("AlarmDescription"),
            "AlarmArn": self.arn,
            **{name: self.actions(state) for state, name in ACTIONS.items()},
        }

    def asked(self) -> dict[str, Any]:
        """The metric and the test, but for the dimensions, which are spelt in two ways."""
        test = self.criterion
        return {
            "Namespace": self.metric.namespace,
            "MetricName": self.metric.name,
            "Statistic": self.settings["Statistic"],
            "Period": int(self.period),
            "EvaluationPeriods": test.periods,
            **({"DatapointsToAlarm": test.to_alarm} if test.to_alarm else {}),
            "ComparisonOperator": test.comparison,
            "Threshold": test.threshold,
            "TreatMissingData": test.missing,
        }


def read(settings: Mapping[str, Any], label: str, now: float) -> Alarm:
    """The alarm of these properties. Raises Refusal where AWS would, NotYet for what is not done here."""
    if unknown := sorted(set(settings) - _KNOWN):
        raise NotYet(f"an alarm with {', '.join(unknown)}; the local cloud has alarms on one metric's statistic only")
    comparison, missing = str(settings.get("ComparisonOperator")), settings.get("TreatMissingData", "missing")
    if comparison not in COMPARISONS:
        raise NotYet(f"the ComparisonOperator {comparison}; the local cloud has {', '.join(COMPARISONS)}")
    if missing not in ("missing", "ignore", "breaching", "notBreaching"):
        raise _invalid(f"TreatMissingData cannot be {missing}: missing, ignore, breaching or notBreaching")
    if absent := [name for name in _NEEDED if name not in settings]:
        raise _invalid(f"an alarm needs {', '.join(absent)}")
    period, periods = float(settings["Period"]), int(settings["EvaluationPeriods"])
    to_alarm = int(settings["DatapointsToAlarm"]) if "DatapointsToAlarm" in settings else None
    if period not in (10, 20, 30) and (period < 60 or period % 60):
        raise _invalid(f"Period must be 10, 20, 30 or a multiple of 60, and is {period:g}")
    data.check(settings["Statistic"], period)
    if periods < 1 or not 1 <= (to_alarm or periods) <= periods:
        raise _invalid(f"DatapointsToAlarm must be from 1 to EvaluationPeriods ({periods}), and is {to_alarm}")
    for action in (action for actions in ACTIONS.values() for action in settings.get(actions) or ()):
        if not action.startswith("arn:aws:sns:"):
            raise NotYet(f"the alarm action {action}; the local cloud's alarms tell SNS topics")
    metric = data.Metric.of(settings["Namespace"], settings["MetricName"], settings.get("Dimensions") or ())
    test = Criterion(comparison, float(settings["Threshold"]), periods, to_alarm, missing)
    name = str(settings.get("AlarmName", label))
    return Alarm(name, label, dict(settings), rows.check(metric), period, test, now, now)


def message(alarm: Alarm, before: str) -> dict[str, Any]:
    """What an alarm publishes to a topic when it comes from the state `before`."""
    return {
        **alarm.shared(),
        "AWSAccountId": ACCOUNT,
        "AlarmConfigurationUpdatedTimestamp": _iso(alarm.configured),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": _iso(alarm.changed),
        "Region": "US East (N. Virginia)",
        "OldStateValue": before,
        "Trigger": {
            **alarm.asked(),
            "StatisticType": "Statistic",
            "Statistic": alarm.settings["Statistic"].upper(),
            "Unit": None,
            "Dimensions": [{"value": value, "name": name} for name, value in alarm.metric.dimensions],
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationError", message)


def _iso(at: float) -> str:
    """An instant (seconds since the epoch) as alarms write it."""
    return clock.iso(at, "milliseconds").replace("Z", "+0000")
