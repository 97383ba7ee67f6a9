"""Gateway responses: the answers that API Gateway gives itself, and how a template changes them.

Each refusal has a type with a status; an AWS::ApiGateway::GatewayResponse of that type, else of DEFAULT_4XX or
DEFAULT_5XX, replaces its status, headers and body. A body template knows $context.…, $stageVariables.… and
$method.request.…, no loops and no conditions. Wrong path and wrong method are both 403 "Missing Authentication Token".
Source: API Gateway developer guide, supported-gateway-response-types, api-gateway-gatewayResponse-definition;
Lambda developer guide, services-apigateway-errors: an invoke that Lambda refuses (throttling included) is 500, a
function error or a malformed answer 502.
Departures: texts inside a template's quotes are JSON-escaped, which AWS does not document but its users' answers show;
the type of a 502 is not documented, here it is DEFAULT_5XX itself.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from ..wire.answers import NotYet
from .exchange import Call, Response, context

_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_SOURCE = r"(?:context|stageVariables)(?:\.\w+)+|method\.request\.(?:header|path|querystring)\.[\w-]+"


@dataclass(frozen=True)
class Refusal:
    """Why the API answers itself: the response type, its status, message, error type, and what a validator found.

    `reason` is for the trace only: what a log of the real service would say, and the client does not learn.
    """

    type: str
    status: int
    message: str
    error: str
    validation: str = ""
    reason: str = ""

    def because(self, reason: str) -> "Refusal":
        """The same, with its reason."""
        return replace(self, reason=reason)


_INTERNAL = ("Internal server error", "InternalServerErrorException")
_NO_TOKEN = ("Missing Authentication Token", "MissingAuthenticationTokenException")
NO_ROUTE = Refusal("MISSING_AUTHENTICATION_TOKEN", 403, *_NO_TOKEN)
BAD_KEY = Refusal("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
TOO_LARGE = Refusal("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")
MEDIA_TYPE = Refusal("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException")
THROTTLED = Refusal("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")
QUOTA = Refusal("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")
MISCONFIGURED = Refusal("API_CONFIGURATION_ERROR", 500, *_INTERNAL)  # the API's own settings cannot serve this
NOT_INVOKED = Refusal("INTEGRATION_FAILURE", 500, *_INTERNAL)  # no such function, no permission, throttled
BAD_ANSWER = Refusal("DEFAULT_5XX", 502, *_INTERNAL)  # the function failed, or its answer is malformed
UNREACHABLE = Refusal("INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", _INTERNAL[1])
TIMED_OUT = Refusal("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", _INTERNAL[1])


def missing(names: list[str]) -> Refusal:
    """Required parameters that are not there."""
    text = f"Missing required request parameters: [{', '.join(names)}]"
    return Refusal("BAD_REQUEST_PARAMETERS", 400, text, "BadRequestException", validation=text)


def bad_body(errors: list[str]) -> Refusal:
    """A body that does not fit its model."""
    text = f"[{', '.join(errors)}]"
    return Refusal("BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException", text, text)


def media_type(header: str | None) -> str:
    """The media type of a Content-Type or Accept, without its parameters; a missing one counts as JSON."""
    return (header or "application/json").split(",")[0].split(";")[0].strip().lower()


def render(call: Call, refusal: Refusal) -> Response:
    """The response for this refusal, as the API's gateway responses make it. Raises NotYet for an unknown mapping."""
    responses = call.api.responses
    chosen = responses.get(refusal.type) or responses.get(f"DEFAULT_{refusal.status // 100}XX") or {}
    error = {
        "message": refusal.message,
        "messageString": refusal.message,
        "responseType": refusal.type,
        "validationErrorString": refusal.validation,
    }
    known = {**context(call), "error": error}
    templates = chosen.get("ResponseTemplates") or {"application/json": _DEFAULT_TEMPLATE}
    kind = "application/json" if "application/json" in templates else next(iter(templates))
    headers = {"Content-Type": kind, "x-amzn-ErrorType": refusal.error}
    for name, source in (chosen.get("ResponseParameters") or {}).items():
        headers[name.removeprefix("gatewayresponse.header.")] = _header(call, known, name, str(source))
    body = re.sub(rf"\$({_SOURCE})", lambda found: _value(call, known, found[1]), templates[kind])
    return Response(int(chosen.get("StatusCode") or refusal.status), headers, body)


def _header(call: Call, known: dict[str, Any], name: str, source: str) -> str:
    if source.startswith("'") and source.endswith("'"):
        return source[1:-1]
    if not re.fullmatch(_SOURCE, source):
        raise NotYet(f"a gateway response maps {name} from {source}, which the local cloud does not know")
    return _look_up(call, known, source)


def _value(call: Call, known: dict[str, Any], source: str) -> str:
    """A variable's text inside a body template: messageString brings its own quotes, everything else is escaped."""
    text = json.dumps(_look_up(call, known, source), ensure_ascii=False)
    return text if source == "context.error.messageString" else text[1:-1]


def _look_up(call: Call, known: dict[str, Any], source: str) -> str:
    """What is unknown is empty."""
    if source.startswith("method.request."):
        return parameter(call, source) or ""
    found: Any = {"context": known, "stageVariables": call.api.variables}
    for step in source.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return "" if found is None else str(found)


def parameter(call: Call, source: str) -> str | None:
    """The value of method.request.{header,path,querystring}.NAME, or None."""
    _, _, place, name = source.split(".", 3)
    if place == "header":
        return call.request.header(name)
    if place == "path":
        return call.path_parameters.get(name)
    return call.request.query.get(name, [None])[-1]
