"""Dead letters: how a message becomes one, and how a move task brings it back.

A message that was received `maxReceiveCount` times moves to the dead-letter queue at the next receive. It keeps its id,
and from a standard queue the time at which it was first sent: so a dead-letter queue needs the longer retention.
A move task takes the visible messages of such a queue, oldest first, to where they came from or to another queue, as
new messages: a new id, a new time, receive count 0. It fails at one whose source is unknown or whose destination is
gone. Source: SQS developer guide, setting-up-dead-letter-queue-retention, sqs-configure-dead-letter-queue-redrive;
API reference, StartMessageMoveTask; recorded calls.
Departure: AWS chooses its own rate when none is given, here 500 a second. Taught in notebooks/04_the_queue.ipynb
"""

import base64
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..wire.answers import Refusal
from . import fifo
from .limits import invalid, need, number, refusal
from .lines import GONE, VISIBLE, Message, Store

if TYPE_CHECKING:
    from .service import Queues

FASTEST = 500  # messages per second
KEPT = 10  # how many finished tasks of a source AWS still lists


def most_receives(queues: "Queues", store: Store) -> float:
    """The receives after which the next one makes a message a dead letter; infinite without a dead-letter queue."""
    dead_letters = store.queue.dead_letter_queue
    if dead_letters is None or queues.backend.queues.get(dead_letters.name) is not dead_letters:
        return float("inf")
    return float(store.queue.redrive_policy["maxReceiveCount"])


def bury(queues: "Queues", store: Store, message: Message) -> None:
    """Move a message to its queue's dead-letter queue."""
    target = queues.store(store.queue.dead_letter_queue.name)
    store.put(message, GONE)
    number = next(queues.numbers)
    dead = replace(message, number=number, line=number, source_queue=store.queue.queue_arn)
    if target.queue.fifo_queue:
        fifo.bury(dead, queues.scheduler.now)
    queues.trace.add("dead", store.name, message.id, to=target.name, receives=message.receives)
    target.put(dead, VISIBLE)


def check_allowed(queues: "Queues", source_arn: str, policy: Any) -> None:
    """Refuse a redrive policy whose dead-letter queue does not let this queue send there (its RedriveAllowPolicy)."""
    wanted = _document(policy)
    try:
        target = queues.store(str(wanted.get("deadLetterTargetArn"))).queue
    except Refusal:
        return  # moto refuses it, in its own words
    allowed = _document(getattr(target, "redrive_allow_policy", None))
    permission = allowed.get("redrivePermission", "allowAll")
    listed = allowed.get("sourceQueueArns") or []
    if permission == "denyAll" or (permission == "byQueue" and source_arn not in listed):
        reason = f"the RedriveAllowPolicy of {target.name} is {permission} and does not let {source_arn} use it."
        raise invalid(json.dumps(wanted), "RedrivePolicy", f"Dead letter queue: {reason}")


def _document(policy: Any) -> dict[str, Any]:
    try:
        found = json.loads(policy) if isinstance(policy, str) else policy
    except ValueError:
        return {}  # moto refuses it
    return found if isinstance(found, dict) else {}


@dataclass
class Task:
    """One move task. `rate` is what was asked for, messages per second; `started` is seconds since the epoch."""

    handle: str
    source: str
    destination: str | None
    rate: int | None
    to_move: int
    started: float
    moved: int = 0
    status: str = "RUNNING"
    reason: str | None = None


class MoveTasks:
    """The move tasks of one local cloud, newest last."""

    def __init__(self, queues: "Queues") -> None:
        self.queues = queues
        self.tasks: list[Task] = []

    def start(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """StartMessageMoveTask: answers at once, and moves in virtual time."""
        need(parameters, "SourceArn")
        source, destination = parameters["SourceArn"], parameters.get("DestinationArn")
        rate = number(parameters, "MaxNumberOfMessagesPerSecond", 1, FASTEST)
        self._must_exist(source, "SourceArn")
        redriven = (queue.redrive_policy or {} for queue in self.queues.backend.queues.values())
        if all(policy.get("deadLetterTargetArn") != source for policy in redriven):
            raise refusal("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
        if destination is not None:
            self._must_exist(destination, "DestinationArn")
        if any(task.source == source and task.status == "RUNNING" for task in self.tasks):
            words = "There is already a task running. Only one active task is allowed for a source queue arn at a given"
            raise refusal("InvalidParameterValue", f"{words} time.")
        scheduler = self.queues.scheduler
        handle = base64.b64encode(json.dumps({"taskId": scheduler.new_id(), "sourceArn": source}).encode()).decode()
        task = Task(handle, source, destination, rate, self.queues.counts(source)[0], scheduler.now)
        self.tasks.append(task)
        scheduler.at(scheduler.now, lambda: self._move(task))
        return {"TaskHandle": handle}

    def list(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """ListMessageMoveTasks: the newest tasks of a source, newest first."""
        need(parameters, "SourceArn")
        self._must_exist(parameters["SourceArn"], "SourceArn")
        limit = number(parameters, "MaxResults", 1, KEPT) or 1
        found = [task for task in reversed(self.tasks) if task.source == parameters["SourceArn"]]
        return {"Results": [_entry(task) for task in found[:limit]]}

    def cancel(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """CancelMessageMoveTask: what has moved stays moved."""
        need(parameters, "TaskHandle")
        task = next((task for task in self.tasks if task.handle == parameters["TaskHandle"]), None)
        if task is None:
            raise refusal("InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
        if task.status != "RUNNING":
            raise refusal("ResourceNotFoundException", "Task does not exist.")
        task.status = "CANCELLED"
        return {"ApproximateNumberOfMessagesMoved": task.moved}

    def _move(self, task: Task) -> None:
        """Move the oldest visible message, and come again for the next."""
        if task.status != "RUNNING":
            return
        try:
            store = self.queues.store(task.source)
        except Refusal as error:
            task.status, task.reason = "FAILED", error.code
            return
        taken = store.take(1)
        if not taken:
            task.status = "COMPLETED"
            return
        with self.queues.scheduler.carrying(taken[0].hops):
            task.reason = self._send(taken[0], task.destination or taken[0].source_queue, store)
        if task.reason is not None:
            task.status = "FAILED"
            store.put(taken[0], VISIBLE)
            store.overtake(taken[0])  # where it was: first
            return
        store.put(taken[0], GONE)
        task.moved += 1
        self.queues.scheduler.after(1 / (task.rate or FASTEST), lambda: self._move(task))

    def _send(self, message: Message, destination: str | None, store: Store) -> str | None:
        """Send a dead letter again; returns AWS's reason when that fails."""
        if destination is None:
            return "CouldNotDetermineMessageSource"
        try:
            sent = self.queues.send(
                destination,
                message.body,
                attributes=message.attributes,
                system=message.system,
                group=message.group,
                dedup=message.dedup,
                source=f"redrive of {store.name}",
            )
        except Refusal as error:  # the destination was deleted
            return error.code
        to = self.queues.store(destination).name
        self.queues.trace.add("redrive", store.name, message.id, to=to, message=sent.id)
        return None

    def _must_exist(self, arn: str, parameter: str) -> None:
        try:
            self.queues.store(arn)
        except Refusal:
            message = f"The resource that you specified for the {parameter} parameter doesn't exist."
            raise refusal("ResourceNotFoundException", message) from None


def _entry(task: Task) -> dict[str, Any]:
    known = {
        "TaskHandle": task.handle if task.status == "RUNNING" else None,
        "Status": task.status,
        "SourceArn": task.source,
        "DestinationArn": task.destination,
        "MaxNumberOfMessagesPerSecond": task.rate,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.reason,
        "StartedTimestamp": int(task.started * 1000),
    }
    return {name: value for name, value in known.items() if value is not None}
