"""The notebooks and the cloud on every other Python: which ones are taken, and what is said when one fails."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parent.parent / ".ci" / "versions.py"


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, on a machine without any Python."""
    spec = importlib.util.spec_from_file_location("ci_versions", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "path", list(sys.path))  # the script adds the repository
    spec.loader.exec_module(module)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return module


@pytest.fixture
def install(versions: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], str]:
    """Put a Python into a folder; it answers with the version given, or with nothing when that is empty."""
    answers: dict[str, str] = {}
    monkeypatch.setattr(versions, "answer", lambda python: answers.get(python) or None)

    def put(name: str, version: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        answers[str(path)] = version
        return str(path)

    return put


def test_the_newest_patch_is_taken(versions: ModuleType, install: Callable[[str, str], str]) -> None:
    """3.12.10 is newer than 3.12.9, and pyenv's stand-in on PATH, which runs nothing, is passed over."""
    install("bin/python3.12", "")
    install("pyenv/versions/3.12.9/bin/python3.12", "3.12.9")
    newest = install("pyenv/versions/3.12.10/bin/python3.12", "3.12.10")
    assert versions.find("3.12") == (newest, "3.12.10")
    assert versions.find("3.13") is None


def test_a_python_under_another_ones_name_is_not_taken(
    versions: ModuleType, install: Callable[[str, str], str]
) -> None:
    """A link of the wrong name would run the notebooks on 3.11 and report 3.13."""
    install("bin/python3.13", "3.11.7")
    assert versions.find("3.13") is None


def test_what_does_not_run_gives_no_answer(versions: ModuleType, tmp_path: Path) -> None:
    """A file that is missing or no program is no Python; this one is."""
    (tmp_path / "python3.12").write_text("no program")
    assert versions.answer(str(tmp_path / "python3.12")) is None
    assert versions.answer(str(tmp_path / "python3.13")) is None
    assert versions.answer(sys.executable) == ".".join(map(str, sys.version_info[:3]))


def test_without_another_python_nothing_fails(
    versions: ModuleType, install: Callable[[str, str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what was not found."""
    own = install("bin/python", "3.12.4")
    assert versions.main(own, "uv") == 0
    assert capsys.readouterr().out == "not found: 3.11, 3.13; the course's own is 3.12.4\n"


def test_a_version_on_which_a_notebook_fails_is_named(
    versions: ModuleType,
    install: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others are run all the same, and the exit status is 1."""
    own = install("bin/python", "3.11.2")
    for version in ("3.12", "3.13"):
        install(f"bin/python{version}", f"{version}.1")
    monkeypatch.setattr(versions, "environment", lambda uv, python, version: version)
    monkeypatch.setattr(versions, "run", lambda python: python == "3.13")
    monkeypatch.setattr(versions, "history", lambda python: "day 0: abc\n")
    assert versions.main(own, "uv") == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "the notebooks and the cloud's tests pass on Python 3.13.1; notebooks or tests FAIL on Python 3.12.1; "
        "the same seed gives the same history on all of them; the course's own is 3.11.2"
    )


@pytest.mark.parametrize("told", ["day 0: abd\n", "", "day 0: abc\nday 1: abc\n"])
def test_a_version_with_another_history_is_named(
    versions: ModuleType,
    install: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    told: str,
) -> None:
    """Another hash, none at all, or a day more: the days are shown, and the exit status is 1, though all tests pass."""
    own = install("bin/python", "3.11.2")
    install("bin/python3.13", "3.13.1")
    monkeypatch.setattr(versions, "environment", lambda uv, python, version: version)
    monkeypatch.setattr(versions, "run", lambda python: True)
    monkeypatch.setattr(versions, "history", lambda python: told if python == "3.13" else "day 0: abc\n")
    assert versions.main(own, "uv") == 1
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith(("-day", "+day"))]
    assert said[-1] == (
        "the notebooks and the cloud's tests pass on Python 3.13.1; the history DIFFERS on Python 3.13.1; "
        "not found: 3.12; the course's own is 3.11.2"
    )


def test_two_scripts_that_fail_alike_have_no_history_in_common(versions: ModuleType) -> None:
    """Nothing printed is nothing compared; and the script prints a line for each saga and seed."""
    assert not versions.same("", "")
    assert versions.same("day 0: abc\n", "day 0: abc\n")
    assert versions.HISTORY.is_file()
    assert all((FILE.parent.parent / path).exists() for path in versions.TESTS)


def test_the_courses_own_python_must_run(versions: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong argument is named."""
    assert versions.main("no-python", "uv") == 2
    assert "no-python is no Python that runs" in capsys.readouterr().err
