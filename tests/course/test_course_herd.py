"""The figure of a thundering herd: what it says is what was simulated, and the herd's waves are there."""

import numpy as np
import pytest

from orderlab.course.experiments.herd import herd, waves
from orderlab.sim.herd import herd as simulate


def test_the_facts_are_those_of_the_simulation() -> None:
    """Medians over the seeds, for each strategy; the same call gives the same sentence and the same picture."""
    plot = herd(clients=30, slots=5, seeds=range(3))
    for name, words in (("None", "no backoff"), ("FullJitter", "full jitter")):
        runs = simulate(30, 5, 0.01, 2.0, range(3))[name].runs
        calls, seconds = np.median([len(run.sent) for run in runs]), np.median([run.seconds for run in runs])
        assert f"{words} {calls:,.0f} and {seconds:.2f} s" in plot.facts
        assert all(run.ok.all() for run in runs)
    assert plot.png() == herd(clients=30, slots=5, seeds=range(3)).png()


def test_a_herd_without_jitter_comes_back_as_a_herd() -> None:
    """Of second calls of 100 clients, exponential backoff brings most within 5 ms of each other, full jitter few."""
    spread = {}
    for name, many in simulate(100, 20, 0.01, 2.0, range(5)).items():
        second = [float(run.sent[run.request == r][1]) for run in many.runs for r in np.flatnonzero(run.tries > 1)]
        spread[name] = float(np.percentile(second, 90) - np.percentile(second, 10))
    assert spread["Exponential"] < 0.005 < spread["FullJitter"]


def test_any_jitter_ends_a_herd_that_an_outage_has_gathered() -> None:
    """Down for 1 s, ten places: without jitter the last of 100 is served ten seconds later, with any after two."""
    runs = simulate(100, 10, 0.05, 2.0, range(5), outage=1.0)
    last = {name: float(np.median([run.seconds for run in many.runs])) for name, many in runs.items()}
    calls = {name: float(np.median([len(run.sent) for run in many.runs])) for name, many in runs.items()}
    jittered = ("Additive", "EqualJitter", "FullJitter", "Decorr")
    assert last["None"] < 1.3 and calls["None"] > 10_000
    assert last["Exponential"] > 11 and all(last[name] < 3 for name in jittered)
    assert max(calls[name] for name in jittered) < calls["Exponential"] < calls["None"]


def test_a_cap_at_the_base_leaves_the_articles_variant_no_jitter() -> None:
    """It adds to a delay that is at the cap already: it is plain exponential backoff then, call for call."""
    runs = simulate(50, 5, 0.2, 0.2, range(3), outage=1.0, ways=["Exponential", "Additive", "FullJitter"])
    sent = {name: [list(run.sent) for run in many.runs] for name, many in runs.items()}
    assert sent["Additive"] == sent["Exponential"] != sent["FullJitter"]


def test_the_panel_leaves_out_who_never_waits() -> None:
    """Its thousands of calls would make a move slow; the others stand there, and the outage is named."""
    plot = waves(outage=500)
    assert "no backoff" not in plot.facts and "down for the first 0.5 s" in plot.facts
    assert "the article's" in plot.facts and "down" not in waves(outage=0).facts


def test_what_makes_no_sense_is_refused() -> None:
    """By the simulator, which names it."""
    with pytest.raises(ValueError, match="clients"):
        herd(clients=0)
