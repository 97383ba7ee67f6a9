"""What the course promises to teach: each id has cells that teach it in the lessons that own it, and tests for it.

A lesson says in `tests/coverage/lesson_NN.json` where it teaches what: {"C5": {"cells": [...], "tests": [...]}}, cells
by their ids, tests as file::function. A lesson that is there must cover all that it owns.
"""

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from notebook_files import LESSONS, page

TESTS = Path(__file__).parent
PROMISED: dict[str, tuple[str, str]] = {  # id: what, and the lessons that own it
    "A1": ("EventBridge routes by content to many targets that the producer does not know", "03"),
    "A2": ("stateless functions; state in DynamoDB, ElastiCache or S3; horizontal scaling", "06"),
    "A3": ("a breaker opens at a threshold, five consecutive errors, and prevents resource exhaustion", "09"),
    "A4": ("idempotency by unique request ids or database constraints", "07"),
    "A5": ("batchItemFailures", "05"),
    "B1": ("RequestResponse against Event", "01"),
    "B2": ("the article's retry_with_backoff", "08"),
    "B3": ("put_events", "03"),
    "C1": ("fanout to stock and payment at once", "03"),
    "C2": ("direct calls cascade", "01"),
    "C3": ("validation at the gateway by a JSON model", "02"),
    "C4": ("validation only in Lambda costs", "02"),
    "C5": ("visibility timeout six times the function's", "04"),
    "C6": ("a visibility timeout that is too low", "04"),
    "D1": ("the thundering herd", "08"),
    "K1": ("patterns: event-driven, microservices, monolith, choreography, orchestration, fanout", "01 03 10"),
    "K2": ("idempotency", "07"),
    "K3": ("stateful and stateless", "06"),
    "K4": ("tight and loose coupling", "01 03"),
    "K5": ("fault tolerance: backoff and jitter, dead letters", "04 08"),
    "K6": ("synchronous and asynchronous", "01"),
    "S1": ("resilient code", "05 09"),
    "S2": ("APIs: transformations, validation, status codes", "02"),
    "S3": ("unit tests, AWS SAM", "05 12"),
    "S4": ("messaging services", "03 04"),
    "S5": ("AWS's SDKs", "01"),
    "S6": ("streaming", "06"),
}
FILES = sorted((TESTS / "coverage").glob("lesson_*.json"))
WRITTEN = {path.stem[:2]: path for path in LESSONS}


def owned(lesson: str) -> set[str]:
    """The ids that a lesson must cover."""
    return {id for id, (_, lessons) in PROMISED.items() if lesson in lessons.split()}


@cache
def functions(path: Path) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def wrong(lesson: str, covered: dict[str, Any], cells: dict[str, str]) -> list[str]:
    """What is missing or names what is not there: `cells` are the kinds of a lesson's cells by id."""
    found = [f"{id} is not covered: {PROMISED[id][0]}" for id in sorted(owned(lesson) - covered.keys())]
    for id, where in covered.items():
        kinds = [cells.get(cell, "missing") for cell in where["cells"]]
        found += [f"{id}: no id of the course"] * (id not in PROMISED)
        found += [f"{id}: no cell {cell}" for cell in where["cells"] if cell not in cells]
        found += [f"{id}: needs a cell of text and one of code"] * (not {"markdown", "code"} <= {*kinds})
        found += [f"{id}: no test proves it"] * (not where["tests"])
        for test in where["tests"]:
            file, _, name = test.partition("::")
            if not (TESTS.parent / file).is_file() or name not in functions(TESTS.parent / file):
                found.append(f"{id}: there is no test {test}")
    return found


@pytest.mark.parametrize("lesson", sorted(number for number in WRITTEN if owned(number)))
def test_a_lesson_that_is_there_covers_what_it_owns(lesson: str) -> None:
    """Cells of text and code that exist, and tests that exist."""
    path = TESTS / "coverage" / f"lesson_{lesson}.json"
    covered = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    cells = {cell["id"]: cell["cell_type"] for cell in page(WRITTEN[lesson]).cells}
    assert "\n".join(wrong(lesson, covered, cells)) == ""


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_only_lessons_that_are_there_say_what_they_cover(path: Path) -> None:
    """A file of a lesson that is gone would promise nothing to anybody."""
    assert path.stem.removeprefix("lesson_") in WRITTEN


@pytest.mark.parametrize(
    ("covered", "says"),
    [
        ({}, "C6 is not covered"),
        ({"Z9": {"cells": ["t", "c"], "tests": [f"{Path(__file__).parent.name}/{Path(__file__).name}::nobody"]}}, "Z9"),
        ({"C5": {"cells": ["t", "gone"], "tests": []}}, "no cell gone"),
        ({"C5": {"cells": ["t"], "tests": []}}, "needs a cell of text and one of code"),
        ({"C5": {"cells": ["t", "c"], "tests": []}}, "no test proves it"),
        ({"C5": {"cells": ["t", "c"], "tests": ["tests/test_coverage.py::test_gone"]}}, "there is no test"),
    ],
)
def test_what_is_missing_is_named(covered: dict[str, Any], says: str) -> None:
    """Each way to be wrong is seen."""
    assert any(says in line for line in wrong("04", covered, {"t": "markdown", "c": "code"}))


def test_what_is_right_is_not_refused() -> None:
    """A lesson that covers what it owns."""
    where = {"cells": ["t", "c"], "tests": ["tests/test_coverage.py::test_what_is_right_is_not_refused"]}
    assert wrong("04", dict.fromkeys(owned("04"), where), {"t": "markdown", "c": "code"}) == []
