"""The policy for roles: one for each function, nothing managed, no star that AWS does not ask for, and gone in time.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator

from ..rights import behalf
from .rights import everywhere, rights, traced
from .template import Resources, as_list, named, of_type, statements


def check_roles(resources: Resources) -> Iterator[str]:
    """Every finding about roles, each beginning with the logical id it is about."""
    yield from _roles(resources)
    yield from _owners(resources)
    yield from _leaving(resources)


def stars(resources: Resources) -> set[tuple[str, str]]:
    """The pairs (role, action) that may name the resource "*": what joins a VPC, and what sends traces."""
    found = set()
    for function in of_type(resources, "AWS::Lambda::Function").values():
        found |= {(named(function["Role"]), action) for action, _ in everywhere(function)}
    for machine in of_type(resources, "AWS::StepFunctions::StateMachine").values():
        if traced(machine):
            found |= {(named(machine["RoleArn"]), action) for action, _ in behalf.SAMPLES.on("*")}
    return found


def _roles(resources: Resources) -> Iterator[str]:
    admitted = stars(resources)
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        if role.get("ManagedPolicyArns"):
            yield f"{name}: has a managed policy, whose resources nobody here chose"
        for statement in statements(role["AssumeRolePolicyDocument"]):
            if set(statement["Principal"]) != {"Service"} or len(as_list(statement["Principal"]["Service"])) != 1:
                yield f"{name}: can be assumed by more than one service"
        for action, resource in sorted(rights(role)):
            if "*" in action:
                yield f"{name}: may do {action}: name the actions"
            if not named(resource) and (name, action) not in admitted:
                yield f"{name}: may do {action} on {resource}: name the resource"
            if resource.count("*") > 1 or (not resource.endswith(("}", "/*")) and resource != "*"):
                yield f"{name}: may do {action} on {resource}: a wildcard may only end a path"


def _owners(resources: Resources) -> Iterator[str]:
    users = [named(function["Role"]) for function in of_type(resources, "AWS::Lambda::Function").values()]
    for role in sorted(set(users)):
        if users.count(role) > 1:
            yield f"{role}: is shared by {users.count(role)} functions, so each has the rights of all"
    for other in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"):
        for name, policy in of_type(resources, other).items():
            outlasts = rights({"Policies": [policy]}) <= set(behalf.NETWORK.on("*"))
            if other != "AWS::IAM::Policy" or not outlasts:
                yield f"{name}: rights stand in the role itself, where they are read"


def _leaving(resources: Resources) -> Iterator[str]:
    """Lambda deletes the interfaces under the role after the function has left the VPC: those rights go last.

    Source: https://github.com/aws/aws-cdk/issues/34400
    """
    beside = {
        named(role): name for name, p in of_type(resources, "AWS::IAM::Policy").items() for role in as_list(p["Roles"])
    }
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        network = function.get("VpcConfig", {})
        last = beside.get(named(function["Role"]))
        for part in (*network.get("SubnetIds", []), *network.get("SecurityGroupIds", [])):
            if last is None or last not in as_list(resources[named(part)].get("DependsOn", [])):
                yield f"{name}: leaves {named(part)} behind when it leaves the VPC: its rights go first (DependsOn)"
