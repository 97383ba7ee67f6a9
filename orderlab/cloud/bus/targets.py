"""The four kinds of targets, and what each needs before it takes an event: SQS, Lambda, SNS and Step Functions.

A queue, a function or a topic lets EventBridge in by its own policy; a state machine is started with the target's role.
A topic's default policy is for its own account and does not let EventBridge in. What is forbidden, gone or not to be
taken is told in EventBridge's error codes.
Source: EventBridge user guide, eb-targets, eb-use-resource-based, eb-rule-dlq. Departures: what a role allows is not
judged; the texts are ours.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import access
from ..functions.service import Functions
from ..queues import limits
from ..queues.service import Queues
from ..stack.resources import Stack
from ..topics.service import Topics
from ..wire.answers import NotYet, Refusal


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed, in EventBridge's error codes, and whether another may succeed."""

    code: str
    message: str
    retry: bool = False


class Targets:
    """The targets of one local cloud. `start_execution(arn, input, source=rule's name)` starts a state machine."""

    def __init__(self, queues: Queues, functions: Functions, stack: Stack, topics: Topics | None) -> None:
        self.queues, self.functions, self.stack, self.topics = queues, functions, stack, topics
        self.start_execution: Callable[..., str] | None = None

    def give(self, rule: Any, target: dict[str, Any], body: str) -> Failure | None:
        """Give a text to a target in the name of a rule (moto's), and tell why it failed."""
        arn = str(target["Arn"])
        match arn.split(":")[2]:
            case "sqs":
                return self.send(arn, body, rule, group=(target.get("SqsParameters") or {}).get("MessageGroupId"))
            case "lambda":
                return self._to_function(arn, body, rule)
            case "sns":
                return self._to_topic(arn, body, rule)
            case "states" if self.start_execution is not None:
                return self._to_machine(arn, body, rule)
        words = f"rule {rule.name} has the target {target['Id']} ({arn})"
        raise NotYet(f"{words}, to which the local cloud does not deliver yet")

    def send(self, arn: str, body: str, rule: Any, **settings: Any) -> Failure | None:
        """Send to a queue in the name of a rule."""
        try:
            queue = self.queues.store(arn).queue
            if not access.may_send(self.stack, queue, rule.arn):
                reason = f"no resource-based policy lets {rule.arn} perform sqs:SendMessage on {arn}"
                return Failure("NO_PERMISSIONS", reason)
            limits.check_message({"MessageBody": body}, queue.maximum_message_size)
            self.queues.send(arn, body, source=rule.name, **settings)
        except Refusal as refusal:
            code = "NO_RESOURCE" if refusal.code.endswith("NonExistentQueue") else "SDK_CLIENT_ERROR"
            return Failure(code, refusal.message)
        return None

    def _to_function(self, arn: str, body: str, rule: Any) -> Failure | None:
        try:
            function = self.functions.resolve(arn)
        except Refusal:
            return Failure("NO_RESOURCE", f"there is no function {arn}")
        if not access.may_invoke(function, access.EVENTS, rule.arn):
            reason = f"no resource-based policy lets {rule.arn} perform lambda:InvokeFunction on {arn}"
            return Failure("NO_PERMISSIONS", reason)
        try:
            event = json.loads(body)
        except ValueError:
            return Failure("INVALID_JSON", f"the target's text is no JSON, and {arn} takes nothing else")
        self.functions.enqueue(function.arn, event, source=rule.name)
        return None

    def _to_topic(self, arn: str, body: str, rule: Any) -> Failure | None:
        policy = self.topics.policy(arn) if self.topics is not None else None
        if self.topics is None or policy is None:
            return Failure("NO_RESOURCE", f"there is no topic {arn}")
        if not access.allows(policy, service=access.EVENTS, action="sns:Publish", resource=arn, source_arn=rule.arn):
            return Failure("NO_PERMISSIONS", f"no resource-based policy lets {rule.arn} perform sns:Publish on {arn}")
        try:
            self.topics.publish(arn, body, source=rule.name)
        except Refusal as refusal:
            return Failure("SDK_CLIENT_ERROR", refusal.message)
        return None

    def _to_machine(self, arn: str, body: str, rule: Any) -> Failure | None:
        assert self.start_execution is not None
        try:
            self.start_execution(arn, body, source=rule.name)
        except Refusal as refusal:
            gone = refusal.code == "StateMachineDoesNotExist"
            return Failure("NO_RESOURCE" if gone else "SDK_CLIENT_ERROR", refusal.message)
        return None
