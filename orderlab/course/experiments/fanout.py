"""`who_got_what()`: every type of event that was published, and how often each target of the rules had it.

It is read from the trace. On AWS no single place tells it: each rule and target has a metric of its own.
Taught in notebooks/03_the_bus.ipynb
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..drawing import style
from ..drawing.figures import Plot, count

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

LARGEST, SMALLEST = 650.0, 60.0  # square points: the areas of the largest marker, and of the least that is seen
FIRST = -0.4  # where the column of what was published stands; the targets stand at 1, 2 and so on
MARKERS = {"published": ("D", style.CONCEPTS["event"]), "function": ("o", style.CONCEPTS["function"]),
           "queue": ("s", style.CONCEPTS["queue"])}  # fmt: skip


def who_got_what(cloud: "Cloud", since: int = 0, mine: str = "") -> Plot:
    """Draw what the bus took and delivered from row `since` of the trace on; `mine` is a target to highlight.

    A target is named as in its ARN, without the stack's prefix. Raises ValueError when nothing was published.
    """
    rows = cloud.trace.rows[since:]
    published = Counter(row.what for row in rows if row.kind == "event")
    if not published:
        raise ValueError("nothing was published, so there is nothing to draw")
    got = Counter((row.detail["type"], short(row.what)) for row in rows if row.kind == "deliver")
    targets = sorted({target for _, target in got})
    functions = {short(one.physical_id) for one in cloud.stack.of_type("AWS::Lambda::Function")}
    types = sorted(published, key=lambda kind: (-sum(got[kind, one] > 0 for one in targets), -published[kind], kind))
    targets.sort(key=lambda target: (target == mine, -got[types[0], target]))
    figure = style.new_figure(height=style.HEIGHT + 0.36 * max(0, len(types) - 6))
    axes = figure.add_subplot(xlim=(-0.9, len(targets) + 0.7), ylim=(len(types) - 0.4, -0.6))
    columns = {"published": FIRST, **{target: float(place) for place, target in enumerate(targets, 1)}}
    if mine in targets:
        axes.axvspan(columns[mine] - 0.25, columns[mine] + 0.7, color=style.TODAY, alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(0.35, color="#999999", linewidth=1.5)
    most = max(published.values())
    for y, kind in enumerate(types):
        axes.axhline(y, color="#DDDDDD", linewidth=1, zorder=0)
        _mark(axes, FIRST, y, published[kind], most, "published")
        for target in targets:
            _mark(axes, columns[target], y, got[kind, target], most, "function" if target in functions else "queue")
    tilt: dict[str, Any] = {"rotation": 20, "ha": "left"} if style.scale() > 1 else {}
    axes.set_xticks(list(columns.values()), list(columns), **tilt)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(types)), types)
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    words = "square: queue, circle: function; the number counts events"
    figure.supxlabel(words, fontsize=style.FONT * style.scale())
    title = {"x": 0.01, "ha": "left", "fontsize": style.TITLE * style.scale()}
    figure.suptitle("One event, many readers: who got what", **title)
    return Plot(figure, _facts(cloud, published, got, types[0], mine))


def short(name: str) -> str:
    """A target's name without the prefix of the stack."""
    return name.removeprefix("orderlab-")


def _mark(axes: Any, x: float, y: float, number: int, most: int, look: str) -> None:
    if not number:
        return
    marker, colour = MARKERS[look]
    area = max(SMALLEST, LARGEST * number / most)
    axes.scatter([x], [y], s=area, marker=marker, color=colour, edgecolors="black", zorder=2)
    axes.annotate(str(number), (x, y), (21, -1), textcoords="offset points", va="center", zorder=3)


def _facts(cloud: "Cloud", published: Counter[str], got: Counter[tuple[str, str]], widest: str, mine: str) -> str:
    to = {target: number for (kind, target), number in sorted(got.items()) if kind == widest}
    alone = [kind for kind in sorted(published) if not any(kind == one for one, _ in got)]
    sentences = [
        f"One history (seed {cloud.seed}): {count(published.total(), 'event')} of {count(len(published), 'type')} "
        f"became {got.total()} deliveries to {count(len({target for _, target in got}), 'target')}",
        f"{count(published[widest], widest + ' event')} went to "
        + ", ".join(f"{target} ({number})" for target, number in to.items()),
        f"No target had {' or '.join(alone)}" if alone else "",
        f"Highlighted is {mine}" if mine else "",
    ]
    return " ".join(f"{sentence}." for sentence in sentences if sentence)
