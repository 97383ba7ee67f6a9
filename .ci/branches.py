"""The branches of infra/template.yaml: combinations of its parameters' values, translated as a deploy would do it.

All combinations of a dozen parameters are thousands. Here any three values of any three parameters stand together in at
least one combination, which takes some twenty. That is enough where nothing depends on more than three parameters at
once; in this template nothing depends on more than two, and a test holds that.
Source: Kuhn, Kacker and Lei, Practical Combinatorial Testing, NIST SP 800-142.

Run as a script it writes one translated template per combination, with the values fixed in it, for linters to read.
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
from orderlab.cloud.stack.template import TEMPLATE, read  # noqa: E402
from orderlab.cloud.stack.translation import translate  # noqa: E402

EXAMPLES = {  # values of a parameter that has no AllowedValues: extremes
    "NamePrefix": ["ab", "a-name-of-20-letters"],
    "Budget": ["off", "a.student@example.org"],
    "BudgetDollars": ["1", "1000"],
}
STRENGTH = 3  # so many values of as many parameters stand together somewhere


def branches(parameters: dict[str, Any], strength: int = STRENGTH) -> list[dict[str, str]]:
    """Combinations of the values of a template's parameters, in which any `strength` values stand together.

    The first one has the first value of each. Raises ValueError for a parameter without values.
    """
    values = {name: described.get("AllowedValues") or EXAMPLES.get(name) for name, described in parameters.items()}
    if unknown := [name for name, listed in values.items() if not listed]:
        raise ValueError(f"no AllowedValues of parameter {unknown[0]}: say in EXAMPLES which values to try")
    texts = {name: list(map(str, listed or ())) for name, listed in values.items()}
    missing = _together(texts, min(strength, len(texts)))
    found: list[dict[str, str]] = []
    while missing:
        chosen = _fill(texts, missing)
        found.append(chosen)
        missing = {some: None for some in missing if not some <= chosen.items()}
    return found


Values = frozenset[tuple[str, str]]  # some parameters, each with a value


def _together(values: dict[str, list[str]], strength: int) -> dict[Values, None]:
    """All values of any so many parameters, in the template's order (a dict, because a set has none)."""
    return {
        frozenset(zip(names, chosen, strict=True)): None
        for names in itertools.combinations(values, strength)
        for chosen in itertools.product(*(values[name] for name in names))
    }


def _fill(values: dict[str, list[str]], missing: dict[Values, None]) -> dict[str, str]:
    """One combination: it holds the first of what is missing, and then, parameter by parameter, what serves most."""
    chosen = dict(next(iter(missing)))
    for name in (name for name in values if name not in chosen):
        chosen[name] = max(values[name], key=lambda value: _served(missing, chosen, (name, value)))
    return {name: chosen[name] for name in values}


def _served(missing: dict[Values, None], chosen: dict[str, str], more: tuple[str, str]) -> float:
    """What one more value does for all that is missing and still possible: the less is then left, the more."""
    then = {*chosen.items(), more}
    possible = (some for some in missing if more in some and all(chosen.get(n, value) == value for n, value in some))
    return float(sum(4.0 ** -len(some - then) for some in possible))


def translated(chosen: dict[str, str]) -> dict[str, Any]:
    """What AWS SAM makes of the template under these parameters; of listed values it then admits no others."""
    made = translate(read(TEMPLATE), TEMPLATE.parent, chosen, _NoS3())
    for name, value in chosen.items():
        described = made["Parameters"][name]
        described["Default"] = value
        if "AllowedValues" in described:
            described["AllowedValues"] = [value]
    return made


class _NoS3:
    """Takes the deployment package and forgets it."""

    def create_bucket(self, **_: Any) -> None: ...

    def put_object(self, **_: Any) -> None: ...


def main(folder: Path) -> int:
    """Write a file for each combination."""
    found = branches(read(TEMPLATE)["Parameters"])
    folder.mkdir(parents=True, exist_ok=True)
    for n, one in enumerate(found):
        text = json.dumps(translated(one), indent=1)
        (folder / f"{n:02}-{one['Saga']}.json").write_text(text, encoding="utf-8")
    print(f"{len(found)} combinations of the template's parameters, any {STRENGTH} values together in one of them")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: branches.py FOLDER")
    sys.exit(main(Path(sys.argv[1])))
