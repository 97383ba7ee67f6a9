"""The figure of the Architecture Blog's sweep: what it says is computed, and what it shows can be read."""

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.course.drawing import style
from orderlab.course.experiments import contending
from orderlab.sim.contention import article_strategies, contend_many


@pytest.fixture(scope="module", params=[False, True], ids=["notebook", "projector"])
def figure(request: Any) -> Iterator[Any]:
    """The figure of a short sweep, drawn; for a notebook and for a projector."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    style.put_on(request.param)
    try:
        drawn = contending.contention((10, 100, 190), range(3)).figure
        FigureCanvasAgg(drawn).draw()
        yield drawn
    finally:
        style.put_on()


def test_the_sentence_has_the_numbers_of_the_last_column() -> None:
    """The median of three runs of forty clients, without backoff: what the simulator answers."""
    facts = repr(contending.contention((10, 40), range(3)))
    runs = contend_many(40, article_strategies()["None"], seeds=range(3))
    assert f"no backoff {sorted(runs.calls)[1]:,} and {sorted(runs.seconds)[1]:.1f} s" in facts
    assert "of 3 seeds. 40 clients" in facts
    assert all(look[0] in facts for look in contending.LOOKS.values())


def test_the_same_seeds_draw_the_same_picture() -> None:
    """Refreshing a notebook leaves no difference."""
    one, other = (contending.contention((10, 20), range(2)) for _ in range(2))
    assert (repr(one), one.png()) == (repr(other), other.png())


def test_every_word_is_on_the_paper_and_covers_no_other(figure: Any) -> None:
    """Full and equal jitter end at the same height, and their names do not."""
    texts = [text for axes in figure.axes for text in (*axes.texts, axes.title, axes.xaxis.label)]
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert len(boxes) > 20
    paper = figure.bbox
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= paper.x1 and box.y1 <= paper.y1 for box in boxes)
    for one, other in combinations(boxes, 2):
        assert one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0


def test_no_two_strategies_differ_by_colour_alone(figure: Any) -> None:
    """Each has a line or a marker of its own, and its name at the end of its line."""
    assert len({look[2:] for look in contending.LOOKS.values()}) == len(contending.LOOKS) == len(article_strategies())
    names = {look[0] for look in contending.LOOKS.values()}
    assert all({text.get_text() for text in axes.texts} == names for axes in figure.axes)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=8))
def test_names_move_apart_as_far_as_they_must_and_keep_their_order(heights: list[float]) -> None:
    """Neighbours are 20 apart or more; who has room stays where it is."""
    given_heights = {str(n): height for n, height in enumerate(heights)}
    moved = contending._apart(given_heights, 20.0)
    order = sorted(given_heights, key=lambda name: given_heights[name])
    assert all(moved[b] - moved[a] >= 20 - 1e-6 for a, b in pairwise(order))
    if all(given_heights[b] - given_heights[a] >= 20 for a, b in pairwise(order)):
        assert moved == pytest.approx(given_heights)


def test_clients_that_make_no_sense_are_refused() -> None:
    """By the simulator's own words."""
    with pytest.raises(ValueError, match="clients is a whole number"):
        contending.contention((0,), [1])
