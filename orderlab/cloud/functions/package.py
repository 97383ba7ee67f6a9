"""The deployment package: exactly the files that the template says ship to Lambda, zipped.

A function on AWS runs what is in its zip file and nothing else. The local cloud makes the same zip from the same list
(the template's `Metadata: OrderLab: Package`) and runs the handlers from it, never from the folder you edit.
"""

import hashlib
import io
import re
import symtable
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

_STAR = re.compile(r"^[ \t]*from\s.+\simport\s+\*", re.M)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest date: the same files give the same bytes


class PackageError(ValueError):
    """The template's package list and the files do not fit."""


@dataclass(frozen=True)
class Package:
    """The modules of one zip: dotted module name to (source, is it a package)."""

    digest: str
    modules: dict[str, tuple[str, bool]]

    def code(self, module: str) -> CodeType:
        """The compiled module; compiled once a process."""
        return _compile(self.digest, module, self.modules[module][0])

    def line(self, file: str, number: int) -> str:
        """A line of the source behind `/var/task/…`, counted from 1, without its indentation."""
        module = file.removeprefix("/var/task/").removesuffix(".py").replace("/", ".")
        lines = self.modules.get(module, ("", False))[0].splitlines()
        return lines[number - 1].strip() if number <= len(lines) else ""


@lru_cache(maxsize=4096)
def _compile(digest: str, module: str, source: str) -> CodeType:
    return compile(source, f"/var/task/{module.replace('.', '/')}.py", "exec", dont_inherit=True)


def files(metadata: dict[str, Any], code_uri: str, folder: Path) -> dict[str, Path]:
    """What ships: path inside the zip to the file on disk. `folder` is the template's.

    Raises PackageError when the template names no package for this CodeUri or a path that is not there.
    """
    listed = (metadata.get("OrderLab") or {}).get("Package") or {}
    sources = listed.get(code_uri)
    if not sources:
        raise PackageError(
            f"the template ships CodeUri {code_uri!r}, but its Metadata: OrderLab: Package lists no files for it "
            f"(it lists {', '.join(listed) or 'nothing'})"
        )
    found: dict[str, Path] = {}
    for source in sources:
        path = (folder / source).resolve()
        if not path.exists():
            raise PackageError(f"Metadata: OrderLab: Package names {source}, and there is no {path.name} there")
        base = path.parent
        while (base / "__init__.py").exists():
            base = base.parent
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            if "__pycache__" not in file.parts:
                found[file.relative_to(base).as_posix()] = file
    return dict(sorted(found.items()))


def build(contents: dict[str, Path]) -> bytes:
    """The zip file's bytes: sorted, dateless, the same on every machine."""
    return archive({name: content(path) for name, path in contents.items()})


def content(path: Path) -> bytes:
    """A file as it ships, whatever line endings git gave it here."""
    return path.read_bytes().replace(b"\r\n", b"\n")


def archive(contents: Mapping[str, bytes]) -> bytes:
    """A zip file of these contents, in this order, that Lambda's own user can read.

    Nothing is compressed: the libraries of different machines compress to different bytes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16  # Unix, rw-r--r--
            zipped.writestr(entry, data)
    return buffer.getvalue()


@lru_cache(maxsize=16)
def open_package(zipped: bytes) -> Package:
    """Read a zip file's Python modules. Raises PackageError for what is not a zip file."""
    try:
        with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
            sources = {n: archive.read(n).decode() for n in sorted(archive.namelist()) if n.endswith(".py")}
    except zipfile.BadZipFile:
        raise PackageError("the function's code is not a zip file") from None
    modules: dict[str, tuple[str, bool]] = {}
    for name, source in sources.items():
        parts = name.removesuffix(".py").split("/")
        is_package = parts[-1] == "__init__"
        modules[".".join(parts[:-1] if is_package else parts)] = (source, is_package)
        for depth in range(1, len(parts)):  # folders without __init__.py are packages too
            modules.setdefault(".".join(parts[:depth]), ("", True))
    return Package(hashlib.sha256(zipped).hexdigest(), modules)


@lru_cache(maxsize=1024)
def missing(zipped: bytes, handler: str) -> str:
    """Why a zip file has no such handler ("package.module.function"), by reading it; empty when it has one.

    What a module binds at its top level counts, in an `if` or `try` too; after `from … import *` any name may be there.
    """
    module, _, name = handler.replace("/", ".").rpartition(".")
    modules = open_package(zipped).modules
    if not module or not name:
        return "a handler is written module.function"
    if module not in modules:
        return f"the package has no module {module}; it has {', '.join(sorted(modules)) or 'none'}"
    try:
        bound = symtable.symtable(modules[module][0], module, "exec").get_symbols()
    except SyntaxError:
        return ""  # AWS takes it, and every invocation fails: so it does here
    if any(s.get_name() == name and (s.is_assigned() or s.is_imported() or s.is_namespace()) for s in bound):
        return ""
    return "" if _STAR.search(modules[module][0]) else f"{module} has no function {name}"
