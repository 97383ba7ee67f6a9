"""The glossary: every term that a lesson puts in bold, once, in order, with the way back to its lesson."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from notebook_files import EXERCISE, GLOSSARY, LESSONS, Cell, Page, bold, headings, page, plain, sentences, words
from sample_lesson import edited, good

LINKED = r"\[([^\]]+)\]\(glossary\.ipynb#([^)]+)\)"
LABELS = {"Given", "Goal"}  # bold words that start a line; others end in a full stop or a colon
LAST_LESSON = 13


def terms(lesson: Page) -> Iterator[tuple[str, str]]:
    """Yield what a lesson puts in bold, labels aside: the words, and where in the glossary they link to or ""."""
    for cell in lesson.cells:
        if cell["cell_type"] == "markdown" and not EXERCISE.fullmatch(cell["id"]):
            for text in bold(re.sub(r"\[\*\*([^*]+)\*\*\](\([^)]*\))", r"**[\1]\2**", cell["source"])):
                link = re.fullmatch(LINKED, " ".join(text.split()))
                if link:
                    yield link.group(1), link.group(2)
                elif not text.endswith((".", ":")) and text not in LABELS:
                    yield text, ""


def unexplained(lesson: Page, glossary: list[str]) -> Iterator[str]:
    """A term is bold where it is defined, once in a lesson, and is there a link to its heading in the glossary."""
    seen: list[str] = []
    for text, anchor in terms(lesson):
        if not anchor:
            yield f"**{text}** is bold and no link to the glossary: **[{text}](glossary.ipynb#…)**"
        elif anchor not in [term.replace(" ", "-") for term in glossary]:
            yield f"**{text}** links to {anchor}, which is no term of the glossary"
        elif anchor in seen:
            yield f"**{text}** is bold twice: {anchor}"
        seen.append(anchor)


def wrong_entries(glossary: Page, lessons: list[Path]) -> Iterator[str]:
    """The glossary is text: one heading a cell, in the order of the alphabet, 1 to 3 sentences, and its lessons."""
    found = [text for _, level, text in headings(glossary.cells) if level == 3]
    for before, after in pairwise(found):
        if before.casefold() > after.casefold():
            yield f"not in the order of the alphabet: {before}, {after}"
    if twice := {term for term in found if [one.casefold() for one in found].count(term.casefold()) > 1}:
        yield f"twice: {sorted(twice)}"
    for cell in glossary.cells[1:]:
        name = cell["source"].splitlines()[0]
        if cell["cell_type"] != "markdown" or not re.fullmatch(r"### [A-Z][A-Za-z0-9]*([ -][A-Za-z0-9]+)*", name):
            yield f"{name!r} is no heading of a term: ### Plain words"
            continue
        *definition, last = re.split(r"\n\s*\n", cell["source"].strip())[1:] or [""]
        text = sentences("\n\n".join(definition))
        if not 1 <= len(text) <= 3 or max(words(sentence) for sentence in text) > 40:
            yield f"{name}: {len(text)} sentences, and 1 to 3 short ones are right"
        yield from (f"{name}: {line}" for line in wrong_lessons(last, lessons))


def wrong_lessons(line: str, lessons: list[Path]) -> Iterator[str]:
    """An entry ends in "Lesson [00](00_start_here.ipynb); more in 03.": links to lessons that exist, and only these."""
    numbers = re.findall(r"\b\d\d\b", plain(line))
    if not re.fullmatch(r"Lesson \d\d(; more in \d\d(, \d\d)*( and \d\d)?)?\.", plain(line)):
        yield f"ends in {line!r}, and not in `Lesson 00.` or `Lesson 00; more in 03 and 05.`"
    for number in numbers:
        there = [path.name for path in lessons if path.name.startswith(number)]
        linked = re.findall(rf"\[{number}\]\(([^)]*)\)", line)
        if int(number) > LAST_LESSON or linked != there:
            yield f"lesson {number} should {f'link to {there[0]}' if there else 'be no link yet'}"


def unreachable(glossary: Page, lessons: list[Page]) -> Iterator[str]:
    """Each term is linked from the lesson that the entry names first, once that is written, or from another entry."""
    among = " ".join(cell["source"] for cell in glossary.cells)
    for cell in glossary.cells[1:]:
        term = cell["source"].splitlines()[0].removeprefix("### ")
        home = re.search(r"^Lesson \[(\d\d)\]", cell["source"], re.MULTILINE)
        for lesson in lessons:
            text = " ".join(one["source"] for one in lesson.cells)
            link = f"#{term.replace(' ', '-')})"
            if (
                home
                and lesson.number == int(home[1])
                and f"glossary.ipynb{link}" not in text
                and f"]({link}" not in among
            ):
                yield f"{term}: no link leads here from lesson {home[1]}, nor from another entry"


def test_the_glossary_is_in_order() -> None:
    """Alphabetical, each term once, each with a short definition and its lessons."""
    assert "\n".join(wrong_entries(page(GLOSSARY), LESSONS)) == ""


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
def test_each_term_of_a_lesson_is_in_the_glossary(path: Path) -> None:
    """What is bold is a term, bold once, and links to its entry."""
    found = [text for _, level, text in headings(page(GLOSSARY).cells) if level == 3]
    assert "\n".join(unexplained(page(path), found)) == ""


def test_each_term_of_the_glossary_is_linked() -> None:
    """Nothing lies in it that no lesson leads to."""
    assert "\n".join(unreachable(page(GLOSSARY), [page(path) for path in LESSONS])) == ""


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("**local cloud**", "no link to the glossary"),
        ("[**local cloud**](other.ipynb#Local-cloud)", "no link to the glossary"),
        ("**[local cloud](glossary.ipynb#local-cloud)**", "no term of the glossary"),
        ("**[cloud](glossary.ipynb#Cloud)**", "no term of the glossary"),
        ("**[it](glossary.ipynb#Local-cloud)** and [**it**](glossary.ipynb#Local-cloud)", "twice"),
    ],
)
def test_a_term_that_is_not_explained_once_is_seen(new: str, why: str) -> None:
    """Bold without a link, a link to nothing, and bold twice."""
    lesson = edited("set-up", "**[local cloud](glossary.ipynb#Local-cloud)**", new)
    (found,) = unexplained(lesson, ["Local cloud"])
    assert why in found


def test_labels_and_wrapped_terms_are_fine() -> None:
    """**Predict.** and **Goal:** are no terms, nor is what an exercise puts in bold; a term may break across lines."""
    assert list(unexplained(good(), ["Local cloud"])) == []
    lesson = edited("set-up", "[local cloud]", "[local\ncloud]")
    assert [anchor for _, anchor in terms(lesson)] == ["Local-cloud"]


def entry(text: str, kind: str = "markdown") -> Cell:
    """Return a cell of a glossary."""
    return {"cell_type": kind, "id": "term", "source": text}


def glossary_of(*texts: str) -> Page:
    """Return a glossary of these entries."""
    return Page(Path("glossary.ipynb"), [entry("# Every term"), *(entry(text) for text in texts)])


HERE = [Path("00_start_here.ipynb"), Path("03_the_bus.ipynb")]
HOME = "Lesson [00](00_start_here.ipynb)"


@pytest.mark.parametrize(
    "text",
    [
        f"### Dead-letter queue\n\nFor what fails. See [queue](#Queue).\n\n{HOME}.",
        f"### S3\n\nFiles.\n\n{HOME}; more in [03](03_the_bus.ipynb), 04 and 13.",
        "### Saga\n\nTo undo.\n\nLesson 10.",
    ],
)
def test_a_good_entry_is_taken(text: str) -> None:
    """With a lesson that is there, or one that is still to come."""
    assert list(wrong_entries(glossary_of(text), HERE)) == []


@pytest.mark.parametrize(
    "text",
    [
        f"Queue\n\nA line.\n\n{HOME}.",
        f"## Queue\n\nA line.\n\n{HOME}.",
        f"### Queue: a line\n\nA line.\n\n{HOME}.",
        f"### Queue\n\n{HOME}.",
        f"### Queue\n\nA. B. C. D.\n\n{HOME}.",
        f"### Queue\n\n{'word ' * 41}\n\n{HOME}.",
        "### Queue\n\nA line.",
        "### Queue\n\nA line.\n\nLesson 00.",
        "### Queue\n\nA line.\n\nLesson [00](00_other.ipynb).",
        "### Queue\n\nA line.\n\nLesson [04](04_the_queue.ipynb).",
        f"### Queue\n\nA line.\n\n{HOME}; more in 03.",
        "### Queue\n\nA line.\n\nLesson 14.",
        f"### Queue\n\nA line.\n\n{HOME}, perhaps.",
    ],
)
def test_a_wrong_entry_is_seen(text: str) -> None:
    """No heading of a term, no definition or a long one, no lesson, a wrong link, no link to a lesson that is there."""
    assert list(wrong_entries(glossary_of(text), HERE))


def test_wrong_order_and_a_term_given_twice_are_seen() -> None:
    """Capitals do not count."""
    queue, event = (f"### {name}\n\nA thing.\n\n{HOME}." for name in ("Queue", "event bus"))
    assert [line.split(":")[0] for line in wrong_entries(glossary_of(queue, event.replace("e", "E", 1)), HERE)] == [
        "not in the order of the alphabet"
    ]
    assert any(line.startswith("twice") for line in wrong_entries(glossary_of(queue, queue), HERE))


def test_a_term_that_nothing_leads_to_is_seen() -> None:
    """A lesson that is still to come may link later; another entry's link is enough."""
    term = f"### {{}}\n\nA thing.\n\n{HOME}."
    found = glossary_of(term.format("Local cloud"), term.format("Queue"), "### Saga\n\nTo undo.\n\nLesson 10.")
    assert [line.split(":")[0] for line in unreachable(found, [good()])] == ["Queue"]
    found.cells[3]["source"] = "### Saga\n\nAs a [queue](#Queue).\n\nLesson 10."
    assert list(unreachable(found, [good()])) == []
