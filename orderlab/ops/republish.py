"""`python3 -m orderlab republish`: sends the events that rows carry once more.

Relay publishes each event at least once, and what it had to give up lies in the queue relay-dead or in the bucket of
failed records. Once the cause is mended, this sends the current event of the rows again. That is safe because every
consumer is idempotent: one that has seen the event already changes nothing.

Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orderlab.installing import Problem

from .audit.books import ORDER_ID, Row, scan
from .aws import checks, talk
from .aws.account import Account
from .aws.target import add_arguments
from .live import bounds

TRIES, WAIT = 5, 1.0  # PutEvents may throttle single entries: seconds before the second try, doubled each time
_NOT_NOW = {"ThrottlingException", "InternalFailure", "InternalException"}


@dataclass(frozen=True)
class Republished:
    """How many events went out, what the bus refused (order id and reason), and which orders do not exist."""

    sent: int
    refused: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()


def republish(
    client: Callable[[str], Any],
    outputs: Mapping[str, str],
    orders: Collection[str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Republished:
    """Send the current event of every row of these orders (None: of all). Raises what boto3 raises."""
    tables, table = client("dynamodb"), outputs["OrdersTableName"]
    rows = [row for row in scan(tables, table) if orders is None or row["orderId"] in orders]
    todo = [row for row in rows if row.get("event")]
    sent, refused = 0, list[tuple[str, str]]()
    for attempt in range(TRIES):
        if attempt and todo:
            sleep(WAIT * 2 ** (attempt - 1))
        later = []
        for row, code in _put(client("events"), outputs["BusName"], todo):
            if code in _NOT_NOW:
                later.append(row)
            elif code:
                refused.append((row["orderId"], code))
            else:
                sent += 1
        todo = later
    refused += [(row["orderId"], f"still throttled after {TRIES} tries") for row in todo]
    return Republished(sent, tuple(refused), tuple(sorted({*(orders or ())} - {row["orderId"] for row in rows})))


def _put(events: Any, bus: str, rows: list[Row]) -> Iterator[tuple[Row, str | None]]:
    """PutEvents takes ten entries and answers 200 even for those that it refuses: each row with its error, or None."""
    for start in range(0, len(rows), 10):
        some = rows[start : start + 10]
        results = events.put_events(Entries=[_entry(bus, row["event"]) for row in some])["Entries"]
        yield from ((row, result.get("ErrorCode")) for row, result in zip(some, results, strict=True))


def _entry(bus: str, event: Row) -> dict[str, str]:
    return {"EventBusName": bus, "Source": event["source"], "DetailType": event["type"], "Detail": event["detail"]}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command against a stack on AWS; returns its exit status: 0, 1 if an event was refused, 2 for misuse.

    Raises Problem, one line, when the account is not named or in the way.
    """
    wanted = _parser().parse_args(argv)
    strange = [order for order in wanted.orders if not ORDER_ID.fullmatch(order)]
    if strange or bool(wanted.orders) == wanted.all:
        problem = f"{strange[0]} is no order id" if strange else "name the orders, or say --all, and not both"
        print(f"orderlab republish: {problem}", file=sys.stderr)
        return 2
    return bounds.act_on(wanted, lambda account: act(account, wanted))


def act(account: Account, wanted: argparse.Namespace) -> int:
    """Ask, and send. Raises Problem for no, and what botocore raises."""
    name = wanted.stack or account.target.stack
    checks.identity(account)
    stack = account.ask("cloudformation", "describe_stacks", StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    missing = [output for output in ("OrdersTableName", "BusName") if output not in outputs]
    if missing:
        print(f"orderlab republish: the stack {name} has no output {missing[0]!r}", file=sys.stderr)
        return 2
    what = "all orders" if wanted.all else f"{len(wanted.orders)} orders"
    where = f"the stack {name}, account {account.target.account}, {account.target.region}"
    if not wanted.yes and talk.ask(f"the current events of {what} are sent again, on {where}; type yes: ") != "yes":
        raise Problem("nothing was sent: the answer was not yes")
    done = republish(account.client, outputs, set(wanted.orders) or None)
    print(json.dumps({"sent": done.sent, "refused": done.refused, "unknown": done.unknown}))
    return 1 if done.refused or done.unknown else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orderlab republish", description="Send the current events of an order system's rows once more."
    )
    parser.add_argument("orders", nargs="*", metavar="ORDER", help="order ids, ORD-…")
    parser.add_argument("--all", action="store_true", help="every row of the table")
    parser.add_argument("--stack", metavar="NAME", help="the CloudFormation stack (default: the prefix)")
    talk.add_yes(parser)
    add_arguments(parser)
    return parser
