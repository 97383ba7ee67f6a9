"""Run the notebooks and the local cloud's tests with every other Python of this machine that the course supports.

The course's own Python runs them with all other tests. Here each other one gets an environment of its own, with exactly
what requirements.lock says, in .ci/.venv. A troubled day must have the same history there, byte for byte, as on the
course's own (history.py). The last line says which versions ran and which are not on this machine; a version that is
absent is no failure. Usage: versions.py THE_COURSES_PYTHON UV
"""

import difflib
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from orderlab import PYTHONS  # noqa: E402

HISTORY = ROOT / ".ci" / "history.py"
TESTS = ("notebooks", "tests/cloud", "tests/system/test_system_orders.py")
ASK = "import platform, ssl; print(platform.python_version())"  # one that was built without ssl can fetch nothing


def main(own: str, uv: str) -> int:
    """Run all that with each version that is not the one of the Python `own`; return the exit status."""
    mine = answer(own)
    if mine is None:
        print(f"versions.py: {own} is no Python that runs", file=sys.stderr)
        return 2
    ran, failed, differs, absent = [], [], [], []
    for version in sorted(PYTHONS, key=lambda name: int(name.partition(".")[2])):
        if mine.startswith(f"{version}."):
            continue
        found = find(version)
        if found is None:
            absent.append(version)
            continue
        python, full = found
        print(f"Python {full}", flush=True)
        inside = environment(uv, python, version)
        (ran if run(inside) else failed).append(full)
        if not same(history(own), history(inside)):
            differs.append(full)
    print(summary(mine, ran, failed, differs, absent))
    return 1 if failed or differs else 0


def find(version: str) -> tuple[str, str] | None:
    """Return the newest Python of this minor version on PATH or among pyenv's, and its full version, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [Path(folder) for folder in os.get_exec_path()] + sorted(pyenv.glob(f"{version}.*/bin"))
    found = {}
    for folder in folders:
        full = answer(str(folder / f"python{version}"))
        if full and full.startswith(f"{version}."):
            found.setdefault(full, str(folder / f"python{version}"))
    newest = max(found, key=lambda full: [int(part) for part in re.findall(r"\d+", full)], default=None)
    return (found[newest], newest) if newest else None


def answer(python: str) -> str | None:
    """Return the full version of a Python, or None when it does not run, as pyenv's stand-ins do not."""
    try:
        done = subprocess.run([python, "-c", ASK], capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def environment(uv: str, python: str, version: str) -> str:
    """Make the environment of a version, or bring it up to date; return its Python. uv checks the lock's hashes."""
    folder = ROOT / ".ci" / ".venv" / f"python{version}"
    inside = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    if answer(inside) != answer(python):
        subprocess.run([uv, "venv", "-q", "--clear", "--no-project", "--python", python, folder], check=True)
    lock = ROOT / "requirements.lock"
    subprocess.run([uv, "pip", "sync", "-q", "--require-hashes", "--python", inside, lock], check=True)
    return inside


def run(python: str) -> bool:
    """Run the notebooks and tests as `orderlab test` does; say whether all outputs were what the files say."""
    return subprocess.run([python, "-m", "orderlab.commands", "test", "-q", *TESTS], cwd=ROOT).returncode == 0


@cache
def history(python: str) -> str:
    """What history.py prints with a Python: a hash for each of its days; nothing when it fails, after its traceback."""
    environ = os.environ | {"PYTHONHASHSEED": "random"}
    return subprocess.run([python, HISTORY], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environ).stdout


def same(ours: str, theirs: str) -> bool:
    """Say whether two histories are there and equal; show the days that are not."""
    for line in difflib.unified_diff(
        ours.splitlines(), theirs.splitlines(), "the course's own", "this one", n=0, lineterm=""
    ):
        print(line)
    return ours == theirs != ""


def summary(mine: str, ran: list[str], failed: list[str], differs: list[str], absent: list[str]) -> str:
    """Return the one line that says what was done."""
    parts = [f"the notebooks and the cloud's tests pass on Python {', '.join(ran)}"] if ran else []
    if failed:
        parts.append(f"notebooks or tests FAIL on Python {', '.join(failed)}")
    if differs:
        parts.append(f"the history DIFFERS on Python {', '.join(differs)}")
    elif ran or failed:
        parts.append("the same seed gives the same history on all of them")
    if absent:
        parts.append(f"not found: {', '.join(absent)}")
    return "; ".join([*parts, f"the course's own is {mine}"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: versions.py THE_COURSES_PYTHON UV")
    sys.exit(main(*sys.argv[1:]))
