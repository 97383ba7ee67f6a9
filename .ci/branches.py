"""Every branch of infra/template.yaml: each combination of its parameters' values, translated as a deploy would do it.

Run as a script it writes one translated template per combination, with the values fixed in it, for cfn-lint to read.
The combinations come from the template itself, so a new parameter or value is covered the day it is written.
Usage: branches.py FOLDER
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from orderlab.cloud import stack  # noqa: E402

EXAMPLES = {"NamePrefix": ["ab", "a-name-of-20-letters"]}  # values of a parameter that has no AllowedValues: extremes


def branches(parameters: dict[str, Any]) -> list[dict[str, str]]:
    """Every combination of the values of a template's parameters. Raises ValueError for a parameter without values."""
    values = {name: described.get("AllowedValues") or EXAMPLES.get(name) for name, described in parameters.items()}
    if unknown := [name for name, listed in values.items() if not listed]:
        raise ValueError(f"no AllowedValues of parameter {unknown[0]}: say in EXAMPLES which values to try")
    return [dict(zip(values, map(str, chosen), strict=True)) for chosen in itertools.product(*values.values())]


def translated(chosen: dict[str, str]) -> dict[str, Any]:
    """What AWS SAM makes of the template under these parameters, which are the only values that it then admits."""
    made = stack.translate(stack.read(stack.TEMPLATE), stack.TEMPLATE.parent, chosen, _NoS3())
    for name, value in chosen.items():
        made["Parameters"][name] |= {"Default": value, "AllowedValues": [value]}
    return made


class _NoS3:
    """Takes the deployment package and forgets it."""

    def create_bucket(self, **_: Any) -> None: ...

    def put_object(self, **_: Any) -> None: ...


def main(folder: Path) -> int:
    """Write a file for each combination."""
    folder.mkdir(parents=True, exist_ok=True)
    found = branches(stack.read(stack.TEMPLATE)["Parameters"])
    for chosen in found:
        (folder / ("_".join(chosen.values()) + ".json")).write_text(json.dumps(translated(chosen)), encoding="utf-8")
    print(f"{len(found)} combinations of the template's parameters")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: branches.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
