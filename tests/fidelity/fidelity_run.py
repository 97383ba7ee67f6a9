"""Ask the worlds, and write orderlab/cloud/fidelity.json and FIDELITY.md.

    ORDERLAB_VECTORS=... python tests/fidelity/fidelity_run.py [command that starts ministack, and its version]

Without ministack its column stays as it was; so do the counts of whole languages without the vectors.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[2])]

import fidelity_worlds as worlds  # noqa: E402
from fidelity_events import EVENT_RULES  # noqa: E402
from fidelity_left_out import NOT_COVERED  # noqa: E402
from fidelity_rule import Rule  # noqa: E402
from fidelity_rules import FRONT_RULES, RULES  # noqa: E402
from fidelity_sources import KEY_RULES, PROCESS_RULES, SOURCE_RULES  # noqa: E402

from orderlab.cloud import fidelity, rules  # noqa: E402

PARTS: tuple[tuple[Path, tuple[Rule, ...]], ...] = (
    (worlds.TEMPLATE, RULES),
    (worlds.FRONT, FRONT_RULES),
    (worlds.SERVICES, (*EVENT_RULES, *SOURCE_RULES)),
    (worlds.KEYS, KEY_RULES),
    (worlds.PROCESSES, PROCESS_RULES),
)
EVERY = tuple(rule for _, part in PARTS for rule in part)


def answers(world: Callable[[Path], Any]) -> dict[str, str]:
    """Every probe's answer in a world that lives in this process."""
    found: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto's remarks on types that it skips
        for template, part in PARTS:
            with world(template) as made:
                found |= {rule.id: worlds.ask(rule.probe, made) for rule in part}
    return found


def languages(vectors: Path, ministack: Callable[[Any, Any], str] | None = None) -> list[dict[str, Any]]:
    """How many rows of recorded ground truth each world gets right."""
    aws = json.loads((vectors / "eventbridge_patterns_aws.json").read_text("utf-8"))
    engine = [
        json.loads(line) for line in (vectors / "eventbridge_patterns_ruler.jsonl").read_text("utf-8").splitlines()
    ]
    deliveries = json.loads((vectors / "eventbridge_input_transformers.json").read_text("utf-8"))
    found = []
    for name, rows in (("event patterns, recorded on AWS", aws), ("event patterns, AWS's open engine", engine)):
        known = next((one for one in fidelity.table().languages if one["name"] == name), {}) if not ministack else {}
        found.append({
            "name": name,
            "rows": len(rows),
            "ours": _right(rows, _our_verdict),
            "moto": _right(rows, _moto_verdict),
            "ministack": _right(rows, ministack) if ministack else known.get("ministack", "not run"),
        })  # fmt: skip
    rendered = sum(_rendered(row) == (row["body"] if row["delivered"] else None) for row in deliveries)
    name = "input and transformers, recorded on AWS"
    found.append({"name": name, "rows": len(deliveries), "ours": rendered, "moto": "not run", "ministack": "not run"})
    return found


def _right(rows: Iterable[dict[str, Any]], verdict: Callable[[Any, Any], str]) -> int:
    return sum(verdict(row["pattern"], row["event"]) == row["expect"] for row in rows)


def _our_verdict(pattern: Any, event: Any) -> str:
    try:
        return "match" if rules.matches(pattern, event) else "no_match"
    except rules.InvalidPattern:
        return "error"


def _moto_verdict(pattern: Any, event: Any) -> str:
    from moto.events.models import EventPattern

    try:
        text, read = (pattern if isinstance(pattern, str) else json.dumps(pattern)), event
        read = json.loads(event) if isinstance(event, str) else event
        return "match" if EventPattern.load(text).matches_event(read) else "no_match"
    except Exception:  # whatever stops it, it gives no verdict
        return "error"


def _rendered(row: dict[str, Any]) -> Any:
    target = {key: row[key] for key in ("Input", "InputPath") if key in row}
    if "InputTemplate" in row:
        target["InputTransformer"] = {key: row[key] for key in ("InputPathsMap", "InputTemplate")}
    return rules.render(target, row["event"])


def written(
    ours: dict[str, str], moto: dict[str, str], ministack: dict[str, str], counts: list[dict[str, Any]], version: str
) -> dict[str, Any]:
    """What the file holds."""
    return {
        "versions": {"moto": worlds.moto_version(), "ministack": version},
        "rules": [
            {"id": r.id, "area": r.area, "rule": r.rule, "aws": r.aws, "known": r.known, "source": r.source,
             "ours": ours[r.id], "moto": moto[r.id], "ministack": ministack.get(r.id, "not run")}
            for r in EVERY
        ],
        "languages": counts,
        "not_covered": [dict(zip(("area", "what", "instead"), row, strict=True)) for row in NOT_COVERED],
    }  # fmt: skip


def main(command: str = "", version: str = "") -> None:
    """Ask everybody who is there, and write both files."""
    if not fidelity.FILE.exists():
        fidelity.FILE.write_text(_empty(), "utf-8")
    before = fidelity.table()
    third = {row.id: row.ministack for row in before.rows}
    version, counts = version or before.versions.get("ministack", ""), before.languages
    vectors = os.environ.get("ORDERLAB_VECTORS")
    first, second = answers(worlds.ours), answers(worlds.moto)
    if command:
        with worlds.ministack(command) as make:
            for template, part in reversed(PARTS):
                made = make(template)
                third |= {rule.id: worlds.ask(rule.probe, made) for rule in part}
            client = made.client("events")

            def verdict(pattern: Any, event: Any) -> str:
                texts = (value if isinstance(value, str) else json.dumps(value) for value in (pattern, event))
                try:
                    answer = client.test_event_pattern(**dict(zip(("EventPattern", "Event"), texts, strict=True)))
                except Exception:  # whatever stops it, it gives no verdict
                    return "error"
                return "match" if answer["Result"] else "no_match"

            counts = languages(Path(vectors), verdict) if vectors else counts
    elif vectors:
        counts = languages(Path(vectors))
    made_now = written(first, second, third, counts, version)
    fidelity.FILE.write_text(json.dumps(made_now, indent=1, ensure_ascii=False) + "\n", "utf-8", newline="\n")
    text = fidelity.Fidelity(made_now).document()
    fidelity.FILE.with_name("FIDELITY.md").write_text(text, "utf-8", newline="\n")


def _empty() -> str:
    return json.dumps({"versions": {}, "rules": [], "languages": [], "not_covered": []})


if __name__ == "__main__":
    main(*sys.argv[1:3])
