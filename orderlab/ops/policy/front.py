"""The policy for the API, the tables, the buckets and the network: what the outside can reach, and what it may send.

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
    """Every finding about the API, tables, buckets and network, each beginning with the logical id it is about."""
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
    yield from _buckets(resources)
    yield from _tables(resources)
    yield from _network(resources)


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
        function = named(method["Integration"]["Uri"].partition("/functions/")[2])
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
            for part in sorted(parts - set(resource.get("DependsOn", []))):
                yield f"{name}: may be taken before {part} is there (DependsOn)"


def _metering(resources: Resources) -> Iterator[str]:
    plans = of_type(resources, API + "UsagePlan").values()
    in_a_plan = {named(key["KeyId"]) for key in of_type(resources, API + "UsagePlanKey").values()}
    for name in sorted(of_type(resources, API + "ApiKey").keys() - in_a_plan):
        yield f"{name}: is a key of no usage plan, so it opens nothing"
    for name, stage in of_type(resources, API + "Stage").items():
        everywhere = [s for s in stage.get("MethodSettings", []) if (s["ResourcePath"], s["HttpMethod"]) == ("/*", "*")]
        if not any({"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= s.keys() for s in everywhere):
            yield f"{name}: has no throttle of its own"
        if any(s.get("DataTraceEnabled") for s in everywhere):
            yield f"{name}: writes bodies to its log (DataTraceEnabled)"
        if named(stage["DeploymentId"]) not in resources:
            yield f"{name}: serves a deployment that is not there: {named(stage['DeploymentId'])}"
        if not any(
            named(s["Stage"]) == name and {"Throttle", "Quota"} <= plan.keys()
            for plan in plans
            for s in plan["ApiStages"]
        ):
            yield f"{name}: has no usage plan with a throttle and a quota, so its API keys open nothing"


def _schema(schema: dict[str, Any], where: str) -> Iterator[str]:
    if schema["type"] == "array":
        if not {"minItems", "maxItems"} <= schema.keys():
            yield f"{where} has no minItems or maxItems"
        yield from _schema(schema["items"], f"an entry of {where}")
    if schema["type"] == "object":
        if schema.get("additionalProperties") is not False:
            yield f"{where} may have fields that nobody knows (additionalProperties)"
        for name, part in schema["properties"].items():
            yield from _schema(part, name)
    if schema["type"] == "string" and not {"pattern", "maxLength", "enum"} & schema.keys():
        yield f"{where} has no limit"


def _buckets(resources: Resources) -> Iterator[str]:
    policies = of_type(resources, "AWS::S3::BucketPolicy").values()
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        blocked = bucket.get("PublicAccessBlockConfiguration", {})
        if len(blocked) != 4 or not all(value is True for value in blocked.values()):
            yield f"{name}: can be made public (PublicAccessBlockConfiguration)"
        if "BucketEncryption" not in bucket:
            yield f"{name}: does not say how it is encrypted"
        if not bucket.get("LifecycleConfiguration"):
            yield f"{name}: keeps everything for ever (LifecycleConfiguration)"
        statements = [s for p in policies if named(p["Bucket"]) == name for s in p["PolicyDocument"]["Statement"]]
        everything = [f"${{{name}.Arn}}", f"${{{name}.Arn}}/*"]
        if not any(s["Effect"] == "Deny" and s["Resource"] == everything for s in statements):
            yield f"{name}: its policy does not refuse what comes without TLS"


def _tables(resources: Resources) -> Iterator[str]:
    for name, table in of_type(resources, "AWS::DynamoDB::Table").items():
        if table.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name}: costs money while nobody uses it (BillingMode)"
        if not {"MaxReadRequestUnits", "MaxWriteRequestUnits"} <= table.get("OnDemandThroughput", {}).keys():
            yield f"{name}: a mistake may cost without a limit (OnDemandThroughput)"
        if (resources[name].get("DeletionPolicy"), resources[name].get("UpdateReplacePolicy")) != ("Delete", "Delete"):
            yield f"{name}: would be left behind by a lab that is deleted (DeletionPolicy)"


def _network(resources: Resources) -> Iterator[str]:
    for kind in ("NatGateway", "InternetGateway", "EIP"):
        for name in of_type(resources, "AWS::EC2::" + kind):
            yield f"{name}: the private network needs no way out, and pays for it by the hour"
    for name, group in of_type(resources, "AWS::EC2::SecurityGroup").items():
        if any(rule.get("CidrIp") == "0.0.0.0/0" for rule in group.get("SecurityGroupIngress", [])):
            yield f"{name}: lets the whole world in"
    for name, endpoint in of_type(resources, "AWS::EC2::VPCEndpoint").items():
        for statement in endpoint.get("PolicyDocument", {}).get("Statement", [{"Action": "*"}]):
            if "*" in str(statement["Action"]) or "Condition" not in statement:
                yield f"{name}: lets everything through"
