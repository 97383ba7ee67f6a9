"""`rush()`: a crowd at the door, so that messages come in batches; `deliveries()`: how often a queue handed each out.

SQS counts receives, and Lambda hands over several messages at once: with one order after the other neither shows.
"""

from collections import Counter
from typing import TYPE_CHECKING

from ..shop import order_request

if TYPE_CHECKING:
    from orderlab.cloud import Cloud


def rush(cloud: "Cloud", orders: int) -> list[str]:
    """Place so many orders of one mug each, all at one instant, and let the world come to rest. Their ids."""
    pending = [
        cloud.request_at(cloud.now, "POST", "/orders", **order_request(cloud, f"rush-{n}", {"mug": 1}, f"C-{n}"))
        for n in range(1, orders + 1)
    ]
    cloud.run()
    return [one.response.json()["orderId"] for one in pending if one.response is not None]


def deliveries(cloud: "Cloud", queue: str) -> list[int]:
    """How often each message of the queue of this URL was received, in the order of the first receives."""
    name = queue.rpartition("/")[2]
    counted = Counter(one for row in cloud.trace.select("receive", actor=name) for one in row.detail["ids"])
    return list(counted.values())
