"""One alarm: its settings as CloudFormation and PutMetricAlarm have them, read and checked.

An alarm here is on one statistic of one metric. Metric math, anomaly detection, periods below a minute, the setting for
percentiles of few samples, and actions other than SNS topics and Lambda functions are refused by name, never ignored.
Source: CloudWatch API reference, PutMetricAlarm; the texts of the refusals are ours.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..guard import ACCOUNT, REGION
from ..wire import NotYet, Refusal
from .data import Metric, check_statistic
from .evaluation import ALARM, COMPARISONS, INSUFFICIENT, OK, Criterion

ACTIONS = {OK: "OKActions", ALARM: "AlarmActions", INSUFFICIENT: "InsufficientDataActions"}
_KNOWN = {
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "Tags",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData",
}  # fmt: skip


@dataclass
class Alarm:
    """One alarm: what it asks, and the state it is in. `label` is its logical id, or its name; `settings` are AWS's."""

    name: str
    label: str
    settings: dict[str, Any]
    metric: Metric
    statistic: str
    period: float
    criterion: Criterion
    configured: float
    changed: float
    enabled: bool = True
    state: str = INSUFFICIENT
    reason: str = "Unchecked: Initial alarm creation"
    idle: str = ""  # the state that it comes to without any data
    previous: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.name}"

    def actions(self, state: str) -> list[str]:
        """The ARNs of what it does when it comes into this state."""
        return list(self.settings.get(ACTIONS[state]) or ())


def read(settings: Mapping[str, Any], label: str, now: float) -> Alarm:
    """The alarm of these properties. Raises Refusal where AWS would, NotYet for what is not done here."""
    if unknown := sorted(set(settings) - _KNOWN):
        raise NotYet(f"an alarm with {', '.join(unknown)}; the local cloud has alarms on one metric's statistic only")
    comparison, missing = str(settings.get("ComparisonOperator")), settings.get("TreatMissingData", "missing")
    if comparison not in COMPARISONS:
        raise NotYet(f"the ComparisonOperator {comparison}; the local cloud has {', '.join(COMPARISONS)}")
    if missing not in ("missing", "ignore", "breaching", "notBreaching"):
        raise _invalid(f"TreatMissingData cannot be {missing}: missing, ignore, breaching or notBreaching")
    if absent := [n for n in ("Namespace", "MetricName", "Period", "EvaluationPeriods", "Threshold")
                  if n not in settings]:  # fmt: skip
        raise _invalid(f"an alarm needs {', '.join(absent)}")
    statistic = settings.get("Statistic") or settings.get("ExtendedStatistic")
    if not statistic or ("Statistic" in settings and "ExtendedStatistic" in settings):
        raise _invalid("an alarm has either a Statistic or an ExtendedStatistic")
    check_statistic(statistic)
    period, periods = float(settings["Period"]), int(settings["EvaluationPeriods"])
    to_alarm = int(settings["DatapointsToAlarm"]) if "DatapointsToAlarm" in settings else None
    if period in (10, 20, 30):
        raise NotYet(f"a Period of {period:g} s; the local cloud's metrics are looked at by the minute")
    if period < 60 or period % 60:
        raise _invalid(f"Period must be 10, 20, 30 or a multiple of 60, and is {period:g}")
    if periods < 1 or not 1 <= (to_alarm or periods) <= periods:
        raise _invalid(f"DatapointsToAlarm must be from 1 to EvaluationPeriods ({periods}), and is {to_alarm}")
    for action in (action for actions in ACTIONS.values() for action in settings.get(actions) or ()):
        if not action.startswith(("arn:aws:sns:", "arn:aws:lambda:")):
            raise NotYet(f"the alarm action {action}; the local cloud runs SNS topics and Lambda functions")
    return Alarm(
        name=str(settings.get("AlarmName", label)),
        label=label,
        settings=dict(settings),
        metric=Metric.of(settings["Namespace"], settings["MetricName"], settings.get("Dimensions") or ()),
        statistic=statistic,
        period=period,
        criterion=Criterion(comparison, float(settings["Threshold"]), periods, to_alarm, missing),
        configured=now,
        changed=now,
        enabled=str(settings.get("ActionsEnabled", True)).lower() == "true",
    )


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationError", message)
