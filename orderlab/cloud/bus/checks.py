"""What is refused of a rule or target when it is made, long before an event comes.

AWS refuses a bad pattern, a sixth target, a bad transformer, retries out of bounds and a state machine without a role.
CloudFormation on moto goes past these operations, so the rules of the template are checked once more, by name. What
AWS takes and the local cloud does not do is refused here too: a schedule, a target that it does not deliver to, and a
rule that sends to its own bus, which would feed itself for ever.
Source: EventBridge API reference, PutRule, PutTargets, RetryPolicy; quotas; texts as recorded in localstack's
test_events, the role's as quoted in hashicorp/terraform-provider-aws #19913.

Taught in notebooks/03_the_bus.ipynb.
"""

from typing import Any

from .. import rules
from ..stack.template import TemplateError
from ..wire.answers import NotYet, Refusal

MAX_TARGETS = 5
TARGETS = ("lambda", "sns", "sqs", "states")
RETRIES = {"MaximumRetryAttempts": (0, 185), "MaximumEventAgeInSeconds": (60, 86_400)}


def check_template(backend: Any) -> None:
    """Check what CloudFormation made as PutRule, PutTargets and CreateArchive do. Raises TemplateError."""
    for bus in backend.event_buses.values():
        for rule in bus.rules.values():
            if rule.managed_by:
                continue
            try:
                check_rule({"EventPattern": rule.event_pattern.dump(), "ScheduleExpression": rule.scheduled_expression})
                check_targets(backend, {"EventBusName": bus.name, "Rule": rule.name, "Targets": rule.targets})
            except (Refusal, NotYet) as error:
                raise TemplateError(f"rule {rule.name}: {error}") from None
    for archive in backend.archives.values():
        try:
            check_pattern({"EventPattern": archive.event_pattern.dump()})
        except Refusal as refusal:
            raise TemplateError(f"archive {archive.name}: {refusal}") from None


def check_pattern(asked: dict[str, Any]) -> None:
    """Refuse a bad EventPattern."""
    if asked.get("EventPattern"):
        try:
            rules.parse(asked["EventPattern"])
        except rules.InvalidPattern as error:
            raise Refusal("InvalidEventPatternException", str(error)) from None


def check_rule(asked: dict[str, Any]) -> None:
    """Refuse what PutRule refuses, and a schedule."""
    check_pattern(asked)
    if asked.get("ScheduleExpression"):
        raise NotYet(f"the schedule {asked['ScheduleExpression']}: the local cloud has no scheduled rules")


def check_targets(backend: Any, asked: dict[str, Any]) -> None:
    """Refuse what PutTargets refuses, and targets to which nothing is delivered here."""
    bus = backend.event_buses.get((asked.get("EventBusName") or "default").rsplit("/", 1)[-1])
    rule = bus.rules.get(asked.get("Rule")) if bus is not None else None
    targets = asked.get("Targets") or []
    ids = {target["Id"] for target in [*targets, *(rule.targets if rule is not None else [])]}
    if len(ids) > MAX_TARGETS:
        raise Refusal("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    for target in targets:
        arn = str(target["Arn"])
        try:
            rules.validate_target(target)
        except rules.InvalidTarget as error:
            raise Refusal("ValidationException", str(error)) from None
        if bus is not None and arn == bus.arn:
            raise NotYet(f"the target {target['Id']} is the rule's own bus {bus.name}, so the rule feeds itself")
        if arn.startswith("arn:") and arn.split(":")[2] not in TARGETS:
            raise NotYet(f"the target {target['Id']} is {arn}; the local cloud delivers to {', '.join(TARGETS)} only")
        if ":states:" in arn and not target.get("RoleArn"):
            raise Refusal("ValidationException", f"RoleArn is required for target {arn}.")
        _check_retries(target.get("RetryPolicy") or {})


def _check_retries(policy: dict[str, Any]) -> None:
    for name, (low, high) in RETRIES.items():
        value = policy.get(name)
        if value is not None and not low <= int(value) <= high:
            bound = f"greater than or equal to {low}" if int(value) < low else f"less than or equal to {high}"
            raise Refusal(
                "ValidationException",
                f"1 validation error detected: Value '{value}' at 'targets.1.member.retryPolicy."
                f"{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must have value {bound}",
            )
