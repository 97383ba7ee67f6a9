"""An account that is played on this machine: the rehearsal of deploy, status and destroy without AWS.

`with Rehearsal("create-fails") as account:` starts it in a process of its own, so that no local cloud of this process
is in its way; `account.target()` is what the commands take. CloudFormation is played from recordings (`recorded`,
`timeline`, `formation`), everything else is moto (`world`), and each played answer is held against botocore's model of
the service (`answers`). Not compared with AWS: no authors' account stands behind it.

Taught in notebooks/12_ship_it.ipynb
"""

import json
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any

from orderlab.cloud.guard import ACCOUNT, REGION
from orderlab.environment import ROOT
from orderlab.installing import Problem, clean_environment

from ..target import Target
from .scenarios import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Rehearsal", "Scenario"]


class Rehearsal:
    """A played account, from `__enter__` to `__exit__`. Raises KeyError for a scenario that there is not."""

    def __init__(self, scenario: str = "smooth") -> None:
        self.scenario = SCENARIOS[scenario]
        self.endpoint = ""
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Rehearsal":
        command = [sys.executable, "-m", "orderlab.ops.aws.rehearsal.command", self.scenario.name, "--for-a-program"]
        environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        assert self._child.stdout is not None
        self.endpoint = self._child.stdout.readline().strip()
        if not self.endpoint:
            raise Problem("the rehearsal does not start: run python3 -m orderlab rehearse to see why")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            assert self._child.stdin is not None and self._child.stdout is not None
            self._child.stdin.close()
            self._child.wait(10)
            self._child.stdout.close()

    def target(self, prefix: str = "orderlab") -> Target:
        """The target that the commands take."""
        return Target(ACCOUNT, REGION, None, self.endpoint, prefix)

    def play(self, scenario: str) -> None:
        """Follow another scenario from now on; what is in the account stays."""
        self.scenario = SCENARIOS[scenario]
        self._control(json.dumps({"scenario": scenario}).encode())

    def left(self) -> dict[str, list[str]]:
        """Everything that is in the account, by type: nothing when it is as it was at the beginning."""
        found: dict[str, list[str]] = self._control(None)
        return found

    def _control(self, body: bytes | None) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.endpoint}/_rehearsal", body, timeout=60) as answer:
            return json.load(answer)
