"""One measurement in a process of its own: `python -m orderlab.ops.bench.runs NAME` prints a JSON object of seconds.

What is compared within one run takes turns, so that a machine whose speed drifts is as slow for the one as for the
other. Everything here is timed; nothing here is a test.
"""

import json
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

from .shop import open_shop, request, statuses

DEPTH, ROUNDS, CALLS = 3000, 5, 40
ORDERS, WARM = 100, 10
SLOW = ("speed.install", "tables.transactions.install")  # what the local cloud replaces of moto for the sake of speed


def queue_depth() -> dict[str, float]:
    """A send to a queue in which nothing waits, and to one in which 3,000 messages wait: seconds a call."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        sqs, outputs = cloud.client("sqs"), cloud.outputs
        return _sends(sqs, outputs["ReviewQueueUrl"], outputs["UndeliveredQueueUrl"], CALLS)


def queue_depth_moto() -> dict[str, float]:
    """The same on moto alone."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        empty, deep = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("empty", "deep"))
        return _sends(sqs, empty, deep, 5)


def _sends(sqs: Any, empty: str, deep: str, calls: int) -> dict[str, float]:
    for n in range(0, DEPTH, 10):
        sqs.send_message_batch(QueueUrl=deep, Entries=[{"Id": str(i), "MessageBody": f"{n}"} for i in range(10)])

    def send(url: str) -> Callable[[], None]:
        return lambda: sqs.send_message(QueueUrl=url, MessageBody="x")

    small, large = [], []
    for _ in range(ROUNDS):
        for _ in range(calls):
            small.append(_timed(send(empty)))
            held = sqs.receive_message(QueueUrl=empty)["Messages"][0]
            sqs.delete_message(QueueUrl=empty, ReceiptHandle=held["ReceiptHandle"])
            large.append(_timed(send(deep)))
    return {"empty": median(small), "deep": median(large)}


def transaction() -> dict[str, float]:
    """A transaction of two items on an empty table, and on one of 3,000 rows: seconds a call."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        names = cloud.outputs["StockTableName"], cloud.outputs["CatalogueTableName"]
        return _transactions(cloud.client("dynamodb"), *names, CALLS)


def transaction_moto() -> dict[str, float]:
    """The same on moto alone."""
    import boto3
    from moto import mock_aws

    with mock_aws():
        tables = boto3.client("dynamodb", region_name="us-east-1")
        for name in ("empty", "deep"):
            tables.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "sku", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "sku", "AttributeType": "S"}],
            )
        return _transactions(tables, "empty", "deep", 5)


def _transactions(tables: Any, empty: str, deep: str, calls: int) -> dict[str, float]:
    from ..days.play import write_rows

    write_rows(tables, deep, [{"sku": {"S": f"row {n}"}, "n": {"N": "1"}} for n in range(DEPTH)])

    def write(table: str) -> Callable[[], None]:
        items = [{"Put": {"TableName": table, "Item": {"sku": {"S": f"new {n}"}, "n": {"N": "1"}}}} for n in (1, 2)]
        return lambda: tables.transact_write_items(TransactItems=items)

    write(empty)()
    small, large = [], []
    for _ in range(ROUNDS):
        for _ in range(calls):
            small.append(_timed(write(empty)))
            large.append(_timed(write(deep)))
    return {"empty": median(small), "deep": median(large)}


def orders() -> dict[str, float]:
    """The order system end to end: seconds an order, for 100 orders."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        _open(cloud)
        _serve(cloud, range(WARM))  # the first orders meet cold starts and imports
        return {"an order": _serve(cloud, range(WARM, WARM + ORDERS)) / ORDERS}


def orders_without() -> dict[str, float]:
    """The same with the replacements of moto for the sake of speed switched off."""
    with patch(f"orderlab.cloud.{SLOW[0]}", lambda: None), patch(f"orderlab.cloud.{SLOW[1]}", lambda: None):
        return orders()


def growth() -> dict[str, float]:
    """100 orders and 1,000 orders: seconds an order."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        few: list[float] = []
        many: list[float] = []
        for counts, seconds in ((ORDERS, few), (10 * ORDERS, many), (ORDERS, few), (10 * ORDERS, many), (ORDERS, few)):
            _open(cloud)
            _serve(cloud, range(WARM))
            seconds.append(_serve(cloud, range(WARM, WARM + counts)) / counts)
        return {"of 100": median(few), "of 1,000": median(many)}


def emptying() -> dict[str, float]:
    """Seconds to empty a cloud of the 40 orders that a lesson places, and of 100."""
    from orderlab.cloud import Cloud

    with Cloud() as cloud:
        taken: dict[int, list[float]] = {40: [], 100: []}
        for _ in range(ROUNDS):
            for count, seconds in taken.items():
                _open(cloud)
                _serve(cloud, range(count))
                seconds.append(_timed(cloud.reset))
        return {f"of {count}": median(seconds) for count, seconds in taken.items()}


def creation() -> dict[str, float]:
    """A second Cloud() in a process: seconds, seconds a resource of the stack, and how many resources there are."""
    from orderlab.cloud import Cloud

    with Cloud() as first:
        resources = len(first.stack.resources)
    made = []
    for _ in range(2 * ROUNDS):
        begun = perf_counter()
        cloud = Cloud()
        made.append(perf_counter() - begun)
        cloud.close()
    return {"whole": median(made), "a resource": median(made) / resources, "resources": resources}


def _open(cloud: Any) -> None:
    """A shop in a cloud that is as new."""
    cloud.reset()
    open_shop(cloud.client, cloud.outputs)


def _serve(cloud: Any, numbers: range) -> float:
    """Place orders one after the other and let the cloud come to rest: the seconds that this takes."""
    begun = perf_counter()
    for n in numbers:
        body, headers = request(n, cloud.api_key)
        answer = cloud.request("POST", "/orders", body=body, headers=headers)
        assert answer.status == 202, answer
    cloud.run()
    taken = perf_counter() - begun
    ends = statuses(cloud.client("dynamodb"), cloud.outputs["OrdersTableName"])
    assert ends == ["CONFIRMED"] * numbers.stop, f"{len(ends)} orders, and not all of {numbers.stop} are confirmed"
    return taken


def _timed(act: Callable[[], Any]) -> float:
    begun = perf_counter()
    act()
    return perf_counter() - begun


RUNS = {
    act.__name__: act
    for act in (
        queue_depth,
        queue_depth_moto,
        transaction,
        transaction_moto,
        orders,
        orders_without,
        growth,
        emptying,
        creation,
    )
}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1]]()))
