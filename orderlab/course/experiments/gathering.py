"""`gather()`: the same messages in batches of another size, gathered for another time: calls, cost and delay.

A call of ReserveStock takes 0.2 s for itself (it opens a connection, say) and 0.05 s for each message. Cost is that of
Lambda, without cold starts, for a million such messages. Where it lies: a quiet queue's mapping may wait up to 20 s on
AWS, and here it waits for its window only. Source: Lambda developer guide, with-sqs and services-sqs-parameters.
Taught in notebooks/05_some_of_them_failed.ipynb
"""

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

CALL, EACH = 0.2, 0.05  # seconds of work
PER_SECOND, SECONDS = 5, 20  # messages that come, and for how long


def work(event: dict[str, Any], context: Any) -> None:
    """Take so long as a call and its messages take."""
    time.sleep(CALL + EACH * len(event["Records"]))


@dataclass(frozen=True, repr=False)
class Gathered:
    """One history. `calls` per message and `dollars` for a million messages; `delay` is seconds from send to done."""

    size: int
    window: int
    calls: float
    gb_seconds: float
    dollars: float
    delay: float
    longest: float

    def __repr__(self) -> str:
        return (
            f"{self.size:>3} at most, window {self.window} s: {self.calls * 100:>3.0f} calls per 100 messages, "
            f"${self.dollars:.2f} per million, median {self.delay:.1f} s, longest {self.longest:.1f} s"
        )


def gather(cloud: "Cloud", size: int, window: int = 0) -> Gathered:
    """Empty the cloud and send messages for a while, to a mapping of this batch size and window (seconds).

    Mapping and queue are as before afterwards.
    """
    from orderlab.ops.prices import price  # here, since `work` takes its module along to where there are no prices

    from .tens import FUNCTION, QUEUE, mapping_of

    cloud.reset()
    cloud.replace(FUNCTION, work)
    mapping, sqs, url = mapping_of(cloud), cloud.client("sqs"), cloud.outputs["StockQueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    rule = 6 * cloud.functions.resolve(FUNCTION).timeout + window
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(int(rule))})
    mapping(BatchSize=size, MaximumBatchingWindowInSeconds=window)
    entries = [{"Id": str(n), "MessageBody": "a message"} for n in range(PER_SECOND)]
    for _ in range(SECONDS):
        for entry in entries:
            sqs.send_message_batch(QueueUrl=url, Entries=[entry])
            cloud.advance(1 / PER_SECOND)
    cloud.run()
    mapping(BatchSize=10, MaximumBatchingWindowInSeconds=0)
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    sent = {row.what: row.at for row in cloud.trace.select("send", actor=QUEUE)}
    delays = [row.at - sent[row.what] for row in cloud.trace.select("delete", actor=QUEUE)]
    calls = [len(row.detail["ids"]) for row in cloud.trace.select("invoke", actor=FUNCTION)]
    memory = int(cloud.stack.resources[FUNCTION].properties["MemorySize"]) / 1024
    gb_seconds = sum(CALL + EACH * each for each in calls) * memory
    cost = price("invocation").of(len(calls)) + price("duration").of(gb_seconds)
    return Gathered(size, window, len(calls) / len(sent), gb_seconds / len(sent), 1e6 * cost / len(sent),
                    median(delays), max(delays))  # fmt: skip
