"""A learner's answers, taken out of their copy of a lesson, whatever state it is in, and put into a clean one.

The cells that a learner writes are known by their ids: "exercise-3-1-code" and "predict-3-A".
"""

import json
import re
from collections.abc import Iterator
from typing import Any

OWN = re.compile(r"exercise-.+-code|predict-.+")
CELL = re.compile(r'\{\s*"(?:attachments|cell_type|execution_count|id|metadata|outputs|source)"\s*:')


def answers(data: bytes) -> tuple[dict[str, str], bool]:
    """The sources of the learner's own cells by id, as far as they can be read; was the file a whole notebook?"""
    text = data.decode("utf-8-sig", "replace")
    try:
        notebook = json.loads(text)
        whole = isinstance(notebook, dict) and isinstance(notebook.get("cells"), list)
    except (ValueError, RecursionError):
        whole = False
    found = {}
    for cell in notebook["cells"] if whole else pieces(text):
        id, source = (cell.get("id"), cell.get("source")) if isinstance(cell, dict) else (None, None)
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if isinstance(id, str) and isinstance(source, str) and OWN.fullmatch(id):
            found[id] = source
    return found, whole


def pieces(text: str) -> Iterator[Any]:
    """Every whole cell of a notebook that is torn somewhere."""
    decoder, end = json.JSONDecoder(), 0
    for match in CELL.finditer(text):
        if match.start() >= end:
            try:
                cell, end = decoder.raw_decode(text, match.start())
            except (ValueError, RecursionError):
                continue
            yield cell


def carry(mine: dict[str, str], notebook: dict[str, Any]) -> list[str]:
    """Put the learner's sources into the cells of a clean notebook, in place; return the ids of those that differ."""
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    changed = [id for id, text in mine.items() if id in cells and "".join(cells[id]["source"]) != text]
    for id in changed:
        cells[id]["source"] = mine[id].splitlines(keepends=True)
    return changed


def unrun(notebook: dict[str, Any]) -> dict[str, Any]:
    """Take the outputs away, in place: they show what a learner is asked to predict."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return notebook
