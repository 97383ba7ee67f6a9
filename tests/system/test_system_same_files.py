"""The code that is simulated is the code that ships: the same files, by hash."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IMPORT_THE_SIMULATOR = """
import importlib, json, pkgutil, sys
import orderlab.sim
for module in pkgutil.walk_packages(orderlab.sim.__path__, "orderlab.sim."):
    importlib.import_module(module.name)
print(json.dumps({n: m.__file__ for n, m in sys.modules.items() if n.startswith("orderlab.patterns")}))
"""


def digest(source: bytes) -> str:
    """A file's SHA-256; a checkout on Windows may end its lines otherwise."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n")).hexdigest()


def packed(zipped: bytes) -> dict[str, str]:
    """The modules in a deployment package: dotted name to hash."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        return {
            name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): digest(archive.read(name))
            for name in archive.namelist()
        }


def other(shipped: dict[str, str], simulated: dict[str, Path]) -> list[str]:
    """The modules that the simulator has imported and that do not ship, or not like that."""
    return [name for name, path in simulated.items() if shipped.get(name) != digest(path.read_bytes())]


def simulated() -> dict[str, Path]:
    """What a fresh Python has of orderlab.patterns after importing all of the simulator: each module's file."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_THE_SIMULATOR], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name: Path(file) for name, file in json.loads(done.stdout).items()}


def test_the_simulator_imports_the_very_files_that_every_function_has(whole: Any, tmp_path: Path) -> None:
    """From each function's zip as the local cloud has deployed it, to the file that Python loaded for the simulator."""
    functions = [name for name, found in whole.stack.resources.items() if found.type == "AWS::Lambda::Function"]
    assert len(functions) > 5
    modules = simulated()
    assert {"retry", "breaker", "backoff", "budget"} <= {name.rpartition(".")[2] for name in modules}
    for name in functions:
        assert other(packed(whole.functions.resolve(name).code), modules) == [], name
    changed = tmp_path / "retry.py"
    changed.write_bytes(modules["orderlab.patterns.retry"].read_bytes() + b"# one more line\n")
    shipped = packed(whole.functions.resolve(functions[0]).code)
    assert other(shipped, {**modules, "orderlab.patterns.retry": changed}) == ["orderlab.patterns.retry"]
    assert other(shipped, {**modules, "orderlab.patterns.second": changed}) == ["orderlab.patterns.second"]
