"""CloudWatch alarms: they look at one metric, every minute, and act when their state changes, and only then.

Every minute an alarm judges the periods that end now (a period of five minutes slides by one). A change of state tells
the topics of the new state, once each. Who is already in ALARM acts no more until it was OK again.
Source: CloudWatch user guide, alarm-evaluation, alarm-actions.
Departures: the template's alarms have looked once when the world begins (the stack has stood for a while), so their
first OK is no row of the trace and no action; a new alarm of PutMetricAlarm begins with INSUFFICIENT_DATA. The event
"CloudWatch Alarm State Change" is not sent to the default bus.

Taught in notebooks/12_ship_it.ipynb
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..stack.template import TemplateError
from ..trace import Trace
from ..wire.answers import NotYet, Refusal
from .alarm import Alarm, message, read
from .evaluation import judge
from .service import Metrics

Publish = Callable[..., None]  # publish(topic_arn, message, subject=, source=)


class Alarms:
    """The alarms of one local cloud, by name. Raises TemplateError for one of the template that cannot be honoured.

    `publish` sends to an SNS topic; an action that fails is a row of the trace, and nothing else hears of it.
    """

    def __init__(self, scheduler: Scheduler, trace: Trace, metrics: Metrics, stack: Stack, publish: Publish) -> None:
        self.scheduler, self.trace, self.metrics, self.stack, self.publish = scheduler, trace, metrics, stack, publish
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
            except (Refusal, NotYet) as error:
                raise TemplateError(f"{resource.logical_id}: {getattr(error, 'message', error)}") from None
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
                self._change(alarm, *found)

    def _change(self, alarm: Alarm, state: str, reason: str) -> None:
        """Put an alarm into a state, and tell the topics that the state is for."""
        before = alarm.state
        alarm.state, alarm.reason, alarm.changed = state, reason, self.scheduler.now
        self.trace.add("alarm", alarm.label, state, before=before, reason=reason)
        for topic in alarm.actions(state) if alarm.enabled else ():
            subject = f'{state}: "{alarm.name}" in US East (N. Virginia)'
            try:
                self.publish(topic, json.dumps(message(alarm, before)), subject=subject, source=alarm.label)
            except Refusal as refusal:
                self.trace.add("action", alarm.label, topic.rsplit(":", 1)[-1], error=refusal.code)

    def _points(self, alarm: Alarm) -> dict[float, float]:
        """The statistic of each period in the alarm's range, by the period's beginning; empty without data."""
        metrics, now = self.metrics, self.scheduler.now
        if alarm.metric.namespace != "AWS/SQS":
            metrics.read()
        start, statistic = now - alarm.criterion.reach * alarm.period, alarm.settings["Statistic"]
        return dict(metrics.data.series(alarm.metric, start, now, alarm.period, statistic))

    def _judge(self, alarm: Alarm, points: dict[float, float]) -> tuple[str, str] | None:
        now = self.scheduler.now
        times = [now - n * alarm.period for n in range(1, alarm.criterion.reach + 1)]
        return judge(alarm.criterion, [(at, points.get(at)) for at in times])
