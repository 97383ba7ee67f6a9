"""`lives()` and `margins()`: the figures of what `lend` has seen: some messages' lives, and deliveries by timeout.

A hatched bar is a message that lies hidden, a blue one the work on it. A cross is a visibility timeout that ran out:
the message is there again, whatever the function is doing. A dot is its deletion, a square a dead letter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..drawing import style
from ..drawing.figures import Plot, count
from ..drawing.words import PAPER, Room
from .lending import BATCH, Lent, Loan

ENDS = {"delete": ("o", "done", "deleted"), "retry": ("X", "failed", "back"), "dead": ("s", "waiting", "dead letter")}
HIDDEN: dict[str, Any] = {
    "facecolor": "#FBE5D6",
    "edgecolor": style.CONCEPTS["queue"],
    "hatch": "////",
    "linewidth": 1.0,
}
LOOKS = (("-", "o", style.BLUE), ("--", "s", style.VERMILLION), ("-.", "^", style.GREEN))
RULE = 6  # times the function's time-out


def lives(lent: Lent) -> Plot:
    """Draw the life of one message of each of the first five batches."""
    shown = lent.loans[::BATCH][:5]
    rows = {f"batch {n}": n - 0.5 for n in range(1, len(shown) + 1)}
    title = f"Lent for {lent.visibility:g} s at a time (one history, seed {lent.seed})"
    figure, axes = style.new_lanes(rows, title, "virtual time since the messages were sent (seconds)")
    last = max(loan.ended for one in shown for loan in one)
    axes.set_xlim(-0.02 * last, 1.06 * last)
    room = Room(figure, axes)
    said: set[str] = set()
    for y, loans in zip(rows.values(), shown, strict=True):
        for loan in loans:
            axes.barh(y, loan.ended - loan.began, 0.34, loan.began, zorder=2, **HIDDEN)
            if loan.work:
                axes.barh(
                    y, loan.work[1] - loan.work[0], 0.18, loan.work[0], zorder=3, color=style.BLUE, edgecolor="white"
                )
        for loan in loans:
            marker, concept, _ = ENDS[loan.end]
            look: dict[str, Any] = {
                "color": style.CONCEPTS[concept],
                "markeredgecolor": "black",
                "markersize": 11,
                "zorder": 4,
            }
            axes.plot(loan.ended, y, marker, **look)
            room.block(loan.ended, loan.ended, y, y, margin=6.0)
    for y, loans in zip(rows.values(), shown, strict=True):
        for loan in loans:
            _say(room, loan, y, said)
    return Plot(figure, _facts(lent))


def margins(curves: Mapping[str, Sequence[Lent]]) -> Plot:
    """Draw deliveries per message against the visibility timeout, in time-outs of the function; a line for a name."""
    figure = style.new_figure()
    axes = figure.subplots()
    for (name, runs), (line, marker, colour) in zip(curves.items(), LOOKS, strict=False):
        at = [one.visibility / one.timeout for one in runs]
        axes.plot(at, [one.deliveries for one in runs], color=colour, linestyle=line, marker=marker)
        place, lowest = (at[-1], runs[-1].deliveries), runs[-1].deliveries <= 1
        look: dict[str, Any] = {"va": "top" if lowest else "bottom", "ha": "right", "color": colour}
        axes.annotate(name, place, (9, -8 if lowest else 6), textcoords="offset points", **look)
    most = max(one.deliveries for runs in curves.values() for one in runs)
    last = max(one.visibility / one.timeout for runs in curves.values() for one in runs)
    axes.axvline(RULE, color=style.BLACK, linestyle=":", linewidth=1.5, zorder=1)
    axes.annotate("AWS's rule", (RULE, 1.1 * most), (6, 0), textcoords="offset points", va="top")
    axes.axhline(1, color="#777777", linestyle="-", linewidth=1.0, zorder=1)
    axes.annotate("each message once", (0.1, 1), (0, -4), textcoords="offset points", va="top", color="#555555")
    axes.set_ylim(0, 1.12 * most)
    axes.set_xlim(0, last + 0.3)
    axes.set_xlabel("visibility timeout, in time-outs of the function")
    axes.set_ylabel("deliveries per message")
    axes.set_title("Lent for how long? (one history for each point)")
    told = (f"{name}: {', '.join(f'{round(one.deliveries, 2)}' for one in runs)}" for name, runs in curves.items())
    times = ", ".join(f"{one.visibility / one.timeout:g}" for one in next(iter(curves.values())))
    return Plot(figure, f"Deliveries per message at {times} time-outs of the function. {'. '.join(told)}.")


def _say(room: Room, loan: Loan, y: float, said: set[str]) -> None:
    """Words at the first marker of each kind, at the first work, and where a message first lies hidden in vain."""
    end = ENDS[loan.end][2]
    if end not in said and room.write(loan.ended, y, [end], ("below", "above", "right"), gap=8.0):
        said.add(end)
    if loan.work and "work" not in said:
        middle = (loan.work[0] + loan.work[1]) / 2
        if room.write(middle, y, ["at work", "work"], ("below", "above"), gap=10.0):
            said.add("work")
    if not loan.work and "hidden" not in said:
        middle = (loan.began + loan.ended) / 2
        if room.write(middle, y, ["hidden", ""], ("on",), bbox=PAPER):
            said.add("hidden")


def _facts(lent: Lent) -> str:
    copies = count(lent.copies, "copy", "copies")
    what = f"{len(lent.loans)} messages, lent for {lent.visibility:g} s; a batch takes {lent.work:g} s, and {copies}"
    came = f"{round(lent.deliveries, 2)} deliveries per message; {lent.doubled} messages were worked on more than once"
    return f"One history (seed {lent.seed}): {what} of the function may run. {came}, {lent.dead} became dead letters."
