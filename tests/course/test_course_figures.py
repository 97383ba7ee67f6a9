"""Figures state their facts, in the same words everywhere, and look alike."""

import json
from typing import Any

import matplotlib
import pytest

from orderlab.course.drawing import style
from orderlab.course.drawing.figures import Plot

FACTS = "Two points, the second is 4 times as high as the first, and a < b."


def sample(facts: str = FACTS) -> Plot:
    """A small figure of the house style."""
    figure = style.new_figure()
    figure.subplots().plot([1, 2], [1, 4])
    return Plot(figure, facts)


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG defines it."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG defines it."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_sentence_is_text_alternative_and_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence in three places: nbval compares it, and a reader who sees no picture finds it below."""
    shown: list[tuple[dict[str, Any], dict[str, Any]]] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, metadata=None, raw=False: shown.append((data, metadata))
    )
    sample()._ipython_display_()
    (picture, metadata), (caption, _) = shown
    assert picture["text/plain"] == caption["text/plain"] == metadata["image/png"]["alt"] == FACTS
    assert picture["image/png"].startswith(b"\x89PNG")
    assert caption["text/html"] == f"<p><em>{FACTS.replace('<', '&lt;')}</em></p>"
    assert repr(sample()) == FACTS


def test_the_same_figure_gives_the_same_bytes() -> None:
    """Refreshing a notebook leaves no difference."""
    assert sample().png() == sample().png()


@pytest.mark.parametrize("facts", ["", "A plot.", "A figure of something without an end"])
def test_facts_are_a_sentence(facts: str) -> None:
    """A figure without words does not come into being."""
    with pytest.raises(ValueError, match="a sentence of 20 letters"):
        sample(facts)


def test_a_figure_is_as_large_as_the_style_says_on_white_paper() -> None:
    """8 x 4.5 inches at 110 dots; its own white background reads in dark themes too."""
    from io import BytesIO

    from PIL import Image

    with Image.open(BytesIO(sample().png())) as picture:
        assert picture.size == (880, 495)
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("colour", style.PALETTE)
def test_each_colour_is_seen_on_white(colour: str) -> None:
    """At least 3 to 1, what WCAG asks for graphics."""
    assert contrast(colour, "#FFFFFF") >= 3  # #CC79A7 has 3.06


def test_each_concept_has_a_colour_of_the_palette_and_today_stands_behind_black() -> None:
    """Colours come from the one place."""
    assert set(style.CONCEPTS.values()) <= set(style.PALETTE)
    assert contrast(style.TODAY, style.BLACK) >= 7


def test_no_text_of_the_style_is_small_and_a_projector_gets_larger_ones() -> None:
    """13 points and more; start(big=True) makes all of them larger."""
    sizes = [name for name in style.settings() if name.endswith(("size", "fontsize")) and "fig" not in name]
    texts = [name for name in sizes if name not in ("lines.markersize",)]
    assert len(texts) == 6
    for name in texts:
        assert style.settings()[name] >= 13
        assert style.settings(big=True)[name] == style.settings()[name] * style.BIGGER


def test_the_style_is_put_on_for_the_learners_own_figures_too() -> None:
    """A plain plt.plot in a lesson looks like the others, and its lines differ by more than colour."""
    style.put_on(big=True)
    assert matplotlib.rcParams["font.size"] == 13 * 1.25 and style.scale() == 1.25
    style.put_on()
    assert matplotlib.rcParams["font.size"] == 13 and style.scale() == 1.0
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    assert len({json.dumps(one) for one in cycle}) == 5
    assert len({one["linestyle"] for one in cycle[:4]}) == 4
