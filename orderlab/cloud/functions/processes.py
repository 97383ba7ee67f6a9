"""The second runner: each execution environment is a process of its own, `Cloud(runner="processes")`.

On AWS an environment is a small machine in which a runtime asks the Runtime API for the next event; it is frozen
between two events, and killed when an invocation takes longer than the function's timeout. Here it is a child process
of this Python that does the same: a timeout kills it, a cold start is the time that it takes to start, its variables
are the function's, what a thread of it asks of AWS between two events waits for the next one, and its boto3 reaches
this cloud.
Time in the child is real, and passes in the cloud too, as it goes; so a history here is never the same twice.
Departures from AWS: a program that a handler starts does not reach this cloud; a frozen child that asks for nothing
goes on; an initialisation over 10 s is a failed invocation (Lambda would start it once more within the function's
timeout); on Windows a child's own children survive a kill.
Source: Lambda developer guide, runtimes-api, lambda-runtime-environment, configuration-envvars.
Taught in notebooks/06_where_state_lives.ipynb
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..scheduler import Scheduler
from ..wire.calls import Wire
from .sandbox import Process
from .shipping import RunnerError, ship


class Processes:
    """Makes the environments of one cloud, and ends them. Raises RunnerError where there is no Python to start."""

    def __init__(self, scheduler: Scheduler, wire: Wire, tell: Callable[..., int]) -> None:
        if not sys.executable or not Path(sys.executable).exists():
            raise RunnerError(f"no Python to start processes with (sys.executable is {sys.executable!r})")
        self.scheduler, self.wire, self.tell = scheduler, wire, tell
        self.alive: set[Process] = set()
        self.folder = tempfile.TemporaryDirectory(prefix="orderlab-", ignore_cleanup_errors=True)

    def make(self, function: Any, write: Callable[[str], None], seed: str, skew: float) -> "Process":
        """A new environment. Its process starts when its handler is loaded; chance in it is real, `seed` unused."""
        return Process(self, function, write, skew)

    def check(self, handler: Callable[[Any, Any], Any]) -> None:
        """Raises RunnerError for a handler that cannot be sent to a process."""
        ship(handler)

    def clear(self) -> None:
        """End every process."""
        for process in list(self.alive):
            process.retire()

    def close(self) -> None:
        """End every process and remove the packages."""
        self.clear()
        self.folder.cleanup()
