"""Solutions: linked both ways, explained, and run inside their lesson as a learner would have them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from notebook_files import FOLDER, LESSONS, Cell, Page, called, headings, links, page, said, sentences, tree, words
from solved_lesson import CHECK, CODE, NotSolvable, filled, solve, verdicts

from orderlab import lab

FEWEST_WORDS = 30  # of an explanation
WITH_EXERCISES = [path for path in LESSONS if any(CODE.fullmatch(cell["id"]) for cell in page(path).cells)]
IDS = [path.stem for path in WITH_EXERCISES]


def unexplained(solutions: Page) -> Iterator[str]:
    """Each solution stands under a heading "Exercise 0.1", with an explanation, and its check says that it passes."""
    parts: dict[str, list[Cell]] = {"": []}
    for cell in solutions.cells:
        for _, _, text in headings([cell]):
            if text.startswith("Exercise "):
                parts[text.split()[1]] = []
        parts[list(parts)[-1]].append(cell)
    for cell in solutions.cells:
        match = CODE.fullmatch(cell["id"])
        name = f"{match[1]}.{match[2]}" if match else ""
        if match and cell not in parts.get(name, []):
            yield f"{cell['id']} does not stand under a heading `Exercise {name}`"
        elif match:
            text = [one for one in parts[name] if one["cell_type"] == "markdown"]
            count = sum(words(sentence) for one in text for sentence in sentences(one["source"]))
            if count < FEWEST_WORDS:
                yield f"exercise {name} is explained in {count} words, and {FEWEST_WORDS} are the least"
        if CHECK.fullmatch(cell["id"]) and not said(cell).startswith("✓"):
            yield f"{cell['id']} says {said(cell)[:80]!r}"
    if not any((solutions.path.parent / to).resolve() == home(solutions) for to, _ in links(solutions.cells) if to):
        yield f"no link back to ../{solutions.path.name}"


def home(solutions: Page) -> Path:
    """Return the lesson of a notebook of solutions."""
    return (solutions.path.parent.parent / solutions.path.name).resolve()


def changed(lesson: NotebookNode, solved: NotebookNode) -> list[str]:
    """Return the cells, exercises and what shows the learner's progress aside, that show something else when solved."""
    apart = {cell.id for cell in lesson.cells if CODE.fullmatch(cell.id) or CHECK.fullmatch(cell.id)}
    pairs = zip(lesson.cells, solved.cells, strict=True)
    return [
        before.id
        for before, after in pairs
        if before.cell_type == "code" and before.id not in apart and not shows_progress(before)
        and said(before) != said(after)
    ]  # fmt: skip


def shows_progress(cell: Cell) -> bool:
    """Say whether a cell calls progress(), which has more to say once an exercise is solved."""
    return any(called(getattr(line, "value", None)) == "progress" for line in tree(cell).body)


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=IDS)
def test_each_solution_is_explained_and_leads_back(path: Path) -> None:
    """There is a notebook of solutions, with an explanation for each and a link to the lesson."""
    assert "\n".join(unexplained(page(FOLDER / "solutions" / path.name))) == ""


def test_each_notebook_of_solutions_has_its_lesson() -> None:
    """None is left over from a lesson that was renamed."""
    assert {path.name for path in (FOLDER / "solutions").glob("*.ipynb")} == {path.name for path in WITH_EXERCISES}


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=IDS)
def test_a_lesson_with_its_solutions_passes_every_check(path: Path, tmp_path: Path) -> None:
    """In the copy that a learner works in; and what the lesson shows elsewhere does not depend on an answer."""
    lab.copy_missing(FOLDER, tmp_path / "work")
    solved = solve(tmp_path / "work" / path.name)
    said_by = verdicts(solved)
    assert len(said_by) >= 2
    assert {name: text for name, text in said_by.items() if not text.startswith("✓")} == {}
    assert changed(nbformat.read(path, as_version=4), solved) == []


CHECKING = """
def check(id, answer):
    return Verdict("○ not started" if answer is ... else "✓ passed" if answer == 4 else f"✗ {answer} is wrong")
class Verdict(str):
    def __repr__(self):
        return str(self)
"""


def lesson_of(*answers: str, after: str = "clock = 9\nclock") -> NotebookNode:
    """Return a lesson of one check for each answer, and a cell after them."""
    cells = [new_code_cell(CHECKING, id="start")]
    for n, answer in enumerate(answers, 1):
        cells.append(new_code_cell(answer, id=f"exercise-0-{n}-code"))
        cells.append(new_code_cell(f'check("0.{n}", answer_{n})', id=f"exercise-0-{n}-check"))
    return new_notebook(cells=[*cells, new_code_cell(after, id="after")])


def saved(folder: Path, lesson: NotebookNode, *answers: str) -> Path:
    """Write a lesson and its solutions; return the lesson's path."""
    cells = [new_code_cell(answer, id=f"exercise-0-{n}-code") for n, answer in enumerate(answers, 1)]
    (folder / "solutions").mkdir()
    nbformat.write(new_notebook(cells=cells), folder / "solutions" / "00_trial.ipynb")
    nbformat.write(lesson, folder / "00_trial.ipynb")
    return folder / "00_trial.ipynb"


def test_every_verdict_is_read(tmp_path: Path) -> None:
    """Right and wrong solutions are told apart, and the lesson's own file is not touched."""
    path = saved(tmp_path, lesson_of("answer_1 = ...", "answer_2 = ..."), "answer_1 = 2 + 2", "answer_2 = 5")
    before = path.read_bytes()
    assert verdicts(solve(path)) == {"0.1": "✓ passed", "0.2": "✗ 5 is wrong"}
    assert path.read_bytes() == before


def test_a_solution_that_needs_more_than_the_lesson_has_fails(tmp_path: Path) -> None:
    """A learner who copies it would meet the same NameError."""
    path = saved(tmp_path, lesson_of("answer_1 = ..."), "answer_1 = ceil(3.5)")
    with pytest.raises(CellExecutionError, match="ceil"):
        solve(path)


def test_a_cell_that_depends_on_an_answer_is_seen(tmp_path: Path) -> None:
    """Through a name or through the state of the world; a cell that shows the progress may."""
    unsolved = lesson_of("clock = 1\nanswer_1 = ...", after="clock")
    unsolved.cells.append(new_code_cell("progress = lambda: clock", id="progress"))
    unsolved.cells.append(new_code_cell("progress()", id="shown"))
    path = saved(tmp_path, unsolved, "clock = 2\nanswer_1 = 4")
    before = filled(unsolved, unsolved)
    assert verdicts(solve(path)) == {"0.1": "✓ passed"}
    from orderlab.course.pages.refresh import run

    assert changed(run(before, tmp_path), solve(path)) == ["after"]


def test_an_exercise_without_a_solution_is_named() -> None:
    """And so is a solution without an exercise, which a lesson that changed leaves behind."""
    with pytest.raises(NotSolvable, match=r"no solution for exercise-0-2-code$"):
        filled(lesson_of("answer_1 = ...", "answer_2 = ..."), lesson_of("answer_1 = 4"))
    with pytest.raises(NotSolvable, match=r"no exercise of the lesson: exercise-0-2-code$"):
        filled(lesson_of("answer_1 = ..."), lesson_of("answer_1 = 4", "answer_2 = 4"))


def solutions_of(text: str, shown: str = "✓ passed", title: str = "# Back to [it](../00_trial.ipynb)") -> Page:
    """Return a notebook of one solution, under this text."""
    output = nbformat.v4.new_output("execute_result", {"text/plain": shown})
    check = new_code_cell("check()", id="exercise-0-1-check", outputs=[output])
    cells = [new_markdown_cell(title), new_markdown_cell(text), new_code_cell("4", id="exercise-0-1-code"), check]
    return Page(Path("/course/solutions/00_trial.ipynb"), cells)


WHY = "Because the queue shows a message again after its visibility timeout. " * 4


def test_an_explained_solution_is_taken() -> None:
    """A heading, thirty words, a check that passes and the way back."""
    assert list(unexplained(solutions_of(f"## Exercise 0.1 · Name\n\n{WHY}"))) == []


@pytest.mark.parametrize(
    "solutions",
    [
        solutions_of("## Exercise 0.1\n\nBecause."),
        solutions_of(f"## Exercise 0.2\n\n{WHY}"),
        solutions_of(WHY),
        solutions_of(f"## Exercise 0.1\n\n{WHY}", shown="✗ 5 is wrong"),
        solutions_of(f"## Exercise 0.1\n\n{WHY}", shown=""),
        solutions_of(f"## Exercise 0.1\n\n{WHY}", title="# Back to [it](../01_other.ipynb)"),
    ],
)
def test_what_a_solution_lacks_is_seen(solutions: Page) -> None:
    """No explanation, none of its own, a check that fails, no way back."""
    assert list(unexplained(solutions))


def test_strict_nbval_compares_solutions_like_lessons(tmp_path: Path) -> None:
    """Pytest finds them by pyproject.toml's own settings, and one wrong output among them fails the run."""
    shutil.copy(FOLDER.parent / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = saved(folder, new_notebook(cells=[new_markdown_cell("# A lesson")]), "answer_1 = 4\nanswer_1")
    notebook = nbformat.read(folder / "solutions" / path.name, as_version=4)
    notebook.cells[0].update(execution_count=1, outputs=[nbformat.v4.new_output("execute_result", {"text/plain": "5"})])
    nbformat.write(notebook, folder / "solutions" / path.name)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path,
                          capture_output=True, encoding="utf-8")  # fmt: skip
    assert re.search(r"FAILED notebooks/solutions/00_trial\.ipynb::Cell 0", done.stdout)
    assert "1 failed" in done.stdout
