"""The policy for queues: encrypted, kept long enough, with a dead-letter queue and one policy that names who may send.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import Any

from .template import Resources, as_list, consumed, named, of_type, refuses_plain, statements

DAY = 86_400
NAMING = ("ArnEquals", "ArnLike", "StringEquals")  # of a whole ARN they say the same
EVENTBRIDGE = ({"Service": "events.amazonaws.com"}, {"Service": ["events.amazonaws.com"]})


def check_queues(resources: Resources) -> Iterator[str]:
    """Every finding about queues and their policies, each beginning with the logical id it is about."""
    queues, polled = of_type(resources, "AWS::SQS::Queue"), consumed(resources)
    for name in queues:
        if name in polled:
            yield from _redrive(name, queues[name], queues)
    yield from _queues(resources)
    yield from _queue_policies(resources)


def _redrive(name: str, queue: dict[str, Any], queues: dict[str, dict[str, Any]]) -> Iterator[str]:
    redrive = queue.get("RedrivePolicy", {})
    dead = queues.get(named(redrive.get("deadLetterTargetArn")))
    if dead is None:
        yield f"{name}: is consumed and has no dead-letter queue"
        return
    if redrive["maxReceiveCount"] < 5:
        yield f"{name}: gives up after {redrive['maxReceiveCount']} receives, fewer than 5"
    if _retention(dead) <= _retention(queue):
        yield f"{name}: its dead-letter queue keeps a message no longer than it does itself"
    allowed = dead.get("RedriveAllowPolicy", {})
    sources = [source.rpartition(":")[2] for source in allowed.get("sourceQueueArns", [])]
    if allowed.get("redrivePermission") != "byQueue" or sources != [queue["QueueName"]]:
        yield f"{name}: its dead-letter queue's RedriveAllowPolicy must name it alone"


def _retention(queue: dict[str, Any]) -> int:
    return int(queue.get("MessageRetentionPeriod", 4 * DAY))


def _queues(resources: Resources) -> Iterator[str]:
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: is not encrypted (SqsManagedSseEnabled; EventBridge cannot use the key aws/sqs)"
        if str(queue.get("KmsMasterKeyId", "")).startswith("alias/aws/"):
            yield f"{name}: EventBridge cannot send with AWS's own key (KmsMasterKeyId)"
        if _retention(queue) < 4 * DAY:
            yield f"{name}: keeps messages for less than 4 days"
        if "FifoQueue" in queue:
            yield f"{name}: is FIFO, and no dead-letter queue of a standard queue, a rule or a function may be"


def _queue_policies(resources: Resources) -> Iterator[str]:
    senders: dict[str, set[str]] = {name: set() for name in of_type(resources, "AWS::SQS::Queue")}
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        for target in rule.get("Targets", []):
            for arn in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")):
                senders.get(named(arn), set()).add(f"${{{name}.Arn}}")
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    for queue, rules in senders.items():
        own = [policy for policy in policies.values() if f"${{{queue}}}" in policy["Queues"]]
        if len(own) != 1:
            yield f"{queue}: has {len(own)} policies instead of one: each overwrites the one before"
            continue
        said = statements(own[0])
        if not any(refuses_plain(s, "sqs:*") for s in said):
            yield f"{queue}: its policy does not refuse what comes without TLS"
        if any(s["Resource"] != f"${{{queue}.Arn}}" for s in said):
            yield f"{queue}: its policy speaks of another resource"
        yield from _senders(queue, rules, [s for s in said if s["Effect"] == "Allow"])


def _senders(queue: str, rules: set[str], allowing: list[dict[str, Any]]) -> Iterator[str]:
    allowed: set[str] = set()
    for statement in allowing:
        conditions = statement.get("Condition", {})
        sources = next((conditions[test].get("aws:SourceArn") for test in NAMING if test in conditions), None)
        if statement.get("Principal") not in EVENTBRIDGE or as_list(statement.get("Action")) != ["sqs:SendMessage"]:
            yield f"{queue}: its policy allows more than EventBridge to send"
        if not sources:
            yield f"{queue}: its policy lets any rule of any account send (no aws:SourceArn)"
        allowed.update(as_list(sources or []))
    for rule in sorted(rules - allowed):
        yield f"{queue}: its policy does not let {named(rule)} send, so EventBridge gives those events up at once"
    for rule in sorted(allowed - rules):
        yield f"{queue}: its policy lets {rule} send, which has no target here"
