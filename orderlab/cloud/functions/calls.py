"""Which AWS operation is this? The raw HTTP request of another process, read as AWS reads it.

AWS finds the service in the host name; here the host is a loopback port, so it is found in the credential scope of the
signature (Authorization: … Credential=key/date/region/service/aws4_request). The operation stands in `X-Amz-Target`
(JSON), in `Action` (Query), in the path (RPC v2 CBOR), or follows from method and path (REST), by botocore's own
description of the service. Signatures are not checked.
Source: Signature Version 4, "Elements of an AWS API request signature"; smithy.io protocols.
Taught in notebooks/06_where_state_lives.ipynb
"""

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.exceptions import UnknownServiceError

from ..wire import NotYet

_NAMES = {"states": "stepfunctions", "monitoring": "cloudwatch"}  # where boto3's name is not the signature's


def read_call(method: str, path: str, headers: Any, body: bytes) -> tuple[str, str, AWSPreparedRequest]:
    """(service, operation, the request as botocore would have sent it to AWS), named as botocore's events name them.

    Raises NotYet for a request that is not signed, and for a service or operation that nobody knows.
    """
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", headers.get("Authorization", ""))
    if scope is None:
        raise NotYet(f"{method} {path}: a request without a signature (its credential scope names the service)")
    region, signed_for = scope.groups()
    target = headers.get("X-Amz-Target", "")
    model = _model("dynamodbstreams" if target.startswith("DynamoDBStreams") else _NAMES.get(signed_for, signed_for))
    operation = target.rpartition(".")[2]
    if not operation and model.protocol == "query":
        operation = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    if not operation and "/operation/" in path:
        operation = path.rpartition("/operation/")[2]
    if operation not in model.operation_names:
        operation = _rest_operation(model, method, path, headers)
    url = f"https://{model.endpoint_prefix}.{region}.amazonaws.com{path}"
    if signed_for == "s3":  # an endpoint of one's own has the bucket in the path, AWS has it in the host
        bucket, _, key = path[1:].partition("/")
        bucket, mark, query = bucket.partition("?")
        url = f"https://{bucket + '.' if bucket else ''}s3.amazonaws.com/{key}{mark}{query}"
    kept = {name: value for name, value in headers.items() if not name.lower().startswith("orderlab-")}
    kept["Host"] = urlsplit(url).netloc
    kept.pop("Transfer-Encoding", None)  # the body is whole
    request = AWSPreparedRequest(method, url, HeadersDict(kept), body, False)
    return str(model.service_id.hyphenize()), operation, request


@lru_cache(maxsize=32)
def _model(name: str) -> Any:
    try:
        return botocore.session.get_session().get_service_model(name)
    except UnknownServiceError:
        raise NotYet(f"a call to the AWS service {name!r} from a process: boto3 describes no such service") from None


def _rest_operation(model: Any, method: str, path: str, headers: Any) -> str:
    """The operation whose method and path fit, and all that it needs is there.

    The one that needs most wins, of two alike the shorter name (not the ListDirectoryBuckets of another endpoint).
    """
    plain, _, query = path.partition("?")
    given = {name.lower() for name in headers}
    for key, value in parse_qsl(query, keep_blank_values=True):
        given |= {f"?{key}", f"?{key}={value}"}
    fitting = [
        (len(needs), -len(name), name)
        for name, verb, pattern, needs in _rest_table(model)
        if verb == method and pattern.fullmatch(plain) and needs <= given
    ]
    if not fitting:
        raise NotYet(f"{method} {path}: not an operation of {model.service_name}")
    return max(fitting)[-1]


@lru_cache(maxsize=32)
def _rest_table(model: Any) -> list[tuple[str, str, re.Pattern[str], set[str]]]:
    """(operation, method, path, what else it needs: "?parameter", "?parameter=value" or a header's name)."""
    rows = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        path, _, query = operation.http.get("requestUri", "/").partition("?")
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.sub(r"\\{\w+\\\+\\}", ".+", re.escape(path)))
        needs = {f"?{part}" for part in query.split("&") if part}
        shape = operation.input_shape
        for found in [shape.members[member].serialization for member in shape.required_members] if shape else []:
            if found.get("location") in ("querystring", "header"):
                needs.add(("?" if found["location"] == "querystring" else "") + str(found["name"]))
        needs = {need if need.startswith("?") else need.lower() for need in needs}
        rows.append((name, operation.http["method"], re.compile(pattern + "/?"), needs))
    return rows
