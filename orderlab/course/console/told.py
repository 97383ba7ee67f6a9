"""What a command in a terminal of lesson 12 said, as a notebook shows it: its lines, some of them, or what went wrong.

Taught in notebooks/12_ship_it.ipynb
"""

import textwrap

WIDE = 96  # letters of a line that is shown


class Trouble(RuntimeError):
    """What a terminal cannot do. Its one line is all that a notebook shows."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [f"orderlab: {self}"]


class Told(list[str]):
    """What a command said, line by line, and its exit status; a notebook shows it as text."""

    status = 0
    end = ""  # what the command said last, of a part of it

    def __repr__(self) -> str:
        if not self and self.end:
            return f"none of these lines; the last one was: {self.end}"
        folded = (textwrap.fill(line, WIDE, subsequent_indent="    ", break_on_hyphens=False) or "" for line in self)
        return "\n".join(line if len(line) <= WIDE else fold for line, fold in zip(self, folded, strict=True))

    def having(self, *words: str) -> "Told":
        """The lines with any of these words in them."""
        found = Told(line for line in self if any(word in line for word in words))
        found.status, found.end = self.status, next((line for line in reversed(self) if line), "")
        return found
