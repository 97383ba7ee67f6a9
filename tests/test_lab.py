"""`orderlab lab`: the learner's copy stays theirs, and the server is theirs alone."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from orderlab import lab
from orderlab.installing import Problem

RUN = {"cell_type": "code", "execution_count": 1, "id": "a", "metadata": {}, "outputs": [{}], "source": []}
NOTEBOOK = json.dumps({"cells": [RUN], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    """A folder of lessons as the repository has it."""
    folder = tmp_path / "notebooks"
    for name in ("00_a.ipynb", "01_b.ipynb", "images/map.svg", "solutions/01_b.ipynb", "INSTRUCTOR.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(NOTEBOOK if name.endswith(".ipynb") else name, encoding="utf-8")
    for name in (".ipynb_checkpoints/00_a-checkpoint.ipynb", ".hidden"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_lessons_are_copied_with_what_they_link_to(lessons: Path, tmp_path: Path) -> None:
    """Pictures and solutions go along, so that a lesson's links lead somewhere; the instructor's notes stay behind."""
    copied = ["00_a.ipynb", "01_b.ipynb", "images/map.svg", "solutions/01_b.ipynb"]
    assert lab.copy_missing(lessons, tmp_path / "work") == copied
    for name in copied:
        text = (tmp_path / "work" / name).read_text()
        if name.endswith(".svg"):
            assert text == name
        else:  # a lesson comes without its outputs, which show what it asks to predict; a solution with them
            run = [cell["execution_count"] for cell in json.loads(text)["cells"]]
            assert run == [1 if name.startswith("solutions") else None]
    files = (path for path in (tmp_path / "work").rglob("*") if path.is_file())
    assert sorted(path.relative_to(tmp_path / "work").as_posix() for path in files) == copied


def test_a_learners_edits_are_never_overwritten(lessons: Path, tmp_path: Path) -> None:
    """Only what is missing is copied, a lesson that was deleted included."""
    work = tmp_path / "work"
    lab.copy_missing(lessons, work)
    (work / "00_a.ipynb").write_text("my answers")
    (work / "solutions" / "01_b.ipynb").write_text("my notes")
    (work / "01_b.ipynb").unlink()
    for name in ("00_a.ipynb", "solutions/01_b.ipynb"):
        (lessons / name).write_text("a new version")
    assert lab.copy_missing(lessons, work) == ["01_b.ipynb"]
    assert (work / "00_a.ipynb").read_text() == "my answers"
    assert (work / "solutions" / "01_b.ipynb").read_text() == "my notes"


def test_a_copy_that_was_cut_short_is_made_again(
    lessons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file gets its name only when it is whole."""

    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:2])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        with pytest.raises(OSError, match="No space left"):
            lab.copy_missing(lessons, tmp_path / "work")
    lab.copy_missing(lessons, tmp_path / "work")
    assert json.loads((tmp_path / "work" / "00_a.ipynb").read_text())["cells"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 7}', "<<<<<<< HEAD\n{}"])
def test_a_damaged_lesson_of_the_repository_is_one_line(
    lessons: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The lab names the file and the command that brings it back, and starts no server."""
    (lessons / "01_b.ipynb").write_text(text)
    monkeypatch.setattr(lab, "ROOT", tmp_path)
    monkeypatch.setattr(lab, "settle", lambda folder: None)
    with pytest.raises(Problem, match=r"^notebooks/01_b.ipynb is damaged: run `git restore notebooks/01_b.ipynb`"):
        lab.main(["--port", str(lab.free_port())])


def test_a_damaged_lesson_of_the_learners_is_named(lessons: Path, tmp_path: Path) -> None:
    """Cut short, emptied or no notebook: JupyterLab could only refuse it. What is whole is not named."""
    work = tmp_path / "work"
    lab.copy_missing(lessons, work)
    assert lab.torn(work) == []
    (work / "mine.ipynb").write_text("")
    for text in (NOTEBOOK[:40], "", "[]"):
        (work / "01_b.ipynb").write_text(text)
        assert lab.torn(work) == ["01_b.ipynb"]


def test_a_taken_port_is_named_with_one_that_is_free() -> None:
    """The lab never moves to another port by itself."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Problem, match=f"port {port} is taken.* lab --port [0-9]+") as caught:
            lab.check_port(port)
    lab.check_port(int(str(caught.value).split()[-1]))


@pytest.mark.parametrize("port", [-1, 0, 80, 1023, 65536])
def test_what_is_not_a_port_is_refused(port: int) -> None:
    """The range is named."""
    with pytest.raises(Problem, match="a number from 1024 to 65535"):
        lab.check_port(port)


@pytest.mark.skipif(sys.platform == "win32", reason="ends the server by a POSIX signal")
def test_the_lab_serves_a_lesson_to_its_token_alone(tmp_path: Path) -> None:
    """On loopback, with a token, one kernel named python3 and no question about news; SIGTERM ends it."""
    code = (
        "import sys, pathlib; from orderlab import lab; lab.ROOT = pathlib.Path(sys.argv[1]);"
        "sys.exit(lab.main(['--no-browser', '--port', sys.argv[2]]))"
    )
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "00_start_here.ipynb").write_text(NOTEBOOK)
    server = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(lab.free_port())],
        cwd=REPOSITORY,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        env={**os.environ, "HOME": str(tmp_path / "home")},
    )
    try:
        assert server.stderr is not None
        found = None
        while not found:
            line = server.stderr.readline()
            assert line, "the server ended"
            found = re.search(r"(http://127\.0\.0\.1:\d+)/lab/tree/00_start_here\.ipynb\?token=(\w+)", line)
        base, token = found.groups()
        page = ask(f"{base}/lab?token={token}")
        assert "JupyterLab" in page
        assert '"disabled": true' in page.partition('"news"')[2][:40]
        assert list(json.loads(ask(f"{base}/api/kernelspecs?token={token}"))["kernelspecs"]) == ["python3"]
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(f"{base}/api/contents")
    finally:
        server.terminate()
        server.communicate(timeout=20)
    assert server.returncode == 0
    assert not (tmp_path / "home").exists()


def ask(url: str) -> str:
    """Return a page of the server, which prints its address just before it listens; proxies are not for loopback."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(200):
        try:
            with opener.open(url, timeout=20) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.05)
    pytest.fail(f"nobody listens at {url}")
