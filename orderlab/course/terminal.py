"""`rehearsal()` and `on_aws()`: a terminal that stays open, in which the lesson types the commands of `orderlab`.

The commands run in a process of their own, because boto3 in this kernel ends in the local cloud and its credentials are
fake. `rehearsal()` points them at the account that is played on this machine. `on_aws()` is the opt-in for a real one:
it names account and region, reads only the profile that you name, and every command in it is told yes beforehand.
A terminal is ready while you read on: its process loads what it needs in the background.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import weakref
from contextlib import nullcontext, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from typing import TYPE_CHECKING, Any

from orderlab.cloud.guard import FAKE
from orderlab.installing import clean_environment
from orderlab.offline import ROOT
from orderlab.ops.aws.rehearsal import Rehearsal
from orderlab.ops.live import loading
from orderlab.ops.live.local import deployed
from orderlab.ops.load import to_table

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

WIDE = 96  # letters of a line that is shown
ASKING = {"deploy", "destroy", "smoke", "load"}  # they ask first, and have --yes
ACTING = {*ASKING, "status"}  # they act on an account
PATIENCE = 600.0  # seconds: so long a load waits for its orders
PLAY = "play"
PORT = re.compile(r"http://127\.0\.0\.1:\d+")


class Told(list[str]):
    """What a command said, line by line, and its exit status; a notebook shows it as text."""

    status = 0

    def __repr__(self) -> str:
        folded = (textwrap.fill(line, WIDE, subsequent_indent="    ", break_on_hyphens=False) or "" for line in self)
        return "\n".join(line if len(line) <= WIDE else fold for line, fold in zip(self, folded, strict=True))

    def having(self, *words: str) -> "Told":
        """The lines with any of these words in them."""
        return Told(line for line in self if any(word in line for word in words))


class Terminal:
    """A process that runs one command after another, with the options that say where."""

    def __init__(self, *where: str) -> None:
        self.where = where
        environment = {name: value for name, value in clean_environment().items() if name not in FAKE}
        self._child = subprocess.Popen(
            [sys.executable, "-m", "orderlab.course.terminal", *where], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        weakref.finalize(self, _end, self._child)
        # A kernel that shuts down ends its children first, and waits seconds for each whose end nobody takes note of.
        self._noting = threading.Thread(target=self._child.wait, daemon=True)
        self._noting.start()

    def run(self, command: str, *more: str) -> Told:
        """Type `python3 -m orderlab COMMAND …` and wait for its end. Raises RuntimeError when the process has ended."""
        answer = self._ask([command, *more])
        told = Told(PORT.sub("http://127.0.0.1:PORT", answer["said"]).splitlines())
        told.status = answer["status"]
        return told

    def load(self, cloud: "Cloud", rate: float, seconds: float) -> Told:
        """Orders at a rate, and what became of them: on AWS by `load`, in a rehearsal on `cloud`, without latencies."""
        if self.where:
            return self.run("load", "--rate", str(rate), "--seconds", str(seconds))
        with deployed(cloud) as site:
            times = loading.arrivals(rate, seconds, cloud.seed)
            found = loading.load(site, "load", times, site.clock() + PATIENCE, lambda _: None, seed=cloud.seed)
        return Told(to_table(loading.summary(found)).splitlines()[:2])

    def __repr__(self) -> str:
        return f"commands act on AWS: {' '.join(self.where)}" if self.where else "commands act on a played account"

    def play(self, scenario: str) -> None:
        """Let the played account behave so from now on; AWS behaves as it does."""
        self._ask([PLAY, scenario])

    def _ask(self, argv: list[str]) -> Any:
        assert self._child.stdin is not None and self._child.stdout is not None
        line = ""
        try:
            with suppress(OSError):  # a process that has ended
                self._child.stdin.write(json.dumps(argv) + "\n")
                self._child.stdin.flush()
                line = self._child.stdout.readline()
        except KeyboardInterrupt:  # its answer would be taken for the next command's; AWS goes on with what was begun
            self._child.terminate()
            raise
        if not line:
            raise RuntimeError("this terminal is closed: run the cell again that opened it")
        return json.loads(line)


def rehearsal() -> Terminal:
    """A terminal whose commands act on an account that is played on this machine: no account, no bill."""
    return Terminal()


def on_aws(account: str, region: str, profile: str, prefix: str = "orderlab") -> Terminal:
    """A terminal whose commands act on this AWS account (12 digits), and cost money: calling this is the yes.

    `profile` is one of ~/.aws/config; `prefix` begins every name, if several people share the account.
    """
    return Terminal("--account", account, "--region", region, "--profile", profile, "--prefix", prefix)


def _end(child: "subprocess.Popen[str]") -> None:
    assert child.stdin is not None and child.stdout is not None
    with suppress(OSError):  # it has ended before it read all
        child.stdin.close()
    child.wait(60)
    child.stdout.close()


def main() -> None:
    """Run a command for each line of standard input, a list in JSON; answer with its status and what it said.

    Without options that say where, an account is played for as long as this process lives.
    """
    where = sys.argv[1:]
    with nullcontext() if where else Rehearsal() as played:
        if played:
            where = ["--endpoint", played.endpoint]
        _make_ready()
        if played:  # once there and back: the account is as it was, and what you type later need not load its code
            for command in ("deploy", "destroy"):
                _command([command], where)
        for line in sys.stdin:
            command, *more = json.loads(line)
            told: dict[str, Any] = {}
            if command != PLAY:
                told = _command([command, *more], where)
            elif played:
                played.play(*more)
            print(json.dumps(told), flush=True)


def _command(argv: list[str], where: list[str]) -> dict[str, Any]:
    from orderlab import commands

    said, name = StringIO(), argv[0]
    argv = [*argv, *(where if name in ACTING else []), *(["--yes"] if name in ASKING else [])]
    with redirect_stdout(said), redirect_stderr(said):
        try:
            status = commands.run(argv)
        except SystemExit as error:  # a wrong option
            status = error.code if isinstance(error.code, int) else 1
    return {"status": status, "said": said.getvalue()}


def _make_ready() -> None:
    """Load what every command needs, and read the template once."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM's translator asks for one
    from orderlab.ops.aws import deploy, destroy, status, template  # noqa: F401
    from orderlab.ops.bill.estimate import estimate

    template.read()
    estimate()


if __name__ == "__main__":
    main()
