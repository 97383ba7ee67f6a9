"""ProjectSales: the second reader of the orders table's stream; adds up what was sold.

A stream delivers in order and at least once, so each order leaves a marker in the same transaction as the sum: seen
again, it adds nothing. Only confirmed orders count. What fails stops the shard until Lambda has bisected it out.
Taught in notebooks/06_where_state_lives.ipynb
"""

import os
from collections.abc import Callable
from typing import Any

from orderlab.orders import consumer, log, order, rows, transactions
from orderlab.patterns import batch

RESERVE = 3.0  # seconds: no record is begun with less time left


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point on the stream. Answers with the place to go on from, if not everything was added."""
    say, left = log.logger(context), consumer.remaining(context)

    def one(record: dict[str, Any]) -> None:
        sold = confirmed(record["dynamodb"])
        if sold is not None and add(*sold, left):
            say("INFO", "sold", sold[0], pence=sold[1])

    def failed(record: dict[str, Any], error: Exception) -> None:
        say("ERROR", f"{type(error).__name__}: {error}", sequence=record["dynamodb"]["SequenceNumber"])

    return batch.process(event, one, mode="stream", remaining=left, reserve=RESERVE, on_failure=failed)


def confirmed(change: dict[str, Any]) -> tuple[str, int] | None:
    """The order that this change of a row confirmed, and its total in pence; None for any other change."""
    new, old = (rows.from_item(change.get(image, {})) for image in ("NewImage", "OldImage"))
    if new.get("part") != "ORDER" or new.get("status") != "CONFIRMED" or old.get("status") == "CONFIRMED":
        return None
    return str(new["orderId"]), order.whole(new.get("total"), "total", 0)


def add(order_id: str, pence: int, remaining: Callable[[], float] | None = None) -> bool:
    """Add an order to the total; False when it was added before."""
    table = os.environ["SALES_TABLE"]
    total = rows.update(table, {"id": "total"}, "ADD orders :one, pence :pence", "", {}, {":one": 1, ":pence": pence})
    marker = rows.new(table, {"id": order_id, "pence": pence})
    return not transactions.write([{"Put": marker}, {"Update": total}], remaining)
