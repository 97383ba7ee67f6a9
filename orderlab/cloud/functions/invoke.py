"""The operation Invoke on the wire: a payload in, an answer, a 202 or a refusal out.

A caller that waits is told of an error of the function by a 200 with the header `x-amz-function-error`. It waits as
long as its own Config says and not longer; the function goes on. Source: Lambda API reference, Invoke; Lambda developer
guide, gettingstarted-limits; recorded calls. Departure: a Qualifier, LogType and ClientContext are refused by name.
Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from ..wire.answers import NotYet, Refusal, refuse, reply
from ..wire.calls import READ_TIMEOUT
from .service import Functions, Result

LIMITS = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024}  # bytes of a payload


def answer(functions: Functions, request: AWSPreparedRequest, config: Any) -> AWSResponse:
    """Answer the HTTP request that botocore has made; `config` is its client's. Raises ReadTimeoutError, NotYet."""
    try:
        return _invoke(functions, request, config)
    except Refusal as refusal:
        return refuse(request, refusal)


def _invoke(functions: Functions, request: AWSPreparedRequest, config: Any) -> AWSResponse:
    url = urlsplit(request.url)
    name = unquote(url.path.split("/functions/")[1].split("/invocations")[0])
    [qualifier] = parse_qs(url.query).get("Qualifier", ["$LATEST"])
    headers = {key.lower(): _text(value) for key, value in request.headers.items()}
    kind, body = headers.get("x-amz-invocation-type", "RequestResponse"), _text(request.body)
    if qualifier != "$LATEST":
        raise NotYet(f"Invoke of {name} with the Qualifier {qualifier}: versions and aliases of functions")
    if headers.get("x-amz-log-type", "None") != "None" or "x-amz-client-context" in headers:
        raise NotYet("Invoke with LogType or ClientContext (the log is in the trace: select('log'))")
    function, size = functions.resolve(name), len(body.encode())
    if size > LIMITS.get(kind, size):
        words = f"{size} byte payload is too large for the {kind} invocation type (limit {LIMITS[kind]} bytes)"
        raise Refusal("RequestEntityTooLargeException", words, 413)
    try:
        event = json.loads(body or "{}")
    except ValueError as error:
        words = f"Could not parse request body into json: {error}"
        raise Refusal("InvalidRequestContentException", words) from None
    if kind == "DryRun":
        return reply(request, 204, {}, b"")
    if kind == "Event":
        return reply(request, 202, {"x-amzn-requestid": functions.enqueue(function.arn, event, source="invoke")}, b"")
    results: list[Result] = []
    patience = float(getattr(config, "read_timeout", None) or READ_TIMEOUT)
    functions.start(function.arn, event, results.append, source="invoke")
    if not functions.scheduler.wait(lambda: bool(results), patience):
        raise ReadTimeoutError(endpoint_url=request.url)  # the caller gives up; the callee goes on
    result = results[0]
    if result.throttled:
        raise Refusal("TooManyRequestsException", "Rate Exceeded.", 429)
    answer = {"x-amzn-requestid": result.request_id, "x-amz-executed-version": "$LATEST"}
    if result.error is not None:
        answer["x-amz-function-error"] = "Unhandled"
    return reply(request, 200, answer, result.payload)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes | bytearray) else (value or "")
