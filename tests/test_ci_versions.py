"""The notebooks on every other Python: which ones are taken, and what is said when one is missing or fails."""

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
    assert capsys.readouterr().out == "not found: 3.11, 3.13; the course's own, 3.12.4, runs them with the tests\n"


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
    assert versions.main(own, "uv") == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "the notebooks pass on Python 3.13.1; the notebooks FAIL on Python 3.12.1; "
        "the course's own, 3.11.2, runs them with the tests"
    )


def test_the_courses_own_python_must_run(versions: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong argument is named."""
    assert versions.main("no-python", "uv") == 2
    assert "no-python is no Python that runs" in capsys.readouterr().err
