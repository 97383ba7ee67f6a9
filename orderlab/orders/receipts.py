"""Receipts in S3: one object per captured payment, written before the row says so.

A put of the same key with the same bytes changes nothing, so a redelivery may write it again. The content depends only
on the provider's first answer.
Taught in notebooks/06_where_state_lives.ipynb
"""

import json
import os

from orderlab.orders import clients
from orderlab.orders.asking import Answer


def keep(order_id: str, answer: Answer) -> None:
    """Write receipts/{orderId}.json. Raises what S3 raises: then the payment is not captured yet, and tried again."""
    content = {"orderId": order_id, "amount": answer.amount, "capturedAt": answer.at}
    clients.buckets().put_object(
        Bucket=os.environ["RECEIPTS_BUCKET"],
        Key=f"receipts/{order_id}.json",
        Body=json.dumps(content).encode(),
        ContentType="application/json",
    )
