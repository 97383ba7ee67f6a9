"""The terminal of lesson 12: what it types, where, and what is left when it closes."""

import os
from collections.abc import Iterator

import pytest

from orderlab.course import terminal
from orderlab.course.terminal import Terminal, Told, on_aws, rehearsal


@pytest.fixture(scope="module")
def played() -> Iterator[Terminal]:
    """A terminal on a played account."""
    yield rehearsal()


def test_a_rehearsal_fails_succeeds_and_leaves_nothing(played: Terminal) -> None:
    """A deploy that fails and is explained, one that succeeds, a full bucket, and the proof."""
    played.play("create-fails")
    failed = played.run("deploy", "--set", "ReservedConcurrency=on")
    assert failed.status == 1 and failed.having("Remedy") and failed.having("ROLLBACK_COMPLETE")
    played.play("smooth")
    assert played.run("deploy").status == 0
    played.play("bucket-full")
    destroyed = played.run("destroy")
    assert destroyed.status == 0 and destroyed.having("DELETE_FAILED")
    assert destroyed[-1] == "nothing of orderlab is left in account 123456789012, us-east-1"


def test_what_is_shown_is_the_same_every_time(played: Terminal) -> None:
    """The port of the played account is not in it, and long lines are folded."""
    told = Told(["short", "word " * 40])
    assert max(map(len, repr(told).splitlines())) <= terminal.WIDE
    assert "127.0.0.1" not in "".join(played.run("status")).replace("127.0.0.1:PORT", "")


def test_a_wrong_option_is_an_answer(played: Terminal) -> None:
    """And the terminal goes on."""
    assert played.run("deploy", "--nonsense").status == 2
    assert played.run("status").status == 1


def test_a_terminal_that_somebody_ends_is_noted_at_once_and_says_so() -> None:
    """As Jupyter ends it when a kernel is shut down or restarted; unnoted, Jupyter would wait for it."""
    ended = rehearsal()
    ended._child.terminate()
    ended._noting.join(60)
    assert ended._child.returncode not in (None, 0)
    with pytest.raises(RuntimeError, match="this terminal is closed: run the cell again"):
        ended.run("status")


def test_a_real_account_is_named_and_its_credentials_are_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child process gets are the options; the local cloud's fake credentials do not go with it."""
    started: dict[str, object] = {}

    class Child:
        """Stands for the process."""

        stdin = stdout = None

        def wait(self) -> int:
            return 0

    def popen(command: list[str], **options: object) -> Child:
        started.update(command=command, **options)
        return Child()

    for name in terminal.FAKE:
        monkeypatch.setenv(name, "fake")
    monkeypatch.setattr(terminal.subprocess, "Popen", popen)
    monkeypatch.setattr(terminal.weakref, "finalize", lambda *_: None)
    opened = on_aws("111122223333", "eu-west-1", profile="lab")
    command, environment = started["command"], started["env"]
    assert isinstance(command, list) and command[3:9] == [
        "--account", "111122223333", "--region", "eu-west-1", "--profile", "lab",
    ]  # fmt: skip
    assert isinstance(environment, dict) and not {*terminal.FAKE} & {*environment} and {*terminal.FAKE} <= {*os.environ}
    assert "111122223333" in repr(opened)
