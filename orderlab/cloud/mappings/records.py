"""What a function gets of a message and of a stream's record, and what is told of records that were given up.

The on-failure destination of a stream, if it is a queue or a topic, gets metadata only: where the records stand in the
stream, which keeps them for 24 hours. A bucket gets the records too, as text in `payload`.
Source: Lambda developer guide, services-sqs, services-ddb, services-dynamodb-errors; fields from recorded calls.

Taught in notebooks/06_where_state_lives.ipynb
"""

import json
from datetime import UTC, datetime
from typing import Any

from ..clock import iso
from ..functions.service import Result
from ..queues.lines import Message
from ..queues.messages import md5, md5_of_attributes, system_attributes
from .settings import Mapping


def of_message(message: Message, mapping: Mapping) -> dict[str, Any]:
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
    found.update(eventSource="aws:sqs", eventSourceARN=mapping.source, awsRegion=mapping.source.split(":")[3])
    return found


def _attribute(given: dict[str, Any]) -> dict[str, Any]:
    kind = "binaryValue" if given["DataType"].startswith("Binary") else "stringValue"
    value = given[kind[0].upper() + kind[1:]]
    return {kind: value, "stringListValues": [], "binaryListValues": [], "dataType": given["DataType"]}


def of_stream(item: Any, stream: str) -> dict[str, Any]:
    """A stream record (moto's) as Lambda hands it to a function."""
    change = dict(item.record["dynamodb"])
    created = change["ApproximateCreationDateTime"]
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.replace(tzinfo=UTC).timestamp()
    change["SequenceNumber"] = str(change["SequenceNumber"])
    return {**item.record, "dynamodb": change, "eventSourceARN": stream}


def discarded(
    records: list[dict[str, Any]],
    reason: str,
    mapping: Mapping,
    shard: str,
    function_arn: str,
    last: Result | None,
    attempts: int,
    timestamp: str,
) -> dict[str, Any]:
    """AWS's record. `last` is the answer to the last attempt; without one there was none."""
    first, final = records[0]["dynamodb"], records[-1]["dynamodb"]
    body: dict[str, Any] = {
        "requestContext": {
            "requestId": last.request_id if last is not None else "",
            "functionArn": function_arn,
            "condition": reason,
            "approximateInvokeCount": attempts,
        },
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled" if last is not None and last.error is not None else None,
        },
        "version": "1.0",
        "timestamp": timestamp,
        "DDBStreamBatchInfo": {
            "shardId": shard,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": final["SequenceNumber"],
            "approximateArrivalOfFirstRecord": iso(int(first["ApproximateCreationDateTime"])),
            "approximateArrivalOfLastRecord": iso(int(final["ApproximateCreationDateTime"])),
            "batchSize": len(records),
            "streamArn": mapping.source,
        },
    }
    if ":s3:" in str(mapping.on_failure):
        body["payload"] = json.dumps({"Records": records})
    return body
