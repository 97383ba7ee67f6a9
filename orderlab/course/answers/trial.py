"""The process in which an answer is tried, apart from the notebook: what it breaks, it breaks only here.

An answer may print, exit, patch a module, fill the memory or never end. So `judging` starts this module as a process of
its own and hands it the answer; it tries each case, and reports what it saw as one line of JSON per case. A budget of
steps ends an endless loop at the same step on every machine; no clock is involved.
"""

import copy
import io
import json
import os
import pickle
import sys
import sysconfig
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, BinaryIO

from . import plain
from .exercise import Case, Exercise

STEPS = 1_000_000  # instructions and lines of the learner's code, and calls of any other, per case
MEMORY = 2 * 2**30  # bytes, where the system can limit them
PRINTED, SAID = 2_000, 300  # letters that are kept of what it prints, and of an exception's message
PARENT = os.getppid()
FOREIGN = tuple(  # where code lies that no learner wrote
    [str(Path(__file__).resolve().parents[2]) + os.sep, "<frozen "]
    + [path + os.sep for name, path in sysconfig.get_paths().items() if name in ("stdlib", "purelib", "platlib")]
)


class Kept(io.StringIO):
    """Takes what is printed, and keeps its beginning."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, PRINTED - self.tell())])
        return len(text)


class Budget:
    """Counts steps. When they are used up it reports the case as endless, and ends the process on the spot.

    An exception instead could be caught by the very loop that it should end.
    """

    def __init__(self, channel: BinaryIO, printed: Kept) -> None:
        self.channel, self.printed, self.left = channel, printed, STEPS

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """What `sys.settrace` calls: for each call of a function, and for each step in the learner's own ones."""
        self.left -= 1
        if self.left < 0:
            sys.settrace(None)
            stack = traceback.walk_stack(frame)
            lines = (place for f, n in stack if (place := learners(f, n)))
            report(self.channel, ended="endless", line=next(lines, None), printed=self.printed.getvalue())
            os._exit(0)
        if event == "call":
            if frame.f_code.co_filename.startswith(FOREIGN):
                return None
            frame.f_trace_opcodes = True  # some loops have no lines
        return self.trace


def main() -> None:
    """Read the exercise and the answer from standard input, try every case, report each."""
    channel = os.fdopen(os.dup(1), "wb", buffering=0)
    job = io.BytesIO(sys.stdin.buffer.read())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    limit_memory()
    exercise: Exercise = pickle.load(job)
    try:
        answer = pickle.load(job)
    except BaseException as error:
        report(channel, ended="unloaded", error=[type(error).__name__, words(error)])
        os._exit(0)
    for case in exercise.cases():
        attempt(exercise, answer, case, channel)
    os._exit(0)  # whatever threads the answer left behind


def attempt(exercise: Exercise, answer: Any, case: Case, channel: BinaryIO) -> None:
    """Try one case on arguments of its own, put every module back as it was, and report."""
    given, modules, printed = copy.deepcopy(case.given), snapshot(), Kept()
    budget = Budget(channel, printed)
    sys.stdout = sys.stderr = printed
    value: Any = None
    seen: dict[str, Any] = {"ended": "returned"}
    sys.settrace(budget.trace)
    try:
        value = exercise.observe(answer, **given)
    except BaseException as error:
        sys.settrace(None)
        places = [place for f, n in traceback.walk_tb(error.__traceback__) if (place := learners(f, n))]
        last = places[-1] if places else None
        seen = {"ended": "raised", "error": [type(error).__name__, words(error)], "line": last}
    sys.settrace(None)
    restore(modules)
    report(channel, **seen, value=plain.freeze(value), printed=printed.getvalue())


def learners(frame: FrameType, line: int) -> tuple[str, int] | None:
    """The file and the line, if the code is the learner's."""
    file = frame.f_code.co_filename
    return None if file.startswith(FOREIGN) else (file, line)


def words(error: BaseException) -> str:
    """What an exception says, whatever it does."""
    try:
        return str.__str__(str(error))[:SAID]
    except BaseException:
        return ""


def snapshot() -> list[tuple[ModuleType, dict[str, Any]]]:
    """Every module that no learner wrote, with what is in it."""
    modules = [module for module in list(sys.modules.values()) if type(module) is ModuleType]
    return [(m, dict(vars(m))) for m in modules if str(vars(m).get("__file__") or FOREIGN[0]).startswith(FOREIGN)]


def restore(modules: list[tuple[ModuleType, dict[str, Any]]]) -> None:
    """Undo every patch, so that nothing which the answer left behind takes part in the judging."""
    for module, before in modules:
        vars(module).update(before)


def report(channel: BinaryIO, **seen: Any) -> None:
    """Send what was seen in a case; a process that the answer forked off has nothing to say."""
    if os.getppid() == PARENT or sys.platform == "win32":
        channel.write(json.dumps(seen).encode() + b"\n")


def limit_memory() -> None:
    """Let a text of a terabyte fail at once, where the system can do that."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
