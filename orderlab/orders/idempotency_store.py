"""Where patterns.idempotency keeps its records: a table of DynamoDB, one conditional write for each step.

DynamoDB deletes what is past its TTL within days, not at once, so the condition judges the expiry itself. The attribute
`expires` is whole seconds, as TTL wants it.
Taught in notebooks/07_exactly_once_nearly.ipynb
"""

import math
from dataclasses import dataclass

from botocore.exceptions import ClientError

from orderlab.orders import clients, rows
from orderlab.patterns.idempotency import INPROGRESS, Record

FREE = "attribute_not_exists(#k) OR expires < :now OR (#s = :inprogress AND lease < :now)"


@dataclass(frozen=True)
class IdempotencyStore:
    """The records of one table, under its hash key."""

    table: str
    key: str

    def put_if_free(self, record: Record, now: float) -> Record | None:
        """Write the record if its key is free at `now`. None: it is ours; else the record in the way."""
        old = rows.put(
            {
                "TableName": self.table,
                "Item": rows.to_item(to_row(record, self.key)),
                "ConditionExpression": FREE,
                "ExpressionAttributeNames": {"#k": self.key, "#s": "status"},
                "ExpressionAttributeValues": rows.to_item({":now": now, ":inprogress": INPROGRESS}),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        )
        return None if old is None else from_row(old, self.key)

    def complete(self, record: Record) -> None:
        """Replace the record."""
        clients.dynamodb().put_item(TableName=self.table, Item=rows.to_item(to_row(record, self.key)))

    def delete(self, key: str) -> None:
        """Forget the record while it is in progress."""
        try:
            clients.dynamodb().delete_item(
                TableName=self.table,
                Key=rows.to_item({self.key: key}),
                ConditionExpression="#s = :inprogress",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues=rows.to_item({":inprogress": INPROGRESS}),
            )
        except ClientError as error:
            rows.in_the_way(error)


def to_row(record: Record, key: str) -> rows.Row:
    """A record as a row whose hash key is the attribute `key`; what is None is left out."""
    row = {
        key: record.key,
        "status": record.status,
        "expires": None if record.expiry is None else math.ceil(record.expiry),
        "lease": record.in_progress_expiry,
        "payloadHash": record.payload_hash,
        "result": record.answer,
    }
    return {name: value for name, value in row.items() if value is not None}


def from_row(row: rows.Row, key: str) -> Record:
    """The record in a row."""
    return Record(
        row[key], row["status"], row.get("expires"), row.get("lease"), row.get("payloadHash", ""), row.get("result")
    )
