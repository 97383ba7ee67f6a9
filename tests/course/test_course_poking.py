"""A breaker that is poked: the picture's words are those of the breaker that ships."""

import pytest

from orderlab.course.experiments.poking import poke


@pytest.mark.parametrize(
    ("poked", "says"),
    [
        ((0, 0, 0, 1), "now closed: closed."),
        ((4, 0, 1, 0), "now open: closed → open."),
        ((5, 29, 2, 1), "2 calls, 0 let in, 2 refused. The breaker is now open: closed → open."),
        ((7, 30, 1, 0), "5 failed, 2 refused"),
        ((5, 30, 3, 1), "now closed: closed → open → half-open → closed."),
        ((5, 30, 3, 0), "now open: closed → open → half-open → open."),
    ],
)
def test_it_says_where_the_breaker_is(poked: tuple[int, int, int, int], says: str) -> None:
    """Failures, seconds, calls, and whether the first works."""
    assert says in poke(*poked).facts


def test_the_same_pokes_draw_the_same_picture() -> None:
    """And another one says something else, wherever the others stand: a panel shows each move of a slider."""
    assert poke().png() == poke().png() != poke(works=0).png()
    low = {"failures": 0, "waited": 0, "calls": 0, "works": 0}
    assert len({poke(**low).facts, *(poke(**{**low, name: 1}).facts for name in low)}) == 5
