"""A process that answers lines, and that Stop interrupts: no answer is lost, and none is taken for another's.

A thread of its own reads the answers. Whoever waits for one may be interrupted at any instant, and a line of which half
had been read would be gone.

Taught in notebooks/12_ship_it.ipynb
"""

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

SLOW, AGAIN = 120.0, 0.2  # seconds: what was begun on AWS takes so long to take back; between two signals to stop


class Answers:
    """The lines that a process has said so far."""

    def __init__(self) -> None:
        self.ended = False
        self._lines: list[str] = []
        self._changed = threading.Condition()

    def read(self, process: "subprocess.Popen[str]") -> None:
        """Take every line as it comes, until the process has ended, and note its end."""
        assert process.stdout is not None
        with process.stdout as said:
            for line in said:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        process.wait()  # a kernel that shuts down ends its children first, and waits seconds for one that nobody notes
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def wait(self, number: int, seconds: float | None = None) -> str:
        """The line of this number, from 1; "" if it does not come in time, or the process has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self.ended or len(self._lines) >= number, seconds)
            return self._lines[number - 1] if len(self._lines) >= number else ""


class Child:
    """A process of this Python that runs a module; it is ended with this object, or with this process."""

    def __init__(self, module: str, *arguments: str, cwd: Path, env: Mapping[str, str]) -> None:
        with _deaf():
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True, cwd=cwd, env=env,
            )  # fmt: skip
        self._asked, self._answers = 0, Answers()
        self.reader = threading.Thread(target=self._answers.read, args=(self.process,), daemon=True)
        self.reader.start()
        weakref.finalize(self, _end, self.process)

    def ask(self, request: Any) -> tuple[Any, bool]:
        """Ask, and wait: the answer, None when there is none any more, and whether Stop came before it."""
        self._asked += 1
        number, stopped = self._asked, False
        try:
            with _deaf(), suppress(OSError):  # a process that has ended
                assert self.process.stdin is not None
                self.process.stdin.write(json.dumps(request) + "\n")
                self.process.stdin.flush()
            line = self._answers.wait(number)
        except KeyboardInterrupt:
            line, stopped = self._stop(number), True
        return (json.loads(line) if line else None), stopped

    def _stop(self, number: int) -> str:
        """Stop what the process does, and wait for the answer all the same: it may have something to take back."""
        with suppress(KeyboardInterrupt):  # once more: then not
            for _ in range(round(SLOW / AGAIN)):
                if os.name == "nt":
                    self.process.terminate()
                else:  # Jupyter has told it, too, but not everything that stops a cell has
                    self.process.send_signal(signal.SIGINT)
                line = self._answers.wait(number, AGAIN)
                if line or self._answers.ended:
                    return line
        self.process.terminate()
        return ""


@contextmanager
def _deaf() -> Iterator[None]:
    """Stop waits until this is over, and what begins here does not hear it before it says so (`shell.main`)."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    with suppress(OSError):  # it has ended before it read all
        process.stdin.close()
    process.wait(60)
