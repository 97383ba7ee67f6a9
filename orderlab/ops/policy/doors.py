"""The policy for side doors: whoever comes in by another way than the API, and whose code and secrets are inside.

A resource policy opens a thing to strangers whatever the roles say; a function URL is a second front door without
throttle or key; a layer of another account is code that its owner may change the next version of; and what stands in a
template or in a variable of a function is read by everybody who may look at the stack.
Taught in notebooks/12_ship_it.ipynb
"""

import re
from collections.abc import Iterator
from typing import Any

from .template import Resources, anyone, as_list, named, of_type, statements

CALLERS = ("apigateway.amazonaws.com", "events.amazonaws.com")  # the services that invoke functions of this system
SECRET_NAME = re.compile(r"(?i)secret|passw|token|credential|(api|private|access)_?key")
SECRET_TEXT = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN|(sk|rk|pk)_live_|gh[pousr]_\w{30}|xox[abp]-")


def check_doors(resources: Resources) -> Iterator[str]:
    """Every finding about strangers, strange code and secrets, each beginning with the logical id it is about."""
    for name in of_type(resources, "AWS::Lambda::Url"):
        yield f"{name}: is a second front door, without key, throttle or validation"
    for name, permission in of_type(resources, "AWS::Lambda::Permission").items():
        if permission["Principal"] not in CALLERS or permission["Action"] != "lambda:InvokeFunction":
            yield f"{name}: lets {permission['Principal']} do {permission['Action']}: one service may invoke, no more"
    for name, bucket in of_type(resources, "AWS::S3::Bucket").items():
        if bucket.get("AccessControl", "Private") != "Private":
            yield f"{name}: is opened by its access control list (AccessControl)"
    for name, document in _policies(resources):
        if any(s["Effect"] == "Allow" and _open(s) for s in statements(document)):
            yield f"{name}: its policy lets in everybody"
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        yield from _inside(name, function)
    yield from _trust(resources)


def _open(statement: dict[str, Any]) -> bool:
    """Everybody, or everybody but some, unless a condition says by a whole name who it is or what it comes from."""
    tests = statement.get("Condition", {})
    naming = [keys for test, keys in tests.items() if test in ("ArnEquals", "StringEquals")]
    narrow = any(key.startswith(("aws:Principal", "aws:Source")) for keys in naming for key in keys)
    return "NotPrincipal" in statement or (anyone(statement) and not narrow)


def _policies(resources: Resources) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy of a resource; those of queues have a check of their own, and one of an endpoint names its role."""
    for kind in ("AWS::S3::BucketPolicy", "AWS::Events::EventBusPolicy", "AWS::SNS::TopicPolicy"):
        for name, policy in of_type(resources, kind).items():
            yield name, policy
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        for key in ("ResourcePolicy", "Policy"):
            policy = properties.get(key)
            if isinstance(policy, dict):
                yield name, policy if {"Statement", "PolicyDocument"} & policy.keys() else {"Statement": policy}


def _inside(name: str, function: dict[str, Any]) -> Iterator[str]:
    for layer in function.get("Layers", []):
        if not named(layer):
            yield f"{name}: runs code of somebody else ({layer})"
    for variable, value in function.get("Environment", {}).get("Variables", {}).items():
        if SECRET_TEXT.search(str(value)) or _is_secret(variable, str(value)):
            yield f"{name}: has a secret in {variable}, which everybody reads who may look at the function"


def _is_secret(variable: str, value: str) -> bool:
    """A reference names a resource, a number is a setting, and what is empty is not there."""
    return bool(SECRET_NAME.search(variable) and value and not value.isdigit() and not named(value))


def _trust(resources: Resources) -> Iterator[str]:
    """A role is assumed by the one service that acts under it."""
    users = {"AWS::Lambda::Function": ("Role", "lambda"), "AWS::StepFunctions::StateMachine": ("RoleArn", "states")}
    for kind, (key, service) in users.items():
        for thing in of_type(resources, kind).values():
            yield from _assumed(named(thing.get(key)), service, resources)
    for rule in of_type(resources, "AWS::Events::Rule").values():
        for target in rule.get("Targets", []):
            yield from _assumed(named(target.get("RoleArn")), "events", resources)
    for method in of_type(resources, "AWS::ApiGateway::Method").values():
        yield from _assumed(named(method["Integration"].get("Credentials")), "apigateway", resources)


def _assumed(role: str, service: str, resources: Resources) -> Iterator[str]:
    properties = of_type(resources, "AWS::IAM::Role").get(role, {})
    for statement in statements(properties.get("AssumeRolePolicyDocument", {})):
        by = as_list(statement.get("Principal", {}).get("Service")) if not anyone(statement) else ["everybody"]
        if by != [f"{service}.amazonaws.com"] or as_list(statement.get("Action")) != ["sts:AssumeRole"]:
            yield f"{role}: is to be assumed by {service}.amazonaws.com, and not by {by[0]}"
