"""A queue as a function's event source: the mapping's settings, what AWS refuses of them, and the records it makes.

AWS refuses a mapping whose function may run longer than the queue's visibility timeout, because every slow message
would be processed twice; 6 times the function's timeout, plus the batching window, is what it recommends.
Source: Lambda developer guide, services-sqs-configure, services-sqs-parameters, invocation-eventfiltering; record
fields and texts from recorded calls. Departure: filters take the whole language of EventBridge rules, Lambda's is a
part of it. Taught in notebooks/04_the_queue.ipynb
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import rules
from ..queues.lines import Message
from ..queues.messages import md5, md5_of_attributes, system_attributes
from ..wire import NotYet, Refusal

HONOURED = {
    "EventSourceArn",
    "FunctionName",
    "Enabled",
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "ScalingConfig",
    "FunctionResponseTypes",
    "FilterCriteria",
    "Tags",
}


@dataclass(frozen=True)
class Mapping:
    """The settings of one mapping: `queue` is an ARN, `window` is in seconds, `filters` are patterns as JSON texts."""

    name: str
    queue: str
    function: str
    batch_size: int = 10
    window: float = 0.0
    maximum_concurrency: int | None = None
    report_batch_item_failures: bool = False
    filters: tuple[str, ...] = ()
    enabled: bool = True

    def wants(self, record: dict[str, Any]) -> bool:
        """Does a record match one of the filters? A pattern for the body's fields needs a body that is JSON."""
        if not self.filters:
            return True
        try:
            body = json.loads(record["body"])
        except ValueError:
            body = None
        text = json.dumps({**record, "body": body} if isinstance(body, dict) else record)
        return any(rules.matches(pattern, text) for pattern in self.filters)


def read(name: str, properties: dict[str, Any]) -> Mapping:
    """A mapping from its CloudFormation properties.

    Raises `wire.Refusal` for what AWS refuses, `wire.NotYet` for a setting that the local cloud does not honour.
    """
    unknown = sorted(set(properties) - HONOURED)
    if "DestinationConfig" in unknown:
        raise invalid(f"{name}: Unsupported DestinationConfig parameter for given event source mapping type.")
    if unknown:
        raise NotYet(f"{name}: the event source mapping's {', '.join(unknown)}")
    queue, fifo = str(properties["EventSourceArn"]), str(properties["EventSourceArn"]).endswith(".fifo")
    size, window = int(properties.get("BatchSize", 10)), float(properties.get("MaximumBatchingWindowInSeconds", 0))
    maximum = (properties.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if not 1 <= size <= (10 if fifo else 10_000):
        raise invalid(f"{name}: BatchSize {size} is not between 1 and {10 if fifo else '10,000'}")
    if not 0 <= window <= 300 or (fifo and window):
        allowed = "a FIFO queue has none" if fifo else "it is 0 to 300"
        raise invalid(f"{name}: MaximumBatchingWindowInSeconds {window:g} is not allowed: {allowed}")
    if size > 10 and window == 0:
        words = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        raise invalid(f"{name}: {words}")
    if maximum is not None and not 2 <= int(maximum) <= 1000:
        raise invalid(f"{name}: MaximumConcurrency {maximum} is not between 2 and 1000")
    return Mapping(
        name,
        queue,
        str(properties["FunctionName"]),
        size,
        window,
        None if maximum is None else int(maximum),
        "ReportBatchItemFailures" in (properties.get("FunctionResponseTypes") or []),
        filters(name, properties),
        str(properties.get("Enabled", True)).lower() == "true",
    )


def check(mapping: Mapping, function: Any, queue: Any) -> None:
    """Refuse a mapping whose `function.timeout` is longer than `queue.visibility_timeout`, both in seconds."""
    if function.timeout > queue.visibility_timeout:
        raise invalid(
            f"{mapping.name}: Queue visibility timeout: {queue.visibility_timeout:g} seconds is less than Function "
            f"timeout: {function.timeout:g} seconds. Give {queue.name} at least "
            f"{6 * function.timeout + mapping.window:g} seconds (6 x the function's timeout + the batching window)"
        )


def record(message: Message, mapping: Mapping) -> dict[str, Any]:
    """A message as the function gets it in `event["Records"]`."""
    attributes = message.attributes
    found: dict[str, Any] = {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": system_attributes(message),
        "messageAttributes": {name: _attribute(value) for name, value in attributes.items()},
    }
    if attributes or mapping.window:  # with a window AWS sends null, without one it leaves the key out
        found["md5OfMessageAttributes"] = md5_of_attributes(attributes) if attributes else None
    found["md5OfBody"] = md5(message.body)
    found.update(eventSource="aws:sqs", eventSourceARN=mapping.queue, awsRegion=mapping.queue.split(":")[3])
    return found


def _attribute(given: dict[str, Any]) -> dict[str, Any]:
    kind = "binaryValue" if given["DataType"].startswith("Binary") else "stringValue"
    value = given[kind[0].upper() + kind[1:]]
    return {kind: value, "stringListValues": [], "binaryListValues": [], "dataType": given["DataType"]}


def filters(name: str, properties: dict[str, Any]) -> tuple[str, ...]:
    """The patterns of a mapping's FilterCriteria, as JSON texts. Raises Refusal for one that is no pattern."""
    patterns = [each.get("Pattern") for each in (properties.get("FilterCriteria") or {}).get("Filters") or []]
    texts = tuple(each if isinstance(each, str) else json.dumps(each) for each in patterns)
    for text in texts:
        try:
            rules.parse(text)
        except rules.InvalidPattern as error:
            raise invalid(f"{name}: Invalid filter pattern definition. {error}") from None
    return texts


def conflict(name: str, source: str, function: str, others: Iterable[tuple[str, str, str]]) -> None:
    """Refuse a second mapping of a source and a function; `others` are the names, sources and functions there are."""
    short = function.rpartition(":")[2]
    for other, its_source, its_function in others:
        if other != name and (its_source, its_function.rpartition(":")[2]) == (source, short):
            words = f'(" {source} ") and function (" {short} ") '
            words = (
                f"An event source mapping with SQS arn {words}already exists."
                if ":sqs:" in source
                else f"The event source arn {words}provided mapping already exists."
            )
            words += f" Please update or delete the existing mapping with UUID {other}"
            raise Refusal("ResourceConflictException", f"{name}: {words}", 409)


def invalid(message: str) -> Refusal:
    """What AWS answers to a setting that it does not take."""
    return Refusal("InvalidParameterValueException", message)
