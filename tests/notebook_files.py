"""What the tests of the notebooks share: the files, their cells by kind, and their text without its markup."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Cell = dict[str, Any]
Notebook = dict[str, Any]

FOLDER = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
GLOSSARY = FOLDER / "glossary.ipynb"
EVERY = sorted(path for path in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
PICTURES = ("image/png", "image/jpeg")
EXERCISE = re.compile(r"exercise-(\d+)-(\d+)(-code|-check)?")
PREDICTION = re.compile(r"(predict|reveal)-(\d+)-([A-Z])")
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Page:
    """A notebook's file and its cells."""

    path: Path
    cells: list[Cell]

    @property
    def number(self) -> int:
        """The lesson's number, from the file's name."""
        return int(self.path.name[:2])

    @property
    def code(self) -> list[Cell]:
        """The code cells."""
        return [cell for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def own_code(self) -> list[Cell]:
        """The code cells of the lesson itself: without exercises, checks, predictions and their reveals."""
        return [
            cell for cell in self.code if not EXERCISE.fullmatch(cell["id"]) and not PREDICTION.fullmatch(cell["id"])
        ]

    @property
    def prose(self) -> list[Cell]:
        """The cells of text, without the texts of exercises."""
        return [cell for cell in self.cells if cell["cell_type"] == "markdown" and not EXERCISE.fullmatch(cell["id"])]

    def find(self, name: str) -> int:
        """Where the cell of this id is, or -1."""
        return next((number for number, cell in enumerate(self.cells) if cell["id"] == name), -1)


def read(path: Path) -> Notebook:
    """Return a notebook as it is saved."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def page(path: Path) -> Page:
    """Return a notebook's cells, each with its source in one piece."""
    return Page(path, [{**cell, "source": whole(cell["source"])} for cell in read(path)["cells"]])


def whole(text: str | list[str]) -> str:
    """Return the text of a field that may be saved as lines."""
    return text if isinstance(text, str) else "".join(text)


def said(cell: Cell) -> str:
    """Return what a code cell shows as text: prints, values and errors, one after the other."""
    texts = []
    for output in cell["outputs"]:
        texts += [whole(output.get("text", "")), output.get("evalue", "")]
        texts += [whole(output.get("data", {}).get("text/plain", ""))]
    return "\n".join(filter(None, texts))


def tree(cell: Cell) -> ast.Module:
    """Return the syntax of a code cell."""
    return ast.parse(cell["source"])


def used(cell: Cell) -> set[str]:
    """Return the names that a code cell reads or writes, also inside its functions."""
    return {node.id for node in ast.walk(tree(cell)) if isinstance(node, ast.Name)}


def pictures(cell: Cell) -> bool:
    """Say whether a cell shows a picture."""
    return any(kind in output.get("data", {}) for output in cell.get("outputs", []) for kind in PICTURES)


def called(node: ast.AST | None) -> str:
    """Return the name of the function that a node calls, or nothing when it is no call."""
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def headings(cells: list[Cell]) -> Iterator[tuple[int, int, str]]:
    """Yield the headings of a notebook: the cell's place, the level, and the text without markup."""
    for place, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            for marks, text in re.findall(r"^(#{1,6}) +(.*?) *$", without_code_blocks(cell["source"]), re.MULTILINE):
                yield place, len(marks), plain(text)


def anchors(cells: list[Cell]) -> list[str]:
    """Return where a link can lead to in a notebook, as JupyterLab has it: headings, hyphens for spaces, and cells."""
    named = [f"cell-id={cell['id']}" for cell in cells]
    return [text.replace(" ", "-") for _, _, text in headings(cells)] + named


def links(cells: list[Cell]) -> Iterator[tuple[str, str]]:
    """Yield the links of a notebook that lead to no other site: the path ("" for its own), and the anchor or ""."""
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for _, _, target in LINK.findall(without_code_blocks(cell["source"])):
                if not re.match(r"[a-z]+:", target):
                    path, _, anchor = target.partition("#")
                    yield unquote(path), anchor


def without_code_blocks(markdown: str) -> str:
    """Return a text without its blocks of code, in which nothing is markup."""
    return re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)


def plain(markdown: str) -> str:
    """Return a text as it is read: without link targets, bold marks, back-quotes and HTML tags."""
    text = LINK.sub(r"\2", without_code_blocks(markdown))
    return re.sub(r"\*\*|`|</?[a-z]+( [^>]*)?>", "", text)


def bold(markdown: str) -> list[str]:
    """Return what is bold in a text, links and all."""
    return re.findall(r"\*\*(.+?)\*\*", without_code_blocks(markdown), re.DOTALL)


def words(markdown: str) -> int:
    """Count the words of a text, those of its tables and headings too."""
    return sum(bool(re.search(r"\w", word)) for word in plain(markdown).split())


def sentences(markdown: str) -> list[str]:
    """Return the sentences of a text: not its headings, tables and line of facts, and not what starts it in bold."""
    text = re.sub(r"^\s*(#|\||Lesson \d\d of ).*$", "", without_code_blocks(markdown), flags=re.MULTILINE)
    text = re.sub(r"\*\*[^*]+[.:]\*\*", "", text)
    blocks = re.split(r"(?:^|\n)\s*(?:[-*]|\d+\.) |\n\s*\n", plain(text))
    found = (part for block in blocks for part in re.split(r"(?<=[.!?])[\"'”’)]*\s+", " ".join(block.split())))
    return [sentence for sentence in found if re.search(r"\w", sentence)]
