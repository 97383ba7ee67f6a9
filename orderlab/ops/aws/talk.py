"""What every command of this room shares: its options, its errors in one line, and the typed yes.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from orderlab.installing import Problem

from . import target
from .account import Account
from .explain import error_of
from .record import Record

Ask = Callable[[str], str]
Say = Callable[[str], None]


def parser(name: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options of `add_arguments`."""
    made = argparse.ArgumentParser(prog=f"orderlab {name}", description=description)
    add_arguments(made)
    return made


def add_arguments(made: argparse.ArgumentParser) -> None:
    """The options that say where, and --record."""
    target.add_arguments(made)
    made.add_argument("--record", type=Path, metavar="FILE", help="write down what AWS answers, without ids or secrets")


def add_yes(made: argparse.ArgumentParser) -> None:
    """The option of a command that asks."""
    made.add_argument("--yes", action="store_true", help="do not ask before acting on an account")


def run(said: argparse.Namespace, command: Callable[[Account], int]) -> int:
    """Run the command on the account that the options name. Raises Problem, one line, when something is in the way.

    A command that asks has an option --yes; with nobody there to answer, nothing is begun without it.
    """
    where = target.from_arguments(said)
    if not getattr(said, "yes", True) and (sys.stdin is None or not sys.stdin.isatty()):
        raise Problem("this command asks before it acts, and nobody is there to answer: use a terminal, or add --yes")
    record = Record(said.record, where.prefix) if getattr(said, "record", None) else None
    try:
        return command(Account(where, record=record))
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise Problem(error_of(error, where)) from None


def say(text: str) -> None:
    """One line on standard output, at once."""
    print(text, flush=True)


def ask(question: str) -> str:
    """What the user types; nothing at the end of the input. Where the output is kept in a file, that shows nobody a
    question, so it is asked on standard error.
    """
    try:
        if sys.stdout is not None and sys.stdout.isatty():
            return input(question).strip()
        print(question, end="", file=sys.stderr, flush=True)
        return input().strip()
    except EOFError:
        return ""


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as they need to be."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
    return "\n".join(line.rstrip() for line in lines)
