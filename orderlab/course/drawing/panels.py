"""`panel()`: a picture that answers to sliders. Who has no kernel, on a static viewer, sees its first picture.

Each slider has a number box, so that a value can be typed; both have the same name. One HTML widget holds picture and
caption: an `Output` area could not be compared by nbval. The saved file keeps the picture, its sentence, and no widget.
"""

import base64
import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..answers.showing import safe_repr
from .figures import Plot
from .sliders import Slider

if TYPE_CHECKING:
    from ipywidgets import HBox, Widget

MOST = 4  # sliders: more than that nobody explores
LETTER, BOX = 0.56, 7.0  # em: a letter of a name, and a number box
# noUiSlider, which draws ipywidgets' sliders, gives its handles no name, and ipywidgets 8.1 has no way to set one. So
# the page does it whenever it is shown, as soon as the sliders are there: the name is that of the number box beside.
# It also lets screen readers tell what a move has changed.
NAMES = """
(function name(page, left) {
    const panel = page.closest('.orderlab-panel');
    const rows = panel ? [...panel.querySelectorAll('.orderlab-slider')] : [];
    const ready = rows.filter(row => row.querySelector('label') && row.querySelector('.noUi-handle'));
    for (const row of ready)
        row.querySelector('.noUi-handle').setAttribute('aria-label', row.querySelector('label').textContent);
    page.setAttribute('aria-live', 'polite');
    if ((!rows.length || ready.length < rows.length) && left) setTimeout(name, 50, page, left - 1);
})(this.parentNode, 200)
"""
STYLE = (
    ".orderlab-panel figure { margin: 0.5em 0; }"
    ".orderlab-panel img { max-width: 100%; background: white; }"
    ".orderlab-panel figcaption { font: italic var(--jp-content-font-size1) / 1.5 var(--jp-content-font-family); }"
    ".orderlab-panel .noUi-handle { background: var(--jp-brand-color1) !important; }"
    ".orderlab-panel .noUi-handle:focus { outline: 2px solid var(--jp-brand-color1); outline-offset: 2px; }"
)


def panel(draw: Callable[..., Plot], /, **sliders: Slider) -> "Panel":
    """Show `draw(name=value, …)` with a slider for each of its arguments, one to four of them.

    Raises ValueError for none, too many or two of the same label, TypeError for what is no slider. An error in `draw`
    itself is shown in the picture's place, and the next move draws again.
    """
    if not 1 <= len(sliders) <= MOST:
        raise ValueError(f"a panel has 1 to {MOST} sliders, name=slider(low, high, value), and not {len(sliders)}")
    for name, one in sliders.items():
        if not isinstance(one, Slider):
            raise TypeError(f"{name} is no slider but {safe_repr(one)}: write {name}=slider(low, high, value)")
    titles = [one.title(name) for name, one in sliders.items()]
    if len(set(titles)) < len(titles):
        raise ValueError(f"two sliders have the same name, {' and '.join(titles)}: give each its own label")
    return Panel(draw, sliders)


class Panel:
    """A picture and its sliders. `values` are where they stand, and `box` is the widget that a notebook shows.

    Its text, and what is saved of it, is the first picture; `page` has the current one.
    """

    def __init__(self, draw: Callable[..., Plot], sliders: dict[str, Slider]) -> None:
        from ipywidgets import HTML, VBox  # half a second, which a lesson without a panel saves

        self.draw, self.sliders = draw, sliders
        self.values: dict[str, int | float] = {name: one.nearest(one.value) for name, one in sliders.items()}
        self.png, self.facts = self._drawn(Plot.png)
        self.page = HTML(_page(self.png, self.facts))
        titles = {name: one.title(name) for name, one in sliders.items()}
        width = LETTER * max(map(len, titles.values()))
        self.controls = {name: _controls(one, titles[name], width) for name, one in sliders.items()}
        for name, pair in self.controls.items():
            for control in pair:
                control.observe(lambda change, name=name: self.move(**{name: change["new"]}), "value")
        self.box = VBox([*(_row(*pair) for pair in self.controls.values()), self.page])
        self.box.add_class("orderlab-panel")

    def __repr__(self) -> str:
        return self.facts

    def move(self, **values: float) -> None:
        """Set sliders, each to its place nearest to the value, and draw, as if a learner had moved them."""
        wanted = {**self.values, **{name: self.sliders[name].nearest(value) for name, value in values.items()}}
        moved, self.values = wanted != self.values, wanted
        for name, pair in self.controls.items():
            for control in pair:
                control.value = wanted[name]  # calls this method once more, which then finds nothing to draw
        if moved:
            self.page.value = _page(*self._drawn(Plot.quick_png))

    def _drawn(self, encode: Callable[[Plot], bytes]) -> tuple[bytes, str]:
        """The picture for the current values and its facts, or no picture and what went wrong."""
        try:
            plot = self.draw(**self.values)
            if not isinstance(plot, Plot):
                raise TypeError(f"draw returned {safe_repr(plot)}, and no Plot")
            return encode(plot), plot.facts
        except (Exception, SystemExit) as error:
            values = ", ".join(f"{name}={value}" for name, value in self.values.items())
            return b"", f"There is no picture for {values}: {safe_repr(error)}. Move a slider to draw again."

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget for who has a kernel, and the first picture with its sentence for who has none."""
        data = {**self.box._repr_mimebundle_(), "text/plain": self.facts}
        if not self.png:
            return data, {}
        return {**data, "image/png": self.png}, {"image/png": {"alt": self.facts}}


def _controls(one: Slider, title: str, width: float) -> tuple["Widget", "Widget"]:
    """A number box with its name, which takes `width` em, and a slider."""
    from ipywidgets import BoundedFloatText, BoundedIntText, FloatSlider, IntSlider

    box, handle = (BoundedIntText, IntSlider) if one.whole else (BoundedFloatText, FloatSlider)
    facts = {"min": one.low, "max": one.high, "step": one.step, "value": one.value, "continuous_update": False}
    style, room = {"description_width": f"{width:.1f}em"}, {"width": f"{width + BOX:.1f}em", "max_width": "100%"}
    return (
        box(**facts, description=title, tooltip=title, style=style, layout=room),
        handle(
            **facts, readout=False, tooltip=title, layout={"flex": "1 1 12em", "max_width": "24em", "margin": "2px 1em"}
        ),
    )


def _row(*controls: "Widget") -> "HBox":
    """The two side by side, or one below the other where the window is narrow."""
    from ipywidgets import HBox

    row = HBox(controls, layout={"flex_flow": "row wrap"})
    row.add_class("orderlab-slider")
    return row


def _page(png: bytes, words: str) -> str:
    """What the widget shows: the picture with its sentence, or the sentence alone."""
    said, name = html.escape(words), html.escape(" ".join(NAMES.split()))
    shown = f"<p>{said}</p>"
    if png:
        source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
        shown = f'<figure><img alt="{said}" src="{source}"><figcaption>{said}</figcaption></figure>'
    return f'<style onload="{name}">{STYLE}</style>{shown}'
