"""`rehearsal()` and `on_aws()`: a terminal that stays open, in which the lesson types the commands of `orderlab`.

The commands run in a process of their own, because boto3 in this kernel ends in the local cloud and its credentials are
fake. `rehearsal()` points them at the account that is played on this machine. `on_aws()` is the opt-in for a real one:
it names account and region, reads only the profile that you name, and every command in it is told yes beforehand.
A terminal is ready while you read on: its process loads what it needs in the background (see `shell`).
Stop ends the command, as Ctrl-C does, and not the terminal.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import re
import shlex
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from orderlab.cloud.guard import FAKE
from orderlab.installing import Problem, clean_environment
from orderlab.offline import ROOT
from orderlab.ops.aws.rehearsal import SCENARIOS
from orderlab.ops.aws.target import from_arguments
from orderlab.ops.live import loading, scope
from orderlab.ops.live.local import deployed
from orderlab.ops.load import to_table

from .child import Child
from .shell import PLAY
from .told import Told, Trouble

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

HERE = ("deploy", "status", "smoke", "load", "destroy", "package", "cost")  # what can be typed here
INSTEAD = "terminal.load(cloud, rate=2.0, seconds=10.0) sends some to the local cloud"
AGAIN = "stopped: run the same cell again, and the command goes on from there"
PATIENCE = 600.0  # seconds: so long a load waits for its orders
PORT = re.compile(r"http://127\.0\.0\.1:\d+")


class Terminal:
    """A process that runs one command after another, with the options that say where."""

    def __init__(self, *where: str) -> None:
        self.where = where
        environment = {name: value for name, value in clean_environment().items() if name not in FAKE}
        self.child = Child(
            "orderlab.course.console.shell", *where, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)}
        )

    def run(self, command: str, *more: str) -> Told:
        """Type `python3 -m orderlab COMMAND …` and wait for its end. Raises Trouble when it is stopped."""
        words = [*shlex.split(str(command)), *map(str, more)]
        answer: dict[str, Any] = {
            "status": 2,
            "said": f"orderlab: {' '.join(words)!r} is no command here; there are {', '.join(HERE)}",
        }
        if words[:1] in (["smoke"], ["load"]) and not self.where:
            answer = {"status": 1, "said": f"orderlab: a played account takes no orders; {INSTEAD}"}
        elif words and words[0] in HERE:
            answer = self._ask(words)
        told = Told(PORT.sub("http://127.0.0.1:PORT", answer["said"]).splitlines())
        told.status = answer["status"]
        return told

    def load(self, cloud: "Cloud", rate: float, seconds: float) -> Told:
        """Orders at a rate, and what became of them: on AWS by `load`, in a rehearsal on `cloud`, without latencies."""
        if self.where:
            return self.run("load", "--rate", str(rate), "--seconds", str(seconds))
        with deployed(cloud) as site:
            times = loading.arrivals(rate, seconds, cloud.seed)
            run = scope.name_of(cloud.now)
            found = loading.load(site, run, times, site.clock() + PATIENCE, lambda _: None, seed=cloud.seed)
        return Told(to_table(loading.summary(found)).splitlines()[:2])

    def __repr__(self) -> str:
        return f"commands act on AWS: {' '.join(self.where)}" if self.where else "commands act on a played account"

    def play(self, scenario: str) -> None:
        """Let the played account behave so from now on; AWS behaves as it does. Raises Trouble for no such scenario."""
        if scenario not in SCENARIOS:
            raise Trouble(f"there is no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
        self._ask([PLAY, scenario])

    def _ask(self, argv: list[str]) -> dict[str, Any]:
        answer, stopped = self.child.ask(argv)
        if answer is None:
            raise Trouble("this terminal is closed: run the cell again that opened it")
        if stopped:
            said = answer.get("said", "").splitlines()
            raise Trouble(next((line for line in said if line.startswith("stopped ")), AGAIN))
        found: dict[str, Any] = answer
        return found


def rehearsal() -> Terminal:
    """A terminal whose commands act on an account that is played on this machine: no account, no bill."""
    return Terminal()


def on_aws(account: str, region: str, profile: str, prefix: str = "orderlab") -> Terminal:
    """A terminal whose commands act on this AWS account (12 digits), and cost money: calling this is the yes.

    `profile` is one of ~/.aws/config; `prefix` begins every name, if several people share the account. Raises Trouble
    when they cannot be right.
    """
    account, region, profile = str(account), str(region), str(profile)
    try:
        from_arguments(Namespace(account=account, region=region, profile=profile, prefix=prefix, endpoint=None))
    except Problem as problem:
        raise Trouble(str(problem)) from None
    return Terminal("--account", account, "--region", region, "--profile", profile, "--prefix", prefix)
