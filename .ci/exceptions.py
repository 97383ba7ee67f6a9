"""Hold what checkov and the serverless rules of cfn-lint find against the exceptions that the template justifies.

Metadata.OrderLab.Exceptions in infra/template.yaml lists each exception: the finding's id, the resources (logical ids)
or types that it is meant for, and why. A finding that is not listed fails, and so does an exception that no finding
needs any more. Both tools run on the template as SAM translates it, all exceptions aside, and write JSON.
Usage: exceptions.py CHECKOV.json CFN_LINT.json
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from orderlab.cloud.stack.template import TEMPLATE, read  # noqa: E402


@dataclass(frozen=True, order=True)
class Finding:
    """What a tool says of a resource: the rule's id, the resource's logical id and type, and the text."""

    rule: str
    resource: str
    type: str
    text: str


def from_checkov(told: dict[str, Any]) -> set[Finding]:
    """The findings in checkov's report. Raises ValueError for a report of nothing, or of what it could not read."""
    summary = told.get("summary") or {}
    if not summary.get("passed") or summary.get("parsing_errors"):
        raise ValueError(f"checkov has not read the templates: {summary or told}")
    return {
        Finding(failed["check_id"], *reversed(failed["resource"].rsplit(".", 1)), failed["check_name"])
        for failed in told["results"]["failed_checks"]
    }


def from_cfn_lint(told: list[dict[str, Any]], types: dict[str, str]) -> set[Finding]:
    """The findings in cfn-lint's report. Raises ValueError for one that names no resource, such as a file not read."""
    found = set()
    for match in told:
        path = (match.get("Location") or {}).get("Path") or []
        if len(path) < 2 or path[0] != "Resources" or path[1] not in types:
            raise ValueError(f"cfn-lint: {match['Rule']['Id']} {match['Message']}")
        found.add(Finding(match["Rule"]["Id"], path[1], types[path[1]], match["Rule"]["ShortDescription"]))
    return found


def judge(findings: set[Finding], exceptions: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong, one line each: findings without an exception, and exceptions without a finding."""
    wrong, needed = [], set()
    for found in sorted(findings):
        places = {found.resource, found.type} & set(exceptions.get(found.rule, {}).get("Of", []))
        needed |= {(found.rule, place) for place in places}
        if not places:
            wrong.append(f"{found.resource}: {found.rule} {found.text}")
    for rule, described in exceptions.items():
        if len(str(described.get("Because", "")).split()) < 4:
            wrong.append(f"{rule}: the exception does not say why (Because)")
        unused = [place for place in described.get("Of", []) if (rule, place) not in needed]
        wrong += [f"{rule}: nothing is found on {place} any more: take it out of the exceptions" for place in unused]
    return wrong


def main(checkov: Path, cfn_lint: Path) -> int:
    """Read both reports and print the judgement; the exit status is 1 when something is wrong."""
    template = read(TEMPLATE)
    types = {name: resource["Type"] for name, resource in template["Resources"].items()}
    types |= {name: "AWS::Lambda::Function" for name, kind in types.items() if kind == "AWS::Serverless::Function"}
    try:
        findings = from_checkov(json.loads(checkov.read_text("utf-8")))
        findings |= from_cfn_lint(json.loads(cfn_lint.read_text("utf-8")), types)
    except ValueError as error:
        print(f"exceptions.py: {error}")
        return 1
    exceptions = template["Metadata"]["OrderLab"]["Exceptions"]
    wrong = judge(findings, exceptions)
    print("\n".join(wrong) or f"{len(findings)} findings, all meant: {len(exceptions)} exceptions say why")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: exceptions.py CHECKOV.json CFN_LINT.json")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
