"""Asked or told: what is measured stands beside what is computed, and the figure says both."""

from itertools import combinations
from typing import Any

import pytest

from orderlab.cloud import Cloud
from orderlab.course.broken.chain_of_asks import FAILS
from orderlab.course.drawing import style
from orderlab.course.experiments import chaining
from orderlab.course.experiments.chaining import Taken, chained, take_orders

ORDERS = 60


@pytest.fixture(scope="module")
def taken() -> tuple[Taken, Taken]:
    """The same shop, asking and telling."""
    with Cloud(seed=0) as cloud:
        return take_orders(cloud, ORDERS), take_orders(cloud, ORDERS, telling=True)


def test_asked_shares_multiply_and_waits_add_up(taken: tuple[Taken, Taken]) -> None:
    """Within three standard deviations of the computed share; each hop costs its work and a little more."""
    asked, _ = taken
    assert asked.left[0] == ORDERS and asked.left[-1] == asked.answered
    for n, left in enumerate(asked.left):
        share = (1 - FAILS) ** n
        assert abs(left / ORDERS - share) <= 3 * (share * (1 - share) / ORDERS) ** 0.5
        assert asked.seconds[n] - asked.seconds[0] == pytest.approx(n * chaining.MEAN, rel=0.3)
    assert asked.done == sum(asked.left[1:])


def test_told_nobody_waits_for_the_services_and_no_order_is_refused(taken: tuple[Taken, Taken]) -> None:
    """Nearly all the work is done in the end: three tries each, at 1 failure in 10."""
    asked, told = taken
    assert told.left == (ORDERS,) * 4 and told.answered == ORDERS
    assert told.seconds[-1] < asked.seconds[1]
    assert told.billed < asked.billed / 5
    assert told.done == 3 * ORDERS - told.kept - told.gone
    assert told.kept + told.gone <= 2


def test_the_figure_says_what_was_measured(taken: tuple[Taken, Taken]) -> None:
    """And the same orders draw the same picture."""
    asked, told = taken
    facts = repr(chained(asked, told))
    assert f"{100 * asked.left[3] / ORDERS:.0f} % of the orders are left (computed 90 %, 81 %, 73 %)" in facts
    assert f"Told: 100 % are answered, after {1000 * told.seconds[3]:.0f} ms." in facts
    assert f"{told.answered} with a good answer; {told.done} of {3 * ORDERS} pieces of work done" in repr(told)
    assert chained(asked, told).png() == chained(asked, told).png()


@pytest.mark.parametrize("big", [False, True])
def test_every_word_is_on_the_paper_and_covers_no_other(big: bool, taken: tuple[Taken, Taken]) -> None:
    """For a notebook and for a projector."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    style.put_on(big)
    try:
        figure: Any = chained(*taken).figure
        FigureCanvasAgg(figure).draw()
    finally:
        style.put_on()
    texts = [text for axes in figure.axes for text in (*axes.texts, axes.title)]
    for axis, (low, high) in ((a, a.get_view_interval()) for axes in figure.axes for a in (axes.xaxis, axes.yaxis)):
        texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 for box in boxes)
    for one, other in combinations(boxes, 2):
        assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
