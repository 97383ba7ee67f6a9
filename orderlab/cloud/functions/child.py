"""One child process: started with nothing but what it is given, listened to, and killed with all that it started.

Its standard output and error are the function's log. Its standard input is a leash: it ends when this process does.
Source: Lambda developer guide, configuration-envvars (the variables), lambda-runtime-environment.
Taught in notebooks/06_where_state_lives.ipynb
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from ..guard import FAKE
from ..wire.calls import Crash
from .errors import exit_error
from .shipping import RunnerError

# of this machine's own variables, only what Python needs to start
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")


def command(handler: str, offset: float) -> list[str]:
    """The child's command line; `offset` is what the cloud's clock is ahead of the real one, in seconds."""
    runtime, libraries = Path(__file__).with_name("runtime.py"), Path(boto3.__file__).parents[1]
    return [sys.executable, "-I", "-X", "utf8", str(runtime), repr(offset), str(libraries)]


def variables(function: Any, handler: str, folder: Path, address: str) -> dict[str, str]:
    """The child's whole environment: the function's variables, and those that Lambda sets."""
    return {
        **{name: os.environ[name] for name in _KEPT if name in os.environ},
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC" if os.name == "posix" else "UTC",
        **function.variables,
        **FAKE,
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "LAMBDA_TASK_ROOT": str(folder),
        "LAMBDA_RUNTIME_DIR": str(Path(__file__).parent),
        "_HANDLER": handler,
    }


class Child:
    """A process, from its start. `ended(status)` is called in a thread when it has ended, below 0 for a signal.

    Raises RunnerError when it cannot be started.
    """

    def __init__(self, line: list[str], folder: Path, environment: dict[str, str], ended: Callable[[int], None]):
        group: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {"creationflags": 0x200}
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                line, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, **group
            )
        except OSError as error:
            raise RunnerError(f"cannot start a process with {line[0]}: {error}") from error
        self._printed, self._read, self._reading = b"", 0, threading.Condition()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        threading.Thread(target=lambda: ended(self._process.wait()), daemon=True).start()

    def kill(self) -> None:
        """Kill it and, where there are process groups, what it started; wait for the end."""
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        self._reader.join(1.0)  # what the child had started may hold its output open

    def lines(self, written: int | None = None) -> list[str]:
        """The lines printed since the last call: once `written` bytes have come, or all, an unended one too."""
        with self._reading:
            if written is not None:
                self._reading.wait_for(lambda: self._read >= written, 1.0)
            whole, _, rest = (self._printed, b"", b"") if written is None else self._printed.rpartition(b"\n")
            self._printed = rest
        return whole.decode(errors="replace").splitlines()

    def _listen(self) -> None:
        with self._process.stdout as pipe:  # type: ignore[union-attr]
            while data := os.read(pipe.fileno(), 65536):
                with self._reading:
                    self._printed += data
                    self._read += len(data)
                    self._reading.notify_all()


class Reported(Exception):
    """An error that the child reported, as it reported it."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(report.get("errorMessage", ""))
        self.report = report


class Exited(Crash):
    """The child ended without an answer; a negative status is the signal that ended it."""

    def __init__(self, request_id: str, status: int) -> None:
        how = f"with error: exit status {status}" if status else "without providing a reason"
        if status < 0:
            how = f"with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"
        self.report = exit_error("Runtime.ExitError", request_id, f"Runtime exited {how}")


@dataclass(frozen=True)
class Ended:
    """The child's last word: its exit status, and when (real seconds)."""

    status: int
    at: float = field(default_factory=time.perf_counter)
