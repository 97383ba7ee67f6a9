"""Strict nbval sees through a picture: one constant of a figure's data changed, and the figure's cell fails."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from notebook_files import FOLDER, Page, page, tree, used
from sample_lesson import edited, good, without

LESSON = FOLDER / "00_start_here.ipynb"


def with_another_constant(lesson: Page) -> tuple[int, str, int]:
    """Return, as numbers among code cells, where a constant of the measured figure is and where the figure; between
    them the cell's source with that constant one higher. Raises LookupError when the figure has no constant."""
    place = next(n for n, cell in enumerate(lesson.cells) if "**Reading the figure.**" in cell["source"])
    figure = lesson.cells[place - 1]
    for cell in reversed([one for one in lesson.own_code if lesson.cells.index(one) < place - 1]):
        for line in tree(cell).body:
            names = {target.id for target in getattr(line, "targets", []) if isinstance(target, ast.Name)}
            for node in ast.walk(line) if names & used(figure) else ():
                if isinstance(node, ast.Constant) and type(node.value) is int:
                    return lesson.code.index(cell), one_higher(cell["source"], node), lesson.code.index(figure)
    raise LookupError(f"no constant feeds {figure['source']}")


def one_higher(source: str, node: ast.Constant) -> str:
    """Return the source with this number one higher."""
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1]
    assert isinstance(node.value, int) and line.isascii()
    lines[node.lineno - 1] = f"{line[: node.col_offset]}{node.value + 1}{line[node.end_col_offset :]}"
    return "".join(lines)


def failures(folder: Path) -> dict[str, list[int]]:
    """Run strict nbval on the notebooks of a folder, with pyproject.toml's settings; return the cells that fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"]
    command += ["-c", str(FOLDER.parent / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    assert done.returncode in (0, 1) and re.search(r"\d passed", done.stdout), done.stdout + done.stderr
    found: dict[str, list[int]] = {path.name: [] for path in sorted(folder.glob("*.ipynb"))}
    for name, number in re.findall(r"^FAILED (?:.*/)?(\w+\.ipynb)::Cell (\d+)", done.stdout, re.MULTILINE):
        found[name].append(int(number))
    return found


def test_one_constant_of_the_figures_data_makes_nbval_fail(tmp_path: Path) -> None:
    """The lesson as it is passes; with the constant one higher it fails from there on, at the figure above all."""
    changed, source, figure = with_another_constant(page(LESSON))
    notebook = nbformat.read(LESSON, as_version=4)
    [cell for cell in notebook.cells if cell.cell_type == "code"][changed].source = source
    nbformat.write(notebook, tmp_path / "changed.ipynb")
    (tmp_path / "unchanged.ipynb").write_bytes(LESSON.read_bytes())
    found = failures(tmp_path)
    assert found["unchanged.ipynb"] == []
    assert figure in found["changed.ipynb"]
    assert min(found["changed.ipynb"]) >= changed


def test_the_constant_is_the_one_that_feeds_the_figure() -> None:
    """The nearest number before the figure in the making of what it draws, and no other."""
    place, source, figure = with_another_constant(good())
    cells = good().code
    assert (cells[place]["id"], cells[figure]["id"], source) == ("down", "figure", "orders = 5\norders")
    with pytest.raises(LookupError, match=r"no constant feeds attempts\(cloud, orders\)"):
        with_another_constant(edited("down", "orders = 4", "goods = 4"))
    with pytest.raises(StopIteration):
        with_another_constant(without("figure-words"))
