"""A function or DynamoDB behind a method, by templates: one makes its request, another the client's response.

The content type chooses the request template ($default else); without one PassthroughBehavior decides: the body goes
through as it is, or 415. The answer is chosen by DynamoDB's HTTP status, for a function by its errorMessage: the first
SelectionPattern that fits all of it, else the one without a pattern, else 500. So is a status that no MethodResponse
lists. $context.responseOverride wins over both, and may be written by either template.
Source: API Gateway developer guide, integration-passthrough-behaviors,
apigateway-override-request-response-parameters; recordings in localstack's test_apigateway_integrations (overrides),
test_apigateway_lambda (selection patterns), test_apigateway_dynamodb.
Departures: templates are read when the cloud is made, where AWS lets a broken one fail at its use; so is a method
without POST or Credentials for DynamoDB. Refused by name: MOCK, HTTP, other services, RequestParameters and
ResponseParameters (a header is set by $context.responseOverride.header), ContentHandling.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from ..stack.resources import Resource
from ..stack.template import TemplateError
from ..wire.answers import NotYet
from . import proxy, responses, values, variables, velocity
from .exchange import Call, Response
from .responses import Refusal

BEHAVIOURS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_ACTION = re.compile(r":dynamodb:action/(\w+)$")


@dataclass(frozen=True)
class Answer:
    """One integration response: when it is chosen (None: when no other is), and what it makes."""

    status: int
    pattern: re.Pattern[str] | None
    templates: dict[str, Any]  # content type to template


@dataclass(frozen=True)
class Plan:
    """The mapping of one method: `listed` holds the statuses of its MethodResponses."""

    action: str  # of DynamoDB, "" for a function
    behaviour: str
    templates: dict[str, Any]
    answers: tuple[Answer, ...]
    listed: frozenset[int]


def read(method: Resource) -> Plan | None:
    """The mapping of a method, None for a Lambda proxy. Raises TemplateError and NotYet with the method's name."""
    settings, name = method.properties.get("Integration") or {}, method.logical_id
    kind, uri = settings.get("Type"), str(settings.get("Uri", ""))
    if kind == "AWS_PROXY" and proxy.FUNCTION.search(uri):
        return None
    found, is_function = _ACTION.search(uri), proxy.FUNCTION.search(uri) is not None
    if kind != "AWS" or not (found or is_function):
        raise NotYet(
            f"{name} is an integration of type {kind} {uri}: served are AWS_PROXY to Lambda, AWS to Lambda or DynamoDB"
        )
    if found and (settings.get("IntegrationHttpMethod") != "POST" or not settings.get("Credentials")):
        raise TemplateError(f"{name}: DynamoDB is asked with IntegrationHttpMethod POST and a role in Credentials")
    answers = settings.get("IntegrationResponses") or []
    for part in (settings, *answers):
        for unread in ("RequestParameters", "ResponseParameters", "ContentHandling"):
            if part.get(unread):
                raise NotYet(f"{name} has {unread}; in the local cloud a request is mapped by templates only")
    behaviour = settings.get("PassthroughBehavior", BEHAVIOURS[0])
    if behaviour not in BEHAVIOURS:
        raise TemplateError(f"{name}: PassthroughBehavior is {behaviour}, not {', '.join(BEHAVIOURS)}")
    return Plan(
        found[1] if found else "",
        behaviour,
        _templates(name, settings.get("RequestTemplates")),
        tuple(_answer(name, answer) for answer in answers),
        frozenset(int(listed["StatusCode"]) for listed in method.properties.get("MethodResponses") or []),
    )


def request(plan: Plan, call: Call, known: dict[str, Any]) -> str | Refusal:
    """The body for the backend, or why it is not asked. `known` is `variables.of(call)`."""
    kind = responses.media_type(call.request.header("content-type"))
    template = plan.templates.get(kind) or plan.templates.get("$default")
    body = call.request.body.decode(errors="replace")
    if template is not None:
        try:
            return velocity.render(template, {**known, "input": variables.Input(call, body)})
        except values.RenderProblem as problem:
            return responses.MISCONFIGURED.because(f"the request template failed: {problem}")
    if plan.behaviour == "NEVER" or (plan.behaviour == "WHEN_NO_TEMPLATES" and plan.templates):
        return responses.MEDIA_TYPE
    return body


def error_message(payload: str) -> str:
    """What selection patterns are compared with when the backend is a function: the errorMessage in its answer."""
    told = json.loads(payload)
    return str(told.get("errorMessage") or "") if isinstance(told, dict) else ""


def response(plan: Plan, call: Call, known: dict[str, Any], selection: str, body: str) -> Response | Refusal:
    """The client's response. `selection` is compared with the patterns; the body is the backend's."""
    fitting = [a for a in plan.answers if a.pattern is not None and a.pattern.fullmatch(selection)]
    chosen = next(iter([*fitting, *(a for a in plan.answers if a.pattern is None)]), None)
    if chosen is None:
        return responses.MISCONFIGURED.because(f"no match for output mapping of {selection!r}, and no default")
    if chosen.status not in plan.listed:
        return responses.MISCONFIGURED.because(f"output mapping refers to an invalid method response: {chosen.status}")
    asked = responses.media_type(call.request.header("accept"))
    kinds = (asked, "application/json", *chosen.templates)
    kind = next((one for one in kinds if one in chosen.templates), "application/json")
    if kind in chosen.templates:
        try:
            body = velocity.render(chosen.templates[kind], {**known, "input": variables.Input(call, body)})
        except values.RenderProblem as problem:
            return responses.MISCONFIGURED.because(f"the response template failed: {problem}")
    override = known["context"].values["responseOverride"].values
    headers = {name: values.text(value) for name, value in override["header"].values.items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = kind
    status = override.get("status")  # anything but a status is passed over
    is_status = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599
    return Response(status if is_status else chosen.status, headers, body)


def _templates(name: str, sources: dict[str, str] | None) -> dict[str, Any]:
    compiled = {}
    for kind, source in (sources or {}).items():
        try:
            compiled[kind.lower()] = velocity.compile(source)
        except velocity.SyntaxProblem as problem:
            raise TemplateError(f"{name}: the mapping template for {kind} {problem}") from None
        except NotYet as refused:
            raise NotYet(f"{name}: {refused}") from None
    return compiled


def _answer(name: str, settings: dict[str, Any]) -> Answer:
    pattern = settings.get("SelectionPattern")
    try:
        compiled = re.compile(pattern) if pattern else None
    except re.error as error:
        raise TemplateError(f"{name}: the SelectionPattern {pattern} is no regular expression: {error}") from None
    return Answer(int(settings["StatusCode"]), compiled, _templates(name, settings.get("ResponseTemplates")))
