"""How long a lesson is: its cells, its code and its prose fit an hour, a narrow window and a screen reader."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median

import pytest
from notebook_files import LESSONS, Cell, Page, page, sentences, words
from sample_lesson import FILLER, added, edited, good, without

MOST_CELLS, CODE_CELLS = 50, range(12, 23)
MEDIAN_LINES, MOST_LINES, WIDEST = 5, 20, 74
PROSE, MEAN_SENTENCE, LONGEST_SENTENCE = range(900, 1801), 25, 40  # words

Rule = Callable[[Page], Iterator[str]]


def has_not_too_many_cells(lesson: Page) -> Iterator[str]:
    """50 cells at most beside exercises, predictions and their reveals, and 12 to 22 with code of the lesson's own."""
    count = sum(not cell["id"].startswith(("exercise-", "predict-", "reveal-")) for cell in lesson.cells)
    if count > MOST_CELLS:
        yield f"{count} cells, and {MOST_CELLS} are the most"
    if len(lesson.own_code) not in CODE_CELLS:
        yield f"{len(lesson.own_code)} code cells, and {CODE_CELLS[0]} to {CODE_CELLS[-1]} are right"


def has_short_code_cells(lesson: Page) -> Iterator[str]:
    """The median code cell of the lesson's own has 5 lines at most, and no cell has more than 20."""
    if (middle := median(lines(cell) for cell in lesson.own_code)) > MEDIAN_LINES:
        yield f"the median code cell has {middle:g} lines, and {MEDIAN_LINES} are the most"
    for cell in lesson.code:
        if lines(cell) > MOST_LINES:
            yield f"{cell['id']} has {lines(cell)} lines, and {MOST_LINES} are the most"


def has_narrow_code(lesson: Page) -> Iterator[str]:
    """No line of code has more than 74 letters: a window of 1024 pixels cuts off what is longer."""
    for cell in lesson.code:
        for line in cell["source"].splitlines():
            if len(line) > WIDEST:
                yield f"{cell['id']} has a line of {len(line)} letters, and {WIDEST} are the most: {line}"


def has_prose_for_half_an_hour(lesson: Page) -> Iterator[str]:
    """900 to 1,800 words in sentences; headings, tables and the texts of exercises are not counted."""
    count = sum(words(sentence) for sentence in prose(lesson))
    if count not in PROSE:
        yield f"{count} words of prose, and {PROSE[0]} to {PROSE[-1]} are right"


def has_short_sentences(lesson: Page) -> Iterator[str]:
    """Sentences have fewer than 25 words on average, and none more than 40, those of the exercises included."""
    every = [
        sentence for cell in lesson.cells if cell["cell_type"] == "markdown" for sentence in sentences(cell["source"])
    ]
    if (average := mean(words(sentence) for sentence in every)) >= MEAN_SENTENCE:
        yield f"sentences have {average:.1f} words on average, and fewer than {MEAN_SENTENCE} are right"
    for sentence in every:
        if words(sentence) > LONGEST_SENTENCE:
            yield f"{words(sentence)} words, and {LONGEST_SENTENCE} are the most: {sentence}"


def lines(cell: Cell) -> int:
    """Count the lines of a cell, empty ones aside."""
    return sum(bool(line.strip()) for line in cell["source"].splitlines())


def prose(lesson: Page) -> list[str]:
    """Return the sentences of a lesson, without those of its exercises."""
    return [sentence for cell in lesson.prose for sentence in sentences(cell["source"])]


RULES: list[Rule] = [
    has_not_too_many_cells,
    has_short_code_cells,
    has_narrow_code,
    has_prose_for_half_an_hour,
    has_short_sentences,
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


def changed(kind: str, to: Callable[[str], str]) -> Page:
    """Return the sample with each cell of the lesson's own code, or of its text, changed."""
    lesson = good()
    for cell in lesson.own_code if kind == "code" else lesson.prose:
        cell["source"] = to(cell["source"])
    return lesson


LONG = "word " * 41
WRONG = [
    (
        has_not_too_many_cells,
        Page(good().path, good().cells + [one for one in good().cells if not one["id"].startswith("exercise-")]),
    ),
    (has_not_too_many_cells, without("code-a", "code-b", "code-c", "code-d", "code-e")),
    (has_not_too_many_cells, Page(good().path, good().cells + good().own_code[:9])),
    (has_short_code_cells, changed("code", lambda source: "1\n\n" * 6)),
    (has_short_code_cells, edited("code-a", "goods = 'a'", "1\n" * 20)),
    (has_short_code_cells, edited("exercise-0-1-code", "answer_0_1 = ...", "1\n" * 21)),
    (has_narrow_code, edited("code-a", "goods = 'a'", f"goods = '{67 * 'a'}'")),
    (has_prose_for_half_an_hour, without("text-a", "text-b")),
    (has_prose_for_half_an_hour, changed("text", lambda source: source * 2)),
    (has_short_sentences, changed("text", lambda source: "word " * 39)),
    (has_short_sentences, edited("text-a", FILLER, f"It is so. {LONG}. And so on.")),
    (has_short_sentences, edited("exercise-0-1", "Count the tries.", LONG)),
    (has_short_sentences, edited("recap", "- Two.", f"- Two:\n  {LONG}")),
]


@pytest.mark.parametrize(("rule", "lesson"), WRONG, ids=[rule.__name__ for rule, _ in WRONG])
def test_a_rule_sees_what_breaks_it(rule: Rule, lesson: Page) -> None:
    """Each rule can fail."""
    assert list(rule(lesson))


def test_sentences_are_told_apart() -> None:
    """Lists, labels, quotes and wrapped lines; headings, tables, code and the line of facts are none."""
    markdown = """# A title. Really.

Lesson 03 of 13 · 40 min · needs 02 · exam S4

**Predict.** What
now? It is `a.b` or 0.5 s.

He said "no." Then
- one [link](glossary.ipynb#A-b)
- **two** more

| a | b |

```
code. more code.
```
1. three
"""
    found = ["What now?", "It is a.b or 0.5 s.", 'He said "no.', "Then", "one link", "two more", "three"]
    assert sentences(markdown) == found
    assert words("**One** [two](three.ipynb) `four five` – | six |") == 5


def test_one_more_cell_than_the_most_is_seen() -> None:
    """The limits are exact."""
    apart = ("exercise-", "predict-", "reveal-")
    lesson, more = good(), added("claim", ("more", "A word.")).cells[1]
    while sum(not cell["id"].startswith(apart) for cell in lesson.cells) < MOST_CELLS:
        lesson = Page(lesson.path, [*lesson.cells, more])
    assert list(has_not_too_many_cells(lesson)) == []
    assert list(has_not_too_many_cells(Page(lesson.path, [*lesson.cells, more])))
