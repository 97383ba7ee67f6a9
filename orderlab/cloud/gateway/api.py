"""The API as the template describes it: its methods, what each of them checks, its models, keys and responses.

API Gateway serves what was deployed to a stage. The raw AWS::ApiGateway::* resources are read once, when the local
cloud is made; what cannot be served stops it, with the resource's name. An API key works only if it is Enabled (it is
not by default) and a UsagePlanKey puts it into a usage plan of the stage.
Source: API Gateway developer guide; CloudFormation reference, AWS::ApiGateway::*.
Authorizers, resource policies, canaries and caches are refused by name; throttling has a module of its own.

Taught in notebooks/02_the_front_door.ipynb.
"""

import string
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ..stack import Resource, Stack, TemplateError
from ..wire import NotYet
from . import routes
from .models import ModelError, RequestModels


@dataclass(frozen=True)
class Method:
    """One method of one resource and what it checks. `required` holds names such as method.request.header.x-shop."""

    logical_id: str
    verb: str
    resource_id: str
    path: str
    needs_key: bool
    required: tuple[str, ...]
    models: dict[str, str] | None  # content type to model name; None: bodies are not checked
    integration: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Api:
    """One REST API on its stage. `keys` are the usable API keys, value to id; `responses` the gateway responses."""

    id: str
    stage: str
    deployment_id: str
    variables: dict[str, str]
    binary: tuple[str, ...]
    methods: tuple[Method, ...]
    models: RequestModels = field(repr=False)
    keys: dict[str, str] = field(repr=False)
    responses: dict[str, dict[str, Any]]


def read(stack: Stack, rng: Random) -> Api | None:
    """The stack's API, or None if it has none. `rng` makes the values of API keys that the template leaves open.

    Raises TemplateError for an API that cannot be served, and NotYet for what is not done yet, naming the resource.
    """
    apis = stack.of_type("AWS::ApiGateway::RestApi")
    if not apis:
        return None
    if len(apis) > 1:
        raise NotYet(f"one API per stack is served, not {' and '.join(api.logical_id for api in apis)}")
    api = apis[0]
    for unread in ("Body", "BodyS3Location", "Policy"):
        if unread in api.properties:
            raise NotYet(f"{api.logical_id} has a {unread}; APIs are read from raw AWS::ApiGateway::* resources only")
    if api.properties.get("ApiKeySourceType", "HEADER") != "HEADER":
        raise NotYet(f"{api.logical_id} takes API keys from an authorizer; only the header x-api-key is read yet")
    stage, deployment, variables = _stage(stack, api)
    schemas = {m.physical_id: m.properties.get("Schema", {}) for m in stack.of_type("AWS::ApiGateway::Model")}
    try:
        models = RequestModels(api.physical_id, schemas)
    except ModelError as error:
        raise TemplateError(f"{api.logical_id}: {error}") from None
    responses = {r.properties["ResponseType"]: r.properties for r in stack.of_type("AWS::ApiGateway::GatewayResponse")}
    return Api(
        api.physical_id,
        stage,
        deployment,
        variables,
        tuple(api.properties.get("BinaryMediaTypes") or ()),
        tuple(sorted(_methods(stack, models), key=lambda method: routes.rank(method.path))),
        models,
        _keys(stack, api.physical_id, stage, rng),
        responses,
    )


def _stage(stack: Stack, api: Resource) -> tuple[str, str, dict[str, str]]:
    stages = stack.of_type("AWS::ApiGateway::Stage") or [
        resource for resource in stack.of_type("AWS::ApiGateway::Deployment") if "StageName" in resource.properties
    ]
    if len(stages) != 1:
        raise NotYet(f"{api.logical_id} must have exactly one stage to be served, and has {len(stages)}")
    properties = stages[0].properties
    if "CanarySetting" in properties or properties.get("CacheClusterEnabled") in (True, "true"):
        raise NotYet(f"{stages[0].logical_id} has a canary or a cache; the local cloud serves neither")
    deployment = str(properties.get("DeploymentId", stages[0].physical_id))
    return properties["StageName"], deployment, dict(properties.get("Variables") or {})


def _methods(stack: Stack, models: RequestModels) -> list[Method]:
    resources = {resource.physical_id: resource for resource in stack.of_type("AWS::ApiGateway::Resource")}
    validators = {v.physical_id: v.properties for v in stack.of_type("AWS::ApiGateway::RequestValidator")}
    path = _path(resources)
    return [_method(method, path, validators, models) for method in stack.of_type("AWS::ApiGateway::Method")]


def _path(resources: dict[str, Resource]) -> Callable[[str], str]:
    def path(resource_id: str) -> str:
        resource = resources.get(resource_id)
        if resource is None:
            return ""  # the root
        return f"{path(resource.properties['ParentId'])}/{resource.properties['PathPart']}"

    return path


def _method(
    resource: Resource, path: Callable[[str], str], validators: dict[str, dict[str, Any]], models: RequestModels
) -> Method:
    properties, name = resource.properties, resource.logical_id
    if properties.get("AuthorizationType", "NONE") != "NONE":
        raise NotYet(f"{name} asks for authorization {properties['AuthorizationType']}; only NONE is served yet")
    validator = validators.get(properties.get("RequestValidatorId", ""))
    if validator is None and properties.get("RequestValidatorId"):
        raise TemplateError(
            f"{name} names the request validator {properties['RequestValidatorId']}, which does not exist"
        )
    chosen = properties.get("RequestModels") or {}
    for model in chosen.values():
        if model not in models:
            raise TemplateError(f"{name} names the model {model}, which does not exist")
    asked = properties.get("RequestParameters") or {}
    required = sorted(name for name in asked if _is_true(asked[name]))
    checks = validator or {}
    return Method(
        name,
        properties["HttpMethod"],
        properties["ResourceId"],
        path(properties["ResourceId"]) or "/",
        _is_true(properties.get("ApiKeyRequired")),
        tuple(required) if _is_true(checks.get("ValidateRequestParameters")) else (),
        chosen if _is_true(checks.get("ValidateRequestBody")) else None,
        properties.get("Integration") or {},
    )


def _keys(stack: Stack, api_id: str, stage: str, rng: Random) -> dict[str, str]:
    plans = {
        plan.physical_id
        for plan in stack.of_type("AWS::ApiGateway::UsagePlan")
        for served in plan.properties.get("ApiStages") or []
        if (served.get("ApiId"), served.get("Stage")) == (api_id, stage)
    }
    planned = {
        key.properties["KeyId"]
        for key in stack.of_type("AWS::ApiGateway::UsagePlanKey")
        if key.properties["UsagePlanId"] in plans
    }
    return {
        key.properties.get("Value") or "".join(rng.choices(string.ascii_letters + string.digits, k=40)): key.physical_id
        for key in stack.of_type("AWS::ApiGateway::ApiKey")
        if _is_true(key.properties.get("Enabled")) and key.physical_id in planned
    }


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"  # CloudFormation takes true and "true"
