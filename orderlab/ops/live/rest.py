"""Waits until a deployed system has come to rest, and audits it then; or says at the deadline that it has not.

Nobody tells when a distributed system is done. The sign of it: every accepted order is decided, the work queues are
empty, and the audit finds nothing wrong. What it finds in a quiet system is given a minute to mend itself (a mail on
its way, a count that lags behind), and is a finding then.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ..audit.books import Books, read_books
from ..audit.requests import judge
from ..audit.verdict import Audit
from ..aws.talk import Say
from ..days.day import Day
from ..days.play import Played
from . import queues, scope
from .site import Site

LOOK = 2.0  # seconds between two looks at what is pending
AUDIT = 11.0  # seconds between two audits: dead letters that were read are visible again
PATIENCE = 66.0  # seconds that a finding has to go away in a quiet system


@dataclass(frozen=True)
class Rest:
    """How it ended: the run's books, the verdict, and whether the system was at rest."""

    books: Books
    verdict: Audit
    at_rest: bool


def settle(site: Site, run: str, day: Day, played: Played, deadline: float, say: Say) -> Rest:
    """Look until the day is audited without a finding, or findings stay, or it is `deadline` (of the site's clock)."""
    accepted = frozenset(played.accepted.values())
    quiet_since: float | None = None
    told = -1
    left: Collection[str] = accepted
    while True:
        left = pending(site, left)  # an order that is decided stays so
        moving = queues.waiting(site.client("sqs"), site.outputs)
        over = site.clock() >= deadline
        at_rest = not left and not moving
        if at_rest or over:
            found = look(site, run, day, played, at_rest)
            if moving and over:
                lying = ", ".join(f"{name} {count}" for name, count in moving.items())
                say(f"messages of this run, or of another, are in {lying}")
            if over or not any(found.verdict.counts.values()):
                return found
            quiet_since = site.clock() if quiet_since is None else quiet_since
            if site.clock() - quiet_since >= PATIENCE:
                return found
            site.sleep(AUDIT)
            continue
        quiet_since = None
        if len(left) != told:
            told = len(left)
            say(
                f"{told} of {len(accepted)} orders are pending"
                if told
                else "every order is decided; queues empty themselves"
            )
        site.sleep(LOOK)


def look(site: Site, run: str, day: Day, played: Played, at_rest: bool) -> Rest:
    """Read the books once, and judge the run."""
    accepted = played.accepted.values()
    messages = queues.reader(site.client("sqs"), site.outputs)
    whole = read_books(site.client, site.outputs, messages, lambda orders: scope.ours(orders, run, accepted))
    books = scope.only(whole, run, accepted, played.poison, at_rest)
    return Rest(books, judge(day, played, books, at_rest), at_rest)


def pending(site: Site, order_ids: Collection[str]) -> list[str]:
    """Those of these orders that are not decided yet, or whose row is not there."""
    decided = {row["orderId"]["S"] for row in rows(site, order_ids) if row["status"]["S"] != "PENDING"}
    return [one for one in sorted(order_ids) if one not in decided]


def rows(site: Site, order_ids: Collection[str]) -> Iterator[dict[str, Any]]:
    """The ORDER rows of these orders, as far as they are there, read consistently, in DynamoDB's JSON."""
    tables, table = site.client("dynamodb"), site.outputs["OrdersTableName"]
    ids = sorted(order_ids)
    for start in range(0, len(ids), 100):
        keys = [{"orderId": {"S": one}, "part": {"S": "ORDER"}} for one in ids[start : start + 100]]
        todo: dict[str, Any] = {table: {"Keys": keys, "ConsistentRead": True}}
        while todo:
            answer = tables.batch_get_item(RequestItems=todo)
            yield from answer["Responses"].get(table, ())
            todo = answer.get("UnprocessedKeys") or {}
            if todo:
                site.sleep(LOOK)
