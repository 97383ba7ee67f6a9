"""The bench's own judgement: ratios and bounds, what is not measured, and what is printed. Nothing is timed here."""

import json
from pathlib import Path
from typing import Any

import pytest

from orderlab.ops import bench
from orderlab.ops.bench import Line, cloud_lines, ministack
from orderlab.ops.bench.runs import RUNS, SLOW

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

    return cloud_lines(run, Path("peer"), lambda text: None)


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


def test_ministack_that_cannot_be_installed_says_so(tmp_path: Path) -> None:
    """A file stands where its folder would be."""
    place = tmp_path / "taken"
    place.write_text("")
    with pytest.raises(ministack.NotMeasured, match=f"ministack {ministack.VERSION} cannot be installed"):
        ministack.install(place / "peer")
