"""pyproject.toml, requirements.lock and environment.yml say the same."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from orderlab import PYTHONS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def lock_entries() -> dict[str, list[str]]:
    """Return the lines of each package in the lock, its hashes included, by canonical name."""
    starts = [match.start() for match in re.finditer(r"^[a-z0-9]", LOCK, re.MULTILINE)] + [len(LOCK)]
    found: dict[str, list[str]] = {}
    for start, end in pairwise(starts):
        entry = LOCK[start:end]
        found.setdefault(canonicalize_name(entry.split("==")[0]), []).append(entry)
    return found


def test_every_dependency_admits_the_version_that_the_lock_pins() -> None:
    """Each requirement of pyproject.toml has its pins in the lock, and each pin is inside its range."""
    entries = lock_entries()
    for line in PROJECT["dependencies"]:
        requirement = Requirement(line)
        pins = entries.get(canonicalize_name(requirement.name), [])
        assert pins, f"{requirement.name} is missing in requirements.lock: compile it again"
        for pin in pins:
            version = re.split(r"[\s;]", pin.split("==")[1])[0]
            assert version in requirement.specifier, f"the lock pins {requirement.name} {version}, not {line}"


def test_every_dependency_has_a_lower_and_an_upper_bound() -> None:
    """A range open at one end would make the conda road take what was never tried."""
    for line in PROJECT["dependencies"]:
        operators = {specifier.operator for specifier in Requirement(line).specifier}
        assert operators == {">=", "<"}, line


def test_the_lock_has_hashes_and_no_addresses() -> None:
    """Each pin has a hash, and no registry's address is written down."""
    for entries in lock_entries().values():
        for entry in entries:
            assert re.fullmatch(r"[\w.-]+==[^\s;]+( ; [^\\]+)? \\", entry.splitlines()[0]), entry.splitlines()[0]
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in LOCK and "--index" not in LOCK and "--find-links" not in LOCK


def test_the_conda_file_asks_for_the_same_as_pyproject() -> None:
    """conda brings only Python and pip; pip brings exactly the dependencies, and this repository."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert set(conda) == {"name", "channels", "dependencies"}
    assert conda["channels"] == ["conda-forge", "nodefaults"]
    python, pip, by_pip = conda["dependencies"]
    assert pip == "pip"
    assert python.startswith("python ")
    assert SpecifierSet(python.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])
    assert by_pip == {"pip": [*PROJECT["dependencies"], "-e ."]}


def test_the_pythons_of_the_launcher_are_those_of_pyproject() -> None:
    """The one line for an unfit Python names the versions that requires-python admits."""
    admitted = SpecifierSet(PROJECT["requires-python"])
    assert [version for version in (f"3.{minor}" for minor in range(30)) if f"{version}.0" in admitted] == sorted(
        PYTHONS
    )
