"""A queue of the learner's own behind a rule or a topic: made, opened to it, and read. Plain boto3, as on AWS.

A queue lets nobody in but its owner. EventBridge and SNS need a statement in its policy, and the condition names the
one rule or topic that may send: without it, anybody's rule could. A queue has one policy, so the last one set counts.
Source: EventBridge user guide, eb-use-resource-based. Taught in notebooks/03_the_bus.ipynb
"""

import json
from dataclasses import dataclass
from typing import Any

import boto3


@dataclass(frozen=True)
class OwnQueue:
    """A queue's two names: the URL for whoever reads it, the ARN for whoever is sent to it."""

    url: str
    arn: str


@dataclass(frozen=True)
class Message:
    """A message that was taken: its body, which is JSON here, and its attributes as texts."""

    body: dict[str, Any]
    attributes: dict[str, str]


def own_queue(name: str, source_arn: str = "") -> OwnQueue:
    """Make a queue of this name, or find the one that there is; let the rule `source_arn` in, if one is given."""
    queues = boto3.client("sqs")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    queue = OwnQueue(url, answer["Attributes"]["QueueArn"])
    if source_arn:
        let_in(queue, source_arn)
    return queue


def let_in(queue: OwnQueue, source_arn: str, service: str = "events") -> dict[str, Any]:
    """Let one rule (or a topic, service "sns") send to the queue; returns the statement that is its policy now."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": policy})
    return statement


def taken(queue: OwnQueue) -> list[Message]:
    """Receive all that lies in the queue, ten at a time, and delete it."""
    queues, found = boto3.client("sqs"), []
    asked = {"QueueUrl": queue.url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    while some := queues.receive_message(**asked).get("Messages"):
        for one in some:
            told = {name: value["StringValue"] for name, value in one.get("MessageAttributes", {}).items()}
            found.append(Message(json.loads(one["Body"]), told))
            queues.delete_message(QueueUrl=queue.url, ReceiptHandle=one["ReceiptHandle"])
    return found
