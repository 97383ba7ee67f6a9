"""The published simulator as a peer: found, run without its last line, and refused when it is something else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orderlab.ops.bench.peers import NotMeasured
from orderlab.ops.bench.published import measure

# As much of its shape as is used: each client of a lonely sweep makes one call.
STAND_IN = """
import random
class Stats:
    calls = 0
def setup_sim(clients, strategy, ts_f, stats):
    for client in xrange(0, clients):
        ts_f.write("0")
        stats.calls += CALLS
        assert 0 <= random.uniform(0, 1) <= 1
    return [], stats
def run_sim(queue):
    return 0
backoff_types = (("", "None"), ("", "Exponential"), ("", "EqualJitter"), ("", "FullJitter"), ("", "Decorr"))
raise_all_alarms()
"""


def checkout(folder: Path, text: str) -> Path:
    """A checkout whose one file is `text`."""
    (folder / "src").mkdir()
    (folder / "src" / "backoff_simulator.py").write_text(text, encoding="utf-8")
    return folder


def test_both_do_the_same_work_and_the_last_line_of_the_peer_is_not_run(tmp_path: Path) -> None:
    """One client needs one call; the stand-in's last line calls what nobody defined."""
    found = measure(checkout(tmp_path, STAND_IN.replace("CALLS", "1")), clients=(1,), rounds=2)
    assert set(found) == {"theirs", "ours", "calls, theirs", "calls, ours"}
    assert found["calls, theirs"] == found["calls, ours"] == 5
    assert found["theirs"] > 0 < found["ours"]
    assert [path.name for path in tmp_path.iterdir()] == ["src"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "is no checkout of aws-arch-backoff-simulator: no src/backoff_simulator.py"),
        ("print 'Python 2'", "is no checkout of aws-arch-backoff-simulator"),
        ("class Stats: pass", "lacks backoff_types, run_sim, setup_sim"),
        (STAND_IN.replace("CALLS", "2"), "does other work: 10 calls, where ours makes 5"),
    ],
)
def test_what_is_not_the_peer_is_not_measured(tmp_path: Path, text: str | None, words: str) -> None:
    """The reason is one line; a simulator that makes other calls is not a faster or slower one."""
    folder = tmp_path if text is None else checkout(tmp_path, text)
    with pytest.raises(NotMeasured, match=words):
        measure(folder, clients=(1,), rounds=1)


def test_as_a_program_it_names_the_problem_as_json(tmp_path: Path) -> None:
    """As the bench reads it."""
    command = [sys.executable, "-m", "orderlab.ops.bench.published", str(tmp_path)]
    told = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    assert "no checkout" in json.loads(told)["problem"]
