"""One thread of virtual time: a heap of things to do, and one greenlet for every piece of code that may sleep.

On AWS many functions run at once on many machines. Here they overlap in virtual time instead: exactly one runs at any
instant, and it hands over only when it sleeps, waits, or is about to call AWS. What runs next is decided by
(virtual time, sequence) alone, so the same seed gives the same history, byte for byte.
"""

import heapq
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from greenlet import getcurrent, greenlet

from .driving import Driver


@dataclass(frozen=True)
class Outcome:
    """How a task ended: its value, or the error that it raised."""

    value: Any = None
    error: BaseException | None = None


class Timer:
    """One thing to do at one instant. A cancelled timer is skipped and never moves the clock."""

    __slots__ = ("action", "cancelled", "hops", "when")

    def __init__(self, when: float, action: Callable[[], None], hops: int) -> None:
        self.when, self.action, self.hops, self.cancelled = when, action, hops, False

    def cancel(self) -> None:
        self.cancelled = True


class Task(greenlet):
    """A piece of code that may sleep in virtual time. `context` says whose code it is (an invocation)."""

    def __init__(self, work: Callable[[], Any], done: Callable[[Outcome], None], context: Any, hops: int) -> None:
        super().__init__()
        self.work, self.done, self.context, self.hops = work, done, context, hops
        self.timer: Timer | None = None
        self.outcome = Outcome()

    def run(self) -> None:
        try:
            self.outcome = Outcome(value=self.work())
        except KeyboardInterrupt:
            raise  # belongs to the person at the keyboard: it surfaces in their cell
        except BaseException as error:
            self.outcome = Outcome(error=error)


class Scheduler:
    """The virtual clock and everything that waits for it. Times are seconds since the epoch, durations seconds.

    `lock` is the turn of whoever moves this world from outside (a cell, one of its threads), never of a parked task.
    `hops` counts the buses that what is done now has come through, see `hops`: a timer and a task inherit it.
    """

    def __init__(self, start: float, seed: int) -> None:
        self.now = start
        self.rng = random.Random(f"scheduler {seed}")
        self.lock = Driver()
        self._parked: set[Task] = set()
        self._heap: list[tuple[float, int, Timer]] = []
        self._background: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self.hops = 0
        self._waiting: list[tuple[Task, Callable[[], bool]]] = []

    def at(self, when: float, action: Callable[[], None], *, background: bool = False) -> Timer:
        """Do `action` at that instant (or now, if it has passed). Returns a timer that can be cancelled.

        What is done in the `background`, for ever and a day (an alarm's look at its metric), is due like anything
        else while time passes, but is no reason for time to pass: a world with nothing else to do is quiet.
        """
        timer = Timer(max(when, self.now), action, self.hops)
        self._sequence += 1
        heapq.heappush(self._background if background else self._heap, (timer.when, self._sequence, timer))
        return timer

    def after(self, delay: float, action: Callable[[], None], *, background: bool = False) -> Timer:
        """Do `action` in `delay` seconds."""
        return self.at(self.now + delay, action, background=background)

    def latency(self, low: float, high: float) -> float:
        """A seeded delay in seconds: what makes two runs with different seeds interleave differently."""
        return self.rng.uniform(low, high)

    def new_id(self) -> str:
        """A seeded UUID, as AWS names messages, events, executions and mappings."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def spawn(self, work: Callable[[], Any], done: Callable[[Outcome], None], context: Any = None) -> Task:
        """Start `work` as a task as soon as the loop is reached; `done` is called in the loop when it has ended."""
        task = Task(work, done, context, getattr(context, "hops", self.hops))
        task.timer = self.at(self.now, lambda: self._resume(task))
        return task

    @contextmanager
    def carrying(self, hops: int) -> Iterator[None]:
        """What is done inside has come through that many buses: for what lay somewhere, a message or a record."""
        before, self.hops = self.hops, hops
        try:
            yield
        finally:
            self.hops = before

    def current(self) -> Task | None:
        """The task that is running, or None when it is the code of a cell, a test or the loop itself."""
        running = getcurrent()
        return running if isinstance(running, Task) else None

    def sleep(self, seconds: float) -> None:
        """In a task: park it. Outside any task: run the world forward by that much."""
        task = self.current()
        if task is None:
            self.advance(max(seconds, 0.0))
            return
        task.timer = self.after(max(seconds, 0.0), lambda: self._resume(task))
        task.parent.switch()

    def wait(self, ready: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until `ready()` or for `timeout` seconds at most, and tell which: True when it became ready.

        A task is parked and its condition looked at again after every event; outside a task the world runs.
        Without a time-out, a world with nothing left to do ends the wait too: nothing ever hangs.
        """
        if ready():
            return True
        task = self.current()
        if task is None:
            with self.lock:
                deadline = None if timeout is None else self.now + timeout
                self.lock.drive(lambda: not ready() and self._step(deadline), len(self._parked))
                if deadline is not None and not ready():
                    self.now = max(self.now, deadline)
                return ready()
        entry = (task, ready)
        if timeout is not None:
            task.timer = self.after(timeout, lambda: self._resume(task))
        self._waiting.append(entry)
        try:
            task.parent.switch()
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        return ready()

    def kill(self, task: Task, error: BaseException) -> None:
        """Raise `error` in a parked task, now: an execution environment that is stopped."""
        if task.timer is not None:
            task.timer.cancel()
        self._waiting = [entry for entry in self._waiting if entry[0] is not task]
        self._resume(task, error)

    def run(self, until: float | None = None) -> None:
        """Run to quiet (nothing is left to do), or to the instant `until`, at which the clock then stands."""
        if self.current() is not None:
            raise RuntimeError(
                "run() and advance() move the whole world: call them from a cell or a test, "
                "never from inside a handler (there, time.sleep is virtual)"
            )
        with self.lock:
            self.lock.drive(lambda: self._step(until), len(self._parked))
            if until is not None:
                self.now = max(self.now, until)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of virtual time pass."""
        if seconds < 0:
            raise ValueError(f"time only moves forward: advance({seconds}) is negative")
        self.run(self.now + seconds)

    def share(self) -> None:
        """Let other threads move this world too. Raises RuntimeError while a handler stands in the middle."""
        with self.lock:
            self.lock.take_over(len(self._parked))

    def reset(self, start: float, seed: int) -> None:
        """As new, at `start`: everything that waits is forgotten, parked tasks are dropped as they stand."""
        self.now = start
        self.rng.seed(f"scheduler {seed}")
        self._heap.clear()
        self._background.clear()
        self._waiting.clear()
        self._parked.clear()
        self._sequence = self.hops = 0

    def _step(self, limit: float | None) -> bool:
        """Do the next thing, if it is due by `limit`; tell whether there was one."""
        heap = self._next(limit)
        if heap is None:
            return False
        when, _, timer = heapq.heappop(heap)
        self.now = max(self.now, when)
        with self.carrying(timer.hops):
            timer.action()
        if self._waiting:
            for task, ready in list(self._waiting):
                if ready() and not task.dead:
                    if task.timer is not None:
                        task.timer.cancel()
                    self._waiting.remove((task, ready))
                    task.timer = self.at(self.now, lambda task=task: self._resume(task))  # type: ignore[misc]
        return True

    def _next(self, limit: float | None) -> list[tuple[float, int, Timer]] | None:
        """The heap whose first timer is next; background timers alone do not make time pass beyond `limit`."""
        work, background = self._heap, self._background
        for heap in (work, background):
            while heap and heap[0][2].cancelled:
                heapq.heappop(heap)
        if not work and limit is None:
            return None
        heap = background if background and (not work or background[0] < work[0]) else work
        return heap if heap and (limit is None or heap[0][0] <= limit) else None

    def _resume(self, task: Task, error: BaseException | None = None) -> None:
        if task.dead:
            return
        task.parent = getcurrent()  # the loop that is running now is where the task hands over to
        task.timer = None
        self._parked.add(task)
        with self.carrying(task.hops):
            try:
                if error is None:
                    task.switch()
                else:
                    task.throw(error)
            finally:
                if task.dead:
                    self._parked.discard(task)
            if task.dead:
                task.done(task.outcome)
