"""Reads everything that the order system has written down: tables, ledger, receipts, and the messages that still lie.

All of it comes through boto3 clients and the stack's outputs, so the same lines read the local cloud and AWS. Only the
messages do not: a queue on AWS shows them to nobody but a receiver, so how to look at them is an argument.

Taught in notebooks/11_game_day.ipynb
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

Row = dict[str, Any]

WORK = ("StockQueue", "PaymentQueue", "SettlementQueue")
DEAD = (
    "RelayDeadQueue",
    "UndeliveredQueue",
    "StockDeadQueue",
    "PaymentDeadQueue",
    "SettlementDeadQueue",
    "NotifyDeadQueue",
)
REVIEW = "ReviewQueue"
FAILED_RECORDS = "FailedRecordsBucket"  # what a stream gave up on: dead letters too, only in S3
ORDER_ID = re.compile(r"ORD-[0-9a-f]{20}")
_TYPE = re.compile(r'"(?:detail-type|type)"\s*:\s*"(\w+)"')  # in EventBridge's envelope, or in a row's event


@dataclass(frozen=True)
class Letter:
    """A message that lies somewhere: where, the orders it names, the types of event in it, and its text."""

    queue: str
    orders: frozenset[str]
    types: frozenset[str]
    text: str


@dataclass(frozen=True)
class Books:
    """All that is written down at one moment. Money in pence."""

    orders: dict[str, dict[str, Row]] = field(default_factory=dict)  # order id -> part -> row
    stock: dict[str, int] = field(default_factory=dict)  # sku -> units on hand
    ledger: list[Row] = field(default_factory=list)  # the provider's own
    receipts: dict[str, Row] = field(default_factory=dict)  # order id -> receipt
    notifications: frozenset[str] = frozenset()  # ids of the events that customers got mail about
    sales: dict[str, int] = field(default_factory=dict)  # order id, or "total" -> pence
    letters: tuple[Letter, ...] = ()


def letter(queue: str, text: str) -> Letter:
    """Read a message as far as an auditor must; a text that names no order is a letter without orders."""
    return Letter(queue, frozenset(ORDER_ID.findall(text)), frozenset(_TYPE.findall(text)), text)


def failed_records(text: str, relay: str) -> list[Letter]:
    """The stream records in an object that Lambda wrote when it gave up on a batch, each as a letter of its own.

    What the function named `relay` could not publish is an event; what another reader gave up on is none.
    """
    try:
        content = json.loads(text)
        records = json.loads(content["payload"])["Records"]
        is_relay = content["requestContext"]["functionArn"].split(":")[6] == relay
    except (ValueError, KeyError, IndexError, TypeError):
        return [letter(FAILED_RECORDS, text)]
    letters = []
    for change in (record["dynamodb"] for record in records):
        new, old = (change.get(image, {}).get("event", {}).get("M", {}) for image in ("NewImage", "OldImage"))
        types = {new["type"]["S"]} if is_relay and new and new["id"] != old.get("id") else set()
        letters.append(replace(letter(FAILED_RECORDS, json.dumps(change)), types=frozenset(types)))
    return letters


def read_books(
    client: Callable[[str], Any],
    outputs: Mapping[str, str],
    messages: Callable[[str], Iterable[str]],
    whose: Callable[[Mapping[str, Mapping[str, Row]]], Collection[str]] | None = None,
) -> Books:
    """The books of a stack. `client(service)` gives a boto3 client, `messages(queue_url)` the bodies that lie there.

    `whose`, given the orders' rows, names the orders whose receipts are read; without it all are, one request each.
    """
    tables = client("dynamodb")

    def rows(logical_id: str) -> list[Row]:
        return scan(tables, outputs[logical_id + "Name"])

    orders: dict[str, dict[str, Row]] = {}
    for row in rows("OrdersTable"):
        orders.setdefault(row["orderId"], {})[row["part"]] = row
    letters = [letter(queue, text) for queue in (*WORK, *DEAD, REVIEW) for text in messages(outputs[queue + "Url"])]
    bucket = client("s3")
    for text in objects(bucket, outputs[FAILED_RECORDS + "Name"]).values():
        letters += failed_records(text, outputs["RelayName"])
    wanted = None if whose is None else {f"receipts/{order_id}.json" for order_id in whose(orders)}
    receipts = objects(bucket, outputs["ReceiptsBucketName"], "receipts/", wanted)
    return Books(
        orders=orders,
        stock={row["sku"]: row["onHand"] for row in rows("StockTable")},
        ledger=[row for row in rows("LedgerTable") if not row["key"].startswith("#")],  # "#…" are the stand-in's knobs
        receipts={key.removeprefix("receipts/").removesuffix(".json"): json.loads(t) for key, t in receipts.items()},
        notifications=frozenset(mail["id"].rpartition(".")[0] for mail in rows("NotificationsTable") if "text" in mail),
        sales={row["id"]: row["pence"] for row in rows("SalesTable")},
        letters=tuple(letters),
    )


def books_of(cloud: "Cloud") -> Books:
    """The books of a local cloud, whose messages can be looked at without being received."""
    return read_books(cloud.client, cloud.outputs, lambda url: [message.body for message in cloud.queues.messages(url)])


def scan(tables: Any, name: str) -> list[Row]:
    """All rows of a table as plain values, read consistently."""
    pages = tables.get_paginator("scan").paginate(TableName=name, ConsistentRead=True)
    read = TypeDeserializer().deserialize
    return [{key: _plain(read(value)) for key, value in item.items()} for page in pages for item in page["Items"]]


def objects(bucket: Any, name: str, prefix: str = "", wanted: Collection[str] | None = None) -> dict[str, str]:
    """The text of every object under a prefix, by key; or only of those that are `wanted`."""
    pages = bucket.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    keys = [key for key in keys if wanted is None or key in wanted]
    return {key: bucket.get_object(Bucket=name, Key=key)["Body"].read().decode() for key in sorted(keys)}


def _plain(value: Any) -> Any:
    """boto3 gives numbers as Decimal; here a whole one is an int, and any other a float."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
