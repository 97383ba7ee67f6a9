"""Refresh: what it saves is the same each time, and passes strict nbval."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from orderlab.course.pages.refresh import main, normal

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
    monkeypatch.setattr("orderlab.course.pages.refresh.go_offline", lambda environ, scratch: None)


PANEL = """
import uuid
class Panel:
    def _repr_mimebundle_(self, include=None, exclude=None):
        view = {"version_major": 2, "version_minor": 0, "model_id": uuid.uuid4().hex}
        data = {"text/plain": "3 shops, 40 calls", "application/vnd.jupyter.widget-view+json": view}
        return {**data, "image/png": "aGVsbG8="}, {"image/png": {"alt": "Three shops make 40 calls"}}
Panel()
"""
FIGURE = """
from orderlab.course.drawing import style
from orderlab.course.drawing.figures import Plot
style.put_on()
figure = style.new_figure()
figure.subplots().plot([1, 2, 4], marker="o")
Plot(figure, "Three points, which rise from 1 to 4.")
"""
CHECK = """
class Verdict:
    def __repr__(self):
        return "○ Exercise 0.1 is not started: give clock a value."
Verdict()
"""


def test_refreshing_twice_leaves_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second run changes nothing, although ids, pieces of what is printed and a panel's model are new each time."""
    path = saved(
        tmp_path,
        new_markdown_cell("# Trial"),
        new_code_cell("for i in range(3):\n    print(i, flush=True)"),
        new_code_cell(SHOW + "display(ipywidgets.IntSlider(3))", metadata={"tags": ["panel"], "execution": {"x": "1"}}),
        new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}),
        new_code_cell("print('before')" + FIGURE),
        new_code_cell(PANEL),
        new_code_cell(CHECK),
    )
    assert main([], tmp_path) == 0
    first = path.read_bytes()
    assert main(["00"], tmp_path) == 0
    assert path.read_bytes() == first
    assert capsys.readouterr().out == "00_trial.ipynb: changed\n00_trial.ipynb: as it was\n"
    notebook = nbformat.read(path, as_version=4)
    assert [cell.get("execution_count") for cell in notebook.cells[1:]] == [1, 2, 3, 4, 5, 6]
    assert [output.text for output in notebook.cells[1].outputs] == ["0\n1\n2\n"]
    assert [list(output.data) for output in notebook.cells[2].outputs] == [["text/plain"]]
    assert notebook.cells[2].metadata == {"tags": ["panel"]}
    assert [output.output_type for output in notebook.cells[4].outputs] == ["stream", "display_data", "display_data"]
    assert [sorted(output.data) for output in notebook.cells[5].outputs] == [["image/png", "text/plain"]]
    assert "not started" in notebook.cells[6].outputs[0].data["text/plain"]
    assert notebook.metadata.kernelspec.name == "python3"
    assert not list(tmp_path.glob("*.part"))


def test_what_somebodys_jupyter_leaves_in_the_file_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Folded, timed and empty cells, an older format and a newer kernel: after a refresh the bytes are the same."""
    path = saved(tmp_path, new_markdown_cell("# Trial", id="claim"), new_code_cell("1 + 1", id="sum"))
    main([], tmp_path)
    clean = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = {
        "kernelspec": {"name": "conda-env-x-py", "display_name": "Python [x]", "language": "python"},
        "language_info": {"name": "python", "version": "3.13.0", "codemirror_mode": {"name": "ipython", "version": 3}},
        "toc-autonumbering": True,
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
    }
    notebook.cells[0].update(metadata={"editable": True, "slideshow": {"slide_type": ""}, "tags": []}, attachments={})
    notebook.cells[1].metadata = {"jupyter": {"outputs_hidden": True}, "collapsed": True, "scrolled": False}
    notebook.cells[1].metadata["execution"] = {"iopub.execute_input": "2026-11-02T10:00:00.000000Z"}
    notebook.cells[1].update(execution_count=17, outputs=[new_output("stream", text="3\n")])
    notebook.cells.append(new_code_cell("", id="0f3a9b1c"))  # what Shift+Enter in the last cell appends
    nbformat.write(notebook, path)
    assert path.read_bytes() != clean
    assert main([], tmp_path) == 0
    assert path.read_bytes() == clean


def test_solutions_are_refreshed_with_their_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both start with the lesson's number; Jupyter's own copies are left alone, a page of text needs no kernel."""
    for name in ("00_a.ipynb", "solutions/00_a.ipynb", "01_b.ipynb", ".ipynb_checkpoints/00_a-checkpoint.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=[new_markdown_cell("# Text", id="0f3a9b1c")]), tmp_path / name)
    before = (tmp_path / ".ipynb_checkpoints" / "00_a-checkpoint.ipynb").read_bytes()
    assert main(["00"], tmp_path) == 0
    assert capsys.readouterr().out == "00_a.ipynb: changed\nsolutions/00_a.ipynb: changed\n"
    assert (tmp_path / ".ipynb_checkpoints" / "00_a-checkpoint.ipynb").read_bytes() == before


def test_a_cell_runs_where_its_notebook_lies(tmp_path: Path) -> None:
    """A solution that opens a file of its folder finds it."""
    (tmp_path / "solutions").mkdir()
    path = saved(tmp_path / "solutions", new_code_cell("import pathlib\npathlib.Path.cwd().name"))
    assert main([], tmp_path) == 0
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].data["text/plain"] == "'solutions'"


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD\n{}", '{"nbformat": 4, "nbformat_minor": 5, "meta'])
def test_a_file_that_is_no_notebook_is_named(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A merge that went wrong is one line, not a traceback, and the other notebooks are refreshed all the same."""
    path = tmp_path / "00_broken.ipynb"
    path.write_text(text, encoding="utf-8")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Text", id="0f3a9b1c")]), tmp_path / "01_b.ipynb")
    assert main([], tmp_path) == 1
    assert path.read_text(encoding="utf-8") == text
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("00_broken.ipynb: not saved, because it is no notebook (Notebook does not appear to be")
    assert lines[1:] == ["01_b.ipynb: changed"]


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
