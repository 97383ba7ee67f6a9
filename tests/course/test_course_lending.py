"""Messages on loan: what a timeout that is too short does, AWS's rule of six, and a line that obeys Little's law."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from orderlab.cloud import Cloud
from orderlab.course.experiments.lending import lend
from orderlab.course.experiments.lining import line
from orderlab.course.experiments.loans import lives, margins
from orderlab.course.experiments.rushing import deliveries


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One cloud for all: each history begins by emptying it."""
    with Cloud(seed=0) as made:
        yield made


@pytest.fixture(autouse=True)
def seeded(cloud: Cloud) -> None:
    """Each test begins with the seed of the lesson."""
    cloud.reset(seed=0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_six_time_outs_are_just_enough_for_five_batches_and_one_copy(cloud: Cloud, seed: int) -> None:
    """One less, and some are delivered again: the rule with the least room that it can have."""
    cloud.reset(seed=seed)
    assert lend(cloud, 60).deliveries == 1.0
    assert lend(cloud, 50).deliveries > 1.0
    assert lend(cloud, 10).deliveries == 3.0


def test_lambda_s_waiting_alone_makes_dead_letters_that_no_code_has_seen(cloud: Cloud) -> None:
    """The function never fails; with as many copies as batches are taken, the same timeout is long enough."""
    worst = lend(cloud, 10, messages=200)
    assert 0 < worst.unseen < worst.dead < 200 and not cloud.trace.select("error")
    cured = lend(cloud, 10, copies=5, messages=200)
    assert (cured.deliveries, cured.dead, cured.doubled) == (1.0, 0, 0)


def test_a_history_tells_each_loan_with_its_work_and_its_end(cloud: Cloud) -> None:
    """Loans of one message follow each other; all but the last end with the timeout; works are as long as asked for."""
    seen = lend(cloud, 30)
    assert len(seen.loans) == 50 and (seen.timeout, seen.visibility, seen.copies) == (10.0, 30, 1)
    assert seen.doubled > 0
    for loans in seen.loans:
        assert [loan.end for loan in loans] == ["retry"] * (len(loans) - 1) + ["delete"]
        for loan, after in pairwise(loans):
            assert loan.ended - loan.began == pytest.approx(30) and 0 < after.began - loan.ended < 12
        assert all(loan.work[1] - loan.work[0] == pytest.approx(9.7, abs=0.3) for loan in loans if loan.work)


def test_the_settings_are_as_before_and_the_same_seed_gives_the_same_history(cloud: Cloud) -> None:
    """Whoever explores breaks nothing."""
    before = cloud.functions.resolve("ReserveStock").reserved, cloud.queues.store("orderlab-stock").queue
    hidden = before[1].visibility_timeout
    first = lend(cloud, 20)
    assert lend(cloud, 20) == first
    assert (cloud.functions.resolve("ReserveStock").reserved, before[1].visibility_timeout) == (None, hidden)
    counts = deliveries(cloud, cloud.outputs["StockQueueUrl"])
    assert sum(counts) / len(counts) == first.deliveries


@pytest.mark.parametrize("messages", [0, 5, 15])
def test_messages_are_sent_by_tens(cloud: Cloud, messages: int) -> None:
    """What is no whole batch is refused."""
    with pytest.raises(ValueError, match="by tens"):
        lend(cloud, 60, messages=messages)


def test_the_figures_say_what_they_show(cloud: Cloud) -> None:
    """Their facts have the numbers, and both can be drawn in all their words."""
    seen = lend(cloud, 30)
    assert f"{seen.doubled} messages were worked on more than once" in lives(seen).facts
    assert lives(lend(cloud, 10, messages=200)).png().startswith(b"\x89PNG")
    curve = [lend(cloud, 10 * n) for n in (1, 6)]
    told = margins({"50 messages": curve})
    assert told.facts == "Deliveries per message at 1, 6 time-outs of the function. 50 messages: 3.0, 1.0."
    assert told.png().startswith(b"\x89PNG")


def test_the_length_of_a_line_is_the_rate_times_the_stay_whether_it_stands_or_grows(cloud: Cloud) -> None:
    """Little's law, within what looking ten times a second can tell; and only too high a rate makes the line grow."""
    steady, growing = line(cloud, 5, seconds=20), line(cloud, 7, seconds=20)
    for one in (steady, growing):
        assert one.length == pytest.approx(one.rate * one.stay, rel=0.02)
    assert steady.after(20) == steady.after(10)
    assert growing.after(20)[0] > 1.3 * growing.after(10)[0] and growing.after(20)[1] > growing.after(10)[1]
    assert len(growing.stays) == 140
