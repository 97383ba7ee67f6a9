"""`python3 -m orderlab package`: the folder infra/build, which is what runs on AWS, the same on every machine.

What ships is listed in the template (`Metadata: OrderLab: Package`), and the local cloud runs its handlers from the
same list. Lambda has no `valkey` client, which a handler needs when there is a cache; the installed one is added, at
the version of requirements.lock, each file compared with the hash that its wheel recorded. No network is used.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import base64
import hashlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from orderlab.cloud.functions import package
from orderlab.environment import ROOT
from orderlab.installing import Problem

from ..described import INFRA, TEMPLATE
from .template import read

BUNDLED = ("valkey",)  # pure Python, and without a dependency of its own on Lambda's Python
CODE_URI = "build/"
# bytes that Lambda takes unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MOST = 250 * 2**20


@dataclass(frozen=True)
class Stage:
    """The files by their path in the package, and one digest (sha256) over the sorted names and contents."""

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The same on every machine: line endings, dates and owners are not part of it."""
        lines = (f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in self.files.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def zipped(self) -> bytes:
        """The zip file that Lambda gets, the same bytes everywhere."""
        return package.archive(self.files)


def stage(template: Path = TEMPLATE, lock: Path = ROOT / "requirements.lock") -> Stage:
    """What ships for the template. Raises Problem when a file is missing, or is not the one that the lock names."""
    try:
        listed = package.files(read(template).body.get("Metadata") or {}, CODE_URI, template.parent)
    except package.PackageError as error:
        raise Problem(str(error)) from None
    files = {name: package.content(path) for name, path in listed.items()}
    for name in BUNDLED:
        files |= bundled(name, locked(name, lock))
    size = sum(map(len, files.values()))
    if size > MOST:
        raise Problem(f"the package has {size:,} bytes, and Lambda takes {MOST:,}: ship less")
    return Stage(dict(sorted(files.items())))


def locked(name: str, lock: Path) -> str:
    """The version that the lock names."""
    found = re.search(rf"^{re.escape(name)}==([\w.]+)", lock.read_text(encoding="utf-8"), re.M)
    if not found:
        raise Problem(f"{lock.name} names no version of {name}: compile it again, as the README says")
    return found.group(1)


def bundled(name: str, version: str) -> dict[str, bytes]:
    """An installed package's modules and licence, each as its wheel recorded it."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise Problem(f"{name} is not installed here: run the command as python3 -m orderlab package") from None
    if found.version != version:
        raise Problem(
            f"{name} {found.version} is installed, and requirements.lock says {version}: delete .venv, run again"
        )
    return {path: _recorded(found, path, hash) for path, hash in sorted(_shipped(found))}


def _shipped(found: Distribution) -> list[tuple[str, str]]:
    wanted = [file for file in found.files or () if file.hash and not file.as_posix().startswith("..")]
    return [
        (file.as_posix(), file.hash.value)
        for file in wanted
        if file.hash and (file.suffix == ".py" or "licenses" in file.parts or file.name == "METADATA")
    ]


def _recorded(found: Distribution, path: str, hash: str) -> bytes:
    file = Path(str(found.locate_file(path)))
    content = file.read_bytes() if file.is_file() else b""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    if digest != hash:
        raise Problem(f"{path} is not the file that its package recorded: delete .venv and run the command again")
    return content


def write(staged: Stage, folder: Path) -> None:
    """Make the folder hold exactly these files."""
    if folder.exists():
        shutil.rmtree(folder)
    for name, content in staged.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. Raises Problem with one line for the learner."""
    parser = argparse.ArgumentParser(
        prog="orderlab package", description="Stage what runs on AWS in infra/build. Nothing leaves this machine."
    )
    parser.add_argument("--list", action="store_true", help="print the hash and the name of every file too")
    parser.add_argument("--folder", type=Path, help="stage there instead; it must be new or empty")
    wanted = parser.parse_args(argv)
    folder = wanted.folder or INFRA / CODE_URI
    if wanted.folder and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(f"--folder {folder} is not empty, and nothing in it was touched: name a new folder")
    staged = stage()
    try:
        write(staged, folder)
    except OSError as error:
        raise Problem(f"{folder} cannot be written ({error.strerror}): name another one with --folder") from None
    if wanted.list:
        for name, content in staged.files.items():
            print(f"{hashlib.sha256(content).hexdigest()}  {name}")
    size = sum(map(len, staged.files.values()))
    print(f"{len(staged.files)} files, {size:,} bytes in {folder}")
    print(f"digest {staged.digest}")
    return 0
