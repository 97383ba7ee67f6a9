"""Panels: what a slider may be, what a move does, and what is left of a panel where no kernel runs."""

import base64
import html.parser
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image, ImageChops, ImageStat

from orderlab.course.drawing import style
from orderlab.course.drawing.figures import Plot
from orderlab.course.drawing.panels import MOST, Panel, panel
from orderlab.course.drawing.sliders import Slider, slider
from orderlab.course.pages import refresh

VIEW = "application/vnd.jupyter.widget-view+json"


def picture(workers: float, pause: float = 0.5) -> Plot:
    """A line that depends on both values, and says so."""
    figure = style.new_figure()
    figure.subplots().plot([0, 1, 2], [0, workers, workers * pause])
    return Plot(figure, f'With {workers} workers & a pause of {pause} s it is "fine" <or not>.')


def two(draw: Callable[..., Plot] = picture) -> Panel:
    """A panel with a slider of whole numbers and one of fractions."""
    return panel(draw, workers=slider(0, 10, 4, step=2), pause=slider(0.1, 2.0, 0.5, 0.1, label="Pause", unit="s"))


class Page(html.parser.HTMLParser):
    """What a browser reads in the HTML widget of a panel."""

    def __init__(self, one: Panel) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.image: dict[str, str] = {}
        self.words = ""
        self.feed(one.page.value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "img":
            self.image = {name: value or "" for name, value in attrs}

    def handle_data(self, data: str) -> None:
        if self.tags[-1] in ("figcaption", "p"):
            self.words += data

    def png(self) -> bytes:
        """The bytes of the picture."""
        return base64.b64decode(self.image["src"].removeprefix("data:image/png;base64,"))


def widgets(box: Any) -> list[Any]:
    """A widget and all that it contains."""
    return [box, *(inner for child in getattr(box, "children", ()) for inner in widgets(child))]


def test_without_a_kernel_the_first_picture_and_its_facts_are_there() -> None:
    """The bundle has the very picture of the static call, its words as text and as alternative, and the view."""
    one = two()
    data, metadata = one._repr_mimebundle_()
    assert data["image/png"] == picture(4, 0.5).png()
    assert data["text/plain"] == metadata["image/png"]["alt"] == repr(one) == picture(4, 0.5).facts
    assert data[VIEW]["model_id"] == one.box.model_id


def test_the_page_holds_one_picture_with_its_facts_as_alternative_and_caption() -> None:
    """Words with quotes, < and & arrive as they were written."""
    page = Page(two())
    assert page.tags == ["style", "figure", "img", "figcaption"]
    assert page.image["alt"] == page.words == picture(4, 0.5).facts
    assert page.png() == picture(4, 0.5).png()


def test_a_panel_is_named_controls_and_one_html_widget_without_an_output_area() -> None:
    """Slider and number box of each value have the same range and wait until the learner is done with a move."""
    one = two()
    inside = widgets(one.box)
    kinds = [type(widget).__name__ for widget in inside]
    assert "Output" not in kinds and kinds.count("HTML") == 1
    assert [kind for kind in kinds if "Text" in kind] == ["BoundedIntText", "BoundedFloatText"]
    assert [kind for kind in kinds if "Slider" in kind] == ["IntSlider", "FloatSlider"]
    for number, handle in one.controls.values():
        assert not number.continuous_update and not handle.continuous_update and not handle.readout
        assert (number.min, number.max, number.step) == (handle.min, handle.max, handle.step)
    assert [number.description for number, _ in one.controls.values()] == ["Workers (0 to 10)", "Pause (0.1 to 2.0 s)"]


@pytest.mark.parametrize("which", [0, 1], ids=["number box", "slider"])
def test_a_move_of_one_control_moves_the_other_and_draws_once(which: int) -> None:
    """The picture, its alternative and its caption follow; the other value stays, and so does what is saved."""
    drawn: list[dict[str, float]] = []

    def draw(**values: float) -> Plot:
        drawn.append(values)
        return picture(**values)

    one = two(draw)
    before = one._repr_mimebundle_()
    one.controls["workers"][which].value = 8
    page = Page(one)
    assert drawn == [{"workers": 4, "pause": 0.5}, {"workers": 8, "pause": 0.5}]
    assert [control.value for control in one.controls["workers"]] == [8, 8]
    assert page.image["alt"] == page.words == picture(8, 0.5).facts
    assert page.png() == picture(8, 0.5).quick_png() != picture(4, 0.5).quick_png()
    assert one._repr_mimebundle_() == before


@pytest.mark.parametrize(
    ("name", "typed", "meant"),
    [
        ("workers", 99, 10),
        ("workers", -3, 0),
        ("workers", 7, 8),
        ("workers", 5, 4),
        ("pause", 0.30000000000000004, 0.3),
        ("pause", 0.67, 0.7),
        ("pause", 77.0, 2.0),
        ("pause", float("inf"), 2.0),
    ],
)
@pytest.mark.parametrize("which", [0, 1], ids=["number box", "slider"])
def test_a_value_beside_the_steps_becomes_the_nearest_one(name: str, typed: float, meant: float, which: int) -> None:
    """Both controls show it, the drawing gets it, and it is a whole number where the slider knows no others."""
    one = two()
    one.controls[name][which].value = typed
    assert one.values[name] == meant and type(one.values[name]) is type(meant)
    assert [control.value for control in one.controls[name]] == [meant, meant]
    assert f" {meant} " in Page(one).words


def test_several_sliders_can_be_set_at_once() -> None:
    """`move` draws the two values together, not one after the other."""
    seen: list[tuple[float, float]] = []

    def draw(workers: float, pause: float) -> Plot:
        seen.append((workers, pause))
        return picture(workers, pause)

    two(draw).move(workers=10, pause=1.2)
    assert seen == [(4, 0.5), (10, 1.2)]


def test_a_slider_may_have_any_name() -> None:
    """Also that of the parameter that takes the drawing."""
    one = panel(lambda draw: picture(draw), draw=slider(0, 1, 0))
    one.move(draw=1)
    assert Page(one).image["alt"] == picture(1).facts


class Nameless:
    """Its text holds its address, which differs from run to run."""


FAILURES = [
    (lambda: 1 / 0, "ZeroDivisionError('division by zero')"),
    (lambda: sys.exit(1), "SystemExit(1)"),
    (lambda: None, "draw returned None, and no Plot"),
    (lambda: {}[Nameless()], "<KeyError>"),
    (lambda: Plot(style.new_figure(), "Short."), "the facts of a figure are a sentence"),
]


@pytest.mark.parametrize(("fails", "words"), FAILURES, ids=[words for _, words in FAILURES])
def test_a_drawing_that_fails_gives_one_line_and_the_next_move_draws_again(fails: Any, words: str) -> None:
    """No traceback and no picture of other values: the line names the values and the error."""
    one = panel(lambda workers: picture(workers) if workers != 2 else fails(), workers=slider(0, 10, 4, step=2))
    one.controls["workers"][0].value = 2
    page = Page(one)
    assert page.tags == ["style", "p"]
    assert page.words.startswith("There is no picture for workers=2: ") and words in page.words
    assert "\n" not in page.words and "0x" not in page.words
    one.controls["workers"][1].value = 0
    assert Page(one).image["alt"] == picture(0).facts


def test_a_figure_that_cannot_be_drawn_is_a_failure_too() -> None:
    """matplotlib finds out what is wrong with a formula only when it paints it."""

    def draw(workers: float) -> Plot:
        plot = picture(workers)
        plot.figure.suptitle(r"$\frac$" if workers else "fine")
        return plot

    one = panel(draw, workers=slider(0, 1, 0))
    one.move(workers=1)
    assert "There is no picture for workers=1: " in Page(one).words
    one.move(workers=0)
    assert Page(one).image


def test_a_panel_whose_first_drawing_fails_is_there_and_comes_to_life() -> None:
    """A learner's unfinished function stops no cell: the text is the line, and there is no picture to save."""
    one = panel(lambda workers: picture(1 / workers), workers=slider(0, 1, 0))
    data, metadata = one._repr_mimebundle_()
    assert set(data) == {"text/plain", VIEW} and metadata == {}
    assert data["text/plain"].startswith("There is no picture for workers=0: ZeroDivisionError")
    one.move(workers=1)
    assert Page(one).image["alt"] == picture(1.0).facts


def test_the_quick_picture_is_the_same_picture() -> None:
    """Same size, and hardly a pixel differs from the one that is saved; it has no transparency either."""
    for made in (picture(4), picture(10, 1.5)):
        slow, quick = (Image.open(io.BytesIO(data)).convert("RGB") for data in (made.png(), made.quick_png()))
        assert slow.size == quick.size
        assert max(ImageStat.Stat(ImageChops.difference(slow, quick)).mean) < 0.5  # of 255


def test_the_saved_picture_does_not_depend_on_a_quick_one_before() -> None:
    """Its bytes are those of a figure that was never drawn for a panel."""
    made = picture(4)
    made.quick_png()
    assert made.png() == picture(4).png()


WRONG_SLIDERS = [
    ((5, 5, 5), "its low, 5, must be less than its high, 5"),
    ((9, 1, 5), "its low, 9, must be less"),
    ((0, 10, 11), "from 0 to 10 cannot stand at 11"),
    ((0, 10, -1), "cannot stand at -1"),
    ((0, 10, 5, 0), "step is more than 0, not 0"),
    ((0, 10, 5, -1), "step is more than 0"),
    ((0, 10, 5, 2), "from 0 in steps of 2 a slider misses 5: take 4"),
    ((0, 10, 6, 3), "misses its end 10: take 9 or 12"),
    ((0.0, 1.0, 0.55, 0.1), "misses 0.55: take 0.6"),
    ((0, 10, float("nan")), "a slider's value is a number, not nan"),
    ((0, float("inf"), 5), "a slider's high is a number, not inf"),
    (("0", 10, 5), "a slider's low is a number, not '0'"),
    ((0, 10, True), "a slider's value is a number, not True"),
]


@pytest.mark.parametrize(("facts", "words"), WRONG_SLIDERS, ids=[words for _, words in WRONG_SLIDERS])
def test_a_slider_that_makes_no_sense_is_refused(facts: tuple[Any, ...], words: str) -> None:
    """The message says what is wrong, and where it can, what would be right."""
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        slider(*facts)


def test_binary_fractions_are_steps_too() -> None:
    """0.1 has no exact binary form; ten steps of it end at 1 all the same, and each is as short as it is written."""
    one = slider(0, 1, 0.3, 0.1)
    places = [one.nearest(n / 10 + 0.01) for n in range(11)]
    assert [str(place) for place in places] == [f"0.{n}" for n in range(10)] + ["1.0"]
    assert slider(-3, 3, 0).nearest(-2.6) == -3 and slider(1e-3, 5e-3, 2e-3, 1e-3).nearest(0.0049) == 0.005


@pytest.mark.parametrize(
    ("sliders", "error", "words"),
    [
        ({}, ValueError, "1 to 4 sliders, name=slider.low, high, value., and not 0"),
        ({f"n{n}": slider(0, 1, 0) for n in range(MOST + 1)}, ValueError, "and not 5"),
        ({"n": (0, 10, 5)}, TypeError, r"n is no slider but \(0, 10, 5\): write n=slider"),
        ({"a": slider(0, 1, 0, label="L"), "b": slider(0, 1, 1, label="L")}, ValueError, "the same name"),
    ],
    ids=["none", "too many", "no slider", "one name for two"],
)
def test_a_panel_that_makes_no_sense_is_refused(sliders: dict[str, Slider], error: type[Exception], words: str) -> None:
    """Before anything is drawn."""
    with pytest.raises(error, match=words):
        panel(lambda **values: pytest.fail("drawn"), **sliders)


CELLS = [
    """\
from orderlab.course.drawing import style
from orderlab.course.drawing.figures import Plot
from orderlab.course.drawing.panels import panel
from orderlab.course.drawing.sliders import slider

def draw(workers):
    figure = style.new_figure()
    figure.subplots().plot([0, workers * 2])
    return Plot(figure, f"With {workers} workers the line ends at {workers * 2}.")""",
    "draw(3)",
    "panel(draw, workers=slider(1, 8, 3))",
    "panel(lambda workers: draw(1 / (workers - 3)), workers=slider(1, 8, 3))",
]


def test_a_panel_passes_strict_nbval_and_is_saved_as_its_picture(tmp_path: Path) -> None:
    """Saved as refresh saves lessons: no view, a second run changes nothing, and another constant is noticed."""
    path = tmp_path / "00_panel.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in CELLS]), path)
    assert refresh.refresh(path)
    saved = path.read_text(encoding="utf-8")
    (shown,) = nbformat.reads(saved, as_version=4).cells[2].outputs
    assert set(shown.data) == {"text/plain", "image/png"} and "jupyter.widget" not in saved
    assert shown.data["text/plain"] == shown.metadata["image/png"]["alt"] == "With 3 workers the line ends at 6."
    assert base64.b64decode(shown.data["image/png"]).startswith(b"\x89PNG")
    (tmp_path / "01_other.ipynb").write_text(saved.replace("workers * 2}.", "workers * 4}."), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert [line.split(" - ")[0] for line in failed] == [
        "FAILED 01_other.ipynb::Cell 1",
        "FAILED 01_other.ipynb::Cell 2",
    ], done.stdout
    assert "2 failed, 6 passed" in done.stdout
    assert not refresh.refresh(path)
