"""CloudWatch's metrics of one local cloud: read off the trace and the queues, by the minute.

SQS reports its queues once a minute, and only the active ones: those that hold messages, are polled, or were used in
the last six hours. An idle queue sends nothing at all, which is why an alarm on one must say what missing data means.
The age of the oldest message leaves out what was received three times and more (a poison message), and counts from the
move in a dead-letter queue.
Source: SQS developer guide, sqs-available-cloudwatch-metrics, sqs-monitoring-using-cloudwatch.
Departures: metrics are there at once (SQS may take 15 minutes when a queue wakes up, Lambda some); a receive that finds
nothing leaves no trace, so it keeps no queue active, and NumberOfEmptyReceives is not there; in a dead-letter queue
the receives before the move are counted on, so poison is not left out of its age. Data points are never thinned out.

Taught in notebooks/12_ship_it.ipynb
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ..queues.lines import DELAYED, IN_FLIGHT, VISIBLE, Store
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..trace import Row, Trace
from .data import MINUTE, Data, Metric
from .rows import Rows, check

ACTIVE = 6 * 3600.0  # seconds
POISON = 3  # receives after which a message no longer counts as the oldest
_COUNTED = {"send": "NumberOfMessagesSent", "receive": "NumberOfMessagesReceived", "delete": "NumberOfMessagesDeleted"}


class Metrics:
    """The metrics of one local cloud. `each_minute` are called at every full minute, after the queues were looked at.

    The looks are due while time passes, and never a reason for time to pass.
    """

    def __init__(self, scheduler: Scheduler, trace: Trace, stack: Stack, queues: Queues) -> None:
        self.scheduler, self.trace, self.stack, self.queues = scheduler, trace, stack, queues
        self.each_minute: list[Callable[[], None]] = []
        self.clear()

    def clear(self) -> None:
        """Forget all data points and start again at the present time; who looks on goes on looking."""
        self.data = Data()
        self._rows = Rows(self.stack, self.data)
        self._seen: Counter[str] = Counter()  # rows, by reader
        self._counts: Counter[tuple[str, str]] = Counter()  # of this minute, by queue and metric
        self._used: dict[str, float] = {}  # queue: when it was last active
        self._moved: dict[tuple[str, str], float] = {}  # dead letter: when it was moved
        self._plan()

    def series(
        self,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str] | Iterable[Mapping[str, str]] = (),
        period: float = MINUTE,
        statistic: str = "Average",
    ) -> list[tuple[float, float]]:
        """(start of the period in seconds since the epoch, statistic) of every period that has data, oldest first.

        `dimensions` must be the metric's own, all of them. Raises NotYet for what is not done here.
        """
        self.read()
        metric = check(Metric.of(namespace, name, dimensions))
        return self.data.series(metric, 0.0, self.scheduler.now + period, period, statistic)

    def read(self) -> None:
        """Read what the trace has new, all but the queues' rows: only when somebody asks, for it costs."""
        for row in self._new("metrics"):
            self._rows.read(row)

    def _count(self) -> None:
        """Count the messages of this minute."""
        for row in self._new("messages"):
            metric = _COUNTED.get(row.kind)
            if metric is not None:
                self._used[row.actor] = row.at
                purged = row.detail.get("why") == "purge"  # which SQS does not count as deletes
                self._counts[row.actor, metric] += len(row.detail["ids"]) if row.kind == "receive" else not purged
            elif row.kind == "dead":
                self._moved[row.detail["to"], row.what] = row.at

    def _new(self, reader: str) -> list[Row]:
        """The rows that this reader has not seen; all of them when somebody has emptied the trace meanwhile."""
        rows, seen = self.trace.rows, self._seen[reader]
        self._seen[reader] = len(rows)
        return rows[seen if seen <= len(rows) else 0 :]

    def _plan(self) -> None:
        at = (self.scheduler.now // MINUTE + 1) * MINUTE
        self.scheduler.at(at, self._look, background=True)

    def _look(self) -> None:
        self._count()
        for store in self.queues.stores():
            self._look_at(store)
        self._counts.clear()
        for tell in self.each_minute:
            tell()
        self._plan()

    def _look_at(self, store: Store) -> None:
        """One minute of one queue, stamped with its beginning."""
        name, now = store.name, self.scheduler.now
        if store.messages or store.watchers:
            self._used[name] = now
        elif now - self._used.get(name, -ACTIVE) >= ACTIVE:
            return
        values: dict[str, float] = {metric: self._counts[name, metric] for metric in _COUNTED.values()}
        values["ApproximateNumberOfMessagesVisible"] = store.count[VISIBLE]
        if store.messages:  # these are reported only while there is something to report
            passing = {
                "ApproximateNumberOfMessagesNotVisible": store.count[IN_FLIGHT],
                "ApproximateNumberOfMessagesDelayed": store.count[DELAYED],
                "ApproximateAgeOfOldestMessage": self._age(store),
            }
            values.update((metric, value) for metric, value in passing.items() if value)
        for metric, value in values.items():
            unit = "Seconds" if metric == "ApproximateAgeOfOldestMessage" else "Count"
            self.data.add(Metric("AWS/SQS", metric, (("QueueName", name),)), now - MINUTE, value, unit)

    def _age(self, store: Store) -> float:
        """Seconds since the oldest message was sent, or moved to this dead-letter queue."""
        fifo = store.queue.fifo_queue
        for message in store.messages.values():
            if fifo or message.source_queue or message.receives < POISON:
                return self.scheduler.now - self._moved.get((store.name, message.id), message.sent_at)
        return 0.0
