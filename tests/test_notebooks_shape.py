"""What holds for every notebook's file: run in order, nothing hidden from nbval, nothing of one machine in it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from notebook_files import EVERY, FOLDER, LINK, PICTURES, Notebook, called, read, whole

ACCOUNT = "123456789012"  # the account of AWS's own examples, and of the local cloud
MOST_BYTES, SHORTEST_ALT = 300_000, 20
WAIT, CHANGE, LEAVE = {"input", "getpass", "sleep"}, {"utcnow", "utcfromtimestamp"}, {"exit", "quit", "_exit"}
BREAK_NBVAL = {"interact", "interactive", "interactive_output", "Output", "tqdm", "trange", "clear_output"}
SHELL = {"system", "popen", "Popen", "get_ipython", "run_line_magic"}
DOWNLOAD = {"urlopen", "urlretrieve", "download_file", "download_fileobj"}
MODULES = {"subprocess", "pip", "ensurepip", "tqdm", "urllib.request", "http.client"}

Rule = Callable[[Notebook], Iterator[str]]


def code_cells(notebook: Notebook) -> list[Notebook]:
    """Return the code cells."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown(notebook: Notebook) -> list[str]:
    """Return every text that the outputs show, pictures aside."""
    texts = []
    for output in (output for cell in code_cells(notebook) for output in cell["outputs"]):
        texts += [whole(output.get("text", "")), *output.get("traceback", []), output.get("evalue", "")]
        texts += [str(whole(data)) for kind, data in output.get("data", {}).items() if kind not in PICTURES]
    return texts


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
    """Plain Python, which waits for nobody, leaves nothing, starts and downloads nothing, and is compared by nbval."""
    for cell in code_cells(notebook):
        source = whole(cell["source"])
        try:
            nodes = list(ast.walk(ast.parse(source)))
        except SyntaxError as error:
            yield f"not Python, but perhaps shell or magic: {error.text}"
            continue
        for node in nodes:
            if called(node) in WAIT | CHANGE | LEAVE | BREAK_NBVAL | SHELL | DOWNLOAD:
                yield f"calls {called(node)}() in: {source[:60]}"
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            if found := MODULES & {*names, *(name.partition(".")[0] for name in names)}:
                yield f"imports {sorted(found)} in: {source[:60]}"


def says_nothing_on_stderr(notebook: Notebook) -> Iterator[str]:
    """A warning is mended, not saved: it comes in another order, or not at all, elsewhere."""
    for cell in code_cells(notebook):
        if any(output.get("name") == "stderr" for output in cell["outputs"]):
            yield f"writes to stderr: {whole(cell['source'])[:60]}"


def fails_only_where_it_says_so(notebook: Notebook) -> Iterator[str]:
    """An error that is meant has the tag raises-exception, which nbval knows too."""
    for cell in code_cells(notebook):
        failed = any(output["output_type"] == "error" for output in cell["outputs"])
        if failed != ("raises-exception" in cell["metadata"].get("tags", [])):
            yield f"{'raises' if failed else 'does not raise'}: {whole(cell['source'])[:60]}"


def cells_have_names(notebook: Notebook) -> Iterator[str]:
    """Each cell has an id that a person chose, once: links, solutions and differences between versions name it."""
    names = [cell.get("id", "") for cell in notebook["cells"]]
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*", name) or re.fullmatch(
            r"cell-\d+|[0-9a-f]{8}", name
        ):
            yield f"a cell is called {name!r}: give it a name"
        if names.count(name) > 1:
            yield f"{names.count(name)} cells are called {name!r}"


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
    """Each picture carries a sentence for those who cannot see it, and for nbval, which compares no picture's bytes."""
    for output in (output for cell in code_cells(notebook) for output in cell["outputs"]):
        for kind in set(PICTURES) & set(output.get("data", {})):
            alt = output["metadata"].get(kind, {}).get("alt", "")
            if len(alt) < SHORTEST_ALT:
                yield f"a {kind} without an alt text of {SHORTEST_ALT} letters"
            if whole(output["data"].get("text/plain", "")) != alt:
                yield f"a {kind} whose text/plain is not its alt text: {alt[:60]}"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for mark, alt, _ in LINK.findall(whole(cell["source"])):
                if mark and len(alt) < SHORTEST_ALT:
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


RULES: list[Rule] = [
    run_in_order,
    nothing_is_hidden_from_nbval,
    no_forbidden_code,
    says_nothing_on_stderr,
    fails_only_where_it_says_so,
    cells_have_names,
    nothing_of_one_machine,
    pictures_have_words,
    the_kernel_is_anybodys,
    no_panel_is_saved,
]
IDS = [path.relative_to(FOLDER).with_suffix("").as_posix() for path in EVERY]


def test_the_first_lesson_is_there() -> None:
    """The README sends everybody to it."""
    assert FOLDER / "00_start_here.ipynb" in EVERY


@pytest.mark.parametrize("path", EVERY, ids=IDS)
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_notebook_keeps_the_rule(path: Path, rule: Rule) -> None:
    """Each rule, named in its docstring, holds for each lesson, for the solutions and for the glossary."""
    assert "\n".join(rule(read(path))) == ""


@pytest.mark.parametrize("path", EVERY, ids=IDS)
def test_a_notebook_is_a_small_file(path: Path) -> None:
    """Outputs are committed, so they must stay small."""
    assert path.stat().st_size < MOST_BYTES


def sample(source: str = "1 + 1", output: Notebook | None = None, **changes: Any) -> Notebook:
    """Return a notebook of one code cell that keeps every rule, but for the changes."""
    output = {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}, **(output or {})}
    cell = {"cell_type": "code", "execution_count": 1, "id": "sum", "metadata": {}, "outputs": [output]}
    cell |= {"source": source} | {key: value for key, value in changes.items() if key in cell}
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}
    return {"cells": [cell] * changes.get("cells", 1), "metadata": metadata | changes.get("notebook", {})}


ERROR = {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "division by zero", "traceback": []}
PICTURE = {"data": {"image/png": "aaaa", "text/plain": "a figure"}}
WRONG = [
    (run_in_order, sample(execution_count=None)),
    (run_in_order, sample(execution_count=7)),
    (nothing_is_hidden_from_nbval, sample("# NBVAL_IGNORE_OUTPUT\n1")),
    (nothing_is_hidden_from_nbval, sample(metadata={"tags": ["nbval-skip"]})),
    (no_forbidden_code, sample("!aws s3 ls")),
    (no_forbidden_code, sample("%pip install moto")),
    (no_forbidden_code, sample("1 + 1\n%matplotlib inline")),
    (no_forbidden_code, sample("start?")),
    (no_forbidden_code, sample("import os\nos.system('ls')")),
    (no_forbidden_code, sample("import subprocess")),
    (no_forbidden_code, sample("from pip import main")),
    (no_forbidden_code, sample("from urllib import request")),
    (no_forbidden_code, sample("from urllib.request import urlopen as ask")),
    (no_forbidden_code, sample("import time\ntime.sleep(0)")),
    (no_forbidden_code, sample("def f():\n    s3.download_file('b', 'k', 'f')")),
    (no_forbidden_code, sample("input('name')")),
    (no_forbidden_code, sample("import datetime\ndatetime.datetime.utcnow()")),
    (no_forbidden_code, sample("widgets.interact(f)")),
    (no_forbidden_code, sample("widgets.Output()")),
    (no_forbidden_code, sample("for one in tqdm(range(3)):\n    one")),
    (says_nothing_on_stderr, sample(output={"output_type": "stream", "name": "stderr", "text": "warning"})),
    (fails_only_where_it_says_so, sample(output=ERROR)),
    (fails_only_where_it_says_so, sample(metadata={"tags": ["raises-exception"]})),
    (cells_have_names, sample(id="cell-3")),
    (cells_have_names, sample(id="0f3a9b1c")),
    (cells_have_names, sample(id="6f0c3f1e-8a55-4f0e-9d4c-0a2b3c4d5e6f")),
    (cells_have_names, sample(id="")),
    (cells_have_names, sample(cells=2)),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "saved in /home/ann/orderlab"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "C:\\Users"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "<Line2D at 0x7f3a11c0>"}})),
    (nothing_of_one_machine, sample(output={"data": {"text/plain": "arn:aws:sqs:eu-west-1:210987654321:q"}})),
    (pictures_have_words, sample(output=PICTURE)),
    (pictures_have_words, sample(output={**PICTURE, "metadata": {"image/png": {"alt": "a plot"}}})),
    (
        pictures_have_words,
        sample(output={**PICTURE, "metadata": {"image/png": {"alt": "Median 796 calls, and so on"}}}),
    ),
    (pictures_have_words, {**sample(), "cells": [{"cell_type": "markdown", "source": "![map](map.png)"}]}),
    (the_kernel_is_anybodys, sample(notebook={"kernelspec": {"name": "ann-venv"}})),
    (the_kernel_is_anybodys, sample(notebook={"widgets": {}})),
    (the_kernel_is_anybodys, sample(notebook={"language_info": {"name": "python", "version": "3.11"}})),
    (no_panel_is_saved, sample(output={"data": {"application/vnd.jupyter.widget-view+json": {}}})),
]


@pytest.mark.parametrize(("rule", "notebook"), WRONG, ids=[rule.__name__ for rule, _ in WRONG])
def test_a_rule_sees_what_breaks_it(rule: Rule, notebook: Notebook) -> None:
    """Each rule can fail."""
    assert list(rule(notebook))


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_a_good_notebook_keeps_every_rule(rule: Rule) -> None:
    """Plain Python, the account of the examples, web addresses, order ids and a described picture are fine."""
    text = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:stock at https://example.com/home/x ORD-123456789999 POST /orders"
    facts = "Median 796 calls with jitter"
    described = {"data": {"image/png": "aaaa", "text/plain": facts}, "metadata": {"image/png": {"alt": facts}}}
    for output in ({"data": {"text/plain": text}}, described):
        source = "total = (5\n  % 3)\nfrom urllib.parse import quote\nresult = total != 4"
        assert list(rule(sample(source, output))) == []
