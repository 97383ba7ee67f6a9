"""What the on-failure destination of a stream is told of the records that were given up.

A queue and a topic get metadata only: where the records stand in the stream, which keeps them for 24 hours. A bucket
gets the records too, as text in `payload`. Source: Lambda developer guide, services-dynamodb-errors; recorded calls.
Taught in notebooks/06_where_state_lives.ipynb
"""

import json
from datetime import UTC, datetime
from typing import Any

from ..functions.service import Result
from .stream_source import StreamMapping


def describe(
    records: list[dict[str, Any]],
    reason: str,
    mapping: StreamMapping,
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
            "approximateArrivalOfFirstRecord": _instant(first),
            "approximateArrivalOfLastRecord": _instant(final),
            "batchSize": len(records),
            "streamArn": mapping.stream,
        },
    }
    if ":s3:" in str(mapping.on_failure):
        body["payload"] = json.dumps({"Records": records})
    return body


def _instant(change: dict[str, Any]) -> str:
    return datetime.fromtimestamp(int(change["ApproximateCreationDateTime"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
