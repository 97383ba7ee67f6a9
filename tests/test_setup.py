"""The set-up of .venv: made once, mended when broken, and never in two places at once. A stand-in for uv brings one
tiny package, so that all but the download is real."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orderlab import environment, installing
from orderlab.installing import Problem

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a POSIX script")
REPOSITORY = Path(__file__).parent.parent
STAND_IN = """#!{python}
import os, pathlib, subprocess, sys, time
python, lock = sys.argv[sys.argv.index("--python") + 1], sys.argv[-1]
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as calls:
    print(lock, file=calls)
mode = (here / "mode").read_text()
site = pathlib.Path(subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                                            text=True).strip())
if mode == "fail":
    sys.exit("error: Failed to fetch: something\\n  cause: error sending request")
(site / "pretend").mkdir(exist_ok=True)
if mode == "hang":
    (here / "step").write_text(str(os.getpid()))
    (site / "pretend" / "half.py").write_text("")
while mode == "hang" and (here / "mode").read_text() == "hang":
    time.sleep(0.02)
(site / "pretend" / "__init__.py").write_text("")
(site / "pretend-1.dist-info").mkdir(exist_ok=True)
"""
DRIVER = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from orderlab import environment
environment.PROOF = "import pretend"
print(environment.python_for_course(pathlib.Path(sys.argv[2])))
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, in a folder with a space and an accent, beside a stand-in for uv that is first on the PATH."""
    folder = tmp_path / "a clône" / "orderlab"
    folder.mkdir(parents=True)
    (folder / "requirements.lock").write_text("pretend==1\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text('[project]\ndependencies = ["pretend>=1,<2"]\n', encoding="utf-8")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "mode").write_text("good")
    (programs / "uv").write_text(STAND_IN.format(python=sys.executable))
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(environment, "PROOF", "import pretend")
    return folder


def mode(root: Path, word: str) -> None:
    """Tell the stand-in what to do: good, fail, or hang until told otherwise."""
    (root.parent.parent / "programs" / "mode").write_text(word)


def installs(root: Path) -> int:
    """How often the stand-in was called."""
    calls = root.parent.parent / "programs" / "calls"
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def start(root: Path) -> subprocess.Popen[str]:
    """Start the set-up in a process of its own, with nothing but the standard library."""
    command = [sys.executable, "-S", "-c", DRIVER, str(REPOSITORY), str(root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def works(python: Path) -> bool:
    """Say whether an interpreter, started elsewhere, finds the package and the repository."""
    question = "import pretend, sys; sys.exit(sys.argv[1] not in sys.path)"
    root = python.parent.parent.parent
    return subprocess.run([python, "-c", question, root], cwd="/", check=False).returncode == 0


def is_alive(number: int) -> bool:
    """Say whether a process is there."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.02)


def test_the_first_use_makes_an_environment_and_the_second_takes_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three announced steps, then silence."""
    python = environment.python_for_course(root)
    assert works(python)
    assert [line[:5] for line in capsys.readouterr().out.splitlines()] == ["[1/3]", "[2/3]", "[3/3]"]
    assert environment.python_for_course(root) == python
    assert capsys.readouterr().out == ""
    assert installs(root) == 1


def test_a_set_up_that_was_killed_is_made_again(root: Path) -> None:
    """kill -9 in the middle of the installation leaves nothing that stops the next command."""
    mode(root, "hang")
    process = start(root)
    wait_until(lambda: list((root / ".venv").rglob("half.py")) != [])
    process.kill()
    process.wait()
    mode(root, "good")
    assert works(environment.python_for_course(root))
    assert list((root / ".venv").rglob("half.py")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_ends_the_set_up_ends_its_step(root: Path, number: int) -> None:
    """After Ctrl-C, and even after kill -9, no process goes on writing to .venv."""
    mode(root, "hang")
    process = start(root)
    wait_until(lambda: list((root / ".venv").rglob("half.py")) != [])
    process.send_signal(number)
    assert process.wait(timeout=20) != 0
    step = int((root.parent.parent / "programs" / "step").read_text())
    wait_until(lambda: not is_alive(step))
    assert not (root / ".venv" / environment.STAMP).exists()


def test_two_commands_at_once_make_one_environment(root: Path) -> None:
    """The second waits, says so, and takes what the first has made."""
    mode(root, "hang")
    first = start(root)
    wait_until(lambda: installs(root) == 1)
    second = start(root)
    assert second.stdout is not None
    assert "waiting for it" in second.stdout.readline()
    mode(root, "good")
    said = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert installs(root) == 1
    assert works(root / ".venv" / "bin" / "python")


@pytest.mark.parametrize("harm", ["no interpreter", "a dead interpreter", "a lost package", "no pyvenv.cfg"])
def test_a_broken_environment_is_made_again(root: Path, harm: str) -> None:
    """Whatever is missing, the next command mends it."""
    python = environment.python_for_course(root)
    if harm == "no interpreter":
        python.unlink()
    elif harm == "a dead interpreter":  # what an upgrade of the system's Python leaves
        python.unlink()
        python.symlink_to("/nonexistent/python3")
    elif harm == "a lost package":
        shutil.rmtree(next((root / ".venv").rglob("pretend")))
    else:
        (root / ".venv" / "pyvenv.cfg").unlink()
    assert works(environment.python_for_course(root))
    assert not (root / ".venv.old").exists()
    assert list(root.glob(".venv.moved*")) == []


def test_a_command_can_make_the_environment_again_that_it_runs_in(root: Path) -> None:
    """An editor activates .venv by itself; what it then runs must still be able to mend it."""
    python = environment.python_for_course(root)
    (root / ".venv" / environment.STAMP).unlink()
    subprocess.run([python, "-c", DRIVER, REPOSITORY, root], check=True)
    assert works(python)


def test_a_changed_lock_is_installed_into_the_same_environment(root: Path) -> None:
    """What the learner added stays, and may also go again without a new set-up."""
    environment.python_for_course(root)
    own = next((root / ".venv").rglob("pretend")).with_name("pandas_of_the_learner")
    own.mkdir()
    (root / "requirements.lock").write_text("pretend==1 # newer\n", encoding="utf-8")
    environment.python_for_course(root)
    assert (installs(root), own.is_dir()) == (2, True)
    own.rmdir()
    environment.python_for_course(root)
    assert installs(root) == 2


def test_a_failed_update_is_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment whose update failed half-way does not count as ready."""
    environment.python_for_course(root)
    (root / "requirements.lock").write_text("pretend==1 # newer\n", encoding="utf-8")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    mode(root, "fail")
    with pytest.raises(Problem, match="check the network"):
        environment.python_for_course(root)
    mode(root, "good")
    (root / "requirements.lock").write_text("pretend==1\n", encoding="utf-8")  # and back, as after a git checkout
    assert works(environment.python_for_course(root))
    assert installs(root) == 3


def test_line_ends_of_the_lock_do_not_matter(root: Path) -> None:
    """A checkout on Windows may have other line ends."""
    environment.python_for_course(root)
    (root / "requirements.lock").write_bytes(b"pretend==1\r\n")
    environment.python_for_course(root)
    assert installs(root) == 1


def test_a_learners_own_environment_is_used_and_not_thrown_away(root: Path) -> None:
    """A .venv that an editor made gets the packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    (root / ".venv" / "mine").touch()
    assert works(environment.python_for_course(root))
    assert (root / ".venv" / "mine").exists()


@pytest.mark.parametrize("kind", ["a folder", "a file"])
def test_what_is_not_an_environment_is_moved_aside(root: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that OrderLab did not make is deleted."""
    for number in (1, 2):
        shutil.rmtree(root / ".venv", ignore_errors=True)
        if kind == "a folder":
            (root / ".venv").mkdir()
            (root / ".venv" / "notes.txt").write_text("keep me")
        else:
            (root / ".venv").write_text("keep me")
        assert works(environment.python_for_course(root))
        assert f"moved to .venv.moved-aside-{number}" in capsys.readouterr().out
    kept = root / ".venv.moved-aside-2"
    assert (kept / "notes.txt" if kind == "a folder" else kept).read_text() == "keep me"


def test_a_repository_that_was_moved_still_works(root: Path) -> None:
    """The environment finds the repository by a relative path."""
    environment.python_for_course(root)
    moved = root.rename(root.with_name("moved"))
    assert works(environment.python_for_course(moved))
    assert installs(moved) == 1


def test_an_environment_with_everything_is_used_as_it_is(root: Path) -> None:
    """In a conda environment, or in CI, no .venv is made."""
    (root / "pyproject.toml").write_text('[project]\ndependencies = ["pytest>=9", "nope>1; sys_platform == \'win32\'"]')
    assert environment.python_for_course(root) == Path(sys.executable)
    assert not (root / ".venv").exists()
    for line in ("pytest>=99", "a-package-that-nobody-has>=1"):
        (root / "pyproject.toml").write_text(f'[project]\ndependencies = ["{line}"]')
        assert not environment.has_everything(root / "pyproject.toml")


def test_a_package_without_its_repository_says_where_to_go(tmp_path: Path) -> None:
    """Installed elsewhere, or copied without its files, it names the folder."""
    with pytest.raises(Problem, match=r"is not the course's repository: go to the folder of your clone"):
        environment.python_for_course(tmp_path)


def test_without_uv_and_ensurepip_the_remedy_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian ships venv without what it needs."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Problem, match="sudo apt install python3-venv"):
        environment.python_for_course(root)


def test_without_a_network_the_first_use_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """uv fails, pip is tried, and its failure is explained in one line."""
    mode(root, "fail")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name, value in {"CONFIG_FILE": os.devnull, "INDEX_URL": "http://127.0.0.1:9", "RETRIES": "0"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    (root / "requirements.lock").write_text(f"pretend==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(Problem, match=r"cannot be reached; check the network \(or proxy\) and run the command again"):
        environment.python_for_course(root)
    assert (root / ".venv" / "bin" / "pip").exists(), "pip was not tried"


def test_a_full_disk_is_seen_before_the_start(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an environment on a full disk helps nobody."""
    usage = type(shutil.disk_usage(root))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12 - 10**6, 10**6))
    with pytest.raises(Problem, match="the disk is full: free 2 GB"):
        environment.python_for_course(root)
    assert not (root / ".venv").exists()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("error: failed to write: There is not enough space on the disk. (os error 112)", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "mirror"),
        ("error: Hash mismatch for `moto==5.2.5`", "mirror"),
        ("WARNING: Retrying ... Temporary failure in name resolution\nERROR: No matching distribution", "network"),
        ("error: Failed to fetch: `https://example`\n  Caused by: dns error", "network"),
        ("ERROR: Failed building wheel for greenlet", "Failed building wheel for greenlet"),
        ("", "no reason given"),
    ],
)
def test_what_a_failed_step_said_becomes_one_line(said: str, remedy: str) -> None:
    """The words of pip, uv and the operating systems lead to the remedy."""
    line = installing.reason(said)
    assert remedy in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "copy the repository"), (errno.EACCES, "copy the repository")],
)
def test_an_error_of_the_file_system_becomes_one_line(number: int, words: str) -> None:
    """A full disk and a read-only checkout have their remedy."""
    assert words in installing.explain(OSError(number, os.strerror(number), "/read/only/.venv.lock"))


def test_a_child_is_not_led_to_another_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """PYTHONPATH and the like are dropped, and an empty HOME does not mean the root folder."""
    for name in (*installing.MISLEADING, "HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PYTHONPATH", "/opt/ros/packages")
    environ = installing.clean_environment()
    assert not {*installing.MISLEADING, "HOME"} & set(environ)


def test_a_step_that_ends_leaves_the_cursor_visible(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip hides it while it draws its bar, and cannot bring it back when it is killed; a file gets no such letters."""
    code = "import sys; sys.exit('stopped half-way')"
    for terminal, wanted in ((True, "\x1b[?25h"), (False, "")):
        monkeypatch.setattr(sys.stdout, "isatty", lambda terminal=terminal: terminal)
        with pytest.raises(Problem, match="stopped half-way"):
            installing.run([sys.executable, "-c", code])
        assert capsys.readouterr().out == wanted
