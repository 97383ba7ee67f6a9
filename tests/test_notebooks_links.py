"""Links in notebooks: each leads to something, in the repository and in a learner's copy, by JupyterLab's own rules."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from notebook_files import EVERY, FOLDER, anchors, links, page

from orderlab import lab

SERVED = (".ipynb", ".png", ".svg", ".md")


def dead_links(path: Path, folder: Path) -> Iterator[str]:
    """Yield what is wrong with the links of a notebook that JupyterLab serves from `folder`."""
    cells = page(path).cells
    for to, anchor in links(cells):
        target = (path.parent / to).resolve() if to else path.resolve()
        name = f"{to}#{anchor}" if anchor else to
        if not target.is_relative_to(folder.resolve()):
            yield f"{name} leads out of the folder that JupyterLab serves"
        elif not target.is_file() or target.suffix not in SERVED:
            yield f"{name} leads to no file"
        elif anchor and not re.fullmatch(r"[!#$&-;=?-_a-z~]+", anchor):
            yield f"{name}: JupyterLab compares an anchor undecoded, so it finds only plain ASCII; try #cell-id=…"
        elif anchor and anchor not in anchors(page(target).cells):
            yield f"{name} leads to no heading of that notebook"


@pytest.mark.parametrize("path", EVERY, ids=[path.relative_to(FOLDER).as_posix() for path in EVERY])
def test_each_link_leads_somewhere(path: Path) -> None:
    """To a file beside the notebooks, and there to a heading or a cell."""
    assert "\n".join(dead_links(path, FOLDER)) == ""


def test_each_link_leads_somewhere_in_a_learners_copy(tmp_path: Path) -> None:
    """Whatever a lesson links to is copied with it; solutions are."""
    lab.copy_missing(FOLDER, tmp_path / "work")
    copies = sorted((tmp_path / "work").rglob("*.ipynb"))
    assert len(copies) == len(EVERY)
    assert "\n".join(line for path in copies for line in dead_links(path, tmp_path / "work")) == ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a lesson of two headings, and something above it."""
    (tmp_path / "notebooks" / "solutions").mkdir(parents=True)
    (tmp_path / "README.md").touch()
    lesson = "# A claim\n\n## See `this` **one**, twice\n\n```\n## no heading\n```\n\n### Ünïcode"
    write(tmp_path / "notebooks" / "00_a.ipynb", lesson, "lesson-cell")
    return tmp_path / "notebooks"


def write(path: Path, text: str, name: str = "cell") -> Path:
    """Save a notebook of one cell of text."""
    nbformat.write(new_notebook(cells=[new_markdown_cell(text, id=name)]), path)
    return path


@pytest.mark.parametrize(
    "link",
    [
        "../00_a.ipynb",
        "../00_a.ipynb#A-claim",
        "../00_a.ipynb#See-this-one,-twice",
        "../00_a.ipynb#cell-id=lesson-cell",
        "../solutions/00_a.ipynb#Here",
        "#Here",
        "#cell-id=cell",
        "https://docs.aws.amazon.com/lambda/#x",
    ],
)
def test_a_link_that_leads_somewhere_is_taken(link: str, folder: Path) -> None:
    """Headings without their markup, cells by their id, the notebook itself; other sites are not asked."""
    assert list(dead_links(write(folder / "solutions" / "00_a.ipynb", f"# Here\n\n[x]({link})"), folder)) == []


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ("../01_b.ipynb", "no file"),
        ("00_a.ipynb#A-claim", "no heading"),
        ("../solutions", "no file"),
        ("../../README.md", "leads out"),
        ("../00_a.ipynb#a-claim", "no heading"),
        ("../00_a.ipynb#A%20claim", "plain ASCII"),
        ("../00_a.ipynb#Ünïcode", "plain ASCII"),
        ("../00_a.ipynb#no-heading", "no heading"),
        ("../00_a.ipynb#cell-id=cell", "no heading"),
        ("#There", "no heading"),
    ],
)
def test_a_dead_link_is_seen(link: str, why: str, folder: Path) -> None:
    """A missing file, the wrong case, a heading inside a block of code, another folder, what JupyterLab cannot find."""
    (found,) = dead_links(write(folder / "solutions" / "00_a.ipynb", f"# Here\n\n**[x]({link})**"), folder)
    assert why in found
