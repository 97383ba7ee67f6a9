"""The API as the template describes it: its methods, what each of them checks, its models, keys and responses.

API Gateway serves what was deployed to a stage. The raw AWS::ApiGateway::* resources are read once, when the local
cloud is made; what cannot be served stops it, with the resource's name.
Source: API Gateway developer guide; CloudFormation reference, AWS::ApiGateway::*.
Authorizers, resource policies, canaries and caches are refused by name.

Taught in notebooks/02_the_front_door.ipynb.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from ..stack.resources import Resource, Stack
from ..stack.template import TemplateError
from ..wire.answers import NotYet
from . import plans, routes
from .models import ModelError, RequestModels
from .plans import Limit, Plan, is_true
from .routes import Method


@dataclass(frozen=True)
class Api:
    """One REST API on its stage. `keys` are the usable API keys, value to id; `responses` the gateway responses."""

    id: str
    stage: str
    deployment_id: str
    variables: dict[str, str]
    methods: tuple[Method, ...]
    models: RequestModels = field(repr=False)
    plans: dict[str, Plan]  # by the key's id
    keys: dict[str, str] = field(repr=False)
    limits: dict[str, Limit]
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
    for unread in ("Body", "BodyS3Location", "Policy", "BinaryMediaTypes"):
        if unread in api.properties:
            raise NotYet(f"{api.logical_id} has a {unread}; served are raw AWS::ApiGateway::* resources, and text")
    if api.properties.get("ApiKeySourceType", "HEADER") != "HEADER":
        raise NotYet(f"{api.logical_id} takes API keys from an authorizer; only the header x-api-key is read yet")
    stages = stack.of_type("AWS::ApiGateway::Stage") or [
        resource for resource in stack.of_type("AWS::ApiGateway::Deployment") if "StageName" in resource.properties
    ]
    if len(stages) != 1:
        raise NotYet(f"{api.logical_id} must have exactly one stage to be served, and has {len(stages)}")
    stage = stages[0].properties
    if "CanarySetting" in stage or is_true(stage.get("CacheClusterEnabled")):
        raise NotYet(f"{stages[0].logical_id} has a canary or a cache; the local cloud serves neither")
    schemas = {m.physical_id: m.properties.get("Schema", {}) for m in stack.of_type("AWS::ApiGateway::Model")}
    try:
        models = RequestModels(api.physical_id, schemas)
    except ModelError as error:
        raise TemplateError(f"{api.logical_id}: {error}") from None
    methods = [_method(stack, method, models) for method in stack.of_type("AWS::ApiGateway::Method")]
    planned = plans.by_key(stack, api.physical_id, stage["StageName"])
    return Api(
        api.physical_id,
        stage["StageName"],
        str(stage.get("DeploymentId", stages[0].physical_id)),
        dict(stage.get("Variables") or {}),
        tuple(sorted(methods, key=lambda method: routes.rank(method.path))),
        models,
        planned,
        plans.keys(stack, planned, rng),
        plans.stage_limits(stack),
        {r.properties["ResponseType"]: r.properties for r in stack.of_type("AWS::ApiGateway::GatewayResponse")},
    )


def _method(stack: Stack, resource: Resource, models: RequestModels) -> Method:
    properties, name = resource.properties, resource.logical_id
    authorization = properties.get("AuthorizationType", "NONE")
    if authorization not in ("NONE", "AWS_IAM"):
        raise NotYet(f"{name} asks for authorization {authorization}; served are NONE and AWS_IAM")
    wanted, checks = properties.get("RequestValidatorId"), {}
    if wanted:
        validators = {v.physical_id: v.properties for v in stack.of_type("AWS::ApiGateway::RequestValidator")}
        if wanted not in validators:
            raise TemplateError(f"{name} names the request validator {wanted}, which does not exist")
        checks = validators[wanted]
    chosen = properties.get("RequestModels") or {}
    for model in chosen.values():
        if model not in models:
            raise TemplateError(f"{name} names the model {model}, which does not exist")
    asked = properties.get("RequestParameters") or {}
    required = sorted(name for name in asked if is_true(asked[name]))
    return Method(
        name,
        properties["HttpMethod"],
        properties["ResourceId"],
        _path(stack, properties["ResourceId"]) or "/",
        is_true(properties.get("ApiKeyRequired")),
        tuple(required) if is_true(checks.get("ValidateRequestParameters")) else (),
        chosen if is_true(checks.get("ValidateRequestBody")) else None,
        properties.get("Integration") or {},
        authorization == "AWS_IAM",
    )


def _path(stack: Stack, resource_id: str) -> str:
    for resource in stack.of_type("AWS::ApiGateway::Resource"):
        if resource.physical_id == resource_id:
            return f"{_path(stack, resource.properties['ParentId'])}/{resource.properties['PathPart']}"
    return ""  # the root
