"""One order through a deployed system, hop by hop: each is checked and timed, and the first that fails is the last.

A hop that fails says where to look: the log group of the function that should have done it, or the queue where its
message lies. Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..audit.books import ORDER_ID
from . import queues, shopping
from .site import Site

LOOK = 0.5  # seconds between two looks
DEADLINE = 60.0  # seconds for one hop


@dataclass(frozen=True)
class Hop:
    """What was checked, in how many seconds, and, where it failed, what was seen and where to look."""

    name: str
    seconds: float
    wrong: str = ""
    look: str = ""


@dataclass
class Walk:
    """What the hops have in common: the site, the run's name, and what the first one found."""

    site: Site
    run: str
    sku: str = ""
    order_id: str = ""


Check = Callable[[Walk], str]  # what is wrong; empty where all is well


def walk(site: Site, run: str) -> Iterator[Hop]:
    """Each hop in turn; the last that is yielded is the first that fails."""
    made = Walk(site, run)
    for name, check, look in HOPS:
        begun = site.clock()
        wrong = check(made)
        where = look.format(prefix=site.parameters.get("NamePrefix", site.name)) + _lying(site) if wrong else ""
        yield Hop(name, site.clock() - begun, wrong, where)
        if wrong:
            return


def shop(walk: Walk) -> str:
    """Write one article and one unit of it."""
    walk.sku = shopping.stocked(walk.site, walk.run, 1, 1)[0]
    return ""


def without_key(walk: Walk) -> str:
    """The API refuses whoever has no key."""
    answer = walk.site.door.ask("POST", "/orders", _body(walk), {"Idempotency-Key": "none", "x-api-key": ""})
    return "" if answer.status == 403 else f"an order without an API key was answered {answer.said}, not 403"


def bad(walk: Walk) -> str:
    """The API's model refuses an order of no items, before any function."""
    answer = walk.site.door.place(f"{walk.run}-bad", {**_body(walk), "items": []})
    if answer.status != 400:
        return f"an order without items was answered {answer.said}, not 400"
    said = str(answer.body.get("message"))
    return "" if said == "Invalid request body" else f"it was refused by the function and not by the model: {said}"


def place(walk: Walk) -> str:
    """An order is accepted."""
    answer = walk.site.door.place(f"{walk.run}-one", _body(walk))
    walk.order_id = str(answer.body.get("orderId", ""))
    if answer.status != 202 or not ORDER_ID.fullmatch(walk.order_id):
        return f"the order was answered {answer.said}, not 202: {answer.body.get('message', '')}".rstrip(": ")
    return ""


def again(walk: Walk) -> str:
    """The same key and body give the same order."""
    answer = walk.site.door.place(f"{walk.run}-one", _body(walk))
    same = answer.status == 202 and answer.body.get("orderId") == walk.order_id
    return "" if same else f"the same order again was answered {answer.said} {answer.body.get('orderId', '')}"


def confirmed(walk: Walk) -> str:
    """The API says that it is confirmed."""
    seen: list[str] = []

    def look() -> bool:
        answer = walk.site.door.order(walk.order_id)
        seen.append(str(answer.body.get("status", answer.said)))
        if seen[-1] == "CANCELLED":
            seen[-1] += f" ({answer.body.get('reason', 'no reason given')})"
        return seen[-1].startswith(("CONFIRMED", "CANCELLED"))

    if not _within(walk.site, look):
        return f"{walk.order_id} is {seen[-1]} after {DEADLINE:g} s, not CONFIRMED"
    return "" if seen[-1] == "CONFIRMED" else f"{walk.order_id} is {seen[-1]}, not CONFIRMED"


def receipt(walk: Walk) -> str:
    """Its receipt is in the bucket, over the right amount."""
    bucket, name = walk.site.client("s3"), walk.site.outputs["ReceiptsBucketName"]
    key = f"receipts/{walk.order_id}.json"

    def look() -> bool:
        return bool(bucket.list_objects_v2(Bucket=name, Prefix=key).get("KeyCount"))

    return "" if _within(walk.site, look) else f"there is no {key} in the bucket of receipts"


def told(walk: Walk) -> str:
    """The customer was told: by the mail that Notify remembers, for a table is dear to search through."""
    tables, name = walk.site.client("dynamodb"), walk.site.outputs["NotificationsTableName"]

    def row(id: Any) -> dict[str, Any]:
        found = tables.get_item(TableName=name, Key={"id": id}, ConsistentRead=True)
        return dict(found.get("Item", {}))

    def look() -> bool:
        done = row({"S": f"{walk.order_id}.OrderConfirmed"}).get("result", {})
        return "M" in done and bool(row(done["M"]["mail"]))

    return "" if _within(walk.site, look) else "no row of notifications says that the customer was told"


def sold(walk: Walk) -> str:
    """The sales have it."""
    tables, name = walk.site.client("dynamodb"), walk.site.outputs["SalesTableName"]
    key = {"id": {"S": walk.order_id}}

    def look() -> bool:
        return "Item" in tables.get_item(TableName=name, Key=key, ConsistentRead=True)

    return "" if _within(walk.site, look) else "the sales do not have it"


HOPS: tuple[tuple[str, Check, str], ...] = (
    ("a price and a unit in stock are written", shop, "the tables {prefix}-catalogue and {prefix}-stock"),
    ("POST /orders without a key: 403", without_key, "the usage plan {prefix}-plan"),
    ("POST /orders: 202", place,
     "the log group /aws/lambda/{prefix}-place-order; a 403 is the API's own, about key or signature"),
    ("the same again: 202, the same order", again, "the log group /aws/lambda/{prefix}-place-order"),
    ("GET /orders/{orderId}: CONFIRMED", confirmed,
     "the log groups /aws/lambda/{prefix}-relay, -reserve-stock, -charge-payment and -settle-order"),
    ("the receipt is in S3", receipt, "the log group /aws/lambda/{prefix}-charge-payment"),
    ("the customer is told", told, "the log group /aws/lambda/{prefix}-notify"),
    ("the sales have it", sold, "the log group /aws/lambda/{prefix}-project-sales"),
    ("POST /orders without items: 400, by the model", bad, "the API {prefix}-api, its stage and its request validator"),
)  # fmt: skip


def _body(walk: Walk) -> dict[str, Any]:
    return shopping.order_of(walk.run, 1, walk.sku)


def _within(site: Site, look: Callable[[], bool]) -> bool:
    """Look until it is there, or for DEADLINE seconds."""
    until = site.clock() + DEADLINE
    while not look():
        if site.clock() >= until:
            return False
        site.sleep(LOOK)
    return True


def _lying(site: Site) -> str:
    """The queues that hold messages, if any."""
    sqs = site.client("sqs")
    found = {name: queues.count(sqs, site.outputs[f"{name}Url"]) for name in (*queues.WORK, *queues.DEAD)}
    lying = ", ".join(f"{name} {count}" for name, count in found.items() if count)
    return f"; messages lie in {lying}" if lying else ""
