"""The policy for the API: who may call it, what may be sent, how often, and which function hears of it.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import Any

from .template import Resources, Template, deployment_id, named, of_type

API = "AWS::ApiGateway::"


def check_source(template: Template) -> Iterator[str]:
    """What can only be seen before SAM's translation: SAM's own short cuts, and the name of the Deployment."""
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if kind.startswith("AWS::Serverless::") and kind != "AWS::Serverless::Function":
            yield f"{name}: is a {kind}, whose generated resources nobody reads: write the raw ones"
        for short_cut in ("Events", "Policies", "EventInvokeConfig", "DeadLetterQueue"):
            if kind == "AWS::Serverless::Function" and short_cut in resource["Properties"]:
                yield f"{name}: leaves {short_cut} to SAM: write the raw resources"
    for deployment in of_type(template["Resources"], API + "Deployment"):
        wanted = deployment.partition("Deployment")[0] + deployment_id(template)
        if deployment != wanted:
            yield f"{deployment}: the API has changed, so call it {wanted} here and in the Stage"


def check_front(resources: Resources) -> Iterator[str]:
    """Every finding about the API, each beginning with the logical id it is about."""
    yield from _methods(resources)
    yield from _deployment(resources)
    yield from _signing(resources)
    yield from _metering(resources)
    yield from _permissions(resources)
    for name, api in of_type(resources, API + "RestApi").items():
        if {"Body", "BodyS3Location"} & api.keys():
            yield f"{name}: is imported, and imported models lose minItems and maxItems"
    for name, model in of_type(resources, API + "Model").items():
        yield from (f"{name}: {finding}" for finding in _schema(model["Schema"], "the body"))


def _methods(resources: Resources) -> Iterator[str]:
    permissions = of_type(resources, "AWS::Lambda::Permission").values()
    for name, method in of_type(resources, API + "Method").items():
        if method.get("ApiKeyRequired") is not True and method["AuthorizationType"] == "NONE":
            yield f"{name}: is open to everyone: neither authorisation nor API key"
        if (method.get("RequestModels") or method["HttpMethod"] in ("POST", "PUT", "PATCH")) and not _validated(
            method, resources
        ):
            yield f"{name}: its body is not held against a model"
        integration = method["Integration"]
        if integration["Type"] == "AWS" and integration.get("PassthroughBehavior") != "NEVER":
            yield f"{name}: passes a body of an unknown content type on to AWS as it is (PassthroughBehavior)"
        if integration["Type"] == "AWS_PROXY":
            function = integration["Uri"].split("/functions/")[1]
            if not any(
                named(p["FunctionName"]) == named(function) and p["Principal"] == "apigateway.amazonaws.com"
                for p in permissions
            ):
                yield f"{name}: is not allowed to invoke {named(function)}"


def _signing(resources: Resources) -> Iterator[str]:
    methods = of_type(resources, API + "Method")
    if any(method["AuthorizationType"] == "AWS_IAM" for method in methods.values()):
        for name, method in methods.items():
            if method["AuthorizationType"] != "AWS_IAM":
                yield f"{name}: lets in who does not sign, where the other methods do not"


def _permissions(resources: Resources) -> Iterator[str]:
    """Who may invoke a function is one method of one stage of one API, for each function behind a method."""
    parts = of_type(resources, API + "Resource")
    allowed = of_type(resources, "AWS::Lambda::Permission")
    for name, method in of_type(resources, API + "Method").items():
        function = named(method["Integration"].get("Uri", "").partition("/functions/")[2])
        leaf = parts.get(named(method["ResourceId"]), {})
        above = parts.get(named(leaf.get("ParentId")), {}).get("PathPart")
        path = "/".join("*" if part.startswith("{") else part for part in (above, leaf.get("PathPart")) if part)
        for other, permission in allowed.items():
            narrow = str(permission.get("SourceArn", "")).endswith(f":${{Api}}/live/{method['HttpMethod']}/{path}")
            if function and named(permission["FunctionName"]) == function and not narrow:
                yield f"{other}: is not for {name} alone: {method['HttpMethod']}/{path} of the stage live"


def _validated(method: dict[str, Any], resources: Resources) -> bool:
    validator = of_type(resources, API + "RequestValidator").get(named(method.get("RequestValidatorId")), {})
    return bool(
        validator.get("ValidateRequestBody")
        and validator.get("ValidateRequestParameters")
        and method.get("RequestModels")
    )


def _deployment(resources: Resources) -> Iterator[str]:
    parts = {*of_type(resources, API + "Method"), *of_type(resources, API + "GatewayResponse")}
    for name, resource in resources.items():
        if resource["Type"] == API + "Deployment":
            if "StageName" in resource["Properties"]:
                yield f"{name}: makes a second stage, which has no throttle and no usage plan (StageName)"
            for part in sorted(parts - set(resource.get("DependsOn", []))):
                yield f"{name}: may be taken before {part} is there (DependsOn)"


def _metering(resources: Resources) -> Iterator[str]:
    plans = of_type(resources, API + "UsagePlan").values()
    in_a_plan = {named(key["KeyId"]) for key in of_type(resources, API + "UsagePlanKey").values()}
    for name, key in of_type(resources, API + "ApiKey").items():
        if name not in in_a_plan or key.get("Enabled") is not True:
            yield f"{name}: is a key of no usage plan, or switched off, so it opens nothing"
        if "Value" in key:
            yield f"{name}: its value stands in the template, where everybody reads it (Value)"
    for name, stage in of_type(resources, API + "Stage").items():
        settings = stage.get("MethodSettings", [])
        if not any((s["ResourcePath"], s["HttpMethod"]) == ("/*", "*") and _throttled(s) for s in settings):
            yield f"{name}: has no throttle of its own"
        for s in settings:
            if not _throttled(s):
                yield f"{name}: has no throttle for {s['HttpMethod']} {s['ResourcePath']}"
            if s.get("DataTraceEnabled"):
                yield f"{name}: writes bodies to its log (DataTraceEnabled)"
            if s.get("LoggingLevel", "OFF") != "OFF":
                yield f"{name}: its execution log goes to a log group that the stack does not own (LoggingLevel)"
        if named(stage["DeploymentId"]) not in resources:
            yield f"{name}: serves a deployment that is not there: {named(stage['DeploymentId'])}"
        if not any(
            named(s["Stage"]) == name and {"Throttle", "Quota"} <= plan.keys()
            for plan in plans
            for s in plan["ApiStages"]
        ):
            yield f"{name}: has no usage plan with a throttle and a quota, so its API keys open nothing"


def _throttled(setting: dict[str, Any]) -> bool:
    """AWS takes -1 for "no limit"."""
    return all(setting.get(limit, -1) >= 0 for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"))


def _schema(schema: dict[str, Any], where: str) -> Iterator[str]:
    kind = schema.get("type")
    if kind == "array":
        if not {"minItems", "maxItems"} <= schema.keys():
            yield f"{where} has no minItems or maxItems"
        yield from _schema(schema.get("items", {}), f"an entry of {where}")
    if kind == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{where} may have fields that nobody knows (additionalProperties)"
        for name, part in schema.get("properties", {}).items():
            yield from _schema(part, name)
    if kind in (None, "string") and not {"pattern", "maxLength", "enum", "$ref", "oneOf", "anyOf"} & schema.keys():
        yield f"{where} has no limit"
