"""The policy for functions: each has the rights it uses and no others, a log that ends, a runtime that is patched.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ..rights import behalf
from ..rights.actions import Needed
from .template import Resources, as_list, named, of_type, statements

RUNTIMES = {  # the day after which AWS no longer patches it; lambda/latest/dg/lambda-runtimes, November 2026
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
NEAR = timedelta(days=365)  # before its end a runtime is too old to begin with


def check_rights(resources: Resources, today: date) -> Iterator[str]:
    """Every finding about functions and permissions, each beginning with the logical id it is about."""
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        yield from _function(name, function, resources)
        yield from _runtime(name, function["Runtime"], today)
        yield from _reach(name, function, resources)
    for name, permission in of_type(resources, "AWS::Lambda::Permission").items():
        if not named(permission.get("SourceArn")):
            yield f"{name}: lets every {permission['Principal']} of the world invoke (no SourceArn)"


def rights(role: dict[str, Any]) -> set[Needed]:
    """The pairs (action, resource) that a role's inline policies allow; all but something counts as "*"."""
    return {
        (action, resource)
        for policy in role.get("Policies", [])
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        for action in (["*"] if "NotAction" in statement else as_list(statement["Action"]))
        for resource in (["*"] if "NotResource" in statement else as_list(statement["Resource"]))
    }


def everywhere(function: dict[str, Any]) -> list[Needed]:
    """The rights that may name the resource "*", where they are used: EC2 and X-Ray know no narrower one."""
    joins = behalf.NETWORK.on("*") if "VpcConfig" in function else []
    return joins + (behalf.TRACES.on("*") if traced(function) else [])


def traced(properties: dict[str, Any]) -> bool:
    """Does a function, or a state machine, send traces?"""
    mode = properties.get("TracingConfig", {}).get("Mode")
    return mode == "Active" or properties.get("TracingConfiguration", {}).get("Enabled") is True


def _function(name: str, function: dict[str, Any], resources: Resources) -> Iterator[str]:
    logs = of_type(resources, "AWS::Logs::LogGroup").get(named(function.get("LoggingConfig", {}).get("LogGroup")))
    if logs is None:
        yield f"{name}: writes to a log group that the stack does not own, and that stays for ever"
    elif logs["LogGroupName"] != f"/aws/lambda/{function['FunctionName']}":
        yield f"{name}: its log group is not called after it"
    if function["Timeout"] > 29 and any(name in str(m) for m in of_type(resources, "AWS::ApiGateway::Method").values()):
        yield f"{name}: may run for {function['Timeout']} s, and API Gateway hangs up after 29"


def _runtime(name: str, runtime: str, today: date) -> Iterator[str]:
    if runtime not in RUNTIMES:
        yield f"{name}: runtime {runtime} is not one that this course has checked"
    elif RUNTIMES[runtime] - NEAR < today:
        yield f"{name}: runtime {runtime} is near its end, which is on {RUNTIMES[runtime]}"


def _reach(name: str, function: dict[str, Any], resources: Resources) -> Iterator[str]:
    """A function has rights on what its variables, mappings and destinations name, and on nothing else."""
    role = of_type(resources, "AWS::IAM::Role").get(named(function["Role"]))
    if role is None:
        yield f"{name}: its role is not in the stack"
        return
    allowed = rights(role)
    told = {named(value) for value in function.get("Environment", {}).get("Variables", {}).values()} - {""}
    needed = lambda_rights(name, resources)
    for extra in sorted(needed - allowed):
        yield f"{name}: AWS itself needs {extra[0]} on {extra[1]} for it"
    for thing in sorted(told - {named(resource) for _, resource in allowed}):
        if resources[thing]["Type"] != "AWS::ElastiCache::ServerlessCache":  # reached by network, not by IAM
            yield f"{name}: is told of {thing} and may do nothing with it"
    for action, resource in sorted(allowed - needed):
        if named(resource) not in told | {""}:
            yield f"{name}: may do {action} on {resource}, which it is never told of"
    if "VpcConfig" in function:
        open_to = {
            (action, resource)
            for endpoint in of_type(resources, "AWS::EC2::VPCEndpoint").values()
            for statement in statements(endpoint)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }
        for action, resource in sorted(allowed - needed - open_to):
            yield f"{name}: may do {action} on {resource}, which its VPC has no way to"
    for variable, value in function.get("Environment", {}).get("Variables", {}).items():
        is_cache = resources.get(named(value), {}).get("Type") == "AWS::ElastiCache::ServerlessCache"
        if is_cache and not value.startswith("valkeys://"):
            yield f"{name}: speaks to its cache without TLS ({variable})"


def lambda_rights(name: str, resources: Resources) -> set[Needed]:
    """The rights that Lambda uses on a function's behalf: for its log, its mappings and its destinations."""
    function = resources[name]["Properties"]
    logs = named(function.get("LoggingConfig", {}).get("LogGroup"))
    found = {*behalf.LOG.on(f"${{{logs}.Arn}}"), *everywhere(function)}
    for mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").values():
        if named(mapping["FunctionName"]) == name:
            source = named(mapping["EventSourceArn"])
            if resources[source]["Type"] == "AWS::SQS::Queue":
                found.update(behalf.QUEUE.on(f"${{{source}.Arn}}"))
            else:
                found.update(behalf.STREAM.on(f"${{{source}.Arn}}/stream/*"))
            found.update(_destination_rights(mapping, resources))
    for config in of_type(resources, "AWS::Lambda::EventInvokeConfig").values():
        if named(config["FunctionName"]) == name:
            found.update(_destination_rights(config, resources))
    return found


def _destination_rights(config: dict[str, Any], resources: Resources) -> list[Needed]:
    place = named(config.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"))
    if not place:
        return []
    arn = f"${{{place}.Arn}}"
    if resources[place]["Type"] == "AWS::SQS::Queue":
        return behalf.FAILED.on(arn)
    return behalf.BATCH.on(f"{arn}/*") + behalf.BUCKET.on(arn)
