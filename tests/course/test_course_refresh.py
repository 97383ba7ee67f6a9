"""Refresh: what it saves is the same each time, and passes strict nbval."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from orderlab.course.refresh import main, normal

SHOW = "import ipywidgets\nfrom IPython.display import display\n"


def saved(folder: Path, *cells: nbformat.NotebookNode) -> Path:
    """Write a notebook of these cells, with the random ids and foreign kernel name that an editor leaves."""
    notebook = new_notebook(
        cells=list(cells),
        metadata={"kernelspec": {"name": "old-env", "display_name": "Old", "language": "python"}, "widgets": {}},
    )
    path = folder / "00_trial.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(autouse=True)
def keep_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refresh changes the environment of its process; here it is the tests' own."""
    monkeypatch.setattr("orderlab.course.refresh.go_offline", lambda environ, scratch: None)


def test_refreshing_twice_leaves_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second run changes nothing, although ids, streams and a panel's model are new each time."""
    path = saved(
        tmp_path,
        new_markdown_cell("# Trial"),
        new_code_cell("for i in range(3):\n    print(i, flush=True)"),
        new_code_cell(SHOW + "display(ipywidgets.IntSlider(3))", metadata={"tags": ["panel"], "execution": {"x": "1"}}),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
    )
    assert main([], tmp_path) == 0
    first = path.read_bytes()
    assert main(["00"], tmp_path) == 0
    assert path.read_bytes() == first
    assert capsys.readouterr().out == "00_trial.ipynb: changed\n00_trial.ipynb: as it was\n"
    notebook = nbformat.read(path, as_version=4)
    assert [cell.get("execution_count") for cell in notebook.cells[1:]] == [1, 2, 3]
    assert [output.text for output in notebook.cells[1].outputs] == ["0\n1\n2\n"]
    assert [list(output.data) for output in notebook.cells[2].outputs] == [["text/plain"]]
    assert notebook.cells[2].metadata == {"tags": ["panel"]}
    assert notebook.metadata.kernelspec.name == "python3"
    assert not list(tmp_path.glob("*.part"))


def test_a_notebook_with_a_failing_cell_is_not_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file stays as it was, the error is shown, and the exit status is 1."""
    path = saved(tmp_path, new_code_cell("print('one')"), new_code_cell("nobody_defined_this"))
    before = path.read_bytes()
    assert main([], tmp_path) == 1
    assert path.read_bytes() == before
    assert "nobody_defined_this" in capsys.readouterr().out


def test_a_name_that_fits_no_notebook_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names what was asked for."""
    assert main(["42"], tmp_path) == 1
    assert "starts with 42" in capsys.readouterr().err


def test_a_cell_keeps_the_name_that_its_author_gave() -> None:
    """Made-up ids become the first free cell-N; others, which solutions refer to, stay."""
    ids = ["0f3a9b1c", "exercise-3-1", "cell-1", "6f0c3f1e-8a55-4f0e-9d4c-0a2b3c4d5e6f"]
    cells = [new_markdown_cell("text", id=name) for name in ids]
    assert [cell.id for cell in normal(new_notebook(cells=cells)).cells] == [
        "cell-2",
        "exercise-3-1",
        "cell-1",
        "cell-3",
    ]


def test_what_is_printed_around_a_picture_stays_around_it() -> None:
    """Only neighbours of one stream are joined."""
    kinds = [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    outputs = [new_output("stream", name=name, text=text) for name, text in kinds]
    cell = new_code_cell("x", outputs=[*outputs, new_output("display_data", {"text/plain": "fig"}), outputs[0]])
    after = normal(new_notebook(cells=[cell])).cells[0].outputs
    assert [output.get("text", output.get("data")) for output in after] == [
        "ab",
        "c",
        "d",
        {"text/plain": "fig"},
        "a",
    ]
