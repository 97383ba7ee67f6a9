"""What boto3 may ask CloudWatch about alarms: put, describe, set, switch and delete. None of them is moto's.

Source: CloudWatch API reference. Departures: DescribeAlarms answers in one page. Composite alarms, anomaly detection,
metric streams, insight rules and an alarm's history are refused by name.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..wire import NotYet, Refusal
from .alarm import ACTIONS, Alarm
from .evaluation import ALARM, INSUFFICIENT, OK

if TYPE_CHECKING:
    from .alarms import Alarms

Answer = dict[str, Any]
_REFUSED = (
    "DescribeAlarmHistory", "DescribeAlarmsForMetric", "PutCompositeAlarm", "PutAnomalyDetector",
    "DescribeAnomalyDetectors", "DeleteAnomalyDetector", "PutMetricStream", "GetMetricWidgetImage", "PutInsightRule",
)  # fmt: skip


def operations(alarms: "Alarms") -> dict[tuple[str, str], Callable[[Answer], Answer]]:
    """(service, operation) to a function from parameters to result."""
    asked = Operations(alarms)
    named: dict[str, Callable[[Answer], Answer]] = {
        "PutMetricAlarm": asked.put_metric_alarm,
        "DescribeAlarms": asked.describe_alarms,
        "SetAlarmState": asked.set_alarm_state,
        "EnableAlarmActions": lambda params: asked.switch(params, True),
        "DisableAlarmActions": lambda params: asked.switch(params, False),
        "DeleteAlarms": asked.delete_alarms,
        **{name: _refuse(name) for name in _REFUSED},
    }
    return {("cloudwatch", name): answer for name, answer in named.items()}


class Operations:
    """The operations on one cloud's alarms: parameters in, result out."""

    def __init__(self, alarms: "Alarms") -> None:
        self.alarms = alarms

    def put_metric_alarm(self, params: Answer) -> Answer:
        """Raises Refusal where AWS would, NotYet for what alarms are not here."""
        self.alarms.put(params, params["AlarmName"])
        return {}

    def describe_alarms(self, params: Answer) -> Answer:
        """The alarms that were asked for, by name, prefix, state or action."""
        names, state, action = params.get("AlarmNames"), params.get("StateValue"), params.get("ActionPrefix", "")
        if "ChildrenOfAlarmName" in params or "ParentsOfAlarmName" in params:
            raise NotYet("DescribeAlarms of composite alarms")
        found = [
            _described(alarm)
            for name, alarm in sorted(self.alarms.known.items())
            if (names is None or name in names)
            and name.startswith(params.get("AlarmNamePrefix", ""))
            and state in (None, alarm.state)
            and (not action or any(a.startswith(action) for a in alarm.actions(ALARM)))
        ]
        metric_alarms = "MetricAlarm" in params.get("AlarmTypes", ["MetricAlarm"])
        return {"MetricAlarms": found if metric_alarms else [], "CompositeAlarms": []}

    def set_alarm_state(self, params: Answer) -> Answer:
        """Put an alarm into a state, with its actions, until it is judged again within the minute."""
        if params["StateValue"] not in (OK, ALARM, INSUFFICIENT):
            raise Refusal("ValidationError", f"StateValue must be {OK}, {ALARM} or {INSUFFICIENT}")
        (alarm,) = self._named([params["AlarmName"]]) or (None,)
        if alarm is None:
            raise Refusal("ResourceNotFound", "Alarm does not exist", 404)
        if params["StateValue"] != alarm.state:
            self.alarms.change(alarm, params["StateValue"], params["StateReason"])
        return {}

    def switch(self, params: dict[str, Any], on: bool) -> dict[str, Any]:
        """EnableAlarmActions and DisableAlarmActions; a name that is unknown is passed over, as on AWS."""
        for alarm in self._named(params["AlarmNames"]):
            alarm.enabled = on
        return {}

    def delete_alarms(self, params: Answer) -> Answer:
        """All of them, or none when one is unknown. Raises Refusal."""
        names = params["AlarmNames"]
        if len(self._named(names)) < len(set(names)):
            raise Refusal("ResourceNotFound", "Alarm does not exist", 404)
        for name in set(names):
            del self.alarms.known[name]
        return {}

    def _named(self, names: Iterable[str]) -> list[Alarm]:
        return [self.alarms.known[name] for name in dict.fromkeys(names) if name in self.alarms.known]


def _described(alarm: Alarm) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "Period": int(alarm.period),
        "EvaluationPeriods": alarm.criterion.periods,
        "Threshold": alarm.criterion.threshold,
        **({"DatapointsToAlarm": alarm.criterion.to_alarm} if alarm.criterion.to_alarm else {}),
    }
    return {
        **{name: value for name, value in alarm.settings.items() if name != "Tags"},
        **numbers,
        **{name: alarm.actions(state) for state, name in ACTIONS.items()},
        "Dimensions": alarm.metric.pairs,
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "ActionsEnabled": alarm.enabled,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": alarm.changed,
        "StateTransitionedTimestamp": alarm.changed,
    }


def _refuse(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def answer(params: Answer) -> Answer:
        raise NotYet(f"CloudWatch {name}: the local cloud has metrics and alarms on one metric's statistic")

    return answer
