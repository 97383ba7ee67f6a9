"""A figure that states its facts: one sentence, computed from its data, goes wherever the picture goes.

It is the text that `pytest --nbval` compares (it skips the picture's bytes), the picture's alternative text, and the
caption below it. JupyterLab shows no alternative text, so the caption is also what a screen reader reads there.
"""

import html
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORTEST = 20  # letters: a shorter sentence describes no figure
COLOURS = 128  # of a saved picture, shades of its letters' edges included


def count(number: int, word: str, many: str = "") -> str:
    """A number with its noun, for a sentence: "1 try", "2 tries"."""
    return f"{number} {word if number == 1 else many or word + 's'}"


@dataclass(frozen=True, repr=False)
class Plot:
    """A matplotlib figure and its facts. Raises ValueError when the facts are no sentence."""

    figure: "Figure"
    facts: str

    def __post_init__(self) -> None:
        if len(self.facts) < SHORTEST or not self.facts.endswith("."):
            raise ValueError(f"the facts of a figure are a sentence of {SHORTEST} letters or more, not {self.facts!r}")

    def __repr__(self) -> str:
        return self.facts

    def png(self) -> bytes:
        """The picture, without the version of the library that drew it: the same figure gives the same bytes.

        Pictures are saved in the notebooks, so they are kept small: a few dozen colours and no transparency.
        """
        from PIL import Image

        drawn, data = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png")
        with Image.open(drawn) as picture:
            picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(data, "png", optimize=True)
        return data.getvalue()

    def quick_png(self) -> bytes:
        """The picture for a panel that is being moved: drawn once instead of twice, and packed fast, not small."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        canvas, data = FigureCanvasAgg(self.figure), io.BytesIO()
        canvas.draw()
        picture = Image.frombytes("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
        picture.convert("RGB").save(data, "png", compress_level=1)
        return data.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """The picture with its sentence, as Jupyter stores them."""
        return {"text/plain": self.facts, "image/png": self.png()}, {"image/png": {"alt": self.facts}}

    def _ipython_display_(self) -> None:
        """Show the picture, and the sentence as a caption below it."""
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)
        caption = f"<p><em>{html.escape(self.facts, quote=False)}</em></p>"
        display({"text/plain": self.facts, "text/html": caption}, raw=True)
