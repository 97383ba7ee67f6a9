"""`orderlab refresh`: run every notebook and save it in the one form in which running it again changes nothing.

Outputs are committed and compared by nbval, so a saved notebook must hold no time, no random id and no state of a
panel or of somebody's Jupyter. A notebook is saved only when all its cells ran. For authors: `refresh 00` takes the
lesson and the solutions whose names start so.
"""

import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, ValidationError
from nbformat.reader import NotJSONError

from orderlab.offline import ROOT, go_offline

CELL_SECONDS = 120
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_OF_A_CELL = ("tags",)  # what JupyterLab adds when somebody folds, hides or times a cell goes
PANEL = "application/vnd.jupyter.widget-view+json"
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")  # what nbformat and JupyterLab make up


def main(argv: list[str], folder: Path = ROOT / "notebooks") -> int:
    """Refresh the notebooks whose names start with one of `argv` (all without); return 1 when one could not be run."""
    paths = [path for path in notebooks(folder) if not argv or path.name.startswith(tuple(argv))]
    if not paths:
        print(f"orderlab: no notebook in {folder} starts with {' or '.join(argv) or 'anything'}", file=sys.stderr)
        return 1
    failed = 0
    with tempfile.TemporaryDirectory(prefix="orderlab-", ignore_cleanup_errors=True) as scratch:
        go_offline(os.environ, Path(scratch))
        for path in paths:
            print(f"{path.relative_to(folder).as_posix()}: ", end="", flush=True)
            try:
                print("changed" if refresh(path) else "as it was", flush=True)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                failed += 1
                print(f"not saved, because a cell failed\n{error}", flush=True)
            except (NotJSONError, ValidationError) as error:
                failed += 1
                print(f"not saved, because it is no notebook ({str(error).splitlines()[0]})", flush=True)
    return 1 if failed else 0


def notebooks(folder: Path) -> list[Path]:
    """Every notebook in `folder` and below it, but those in hidden folders, where Jupyter keeps its own copies."""
    paths = sorted(folder.rglob("*.ipynb"))
    return [path for path in paths if not any(part.startswith(".") for part in path.relative_to(folder).parts)]


def refresh(path: Path) -> bool:
    """Run the notebook `path` in its folder, save it, and say whether the file changed.

    Raises nbclient's errors when a cell fails, takes over CELL_SECONDS or kills the kernel, and nbformat's when the
    file is no notebook; it is not saved then.
    """
    before = path.read_text(encoding="utf-8")
    after = nbformat.writes(normal(run(nbformat.reads(before, as_version=4), path.parent))) + "\n"
    if after != before:
        part = path.with_suffix(".part")
        part.write_text(after, encoding="utf-8", newline="\n")
        part.replace(path)
    return after != before


def run(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """Run all cells in a fresh kernel of this very Python, whatever kernels the machine knows by the same name."""
    if not any(cell.cell_type == "code" for cell in notebook.cells):
        return notebook
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,  # what is printed comes in pieces on a busy machine
    )
    return client.execute()


def normal(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without what differs from run to run, from machine to machine or from Jupyter to Jupyter."""
    kept = [cell for cell in notebook.cells if cell.cell_type != "code" or cell.source.strip()]  # Lab adds empty ones
    taken = {cell.get("id") for cell in kept if not is_random(cell.get("id"))}
    free = (name for name in (f"cell-{number}" for number in range(1, 10_000)) if name not in taken)
    cells = []
    for cell in kept:
        metadata = {key: value for key, value in cell.metadata.items() if key in KEPT_OF_A_CELL and value}
        cell = NotebookNode({**cell, "metadata": metadata})
        if is_random(cell.get("id")):
            cell.id = next(free)
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
        elif not cell.get("attachments"):
            cell.pop("attachments", None)
        cells.append(cell)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def is_random(name: str | None) -> bool:
    """Say whether a cell's id was made up by a program, or is missing."""
    return not name or RANDOM_ID.fullmatch(name) is not None


def merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return outputs without panels' views, and with what was printed in one piece per stream, however it arrived."""
    result: list[NotebookNode] = []
    for output in outputs:
        if result and output.output_type == "stream" == result[-1].output_type and output.name == result[-1].name:
            result[-1] = NotebookNode({**output, "text": result[-1].text + output.text})
            continue
        if "data" in output:
            output = NotebookNode({**output, "data": {k: v for k, v in output.data.items() if k != PANEL}})
        result.append(output)
    return result
