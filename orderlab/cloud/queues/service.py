"""SQS, the message plane: send, receive, delete, visibility, dead letters, in virtual time.

SQS delivers a message at least once. A receive hides it for the visibility timeout and gives out a receipt handle;
who does not delete it in time gets it again, and after `maxReceiveCount` receives it goes to the dead-letter queue,
with its id and, from a standard queue, with the time at which it was first sent. moto keeps the control plane (the
queues and their settings). Order in a standard queue: AWS promises none; here first come, first served, and what comes
back goes to the end. Source: SQS developer guide, sqs-visibility-timeout, sqs-dead-letter-queues.
Departures: a message's retention is judged when its queue is looked at; fairness between message groups of a standard
queue is not modelled. Taught in notebooks/04_the_queue.ipynb
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..faults import Faults
from ..scheduler import Scheduler
from ..stack.template import TemplateError
from ..trace import Trace
from ..wire.answers import Refusal
from . import control, fifo, handles, operations
from .limits import LONGEST_VISIBILITY, invalid, refusal
from .lines import DELAYED, GONE, IN_FLIGHT, VISIBLE, Message, Store
from .redrive import MoveTasks, bury, check_allowed, most_receives

DUPLICATE = (0.001, 1.0)  # seconds after which the fault "duplicate" delivers a message's copy


class Queues:
    """The messages of all queues. A queue is named by its name, URL or ARN; times are in seconds.

    Raises Refusal where SQS answers with an error.
    """

    def __init__(self, scheduler: Scheduler, trace: Trace, faults: Faults, backend: Any) -> None:
        self.scheduler, self.trace, self.faults, self.backend = scheduler, trace, faults, backend
        self.moves = MoveTasks(self)
        self._stores: dict[str, Store] = {}
        self.numbers = itertools.count(1)
        self._uninstall: Callable[[], None] | None = None
        for queue in backend.queues.values():  # CloudFormation made them, unchecked
            try:
                check_allowed(self, queue.queue_arn, queue.redrive_policy)
            except Refusal as refusal:
                raise TemplateError(f"queue {queue.name}: {refusal.message}") from None

    def send(
        self,
        queue: str,
        body: str,
        *,
        attributes: dict[str, Any] | None = None,
        delay: float | None = None,
        group: str | None = None,
        dedup: str | None = None,
        source: str = "",
        system: dict[str, Any] | None = None,
    ) -> Message:
        """Put a message into a queue. A FIFO queue that has had it in the last 5 minutes returns the first one."""
        store, now, number = self.store(queue), self.scheduler.now, next(self.numbers)
        fifo.check(store, group, dedup, delay)
        wait = float(store.queue.delay_seconds if delay is None or store.queue.fifo_queue else delay)
        message = Message(
            self.scheduler.new_id(), body, attributes or {}, system or {}, now, number, number, group, dedup
        )
        message.hops = self.scheduler.hops
        if store.queue.fifo_queue:
            earlier = fifo.line_up(store, message)
            if earlier is not None:
                return earlier
        else:
            wait += self.faults.amount("delay", store.name)
        detail = {"source": source} if source else {}
        self.trace.add("send", store.name, message.id, **detail, **({"delay": wait} if wait else {}))
        store.put(message, DELAYED if wait else VISIBLE, wait)
        if not store.queue.fifo_queue:
            self._disturb(store, message)
        return message

    def receive(self, queue: str, limit: int, *, visibility: float | None = None) -> list[Message]:
        """Up to `limit` messages, hidden for `visibility` seconds (default: the queue's visibility timeout).

        Each counts one receive more and has a new handle. What was received `maxReceiveCount` times already goes to
        the dead-letter queue instead. Messages are visible again when `visible_at <= now`.
        """
        store, now = self.store(queue), self.scheduler.now
        seconds = float(store.queue.visibility_timeout if visibility is None else visibility)
        most = most_receives(self, store)
        received: list[Message] = []
        while len(received) < limit and (taken := store.take(limit - len(received))):
            for message in taken:
                if message.receives >= most:
                    bury(self, store, message)
                else:
                    message.receives += 1
                    message.first_received_at = message.first_received_at or now
                    message.handle = handles.handle_of(store, message)
                    store.put(message, IN_FLIGHT, seconds)
                    received.append(message)
        if received:
            ids, counts = [m.id for m in received], [m.receives for m in received]
            what = f"{len(received)} message{'' if len(received) == 1 else 's'}"
            self.trace.add("receive", store.name, what, ids=ids, receives=counts, hidden=seconds)
        for message in received if seconds == 0 else ():
            store.put(message, VISIBLE)
        return received

    def delete(self, queue: str, handle: str, *, why: str = "") -> None:
        """Delete a message by its newest handle. An older one "succeeds" in a standard queue, and deletes nothing."""
        store = self.store(queue)
        message = handles.find(store, handle, newest=True)
        if message is not None:
            self.trace.add("delete", store.name, message.id, **({"why": why} if why else {}))
            store.put(message, GONE)

    def change_visibility(self, queue: str, handle: str, seconds: float) -> None:
        """Hide a received message for `seconds` from now; 0 shows it at once. Older handles do, as on AWS."""
        store, now = self.store(queue), self.scheduler.now
        message = handles.find(store, handle, newest=False)
        if message is None:
            reason = "Message does not exist or is not available for visibility timeout change."
            raise invalid(handle, "ReceiptHandle", reason)
        if seconds > 0 and now + seconds - (message.first_received_at or now) > LONGEST_VISIBILITY:
            reason = f"Total VisibilityTimeout for the message is beyond the limit [{LONGEST_VISIBILITY} seconds]"
            raise invalid(seconds, "VisibilityTimeout", reason)
        self.trace.add("visibility", store.name, message.id, seconds=seconds)
        store.put(message, IN_FLIGHT if seconds > 0 else VISIBLE, seconds)

    def watch(self, queue: str, visible: Callable[[], None]) -> None:
        """Have `visible()` called in the loop whenever a message of this queue becomes, or may be, receivable."""
        self.store(queue).watchers.append(visible)

    def receivable(self, queue: str) -> bool:
        """Is there anything that a receive would look at now? Not in a queue that was deleted."""
        try:
            return bool(self.store(queue).ready)
        except Refusal:
            return False

    def messages(self, queue: str) -> list[Message]:
        """Everything that the queue holds, oldest first: to look at, not to change."""
        store = self.store(queue)
        oldest = store.expire()
        return [message for message in store.messages.values() if message.sent_at > oldest]

    def counts(self, queue: str) -> tuple[int, int, int]:
        """How many messages are visible, in flight and delayed."""
        count = self.store(queue).count
        return count[VISIBLE], count[IN_FLIGHT], count[DELAYED]

    def stores(self) -> list[Store]:
        """The queues that anybody has used or watches, as they are now."""
        return [self.store(name) for name in list(self._stores) if name in self.backend.queues]

    def clear(self) -> None:
        """Forget all messages and move tasks, and number from 1 again; who watches goes on watching."""
        self.moves, self.numbers = MoveTasks(self), itertools.count(1)
        for store in self._stores.values():
            store.empty()
            store.announced, store.purged_at = False, None

    def operations(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]]:
        """What boto3 may call: (service, operation) to a function from parameters to result."""
        return operations.operations(self)

    def install(self) -> None:
        """Let moto's own senders and GetQueueAttributes see these messages."""
        self._uninstall = control.install(self)

    def uninstall(self) -> None:
        """Give moto its own messages back."""
        if self._uninstall is not None:
            self._uninstall()
            self._uninstall = None

    def store(self, queue: str) -> Store:
        """The messages of the queue of this name, URL or ARN. Raises AWS's error when there is no such queue."""
        name = queue.rpartition("/")[2].rpartition(":")[2]
        known, found = self._stores.get(name), self.backend.queues.get(name)
        if known is not None and known.queue is not found:  # deleted, and perhaps created again
            self._stores.pop(name).empty()
            known = None
        if found is None:
            raise refusal("QueueDoesNotExist", "The specified queue does not exist.")
        if known is None:
            known = self._stores[name] = Store(found, self.scheduler, self.trace)
        known.expire()
        return known

    def _disturb(self, store: Store, message: Message) -> None:
        """The faults of a standard queue: a later message overtakes, a message arrives twice."""
        if self.faults.strikes("reorder", store.name):
            self.trace.add("fault", store.name, "reorder", id=message.id)
            store.overtake(message)
        if self.faults.strikes("duplicate", store.name):
            self.trace.add("fault", store.name, "duplicate", id=message.id)
            number = next(self.numbers)
            twin = replace(message, number=number, line=number, place=GONE, timer=None)
            store.put(twin, DELAYED, message.visible_at - self.scheduler.now + self.scheduler.latency(*DUPLICATE))
