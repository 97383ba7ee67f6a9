"""From a rule to its targets: delivery, retries, and the dead letters of what could not be delivered.

EventBridge needs the target's permission for every rule. A target that forbids it, or is not there, gets no retry: the
event goes straight to the target's dead-letter queue. A target that is busy is tried again for 24 hours and 185 times,
or as its RetryPolicy says. Without a dead-letter queue, or with one that forbids it too, the event is dropped, and
nobody is told. Once an asynchronous Lambda has the event, what becomes of it is Lambda's affair.
Source: EventBridge user guide, eb-rule-retry-policy, eb-rule-dlq (message attributes, error codes).
Departures: AWS publishes no waits; here full jitter below 1 s doubling to 15 minutes, with which 185 retries fill about
the 24 hours. The first delivery takes a seeded 20-60 ms. The texts of ERROR_MESSAGE, the String type of the attributes,
and the error code for a template that makes no valid JSON (AWS drops it, recorded) are ours.

Taught in notebooks/03_the_bus.ipynb.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .. import hops, rules
from ..clock import iso
from ..faults import Faults
from ..scheduler import Scheduler
from ..trace import Trace
from .targets import Failure, Targets

FIRST = (0.02, 0.06)  # seconds until the first attempt
TWICE = (0.06, 1.0)  # … until a delivery comes again that the fault "duplicate" makes twice
RETRY_BASE, RETRY_CAP = 1.0, 900.0  # seconds
MAX_RETRIES, MAX_AGE = 185, 86_400.0  # the default RetryPolicy


@dataclass
class Delivery:
    """One event on its way to one target of one rule (moto's Rule). `since` is when the bus took it, from `sender`."""

    rule: Any
    target: dict[str, Any]
    event: dict[str, Any]
    since: float
    hops: int
    sender: str
    attempts: int = 0

    @property
    def where(self) -> str:
        """The target's name."""
        return str(self.target["Arn"]).rsplit(":", 1)[-1]

    @property
    def detail(self) -> dict[str, str]:
        """What the trace says of it."""
        return {"event": self.event["id"][:8], "type": self.event["detail-type"], "rule": self.rule.name}


class Deliveries:
    """The deliveries of one local cloud."""

    def __init__(self, scheduler: Scheduler, trace: Trace, faults: Faults, targets: Targets) -> None:
        self.scheduler, self.trace, self.faults, self.targets = scheduler, trace, faults, targets

    def start(self, rule: Any, target: dict[str, Any], event: dict[str, Any]) -> None:
        """Deliver an event to a target of a rule, some milliseconds from now."""
        task = self.scheduler.current()
        sender = str(getattr(task.context, "name", "")) if task is not None else ""
        delivery = Delivery(rule, target, event, self.scheduler.now, self.scheduler.hops + 1, sender)
        self.scheduler.after(self.scheduler.latency(*FIRST), partial(self._attempt, delivery))
        if self.faults.strikes("duplicate", f"eventbridge.deliver {rule.name} {delivery.where}"):
            self.trace.add("fault", rule.name, "duplicate", **delivery.detail)
            self.scheduler.after(self.scheduler.latency(*TWICE), partial(self._attempt, replace(delivery)))

    def _attempt(self, delivery: Delivery) -> None:
        hops.check(delivery.hops, delivery.rule.name, delivery.event["detail-type"], delivery.sender)
        delivery.attempts += 1
        with self.scheduler.carrying(delivery.hops):
            failure = self._deliver(delivery)
        if failure is None:
            self.trace.add("deliver", delivery.rule.name, delivery.where, **delivery.detail)
        elif failure.retry:
            self._again(delivery, failure)
        else:
            self._give_up(delivery, failure)

    def _deliver(self, delivery: Delivery) -> Failure | None:
        rule, target = delivery.rule, delivery.target
        if self.faults.strikes("throttle", f"eventbridge.deliver {rule.name} {delivery.where}"):
            return Failure("THROTTLING", "Rate exceeded", retry=True)
        names = {"rule_arn": rule.arn, "rule_name": rule.name, "ingestion_time": iso(delivery.since)}
        body = rules.render_text(target, delivery.event, **names)
        if body is None:
            return Failure("INVALID_JSON", "the target's InputTransformer makes no valid JSON of this event")
        return self.targets.give(rule, target, body)

    def _again(self, delivery: Delivery, failure: Failure) -> None:
        """Plan the next attempt, or the end when retries or time run out."""
        policy = delivery.target.get("RetryPolicy") or {}
        deadline = delivery.since + float(policy.get("MaximumEventAgeInSeconds", MAX_AGE))
        retries = delivery.attempts - 1
        if retries >= int(policy.get("MaximumRetryAttempts", MAX_RETRIES)):
            self._give_up(delivery, failure, "MaximumRetryAttempts")
            return
        wait = self.scheduler.latency(0.0, min(RETRY_CAP, RETRY_BASE * 2.0**retries))
        self.trace.add("retry", delivery.rule.name, delivery.where, code=failure.code, **delivery.detail)
        act: Callable[[], None] = partial(self._attempt, delivery)
        if self.scheduler.now + wait >= deadline:
            act = partial(self._give_up, delivery, failure, "MaximumEventAgeInSeconds")
        self.scheduler.at(min(self.scheduler.now + wait, deadline), act)

    def _give_up(self, delivery: Delivery, failure: Failure, exhausted: str = "") -> None:
        """Send the event to the target's dead-letter queue with the reason; without one it is gone."""
        arn = (delivery.target.get("DeadLetterConfig") or {}).get("Arn")
        attributes = {
            "RULE_ARN": delivery.rule.arn,
            "TARGET_ARN": delivery.target["Arn"],
            "ERROR_CODE": failure.code,
            "ERROR_MESSAGE": failure.message,
            "RETRY_ATTEMPTS": str(delivery.attempts - 1),
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        end = {"lost": "no dead-letter queue"}
        if arn:
            body = rules.render_text({}, delivery.event)  # the event as it was, not what its target would have got
            with self.scheduler.carrying(delivery.hops):
                refused = self.targets.send(arn, str(body), delivery.rule, attributes=told)
            name = arn.rsplit(":", 1)[-1]
            end = {"to": name} if refused is None else {"lost": f"dead-letter queue {name}: {refused.code}"}
        self.trace.add("undeliverable", delivery.rule.name, delivery.where, code=failure.code, **end, **delivery.detail)
