"""An environment for a peer: made once, in a folder of its own under build/peers, with exact versions.

A peer is there to be compared with and nothing of the course needs it, so one that cannot be installed costs the
comparison and nothing else.
"""

import os
import subprocess
import venv
from pathlib import Path

CHECK = """
import sys
from importlib.metadata import version
for name, _, wanted in (each.partition("==") for each in sys.argv[1:]):
    assert version(name) == (wanted or version(name))
"""


class NotMeasured(RuntimeError):
    """A peer cannot be installed, does not start or does other work; the message says why."""


def environment(folder: Path, *packages: str) -> Path:
    """The Python of an environment that has `packages` ("name" or "name==version"), made on first use, by pip.

    Raises NotMeasured: no network, no wheel, no room.
    """
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        if not python.exists() or subprocess.run([python, "-c", CHECK, *packages], capture_output=True).returncode:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        why = said[-1].removeprefix("ERROR: ") if said else type(error).__name__
        raise NotMeasured(f"{packages[0].replace('==', ' ')} cannot be installed: {why}") from None
    return python
