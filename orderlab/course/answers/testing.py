"""`run_tests()`: pytest for test functions that stand in a notebook's cell; `sample_event()`: what a handler is given.

pytest reads files, so the functions are written into one, in a folder that is gone afterwards; what they use of the
notebook they find there, other tests aside. No plugin takes part and nothing of pytest's clock is shown, so the same
tests say the same.
Source: pytest's documentation, "Calling pytest from Python code".
Taught in notebooks/05_some_of_them_failed.ipynb
"""

import inspect
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from orderlab.offline import ROOT

WIDEST = 120  # letters of a line
HEAD = "from orderlab.course.answers import testing\nglobals().update(testing.found)\n\n"
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
found: dict[str, Any] = {}  # what the tests that run now use


class Results(list[str]):
    """pytest's lines, which a notebook shows as text."""

    def __repr__(self) -> str:
        return "\n".join(self)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note how a test ended, as pytest's own short summary does."""
        if report.when == "call" or report.outcome == "failed":
            name = report.nodeid.rpartition("::")[2]
            crash = getattr(report.longrepr, "reprcrash", None)
            self.append(f"{report.outcome.upper()} {name}")
            if crash:
                why = "  " + crash.message.splitlines()[0].removeprefix("AssertionError: ")
                self.append(why if len(why) <= WIDEST else why[: WIDEST - 1] + "…")


def run_tests(*tests: Callable[..., Any]) -> Results:
    """Let pytest run these functions, and return a line for each test. Raises ValueError when it finds none."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix="orderlab-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "test_cell.py"
        path.write_text(HEAD + "\n\n".join(inspect.getsource(test) for test in tests), encoding="utf-8")
        found.clear()
        own = (test.__globals__.items() for test in tests)
        found.update({name: value for names in own for name, value in names if not name.startswith(("_", "test_"))})
        options = ["--import-mode=importlib", f"--rootdir={folder}", "-c", os.devnull, "-p", "no:cacheprovider"]
        with patch.dict(os.environ, ALONE), redirect_stdout(io.StringIO()):
            pytest.main([*options, "-vv", "--capture=sys", str(path)], plugins=[results])
    found.clear()
    sys.modules.pop("test_cell", None)  # or the next run would find these tests again
    if not results:
        raise ValueError("pytest found no test: its name must begin with test_")
    return results


def sample_event(function: str) -> Any:
    """The sample event of a function, from the folder infra/events. Raises FileNotFoundError where there is none."""
    return json.loads((ROOT / "infra" / "events" / f"{function}.json").read_text(encoding="utf-8"))
