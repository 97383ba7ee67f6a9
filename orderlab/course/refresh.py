"""`orderlab refresh`: run every notebook and save it in the one form in which running it again changes nothing.

Outputs are committed and compared by nbval, so a saved notebook must hold no time, no random id and no state of a
panel. A notebook is saved only when all its cells ran. For authors: `refresh 00` takes those whose names start so.
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
from nbformat import NotebookNode

from orderlab.offline import ROOT, go_offline

CELL_SECONDS = 120
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT_OF_A_CELL = ("tags", "jupyter")
PANEL = "application/vnd.jupyter.widget-view+json"
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?")  # what nbformat and JupyterLab make up


def main(argv: list[str], folder: Path = ROOT / "notebooks") -> int:
    """Refresh the notebooks whose names start with one of `argv` (all without); return 1 when one could not be run."""
    paths = [path for path in sorted(folder.glob("*.ipynb")) if not argv or path.name.startswith(tuple(argv))]
    if not paths:
        print(f"orderlab: no notebook in {folder} starts with {' or '.join(argv) or 'anything'}", file=sys.stderr)
        return 1
    failed = 0
    with tempfile.TemporaryDirectory(prefix="orderlab-", ignore_cleanup_errors=True) as scratch:
        go_offline(os.environ, Path(scratch))
        for path in paths:
            print(f"{path.name}: ", end="", flush=True)
            try:
                print("changed" if refresh(path) else "as it was", flush=True)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                failed += 1
                print(f"not saved, because a cell failed\n{error}", flush=True)
    return 1 if failed else 0


def refresh(path: Path) -> bool:
    """Run the notebook `path` in its folder, save it, and say whether the file changed.

    Raises nbclient's errors when a cell fails, takes over CELL_SECONDS or kills the kernel; it is not saved then.
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
    kernel = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=CELL_SECONDS,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
    )
    return client.execute()


def normal(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook without what differs from run to run or from machine to machine."""
    taken = {cell.get("id") for cell in notebook.cells if not is_random(cell.get("id"))}
    free = (name for name in (f"cell-{number}" for number in range(1, 10_000)) if name not in taken)
    cells = []
    for cell in notebook.cells:
        cell = NotebookNode({**cell, "metadata": {k: v for k, v in cell.metadata.items() if k in KEPT_OF_A_CELL}})
        if is_random(cell.get("id")):
            cell.id = next(free)
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
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
