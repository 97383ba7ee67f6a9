"""Who moves the world: the thread that made it, and from the first call of any other thread on a thread of its own.

AWS serves many callers at once. Here callers take turns: one moves the world until it has its answer, the others wait.
A parked handler is a greenlet, and a greenlet goes on only in the thread in which it started. So, once a second thread
takes part (four workers of a cell, a browser at `cloud.serve()`), one thread does all the moving: a caller hands its
work over and waits. As long as there is one thread only, none of this happens, and nothing is slower.
Departure: the threads that a handler starts itself are not callers of this kind. Nobody else has the turn while their
handler waits for them, so their calls are refused, by an error that says so, after PATIENCE real seconds.

Taught in notebooks/02_the_front_door.ipynb.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue

PATIENCE = 30.0  # real seconds in which a world that somebody moves must have got a step further
STEP = 0.2  # real seconds between two looks for Ctrl-C: on Windows a wait without a time-out cannot be interrupted


class _Job:
    def __init__(self, step: Callable[[], bool]) -> None:
        self.step, self.ended, self.stopped = step, threading.Event(), False
        self.error: BaseException | None = None


class Driver:
    """The turn to move one world (a context manager, as a lock is), and the thread that moves it."""

    def __init__(self) -> None:
        self._home = threading.get_ident()
        self._lock = threading.RLock()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._steps = 0
        self._own: int | None = None  # the identity of that thread while it lives

    def __enter__(self) -> None:
        seen = self._steps
        while not self._is_own() and not self._lock.acquire(timeout=PATIENCE):
            if self._steps == seen:
                raise RuntimeError(
                    f"no turn to call AWS in {PATIENCE:g} s: a handler that waits for its own threads waits for ever; "
                    "let the handler make its calls itself"
                )
            seen = self._steps

    def __exit__(self, *_: object) -> None:
        if not self._is_own():
            self._lock.release()

    def drive(self, step: Callable[[], bool], parked: int) -> None:
        """Call `step` until it tells that there is nothing left to do, in the right thread. The caller has the turn.

        `parked` is how many handlers stand in the middle: no second thread can take them over (RuntimeError).
        """
        if self._is_own() or (self._thread is None and threading.get_ident() == self._home):
            while step():
                self._steps += 1
        else:
            self.take_over(parked)
            self._hand_over(_Job(step))

    def take_over(self, parked: int) -> None:
        """From here on a thread of its own moves the world."""
        if self._thread is not None:
            return
        if parked:
            raise RuntimeError(
                f"{parked} handlers stand in the middle of their work, and only the thread that started them can go on "
                "with them: call cloud.run() first, then start other threads or cloud.serve()"
            )
        self._thread = threading.Thread(target=self._work, name="orderlab world", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End that thread, as soon as it has nothing to do."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None
            self._home = threading.get_ident()

    def _is_own(self) -> bool:
        return self._own == threading.get_ident()

    def _hand_over(self, job: _Job) -> None:
        self._jobs.put(job)
        try:
            while not job.ended.wait(STEP):
                pass
        except BaseException:  # Ctrl-C: the world stops after the step that it is in
            job.stopped = True
            while not job.ended.wait(STEP):
                pass
            raise
        if job.error is not None:
            raise job.error

    def _work(self) -> None:
        self._own = threading.get_ident()
        while (job := self._jobs.get()) is not None:
            try:
                while not job.stopped and job.step():
                    self._steps += 1
            except BaseException as error:  # belongs to the caller: it is raised there
                job.error = error
            job.ended.set()
        self._own = None
