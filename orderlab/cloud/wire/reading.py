"""What a call is about, read from its HTTP request: for the trace, and for whoever answers it."""

import gzip
import re
from typing import Any

from botocore.awsrequest import AWSPreparedRequest


def target(service: str, request: AWSPreparedRequest) -> dict[str, str]:
    """What a call is about, for the trace: its table, queue, topic, function or object."""
    if service == "dynamodb":
        return {"table": ",".join(dict.fromkeys(re.findall(r'"TableName": ?"([^"]+)"', _text(request.body))))}
    if service == "sqs":
        found = re.search(r'"QueueUrl": ?"[^"]*/([^"/]+)"', _text(request.body))
        return {"queue": found.group(1)} if found else {}
    if service == "sns":
        found = re.search(r"(?:Topic|Target)Arn=[^&]*%3A([\w-]+)", _text(request.body))
        return {"topic": found.group(1)} if found else {}
    if service == "lambda":
        found = re.search(r"/functions/([^/]+)/", request.url)
        return {"function": found.group(1)} if found else {}
    if service == "s3":
        return {"object": request.url.split("?")[0].rsplit("amazonaws.com/", 1)[-1]}
    return {}


def written(service: str, request: AWSPreparedRequest) -> dict[str, str]:
    """The attribute `state` of a row that a call writes, as a circuit breaker's has it, for the trace."""
    found = re.search(r'"state": ?\{"S": ?"([^"]{1,32})"\}', _text(request.body)) if service == "dynamodb" else None
    return {"state": found.group(1)} if found else {}


def body_of(request: AWSPreparedRequest) -> Any:
    """The body as it was before botocore compressed it (gzip), which it does with a PutMetricData above 10 KB."""
    body: Any = request.body or "{}"
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _text(body: Any) -> str:
    return body if isinstance(body, str) else (body or b"").decode()
