"""A real browser on a real JupyterLab: the learner's copy of the lessons in a home of its own, and Debian's Chromium.

Whatever is missing (Playwright, a browser, the course's packages) skips these tests and says so.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from learner import Learner

ROOT = Path(__file__).parents[2]
PARTS = ("orderlab", "infra", "notebooks", "pyproject.toml", "requirements.lock")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
NEEDED = (
    "import sys, pathlib, orderlab.environment as e; sys.exit(not e.has_everything(pathlib.Path('pyproject.toml')))"
)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip
PAGE = pytest.StashKey[Learner]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a window."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("Playwright is not installed here, so no browser is driven; .ci/run makes an environment with it")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium on this machine: sudo apt install chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="session")
def python() -> str:
    """The Python that has the course's packages: $ORDERLAB_PYTHON, or the one that runs the tests."""
    named = os.path.abspath(os.environ.get("ORDERLAB_PYTHON", sys.executable))  # the server starts in another folder
    if subprocess.run([named, "-c", NEEDED], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip(f"{named} lacks some of the course's packages: set ORDERLAB_PYTHON to .venv/bin/python")
    return named


@pytest.fixture(scope="session")
def address(browser: Any, python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """`python3 -m orderlab lab --no-browser`, as a learner starts it: its address, and the folder of the copy."""
    copy, home = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("home")
    for name in PARTS:
        copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        ignored = {"ignore": shutil.ignore_patterns("__pycache__", ".*", "*.part")} if (ROOT / name).is_dir() else {}
        copied(ROOT / name, copy / name, **ignored)
    for lesson in LESSONS:
        blank(copy / "notebooks" / lesson)
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR")}
    server = subprocess.Popen(
        [python, "-m", "orderlab", "lab", "--no-browser", "--port", str(free_port())],
        cwd=copy,
        env={**kept, "HOME": str(home), "USERPROFILE": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert server.stdout is not None
    heard: list[str] = []
    for line in server.stdout:
        heard.append(line)
        where = (line.split() or [""])[-1]
        if where.startswith("http://127.0.0.1") and "token=" in where:
            break
    else:
        pytest.fail(f"JupyterLab did not start:\n{''.join(heard)}")
    drain = threading.Thread(target=lambda: [heard.append(line) for line in server.stdout or []], daemon=True)
    drain.start()
    yield where, copy
    server.terminate()  # it ends its kernels first
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()


def blank(path: Path) -> None:
    """Take the saved outputs out of a notebook, so that whatever is seen comes from this run."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    path.write_text(json.dumps(notebook), encoding="utf-8")


def free_port() -> int:
    """A port on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session", params=LESSONS, ids=[name[:2] for name in LESSONS])
def learner(browser: Any, address: tuple[str, Path], request: pytest.FixtureRequest) -> Iterator[Learner]:
    """A learner who has opened a lesson and run all its cells, one by one, with the keyboard."""
    where, copy = address
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    one = request.config.stash[PAGE] = Learner(page, copy / "work" / request.param)
    one.open(f"{where.replace(LESSONS[0], request.param)}&reset")  # forget which lesson was open before
    one.run_all()
    yield one
    page.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a picture of the page when a test fails, and say where."""
    report: Any = yield
    if report.failed and PAGE in item.config.stash:
        path = ROOT / "build" / "browser" / f"{item.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        item.config.stash[PAGE].page.screenshot(path=path)
        report.sections.append(("the page when it failed", str(path)))
    return report
