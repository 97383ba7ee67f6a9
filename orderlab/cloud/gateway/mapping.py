"""Integrations with mapping templates: what is asked of the backend, and what its answer becomes for the client.

The content type chooses the request template ($default else); without one PassthroughBehavior decides: the body goes
through as it is, or 415. The answer is chosen by the backend's HTTP status, for a function by its errorMessage: the
first SelectionPattern that fits all of it, else the one without a pattern, else 500. So is a status that no
MethodResponse lists. $context.responseOverride wins over both, and may be written by either template.
Source: API Gateway developer guide, integration-passthrough-behaviors, request-response-data-mappings,
apigateway-override-request-response-parameters; recordings in localstack's test_apigateway_integrations (MOCK,
overrides), test_apigateway_lambda (selection patterns), test_apigateway_dynamodb.
Departures: templates are read when the cloud is made, where AWS lets a broken one fail at its use. Refused by name:
HTTP backends (they are on other machines), ContentHandling, header and query mappings, which no backend here reads.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..stack import Resource, TemplateError
from ..wire import NotYet
from . import responses, values, variables, velocity
from .exchange import Call, Response
from .responses import Refusal

BEHAVIOURS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_KNOWN = r"'[^']*'|context(?:\.\w+)+|stageVariables\.\w+"
_OF_REQUEST = re.compile(
    rf"{_KNOWN}|method\.request\.(?:path|querystring|header)\.[\w-]+|method\.request\.body(?:\..+)?"
)
_OF_RESPONSE = re.compile(rf"{_KNOWN}|integration\.response\.(?:header\.[\w-]+|body(?:\..+)?)")
_HEADER = "method.response.header."
_PATH = "integration.request.path."


@dataclass(frozen=True)
class Answer:
    """One integration response: when it is chosen (None: when no other is), and what it makes."""

    status: int
    pattern: re.Pattern[str] | None
    headers: dict[str, str]  # name to the source of its value
    templates: dict[str, Any]  # content type to template


@dataclass(frozen=True)
class Plan:
    """The mapping of one method: `listed` holds the statuses of its MethodResponses."""

    type: str
    uri: str
    behaviour: str
    templates: dict[str, Any] = field(repr=False)
    path: dict[str, str] = field(repr=False)
    answers: tuple[Answer, ...] = field(repr=False)
    listed: frozenset[int] = field(repr=False)


def read(method: Resource) -> Plan | None:
    """The mapping of a method, None for a Lambda proxy. Raises TemplateError and NotYet with the method's name."""
    settings, name = method.properties.get("Integration") or {}, method.logical_id
    kind = settings.get("Type")
    if kind == "AWS_PROXY":
        return None
    if kind not in ("AWS", "MOCK"):
        where = "its backend is on another machine" if str(kind).startswith("HTTP") else "AWS, AWS_PROXY and MOCK are"
        raise NotYet(f"{name} is an integration of type {kind}, which the local cloud does not serve: {where}")
    answers = settings.get("IntegrationResponses") or []
    if any("ContentHandling" in part for part in (settings, *answers)):
        raise NotYet(f"{name} has a ContentHandling; bodies are not converted between text and binary yet")
    behaviour = settings.get("PassthroughBehavior", BEHAVIOURS[0])
    if behaviour not in BEHAVIOURS:
        raise TemplateError(f"{name}: PassthroughBehavior is {behaviour}, not {', '.join(BEHAVIOURS)}")
    declared = {
        (int(listed["StatusCode"]), header)
        for listed in method.properties.get("MethodResponses") or []
        for header in ("", *(listed.get("ResponseParameters") or {}))
    }
    return Plan(
        kind,
        settings.get("Uri", ""),
        behaviour,
        _templates(name, settings.get("RequestTemplates")),
        _path(name, kind, settings.get("RequestParameters") or {}),
        tuple(_answer(name, answer, declared) for answer in answers),
        frozenset(status for status, _ in declared),
    )


def request(plan: Plan, call: Call, known: dict[str, Any]) -> tuple[str, str] | Refusal:
    """The Uri and the body for the backend, or why it is not asked. `known` is `variables.of(call)`."""
    kind = responses.media_type(call.request.header("content-type"))
    template = plan.templates.get(kind) or plan.templates.get("$default")
    if template is None and (plan.behaviour == "NEVER" or (plan.behaviour == "WHEN_NO_TEMPLATES" and plan.templates)):
        return responses.MEDIA_TYPE
    body = call.request.body.decode(errors="replace")
    try:
        if template is not None:
            body = velocity.render(template, variables.with_input(known, call, body))
        override = known["context"].values["requestOverride"].values
        if plan.type != "MOCK" and (len(override["header"]) or len(override["querystring"])):
            raise NotYet(f"{call.request.path}: requestOverride of a header or a query parameter has no effect here")
        path = {name: _value(source, call, known, {}, body) for name, source in plan.path.items()}
    except values.RenderProblem as problem:
        return responses.misconfigured(f"the request template failed: {problem}")
    path |= {name: values.text(value) for name, value in override["path"].values.items()}
    return re.sub(r"\{(\w+)\}", lambda found: str(path.get(found[1]) or found[0]), plan.uri), body


def mock(body: str) -> int | None:
    """The status that a MOCK integration's request asks for; keys need no quotes there. None: it asks for none."""
    try:
        asked = yaml.safe_load(body)
    except yaml.YAMLError:
        return None
    status = asked.get("statusCode") if isinstance(asked, dict) else None
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def error_message(payload: str) -> str:
    """What selection patterns are compared with when the backend is a function: the errorMessage in its answer."""
    try:
        told = json.loads(payload)
    except ValueError:
        return ""
    return str(told.get("errorMessage") or "") if isinstance(told, dict) else ""


def response(
    plan: Plan, call: Call, known: dict[str, Any], selection: str, body: str, headers: Mapping[str, str]
) -> Response | Refusal:
    """The client's response. `selection` is compared with the patterns; body and headers are the backend's."""
    fitting = [a for a in plan.answers if a.pattern is not None and a.pattern.fullmatch(selection)]
    chosen = next(iter([*fitting, *(a for a in plan.answers if a.pattern is None)]), None)
    if chosen is None:
        return responses.misconfigured(f"no match for output mapping of {selection!r}, and no default")
    if chosen.status not in plan.listed:
        return responses.misconfigured(f"output mapping refers to an invalid method response: {chosen.status}")
    kind, template = _accepted(call, chosen.templates)
    made = {"Content-Type": kind}
    try:
        for name, source in chosen.headers.items():
            if (value := _value(source, call, known, headers, body)) is not None:
                _put(made, name, value)
        if template is not None:
            body = velocity.render(template, variables.with_input(known, call, body))
    except values.RenderProblem as problem:
        return responses.misconfigured(f"the response template failed: {problem}")
    override = known["context"].values["responseOverride"].values
    for name, value in override["header"].values.items():
        _put(made, name, values.text(value))
    status = override.get("status")  # anything but a status is passed over
    is_status = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 599
    return Response(status if is_status else chosen.status, made, body)


def _accepted(call: Call, templates: dict[str, Any]) -> tuple[str, Any]:
    """The template that Accept names, else the one of application/json, else the first."""
    asked = responses.media_type(call.request.header("accept"))
    kind = next((one for one in (asked, "application/json", *templates) if one in templates), "application/json")
    return kind, templates.get(kind)


def _put(headers: dict[str, str], name: str, value: str) -> None:
    headers.pop(next((known for known in headers if known.lower() == name.lower()), ""), None)
    headers[name] = value


def _value(source: str, call: Call, known: dict[str, Any], headers: Mapping[str, str], body: str) -> str | None:
    """The value of a parameter mapping's source, None when there is none."""
    if source.startswith("'"):
        return source[1:-1]
    place, _, rest = source.partition(".")
    if place == "integration":
        _, what, name = [*rest.split(".", 2), ""][:3]
        if what == "header":
            return next((value for one, value in headers.items() if one.lower() == name.lower()), None)
        return _in_body(body, name)
    if source.startswith("method.request.body"):
        return _in_body(
            call.request.body.decode(errors="replace"), source.removeprefix("method.request.body").lstrip(".")
        )
    if place == "method":
        return responses.parameter(call, source)
    found: Any = known[place]
    for step in rest.split("."):
        found = found.values.get(step) if isinstance(found, values.Map) else None
    return None if found is None else values.text(found)


def _in_body(body: str, path: str) -> str | None:
    found = variables.find(body, f"$.{path}") if path else body
    return None if found is None else values.text(values.value_of(found))


def _templates(name: str, sources: dict[str, str] | None) -> dict[str, Any]:
    compiled = {}
    for kind, source in (sources or {}).items():
        try:
            compiled[kind.lower()] = velocity.compile(source)
        except velocity.SyntaxProblem as problem:
            raise TemplateError(f"{name}: the mapping template for {kind} {problem}") from None
    return compiled


def _path(name: str, kind: str, parameters: dict[str, Any]) -> dict[str, str]:
    for target, source in parameters.items():
        if not _OF_REQUEST.fullmatch(str(source)):
            raise NotYet(f"{name} maps {target} from {source}, which the local cloud does not know")
        if (
            kind != "MOCK"
            and not target.startswith(_PATH)
            and target.lower() != "integration.request.header.content-type"
        ):
            raise NotYet(f"{name} maps {target}, which would have no effect in the local cloud; only path is mapped")
    return {target.removeprefix(_PATH): source for target, source in parameters.items() if target.startswith(_PATH)}


def _answer(name: str, settings: dict[str, Any], declared: Iterable[tuple[int, str]]) -> Answer:
    status, pattern = int(settings["StatusCode"]), settings.get("SelectionPattern")
    headers = {}
    for target, source in (settings.get("ResponseParameters") or {}).items():
        if not _OF_RESPONSE.fullmatch(str(source)):
            raise NotYet(f"{name} maps {target} from {source}, which the local cloud does not know")
        if (status, target) not in declared:
            raise TemplateError(f"{name} maps {target}, which its MethodResponse {status} does not declare")
        headers[target.removeprefix(_HEADER)] = str(source)
    try:
        compiled = re.compile(pattern) if pattern else None
    except re.error as error:
        raise TemplateError(f"{name}: the SelectionPattern {pattern} is no regular expression: {error}") from None
    return Answer(status, compiled, headers, _templates(name, settings.get("ResponseTemplates")))
