"""`start()`: every lesson's first call. A fresh order system on this machine, and figures in the house style.

What it prints is the same on every machine, so that a lesson's outputs can be compared. It says more only where it
has to: when it found credentials of yours, which it hides from this kernel.
"""

import os
import re
import sys
import time
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from orderlab.cloud import guard
from orderlab.offline import ROOT

from .drawing import style

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

CHECKED = ("boto3", "moto", "aws-sam-translator", "greenlet", "matplotlib")
REMEDY = "close this Jupyter, open the course with `python3 -m orderlab lab` (Windows: py -m orderlab lab)"


class WrongEnvironment(RuntimeError):
    """This kernel lacks what the course needs. The message says what, and what to do."""


def start(seed: int = 0, big: bool = False) -> "Cloud":
    """Build the order system anew, prove that it stands, and return it; the one before it is closed.

    `seed` decides every chance in it; `big` makes the texts in figures larger, for a projector. Raises
    WrongEnvironment when Python or a package is not of a version that the course was tested with.
    """
    check_versions()
    files = own_files()
    loaded = "orderlab.cloud.cloud" in sys.modules
    hidden = [] if loaded else guard.hide_credentials()  # what is loaded next would look for the learner's profile
    from orderlab.cloud import Cloud

    style.put_on(big)
    cloud = Cloud(seed=seed)
    hidden += [*cloud.hidden, *files]
    if hidden:
        print(f"Hidden from this kernel, so that no AWS account of yours is touched: {', '.join(hidden)}")
    print(greeting(cloud))
    return cloud


def greeting(cloud: "Cloud") -> str:
    """The one line: what stands, its seed, and its own time."""
    functions = len(cloud.stack.of_type("AWS::Lambda::Function"))
    clock = time.strftime("%Y-%m-%d %H:%M", time.gmtime(cloud.now))
    return f"The order system is up on this machine: {functions} functions, seed {cloud.seed}, clock at {clock} UTC."


def check_versions() -> None:
    """Raise WrongEnvironment when this Python, or a package, is outside the ranges in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wrong = []
    here = ".".join(str(number) for number in sys.version_info[:3])
    if not fits(here, project["requires-python"]):
        wrong.append(f"Python {here} (needed: {project['requires-python']})")
    for name, wanted in ranges(project["dependencies"]).items():
        if name in CHECKED:
            found = installed(name)
            if found is None or not fits(found, wanted):
                wrong.append(f"{name} {found or 'missing'} (needed: {wanted})")
    if wrong:
        raise WrongEnvironment(f"this kernel has {'; '.join(wrong)}: {REMEDY}")


def ranges(dependencies: list[str]) -> dict[str, str]:
    """Each package's range, out of lines such as "moto[events]>=5.2,<5.3; sys_platform != 'win32'"."""
    parts = (re.match(r"([\w.-]+)(?:\[[^]]*])?\s*([^;]*)", line) for line in dependencies)
    return {part.group(1): part.group(2).strip() for part in parts if part}


def installed(name: str) -> str | None:
    """The version of a package in this environment, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def fits(found: str, wanted: str) -> bool:
    """Is this version in that range?"""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(wanted).contains(found, prereleases=True)


def own_files() -> list[str]:
    """The learner's own files of credentials, by name, as long as this kernel could still read them."""
    names = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
    readable = [name for variable, name in names.items() if not os.environ.get(variable)]
    return [f"~/.aws/{name}" for name in readable if (Path.home() / ".aws" / name).is_file()]
