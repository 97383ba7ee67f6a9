"""Import moto without the two seconds that it spends on what nobody here uses.

jsonschema builds a grammar for international addresses when a package for it happens to be installed (JupyterLab
brings one); moto asks three fresh sessions for the list of AWS's regions. Both are avoided while moto is imported.

And Python looks for garbage all the while: among half a million objects that stay, over and over, and once more when
the process ends. What was imported is told to be none (`gc.freeze`), which takes a second off each process.
"""

import atexit
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3

atexit.register(gc.freeze)  # a process that ends need not search for what it could give back
_GRAMMAR = "rfc3987_syntax"  # jsonschema takes an ImportError for "formats of addresses are not checked"


@contextmanager
def quickly() -> Iterator[None]:
    """Within this context the imports of moto and jsonschema are quick. What was imported before stays as it is."""
    absent = _GRAMMAR not in sys.modules
    if absent:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    # A session looks for the profile that is named here, even if no such profile is left on the machine.
    profiles = {name: os.environ.pop(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ}
    real, shared = boto3.Session, boto3.Session(region_name="us-east-1")

    class SharedSession(real):  # type: ignore[misc,valid-type]
        def __init__(self, *_: object, **__: object) -> None:
            self.__dict__ = shared.__dict__

    boto3.Session = SharedSession
    modules, collecting = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        if len(sys.modules) > modules:
            gc.freeze()
        os.environ.update(profiles)
        boto3.Session = real
        if absent:
            del sys.modules[_GRAMMAR]
