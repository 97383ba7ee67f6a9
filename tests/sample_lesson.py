"""A lesson that keeps every rule of the course, and what it takes to break one rule at a time."""

from pathlib import Path
from typing import Any

from notebook_files import Cell, Page

FILLER = (
    "The queue keeps what nobody has dealt with. A function takes a message from it, and tries once more. "
    "Nobody has to ask for that, and the customer never hears of it. You see each try in the trace of the cloud. "
    "So the order waits in a safe place until the provider is back, and then it goes on by itself, as it should. "
    "The next cell looks at one of the goods of the shop. It is a name in a table, and the table has a row for each. "
    "A row says how many are left, and what one costs in pence."
)
FACTS = "One history of 4 orders: 5 tries got no answer, and the last order came 2.0 minutes late."
TITLE = """# An accepted order is never lost

Lesson 00 of 13 · 30 min · needs Python, and nothing of AWS · exam: knowledge K1, skill S5

You place an order, and follow it.
"""
START = """import boto3

from orderlab.course import check, panel, predict, start

cloud = start()
"""
EXERCISE = """### Exercise 0.{n} · Name {n} {stars}

**Given** a provider that is down.

**Goal.** Say when the orders heal. About 1 line.

<details><summary>Hint</summary>

Count the tries.

</details>

[Solution](solutions/00_sample.ipynb)
"""
TRADE_OFFS = """## Trade-offs

Each choice has a price.

| | helps | costs | what AWS charges and limits |
|---|---|---|---|
| a queue | keeps work | comes twice | each request |
| functions | no server | cold starts | each call |
"""
RECAP = """## Recap

- One.
- Two.
- Three.
- Four.

**For the exam.** A queue keeps work.

Next, lesson 01 asks and waits.
"""
CELLS = [
    ("claim", TITLE),
    ("set-up", "## Prove the set-up\n\nThis builds the **[local cloud](glossary.ipynb#Local-cloud)** of the course."),
    ("start", START, "The system is up."),
    ("map-intro", "## The map\n\nThis picture is drawn from the template."),
    ("map", "system_map(cloud)", "9 functions and 4 queues.", "picture"),
]
for name in "abcdefghi":
    CELLS += [(f"text-{name}", FILLER), (f"code-{name}", f"goods = {name!r}\ngoods", repr(name))]
CELLS += [
    ("break-intro", "## Break it: the provider goes down\n\nYou turn it off for a while."),
    ("down", "orders = 4\norders", "4"),
    ("question", "**Predict.** What becomes of them? (a) They are refused. (b) They wait."),
    ("predict-0-A", 'predict("0.A", ...)', "nothing said yet"),
    ("reveal-0-A", 'waiting = orders\nreveal("0.A", waiting)', "4 wait"),
    ("figure-intro", "It is (b). The figure shows every try."),
    ("figure", "attempts(cloud, orders)", FACTS, "picture"),
    ("figure-words", "**Reading the figure.** Follow one line: 5 tries fail, and the last order comes 2 minutes late."),
    ("explore", "## Explore\n\nFirst the picture for five minutes."),
    ("still", "healing(minutes=5, orders=4)", FACTS, "picture"),
    ("panel-intro", "Now move the sliders."),
    ("panel", "panel(healing, minutes=slider(1, 20, 5), orders=slider(1, 9, 4))", FACTS, "picture"),
    ("exercises", "## Exercises\n\nA check says what is wrong with an answer, and never spoils it."),
]
for n, stars in ((1, "★"), (2, "★★")):
    CELLS += [
        (f"exercise-0-{n}", EXERCISE.format(n=n, stars=stars)),
        (f"exercise-0-{n}-code", f"answer_0_{n} = ..."),
        (f"exercise-0-{n}-check", f'check("0.{n}", answer_0_{n})', f"○ Exercise 0.{n} is not started."),
    ]
CELLS += [("trade-offs", TRADE_OFFS), ("recap", RECAP)]


def good() -> Page:
    """Return the lesson."""
    return Page(Path("00_sample.ipynb"), [built(*cell) for cell in CELLS])


def built(name: str, source: str, shown: str = "", kind: str = "text") -> Cell:
    """Return a cell: of text when it shows nothing and is no stub, else of code, perhaps with a picture."""
    if not shown and not name.endswith("-code"):
        return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}
    data = {"text/plain": shown} | ({"image/png": "aGVsbG8="} if kind == "picture" else {})
    output: dict[str, Any] = {"output_type": "execute_result", "data": data, "metadata": {}}
    if kind == "picture":
        output["metadata"] = {"image/png": {"alt": shown}}
    outputs = [output] if shown else []
    return {"cell_type": "code", "execution_count": 1, "id": name, "metadata": {}, "outputs": outputs, "source": source}


def edited(name: str, old: str, new: str) -> Page:
    """Return the lesson with one cell's source changed; the old text must be there."""
    lesson = good()
    cell = lesson.cells[lesson.find(name)]
    assert old in cell["source"], f"{name} has no {old!r}"
    cell["source"] = cell["source"].replace(old, new)
    return lesson


def without(*names: str) -> Page:
    """Return the lesson without these cells."""
    lesson = good()
    assert set(names) <= {cell["id"] for cell in lesson.cells}
    return Page(lesson.path, [cell for cell in lesson.cells if cell["id"] not in names])


def added(after: str, *cells: tuple[str, ...]) -> Page:
    """Return the lesson with more cells: of each the id, the source and what it shows."""
    lesson = good()
    place = lesson.find(after) + 1
    lesson.cells[place:place] = [built(*cell) for cell in cells]
    return lesson


def renamed(name: str, new: str) -> Page:
    """Return the lesson with another id for one cell."""
    lesson = good()
    lesson.cells[lesson.find(name)]["id"] = new
    return lesson


def moved(name: str, after: str) -> Page:
    """Return the lesson with a cell in another place."""
    lesson = good()
    cell = lesson.cells.pop(lesson.find(name))
    lesson.cells.insert(lesson.find(after) + 1, cell)
    return lesson


def showing(name: str, shown: str) -> Page:
    """Return the lesson with another output of one cell."""
    lesson = good()
    lesson.cells[lesson.find(name)]["outputs"][0]["data"]["text/plain"] = shown
    return lesson
