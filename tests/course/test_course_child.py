"""A process that answers lines keeps its answers apart, however it is interrupted."""

import os
import random
import signal
import threading
from pathlib import Path

import pytest

from orderlab.course.console.child import Child

ECHO = """\
import json, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
for line in sys.stdin:
    word = json.loads(line)
    if word == "end":
        break
    print(json.dumps({"said": word, "more": "x" * 100_000}), flush=True)
"""


@pytest.fixture
def echo(tmp_path: Path) -> Child:
    """A process that says what it is told, at length: an answer is many times what a pipe holds."""
    (tmp_path / "echo.py").write_text(ECHO, encoding="utf-8")
    return Child("echo", cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})


def test_each_answer_is_its_questions(echo: Child) -> None:
    """One after the other."""
    assert [echo.ask(word)[0]["said"] for word in ("one", "two", "three")] == ["one", "two", "three"]


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl-C for one process there: it is ended instead")
def test_no_answer_is_lost_or_taken_for_anothers_when_stop_comes_at_any_instant(echo: Child) -> None:
    """A hundred times, before, while and after the answer is read."""
    rng, stops = random.Random(7), 0
    echo.ask("ready")
    for n in range(100):
        timer = threading.Timer(rng.uniform(0, 0.002), os.kill, (os.getpid(), signal.SIGINT))
        try:
            timer.start()
            answer, stopped = echo.ask(n)
            stops += stopped
            assert answer is not None and answer["said"] == n
            timer.join()
        except KeyboardInterrupt:  # it came when the answer was there
            timer.join()
    assert stops > 5
    assert echo.ask("last")[0]["said"] == "last"


def test_a_process_that_has_ended_answers_nothing_more(echo: Child) -> None:
    """Neither the question at which it ended, nor the next one; nobody waits for ever."""
    assert echo.ask("one")[0] is not None
    assert echo.ask("end") == (None, False)
    assert echo.ask("one") == (None, False)
    echo.reader.join(60)
    assert echo.process.returncode == 0
