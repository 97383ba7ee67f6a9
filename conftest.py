"""What every test shares: a quiet, offline environment, the option --all, and the folder of test vectors."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderlab.offline import go_offline


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --all, which lets the long searches run whole."""
    parser.addoption("--all", action="store_true", help="run the long searches whole, not only their slice")


def pytest_configure(config: pytest.Config) -> None:
    """Make the environment of the tests, and of the notebooks' kernels, the same on every machine and offline."""
    scratch = tempfile.TemporaryDirectory(prefix="orderlab-test-", ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    go_offline(os.environ, Path(scratch.name))


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> str:
    """How much of a long search to run: "slice" by default, "all" under --all."""
    return "all" if request.config.getoption("--all") else "slice"


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """A function that loads one file of test vectors (.json, or .jsonl as a list) from the folder $ORDERLAB_VECTORS.

    The test is skipped, saying so, when the variable is not set; a file that is missing then is an error.
    """

    def load(name: str) -> Any:
        folder = os.environ.get("ORDERLAB_VECTORS")
        if not folder:
            pytest.skip(f"ORDERLAB_VECTORS is not set, so the rows of {name} are not checked")
        text = Path(folder, name).read_text(encoding="utf-8")
        if name.endswith(".jsonl"):
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        return json.loads(text)

    return load
