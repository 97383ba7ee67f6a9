"""`python3 -m orderlab COMMAND`: find or make a Python that has the course's packages, and run the command with it.

Standard library only. Run as a module (`python -m orderlab.commands`) it takes for granted that the packages are there.
"""

import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from orderlab.environment import ROOT, python_for_course
from orderlab.installing import Problem, clean_environment, explain

# Command: the module whose main(argv) runs it (`test` is run here), and what it does.
COMMANDS = {
    "lab": ("orderlab.lab", "open the lessons in JupyterLab, in your own copy in work/"),
    "checkpoint": (
        "orderlab.course.pages.copies",
        "begin a lesson anew, such as 03; your answers stay, and your file",
    ),
    "test": ("orderlab.commands", "run every test and every notebook; what follows goes to pytest"),
    "demo": ("orderlab.ops.demo", "send orders through the whole system and audit what became of them"),
    "bench": ("orderlab.ops.bench", "measure the cloud, patterns or simulator against named peers, as ratios"),
    "hunt": ("orderlab.ops.hunt", "crash every call of every function once, and audit the books each time"),
    "cost": ("orderlab.ops.cost", "what a month on AWS would cost, before anything is deployed"),
    "package": ("orderlab.ops.aws.stage", "stage what runs on AWS in infra/build"),
    "deploy": ("orderlab.ops.aws.deploy", "deploy to an AWS account that you name, after showing what that means"),
    "status": ("orderlab.ops.aws.status", "show a deployed stack: state, age, parameters, outputs, cost so far"),
    "smoke": ("orderlab.ops.smoke", "one order through a deployed system, hop by hop"),
    "load": ("orderlab.ops.load", "orders at a rate against a deployed system, and its latencies"),
    "destroy": ("orderlab.ops.aws.destroy", "delete a deployed stack, and prove that nothing is left"),
    "rehearse": (
        "orderlab.ops.aws.rehearsal.command",
        "play an AWS account on this machine, to try deploy, status and destroy",
    ),
    "republish": ("orderlab.ops.republish", "send the current event of orders again, which is safe"),
    "refresh": ("orderlab.course.pages.refresh", "run the notebooks and save their outputs (for authors)"),
}
USAGE = "usage: python3 -m orderlab COMMAND   (Windows: py -m orderlab COMMAND)\n\n" + "".join(
    f"  {name:10} {what}\n" for name, (_, what) in COMMANDS.items()
)


def main(argv: list[str]) -> int:
    """Run one command in the course's environment; return the exit status."""
    if argv[:1] in (["-h"], ["--help"], ["help"]):
        print(USAGE, end="")
        return 0
    if not argv or argv[0] not in COMMANDS:
        print(USAGE, end="", file=sys.stderr)
        if argv:
            print(f"orderlab: there is no command {argv[0]!r}; choose one of these", file=sys.stderr)
        return 2
    for name in ("SIGTERM", "SIGHUP"):  # so that a step of the set-up ends with this process
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_DFL:
            signal.signal(getattr(signal, name), lambda number, _: sys.exit(128 + number))
    try:
        python = python_for_course()
    except Problem as problem:
        return complain(str(problem))
    except OSError as error:
        return complain(explain(error))
    except KeyboardInterrupt:
        return complain("stopped; the next command goes on with the set-up", 130)
    if python == Path(sys.executable):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        return run(argv)
    return hand_over(python, argv)


def hand_over(python: Path, argv: list[str]) -> int:
    """Go on in `python`: in place of this process, or on Windows, which cannot do that, as its child."""
    command = [str(python), "-m", "orderlab.commands", *argv]
    sys.stdout.flush()
    if os.name == "posix":
        os.execve(command[0], command, clean_environment())
    return wait_for(subprocess.Popen(command, env=clean_environment()))


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Return the child's exit status; on Ctrl-C the console has told the child too, and its answer counts."""
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def run(argv: list[str]) -> int:
    """Run one command in this process; return the exit status."""
    name, *rest = argv
    try:
        if name == "test":
            return test(rest)
        return int(importlib.import_module(COMMANDS[name][0]).main(rest) or 0)
    except Problem as problem:
        return complain(str(problem))
    except KeyboardInterrupt:
        return complain("stopped", 130)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS):
            raise
        return complain(explain(error))


def test(argv: list[str]) -> int:
    """Run pytest on the repository, notebooks included, as pyproject.toml configures it, on every core (up to 4).

    A file stays on one core, for a notebook's cells belong together. Your own `-n 0` takes precedence.
    """
    import pytest

    os.chdir(ROOT)
    cores = min(4, os.cpu_count() or 1)
    return pytest.main([*(["-n", str(cores), "--dist", "loadfile"] if cores > 1 else []), *argv])


def complain(line: str, status: int = 1) -> int:
    """Print one line for the learner and return the exit status."""
    print(f"orderlab: {line}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
