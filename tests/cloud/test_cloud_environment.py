"""Execution environments: private modules, private variables, virtual time."""

import io
import sys
import time
import zipfile

import pytest

from orderlab.cloud.functions.environment import Environment
from orderlab.cloud.functions.handlers import RuntimeFault
from orderlab.cloud.functions.package import PackageError, build, files, open_package

APP = {
    "shop/__init__.py": "",
    "shop/counter.py": "count = 0\ndef up():\n    global count\n    count += 1\n    return count\n",
    "shop/app.py": """
import os, random, time, uuid
from datetime import datetime, timezone
from dataclasses import dataclass
from . import counter
from shop.counter import up

@dataclass(frozen=True)
class Fact:
    n: int

def handler(event, context):
    time.sleep(7)
    print("at", time.time(), "with", os.environ["NAME"])
    now = datetime.now(timezone.utc)
    return [Fact(up()).n, counter.count, now.isoformat(), isinstance(now, datetime), random.random(), str(uuid.uuid4())]
""",
}


def zipped(contents: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Clock:
    def __init__(self) -> None:
        self.now, self.lines = 1_700_000_000.0, []

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def environment(clock: Clock, seed: str = "a", contents: dict[str, str] = APP, skew: float = 0.0) -> Environment:
    return Environment(
        open_package(zipped(contents)),
        {"NAME": "one"},
        now=lambda: clock.now,
        sleep=clock.sleep,
        write=clock.lines.append,
        seed=seed,
        skew=skew,
    )


def test_a_handler_lives_in_virtual_time_with_its_own_variables_and_output() -> None:
    """Its sleep moves only the virtual clock; its print goes to the log; its environ is its own."""
    clock, before = Clock(), time.monotonic()
    count, same, moment, is_datetime, *_ = environment(clock).load("shop.app.handler")({}, None)
    assert (count, same, is_datetime) == (1, 1, True)
    assert clock.now == 1_700_000_007.0
    assert moment == "2023-11-14T22:13:27+00:00"
    assert clock.lines == ["at 1700000007.0 with one"]
    assert time.monotonic() - before < 5


def test_a_global_is_kept_by_a_warm_environment_and_unknown_to_another() -> None:
    """State in a global: right as long as one environment is alone."""
    clock = Clock()
    first, second = environment(clock), environment(clock)
    one, two = first.load("shop.app.handler"), second.load("shop.app.handler")
    assert [one({}, None)[0], one({}, None)[0], two({}, None)[0]] == [1, 2, 1]


def test_chance_inside_an_environment_comes_from_its_seed() -> None:
    """Same seed, same draws and ids."""
    draws = [environment(Clock(), seed).load("shop.app.handler")({}, None)[4:] for seed in "aab"]
    assert draws[0] == draws[1] != draws[2]


def test_a_skewed_clock_is_off_by_its_skew() -> None:
    """Only this environment's."""
    assert environment(Clock(), skew=3.0).load("shop.app.handler")({}, None)[2] == "2023-11-14T22:13:30+00:00"


@pytest.mark.parametrize(
    ("handler", "message"),
    [("shop.nothing.handler", "No module named 'shop.nothing'"), ("shop.app.nothing", "'nothing' missing on module")],
)
def test_a_wrong_handler_is_named(handler: str, message: str) -> None:
    """As Lambda names it."""
    with pytest.raises(RuntimeFault, match=message):
        environment(Clock()).load(handler)


def test_a_retired_environment_leaves_nothing_behind() -> None:
    """No module of it stays in this process."""
    gone = environment(Clock())
    gone.load("shop.app.handler")
    assert any(name.startswith(gone.prefix) for name in sys.modules)
    gone.retire()
    assert not any(name.startswith(gone.prefix) for name in sys.modules)


def test_a_function_of_a_cell_sees_the_environments_clock() -> None:
    """What a learner writes in a cell runs as if it had been deployed."""
    clock = Clock()

    def handler(event: object, context: object) -> float:
        time.sleep(5)
        import os

        return time.time() if os.environ["NAME"] == "one" else 0.0

    handler.__module__ = "__main__"
    assert environment(clock).adopt(handler)({}, None) == 1_700_000_005.0


def test_the_package_is_what_the_template_lists_and_the_same_bytes_each_time(tmp_path) -> None:
    """Sorted, dateless, without caches."""
    code = tmp_path / "shop"
    (code / "__pycache__").mkdir(parents=True)
    for name, text in {"__init__.py": "", "app.py": "x = 1\r\n", "__pycache__/app.py": "no"}.items():
        (code / name).write_bytes(text.encode())
    (tmp_path / "infra").mkdir()
    metadata = {"OrderLab": {"Package": {"build/": ["../shop"]}}}
    found = files(metadata, "build/", tmp_path / "infra")
    assert list(found) == ["shop/__init__.py", "shop/app.py"]
    first = build(found)
    (code / "app.py").write_bytes(b"x = 1\n")
    assert build(found) == first
    assert open_package(first).modules["shop.app"] == ("x = 1\n", False)


def test_a_package_that_is_not_there_is_named(tmp_path) -> None:
    """The template and the files must fit."""
    with pytest.raises(PackageError, match="CodeUri 'build/'"):
        files({}, "build/", tmp_path)
    with pytest.raises(PackageError, match="names \\.\\./shop"):
        files({"OrderLab": {"Package": {"build/": ["../shop"]}}}, "build/", tmp_path)
    with pytest.raises(PackageError, match="not a zip file"):
        open_package(b"nothing")
