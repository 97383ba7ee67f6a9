"""`orderlab lab`: the lessons, in the learner's own copy, in a JupyterLab that leaves their other Jupyter alone.

Jupyter's settings, history and run-time files lie in work/.jupyter, the server listens on loopback with its default
token, and it asks nobody for news. The kernel is the Python that runs this.
"""

import argparse
import json
import os
import socket
import sys
from pathlib import Path

from orderlab.environment import ROOT
from orderlab.installing import Problem, explain

NOT_FOR_LEARNERS = ("INSTRUCTOR.md",)  # solutions are: each exercise links to its own
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


def main(argv: list[str]) -> int:
    """Copy the lessons that are missing and serve them until the learner stops it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m orderlab lab", description="Open the lessons in JupyterLab.")
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    parser.add_argument("--port", type=int, default=8888, help="the port on 127.0.0.1 (default 8888)")
    options = parser.parse_args(argv)
    check_port(options.port)
    work = ROOT / "work"
    from orderlab.course.pages.copies import Trouble

    try:
        copied = copy_missing(ROOT / "notebooks", work)
        settle(work / ".jupyter")
    except OSError as error:
        raise Problem(explain(error)) from error
    except Trouble as trouble:
        raise Problem(str(trouble)) from trouble
    for name in torn(work):
        print(f"work/{name} is damaged: python3 -m orderlab checkpoint {name[:2]} saves what can be read of it")
    print(f"the lessons are in {work}: {len(copied)} new, and what was there is yours and stays", flush=True)
    first = "/tree/00_start_here.ipynb" if "00_start_here.ipynb" in copied else ""
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(
        [
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={options.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={work}",
            "--ServerApp.answer_yes=True",  # Ctrl-C ends it at once
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.news_url=None",
            f"--LabApp.default_url=/lab{first}",
            "--KernelSpecManager.allowed_kernelspecs=python3",
            "--LanguageServerManager.autodetect=False",  # it would start npm and write to the home folder
            *(["--ServerApp.open_browser=False"] if options.no_browser else []),
            *(["--ServerApp.allow_root=True"] if sys.platform != "win32" and os.geteuid() == 0 else []),
        ]
    )
    return 0


def copy_missing(source: Path, target: Path) -> list[str]:
    """Copy the files of `source` that `target` lacks, each whole or not at all; return their names.

    A lesson goes without its outputs, which show what the learner is asked to predict. Raises Trouble for one
    that is damaged.
    """
    from orderlab.course.pages.copies import LESSON, start_of

    copied = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = any(part.startswith((".", "__")) for part in name.parts)
        if not path.is_file() or hidden or name.parts[0] in NOT_FOR_LEARNERS or (target / name).exists():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        part = target / name.parent / f".{name.name}.part"
        part.write_bytes(start_of(path, {})[0] if LESSON.fullmatch(name.as_posix()) else path.read_bytes())
        part.replace(target / name)
        copied.append(name.as_posix())
    target.mkdir(exist_ok=True)
    return copied


def torn(work: Path) -> list[str]:
    """Return the names of the learner's lessons that are no notebooks any more, and that JupyterLab would not open."""
    from orderlab.course.pages.carrying import answers
    from orderlab.course.pages.copies import LESSON, read

    lessons = sorted(path for path in work.iterdir() if LESSON.fullmatch(path.name))
    return [path.name for path in lessons if not answers(read(path) or b"")[1]]


def settle(folder: Path) -> None:
    """Point Jupyter at settings of its own in `folder`, which ask for no news."""
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"):
        os.environ.pop(name, None)
    for name in ("config", "data", "runtime"):
        os.environ[f"JUPYTER_{name.upper()}_DIR"] = str(folder / name)
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    defaults = folder / "config" / "labconfig" / "default_setting_overrides.json"
    defaults.parent.mkdir(parents=True, exist_ok=True)
    defaults.write_text(json.dumps(QUIET, indent=1) + "\n", encoding="utf-8")


def check_port(port: int) -> None:
    """Raise Problem when nobody can listen on `port` of the loopback address."""
    if not 1024 <= port <= 65535:
        raise Problem(f"{port} is not a port: --port takes a number from 1024 to 65535")
    with socket.socket() as probe:
        if sys.platform != "win32":  # there the option would allow what is in use
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Problem(
                f"port {port} is taken (perhaps by another JupyterLab): "
                f"end that one, or run: python3 -m orderlab lab --port {free_port()}"
            ) from None


def free_port() -> int:
    """Return a port on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
