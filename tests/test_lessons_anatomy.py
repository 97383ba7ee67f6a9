"""A lesson's parts and what each has: claim, map, break, predict, measure, explore, exercises, trade-offs, recap."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from notebook_files import LESSONS, Cell, Page, called, headings, page, pictures, plain, said, sentences, tree
from sample_lesson import added, edited, good, moved, renamed, showing, without

LAST = 13  # the number of the last lesson
PANELS = {"panel", "walk"}  # the functions that make one

Rule = Callable[[Page], Iterator[str]]


def begins_with_its_claim(lesson: Page) -> Iterator[str]:
    """The first lines are a title and a line of facts: which lesson, how long, what it needs, what for the exam."""
    first, _, rest = lesson.cells[0]["source"].partition("\n")
    if not re.fullmatch(r"# (\S+ ){2,}\S+[^.]", first):
        yield f"the first line is {first!r}, and not a claim: `# words`"
    facts = next(filter(None, rest.splitlines()), "")
    wanted = rf"Lesson {lesson.number:02} of {LAST} · [1-9]\d* min · needs [^·]+ · exam[^·]*\b[KS]\d[^·]*"
    if not re.fullmatch(wanted, facts):
        yield f"below the title is {facts!r}, and not `Lesson {lesson.number:02} of {LAST} · … min · needs … · exam …`"
    if titles := [text for place, level, text in headings(lesson.cells) if level == 1 and place]:
        yield f"more titles than one: {titles}"


def imports_once_then_starts_then_shows_the_map(lesson: Page) -> Iterator[str]:
    """The first code cell imports and ends in start(), no other one imports, and the second one shows the system."""
    start, *others = lesson.own_code
    *imports, last = tree(start).body
    if not all(isinstance(line, ast.Import | ast.ImportFrom) for line in imports):
        yield f"{start['id']} does more than import and start()"
    if called(getattr(last, "value", None)) != "start":
        yield f"{start['id']} does not end in start()"
    for cell in others:
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(tree(cell))):
            yield f"{cell['id']} imports, and only {start['id']} should"
        if any(called(node) == "start" for node in ast.walk(tree(cell))):
            yield f"{cell['id']} starts the system again"
    if called(last_value(others[0])) != "system_map" or not pictures(others[0]):
        yield f"{others[0]['id']} follows the start and does not show system_map(…)"


def has_its_parts_in_order(lesson: Page) -> Iterator[str]:
    """Break, predict, measure, explore (where there is a panel), exercises, trade-offs, recap; the recap is the end."""
    parts: list[tuple[str, Callable[[Cell], bool]]] = [
        ("a part `## … break …`", lambda cell: any("break" in text.lower() for text in parts_of(cell))),
        ("a prediction", lambda cell: cell["id"].startswith("predict-")),
        ("**Reading the figure.**", lambda cell: "**Reading the figure.**" in cell["source"]),
        *([("the part `## Explore`", starts("Explore"))] if panels(lesson) else []),
        ("the part `## Exercises`", starts("Exercises")),
        ("the part `## Trade-offs`", starts("Trade-offs")),
        ("the part `## Recap`", starts("Recap")),
    ]
    place, before = 0, "the title"
    for what, is_it in parts:
        found = next((n for n in range(place + 1, len(lesson.cells)) if is_it(lesson.cells[n])), None)
        if found is None:
            yield f"{what} is missing after {before}"
        else:
            place, before = found, what
    if not starts("Recap")(lesson.cells[-1]):
        yield f"the last cell is {lesson.cells[-1]['id']}, and not the recap"


def reads_its_figure_with_computed_numbers(lesson: Page) -> Iterator[str]:
    """A picture stands right before its words, and each number in them was shown by a cell before."""
    computed: set[float] = set()
    for place, cell in enumerate(lesson.cells):
        if cell["cell_type"] == "code":
            computed |= numbers(said(cell))
        elif "**Reading the figure.**" in cell["source"]:
            if not pictures(lesson.cells[place - 1]):
                yield f"{cell['id']} reads a figure, and {lesson.cells[place - 1]['id']} before it shows none"
            if made_up := numbers(cell["source"]) - computed:
                yield f"{cell['id']} says {sorted(made_up)}, which no cell has computed"


def explores_with_one_panel_at_most(lesson: Page) -> Iterator[str]:
    """A panel has 2 to 4 sliders; for who has no kernel, its function or its story stands before it without any."""
    found = panels(lesson)
    if len(found) > 1:
        yield f"panels {[cell['id'] for cell in found]}, and one is the most"
    for cell in found:
        if not cell["id"].startswith("panel"):
            yield f"{cell['id']} shows a panel: let its id start so"
        call, earlier = last_value(cell), lesson.code[: lesson.code.index(cell)]
        if called(call) == "walk" and not any(called(last_value(one)) == "story" for one in earlier):
            yield f"{cell['id']} walks through a story, which no cell before it tells"
        if not isinstance(call, ast.Call) or called(call) != "panel":
            continue
        if not 2 <= len(call.keywords) <= 4:
            yield f"{cell['id']} has {len(call.keywords)} sliders, and 2 to 4 are right"
        drawn = getattr(call.args[0], "id", "a function") if call.args else "a function"
        if called(last_value(earlier[-1])) != drawn:
            yield f"{cell['id']} moves {drawn}, which {earlier[-1]['id']} before it should show without sliders"


def says_what_it_costs(lesson: Page) -> Iterator[str]:
    """The trade-offs are a table of two rows or more: helps, costs, what AWS charges and limits."""
    for cell in filter(starts("Trade-offs"), lesson.cells):
        rows = [line for line in cell["source"].splitlines() if line.startswith("|")]
        if not rows or not re.search(r"helps *\| *costs *\| *what AWS charges and limits", rows[0]):
            yield "the trade-offs are no table with: helps, costs, what AWS charges and limits"
        elif len(rows) < 4 or any(row.count("|") != 5 for row in rows):
            yield "the table of trade-offs wants two rows or more, each with all four cells"


def ends_in_a_recap_that_leads_on(lesson: Page) -> Iterator[str]:
    """The recap has 4 to 6 lines, what the exam asks, and a last sentence that names the next lesson."""
    recap = lesson.cells[-1]["source"]
    points = re.findall(r"^- ", recap, re.MULTILINE)
    if not 4 <= len(points) <= 6:
        yield f"the recap has {len(points)} points, and 4 to 6 are right"
    if "**For the exam.**" not in recap:
        yield "the recap has no **For the exam.**"
    last = (sentences(recap) or [""])[-1]
    if lesson.number < LAST and f"lesson {lesson.number + 1:02}" not in last.lower():
        yield f"the last sentence is {last!r}, and does not lead to lesson {lesson.number + 1:02}"


def says_why_before_each_cell(lesson: Page) -> Iterator[str]:
    """Text stands before each code cell; only a check and a reveal follow their own code."""
    for before, cell in zip(lesson.cells, lesson.cells[1:], strict=False):
        follows = cell["id"].startswith("reveal-") or re.fullmatch(r"exercise-.*-check", cell["id"])
        if cell["cell_type"] == "code" and before["cell_type"] == "code" and not follows:
            yield f"{cell['id']} follows {before['id']} without a word"


def ends_each_cell_on_a_value(lesson: Page) -> Iterator[str]:
    """A code cell shows something or asserts it; only the start and an exercise's stub need not."""
    for cell in lesson.own_code[1:]:
        if not isinstance(tree(cell).body[-1], ast.Expr | ast.Assert):
            yield f"{cell['id']} ends on no value and no assert: {cell['source'].splitlines()[-1]}"


def parts_of(cell: Cell) -> list[str]:
    """Return the headings of the second level in a cell."""
    return [text for _, level, text in headings([cell]) if level == 2]


def starts(word: str) -> Callable[[Cell], bool]:
    """Return what says whether a cell opens the part whose heading starts with this word."""
    return lambda cell: any(text.startswith(word) for text in parts_of(cell))


def panels(lesson: Page) -> list[Cell]:
    """Return the cells that show a panel."""
    return [cell for cell in lesson.code if any(called(node) in PANELS for node in ast.walk(tree(cell)))]


def last_value(cell: Cell) -> ast.AST | None:
    """Return the expression in which a code cell ends, or None."""
    last = tree(cell).body[-1]
    return last.value if isinstance(last, ast.Expr) else None


def numbers(text: str) -> set[float]:
    """Return the numbers in a text, those of lessons aside."""
    text = re.sub(r"[Ll]essons? \d\d", "", plain(text))
    found = re.findall(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?![\w])", text)
    return {float(number.replace(",", "")) for number in found}


RULES: list[Rule] = [
    begins_with_its_claim,
    imports_once_then_starts_then_shows_the_map,
    has_its_parts_in_order,
    reads_its_figure_with_computed_numbers,
    explores_with_one_panel_at_most,
    says_what_it_costs,
    ends_in_a_recap_that_leads_on,
    says_why_before_each_cell,
    ends_each_cell_on_a_value,
]


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_lesson_keeps_the_rule(path: Path, rule: Rule) -> None:
    """Each rule, named in its docstring, holds for each lesson."""
    assert "\n".join(rule(page(path))) == ""


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_sample_keeps_every_rule(rule: Rule) -> None:
    """No rule refuses a lesson that is as it should be."""
    assert "\n".join(rule(good())) == ""


STILL, TWO_SLIDERS = "healing(minutes=1, orders=2)", "panel(healing, minutes=slider(1, 2), orders=slider(1, 2))"
WRONG = [
    (begins_with_its_claim, edited("claim", "# An", "## An")),
    (begins_with_its_claim, edited("claim", "An accepted order is never lost", "Queues")),
    (begins_with_its_claim, edited("claim", "Lesson 00", "Lesson 01")),
    (begins_with_its_claim, edited("claim", " · 30 min", "")),
    (begins_with_its_claim, edited("claim", "K1, skill S5", "all of it")),
    (begins_with_its_claim, edited("set-up", "## Prove", "# Prove")),
    (imports_once_then_starts_then_shows_the_map, edited("start", "cloud = start()", "cloud = None")),
    (imports_once_then_starts_then_shows_the_map, edited("start", "import boto3", "orders = 4")),
    (imports_once_then_starts_then_shows_the_map, edited("code-a", "goods = 'a'", "import json")),
    (imports_once_then_starts_then_shows_the_map, edited("code-a", "goods = 'a'", "def f():\n    import json")),
    (imports_once_then_starts_then_shows_the_map, edited("code-a", "goods = 'a'", "cloud = start()")),
    (imports_once_then_starts_then_shows_the_map, without("map")),
    (imports_once_then_starts_then_shows_the_map, moved("map", after="code-a")),
    (has_its_parts_in_order, edited("break-intro", "## Break it", "## Then")),
    (has_its_parts_in_order, without("predict-0-A")),
    (has_its_parts_in_order, moved("predict-0-A", after="text-a")),
    (has_its_parts_in_order, edited("figure-words", "**Reading the figure.**", "")),
    (has_its_parts_in_order, moved("figure-words", after="map")),
    (has_its_parts_in_order, edited("explore", "## Explore", "## Play")),
    (has_its_parts_in_order, moved("exercises", after="trade-offs")),
    (has_its_parts_in_order, without("trade-offs")),
    (has_its_parts_in_order, without("recap")),
    (has_its_parts_in_order, moved("recap", after="exercises")),
    (has_its_parts_in_order, moved("text-b", after="recap")),
    (reads_its_figure_with_computed_numbers, moved("figure", after="text-b")),
    (reads_its_figure_with_computed_numbers, edited("figure-words", "5 tries", "6 tries")),
    (reads_its_figure_with_computed_numbers, edited("figure-words", "2 minutes", "2.4 minutes")),
    (reads_its_figure_with_computed_numbers, showing("figure", "One history of 4 orders.")),
    (explores_with_one_panel_at_most, added("panel", ("panel-2", "walk(cloud, orders)", "steps"))),
    (explores_with_one_panel_at_most, added("panel", ("still-2", STILL, "1"), ("panel-2", TWO_SLIDERS, "1"))),
    (explores_with_one_panel_at_most, renamed("panel", "sliders")),
    (explores_with_one_panel_at_most, edited("panel", "minutes=slider(1, 20, 5), ", "")),
    (explores_with_one_panel_at_most, edited("panel", ", orders=", ", a=1, b=1, c=1, orders=")),
    (explores_with_one_panel_at_most, edited("panel", "panel(healing", "panel(other")),
    (explores_with_one_panel_at_most, edited("code-a", "\ngoods", "\npanel(healing, a=1, b=2)")),
    (explores_with_one_panel_at_most, without("still")),
    (explores_with_one_panel_at_most, edited("panel", "panel(healing", "walk(healing")),
    (says_what_it_costs, edited("trade-offs", "| helps |", "| is nice |")),
    (says_what_it_costs, edited("trade-offs", "| functions | no server | cold starts | each call |", "")),
    (says_what_it_costs, edited("trade-offs", "| cold starts |", "|")),
    (ends_in_a_recap_that_leads_on, edited("recap", "- Four.\n", "")),
    (ends_in_a_recap_that_leads_on, edited("recap", "- One.", "- One.\n- A.\n- B.\n- C.")),
    (ends_in_a_recap_that_leads_on, edited("recap", "**For the exam.** ", "")),
    (ends_in_a_recap_that_leads_on, edited("recap", "lesson 01", "lesson 02")),
    (ends_in_a_recap_that_leads_on, edited("recap", "waits.", "waits. Goodbye.")),
    (says_why_before_each_cell, without("text-d")),
    (says_why_before_each_cell, without("figure-intro")),
    (says_why_before_each_cell, without("question", "break-intro")),
    (ends_each_cell_on_a_value, edited("code-a", "\ngoods", "")),
    (ends_each_cell_on_a_value, edited("code-a", "\ngoods", "\nfor one in goods:\n    print(one)")),
]


@pytest.mark.parametrize(("rule", "lesson"), WRONG, ids=[rule.__name__ for rule, _ in WRONG])
def test_a_rule_sees_what_breaks_it(rule: Rule, lesson: Page) -> None:
    """Each rule can fail."""
    assert list(rule(lesson))
