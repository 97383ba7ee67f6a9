"""What a process runs: a deployment package as a folder, and a function from outside it that ships along.

Taught in notebooks/06_where_state_lives.ipynb
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

_PICKLED = b"""\
import cloudpickle
from pathlib import Path

handler = cloudpickle.loads(Path(__file__).with_suffix(".pickle").read_bytes())
"""


class RunnerError(RuntimeError):
    """The process runner cannot do what it is asked for."""


def unpack(within: Path, zipped: bytes, added: dict[str, bytes]) -> Path:
    """The folder of a deployment package and the files added to it; one for all processes that run the same."""
    digest = hashlib.sha256(zipped + repr(sorted(added.items())).encode()).hexdigest()[:16]
    folder = within / digest
    if not folder.exists():
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            archive.extractall(folder)
        for name, content in added.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def ship(handler: Callable[[Any, Any], Any]) -> tuple[str, dict[str, bytes]]:
    """(the Handler, the files to add to the package) that run a function from outside the package.

    A function of a module's file ships with that file, any other one (a cell's) as cloudpickle writes it: the child has
    a copy of all that it names, and what it changes there does not come back. Raises RunnerError for what cannot ship.
    """
    name = getattr(handler, "__module__", None) or ""
    module = sys.modules.get(name)
    source = getattr(module, "__file__", None) or ""
    if source.endswith(".py") and getattr(module, getattr(handler, "__name__", ""), None) is handler:
        return f"{name}.{handler.__name__}", {name.replace(".", "/") + ".py": Path(source).read_bytes()}
    by_value = module is not None and name != "__main__"
    try:
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        pickled = cloudpickle.dumps(handler)
    except Exception as error:
        raise RunnerError(
            f"{handler!r} cannot be sent to another process ({error}): let it make what it needs inside, "
            'or use Cloud(runner="in-process")'
        ) from error
    finally:
        if by_value:
            cloudpickle.unregister_pickle_by_value(module)
    return "replaced.handler", {"replaced.py": _PICKLED, "replaced.pickle": pickled}
