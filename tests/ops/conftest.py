"""What the tests of the deploy share: a played account, and the commands run on it."""

import argparse
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from orderlab.ops.aws import deploy, destroy, status
from orderlab.ops.aws.account import Account
from orderlab.ops.aws.rehearsal import Rehearsal

ACCOUNTS: dict[tuple[str, str], Account] = {}  # making clients takes longer than what they are asked


@dataclass
class Stage:
    """A played account, what was said on it, what is answered to questions, and what a wait does."""

    rehearsal: Rehearsal
    said: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    prefix: str = "orderlab"
    sleep: Callable[[float], Any] = field(default=lambda seconds: None)

    @property
    def account(self) -> Account:
        key = (self.rehearsal.endpoint, self.prefix)
        if key not in ACCOUNTS:
            ACCOUNTS[key] = Account(self.rehearsal.target(self.prefix))
        ACCOUNTS[key].sleep = self._wait
        return ACCOUNTS[key]

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.sleep(seconds)

    def deploy(self, *parameters: str, answer: str | None = None) -> int:
        told = argparse.Namespace(parameters=list(parameters), orders_a_month=1000, yes=answer is None)
        return deploy.deploy(self.account, told, lambda question: self._ask(question, answer), self.said.append)

    def destroy(self, answer: str | None = None) -> int:
        told = argparse.Namespace(yes=answer is None)
        return destroy.destroy(self.account, told, lambda question: self._ask(question, answer), self.said.append)

    def status(self, now: Any = None) -> int:
        account = copy.copy(self.account)
        if now is not None:
            account.now = lambda: now  # type: ignore[method-assign]
        return status.status(account, self.said.append)

    def _ask(self, question: str, answer: str | None) -> str:
        self.questions.append(question)
        return answer or ""

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def is_empty(self) -> bool:
        left = self.rehearsal.left()
        assert left == {}, left
        return True


@pytest.fixture(scope="module")
def played() -> Iterator[Rehearsal]:
    """One played account for a module: each test leaves it empty."""
    with Rehearsal() as rehearsal:
        yield rehearsal


@pytest.fixture
def stage(played: Rehearsal) -> Iterator[Stage]:
    """The played account, at the beginning of a test."""
    played.play("smooth")
    yield Stage(played)


@pytest.fixture
def another() -> Iterator[Callable[[str], Stage]]:
    """A function that starts a played account of its own, for a scenario that matters from the start."""
    running: list[Rehearsal] = []

    def start(scenario: str) -> Stage:
        running.append(Rehearsal(scenario).__enter__())
        return Stage(running[-1])

    yield start
    for rehearsal in running:
        rehearsal.__exit__(None, None, None)
