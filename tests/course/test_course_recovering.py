"""The figure of a service after an outage: its words are what was simulated."""

import pytest

from orderlab.course.experiments.recovering import recoveries
from orderlab.sim.published import metastable, once_more


def test_what_the_lanes_say_is_what_was_simulated() -> None:
    """With one retry it stays down; who throws away what is stale, or keeps the queue short, is back at once."""
    ways = {
        "one retry": metastable(280, once_more()),
        "drop stale": metastable(280, once_more(), discipline="drop-dead"),
        "short queue": metastable(280, once_more(), queue=100),
    }
    plot = recoveries(ways, seconds=40.0, seeds=range(2))
    assert "one retry: down, at last 5" in plot.facts and "calls/s, 0 answered in time; drop" in plot.facts
    assert "drop stale: back at 2" in plot.facts and "short queue: back at 22 s" in plot.facts
    assert plot.png() == recoveries(ways, seconds=40.0, seeds=range(2)).png()


def test_without_an_outage_there_is_nothing_to_draw() -> None:
    """Its band would be missing."""
    with pytest.raises(ValueError, match="outage"):
        recoveries({"fine": metastable(280, once_more(), outage=0)}, seeds=range(1))
