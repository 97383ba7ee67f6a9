"""`python3 -m orderlab`: the door that opens on any Python, the table of commands, and what each ends with."""

import ast
import errno
import importlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orderlab import commands
from orderlab.installing import Problem

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "orderlab"
PRETEND = "import sys, runpy; sys.version_info = ({}, 'final', 0); runpy.run_module('orderlab', run_name='__main__')"


def orderlab(*argv: str, cwd: Path = REPOSITORY, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m orderlab` as a learner would."""
    return subprocess.run(
        [sys.executable, "-m", "orderlab", *argv],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_package_is_importable_with_nothing_installed() -> None:
    """`python3 -S` sees no site-packages at all."""
    code = "import orderlab, sys; sys.exit(bool({'boto3', 'moto', 'matplotlib'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=REPOSITORY, check=True)


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_an_old_python_can_read_the_door(name: str) -> None:
    """What runs before the version is checked has no younger syntax, and no letter that Python 2 would refuse."""
    source = (PACKAGE / name).read_bytes().decode("ascii")
    tree = ast.parse(source, feature_version=(3, 4))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign)]


@pytest.mark.parametrize("version", ["2, 7, 18", "3, 8, 1", "3, 10, 14", "3, 14, 0"])
def test_an_unfit_python_gets_one_line_with_the_remedy(version: str) -> None:
    """The line names the Python that it is, those that fit, and what to do; the exit status is 1."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", PRETEND.format(version)],
        cwd=REPOSITORY,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PATH": ""},
    )
    short = ".".join(version.split(", ")[:2])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"orderlab: this is Python {short}, and OrderLab needs one of 3.11, 3.12, 3.13; install"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="names of Pythons are POSIX")
def test_an_unfit_python_names_a_fitting_one_that_is_there(tmp_path: Path) -> None:
    """A stand-in that only complains (as pyenv's do) is passed over."""
    for name, status in (("python3.13", 127), ("python3.12", 0)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-S", "-c", PRETEND.format("3, 9, 2"), "demo"],
        cwd=REPOSITORY,
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PATH": str(tmp_path)},
    )
    assert done.stderr.endswith("; you have one, so run: python3.12 -m orderlab demo\n")


@pytest.mark.parametrize("folder", [REPOSITORY, PACKAGE / "course"])
def test_the_package_run_by_its_path_says_how_to_run_it(folder: Path) -> None:
    """`python3 orderlab lab`, the -m forgotten: one line with the folder and the command, and status 1."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", os.path.relpath(PACKAGE, folder), "lab"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    line = f'orderlab: run it as a module, from its folder: cd "{REPOSITORY}", then python3 -m orderlab lab'
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line + "\n")


def test_help_lists_the_commands_and_installs_nothing() -> None:
    """Asked for, it goes to stdout with status 0."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "orderlab", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert all(name in done.stdout for name in commands.COMMANDS)


def test_an_unknown_command_is_named() -> None:
    """Status 2, as for any wrong use; so without a command at all."""
    done = orderlab("dmeo")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no command 'dmeo'" in done.stderr
    assert orderlab().returncode == 2


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_every_listed_command_exists(name: str) -> None:
    """No command in the help leads nowhere."""
    assert callable(importlib.import_module(commands.COMMANDS[name][0]).main)


def test_the_test_command_ends_as_pytest_does(tmp_path: Path) -> None:
    """What follows `test` goes to pytest, and its exit status comes back."""
    path = tmp_path / "test_two.py"
    path.write_text("def test_good(): assert True\ndef test_bad(): assert False\n", encoding="utf-8")
    done = orderlab("test", "-n", "0", "-q", "-k", "test_bad", str(path))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 deselected" in done.stdout


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (Problem("mend this"), 1, "orderlab: mend this\n"),
        (KeyboardInterrupt(), 130, "orderlab: stopped\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "the disk is full"),
    ],
)
def test_what_ends_a_command_becomes_one_line(
    error: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A problem, Ctrl-C and a full disk leave no traceback."""

    def fail(argv: list[str]) -> int:
        raise error

    monkeypatch.setattr("orderlab.lab.main", fail)
    assert commands.run(["lab"]) == status
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("error", [Problem("mend this"), OSError(errno.EROFS, "Read-only file system", ".venv.lock")])
def test_what_stops_the_set_up_becomes_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command does not run then, and the status is 1."""

    def fail() -> Path:
        raise error

    monkeypatch.setattr(commands, "python_for_course", fail)
    monkeypatch.setattr(commands, "run", lambda argv: pytest.fail("the command ran"))
    assert commands.main(["lab"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("orderlab: ")
    assert said.count("\n") == 1


def test_where_a_process_cannot_be_replaced_the_childs_status_comes_back() -> None:
    """On Windows the command runs as a child; Ctrl-C reaches both, and the child decides."""

    class Child:
        answers = iter([KeyboardInterrupt(), 7])

        def wait(self) -> int:
            answer = next(self.answers)
            if isinstance(answer, BaseException):
                raise answer
            return answer

    assert commands.wait_for(Child()) == 7  # type: ignore[arg-type]
    assert commands.wait_for(subprocess.Popen([sys.executable, "-c", "raise SystemExit(5)"])) == 5


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The launcher's part of the repository in a folder of its own, with a .venv that was just begun."""
    folder = tmp_path / "a clône"
    shutil.copytree(
        PACKAGE, folder / "orderlab", ignore=lambda path, names: [n for n in names if not n.endswith(".py")]
    )
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX script and signals")
def test_a_bare_python_hands_over_to_the_environment_it_made(clone: Path, tmp_path: Path) -> None:
    """From nothing but the standard library to a command that runs in .venv, its status passed on."""
    borrow = f"""#!{sys.executable}
import pathlib, subprocess, sys, sysconfig
ask = [sys.argv[sys.argv.index("--python") + 1], "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
site = pathlib.Path(subprocess.check_output(ask, text=True).strip())
(site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
"""
    (tmp_path / "uv").write_text(borrow)
    (tmp_path / "uv").chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "/nowhere"}
    command = [sys.executable, "-S", "-m", "orderlab", "lab", "--port", "70000"]
    for steps in (3, 0):
        done = subprocess.run(command, cwd=clone, capture_output=True, encoding="utf-8", check=False, env=environ)
        assert done.returncode == 1
        assert done.stderr == "orderlab: 70000 is not a port: --port takes a number from 1024 to 65535\n"
        assert done.stdout.count("/3]") == steps


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX script and signals")
def test_a_terminated_launcher_takes_its_step_along(clone: Path, tmp_path: Path) -> None:
    """SIGTERM during the set-up ends the step's process, so that nothing writes to .venv afterwards."""
    (tmp_path / "uv").write_text('#!/bin/sh\necho "$$" >&2\nexec sleep 60\n')
    (tmp_path / "uv").chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-S", "-m", "orderlab", "lab"]
    process = subprocess.Popen(command, cwd=clone, stderr=subprocess.PIPE, env=environ, text=True)
    assert process.stderr is not None
    step = int(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(step, 0)
