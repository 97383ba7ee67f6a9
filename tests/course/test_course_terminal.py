"""The terminal of lesson 12: what it types, where, and what is left when it closes."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderlab.course.console import terminal
from orderlab.course.console.terminal import Terminal, on_aws, rehearsal
from orderlab.course.console.told import WIDE, Told, Trouble


@pytest.fixture(scope="module")
def played() -> Iterator[Terminal]:
    """A terminal on a played account."""
    yield rehearsal()


def test_a_rehearsal_fails_succeeds_and_leaves_nothing(played: Terminal) -> None:
    """A deploy that fails and is explained, one that succeeds, a full bucket, and the proof."""
    played.play("create-fails")
    failed = played.run("deploy", "--set", "ReservedConcurrency=on")
    assert failed.status == 1 and failed.having("Remedy") and failed.having("ROLLBACK_COMPLETE")
    assert failed[-1].endswith("--endpoint http://127.0.0.1:PORT")  # the same words every time
    played.play("smooth")
    assert played.run("deploy").status == 0
    played.play("bucket-full")
    destroyed = played.run("destroy")
    assert destroyed.status == 0 and destroyed.having("DELETE_FAILED")
    assert destroyed[-1] == "nothing of orderlab is left in account 123456789012, us-east-1"


def test_long_lines_are_folded() -> None:
    """A notebook would let them run out of its cell."""
    told = Told(["short", "word " * 40])
    assert max(map(len, repr(told).splitlines())) <= WIDE


def test_a_part_that_is_empty_says_how_the_command_ended() -> None:
    """Run twice, or where a command is refused, a cell that shows some lines would show nothing."""
    told = Told(["account 123456789012", "nothing to change", ""])
    part = told.having("Add")
    assert part == [] and repr(part) == "none of these lines; the last one was: nothing to change"
    assert repr(told.having("account")) == "account 123456789012"


def test_a_wrong_option_is_an_answer(played: Terminal) -> None:
    """And the terminal goes on."""
    assert played.run("deploy", "--nonsense").status == 2
    assert played.run("status").status == 1


@pytest.mark.parametrize("typed", ["nonsense", "", "lab", "play smooth", "smoke", "load"])
def test_a_command_that_makes_no_sense_here_is_one_line_and_the_terminal_goes_on(played: Terminal, typed: str) -> None:
    """One that there is not, one that would never end, and one that a played account cannot answer."""
    (line,) = refused = played.run(typed)
    assert line.startswith("orderlab: ") and refused.status in (1, 2)
    assert played.run("status").status == 1


def test_a_command_may_be_typed_as_one_text(played: Terminal) -> None:
    """As in a terminal: its words are the same."""
    assert played.run("cost --orders 1000") == played.run("cost", "--orders", "1000")


def test_a_scenario_that_there_is_not_is_one_line_and_the_terminal_goes_on(played: Terminal) -> None:
    """It names those that there are; the notebook shows that line and no traceback."""
    with pytest.raises(Trouble, match="there is no scenario 'nonsense'; there are smooth, create-fails") as refused:
        played.play("nonsense")
    assert refused.value._render_traceback_() == [f"orderlab: {refused.value}"]
    assert played.run("status").status == 1


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl-C for one process there: the terminal is closed instead")
def test_a_command_that_is_stopped_is_said_so_and_goes_on_when_it_is_run_again() -> None:
    """Jupyter's Stop reaches both processes; the next answer is the next command's, and the account is still there."""
    stopping = rehearsal()
    assert stopping.run("status").status == 1  # it is ready

    def stop() -> None:
        for _ in range(2):
            os.kill(stopping.child.process.pid, signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    later = threading.Timer(0.1, stop)
    later.start()
    with pytest.raises(Trouble, match="stopped"):
        stopping.run("deploy")
    later.join()
    assert stopping.run("deploy").status == 0
    assert stopping.run("status")[0].startswith("stack orderlab in account 123456789012")
    assert stopping.run("destroy")[-1].startswith("nothing of orderlab is left")


@pytest.mark.skipif(os.name == "nt", reason="no Ctrl-C for one process there")
def test_a_stop_of_another_cell_leaves_the_terminal_open(played: Terminal) -> None:
    """Jupyter tells every process of the kernel."""
    os.kill(played.child.process.pid, signal.SIGINT)
    assert played.run("status").status == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account": "123", "region": "nowhere"}, "'123' is not an account id: 12 digits"),
        ({"account": "123456789012", "region": "nowhere"}, "'nowhere' is not a region of AWS"),
        ({"account": "123456789012", "region": "eu-west-1", "prefix": "Ann B"}, "'Ann B' cannot begin names"),
    ],
)
def test_an_account_that_cannot_be_one_is_refused_at_once(given: dict[str, str], words: str) -> None:
    """Before a process starts, in one line."""
    with pytest.raises(Trouble, match=words):
        on_aws(**given, profile="x")


def test_an_account_may_be_given_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that there is not is one line of the first command's."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    opened = on_aws(123456789012, "eu-west-1", profile="x")  # type: ignore[arg-type]
    (line,) = opened.run("status")
    assert line.startswith("orderlab: there is no profile 'x'")


def test_a_terminal_that_somebody_ends_is_noted_at_once_and_says_so() -> None:
    """As Jupyter ends it when a kernel is shut down or restarted; unnoted, Jupyter would wait for it."""
    ended = rehearsal()
    ended.child.process.terminate()
    ended.child.reader.join(60)
    assert ended.child.process.returncode not in (None, 0)
    with pytest.raises(RuntimeError, match="this terminal is closed: run the cell again"):
        ended.run("status")


def test_a_real_account_is_named_and_its_credentials_are_the_profiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the child process gets are the options; the local cloud's fake credentials do not go with it."""
    started: dict[str, object] = {}

    def child(module: str, *where: str, cwd: Path, env: dict[str, str]) -> None:
        started.update(where=where, env=env)

    for name in terminal.FAKE:
        monkeypatch.setenv(name, "fake")
    monkeypatch.setattr(terminal, "Child", child)
    opened = on_aws("111122223333", "eu-west-1", profile="lab")
    where, environment = started["where"], started["env"]
    assert isinstance(where, tuple) and where[:6] == (
        "--account", "111122223333", "--region", "eu-west-1", "--profile", "lab",
    )  # fmt: skip
    assert isinstance(environment, dict) and not {*terminal.FAKE} & {*environment} and {*terminal.FAKE} <= {*os.environ}
    assert "111122223333" in repr(opened)
