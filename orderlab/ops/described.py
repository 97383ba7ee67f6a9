"""What infra/template.yaml says before AWS makes anything of it: where it is, and what exists under which parameters.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from typing import Any

from orderlab.environment import ROOT

INFRA = ROOT / "infra"
TEMPLATE = INFRA / "template.yaml"


def defaults(template: Mapping[str, Any]) -> dict[str, str]:
    """Every parameter with the value that it has unless another is given."""
    return {name: str(described.get("Default", "")) for name, described in template.get("Parameters", {}).items()}


def admitted(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, str]:
    """Those of a stack's parameters that the template has: a stack may come from an earlier or a later one."""
    return {name: value for name, value in parameters.items() if name in template.get("Parameters", {})}


def made(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The resources that exist under these parameters, by logical id."""
    values, conditions = {**defaults(template), **given}, template.get("Conditions", {})
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or holds({"Condition": resource["Condition"]}, values, conditions)
    }


def holds(condition: Mapping[str, Any], values: Mapping[str, str], conditions: Mapping[str, Any]) -> bool:
    """Is this condition true under these values of the parameters? `conditions` are the template's, by name.

    Raises ValueError for a function of CloudFormation that is not known here.
    """
    ((function, told),) = condition.items()
    if function == "Condition":
        return holds(conditions[told], values, conditions)
    if function == "Fn::Equals":
        left, right = (values[side["Ref"]] if isinstance(side, dict) else str(side) for side in told)
        return left == right
    if function == "Fn::Not":
        return not holds(told[0], values, conditions)
    if function in ("Fn::And", "Fn::Or"):
        return (all if function == "Fn::And" else any)(holds(one, values, conditions) for one in told)
    raise ValueError(f"the condition function {function} is not known to orderlab/ops/described.py")
