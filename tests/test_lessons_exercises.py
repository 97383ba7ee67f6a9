"""Exercises and predictions of a lesson: each whole, in its order and unsolved, and nothing depends on an answer."""

import ast
import re
import symtable
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from notebook_files import EXERCISE, LESSONS, PREDICTION, Cell, Page, called, page, said, sentences, tree, used
from sample_lesson import added, edited, good, moved, showing, without

THE_END: Cell = {"id": "the end", "cell_type": ""}

Rule = Callable[[Page], Iterator[str]]


def has_two_to_four_exercises_in_three_cells_each(lesson: Page) -> Iterator[str]:
    """Text, code and check follow each other, numbered from 1, under the part Exercises."""
    texts = [cell for cell in lesson.cells if re.fullmatch(r"exercise-\d+-\d+", cell["id"])]
    if not 2 <= len(texts) <= 4:
        yield f"{len(texts)} exercises, and 2 to 4 are right"
    found = [cell["id"] for cell in lesson.cells if EXERCISE.fullmatch(cell["id"])]
    wanted = [
        f"exercise-{lesson.number}-{n}{part}" for n in range(1, len(texts) + 1) for part in ("", "-code", "-check")
    ]
    if found != wanted:
        yield f"the cells of exercises are {found}, and not {wanted}"
    place = lesson.find(wanted[0]) if wanted else 0
    if [cell["id"] for cell in lesson.cells[place : place + len(wanted)]] != wanted:
        yield "the exercises do not follow each other"
    if "## Exercises" not in lesson.cells[place - 1]["source"] + lesson.cells[place]["source"]:
        yield "the first exercise does not come right after `## Exercises`"


def tells_what_an_exercise_wants(lesson: Page) -> Iterator[str]:
    """Its heading has number, name and stars; it says what is given and the goal, folds a hint, links to a solution."""
    for cell in lesson.cells:
        match = re.fullmatch(r"exercise-(\d+)-(\d+)", cell["id"])
        if not match:
            continue
        name, text = ".".join(match.groups()), cell["source"]
        if not re.match(rf"(## Exercises\n(?!#)[^#]*)?### Exercise {re.escape(name)} · \S.* ★{{1,3}}\n", text):
            yield f"{cell['id']} does not start with `### Exercise {name} · name ★★`"
        goal = re.search(r"\*\*Goal\b[.:]?\*\*[.:]?(.+?)(\n\s*\n|\n\s*[-*<]|\Z)", text, re.DOTALL)
        if not re.search(r"\*\*Given\b[.:]?\*\*", text):
            yield f"{cell['id']} has no **Given**"
        if not goal or len(sentences(re.sub(r"About \d+ lines?\.", "", goal.group(1)))) != 1:
            yield f"{cell['id']} has no **Goal** of one sentence"
        if not re.search(r"<details>\s*<summary>[^<]+</summary>\s*[^<\s].*</details>", text, re.DOTALL):
            yield f"{cell['id']} has no folded hint: <details><summary>Hint</summary> … </details>"
        if f"](solutions/{lesson.path.name}" not in text:
            yield f"{cell['id']} does not link to solutions/{lesson.path.name}"


def checks_each_answer_in_one_line(lesson: Page) -> Iterator[str]:
    """A check is one line, check("0.1", name), of a name that the cell before it makes; it says what is missing."""
    for place, cell in enumerate(lesson.cells):
        match = re.fullmatch(r"exercise-(\d+)-(\d+)-check", cell["id"])
        if not match:
            continue
        line = re.fullmatch(rf'check\("{match[1]}\.{match[2]}", (\w+)\)', cell["source"])
        if not line:
            yield f'{cell["id"]} is not one line check("{match[1]}.{match[2]}", name)'
        elif line.group(1) not in made(lesson.cells[place - 1]):
            yield f"{cell['id']} checks {line.group(1)}, which the cell before it does not make"
        if not re.match("[○✗] ", said(cell)):
            yield f"{cell['id']} says {said(cell)[:40]!r}, and a lesson is saved unsolved"


def reveals_what_was_predicted(lesson: Page) -> Iterator[str]:
    """A prediction is one line, still open; before the next one a cell ends in its reveal; after that text explains."""
    order = []
    for place, cell in enumerate(lesson.cells):
        match = PREDICTION.fullmatch(cell["id"])
        if not match:
            continue
        kind, _, letter = match.groups()
        order.append(cell["id"])
        if kind == "predict":
            if cell["source"] != f'predict("{lesson.number}.{letter}", ...)':
                yield f'{cell["id"]} is not one line predict("{lesson.number}.{letter}", ...)'
            continue
        last = getattr(tree(cell).body[-1], "value", None)
        first = last.args[0] if isinstance(last, ast.Call) and len(last.args) == 2 else None
        if called(last) != "reveal" or getattr(first, "value", None) != f"{lesson.number}.{letter}":
            yield f'{cell["id"]} does not end in reveal("{lesson.number}.{letter}", value)'
        if [*lesson.cells, THE_END][place + 1]["cell_type"] != "markdown":
            yield f"{cell['id']} is not followed by words that explain"
    letters = "ABCDEFGH"[: (len(order) + 1) // 2]
    wanted = [f"{kind}-{lesson.number}-{letter}" for letter in letters for kind in ("predict", "reveal")]
    if order != wanted:
        yield f"predictions and reveals are {order}, and not {wanted}"


def depends_on_no_answer(lesson: Page) -> Iterator[str]:
    """What an exercise's cell makes is used by its own check only: not by a later cell, nor by the next exercise."""
    for place, cell in enumerate(lesson.cells):
        if re.fullmatch(r"exercise-.*-code", cell["id"]):
            check = cell["id"].replace("-code", "-check")
            for later in lesson.cells[place + 1 :]:
                names = made(cell) & used(later) if later["cell_type"] == "code" and later["id"] != check else ()
                if names:
                    yield f"{later['id']} uses {sorted(names)} of {cell['id']}"


def made(cell: Cell) -> set[str]:
    """Return the names that a code cell gives to the notebook: by assignment, def, class, import or loop."""
    symbols = symtable.symtable(cell["source"], cell["id"], "exec").get_symbols()
    return {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}


RULES: list[Rule] = [
    has_two_to_four_exercises_in_three_cells_each,
    tells_what_an_exercise_wants,
    checks_each_answer_in_one_line,
    reveals_what_was_predicted,
    depends_on_no_answer,
]


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_lesson_keeps_the_rule(path: Path, rule: Rule) -> None:
    """Each rule, named in its docstring, holds for each lesson."""
    assert "\n".join(rule(page(path))) == ""


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_has_the_exercises_and_predictions_that_are_judged(path: Path) -> None:
    """Those in the package and those in the lesson are the same, and exercises have the same names."""
    lesson = page(path)
    package = import_module(f"orderlab.course.exercises.lesson_{lesson.number:02}")
    text = "\n".join(cell["source"] for cell in lesson.cells)
    exercises = re.findall(r"^### Exercise ([\d.]+) · (.*?) ★", text, re.MULTILINE)
    assert exercises == [(exercise.id, exercise.title) for exercise in package.EXERCISES]
    predictions = re.findall(r'^predict\("([^"]+)", \.\.\.\)', text, re.MULTILINE)
    assert predictions == [prediction.id for prediction in package.PREDICTIONS]


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_sample_keeps_every_rule(rule: Rule) -> None:
    """No rule refuses a lesson that is as it should be."""
    assert "\n".join(rule(good())) == ""


ALL_OF_2 = ("exercise-0-2", "exercise-0-2-code", "exercise-0-2-check")
WRONG = [
    (has_two_to_four_exercises_in_three_cells_each, without(*ALL_OF_2)),
    (has_two_to_four_exercises_in_three_cells_each, without("exercise-0-2-check")),
    (has_two_to_four_exercises_in_three_cells_each, moved("exercise-0-1-check", after="exercise-0-2-check")),
    (has_two_to_four_exercises_in_three_cells_each, added("exercise-0-1-code", ("more", "A word."))),
    (has_two_to_four_exercises_in_three_cells_each, edited("exercises", "## Exercises", "## Your turn")),
    (has_two_to_four_exercises_in_three_cells_each, moved("exercises", after="panel-intro")),
    (has_two_to_four_exercises_in_three_cells_each, added("exercise-0-2-check", ("exercise-1-3", "### Exercise 1.3"))),
    (
        has_two_to_four_exercises_in_three_cells_each,
        added("trade-offs", ("exercise-0-1-check", 'check("0.1", answer_0_1)', "○ not started")),
    ),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "Exercise 0.1", "Exercise 1")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", " ★", "")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "**Given**", "Given")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "**Goal.**", "")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "heal.", "heal. Then stop.")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "<details>", "")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "Count the tries.", "")),
    (tells_what_an_exercise_wants, edited("exercise-0-1", "solutions/00_sample", "solutions/01_sample")),
    (checks_each_answer_in_one_line, edited("exercise-0-1-check", "check", "assert check")),
    (checks_each_answer_in_one_line, edited("exercise-0-1-check", "0.1", "0.2")),
    (checks_each_answer_in_one_line, edited("exercise-0-1-check", "answer_0_1", "answer")),
    (checks_each_answer_in_one_line, edited("exercise-0-1-check", ")", ")\n1")),
    (checks_each_answer_in_one_line, showing("exercise-0-1-check", "✓ Exercise 0.1 passed: 4 of 4 cases.")),
    (checks_each_answer_in_one_line, showing("exercise-0-1-check", "")),
    (reveals_what_was_predicted, edited("predict-0-A", "...", '"b"')),
    (reveals_what_was_predicted, edited("predict-0-A", "0.A", "0.B")),
    (reveals_what_was_predicted, without("reveal-0-A")),
    (reveals_what_was_predicted, without("predict-0-A")),
    (reveals_what_was_predicted, moved("reveal-0-A", after="text-b")),
    (reveals_what_was_predicted, edited("reveal-0-A", "reveal(", "print(")),
    (reveals_what_was_predicted, edited("reveal-0-A", "0.A", "0.B")),
    (reveals_what_was_predicted, edited("reveal-0-A", "waiting)", "waiting)\n1")),
    (reveals_what_was_predicted, without("figure-intro")),
    (depends_on_no_answer, edited("exercise-0-2-code", "...", "answer_0_1")),
    (depends_on_no_answer, edited("exercise-0-2-check", "answer_0_2", "answer_0_1")),
    (depends_on_no_answer, added("trade-offs", ("more", "def f():\n    return answer_0_1", "1"))),
    (depends_on_no_answer, added("trade-offs", ("more", "answer_0_1 += 1", "1"))),
    (depends_on_no_answer, edited("exercise-0-1-code", "answer_0_1 = ...", "def check(): ...")),
    (depends_on_no_answer, edited("exercise-0-1-code", "answer_0_1 = ...", "from x import check")),
]


@pytest.mark.parametrize(("rule", "lesson"), WRONG, ids=[rule.__name__ for rule, _ in WRONG])
def test_a_rule_sees_what_breaks_it(rule: Rule, lesson: Page) -> None:
    """Each rule can fail."""
    assert list(rule(lesson))


def test_what_is_local_to_an_answer_binds_nobody() -> None:
    """A parameter or a variable inside an exercise's function may have the name of something in the lesson."""
    lesson = edited(
        "exercise-0-1-code", "answer_0_1 = ...", "def answer_0_1(check):\n    orders = 4\n    return orders"
    )
    assert list(depends_on_no_answer(lesson)) == []
