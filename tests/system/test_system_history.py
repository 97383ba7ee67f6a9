"""The same seed gives the same history, byte for byte: whatever PYTHONHASHSEED is, and whatever was played before."""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orderlab.cloud.faults import KINDS

FILE = Path(__file__).resolve().parents[2] / ".ci" / "history.py"


@pytest.fixture(scope="module")
def history() -> ModuleType:
    """The script that CI runs on every Python."""
    spec = importlib.util.spec_from_file_location("ci_history", FILE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)  # the script adds the repository
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture(scope="module")
def played(history: ModuleType) -> dict[str, Any]:
    """By saga: the faults that struck on day 0, its kinds of rows and its lines, and the lines of day 2 after it."""
    found = {}
    for saga in history.SAGAS:
        with history.Cloud(parameters={"Saga": saga}) as cloud:
            history.play(cloud, 0)
            struck, kinds = {rate.kind for rate in cloud.faults._struck}, {row.kind for row in cloud.trace}
            first = history.lines(cloud)
            history.play(cloud, 2)
            found[saga] = struck, kinds, first, history.lines(cloud)
    return found


@pytest.mark.parametrize("saga", ["choreography", "orchestration"])
def test_the_day_has_every_trouble_in_it(history: ModuleType, played: dict[str, Any], saga: str) -> None:
    """Otherwise less would be compared than is said: all faults, retries, alarms, a replay, every end of an order."""
    struck, kinds, lines, _ = played[saga]
    by_machine = saga == "orchestration"
    assert set(history.FAULTS) == set(KINDS)
    assert set(KINDS) - ({"reorder", "delay"} if by_machine else set()) <= struck  # its queues hold next to nothing
    assert {"alarm", "replayed", "error", "retry", "refused", "log", "event"} <= kinds
    assert ("execution" in kinds) == by_machine
    text = "\n".join(lines)
    assert [word for word in ("CONFIRMED", "CANCELLED", "declined", "out of stock") if word not in text] == []


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_neither_hashes_nor_the_day_before_change_anything(played: dict[str, Any], hash_seed: str) -> None:
    """Day 2 of this process, whose hashes are its own, is day 2 of another one, where no day was before it."""
    ran = subprocess.run(
        [sys.executable, FILE, "2"], capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": hash_seed}
    )
    assert ran.returncode == 0, ran.stderr
    here = {saga: lines for saga, (_, _, _, lines) in played.items()}
    assert ran.stdout.splitlines() == [
        f"{saga} 2: {len(lines)} lines, sha256 {hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
        for saga, lines in here.items()
    ]


def test_another_seed_is_another_history(played: dict[str, Any]) -> None:
    """A history that no seed changes would be the same everywhere too."""
    assert all(first != second for _, _, first, second in played.values())
