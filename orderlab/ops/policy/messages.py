"""The policy for rules and mappings: what must hold for a message never to be lost without a trace.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import Any

from .template import Resources, named, of_type

RETENTION = 86_400  # seconds that DynamoDB keeps a record of a stream; older ones may be gone at any moment
MARGIN = 3_600  # seconds in which a backlog of such records is still read and kept
OUTAGE = 900  # seconds that a delivery must ride out


def check_messages(resources: Resources) -> Iterator[str]:
    """Every finding about messages, each beginning with the logical id it is about."""
    yield from _queue_mappings(resources)
    yield from _stream_mappings(resources)
    yield from _rules(resources)
    yield from _asynchronous_functions(resources)


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
        if mapping.get("FilterCriteria"):
            yield f"{name}: Lambda deletes from its queue what the filter does not want (FilterCriteria)"


def _reports(name: str, mapping: dict[str, Any]) -> Iterator[str]:
    if mapping.get("Enabled", True) is not True:
        yield f"{name}: is switched off, so what comes waits until it is too old (Enabled)"
    if "ReportBatchItemFailures" not in mapping.get("FunctionResponseTypes", []):
        yield f"{name}: ignores which items of a batch failed (FunctionResponseTypes)"


def _concurrency(name: str, mapping: dict[str, Any], function: dict[str, Any]) -> Iterator[str]:
    most = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    if most is None:
        yield f"{name}: has no MaximumConcurrency, so a backlog takes the whole account's"
    elif function.get("ReservedConcurrentExecutions", most) < most:
        yield f"{name}: polls for {most} at once while its function may run fewer: throttles would use up receives"


def _stream_mappings(resources: Resources) -> Iterator[str]:
    buckets, tables = of_type(resources, "AWS::S3::Bucket"), of_type(resources, "AWS::DynamoDB::Table")
    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        if not mapping["EventSourceArn"].endswith(".StreamArn}"):
            continue
        yield from _reports(name, mapping)
        if mapping.get("StartingPosition") != "TRIM_HORIZON":
            yield f"{name}: would miss what was written before the mapping was ready (StartingPosition)"
        if not mapping.get("BisectBatchOnFunctionError"):
            yield f"{name}: one bad record blocks its batch (BisectBatchOnFunctionError)"
        if not 0 < mapping.get("MaximumRecordAgeInSeconds", -1) <= RETENTION - MARGIN:
            yield f"{name}: retries until the stream itself drops a record, unkept (MaximumRecordAgeInSeconds)"
        if named(mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")) not in buckets:
            yield f"{name}: what the stream gives up on is not kept in a bucket (OnFailure)"
        stream = tables.get(named(mapping["EventSourceArn"]), {}).get("StreamSpecification", {})
        if stream.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
            yield f"{name}: cannot tell a new event from an old one: its table's stream has not both images"


def _rules(resources: Resources) -> Iterator[str]:
    queues = of_type(resources, "AWS::SQS::Queue")
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        if named(rule.get("EventBusName")) not in of_type(resources, "AWS::Events::EventBus"):
            yield f"{name}: listens to the default bus, where nothing of this system is sent"
        for target in rule.get("Targets", []):
            if named(target.get("DeadLetterConfig", {}).get("Arn")) not in queues:
                yield f"{name}: target {target['Id']} has no dead-letter queue"
            retried = target.get("RetryPolicy", {})
            if set(retried) != {"MaximumEventAgeInSeconds", "MaximumRetryAttempts"}:
                yield f"{name}: target {target['Id']} does not say how long it is retried (RetryPolicy)"
            elif _gives_up(retried):
                yield f"{name}: target {target['Id']} is given up before an outage of {OUTAGE} s is over (RetryPolicy)"


def _asynchronous_functions(resources: Resources) -> Iterator[str]:
    """Functions that rules invoke: after its retries Lambda drops an event that has no destination."""
    configs = of_type(resources, "AWS::Lambda::EventInvokeConfig").values()
    permissions = of_type(resources, "AWS::Lambda::Permission").values()
    for name, rule in of_type(resources, "AWS::Events::Rule").items():
        for function in {named(target["Arn"]) for target in rule.get("Targets", [])} & of_type(
            resources, "AWS::Lambda::Function"
        ).keys():
            config = next((config for config in configs if named(config["FunctionName"]) == function), {})
            if not named(config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")):
                yield f"{function}: is invoked asynchronously and has no on-failure destination"
            if config.get("MaximumRetryAttempts", 2) == 0 or config.get("MaximumEventAgeInSeconds", OUTAGE) < OUTAGE:
                yield f"{function}: an event is given up at the first trouble (EventInvokeConfig)"
            if not any(
                named(p["FunctionName"]) == function and p.get("SourceArn") == f"${{{name}.Arn}}" for p in permissions
            ):
                yield f"{name}: is not allowed to invoke {function}"


def _gives_up(retried: dict[str, Any]) -> bool:
    return not retried["MaximumRetryAttempts"] or retried["MaximumEventAgeInSeconds"] < OUTAGE
