"""The learner's record: it lasts, nothing damages more than a line of it, and nothing about it stops a lesson."""

import errno
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderlab.course.answers import record
from orderlab.course.answers.record import FILE, note, notes
from orderlab.offline import ROOT, go_offline

GOOD = b'{"kind": "exercise", "id": "0.1", "state": "passed"}\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The record is on, in a repository of its own, for a kernel that has just started."""
    monkeypatch.delenv("ORDERLAB_PROGRESS")
    monkeypatch.setattr(record, "ROOT", tmp_path)
    new_kernel(monkeypatch)
    yield tmp_path / FILE


def new_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process remembers."""
    for name in ("_here", "_waiting", "_told"):
        monkeypatch.setattr(record, name, [])


def test_what_was_noted_is_there_in_the_next_kernel(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with its facts, by kind and by id."""
    note("exercise", "0.1", state="not yet")
    note("hint", "0.1", number=1)
    note("exercise", "0.2", state="passed", score=3)
    new_kernel(monkeypatch)
    assert [one["kind"] for one in notes()] == ["exercise", "hint", "exercise"]
    assert notes("exercise", "0.2") == [{"kind": "exercise", "id": "0.2", "state": "passed", "score": 3}]
    assert notes("hint") == notes("hint", "0.1") == [{"kind": "hint", "id": "0.1", "number": 1}]
    assert notes(id="7.7") == []


def test_a_line_is_json_and_holds_nothing_but_what_was_given(file: Path) -> None:
    """No time, no name and no path: nobody learns from it who worked when."""
    note("exercise", "0.1", state="passed")
    assert file.read_bytes() == GOOD


def test_nothing_noted_is_an_empty_list(file: Path) -> None:
    """And asking makes no file."""
    assert notes() == []
    assert not file.parent.exists()


def test_who_changes_what_was_returned_changes_no_record(file: Path) -> None:
    """The lists are the caller's own."""
    note("exercise", "0.1", state="passed")
    notes()[0]["state"] = "gone"
    notes().clear()
    assert notes() == [json.loads(GOOD)]


DAMAGE = {
    "torn": GOOD[:20],
    "torn in a letter": '{"kind": "exercise", "id": "é'.encode()[:-1],
    "rubbish": os.urandom(5000).replace(b"\n", b"") + b"\n",
    "zeros": b"\0" * 4096,
    "another's list": b"[1, 2]\n",
    "no id": b'{"kind": "exercise"}\n',
    "an id that is no text": b'{"kind": "exercise", "id": 7}\n',
    "a kind that is no text": b'{"kind": null, "id": "0.1"}\n',
    "deep": b'{"kind": ' + b"[" * 3000 + b"\n",
    "very deep": b'{"kind": ' + b"[" * 10**6 + b"\n",
    "wrong code": b'{"kind": "exercise", "id": "\xff\xfe"}\n',
    "huge number": b'{"kind": "exercise", "id": "0.1", "score": ' + b"9" * 5000 + b"}\n",
    "long": b'{"kind": "exercise", "id": "' + b"x" * 10**6 + b'"}\n',
    "empty lines": b"\n\n\r\n\n",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damage_costs_no_more_than_its_own_line(file: Path, damage: bytes) -> None:
    """What stands before and after is read, what comes next begins a line, and nobody deletes anything."""
    file.parent.mkdir()
    file.write_bytes(GOOD + damage)
    assert notes() == [json.loads(GOOD)]
    note("exercise", "0.2", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.2"]
    assert file.read_bytes().startswith(GOOD + damage)
    assert file.read_bytes().splitlines()[-1] == GOOD.strip().replace(b"0.1", b"0.2")


def test_a_record_edited_on_windows_is_read(file: Path) -> None:
    """An editor there ends lines in its own way."""
    file.parent.mkdir()
    file.write_bytes(2 * GOOD.replace(b"\n", b"\r\n"))
    assert len(notes()) == 2


def test_a_hundred_megabytes_of_rubbish_stop_nobody(file: Path) -> None:
    """They are read over, and the notes before and after them are found."""
    file.parent.mkdir()
    file.write_bytes(GOOD + (b"\0{\n[\xff" * (2 * 10**7)))
    note("exercise", "0.2", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.2"]
    file.unlink()


def test_what_only_looks_like_notes_is_given_up_soon(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many such lines there are, the last notes are found without trying them all."""
    monkeypatch.setattr(record, "MOST", 3)
    file.parent.mkdir()
    file.write_bytes(GOOD + b'{"kind":\n' * 5 + GOOD + b'{"kind":\n')
    note("exercise", "0.2", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.2"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows appends in two steps")
def test_two_kernels_at_once_lose_nothing(file: Path) -> None:
    """Each line is one call of the system that appends."""
    code = (
        "import sys; from pathlib import Path; from orderlab.course.answers import record\n"
        "record.ROOT = Path(sys.argv[1])\n"
        "for n in range(300): record.note('exercise', sys.argv[2], n=n, more='x' * 200)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "ORDERLAB_PROGRESS"}
    kernels = [
        subprocess.Popen([sys.executable, "-c", code, file.parent.parent, which], cwd=ROOT, env=environment)
        for which in ("a", "b")
    ]
    assert [kernel.wait() for kernel in kernels] == [0, 0]
    assert [[one["n"] for one in notes(id=which)] for which in ("a", "b")] == [list(range(300))] * 2
    assert len(notes()) == len(file.read_bytes().splitlines()) == 600


def block_with_a_folder(file: Path) -> None:
    """The file is a folder."""
    file.mkdir(parents=True)


def block_with_a_file(file: Path) -> None:
    """The folder is a file."""
    file.parent.write_text("mine", encoding="utf-8")


def block_with_a_lost_link(file: Path) -> None:
    """The file is a link to nowhere."""
    file.parent.mkdir()
    file.symlink_to(file.parent / "nowhere" / "at all")


LINK = pytest.param(block_with_a_lost_link, marks=pytest.mark.skipif(sys.platform == "win32", reason="needs a right"))


@pytest.mark.parametrize("block", [block_with_a_folder, block_with_a_file, LINK])
def test_a_record_that_cannot_be_kept_is_remembered_and_said_once(
    file: Path, capsys: pytest.CaptureFixture[str], block: Any
) -> None:
    """One sentence, without the path of this machine; the lesson goes on; once mended, all is written."""
    block(file)
    note("exercise", "0.1", state="passed")
    note("exercise", "0.2", state="passed")
    said = capsys.readouterr()
    assert said.out.startswith("Your progress cannot be kept in work/progress.jsonl (") and said.err == ""
    assert said.out.count("\n") == 1 and str(file.parent.parent) not in said.out
    assert [one["id"] for one in notes()] == ["0.1", "0.2"]
    if file.is_dir():
        file.rmdir()
    else:
        (file if file.is_symlink() else file.parent).unlink()
    note("exercise", "0.3", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.2", "0.3"]
    assert len(file.read_bytes().splitlines()) == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["open", "lseek", "write", "close"])
def test_any_error_of_the_system_is_survived(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str, number: int
) -> None:
    """A read-only folder, a full disk, a broken one: at each call."""

    def fail(*args: Any, **more: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(record.os, call, fail)
        note("exercise", "0.1", state="passed")
    assert os.strerror(number) in capsys.readouterr().out
    assert notes()[-1]["id"] == "0.1"


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_a_torn_one(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The note is written again, whole, when there is room; the torn half is passed over."""
    note("exercise", "0.1", state="passed")
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(record.os, "write", lambda number, data: real(number, data[:9]))
        note("exercise", "0.2", state="passed")
    assert "the disk is full" in capsys.readouterr().out
    assert [one["id"] for one in notes()] == ["0.1", "0.2"]
    note("exercise", "0.3", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.2", "0.3"]
    assert file.read_bytes().splitlines()[1] == GOOD[:9]


def test_facts_that_no_json_can_hold_are_left_out(file: Path) -> None:
    """The thing itself is noted."""
    ring: list[Any] = []
    ring.append(ring)
    for fact in (object(), {1, 2}, ring, "x" * 10**6, 10**5000, b"bytes", {(1, 2): 3}):
        note("exercise", "0.1", fact=fact)
    assert notes() == [{"kind": "exercise", "id": "0.1"}] * 7
    note("exercise", "0.1", fact="\ud800 ✓ é")
    assert notes()[-1]["fact"] == "\ud800 ✓ é"


def test_even_a_hostile_id_stops_nobody(file: Path) -> None:
    """Nothing is noted then."""

    class Hostile:
        def __str__(self) -> str:
            raise ValueError

        __repr__ = __str__

    note("exercise", Hostile())  # type: ignore[arg-type]
    assert notes() == []


def test_a_kernel_that_cannot_print_goes_on(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its standard output is closed, and the folder is a file."""
    block_with_a_file(file)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    note("exercise", "0.1", state="passed")
    assert len(notes()) == 1


@pytest.mark.parametrize("word", ["off", "OFF"])
def test_off_means_that_the_file_is_neither_read_nor_written(
    file: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """What is noted then is known to this process only, and never written later."""
    note("exercise", "0.1", state="passed")
    before = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setenv("ORDERLAB_PROGRESS", word)
        note("exercise", "0.2", state="passed")
        assert [one["id"] for one in notes()] == ["0.2"]
    note("exercise", "0.3", state="passed")
    assert [one["id"] for one in notes()] == ["0.1", "0.3"]
    assert file.read_bytes().startswith(before)


def test_it_is_off_where_outputs_are_compared(tmp_path: Path) -> None:
    """Tests, `refresh` and pytest --nbval all go offline with this, and so do their kernels."""
    environment: dict[str, str] = {}
    go_offline(environment, tmp_path)
    assert environment["ORDERLAB_PROGRESS"] == "off"
    assert os.environ["ORDERLAB_PROGRESS"] == "off"
