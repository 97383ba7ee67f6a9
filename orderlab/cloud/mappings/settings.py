"""One event source mapping: its settings, and what AWS refuses of them.

AWS refuses a mapping whose function may run longer than the queue's visibility timeout, because every slow message
would be processed twice; 6 times the function's timeout, plus the batching window, is what it recommends.
Source: Lambda API reference, CreateEventSourceMapping; Lambda developer guide, services-sqs-configure,
services-sqs-parameters, services-ddb, invocation-eventfiltering; texts from recorded calls.
Departure: filters take the whole language of EventBridge rules, Lambda's is a part of it.

Taught in notebooks/04_the_queue.ipynb
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .. import rules
from ..wire.answers import NotYet, Refusal

ALWAYS = {"EventSourceArn", "FunctionName", "Enabled", "FunctionResponseTypes", "FilterCriteria", "Tags"}
QUEUE = {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0}  # what AWS tells of a mapping that was made without them
STREAM: dict[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
RANGES = {  # -1, for ever, is allowed where it is the default
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "MaximumRecordAgeInSeconds": (60, 604_800),
    "MaximumRetryAttempts": (0, 10_000),
}
FIFO = {"BatchSize": (1, 10), "MaximumBatchingWindowInSeconds": (0, 0)}


@dataclass(frozen=True)
class Mapping:
    """The settings of one mapping: `source` is an ARN, times are in seconds, -1 is for ever, `filters` are JSON."""

    name: str
    source: str
    function: str
    batch_size: int
    window: float
    report_batch_item_failures: bool
    filters: tuple[str, ...]
    enabled: bool
    maximum_concurrency: int | None = None  # a queue's
    latest: bool = False  # these are a stream's
    bisect: bool = False
    age: float = -1.0
    attempts: int = -1
    on_failure: str | None = None

    def wants(self, record: dict[str, Any]) -> bool:
        """Does a record match one of the filters? A pattern for a message's fields needs a body that is JSON."""
        if not self.filters:
            return True
        try:
            body = json.loads(record["body"])
        except (KeyError, ValueError):
            body = None
        text = json.dumps({**record, "body": body} if isinstance(body, dict) else record)
        return any(rules.matches(pattern, text) for pattern in self.filters)


def is_queue(source: str) -> bool:
    """Is this the ARN of a queue? Else it is a stream's."""
    return ":sqs:" in source


def read(name: str, properties: dict[str, Any]) -> Mapping:
    """A mapping from its CloudFormation properties. Raises Refusal as AWS does, NotYet for what is not honoured."""
    source = str(properties["EventSourceArn"])
    defaults = QUEUE if is_queue(source) else STREAM
    given = {**defaults, **properties}
    own = {"ScalingConfig"} if is_queue(source) else {"StartingPosition"}
    unknown = sorted(properties.keys() - ALWAYS - defaults.keys() - own)
    if "DestinationConfig" in unknown:
        raise invalid(f"{name}: Unsupported DestinationConfig parameter for given event source mapping type.")
    fixed = ("ParallelizationFactor", "TumblingWindowInSeconds")
    unknown += [key for key in fixed if int(given.get(key, STREAM[key])) != STREAM[key]]
    if unknown:
        raise NotYet(f"{name}: the event source mapping's {', '.join(unknown)}")
    for setting, (low, high) in {**RANGES, **(FIFO if source.endswith(".fifo") else {})}.items():
        value = given.get(setting, low)
        if not low <= int(value) <= high and (int(value), defaults[setting]) != (-1, -1):
            raise invalid(f"{name}: {setting} {value} is not between {low} and {high}")
    return Mapping(
        name,
        source,
        str(given["FunctionName"]),
        int(given["BatchSize"]),
        float(given["MaximumBatchingWindowInSeconds"]),
        "ReportBatchItemFailures" in (given.get("FunctionResponseTypes") or []),
        _filters(name, given),
        _true(given.get("Enabled", True)),
        **(_of_queue(name, given) if is_queue(source) else _of_stream(name, given)),
    )


def _of_queue(name: str, given: dict[str, Any]) -> dict[str, Any]:
    if int(given["BatchSize"]) > 10 and not float(given["MaximumBatchingWindowInSeconds"]):
        words = "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        raise invalid(f"{name}: {words}")
    maximum = (given.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if maximum is not None and not 2 <= int(maximum) <= 1000:
        raise invalid(f"{name}: MaximumConcurrency {maximum} is not between 2 and 1000")
    return {"maximum_concurrency": None if maximum is None else int(maximum)}


def _of_stream(name: str, given: dict[str, Any]) -> dict[str, Any]:
    start = given.get("StartingPosition")
    if start is None:
        words = "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
        raise invalid(f"{name}: {words}Member must not be null.")
    if start not in ("TRIM_HORIZON", "LATEST"):
        raise invalid(f"{name}: Unsupported starting position for arn type: {given['EventSourceArn']}")
    destination = ((given["DestinationConfig"] or {}).get("OnFailure") or {}).get("Destination")
    if destination and str(destination).split(":")[2] not in ("sqs", "sns", "s3"):
        raise invalid(f"{name}: the on-failure destination {destination} is no queue, topic or bucket")
    return {
        "latest": start == "LATEST",
        "bisect": _true(given["BisectBatchOnFunctionError"]),
        "age": float(given["MaximumRecordAgeInSeconds"]),
        "attempts": int(given["MaximumRetryAttempts"]),
        "on_failure": destination or None,
    }


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def check(mapping: Mapping, function: Any, queue: Any) -> None:
    """Refuse a mapping whose `function.timeout` is longer than `queue.visibility_timeout`, both in seconds."""
    if function.timeout > queue.visibility_timeout:
        raise invalid(
            f"{mapping.name}: Queue visibility timeout: {queue.visibility_timeout:g} seconds is less than Function "
            f"timeout: {function.timeout:g} seconds. Give {queue.name} at least "
            f"{6 * function.timeout + mapping.window:g} seconds (6 x the function's timeout + the batching window)"
        )


def _filters(name: str, properties: dict[str, Any]) -> tuple[str, ...]:
    patterns = [each.get("Pattern") for each in (properties.get("FilterCriteria") or {}).get("Filters") or []]
    texts = tuple(each if isinstance(each, str) else json.dumps(each) for each in patterns)
    for text in texts:
        try:
            rules.parse(text)
        except rules.InvalidPattern as error:
            raise invalid(f"{name}: Invalid filter pattern definition. {error}") from None
    return texts


def conflict(mapping: Mapping, others: Iterable[Mapping]) -> None:
    """Refuse a second mapping of a source and a function."""
    short = mapping.function.rpartition(":")[2]
    for other in others:
        same = (other.source, other.function.rpartition(":")[2]) == (mapping.source, short)
        if same and other.name != mapping.name:
            pair = f'(" {mapping.source} ") and function (" {short} ") '
            stream = f"The event source arn {pair}provided mapping already exists."
            queue = f"An event source mapping with SQS arn {pair}already exists."
            words = f"{queue if is_queue(mapping.source) else stream} Please update or delete the existing mapping"
            raise Refusal("ResourceConflictException", f"{mapping.name}: {words} with UUID {other.name}", 409)


def invalid(message: str) -> Refusal:
    """What AWS answers to a setting that it does not take."""
    return Refusal("InvalidParameterValueException", message)
