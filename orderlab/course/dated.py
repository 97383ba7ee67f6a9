"""`charges()`: what AWS charges and allows, as a small table with its date, from `orderlab.ops.prices`."""

from orderlab.ops.prices import read


class Charges:
    """Lines of a table, which a notebook shows as text."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __repr__(self) -> str:
        return "\n".join(self.lines)


def charges(*ids: str) -> Charges:
    """The prices and limits of these ids. Raises KeyError, naming those that there are, for one that is not."""
    figures = read()
    found = [figures.find(id) for id in ids]
    widths = [max(len(text) for text in column) for column in ([f.service for f in found], [f.what for f in found])]
    lines = [f"{f.service:<{widths[0]}}  {f.what:<{widths[1]}}  {f}" for f in found]
    return Charges([f"AWS's list prices and limits, {figures.region}, as of {figures.as_of}; they change.", *lines])
