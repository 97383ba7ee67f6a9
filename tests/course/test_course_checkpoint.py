"""A checkpoint: the lesson's clean notebook with the learner's answers in it, and nothing of theirs is ever lost."""

import contextlib
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from orderlab import commands
from orderlab.course.pages import copies
from orderlab.course.pages.carrying import answers, unrun
from orderlab.course.pages.copies import checkpoint, main
from orderlab.offline import ROOT

SOLVED = "def place(send):\n    return send()  # é ✓\n"
STUB = "def place(send):\n    ..."


def code(id: str, source: str, text: str = "shown") -> dict[str, Any]:
    """A code cell that was run."""
    output = {"output_type": "stream", "name": "stdout", "text": [text]}
    return {"cell_type": "code", "execution_count": 1, "id": id, "metadata": {}, "outputs": [output],
            "source": source.splitlines(keepends=True)}  # fmt: skip


def lesson(*cells: dict[str, Any]) -> dict[str, Any]:
    """A lesson with two predictions and two exercises, some cells of which are others."""
    usual = [
        {"cell_type": "markdown", "id": "claim", "metadata": {}, "source": ["# A claim – with letters: é\n", "text"]},
        code("start", "start()"),
        code("predict-3-A", 'predict("3.A", ...)', "none yet"),
        code("reveal-3-A", 'reveal("3.A", 7)', "7, no prediction"),
        code("predict-3-B", 'predict("3.B", ...)', "none yet"),
        {"cell_type": "markdown", "id": "exercise-3-1", "metadata": {}, "source": ["### Exercise 3.1"]},
        code("exercise-3-1-code", STUB),
        code("exercise-3-1-check", 'check("3.1", place)', "not started"),
        code("exercise-3-2-code", "answer = ..."),
        code("exercise-3-2-check", 'check("3.2", answer)', "not started"),
    ]
    others = {cell["id"]: cell for cell in cells}
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cells_now = [others.pop(cell["id"], cell) for cell in usual] + list(others.values())
    return {"cells": cells_now, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def written(notebook: dict[str, Any]) -> bytes:
    """The bytes as Jupyter saves them."""
    return (nbformat.writes(nbformat.from_dict(notebook)) + "\n").encode()


SHIPPED = written(lesson())  # with outputs
CLEAN = written(unrun(lesson()))
MINE = written(
    lesson(
        code("exercise-3-1-code", SOLVED, "mine"),
        code("predict-3-A", 'predict("3.A", "b")', "committed"),
        code("start", "start(seed=7)  # played with", "mine"),
        code("my-own", "print('a cell of my own')", "mine"),
    )
)
NAME = "03_the_bus.ipynb"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with two lessons, the glossary and a solution, in which nobody has worked."""
    folder = tmp_path / "a clône"
    (folder / "notebooks" / "solutions").mkdir(parents=True)
    for name in (NAME, "04_queues.ipynb", "glossary.ipynb", f"solutions/{NAME}"):
        (folder / "notebooks" / name).write_bytes(SHIPPED)
    monkeypatch.setattr(copies, "ROOT", folder)
    yield folder


@pytest.fixture
def work(repository: Path) -> Path:
    """The learner's folder, with one lesson in which they have worked."""
    (repository / "work").mkdir()
    (repository / "work" / NAME).write_bytes(MINE)
    return repository / "work"


def cells(path: Path) -> dict[str, Any]:
    """The cells of a notebook by id; it must be one that Jupyter opens."""
    notebook = json.loads(path.read_bytes())
    nbformat.validate(nbformat.from_dict(notebook))
    return {cell["id"]: {**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]}


def files(work: Path) -> list[str]:
    """What lies in the learner's folder."""
    return sorted(path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file())


def test_a_lesson_without_a_copy_is_copied(repository: Path) -> None:
    """As it is in the repository, but for the outputs, which show what the lesson asks to predict."""
    said = repr(checkpoint("03"))
    assert said == f"work/{NAME} is there now; you had no copy of this lesson."
    assert (repository / "work" / NAME).read_bytes() == CLEAN
    assert files(repository / "work") == [NAME]


def test_answers_are_carried_over_and_the_rest_is_clean(work: Path) -> None:
    """Exercises and predictions keep what the learner wrote; any other cell is the lesson's own again."""
    said = repr(checkpoint("03"))
    assert said == (
        f"work/{NAME} is at its start, with what you wrote in 1 exercise and 1 prediction.\n"
        "What was there is kept: work/kept/03_the_bus.1.ipynb\n"
        "If it is open in JupyterLab, choose File > Reload Notebook from Disk."
    )
    now, clean = cells(work / NAME), {cell["id"]: cell for cell in json.loads(CLEAN)["cells"]}
    assert now["exercise-3-1-code"]["source"] == SOLVED
    assert now["predict-3-A"]["source"] == 'predict("3.A", "b")'
    assert list(now) == list(clean)
    for id in ("claim", "start", "predict-3-B", "exercise-3-2-code", "exercise-3-2-check"):
        assert now[id] == {**clean[id], "source": "".join(clean[id]["source"])}
    assert (work / "kept" / "03_the_bus.1.ipynb").read_bytes() == MINE
    assert files(work) == [NAME, "kept/03_the_bus.1.ipynb"]


def test_only_the_changed_lines_differ_from_the_lessons_file(work: Path) -> None:
    """The file is written as Jupyter and `refresh` write it."""
    checkpoint("03")
    assert (work / NAME).read_bytes() == written(json.loads((work / NAME).read_bytes()))
    clean = set(CLEAN.decode().splitlines())
    new = {line.strip() for line in (work / NAME).read_text(encoding="utf-8").splitlines() if line not in clean}
    assert new == {r'"predict(\"3.A\", \"b\")"', r'"    return send()  # é ✓\n"'}


def test_clean_leaves_the_exercises_unsolved(work: Path) -> None:
    """The answers are in the kept file."""
    said = repr(checkpoint("03", clean=True))
    assert said.startswith(f"work/{NAME} is at its start, without any answers.\nWhat was there is kept: ")
    assert (work / NAME).read_bytes() == CLEAN
    assert (work / "kept" / "03_the_bus.1.ipynb").read_bytes() == MINE


def test_a_kept_file_is_never_overwritten(work: Path) -> None:
    """Each one gets the next free number, also where a folder or a lost link has taken one."""
    (work / "kept" / "03_the_bus.2.ipynb").mkdir(parents=True)
    contents = [MINE, MINE + b" ", MINE + b"  "]
    for content in contents:
        (work / NAME).write_bytes(content)
        checkpoint("03")
    kept = [(work / "kept" / f"03_the_bus.{n}.ipynb").read_bytes() for n in (1, 3, 4)]
    assert kept == contents


def test_a_second_time_changes_nothing(work: Path) -> None:
    """It says so, and keeps no second copy of the same."""
    checkpoint("03")
    before = (work / NAME).read_bytes()
    said = repr(checkpoint("03"))
    assert said == (
        f"work/{NAME} is at its start already, with what you wrote in 1 exercise and 1 prediction: nothing was changed."
    )
    assert (work / NAME).read_bytes() == before
    assert files(work) == [NAME, "kept/03_the_bus.1.ipynb"]


def test_a_copy_that_only_was_run_has_no_answers(work: Path) -> None:
    """Outputs and other cells are no answers."""
    (work / NAME).write_bytes(written(lesson(code("start", "start(big=True)"))))
    assert repr(checkpoint("03")).startswith(f"work/{NAME} is at its start; you had changed no answer.\n")
    assert (work / NAME).read_bytes() == CLEAN


@pytest.mark.parametrize("word", ["03", "3", 3, "03_the_bus", NAME, "3_"])
def test_a_lesson_may_be_named_in_several_ways(repository: Path, word: Any) -> None:
    """By number or by its file."""
    checkpoint(word)
    assert files(repository / "work") == [NAME]


def test_all_means_every_lesson_and_nothing_else(work: Path) -> None:
    """Neither the glossary nor the solutions are lessons, and what the learner has there stays."""
    (work / "solutions").mkdir()
    (work / "solutions" / NAME).write_bytes(b"mine")
    said = repr(checkpoint("all"))
    assert said.count("is at its start") == 1 and said.count("is there now") == 1
    assert files(work) == [NAME, "04_queues.ipynb", "kept/03_the_bus.1.ipynb", f"solutions/{NAME}"]
    assert (work / "solutions" / NAME).read_bytes() == b"mine"


class Hostile:
    """Raises whenever it is touched."""

    def __repr__(self) -> str:
        raise SystemExit

    __str__ = __eq__ = __repr__  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def test_an_unknown_lesson_is_refused_with_those_that_there_are(work: Path) -> None:
    """In one line, and nothing is changed."""
    unknown: list[Any] = ["42", "7", "glossary", "", "030", "-1", -1, 10**5000, None, ..., ["03"], 3.0, True, Hostile()]
    for one in unknown:
        said = repr(checkpoint(one))
        assert said.startswith("✗ Stopped: there is no lesson ") and said.endswith("; there are 03, 04.")
        assert "\n" not in said and len(said) < 120
    assert files(work) == [NAME] and (work / NAME).read_bytes() == MINE


def test_the_command_does_the_same(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several lessons at once; an unknown one stops it before anything is changed, with status 1."""
    assert main(["03", "42"]) == 1
    assert capsys.readouterr() == ("", "orderlab: there is no lesson '42'; there are 03, 04\n")
    assert files(work) == [NAME]
    assert main(["04", "3", "03"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("work/")] == [
        f"work/{NAME} is at its start, with what you wrote in 1 exercise and 1 prediction.",
        "work/04_queues.ipynb is there now; you had no copy of this lesson.",
    ]
    assert main(["03", "--clean"]) == 0
    assert (work / NAME).read_bytes() == CLEAN
    assert commands.COMMANDS["checkpoint"][0] == "orderlab.course.pages.copies"


def test_it_loads_nothing_heavy() -> None:
    """The command starts at once: neither nbformat nor matplotlib nor the cloud is needed."""
    code = (
        "import sys, orderlab.course.pages.copies as c; "
        "print(sorted({'nbformat', 'matplotlib', 'boto3', 'moto', 'IPython', 'orderlab.cloud'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def torn(data: bytes) -> bytes:
    """A file whose writing stopped right after the first exercise."""
    return data[: data.index(b"exercise-3-1-check")]


DAMAGED: dict[str, tuple[bytes, set[str]]] = {
    "torn": (torn(MINE), {"exercise-3-1-code", "predict-3-A"}),
    "torn at the end": (MINE[:-30], {"exercise-3-1-code", "predict-3-A"}),
    "torn early": (MINE[: MINE.index(b"exercise-3-1-code")], {"predict-3-A"}),
    "without its beginning": (MINE[40:], {"exercise-3-1-code", "predict-3-A"}),
    "a hole": (MINE.replace(b'"claim"', b'"\xff\x00\n'), {"exercise-3-1-code", "predict-3-A"}),
    "a merge": (b"<<<<<<< HEAD\n" + MINE, {"exercise-3-1-code", "predict-3-A"}),
    "empty": (b"", set()),
    "rubbish": (os.urandom(100_000), set()),
    "braces": (b'{"id":' * 20_000, set()),
    "brackets": (b"[" * 100_000, set()),
    "a text": (b"dear diary", set()),
    "a list": (b"[1, 2]", set()),
    "no cells": (b'{"cells": 7}', set()),
    "UTF-16": (MINE.decode().encode("utf-16"), set()),
}


@pytest.mark.parametrize(("data", "saved"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_kept_and_what_can_be_read_is_carried_over(work: Path, data: bytes, saved: set[str]) -> None:
    """To the byte; the answers of whole cells are found."""
    (work / NAME).write_bytes(data)
    said = repr(checkpoint("03"))
    assert "Your file was damaged: this is what could be read of it.\n" in said
    assert (work / "kept" / "03_the_bus.1.ipynb").read_bytes() == data
    now = cells(work / NAME)
    mine = {"exercise-3-1-code": SOLVED, "predict-3-A": 'predict("3.A", "b")'}
    for id, text in mine.items():
        assert (now[id]["source"] == text) == (id in saved)


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + MINE, MINE.replace(b"\n", b"\r\n"), json.dumps(json.loads(MINE)).encode()]
)
def test_a_file_that_another_editor_saved_is_no_damage(work: Path, data: bytes) -> None:
    """A byte order mark, ends of lines of Windows, all in one line."""
    (work / NAME).write_bytes(data)
    assert "damaged" not in repr(checkpoint("03"))
    assert cells(work / NAME)["exercise-3-1-code"]["source"] == SOLVED


def test_odd_cells_are_passed_over() -> None:
    """A notebook may hold anything; only texts under the learner's ids count."""
    odd: list[Any] = [None, 7, "x", [], {}, {"id": 7, "source": "x"}, {"id": "exercise-1-1-code"},
                      {"id": "exercise-1-1-code", "source": [1]}, {"id": "exercise-1-1-code", "source": {}},
                      {"id": "exercise-1-1", "source": "x"}, {"id": "exercise-1-1-check", "source": "x"},
                      {"id": "reveal-1-A", "source": "x"}, {"id": "predict-1-A", "source": ["a\n", "b"]},
                      {"id": "exercise-1-2-code", "source": "one text"}]  # fmt: skip
    found, whole = answers(json.dumps({"cells": odd}).encode())
    assert whole and found == {"predict-1-A": "a\nb", "exercise-1-2-code": "one text"}


def test_letters_that_no_file_can_hold_are_carried_as_they_were(work: Path) -> None:
    """A lone half of a letter, as another program may write it; and lines that end in odd ways."""
    odd = "x = '\ud800'\r\ny = 1\u2028z = 2\x0c\n"
    (work / NAME).write_bytes(json.dumps(lesson({**code("exercise-3-1-code", ""), "source": odd})).encode())
    checkpoint("03")
    found, whole = answers((work / NAME).read_bytes())
    assert whole and found["exercise-3-1-code"] == odd


def test_an_answer_whose_cell_is_gone_from_the_lesson_stays_in_the_kept_file(work: Path) -> None:
    """The lesson may be newer than the learner's copy."""
    (work / NAME).write_bytes(written(lesson(code("exercise-3-9-code", "mine = 1"))))
    assert "you had changed no answer" in repr(checkpoint("03"))
    assert (work / NAME).read_bytes() == CLEAN
    assert b"mine = 1" in (work / "kept" / "03_the_bus.1.ipynb").read_bytes()


def test_a_folder_in_the_place_of_the_notebook_is_kept_too(work: Path) -> None:
    """Whatever it is, it is the learner's."""
    (work / NAME).unlink()
    (work / NAME).mkdir()
    (work / NAME / "notes.txt").write_text("mine", encoding="utf-8")
    assert "damaged" in repr(checkpoint("03"))
    assert (work / "kept" / "03_the_bus.1.ipynb" / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert (work / NAME).read_bytes() == CLEAN


def test_where_a_file_cannot_have_two_names_it_is_moved(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A memory stick, or a folder shared with a virtual machine."""

    def refuse(*args: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    checkpoint("03")
    assert (work / "kept" / "03_the_bus.1.ipynb").read_bytes() == MINE
    assert cells(work / NAME)["exercise-3-1-code"]["source"] == SOLVED


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": [{}]}', '{"cells": 7}'])
def test_a_damaged_lesson_in_the_repository_is_named(repository: Path, work: Path, text: str) -> None:
    """With the remedy; the learner's file stays."""
    (repository / "notebooks" / NAME).write_text(text, encoding="utf-8")
    remedy = f"run `git restore notebooks/{NAME}` in the repository"
    assert repr(checkpoint("03")) == f"✗ Stopped: notebooks/{NAME} is damaged: {remedy}."
    assert (work / NAME).read_bytes() == MINE and files(work) == [NAME]


class Crash(BaseException):
    """The process ends here: nothing of ours runs afterwards."""


class Machine:
    """Counts the calls that change files, and at one of them fails: before it, after it, or half-way in a write."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, when: str, error: BaseException) -> None:
        self.at, self.when, self.error, self.calls = at, when, error, 0
        for name in ("mkdir", "link", "rename", "replace", "unlink"):
            monkeypatch.setattr(os, name, self.failing(getattr(os, name)))
        monkeypatch.setattr(copies, "open", self.open, raising=False)

    def failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **more: Any) -> Any:
            mine, self.calls = self.calls, self.calls + 1
            if mine == self.at and self.when != "after":
                raise self.error
            try:
                return call(*args, **more)
            finally:
                if mine == self.at:
                    raise self.error

        return wrapped

    def open(self, path: Path, mode: str) -> Any:
        file = self.failing(open)(path, mode)
        write = file.write

        def half(data: bytes) -> int:
            if self.calls == self.at and self.when == "half-way":
                write(data[: len(data) // 2])
            return int(self.failing(write)(data))

        class Half:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *args: Any) -> None:
                file.close()

            write = staticmethod(half)

        return Half()


def everything(folder: Path) -> set[bytes]:
    """The contents of all files that a learner would find: those without a dot in front."""
    return {path.read_bytes() for path in folder.rglob("*.ipynb") if path.is_file()}


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
@pytest.mark.parametrize("when", ["before", "after", "half-way"])
def test_whatever_stops_it_nothing_is_lost(work: Path, monkeypatch: pytest.MonkeyPatch, when: str, links: bool) -> None:
    """A crash at each call that changes files, one after the other: the file is there, and the next run is whole."""
    at = 0
    while True:
        start_again(work)
        with monkeypatch.context() as patch:
            if not links:
                patch.setattr(os, "link", lambda *args: refuse_link())
            machine = Machine(patch, at, when, Crash())
            with contextlib.suppress(Crash):
                checkpoint("03")
        if machine.calls <= at:
            break
        assert MINE in everything(work), f"lost at call {at}"
        for path in work.glob("*.ipynb"):  # whole, the old one or the new one
            assert path.read_bytes() == MINE or cells(path)["exercise-3-1-code"]["source"] == SOLVED
        checkpoint("03")
        assert MINE in everything(work / "kept")
        if links:
            assert cells(work / NAME)["exercise-3-1-code"]["source"] == SOLVED
        assert not list(work.glob(".*.part"))
        at += 1
    assert at >= 5


def refuse_link() -> None:
    """What a disk without links does."""
    raise OSError(errno.EPERM, "Operation not permitted")


def start_again(work: Path) -> None:
    """The learner's folder as it was at first."""
    for path in sorted(work.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (work / NAME).write_bytes(MINE)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("when", ["before", "half-way"])
def test_an_error_of_the_disk_is_one_clear_line(
    work: Path, monkeypatch: pytest.MonkeyPatch, when: str, number: int
) -> None:
    """At each call: the old file stays or is kept, no half-written one is left, and no path of this machine shown."""
    at, seen = 0, 0
    while True:
        start_again(work)
        with monkeypatch.context() as patch:
            machine = Machine(patch, at, when, OSError(number, os.strerror(number), str(work)))
            said = repr(checkpoint("03"))
        if machine.calls <= at:
            break
        if said.startswith("✗"):
            seen += 1
            assert said == (
                f"✗ Stopped: work/{NAME} cannot be written ({os.strerror(number)}): "
                "mend that and run it again; nothing of yours is lost."
            )
        assert MINE in everything(work)
        assert not list(work.glob(".*.part"))
        at += 1
    assert seen >= 4


def test_a_folder_that_is_a_file_is_one_clear_line(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The learner made a file called work; the command ends with status 1."""
    (repository / "work").write_text("mine", encoding="utf-8")
    assert main(["03"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(f"orderlab: work/{NAME} cannot be written (")
    assert said.err.count("\n") == 1 and str(repository) not in said.err
    assert (repository / "work").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_is_one_clear_line(work: Path) -> None:
    """With real rights, where the tests do not run as root."""
    work.chmod(0o555)
    try:
        assert "Permission denied" in repr(checkpoint("03"))
    finally:
        work.chmod(0o755)
    assert (work / NAME).read_bytes() == MINE


def test_every_lesson_of_the_course_can_be_taken(monkeypatch: pytest.MonkeyPatch, repository: Path) -> None:
    """With the course's own notebooks: an answer goes into each cell that is the learner's, and into no other."""
    for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"):
        (repository / "notebooks" / path.name).write_bytes(path.read_bytes())
        notebook = json.loads(path.read_bytes())
        own = [c for c in notebook["cells"] if c["id"].startswith("predict-") or c["id"].endswith("-code")]
        for cell in own:
            cell["source"] = ["mine"]
        (repository / "work").mkdir(exist_ok=True)
        (repository / "work" / path.name).write_text(json.dumps(notebook), encoding="utf-8")
        checkpoint(path.name)
        now = cells(repository / "work" / path.name)
        assert [id for id, cell in now.items() if cell["source"] == "mine"] == [cell["id"] for cell in own]
        checkpoint(path.name, clean=True)
        start = unrun(json.loads(path.read_bytes()))
        assert json.loads((repository / "work" / path.name).read_bytes()) == start
