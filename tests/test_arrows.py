"""The arrows between the rooms: who may import whom, read from the source, lazy imports included."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "orderlab"
ROOMS = ("patterns", "orders", "cloud", "sim", "ops", "course")
MAY_IMPORT = {  # room: the rooms whose modules it may import, beside its own
    "patterns": set(),
    "orders": {"patterns"},
    "cloud": set(),
    "sim": {"patterns"},
    # installing and environment: a line for the learner, and where the course is
    "ops": {"cloud", "sim", "installing", "environment"},
    # commands and installing: the terminal of lesson 12 types what a learner types
    "course": {"ops", "sim", "cloud", "offline", "installing", "commands"},
    "bench": {"ops", "cloud", "sim", "patterns"},  # within ops: what it times it must import
}
THIRD_PARTY = {  # rooms that ship to Lambda: what else they may import, and where
    "patterns": set(),
    "orders": {"boto3", "botocore"},
}
LIKE = {"broken": "orders", "bench": "bench"}  # a folder with arrows of its own; broken stands where orders stands
LAZY_ONLY = {"orders": {"valkey"}}  # inside functions, since most deployments have no cache
LAUNCHER = ("__init__", "__main__", "commands", "environment", "installing", "offline")
WORDS_OF_THE_COURSE = ("course", "naive", "broken", "lesson", "exercise", "notebook", "pytest", "teaching")


def modules(room: str) -> list[Path]:
    """Return the source files of a room."""
    return sorted((PACKAGE / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool, int]]:
    """Yield each import of a file: the dotted name in full, whether it is inside a function, and its line."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lazy = {id(inner) for function in functions for inner in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in lazy, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # `from orderlab import cloud` is an import of orderlab.cloud
                yield f"{stem}.{alias.name}", id(node) in lazy, node.lineno
        elif isinstance(node, ast.Call) and is_dynamic_import(node):
            yield str(node.args[0].value), id(node) in lazy, node.lineno  # type: ignore[attr-defined]


def is_dynamic_import(call: ast.Call) -> bool:
    """Say whether a call is importlib.import_module or __import__ of a name written out."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in ("import_module", "__import__") and bool(call.args) and isinstance(call.args[0], ast.Constant)


def wrong_imports(path: Path, room: str) -> list[str]:
    """Return a line for each import in a file that the arrows of its room forbid."""
    wrong = []
    for name, lazy, line in imports(path):
        top, _, rest = name.partition(".")
        inside = rest.partition(".")[0]
        if top == "orderlab":
            here = LIKE.get(path.parent.name, room)
            allowed = inside == here or inside in MAY_IMPORT[here] or inside == "__version__"
        elif room not in THIRD_PARTY or top in sys.stdlib_module_names:
            allowed = True
        else:
            allowed = top in THIRD_PARTY[room] or (lazy and top in LAZY_ONLY.get(room, set()))
        if not allowed:
            wrong.append(f"{path.name}:{line} imports {name}{' inside a function' if lazy else ''}")
    return wrong


@pytest.mark.parametrize("room", ROOMS)
def test_imports_follow_the_arrows(room: str) -> None:
    """course -> ops, sim, cloud; ops -> cloud, sim; sim -> patterns; orders -> patterns; the others -> nothing."""
    assert [line for path in modules(room) for line in wrong_imports(path, room)] == []


def test_every_folder_of_the_package_is_a_room() -> None:
    """A new room must say here whom it may import."""
    folders = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert folders <= set(ROOMS)
    assert {"patterns", "orders", "cloud", "ops"} <= folders


def test_the_launcher_needs_nothing_installed() -> None:
    """Until .venv exists only the standard library is there; what comes later is imported inside functions."""
    ours = {f"orderlab.{name}" for name in LAUNCHER} | {"orderlab"}
    for name in LAUNCHER:
        for imported, lazy, line in imports(PACKAGE / f"{name}.py"):
            known = imported in ours or imported.rpartition(".")[0] in ours
            standard = imported.partition(".")[0] in sys.stdlib_module_names
            assert known or standard or lazy, f"{name}.py:{line} imports {imported}"


def test_what_ships_knows_nothing_of_the_course() -> None:
    """No switch in orders exists for teaching: no such word in its code (a docstring may name its lesson)."""
    for path in modules("orders"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            texts = [value for key, value in ast.iter_fields(node) if isinstance(value, str) and key != "type_comment"]
            if id(node) in documents:
                continue
            for text in texts:
                found = [word for word in WORDS_OF_THE_COURSE if word in text.lower()]
                assert not found, f"{path.name}:{getattr(node, 'lineno', '?')} says {found} in {text!r}"


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("cloud", "from orderlab.orders.place import handler"),
        ("cloud", "def f():\n    import orderlab.patterns.backoff"),
        ("cloud", "from ..patterns import backoff"),
        ("cloud", "from orderlab import patterns"),
        ("cloud", "import importlib\nimportlib.import_module('orderlab.ops.demo')"),
        ("patterns", "import boto3"),
        ("patterns", "from orderlab.orders import place"),
        ("orders", "import valkey"),
        ("orders", "import moto"),
        ("orders", "def f():\n    from orderlab.cloud import Cloud"),
        ("ops", "from orderlab.course import start"),
        ("ops", "from orderlab.orders.order import total"),
        ("ops", "from orderlab.patterns import backoff"),
        ("ops/bench", "from orderlab.orders.order import total"),
        ("sim", "from orderlab.cloud import Cloud"),
        ("course", "from orderlab.orders import payment"),
        ("course/broken", "from orderlab.course import start"),
        ("course/broken", "from orderlab.cloud import Cloud"),
    ],
)
def test_a_wrong_import_is_seen(room: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to write a forbidden import is found, so that the tests above can fail."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "orderlab" / room / "module.py"
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert len(wrong_imports(path, room)) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("orders", "import boto3, json\nfrom botocore.config import Config\nfrom orderlab.patterns import backoff"),
        ("orders", "def f():\n    import valkey"),
        ("orders", "from . import place\nfrom .place import handler"),
        ("cloud", "import moto\nfrom orderlab.cloud import rules"),
        ("ops/bench", "from orderlab.patterns.retry import Retry\nfrom ..play import write_rows"),
        ("course", "import matplotlib\nfrom orderlab.ops import demo\nfrom orderlab.cloud import Cloud"),
        ("course/broken", "from orderlab.orders import payment\nfrom orderlab.patterns import backoff"),
    ],
)
def test_a_right_import_passes(room: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the design allows is not complained of."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "orderlab" / room / "module.py"
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
    assert wrong_imports(path, room) == []
