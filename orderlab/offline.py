"""The environment in which notebooks and tests run: offline, without credentials, and the same on every machine.

Standard library only: the tests call it before anything else is imported.
"""

import os
from collections.abc import MutableMapping
from pathlib import Path

LOOPBACK = "127.0.0.1,localhost,::1"
DEAD_PROXY = "http://127.0.0.1:9"  # nothing listens there, so a call that leaves the machine fails at once
ROOT = Path(__file__).resolve().parent.parent
UNWANTED = {"MPLBACKEND", "ALL_PROXY", "PYTHONSTARTUP", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"}


def go_offline(environ: MutableMapping[str, str], scratch: Path) -> None:
    """Change `environ` in place; what Jupyter wants to write goes into the folder `scratch`."""
    for name in list(environ):
        if name.startswith("AWS_") or name.upper() in UNWANTED:
            del environ[name]
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        environ[name] = environ[name.lower()] = DEAD_PROXY
    environ["NO_PROXY"] = environ["no_proxy"] = LOOPBACK
    environ["AWS_EC2_METADATA_DISABLED"] = "true"
    environ["AWS_CONFIG_FILE"] = environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    environ["ORDERLAB_PROGRESS"] = "off"  # what a learner has done must not change outputs that are compared
    environ["PYTHONHASHSEED"] = "0"  # for the kernels; the process that calls this already has its own
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR"):
        environ[name] = str(scratch / name.lower())
    # A kernel starts in the notebook's folder, so the repository must be on its path.
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH", "")]))
