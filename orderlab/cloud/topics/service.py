"""SNS: a topic hands each message to every subscription that wants it.

Who publishes learns only that the topic has the message. Queues and functions are reached if their policy lets the
topic in; a function is invoked asynchronously. What is forbidden or not there is not tried again: it goes to the
subscription's dead-letter queue, or is gone.
moto keeps topics and subscriptions and reads what boto3 sends; what subscribers get is in `notices`.
Source: SNS developer guide, sns-message-delivery-retries, sns-dead-letter-queues; API reference, Publish; texts as
recorded in localstack's test_sns.
Departures: an endpoint here is never busy, so the retries of SNS (100,015 in 23 days) are not there; a mail or a web
call needs no confirmation and is only told in the trace; a delivery takes a seeded 10-40 ms. FIFO topics, a
MessageStructure, SMS and mobile push are refused.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from functools import partial
from typing import Any

from moto.sns.exceptions import InvalidParameterValue, SNSException, TopicNotFound
from moto.sns.models import SNSBackend

from .. import access
from ..functions.service import Functions
from ..queues import limits
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..trace import Trace
from ..wire.answers import NotYet, Refusal
from . import subscriptions
from .notices import Notice, body, record, wanted

_moto_publish = SNSBackend.publish
DELIVERY = (0.01, 0.04)  # seconds
MAX_BYTES, MAX_SUBJECT = 262_144, 100


class Topics:
    """The topics of one local cloud. Raises TemplateError for a topic or subscription that cannot be honoured."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, queues: Queues, functions: Functions, stack: Stack, backend: Any
    ) -> None:
        self.scheduler, self.trace = scheduler, trace
        self.queues, self.functions, self.stack, self.backend = queues, functions, stack, backend
        subscriptions.read(stack, backend)
        self.clear = subscriptions.kept(backend)  # the topics and subscriptions are those of the template again

    def publish(self, topic_arn: str, message: str, *, subject: str | None = None, source: str = "") -> None:
        """Publish in the name of a service, `source`. Raises Refusal; NotFound for a topic that is not there."""
        try:
            self._accept(message, topic_arn, subject=subject, source=source)
        except SNSException as error:
            raise Refusal(str(error.code), str(error.message), 404 if error.code == "NotFound" else 400) from None

    def policy(self, topic_arn: str) -> str | None:
        """The resource policy of a topic; None when there is no such topic."""
        topic = self.backend.topics.get(topic_arn)
        return None if topic is None else str(topic.policy)

    def install(self) -> None:
        """Have what moto reads of Publish and PublishBatch delivered here."""

        def publish(backend: SNSBackend, message: str, arn: str, phone_number: str | None = None, **more: Any) -> str:
            if phone_number:
                raise NotYet("Publish to a PhoneNumber: the local cloud sends no SMS")
            return self._accept(message, arn or "", **more)

        SNSBackend.publish = publish  # type: ignore[assignment,method-assign]

    def uninstall(self) -> None:
        """Give moto its own way back."""
        SNSBackend.publish = _moto_publish  # type: ignore[method-assign]

    def _accept(
        self,
        message: str,
        arn: str,
        *,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        message_structure: str | None = None,
        source: str = "",
        **fifo: Any,
    ) -> str:
        """Take a message and start its deliveries; the message's id. Raises moto's errors, which moto writes as XML."""
        parts = arn.split(":")
        if len(parts) < 6:
            words = f"An ARN must have at least 6 elements, not {len(parts)}"
            raise InvalidParameterValue(f"Invalid parameter: TopicArn Reason: {words}")
        if ":endpoint/" in arn or arn.endswith(".fifo"):
            raise NotYet(f"Publish to {arn}: the local cloud has neither mobile push nor FIFO topics")
        if message_structure is not None:
            raise NotYet(f"Publish with the MessageStructure {message_structure}: one text for every protocol")
        if arn not in self.backend.topics:
            raise TopicNotFound()
        if not message:
            raise InvalidParameterValue("Invalid parameter: Empty message")
        if len(message.encode()) > MAX_BYTES:
            raise InvalidParameterValue("Invalid parameter: Message too long")
        if subject is not None and not (0 < len(subject) <= MAX_SUBJECT and subject.isprintable()):
            raise InvalidParameterValue("Invalid parameter: Subject")
        new_id = self.scheduler.new_id()
        notice = Notice(new_id, arn, message, self.scheduler.now, subject, message_attributes or None)
        subscribed = [each for each in self.backend.subscriptions.values() if each.topic_arn == arn]
        takers = [each for each in subscribed if wanted(notice, each.attributes)]
        lost = {} if takers else {"lost": "no subscription wants it" if subscribed else "no subscription"}
        told = {"source": source} if source else {}
        self.trace.add("publish", parts[-1], new_id, subject=subject, subscriptions=len(takers), **told, **lost)
        for each in takers:
            self.scheduler.after(self.scheduler.latency(*DELIVERY), partial(self._deliver, notice, each))
        return new_id

    def _deliver(self, notice: Notice, subscription: Any) -> None:
        topic, endpoint = notice.topic.rsplit(":", 1)[-1], subscription.endpoint.rsplit(":", 1)[-1]
        deliver = {"sqs": self._to_queue, "lambda": self._to_function}.get(subscription.protocol)
        if deliver is None:
            words = f"a message by {subscription.protocol} goes to {subscription.endpoint}"
            self.trace.add("notify", topic, words, message=notice.id, subject=notice.subject)
            return
        failure = deliver(notice, subscription, subscription.endpoint)
        if failure is None:
            self.trace.add("notify", topic, endpoint, message=notice.id)
            return
        dead_letters = json.loads(subscription.attributes.get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        end = {"lost": "no dead-letter queue"}
        if dead_letters:
            refused, name = self._to_queue(notice, subscription, dead_letters), dead_letters.rsplit(":", 1)[-1]
            end = {"lost": f"dead-letter queue {name}: {refused}"} if refused else {"to": name}
        self.trace.add("undeliverable", topic, endpoint, code=failure, message=notice.id, **end)

    def _to_queue(self, notice: Notice, subscription: Any, arn: str) -> str | None:
        """Send to a queue, and tell why it failed."""
        text, attributes = body(notice, subscription.attributes)
        try:
            queue = self.queues.store(arn).queue
            if not access.may_send(self.stack, queue, notice.topic, access.SNS):
                return "forbidden"
            limits.check_message({"MessageBody": text, "MessageAttributes": attributes}, queue.maximum_message_size)
            self.queues.send(arn, text, attributes=attributes, source=notice.topic.rsplit(":", 1)[-1])
        except Refusal as refusal:
            return refusal.code
        return None

    def _to_function(self, notice: Notice, subscription: Any, arn: str) -> str | None:
        try:
            function = self.functions.resolve(arn)
        except Refusal:
            return "no such function"
        if not access.may_invoke(function, access.SNS, notice.topic):
            return "forbidden"
        event = record(notice, subscription.attributes)
        self.functions.enqueue(function.arn, event, source=notice.topic.rsplit(":", 1)[-1])
        return None
