"""CloudWatch alarms: they look at one metric, every minute, and act when their state changes, and only then.

Every minute an alarm judges the periods that end now (a period of five minutes slides by one). A change of state runs
the actions of the new state, once each: SNS topics, and Lambda functions whose permission lets
lambda.alarms.cloudwatch.amazonaws.com in. Who is already in ALARM acts no more until it was OK again.
Source: CloudWatch user guide, alarm-evaluation, alarm-actions (the Lambda event); SNS messages as published.
Departures: the template's alarms have looked once when the world begins (the stack has stood for a while), so their
first OK is no row of the trace and no action; a new alarm of PutMetricAlarm begins with INSUFFICIENT_DATA. The event
"CloudWatch Alarm State Change" is not sent to the default bus.

Taught in notebooks/12_ship_it.ipynb
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from .. import access
from ..functions.service import Functions
from ..scheduler import Scheduler
from ..stack import Stack, TemplateError
from ..trace import Trace
from ..wire import NotYet, Refusal
from . import alarm_operations, notices
from .alarm import Alarm, read
from .evaluation import judge
from .service import Metrics

PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"
Publish = Callable[..., None]  # publish(topic_arn, message, subject=, source=)


class Alarms:
    """The alarms of one local cloud, by name. Raises TemplateError for one of the template that cannot be honoured.

    `publish` sends to an SNS topic; an action that fails is a row of the trace, and nothing else hears of it.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        trace: Trace,
        metrics: Metrics,
        functions: Functions,
        stack: Stack,
        publish: Publish,
    ) -> None:
        self.scheduler, self.trace, self.metrics = scheduler, trace, metrics
        self.functions, self.stack, self.publish = functions, stack, publish
        self.known: dict[str, Alarm] = {}
        metrics.each_minute.append(self.look)
        self.clear()

    @property
    def states(self) -> dict[str, str]:
        """The state of each alarm: OK, ALARM or INSUFFICIENT_DATA, by logical id (by name, for one made by boto3)."""
        return {alarm.label: alarm.state for alarm in self.known.values()}

    def clear(self) -> None:
        """Only the template's alarms, as they are when nothing has happened for long."""
        self.known.clear()
        for resource in self.stack.of_type("AWS::CloudWatch::Alarm"):
            settings = {"AlarmName": resource.physical_id, **resource.properties}
            try:
                alarm = self.put(settings, resource.logical_id)
            except Refusal as refusal:
                raise TemplateError(f"{resource.logical_id}: {refusal.message}") from None
            except NotYet as error:
                raise TemplateError(f"{resource.logical_id}: {error}") from None
            alarm.state, alarm.reason = self._judge(alarm, {}) or (alarm.state, alarm.reason)

    def put(self, settings: Mapping[str, Any], label: str) -> Alarm:
        """Make an alarm, or change one and keep its state. Raises Refusal and NotYet."""
        alarm = read(settings, label, self.scheduler.now)
        alarm.idle = (self._judge(alarm, {}) or ("",))[0]
        if (old := self.known.get(alarm.name)) is not None:
            alarm.label, alarm.state, alarm.reason, alarm.changed = old.label, old.state, old.reason, old.changed
        self.known[alarm.name] = alarm
        return alarm

    def look(self) -> None:
        """Judge every alarm by the periods that end now; one that has no data and says so already is left alone."""
        for alarm in list(self.known.values()):
            points = self._points(alarm)
            if not points and alarm.state == alarm.idle:
                continue
            found = self._judge(alarm, points)
            if found is not None and found[0] != alarm.state:
                self.change(alarm, *found)

    def change(self, alarm: Alarm, state: str, reason: str) -> None:
        """Put an alarm into a state, and run what the state asks for."""
        before, now = alarm.state, self.scheduler.now
        alarm.previous = {"value": before, "reason": alarm.reason, "timestamp": notices.iso(alarm.changed)}
        alarm.state, alarm.reason, alarm.changed = state, reason, now
        self.trace.add("alarm", alarm.label, state, before=before, reason=reason)
        for action in alarm.actions(state) if alarm.enabled else ():
            if action.startswith("arn:aws:sns:"):
                subject = f'{state}: "{alarm.name}" in US East (N. Virginia)'
                message = json.dumps(notices.message(alarm, before))
                try:
                    self.publish(action, message, subject=subject, source=alarm.label)
                except Refusal as refusal:  # the topic is gone
                    self.trace.add("action", alarm.label, action.rsplit(":", 1)[-1], error=refusal.code)
            else:
                self._invoke(alarm, action)

    def operations(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
        """What boto3 may call: (service, operation) to a function from parameters to result."""
        return alarm_operations.operations(self)

    def _points(self, alarm: Alarm) -> dict[float, float]:
        """The statistic of each period in the alarm's range, by the period's beginning; empty without data."""
        metrics, now = self.metrics, self.scheduler.now
        start = now - alarm.criterion.reach * alarm.period
        if alarm.metric.namespace != "AWS/SQS":
            metrics.read()
        if alarm.settings.get("Unit", metrics.data.units.get(alarm.metric)) != metrics.data.units.get(alarm.metric):
            return {}  # an alarm on another unit finds no data
        return dict(metrics.data.series(alarm.metric, start, now, alarm.period, alarm.statistic))

    def _judge(self, alarm: Alarm, points: dict[float, float]) -> tuple[str, str] | None:
        now = self.scheduler.now
        times = [now - n * alarm.period for n in range(1, alarm.criterion.reach + 1)]
        return judge(alarm.criterion, [(at, points.get(at)) for at in times])

    def _invoke(self, alarm: Alarm, arn: str) -> None:
        """Invoke a function asynchronously, if it lets alarms in; whether it did is known from the trace only."""
        try:
            function = self.functions.resolve(arn)
            allowed = access.may_invoke(function, PRINCIPAL, alarm.arn)
        except Refusal:
            allowed = False
        if allowed:
            self.functions.enqueue(function.arn, notices.event(alarm), source=alarm.label)
        else:
            why = f"there is no such function, or no AWS::Lambda::Permission for {PRINCIPAL}"
            self.trace.add("action", alarm.label, arn.rsplit(":", 1)[-1], error=why)
