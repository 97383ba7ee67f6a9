"""The bench's own judgement: ratios and bounds, what is not measured, and what is printed. Nothing is timed here."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orderlab.ops import bench
from orderlab.ops.bench import cloud, ministack, pattern_runs, patterns, peers
from orderlab.ops.bench.frame import Line
from orderlab.ops.bench.pattern_runs import RUNS as PATTERN_RUNS
from orderlab.ops.bench.runs import RUNS, SLOW
from orderlab.patterns.batch import process

FIGURES: dict[str, dict[str, Any]] = {
    "queue_depth": {"empty": 0.001, "deep": 0.0012},
    "queue_depth_moto": {"empty": 0.001, "deep": 0.05},
    "transaction": {"empty": 0.002, "deep": 0.002},
    "transaction_moto": {"empty": 0.002, "deep": 0.08},
    "orders": {"an order": 0.01},
    "orders_without": {"an order": 0.04},
    "growth": {"of 100": 0.01, "of 1,000": 0.011},
    "emptying": {"of 40": 0.004, "of 100": 0.01},
    "creation": {"whole": 0.1, "a resource": 0.001, "resources": 100},
}
PEER = {"an order": 0.05, "refused": ["AWS::Events::Archive"], "version": ministack.VERSION}


def lines(peer: dict[str, Any] | None = None, **changed: dict[str, Any]) -> list[Line]:
    """The lines that these figures make."""

    def run(module: str, argument: str) -> dict[str, Any]:
        return dict(peer or PEER) if module == "ministack" else (FIGURES | changed)[argument]

    return cloud.lines(run, Path("peers"), lambda text: None)


def test_every_figure_is_a_ratio_with_a_bound_that_it_keeps_or_breaks() -> None:
    """Twelve tenths, one, four, five, eleven tenths; milliseconds only where the bound is in them."""
    found = lines()
    assert [round(line.value or 0, 6) for line in found] == [1.2, 1.0, 4.0, 5.0, 1.1, 1.0, 4.0]
    assert all(line.holds for line in found)
    broken = lines(queue_depth={"empty": 0.001, "deep": 0.002}, orders={"an order": 0.02})
    assert [line.holds for line in broken] == [False, True, False, False, True, True, True]


def test_a_peer_that_cannot_be_measured_is_named_with_the_reason() -> None:
    """It breaks no bound, and nothing pretends that it was there."""
    (line,) = [line for line in lines(peer={"problem": "no network"}) if "ministack" in line.what]
    assert (line.value, line.holds, line.beside) == (None, True, "not measured: no network")


def test_the_peer_is_told_with_its_version_and_what_it_refused() -> None:
    """A comparison says what it compares."""
    (line,) = [line for line in lines() if "ministack" in line.what]
    assert ministack.VERSION in line.what
    assert "AWS::Events::Archive" in line.beside


@pytest.mark.parametrize(("deep", "status"), [(0.0012, 0), (0.01, 1)])
def test_the_exit_status_tells_whether_all_bounds_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], deep: float, status: int
) -> None:
    """As text and as JSON, with the versions."""
    figures = FIGURES | {"queue_depth": {"empty": 0.001, "deep": deep}}
    monkeypatch.setattr(bench, "run", lambda module, argument: figures[argument])
    assert bench.main(["cloud", "--without-ministack"]) == status
    text = capsys.readouterr().out
    assert ("BROKEN" in text) == bool(status)
    assert text.startswith("Python 3.")
    assert "moto 5." in text
    assert bench.main(["cloud", "--without-ministack", "--json"]) == status
    told = json.loads(capsys.readouterr().out)
    assert {"moto", "botocore"} <= set(told["versions"])
    assert len(told["figures"]) == 7


def test_a_measurement_that_fails_is_one_clear_error() -> None:
    """It names the measurement; nothing is invented in its place."""
    with pytest.raises(RuntimeError, match=r"the measurement nothing failed: .*KeyError"):
        bench.run("runs", "nothing")


def test_all_measurements_and_what_they_switch_off_are_there() -> None:
    """The names in the bench are the names in the cloud."""
    from importlib import import_module

    assert set(FIGURES) == set(RUNS)
    for name in SLOW:
        module, _, function = f"orderlab.cloud.{name}".rpartition(".")
        assert callable(getattr(import_module(module), function))


def test_a_peer_that_has_no_room_says_so(tmp_path: Path) -> None:
    """A file stands where its folder would be."""
    place = tmp_path / "taken"
    place.write_text("")
    with pytest.raises(peers.NotMeasured, match=r"ministack 1\.0 cannot be installed: \w+Error"):
        peers.environment(place / "peer", "ministack==1.0", "boto3")


def pip(monkeypatch: pytest.MonkeyPatch, failing: str, said: bytes = b"") -> list[str]:
    """Neither venv nor pip, but what was asked of them; what contains `failing` fails and says why."""
    asked: list[str] = []

    def run(command: list[Any], **how: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(" ".join(map(str, command[1:])).replace(peers.CHECK, "check"))
        if failing in asked[-1] and how.get("check"):
            raise subprocess.CalledProcessError(1, command, stderr=said)
        return subprocess.CompletedProcess(command, int(failing in asked[-1]))

    def create(folder: Path, **how: Any) -> None:
        asked.append("create")
        for python in ("bin/python", "Scripts/python.exe"):
            (folder / python).parent.mkdir(parents=True, exist_ok=True)
            (folder / python).touch()

    monkeypatch.setattr(peers.subprocess, "run", run)
    monkeypatch.setattr(peers.venv, "create", create)
    return asked


def test_a_peer_is_installed_once_and_again_only_when_it_is_not_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installation that was stopped half-way does not stay so for ever."""
    asked = pip(monkeypatch, failing="nothing")
    python = peers.environment(tmp_path / "peer", "somebody==1.0")
    assert peers.environment(tmp_path / "peer", "somebody==1.0") == python
    assert asked == ["create", "-m pip install -q somebody==1.0", "-c check somebody==1.0"]
    asked = pip(monkeypatch, failing="check")
    peers.environment(tmp_path / "peer", "somebody==1.0")
    assert asked == ["-c check somebody==1.0", "create", "-m pip install -q somebody==1.0"]


def test_a_peer_that_pip_does_not_find_says_what_pip_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last line is the reason."""
    pip(monkeypatch, "install", b"WARNING: retrying\nERROR: No matching distribution found for somebody==1.0\n")
    with pytest.raises(peers.NotMeasured) as raised:
        peers.environment(tmp_path / "peer", "somebody==1.0")
    assert str(raised.value) == "somebody 1.0 cannot be installed: No matching distribution found for somebody==1.0"


PATTERNS: dict[str, dict[str, Any]] = {
    "alone": {"ours": 2e-7, "closure": 1e-7, "process": 1.2e-5, "loop": 1e-5},
    "tenacity": {"ours": 2e-7, "theirs": 1.4e-5, "ours failing": 2e-6, "theirs failing": 3e-5},
    "stamina": {"ours": 2e-7, "theirs": 1.2e-5},
    "circuitbreaker": {"ours": 1e-7, "theirs": 4e-7},
    "pybreaker": {"ours": 1e-7, "theirs": 8e-7},
    "powertools": {"theirs": 2.4e-5, "loop": 1e-5},
}


def pattern_lines(monkeypatch: pytest.MonkeyPatch, absent: str = "", **changed: dict[str, Any]) -> list[Line]:
    """The lines that these figures make; `absent` is a peer that cannot be installed."""

    def environment(folder: Path, package: str) -> Path:
        if package.startswith(absent or "-"):
            raise peers.NotMeasured("no network")
        return folder

    def run(module: str, argument: str, python: Path | None = None) -> dict[str, Any]:
        if module == "importing":
            return {
                name: 0.2 if name == "boto3" else 0.01 + 0.005 * ("payment" in name) for name in argument.split(",")
            }
        versioned = patterns.VERSIONS.get(argument, "").replace("==", "-")
        assert python == (None if argument == "alone" else Path("peers") / versioned)
        return (PATTERNS | changed)[argument]

    monkeypatch.setattr(patterns, "environment", environment)
    return patterns.lines(run, Path("peers"), lambda text: None)


def test_the_patterns_figures_are_ratios_that_keep_or_break_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """70 x tenacity, 2 x a closure, 15 x with two failures, 4 x and 8 x the breakers, 1.2 x a loop; the imports."""
    found = pattern_lines(monkeypatch)
    assert [round(line.value or 0, 6) for line in found] == [70, 2, 15, 4, 8, 1.2, 10, 1.075]
    assert all(line.holds for line in found)
    assert "stamina 26.1.0 / ours 60.0 x" in found[0].beside
    assert "powertools 3.37.0 / loop 2.4 x" in found[5].beside
    broken = pattern_lines(
        monkeypatch,
        alone={"ours": 3e-7, "closure": 1e-7, "process": 2e-5, "loop": 1e-5},
        tenacity={"ours": 3e-7, "theirs": 1.4e-5, "ours failing": 3e-6, "theirs failing": 3e-5},
        circuitbreaker={"ours": 3e-7, "theirs": 4e-7},
        pybreaker={"ours": 3e-7, "theirs": 8e-7},
    )
    assert [line.holds for line in broken] == [False] * 6 + [True] * 2


def test_every_handler_of_the_template_is_imported_and_the_slowest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten modules: eight functions of the shop, its third party, and the tasks of the state machine."""
    *_, line = pattern_lines(monkeypatch)
    assert "payment, the slowest of 10: 15.0 ms on top of 200 ms" in line.beside


@pytest.mark.parametrize("absent", ["tenacity", "stamina", "circuitbreaker", "pybreaker", "aws-lambda-powertools"])
def test_a_library_that_cannot_be_installed_costs_its_own_comparison_only(
    monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    """Its rows say why, or the words beside a row do; no bound is broken, and the others are measured."""
    found = pattern_lines(monkeypatch, absent)
    untold = [line for line in found if absent in line.what]
    assert len(untold) == {"tenacity": 2, "circuitbreaker": 1, "pybreaker": 1}.get(absent, 0)
    assert all(line.value is None and line.beside == "not measured: no network" for line in untold)
    assert all(line.value is not None and line.holds for line in found if line not in untold)
    assert any("not measured: no network" in line.beside for line in found)


def test_each_peer_has_a_measurement_and_an_exact_version() -> None:
    """The names in the table are the names of the runs."""
    assert {*patterns.VERSIONS, "alone"} == set(PATTERN_RUNS) == set(PATTERNS)
    assert all("==" in package for package in patterns.VERSIONS.values())


def test_what_is_compared_does_the_same_work() -> None:
    """Our decorator and the closure by hand, our batch and the loop by hand: same answers, same calls."""
    for wrap in (pattern_runs.ours, pattern_runs.by_hand):
        act = wrap(pattern_runs.fails_twice())
        assert [act(), act()] == [1, 1]
    event = pattern_runs.batch()
    assert process(event, pattern_runs.handle) == pattern_runs.loop(event) == {"batchItemFailures": []}
    event["Records"][3]["body"] = "no JSON"
    assert process(event, pattern_runs.handle) == pattern_runs.loop(event)
