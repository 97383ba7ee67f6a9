"""The simulator's lines of the bench, from canned figures: ratios, bounds, what is not measured. Nothing is timed."""

from pathlib import Path
from typing import Any

import pytest

from orderlab.ops import bench
from orderlab.ops.bench import sim, simpy_models, simulations

FIGURES: dict[str, dict[str, Any]] = {
    "queue": {"ours": 1e-6, "theirs": 5e-6},
    "herd": {"ours": 2e-6, "theirs": 5e-6},
    "growth": {"10000": 1e-6, "100000": 1.1e-6, "1000000": 1.2e-6},
    "orderlab.course.experiments.herd": {"median": 90.0, "p95": 120.0},
    "published": {"ours": 0.1, "theirs": 0.5},
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The lines that the figures make, some of them changed."""
    monkeypatch.setattr(sim, "environment", lambda folder, *packages: folder)

    def made(peers: Path | None = Path("peers"), checkout: str | None = "aws", **changed: dict[str, Any]) -> Any:
        def run(module: str, argument: str, python: Any = None) -> dict[str, Any]:
            return (FIGURES | changed)[argument if module == "simulations" else module]

        return sim.lines(run, peers, lambda text: None, checkout)

    return made


def test_every_figure_has_its_bound(lines: Any) -> None:
    """Ratios to SimPy and to the published simulator, growth against n log n, and milliseconds of a panel."""
    assert [round(line.value, 6) for line in lines()] == [5, 2.5, 1.1, 1.2, 5, 120]
    assert [line.bound for line in lines()] == [">= 4", ">= 2", "<= 1.25", "<= 1.50", ">= 3", "<= 150"]
    assert all(line.holds for line in lines())
    slow = lines(herd={"ours": 3e-6, "theirs": 5e-6}, growth={"10000": 1e-6, "100000": 1.3e-6, "1000000": 1.6e-6})
    assert [line.holds for line in slow] == [True, False, False, False, True, True]


def test_what_is_not_there_is_named_and_breaks_nothing(lines: Any) -> None:
    """No SimPy, no checkout: two rows say so, and one."""
    found = lines(peers=None, checkout=None)
    assert [line.beside for line in found if line.value is None] == [
        "not measured: left out",
        "not measured: left out",
        "not measured: no --peer PATH to a checkout",
    ]
    assert all(line.holds for line in found)
    (line,) = [line for line in lines(published={"problem": "no checkout"}) if line.value is None]
    assert line.beside == "not measured: no checkout"


def test_the_bench_knows_the_area() -> None:
    """`python3 -m orderlab bench sim`."""
    assert "sim" in bench.AREAS


def test_both_sides_of_the_comparison_simulate_the_same() -> None:
    """Our M/M/1 and herd are those of theory and of numbers that SimPy gives: so many events for so many customers."""
    assert simulations.ours_queue(2_000) == pytest.approx(4_000, abs=4 * 2 * 2_000**0.5)
    assert simulations.ours_herd(200) == pytest.approx(1_188, rel=0.1)
    simpy = pytest.importorskip("simpy", reason="a peer, not needed by the course")
    assert simpy and len(simpy_models.herd(200, 10, 0.01, simulations.PATIENT, 1)[1]) == 200
