"""What holds for every lesson's file: run in order, nothing hidden from nbval, nothing of one machine in it."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
FIRST = FOLDER / "00_start_here.ipynb"
ACCOUNT = "123456789012"  # the account of AWS's own examples, and of the local cloud
MOST_CELLS, MOST_BYTES, SHORTEST_ALT = 60, 300_000, 20

Notebook = dict[str, Any]
Rule = Callable[[Notebook], Iterator[str]]


def code_cells(notebook: Notebook) -> list[Notebook]:
    """Return the code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def whole(text: str | list[str]) -> str:
    """Return the text of a field that may be saved as lines."""
    return text if isinstance(text, str) else "".join(text)


def sources(notebook: Notebook) -> list[str]:
    """Return the source of each code cell."""
    return [whole(cell["source"]) for cell in code_cells(notebook)]


def shown(notebook: Notebook) -> list[str]:
    """Return every text that the outputs show, pictures aside."""
    texts = []
    for output in (output for cell in code_cells(notebook) for output in cell["outputs"]):
        texts += [whole(output.get("text", "")), *output.get("traceback", []), output.get("evalue", "")]
        texts += [str(whole(data)) for kind, data in output.get("data", {}).items() if kind not in PICTURES]
    return texts


PICTURES = ("image/png", "image/jpeg")


def run_in_order(notebook: Notebook) -> Iterator[str]:
    """Execution counts are 1 to n."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}: run `python3 -m orderlab refresh`"


def nothing_is_hidden_from_nbval(notebook: Notebook) -> Iterator[str]:
    """No cell is skipped or excused by a comment or a tag; a cell that should fail says raises-exception."""
    for cell in code_cells(notebook):
        if re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)_", whole(cell["source"]), re.MULTILINE):
            yield f"an nbval mark in: {whole(cell['source'])[:60]}"
        if tags := [tag for tag in cell["metadata"].get("tags", []) if tag.startswith("nbval")]:
            yield f"nbval tags {tags}"


def no_forbidden_code(notebook: Notebook) -> Iterator[str]:
    """Cells are plain Python, and call nothing that waits for a person, changes from run to run or breaks nbval."""
    calls = {"input", "utcnow", "interact", "interactive_output", "interactive", "Output", "tqdm"}
    for source in sources(notebook):
        if lines := re.findall(r"^\s*[!%].*$", source, re.MULTILINE):
            yield f"not Python, but shell or magic: {lines}"
            continue
        for node in ast.walk(ast.parse(source)):
            function = node.func if isinstance(node, ast.Call) else None
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", None)
            if name in calls:
                yield f"calls {name}() in: {source[:60]}"


def nothing_of_one_machine(notebook: Notebook) -> Iterator[str]:
    """No absolute path, no memory address and no foreign account in what is written or shown."""
    patterns = {
        "an absolute path": r"(?<![\w.:/])/(home|Users|root|tmp|var|usr|opt|mnt|private|work)/\w|\b[A-Z]:\\\w",
        "a memory address": r"\b0x[0-9a-f]{6,}",
        "another account": rf"(?<![\w.-])(?!{ACCOUNT})\d{{12}}(?![\w.-])",
    }
    texts = [whole(cell["source"]) for cell in notebook["cells"]] + shown(notebook)
    for what, pattern in patterns.items():
        for text in texts:
            if match := re.search(pattern, text):
                yield f"{what}: {text[max(0, match.start() - 30) : match.end() + 30]!r}"


def pictures_have_words(notebook: Notebook) -> Iterator[str]:
    """Each picture carries a sentence for those who cannot see it."""
    for output in (output for cell in code_cells(notebook) for output in cell["outputs"]):
        for kind in set(PICTURES) & set(output.get("data", {})):
            if len(output["metadata"].get(kind, {}).get("alt", output["metadata"].get("alt", ""))) < SHORTEST_ALT:
                yield f"a {kind} without an alt text of {SHORTEST_ALT} letters"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for alt in re.findall(r"!\[(.*?)\]\(", whole(cell["source"])):
                if len(alt) < SHORTEST_ALT:
                    yield f"a picture in the text with the alt text {alt!r}"


def the_kernel_is_anybodys(notebook: Notebook) -> Iterator[str]:
    """The saved kernel is python3, and no version, timing or panel's state is saved."""
    if notebook["metadata"]["kernelspec"]["name"] != "python3":
        yield f"kernel {notebook['metadata']['kernelspec']['name']}"
    if extra := set(notebook["metadata"]) - {"kernelspec", "language_info"}:
        yield f"metadata {extra}"
    if notebook["metadata"].get("language_info", {"name": "python"}) != {"name": "python"}:
        yield f"language_info {notebook['metadata']['language_info']}"


def no_panel_is_saved(notebook: Notebook) -> Iterator[str]:
    """A panel's view would be an empty box wherever no kernel runs."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {}):
                yield f"a widget view in: {whole(cell['source'])[:60]}"


def not_too_long(notebook: Notebook) -> Iterator[str]:
    """A lesson fits an hour and a screen reader."""
    if len(notebook["cells"]) > MOST_CELLS:
        yield f"{len(notebook['cells'])} cells, and {MOST_CELLS} are the most"


RULES: list[Rule] = [
    run_in_order,
    nothing_is_hidden_from_nbval,
    no_forbidden_code,
    nothing_of_one_machine,
    pictures_have_words,
    the_kernel_is_anybodys,
    no_panel_is_saved,
    not_too_long,
]


def test_the_first_lesson_is_there() -> None:
    """The README sends everybody to it."""
    assert FIRST in LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_lesson_keeps_the_rule(path: Path, rule: Rule) -> None:
    """Each rule, named in its docstring, holds for each lesson."""
    assert list(rule(json.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_is_a_small_file(path: Path) -> None:
    """Outputs are committed, so they must stay small."""
    assert path.stat().st_size < MOST_BYTES


def sample(source: str = "1 + 1", output: Notebook | None = None, **changes: Any) -> Notebook:
    """Return a notebook of one code cell that keeps every rule, but for the changes."""
    output = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, **(output or {})}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "outputs": [output], "source": source}
    cell |= {key: value for key, value in changes.items() if key in cell}
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}
    return {"cells": [cell] * changes.get("cells", 1), "metadata": metadata | changes.get("notebook", {})}


PICTURE = {"data": {"image/png": "aaaa", "text/plain": "a figure"}}
WRONG = [
    (run_in_order, sample(execution_count=None)),
    (run_in_order, sample(execution_count=7)),
    (nothing_is_hidden_from_nbval, sample("# NBVAL_IGNORE_OUTPUT\n1")),
    (nothing_is_hidden_from_nbval, sample(metadata={"tags": ["nbval-skip"]})),
    (no_forbidden_code, sample("!aws s3 ls")),
    (no_forbidden_code, sample("%pip install moto")),
    (no_forbidden_code, sample("input('name')")),
    (no_forbidden_code, sample("import datetime\ndatetime.datetime.utcnow()")),
    (no_forbidden_code, sample("widgets.interact(f)")),
    (no_forbidden_code, sample("widgets.Output()")),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "saved in /home/ann/orderlab"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "C:\\Users"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "<Line2D at 0x7f3a11c0>"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "arn:aws:sqs:eu-west-1:210987654321:q"}})),
    (pictures_have_words, sample(output=PICTURE)),
    (pictures_have_words, sample(output={**PICTURE, "metadata": {"image/png": {"alt": "a plot"}}})),
    (the_kernel_is_anybodys, sample(notebook={"kernelspec": {"name": "ann-venv"}})),
    (the_kernel_is_anybodys, sample(notebook={"widgets": {}})),
    (the_kernel_is_anybodys, sample(notebook={"language_info": {"name": "python", "version": "3.11"}})),
    (no_panel_is_saved, sample(output={"data": {"application/vnd.jupyter.widget-view+json": {}}})),
    (not_too_long, sample(cells=61)),
]


@pytest.mark.parametrize(("rule", "notebook"), WRONG)
def test_a_rule_sees_what_breaks_it(rule: Rule, notebook: Notebook) -> None:
    """Each rule can fail."""
    assert list(rule(notebook))


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_good_notebook_keeps_every_rule(rule: Rule) -> None:
    """Plain Python, the account of the examples, web addresses, order ids and a described picture are fine."""
    text = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:stock at https://example.com/home/x ORD-123456789999 POST /orders"
    described = {**PICTURE, "metadata": {"image/png": {"alt": "Median 796 calls with jitter"}}}
    for output in ({"data": {"text/plain": text}}, described):
        assert list(rule(sample("total = 5 % 3\nresult = total != 4", output))) == []
