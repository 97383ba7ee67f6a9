"""The long steps of the set-up: a child process that shows its progress, and the reason when it fails.

Standard library only, since nothing is installed yet.
"""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

# What pip, uv and the three operating systems print, in lower case.
DISK_FULL = ("no space left on device", "not enough space on the disk", "disk quota exceeded")
WRONG_HASH = ("do not match the hashes", "hash mismatch")
NO_NETWORK = (
    "could not find a version that satisfies",  # pip, after it could not reach the index
    "no matching distribution found",
    "failed to establish a new connection",
    "name resolution",
    "failed to fetch",  # uv
    "error sending request",
    "dns error",
    "connection refused",
    "timed out",
    "no route to host",
    "network is unreachable",
    "no cached version",
    "network connectivity is disabled",
)
NO_ROOM = "the disk is full: free 2 GB where the repository and the temporary folder are, and run the command again"
MISLEADING = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "__PYVENV_LAUNCHER__")
# Runs a command and kills it when this process, which holds the other end of stdin, is gone.
GUARD = """
import os, signal, subprocess, sys, threading
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
threading.Thread(target=lambda: (os.read(0, 1), child.kill()), daemon=True).start()
os._exit(child.wait() != 0)
"""


class Problem(Exception):
    """Something that the learner can mend: the text is one line that names it and the remedy."""


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would send a child to another Python or another folder."""
    environ = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    if not environ.get("HOME"):
        environ.pop("HOME", None)  # an empty HOME would mean "/"; without one, the user's entry is asked
    return {**environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}


def base_python() -> str:
    """Return the interpreter beneath a virtual environment: it stays when the .venv that runs this is made again."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def install(python: Path, lock: Path) -> None:
    """Install the packages of `lock`, hashes checked: with uv where it is and works, else with pip."""
    print(f"[2/3] installing the packages of {lock.name}: a minute or more", flush=True)
    what: list[str | Path] = ["--require-hashes", "-r", lock]
    uv = shutil.which("uv")
    pip = importlib.util.find_spec("ensurepip") is not None
    if uv:
        try:
            return run([uv, "pip", "install", "--python", python, *what])
        except Problem:  # it may lack a certificate or a proxy that pip was told of
            if not pip:
                raise
            print("uv did not manage it: going on with pip", flush=True)
    if not pip:
        raise Problem(
            "this Python cannot put pip into a virtual environment: install the rest of it "
            "(Debian and Ubuntu: sudo apt install python3-venv) and run the command again"
        )
    run([python, "-m", "ensurepip", "--default-pip"])
    run([python, "-m", "pip", "install", "--no-user", *what])


def run(command: Sequence[str | Path]) -> None:
    """Run `command` with its output shown as it comes; raise Problem, with the reason, when it fails.

    The command ends with this process, however that ends.
    """
    process = subprocess.Popen(
        [base_python(), "-I", "-c", GUARD, *map(str, command)],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdin is not None and process.stderr is not None
    said: deque[str] = deque(maxlen=60)
    try:
        for line in process.stderr:
            said.append(line)
            sys.stderr.write(line)
        code = process.wait()
    finally:
        process.stdin.close()
        process.wait()
        if os.name == "posix" and sys.stdout.isatty():
            print("\033[?25h", end="", flush=True)  # pip hides the cursor, and may have been killed
    if code:
        raise Problem(reason("".join(said)))


def reason(said: str) -> str:
    """Return one line with the remedy for the step that ended in the words `said`."""
    text = said.lower()
    if any(words in text for words in DISK_FULL):
        return NO_ROOM
    if any(words in text for words in WRONG_HASH):
        return (
            "a downloaded package is not the one that requirements.lock names; "
            "do not use this network's package mirror, and run the command again"
        )
    if any(words in text for words in NO_NETWORK):
        return (
            "the first use downloads the course's packages, and the package index cannot be reached; "
            "check the network (or proxy) and run the command again"
        )
    last = said.strip().splitlines()[-1:] or ["no reason given"]
    return f"a step of the set-up failed ({last[0].strip()[:200]}); mend what the lines above name and run it again"


def explain(error: OSError) -> str:
    """Return one line with the remedy for an error of the file system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NO_ROOM
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"cannot write {error.filename}: copy the repository to a folder of your own and run it there"
    return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for its holder; the operating system frees it when its holder ends."""
    with open(path, "a") as file:
        waiting = False
        while not try_lock(file.fileno()):
            if not waiting:
                print("another orderlab command is making .venv: waiting for it", flush=True)
            waiting = True
            time.sleep(0.2)
        yield


def try_lock(descriptor: int) -> bool:
    """Try once to lock an open file, and say whether that worked; a file system without locks lets everybody in."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True
