"""What infra/template.yaml says before AWS translates it: where it is, and how its conditions are decided.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from typing import Any

from orderlab.environment import ROOT

TEMPLATE = ROOT / "infra" / "template.yaml"


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
