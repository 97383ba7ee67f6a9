"""Lambda proxy integration: a request becomes the event of payload format 1.0, the function's answer a response.

Every answer of the function must have AWS's shape: {"statusCode", "headers", "multiValueHeaders", "body" (text),
"isBase64Encoded"}, none required and no other field. Anything else is a malformed answer, and the client gets 502.
Query parameters are decoded ("+" is a space) and the last of several values wins; path parameters stay encoded. Bodies
are text: an API with BinaryMediaTypes is refused by name, and without them AWS decodes no base64 answer either.
Source: API Gateway developer guide, set-up-lambda-proxy-integrations; recordings in localstack's
test_apigateway_lambda.snapshot.json (header names, slashes, encodings, malformed answers).

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import re
from typing import Any

from .. import access
from ..functions.service import Functions
from ..guard import ACCOUNT, REGION
from ..wire import answers
from .exchange import Call, Response, Values, context
from .responses import NOT_INVOKED, Refusal
from .routes import normal

FUNCTION = re.compile(r":lambda:path/[^/]+/functions/([^$]+)/invocations$")  # no ${stageVariables.…}
FIELDS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def function(call: Call, functions: Functions) -> str | Refusal:
    """The ARN of the function behind the method, or why it cannot be invoked."""
    assert call.method is not None
    method, settings = call.method, call.method.integration
    found = FUNCTION.search(settings["Uri"])
    assert found is not None  # checked when the API was read
    if settings.get("IntegrationHttpMethod") != "POST":
        return NOT_INVOKED.because(f"IntegrationHttpMethod of {method.logical_id} must be POST")
    try:
        target = functions.resolve(found[1])
    except answers.Refusal:
        return NOT_INVOKED.because(f"there is no function {found[1]}")
    place = f"{call.api.id}/{call.api.stage}/{call.request.method}{method.path}"
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{place}"
    if not settings.get("Credentials") and not access.may_invoke(target, access.GATEWAY, source):
        return NOT_INVOKED.because(f"no AWS::Lambda::Permission lets {source} invoke {target.arn}")
    return target.arn


def event(call: Call) -> dict[str, Any]:
    """The event that the function gets (payload format 1.0)."""
    assert call.method is not None
    request, api = call.request, call.api
    sent = headers(call)
    return {
        "resource": call.method.path,
        "path": normal(request.path),
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in sent.items()},
        "multiValueHeaders": sent,
        "queryStringParameters": {name: values[-1] for name, values in request.query.items()} or None,
        "multiValueQueryStringParameters": request.query or None,
        "pathParameters": call.path_parameters or None,
        "stageVariables": api.variables or None,
        "requestContext": context(call),
        "body": request.body.decode(errors="replace") or None,
        "isBase64Encoded": False,
    }


def headers(call: Call) -> Values:
    """The request's headers as API Gateway hands them on, with those that it adds."""
    return {
        **{_name(name): values for name, values in call.request.headers.items() if name.lower() not in _DROPPED},
        "Host": [f"{call.api.id}.execute-api.{REGION}.amazonaws.com"],
        "X-Amzn-Trace-Id": [call.trace_id],
        "X-Forwarded-For": ["127.0.0.1"],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Proto": ["https"],
    }


def answer(call: Call, payload: str) -> Response | str:
    """The response that this answer of the function makes, or what is malformed about it."""
    try:
        told = json.loads(payload)
    except ValueError:
        return "the answer is not JSON"
    if not isinstance(told, dict):
        return f"the answer is {'null' if told is None else type(told).__name__}, not an object with a statusCode"
    if set(told) - FIELDS:
        return f"the answer has {', '.join(sorted(set(told) - FIELDS))}, which is no field of a proxy answer"
    status, body = told.get("statusCode", 200), told.get("body")
    if not str(status).isdecimal():
        return f"statusCode {status!r} is no number"
    if not 100 <= int(status) <= 599:
        return f"statusCode {status} is no HTTP status"
    if not isinstance(body, str | None):
        return f"body is {type(body).__name__}, not text: json.dumps it"
    single, several = told.get("headers") or {}, told.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not all(isinstance(value, str | bool) for value in single.values()):
        return "headers is not an object of texts"
    if not isinstance(several, dict) or not all(_is_texts(values) for values in several.values()):
        return "multiValueHeaders is not an object of lists of texts"
    merged = _merge(single, several)
    if not any(name.lower() == "content-type" for name in merged):
        merged["Content-Type"] = "application/json"
    return Response(int(status), merged, body or "")


_DROPPED = ("connection", "content-length", "host", "x-amzn-trace-id")


def _name(name: str) -> str:
    """Two header names reach the function in one spelling, all others as they were sent."""
    return {"authorization": "Authorization", "user-agent": "User-Agent"}.get(name.lower(), name)


def _merge(single: dict[str, Any], several: dict[str, Any]) -> dict[str, str]:
    """Both kinds of headers: a name in both is spelt as in multiValueHeaders and has those values first."""
    lower = {name.lower(): value for name, value in single.items()}
    merged = {name: [value] for name, value in single.items() if name.lower() not in map(str.lower, several)}
    for name, values in several.items():
        merged[name] = [*values, lower[name.lower()]] if name.lower() in lower else values
    return {name: ", ".join(_text(value) for value in values) for name, values in merged.items()}


def _is_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str | bool) for value in values)


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()
