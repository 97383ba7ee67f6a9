"""`lend()`: a crowd of messages, a function that takes its time over them, and what became of each receive.

The worst case behind AWS's rule of six: Lambda has received a batch, so its visibility timeout runs, but the function
has no concurrency left for it and Lambda must wait. The work is `toil`, in ReserveStock's place; it cannot fail.
Where it lies: how long Lambda waits before it tries a throttled batch again is drawn here; AWS publishes no numbers.
Source: Lambda developer guide, services-sqs-errorhandling. Taught in notebooks/04_the_queue.ipynb
"""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

FUNCTION, QUEUE, MAPPING = "ReserveStock", "StockQueue", "ReserveStockMapping"
BATCH = 10  # messages: the mapping's, and the most that one call sends


def toil(event: dict[str, Any], context: Any) -> None:
    """Work for as many seconds as each message says."""
    for record in event["Records"]:
        time.sleep(float(record["body"]))


@dataclass(frozen=True)
class Loan:
    """One receive of a message, in seconds since the start: the work in it (None: there was none), and its end.

    It ended in "delete", in "retry" (the message showed up again), or in "dead" (it did, for the last time).
    """

    began: float
    work: tuple[float, float] | None
    ended: float
    end: str


@dataclass(frozen=True)
class Lent:
    """One history: `loans` are those of each message, in the order of sending. Seconds; `work` is a batch's."""

    seed: int
    timeout: float
    visibility: float
    work: float
    copies: int
    loans: tuple[tuple[Loan, ...], ...]

    @property
    def deliveries(self) -> float:
        """Receives per message."""
        return sum(len(one) for one in self.loans) / len(self.loans)

    @property
    def doubled(self) -> int:
        """Messages that were worked on more than once."""
        return sum(sum(loan.work is not None for loan in one) > 1 for one in self.loans)

    @property
    def dead(self) -> int:
        """Messages that ended in the dead-letter queue."""
        return sum(one[-1].end == "dead" for one in self.loans)

    @property
    def unseen(self) -> int:
        """Dead letters that no code has ever worked on."""
        return sum(one[-1].end == "dead" and not any(loan.work for loan in one) for one in self.loans)


def lend(cloud: "Cloud", visibility: int, work: float = 9.5, copies: int = 1, messages: int = 50) -> Lent:
    """Empty the cloud, send the messages at one instant, and let it run: `work` is seconds for each batch of ten.

    The mapping takes five batches at once; the function may run `copies` times at once. Limit and visibility timeout
    (seconds) are as before afterwards. Raises ValueError for messages that are no whole batches.
    """
    if messages < BATCH or messages % BATCH:
        raise ValueError(f"messages are sent by tens, so {messages} is none of 10, 20 and so on")
    cloud.reset()
    cloud.replace(FUNCTION, toil)
    name, url = cloud.outputs[f"{FUNCTION}Name"], cloud.outputs[f"{QUEUE}Url"]
    cloud.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=copies)
    sqs = cloud.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(visibility)})
    entries = [{"Id": str(n), "MessageBody": str(work / BATCH)} for n in range(BATCH)]
    for _ in range(messages // BATCH):
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    cloud.run()
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    cloud.client("lambda").delete_function_concurrency(FunctionName=name)
    timeout = cloud.functions.resolve(FUNCTION).timeout
    return Lent(cloud.seed, timeout, visibility, work, copies, _read(cloud, url.rpartition("/")[2]))


def _read(cloud: "Cloud", queue: str) -> tuple[tuple[Loan, ...], ...]:
    """The loans of every message that was sent to this queue, out of the trace."""
    trace = cloud.trace
    found: dict[str, list[Loan]] = {row.what: [] for row in trace.select("send", actor=queue)}
    lent: dict[str, float] = {}
    works: dict[str, list[tuple[float, float]]] = {one: [] for one in found}
    stops = {row.detail["request"]: row.at - trace.start for row in trace.select("end", "error")}
    for row in trace.rows:
        at = row.at - trace.start
        if row.kind == "receive":
            lent |= dict.fromkeys(row.detail["ids"], at)
        elif row.kind == "invoke":
            for one in row.detail["ids"]:
                works[one].append((at, stops[row.detail["request"]]))
        elif row.kind == "dead":
            found[row.what][-1] = replace(found[row.what][-1], ended=at, end="dead")
        elif row.kind in ("delete", "retry") and row.what in lent:
            began = lent.pop(row.what)
            mine = [work for work in works[row.what] if began <= work[0]]
            found[row.what].append(Loan(began, mine[0] if mine else None, at, row.kind))
    return tuple(map(tuple, found.values()))
