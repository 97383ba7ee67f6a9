"""The topics of a template: who is subscribed, with which filter and dead letters, and who may publish.

AWS::SNS::Subscription, or the Subscription property of a topic, subscribes a queue, a function, a mail address or a web
address to a topic; AWS::SNS::TopicPolicy replaces the policy that lets the topic's own account publish. moto's
CloudFormation skips both types, so they are carried out here.
Source: CloudFormation reference, AWS::SNS::Subscription, AWS::SNS::TopicPolicy.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from collections.abc import Callable
from typing import Any

from moto.sns.exceptions import SNSException

from .. import rules
from ..stack.resources import Stack
from ..stack.template import TemplateError

HONOURED = ("FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy")  # moto wants the scope first


def read(stack: Stack, backend: Any) -> None:
    """Subscribe what the template subscribes, and set the policies of its topics."""
    for resource in stack.of_type("AWS::SNS::TopicPolicy"):
        for arn in resource.properties["Topics"]:
            backend.topics[arn].policy = json.dumps(resource.properties["PolicyDocument"])
    for resource in stack.of_type("AWS::SNS::Subscription"):
        given, name = resource.properties, resource.logical_id
        try:
            if given.get("FilterPolicy"):
                rules.parse(given["FilterPolicy"])
            made = backend.subscribe(given["TopicArn"], given["Endpoint"], given["Protocol"])
            for attribute in (attribute for attribute in HONOURED if attribute in given):
                value = given[attribute]
                text = json.dumps(value) if isinstance(value, dict | bool) else value
                backend.set_subscription_attributes(made.arn, attribute, text)
        except (SNSException, rules.InvalidPattern) as error:
            raise TemplateError(f"{name}: {getattr(error, 'message', error)}") from None


def kept(backend: Any) -> Callable[[], None]:
    """Remember moto's topics and subscriptions as they are now; what is returned brings them back."""
    topics = dict(backend.topics)
    subscribed = [(each, dict(each.attributes)) for each in backend.subscriptions.values()]

    def restore() -> None:
        backend.topics.clear()
        backend.topics.update(topics)
        backend.subscriptions.clear()
        for subscription, attributes in subscribed:
            subscription.attributes = dict(attributes)
            backend.subscriptions[subscription.arn] = subscription

    return restore
