"""One queue's messages: where each of them is, when it comes back, and which may be received next.

A message in SQS is visible, in flight (received, hidden until its visibility timeout ends) or delayed. In a standard
queue each stands for itself. In a FIFO queue the messages of a group stand in line, in the order in which they were
sent: a hidden message blocks those behind it, and never those before it. So here a queue is a set of lines, a message
of a standard queue is a line of one, and only what stands before the first hidden message of its line is receivable.
Every step costs the same however many messages wait. Source: SQS developer guide, FIFO-key-terms.
Taught in notebooks/04_the_queue.ipynb
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..scheduler import Scheduler, Timer
from ..trace import Trace

VISIBLE, IN_FLIGHT, DELAYED, GONE = "visible", "in flight", "delayed", "gone"


@dataclass(slots=True, eq=False)
class Message:
    """A message as SQS keeps it. Times are seconds since the epoch; `receives` counts across all its queues.

    `attributes` are the sender's, `system` may hold its AWSTraceHeader; `group`, `dedup` and `sequence` are for FIFO;
    `handle` is the newest receipt handle; `source_queue` is the ARN of the queue whose dead letter it is; `hops` counts
    the buses that it has come through, see `hops`.
    """

    id: str
    body: str
    attributes: dict[str, Any]
    system: dict[str, Any]
    sent_at: float
    number: int  # unique in the whole cloud
    line: str | int
    group: str | None = None
    dedup: str | None = None
    sequence: str | None = None
    receives: int = 0
    first_received_at: float | None = None
    handle: str = ""
    source_queue: str | None = None
    place: str = GONE
    visible_at: float = 0.0
    timer: Timer | None = field(default=None, repr=False)
    hops: int = 0


class Store:
    """The messages of one queue, whose settings are moto's `queue`."""

    def __init__(self, queue: Any, scheduler: Scheduler, trace: Trace) -> None:
        self.queue, self.scheduler, self.trace = queue, scheduler, trace
        self.name: str = queue.name
        self.messages: OrderedDict[int, Message] = OrderedDict()  # by number: the oldest comes first
        self.lines: dict[str | int, OrderedDict[int, Message]] = {}
        self.ready: OrderedDict[str | int, None] = OrderedDict()  # the lines whose head is visible
        self.count = {VISIBLE: 0, IN_FLIGHT: 0, DELAYED: 0, GONE: 0}
        self.sent: OrderedDict[tuple[str | None, str], tuple[float, Message]] = OrderedDict()  # FIFO deduplication
        self.watchers: list[Callable[[], None]] = []
        self.announced = False
        self.purged_at: float | None = None

    def put(self, message: Message, place: str, seconds: float = 0.0) -> None:
        """Move a message to a place; GONE takes it out. What is hidden for `seconds` becomes visible after them."""
        if message.timer is not None:
            message.timer.cancel()
            message.timer = None
        if place == VISIBLE and message.place == IN_FLIGHT:
            self.trace.add("retry", self.name, message.id, receives=message.receives)
        self.count[message.place] -= 1
        self.count[place] += 1
        message.place, message.visible_at = place, self.scheduler.now + seconds
        line = self.lines.setdefault(message.line, OrderedDict())
        if place == GONE:
            self.messages.pop(message.number, None)
            line.pop(message.number, None)
        else:
            self.messages[message.number] = line[message.number] = message
        if place in (IN_FLIGHT, DELAYED) and seconds > 0:
            message.timer = self.scheduler.after(seconds, partial(self.put, message, VISIBLE))
        self._refresh(message.line)

    def take(self, limit: int) -> list[Message]:
        """Up to `limit` receivable messages, line by line; the caller puts each of them somewhere.

        A line that was taken from is ready again when one of its messages is put back, and goes to the end then, as
        AWS was seen to do with message groups.
        """
        taken: list[Message] = []
        expired: list[Message] = []
        oldest = self.expire()
        while self.ready and len(taken) < limit:
            name, _ = self.ready.popitem(last=False)
            for message in self.lines[name].values():
                if message.place != VISIBLE or len(taken) == limit:
                    break
                (taken if message.sent_at > oldest else expired).append(message)
        for message in expired:
            self.put(message, GONE)
        return taken

    def overtake(self, message: Message) -> None:
        """Let this message's line go first."""
        if message.line in self.ready:
            self.ready.move_to_end(message.line, last=False)

    def expire(self) -> float:
        """Drop what is older than the queue's retention, as far as it stands at the head; return that limit."""
        oldest = self.scheduler.now - self.queue.message_retention_period
        while self.messages and (first := next(iter(self.messages.values()))).sent_at <= oldest:
            self.put(first, GONE)
        return float(oldest)

    def empty(self) -> None:
        """Drop everything, the memory for deduplication included."""
        for message in list(self.messages.values()):
            self.put(message, GONE)
        self.sent.clear()

    def _refresh(self, name: str | int) -> None:
        line = self.lines[name]
        if not line:
            del self.lines[name]
        if line and next(iter(line.values())).place == VISIBLE:
            self.ready.setdefault(name)
            if self.watchers and not self.announced:
                self.announced = True
                self.scheduler.at(self.scheduler.now, self._announce)
        else:
            self.ready.pop(name, None)

    def _announce(self) -> None:
        self.announced = False
        for visible in self.watchers:
            visible()
