"""What the policies of the stack's roles allow, and the names by which a person knows roles and resources.

Taught in notebooks/12_ship_it.ipynb
"""

from typing import TYPE_CHECKING, Any

from .actions import Needed

if TYPE_CHECKING:
    from orderlab.cloud.stack.resources import Resource, Stack


def allowed(role: dict[str, Any]) -> set[Needed]:
    """The actions that a role's properties allow, each with the resource as the policy writes it."""
    return {
        (action, resource)
        for policy in role.get("Policies") or []
        for statement in policy["PolicyDocument"]["Statement"]
        if statement and statement["Effect"] == "Allow"  # None: its condition was false
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def with_policies(role: "Resource", stack: "Stack") -> dict[str, Any]:
    """A role's properties, with the policies that stand beside it in the stack as a part of it."""
    beside = [p.properties for p in stack.of_type("AWS::IAM::Policy") if role.physical_id in p.properties["Roles"]]
    return {**role.properties, "Policies": [*(role.properties.get("Policies") or []), *beside]}


def roles_of(stack: "Stack") -> dict[str, str]:
    """Who acts under which role: the role's ARN by the function's logical id, and for "gateway"."""
    found = {function.logical_id: function.properties["Role"] for function in stack.of_type("AWS::Lambda::Function")}
    for method in stack.of_type("AWS::ApiGateway::Method"):
        if credentials := (method.properties.get("Integration") or {}).get("Credentials"):
            found["gateway"] = credentials
    return found


def legible(arn: str, stack: "Stack") -> str:
    """An ARN by logical ids: "OrdersTable/stream/*"; as it is where the stack has no such thing."""
    rest = arn.split(":", 5)[-1]
    for resource in stack.resources.values():
        stem = _stem(resource)
        if rest == stem or rest.startswith((f"{stem}/", f"{stem}:*")):
            return resource.logical_id + rest[len(stem) :]
    return arn


_STEMS = {  # what an ARN says after the account, before the resource's name
    "AWS::DynamoDB::Table": "table/",
    "AWS::Events::EventBus": "event-bus/",
    "AWS::Lambda::Function": "function:",
    "AWS::Logs::LogGroup": "log-group:",
    "AWS::S3::Bucket": "",
    "AWS::SQS::Queue": "",
    "AWS::StepFunctions::StateMachine": "stateMachine:",
}


def _stem(resource: "Resource") -> str:
    """What the ARN of a resource says after the account; what no ARN says for a resource of another kind."""
    if resource.type not in _STEMS:
        return f"a {resource.type}"
    name = resource.physical_id
    if resource.type != "AWS::Logs::LogGroup":  # the id of a queue is its URL, and of a machine its ARN
        name = name.rpartition("/")[2].rpartition(":")[2]
    return _STEMS[resource.type] + name


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
