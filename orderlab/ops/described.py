"""What infra/template.yaml says before AWS translates it: read once for each text, and its conditions decided.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from orderlab.environment import ROOT

TEMPLATE = ROOT / "infra" / "template.yaml"


@lru_cache(maxsize=4)
def parse(text: str) -> dict[str, Any]:
    """The template in a text, CloudFormation's short forms written out. It is shared: who changes it takes a copy.

    Raises yaml.YAMLError for what is no YAML.
    """
    from samtranslator.yaml_helper import yaml_parse  # half a second: `--help` does not wait for it

    found: dict[str, Any] = yaml_parse(text)
    return found


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
