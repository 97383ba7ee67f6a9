"""Ten messages with a bad one among them, batches of other sizes, pytest in a cell: what lesson 05 shows."""

from collections.abc import Iterator
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.course.answers.testing import run_tests, sample_event
from orderlab.course.broken import one_bad_message
from orderlab.course.experiments.fated import fates
from orderlab.course.experiments.gathering import gather
from orderlab.course.experiments.tens import BAD, Ten, ten


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all: each history begins by emptying it."""
    with Cloud(seed=0) as made:
        yield made


@pytest.fixture(scope="module")
def ways(cloud: Cloud) -> dict[str, Ten]:
    """The four ways to treat the bad message, and the right one without the mapping's flag."""
    handlers = (getattr(one_bad_message, name) for name in ("all_or_nothing", "swallow", "give_back", "misnamed"))
    found = {handler.__name__: ten(cloud, handler) for handler in handlers}
    return {**found, "unread": ten(cloud, one_bad_message.give_back, report=False)}


def test_an_error_that_gets_out_kills_the_whole_batch(ways: dict[str, Ten]) -> None:
    """Who stands before the bad one is done five times, who stands behind is never tried, and all die."""
    lives = ways["all_or_nothing"].lives
    assert [life.times("done") for life in lives] == [5] * (BAD - 1) + [0] * 7
    assert [life.times("untried") for life in lives] == [0] * BAD + [5] * 6
    assert all(life.end == "dead" and not life.lost for life in lives)
    assert ways["all_or_nothing"].orders == {"confirmed": 3, "dead": 7}
    assert (ways["all_or_nothing"].invocations, ways["all_or_nothing"].errors) == (5, 5)


def test_an_error_that_is_swallowed_loses_one_order_and_nobody_hears_of_it(ways: dict[str, Ten]) -> None:
    """No dead letter, no failed invocation."""
    swallowed = ways["swallow"]
    assert (swallowed.deliveries, swallowed.done, swallowed.dead, swallowed.lost) == (10, 9, 0, 1)
    assert swallowed.orders == {"confirmed": 9, "lost": 1} and swallowed.errors == 0


def test_a_partial_answer_costs_one(ways: dict[str, Ten]) -> None:
    """Nine are done once; the bad one fails alone, which raises, and dies alone."""
    given = ways["give_back"]
    assert (given.deliveries, given.done, given.dead, given.lost) == (14, 9, 1, 0)
    assert [life.end for life in given.lives].index("dead") == BAD - 1
    assert given.orders == {"confirmed": 9, "dead": 1} and given.errors == 4


def test_a_wrong_key_kills_the_whole_batch_without_a_failed_invocation(ways: dict[str, Ten]) -> None:
    """Nine are done five times, and die."""
    misnamed = ways["misnamed"]
    assert (misnamed.done, misnamed.dead, misnamed.lost, misnamed.errors) == (45, 10, 0, 0)
    assert misnamed.orders == {"confirmed": 9, "dead": 1}


def test_without_the_flag_the_right_answer_loses_the_bad_message(ways: dict[str, Ten]) -> None:
    """Nobody reads it. And the flag is back afterwards: the other ways above depend on it."""
    assert (ways["unread"].dead, ways["unread"].lost, ways["unread"].errors) == (0, 1, 0)


def test_the_flag_is_as_before_and_the_same_seed_gives_the_same_history(cloud: Cloud, ways: dict[str, Ten]) -> None:
    """Also after a run without it."""
    assert ten(cloud, one_bad_message.give_back) == ways["give_back"]


def test_the_figure_states_what_it_shows(ways: dict[str, Ten]) -> None:
    """Its sentence has each way's numbers; a panel is titled by each name."""
    plot = fates(let_out=ways["all_or_nothing"], given_back=ways["give_back"])
    assert "let out: 50 deliveries, 15 of them done, 10 dead letters, 0 lost" in plot.facts
    assert "given back: 14 deliveries, 9 of them done, 1 dead letter, 0 lost" in plot.facts
    assert [axes.get_title(loc="left") for axes in plot.figure.axes] == ["let out", "given back"]
    words = [text.get_text() for text in plot.figure.axes[0].texts]
    assert words == ["done again\nand again", "fails,\ndead letter", "never tried"]


def test_a_batch_size_is_a_maximum_and_a_window_fills_batches(cloud: Cloud) -> None:
    """Without a window ten times the size changes nothing; with one there are fewer calls, and longer waits."""
    alone, wide, windowed = gather(cloud, 1), gather(cloud, 10), gather(cloud, 10, 1)
    assert (alone.calls, wide.calls) == (1.0, 1.0) and wide.dollars == alone.dollars
    assert windowed.calls < 0.25 and windowed.dollars < 0.4 * alone.dollars and windowed.delay > 2 * alone.delay
    settings = cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    stock = next(one for one in settings if one["EventSourceArn"].endswith(":orderlab-stock"))
    assert (stock["BatchSize"], stock["MaximumBatchingWindowInSeconds"]) == (10, 0)


ANSWER = 4


def test_pytest_runs_functions_of_a_cell_and_leaves_nothing(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters, names of the notebook, and the reason of a failure in pytest's words."""

    def test_of_a_cell() -> None: ...

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = "def test_of_a_cell(monkeypatch):\n    assert [1] == [ANSWER]\n"
    monkeypatch.setattr("inspect.getsource", lambda function: source)  # as it is when it is asked for
    results = run_tests(test_of_a_cell)
    failed, why = results
    assert failed == "FAILED test_of_a_cell" and why.endswith("assert [1] == [4]")
    assert repr(results) == "\n".join(results) and not list(tmp_path.iterdir())
    source = source.replace("1", "4")
    assert run_tests(test_of_a_cell) == ["PASSED test_of_a_cell"]  # the mended one, not the one before


def test_a_function_that_pytest_does_not_take_for_a_test_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty result would look like success."""
    with pytest.raises(ValueError, match="begin with test_"):
        run_tests(sample_event)


def test_each_sample_event_is_found() -> None:
    """A batch of two messages for ReserveStock; nothing for a function that is not there."""
    assert len(sample_event("ReserveStock")["Records"]) == 2
    with pytest.raises(FileNotFoundError):
        sample_event("Nobody")
