"""A lesson solved: each exercise's cell holds its solution, and the whole lesson is run as a learner would run it."""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from notebook_files import said

from orderlab.course.pages.refresh import run

CODE = re.compile(r"exercise-(\d+)-(\d+)-code")
CHECK = re.compile(r"exercise-(\d+)-(\d+)-check")


class NotSolvable(Exception):
    """An exercise has no solution, or a solution no exercise; the message names the cells."""


def filled(lesson: NotebookNode, solutions: NotebookNode) -> NotebookNode:
    """Return a lesson whose exercise cells have the code of the cells of the same id; raises NotSolvable."""
    wanted = [cell.id for cell in lesson.cells if CODE.fullmatch(cell.id)]
    answers = {cell.id: cell.source for cell in solutions.cells if CODE.fullmatch(cell.id)}
    if missing := sorted(set(wanted) - set(answers)):
        raise NotSolvable(f"no solution for {', '.join(missing)}")
    if extra := sorted(set(answers) - set(wanted)):
        raise NotSolvable(f"solutions for no exercise of the lesson: {', '.join(extra)}")
    cells = [{**cell, "source": answers.get(cell.id, cell.source)} for cell in lesson.cells]
    return nbformat.from_dict({**lesson, "cells": cells})


def solve(path: Path) -> NotebookNode:
    """Run the lesson at `path`, in its folder and a fresh kernel, with the answers of solutions/ beside it.

    Raises NotSolvable, and nbclient's CellExecutionError when a cell fails.
    """
    lesson, solutions = (nbformat.read(one, as_version=4) for one in (path, path.parent / "solutions" / path.name))
    return run(filled(lesson, solutions), path.parent)


def verdicts(solved: NotebookNode) -> dict[str, str]:
    """Return what each check of a lesson that was run says, by the number of its exercise, such as "0.1"."""
    found = ((CHECK.fullmatch(cell.id), cell) for cell in solved.cells)
    return {f"{match[1]}.{match[2]}": said(cell) for match, cell in found if match}
