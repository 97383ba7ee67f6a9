"""The policy for queues, rules and mappings: what must hold for a message never to be lost without a trace.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import Any

from .template import Resources, as_list, named, of_type

DAY = 86_400
NO_TLS = {"Bool": {"aws:SecureTransport": "false"}}
NAMING = ("ArnEquals", "ArnLike", "StringEquals")  # of a whole ARN they say the same
EVENTBRIDGE = ({"Service": "events.amazonaws.com"}, {"Service": ["events.amazonaws.com"]})


def check_messages(resources: Resources) -> Iterator[str]:
    """Every finding about messages, each beginning with the logical id it is about."""
    yield from _queue_mappings(resources)
    yield from _stream_mappings(resources)
    yield from _rules(resources)
    yield from _asynchronous_functions(resources)
    yield from _queues(resources)
    yield from _queue_policies(resources)
    yield from _alarms(resources)


def _queue_mappings(resources: Resources) -> Iterator[str]:
    queues, functions = of_type(resources, "AWS::SQS::Queue"), of_type(resources, "AWS::Lambda::Function")
    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        queue = queues.get(named(mapping["EventSourceArn"]))
        if queue is None:
            continue
        function = functions[named(mapping["FunctionName"])]
        needed = 6 * function["Timeout"] + mapping.get("MaximumBatchingWindowInSeconds", 0)
        visible = queue.get("VisibilityTimeout", 30)
        if visible < needed:
            yield f"{name}: its queue shows a message again after {visible} s, which must be {needed} s or more"
        yield from _reports(name, mapping)
        yield from _concurrency(name, mapping, function)
        yield from _redrive(named(mapping["EventSourceArn"]), queue, queues)


def _reports(name: str, mapping: dict[str, Any]) -> Iterator[str]:
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        yield f"{name}: ignores which items of a batch failed (FunctionResponseTypes)"


def _concurrency(name: str, mapping: dict[str, Any], function: dict[str, Any]) -> Iterator[str]:
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    if most is None:
        yield f"{name}: has no MaximumConcurrency, so a backlog takes the whole account's"
    elif function.get("ReservedConcurrentExecutions", most) < most:
        yield f"{name}: polls for {most} at once while its function may run fewer: throttles would use up receives"


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


def _stream_mappings(resources: Resources) -> Iterator[str]:
    buckets = of_type(resources, "AWS::S3::Bucket")
    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        if not mapping["EventSourceArn"].endswith(".StreamArn}"):
            continue
        yield from _reports(name, mapping)
        if mapping.get("StartingPosition") != "TRIM_HORIZON":
            yield f"{name}: would miss what was written before the mapping was ready (StartingPosition)"
        if not mapping.get("BisectBatchOnFunctionError"):
            yield f"{name}: one bad record blocks its batch (BisectBatchOnFunctionError)"
        if not 0 < mapping.get("MaximumRecordAgeInSeconds", -1) <= DAY:
            yield f"{name}: retries have no end of their own (MaximumRecordAgeInSeconds)"
        if named(mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")) not in buckets:
            yield f"{name}: what the stream gives up on is not kept in a bucket (OnFailure)"


def _rules(resources: Resources) -> Iterator[str]:
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        if named(rule.get("EventBusName")) not in of_type(resources, "AWS::Events::EventBus"):
            yield f"{name}: listens to the default bus, where nothing of this system is sent"
        for target in rule["Targets"]:
            if named(target.get("DeadLetterConfig", {}).get("Arn")) not in queues:
                yield f"{name}: target {target['Id']} has no dead-letter queue"
            if set(target.get("RetryPolicy", {})) != {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}:
                yield f"{name}: target {target['Id']} does not say how long it is retried (RetryPolicy)"


def _asynchronous_functions(resources: Resources) -> Iterator[str]:
    """Functions that rules invoke: after its retries Lambda drops an event that has no destination."""
    configs = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    permissions = of_type(resources, "AWS::Lambda::Permission").values()
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        for function in {named(target["Arn"]) for target in rule["Targets"]} & of_type(
            resources, "AWS::Lambda::Function"
        ).keys():
            config = next((config for config in configs if named(config["FunctionName"]) == function), {})
            if not named(config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")):
                yield f"{function}: is invoked asynchronously and has no on-failure destination"
            if not any(
                named(p["FunctionName"]) == function and p.get("SourceArn") == f"${{{name}.Arn}}" for p in permissions
            ):
                yield f"{name}: is not allowed to invoke {function}"


def _queues(resources: Resources) -> Iterator[str]:
    for name, queue in of_type(resources, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: is not encrypted (SqsManagedSseEnabled; EventBridge cannot use the key aws/sqs)"
        if _retention(queue) < 4 * DAY:
            yield f"{name}: keeps messages for less than 4 days"


def _queue_policies(resources: Resources) -> Iterator[str]:
    senders: dict[str, set[str]] = {name: set() for name in of_type(resources, "AWS::SQS::Queue")}
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        for target in rule["Targets"]:
            for arn in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")):
                senders.get(named(arn), set()).add(f"${{{name}.Arn}}")
    policies = of_type(resources, "AWS::SQS::QueuePolicy")
    for queue, rules in senders.items():
        own = [policy for policy in policies.values() if f"${{{queue}}}" in policy["Queues"]]
        if len(own) != 1:
            yield f"{queue}: has {len(own)} policies instead of one: each overwrites the one before"
            continue
        statements = own[0]["PolicyDocument"]["Statement"]
        if not any(
            s["Effect"] == "Deny" and s["Principal"] == "*" and s.get("Condition") == NO_TLS for s in statements
        ):
            yield f"{queue}: its policy does not refuse what comes without TLS"
        if any(s["Resource"] != f"${{{queue}.Arn}}" for s in statements):
            yield f"{queue}: its policy speaks of another resource"
        yield from _senders(queue, rules, [s for s in statements if s["Effect"] == "Allow"])


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


def _alarms(resources: Resources) -> Iterator[str]:
    """Every queue where messages wait for a person has an alarm: on its age, or on the first message."""
    watched = {
        named(dimension["Value"])
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Dimensions"]
    }
    consumed = {named(m["EventSourceArn"]) for m in of_type(resources, "AWS::Lambda::EventSourceMapping").values()}
    for name in of_type(resources, "AWS::SQS::Queue"):
        if name not in watched | consumed:
            yield f"{name}: messages wait there for a person, and no alarm calls one"
