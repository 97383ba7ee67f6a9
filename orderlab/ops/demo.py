"""`python3 -m orderlab demo`: a day of orders through the whole system, and the audit of its books.

It plays on this machine, unless `--target aws` or a loopback `--endpoint` names a deployed stack (`live` does that).

The result goes to standard output, progress and every refused invoice or unreadable line to standard error. The exit
status is 0 when the four numbers of the audit are 0, 1 when one is not, and 2 when there was nothing to run or no way
to write the result.

Taught in notebooks/00_start_here.ipynb
"""

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from orderlab.installing import Problem

from .audit.books import books_of
from .audit.report import summary, to_json, to_table
from .audit.requests import judge, name_refusals
from .aws import talk
from .aws.account import Account
from .days.day import Day, Unusable
from .days.plausible import plausible_day
from .days.play import Trouble, play
from .days.readers import read_day
from .live import auditing, bounds
from .live.site import open_site


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    wanted = _parser().parse_args(argv)
    deployed = wanted.target == "aws" or wanted.endpoint is not None
    trouble = Trouble(wanted.decline, wanted.provider_down, wanted.poison, wanted.stock)
    try:
        told = [name for name in ("account", "region", "profile", "run", "record") if getattr(wanted, name)]
        usual = {"prefix": "orderlab", "minutes": bounds.MINUTES, "rate": bounds.RATE, "cost": bounds.DOLLARS}
        told += [
            name for name, given in {**usual, "more": False, "yes": False}.items() if getattr(wanted, name) != given
        ]
        if not deployed and told:
            raise Problem(
                f"--{told[0]} is about a deployed stack, and the demo plays on this machine: add --target aws, or "
                "leave it out"
            )
        orders = wanted.orders or (bounds.ORDERS if deployed else 200)
        day = read_day(wanted.file) if wanted.file else plausible_day(orders, wanted.seed)
        return _deployed(day, trouble, wanted) if deployed else _run(day, trouble, wanted.seed, wanted.json)
    except (Unusable, Problem) as error:
        say(f"orderlab demo: {error}")
        return 2
    except KeyboardInterrupt:
        say("orderlab demo: stopped")
        return 130


def say(text: str) -> None:
    """One line of progress; a terminal that is gone, or none, must not stop the demo."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stderr is not None:
            print(text, file=sys.stderr, flush=True)


def _run(day: Day, trouble: Trouble, seed: int, as_json: bool) -> int:
    from orderlab.cloud import Cloud  # moto takes a second to load: `demo --help` does not wait for it
    from orderlab.cloud.stack.template import TemplateError

    for skipped in day.skipped:
        say(f"line {skipped.line} is skipped: {skipped.why}")
    say(f"building the system for {day.source}: {len(day.requests)} requests")
    try:
        built = Cloud(seed=seed)
    except TemplateError as error:
        raise Unusable(str(error)) from error
    with built as cloud:
        played = play(cloud, day, trouble, seed, say)
        say("auditing the books")
        books = books_of(cloud)
    name_refusals(day, played, say)
    verdict = judge(day, played, books)
    run = {"seed": seed, **trouble.told()}
    result = summary(run, day, played, books, verdict)
    if not print_result((to_json if as_json else to_table)(result)):
        return 2
    return 1 if any(verdict.counts.values()) else 0


def _deployed(day: Day, trouble: Trouble, wanted: argparse.Namespace) -> int:
    """The same against a deployed stack. Raises Problem, one line, for what is in the way."""
    allowed = bounds.read(wanted, len(day.requests))
    auditing.check(trouble, allowed.minutes, len(day.requests), allowed.rate)
    run = auditing.Run(auditing.name(wanted.run, time.time()), trouble, wanted.seed, allowed)
    for skipped in day.skipped:
        say(f"line {skipped.line} is skipped: {skipped.why}")

    def act(account: Account) -> int:
        site = open_site(account)
        bounds.agree(site, allowed, f"demo: {len(day.requests)} requests", say, talk.ask)
        result, rest = auditing.audited(site, day, run, say)
        if not print_result((to_json if wanted.json else to_table)(result)):
            return 2
        return auditing.status(result, rest, say)

    return bounds.act_on(wanted, act)


def print_result(text: str) -> bool:
    """Write the result; False, after one line of why, when standard output cannot take it."""
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        print(text, flush=True)
        return True
    except (OSError, ValueError) as error:
        if not isinstance(error, BrokenPipeError):  # the reader of a pipe had enough: its right, and no news
            say(f"orderlab demo: cannot write the result to standard output: {error}")
        _forget_stdout()
        return False


def _forget_stdout() -> None:
    """Python flushes standard output once more when it ends, and would complain again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderlab demo",
        description="Run a day of orders through the whole system on this machine, then audit its books.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--orders", type=_number(int, 1, 100_000), metavar="N", help="make up N orders (default: 200)")
    source.add_argument(
        "--from", dest="file", type=Path, metavar="FILE",
        help="replay real orders: CSV with the columns of the Online Retail data set, or JSON lines of order requests",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="decides every chance (default: 7)")
    parser.add_argument(
        "--decline", type=_number(float, 0, 1), default=0.0, metavar="RATE", help="share of payments declined, 0 to 1"
    )
    parser.add_argument(
        "--provider-down", type=_number(float, 0, 10**6), default=0.0, metavar="SECONDS",
        help="outage of the payment provider, when the shop is busiest",
    )  # fmt: skip
    parser.add_argument(
        "--poison", type=_number(int, 0, 1000), default=0, metavar="N", help="put N events without items on the bus"
    )
    parser.add_argument(
        "--stock", type=_number(Decimal, 0, 1000), default=Decimal(1), metavar="SHARE",
        help="opening stock, as a share of what is ordered (default: 1)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    there = parser.add_argument_group("against a deployed stack")
    auditing.add_arguments(there)  # type: ignore[arg-type]
    talk.add_arguments(there)  # type: ignore[arg-type]
    return parser


def _number(kind: Callable[[str], Decimal | float], least: int, most: int) -> Callable[[str], Decimal | float]:
    def read(text: str) -> Decimal | float:
        try:
            number = kind(text)
            if least <= number <= most:
                return number
        except (ValueError, InvalidOperation):  # a NaN of Decimal raises on comparison
            pass
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most:,}")

    return read
