"""The course's own Python: one that has everything already, or `.venv`, made here from requirements.lock.

A `.venv` counts as ready when the stamp inside it says so: the stamp is written last, names the lock that it was made
from and what was put into site-packages, and is taken away before anything is changed. So a set-up that was killed is
seen, and made again. Standard library only, since nothing is installed yet.
"""

import hashlib
import importlib.metadata
import itertools
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from orderlab import PYTHONS
from orderlab.installing import NO_ROOM, Problem, base_python, install, only_one, run

ROOT = Path(__file__).resolve().parent.parent
NEEDED_BYTES = 700_000_000  # free space to start with: the packages take about 550 MB
STAMP = "orderlab-ready"
MADE = "orderlab-made"  # lies in a `.venv` that this module began, and may throw away
PROOF = "import airspeed, boto3, greenlet, ipywidgets, jupyterlab, matplotlib, moto, nbval, samtranslator, orderlab"


def python_for_course(root: Path = ROOT) -> Path:
    """Return a Python that has the course's packages, making or mending `.venv` first when there is none.

    Raises Problem, or OSError when the folder cannot be written.
    """
    lock = root / "requirements.lock"
    if not lock.is_file():
        raise Problem(
            f"{root} is not the course's repository: go to the folder of your clone and run the command there"
        )
    venv = root / ".venv"
    if Path(sys.prefix).resolve() != venv.resolve() and has_everything(root / "pyproject.toml"):
        return Path(sys.executable)
    if not is_ready(venv, lock):
        with only_one(root / ".venv.lock"):
            if not is_ready(venv, lock):  # whoever held the lock may have made it
                make(venv, lock)
    return python_in(venv)


def has_everything(pyproject: Path) -> bool:
    """Say whether the Python that runs this meets every requirement of `pyproject` (a conda environment, say)."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return False
    for line in tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["dependencies"]:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            if importlib.metadata.version(requirement.name) not in requirement.specifier:
                return False
        except importlib.metadata.PackageNotFoundError:
            return False
    return True


def python_in(venv: Path) -> Path:
    """Return the path of the interpreter of a virtual environment."""
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def is_ready(venv: Path, lock: Path) -> bool:
    """Say whether `venv` was finished for this lock and still has its interpreter and its packages."""
    stamp = read_stamp(venv)
    if stamp[:1] != [digest(lock)]:
        return False
    answer = ask(python_in(venv))
    return answer is not None and stamp[1:2] == [answer[0]] and set(stamp[2:]) <= entries(answer[1])


def read_stamp(venv: Path) -> list[str]:
    """Return the stamp's lines (hash of the lock, version of Python, names in site-packages), or none without one."""
    try:
        return (venv / STAMP).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def ask(python: Path) -> tuple[str, Path] | None:
    """Return the version ("3.12") and the site-packages of an interpreter, or None when it does not run."""
    question = "import sys, sysconfig; print('%d.%d' % sys.version_info[:2]); print(sysconfig.get_path('purelib'))"
    try:
        done = subprocess.run(
            [python, "-I", "-X", "utf8", "-c", question], capture_output=True, check=True, encoding="utf-8"
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    version, folder = done.stdout.splitlines()
    return version, Path(folder)


def digest(lock: Path) -> str:
    """Return the hash of the lock, the same whatever line ends git chose."""
    return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def entries(folder: Path) -> set[str]:
    """Return the names of what lies in a folder, byte code and pip aside (a learner may upgrade pip)."""
    if not folder.is_dir():
        return set()
    return {path.name for path in folder.iterdir() if not path.name.startswith(("__pycache__", "pip", "setuptools"))}


def make(venv: Path, lock: Path) -> None:
    """Bring `venv` to the state of `lock`: install into it where it works, else make it anew."""
    version, site = can_be_kept(venv) or create(venv)
    before, recorded = entries(site), set(read_stamp(venv)[2:])
    (venv / STAMP).unlink(missing_ok=True)
    python = python_in(venv)
    install(python, lock)
    # The repository is importable from any folder, and stays so when it is moved as a whole.
    (site / "orderlab.pth").write_text(os.path.relpath(lock.parent, site) + "\n", encoding="utf-8")
    print("[3/3] checking that they load", flush=True)
    run([python, "-c", PROOF])
    after = entries(site)
    names = sorted((after - before) | (recorded & after))  # not what the learner added: that may go again
    (venv / STAMP).write_text("\n".join([digest(lock), version, *names]) + "\n", encoding="utf-8")


def can_be_kept(venv: Path) -> tuple[str, Path] | None:
    """Return what `ask` says of a `venv` that only needs other packages, or None when it must be made anew."""
    answer, stamp = ask(python_in(venv)), read_stamp(venv)
    unfinished = (venv / MADE).exists() and not stamp
    if answer is None or answer[0] not in PYTHONS or not (venv / "pyvenv.cfg").is_file() or unfinished:
        return None
    return answer if set(stamp[2:]) <= entries(answer[1]) else None


def create(venv: Path) -> tuple[str, Path]:
    """Make an empty virtual environment, without pip, and return what `ask` says of it."""
    if shutil.disk_usage(venv.parent).free < NEEDED_BYTES:
        raise Problem(NO_ROOM)
    clear(venv)
    print(f"[1/3] making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}", flush=True)
    venv.mkdir()
    (venv / MADE).touch()
    run([base_python(), "-m", "venv", "--without-pip", venv])
    answer = ask(python_in(venv))
    if answer is None:
        raise Problem(f"the interpreter in {venv} does not run; delete that folder and run the command again")
    return answer


def clear(venv: Path) -> None:
    """Make room for a new `venv`: throw away one that this module made, move anything else aside."""
    old = venv.with_name(".venv.old")
    remove(old)
    if not os.path.lexists(venv):
        return
    ours = (venv / MADE).exists()
    names = (venv.with_name(f".venv.moved-aside-{number}") for number in itertools.count(1))
    aside = old if ours else next(name for name in names if not os.path.lexists(name))
    try:
        venv.rename(aside)
    except PermissionError as error:
        raise Problem(f"cannot replace {venv}: close JupyterLab and what else runs from it, and try again") from error
    if ours:
        print("the .venv that is here is broken or unfinished: making it again", flush=True)
        remove(aside)
    else:
        print(f"the .venv that is here cannot be used and is not OrderLab's: moved to {aside.name}", flush=True)


def remove(path: Path) -> None:
    """Delete a folder, a file or a link, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
