"""The process behind a terminal of lesson 12: it runs the commands that `terminal` types, one after the other.

A line of standard input is a command, a list in JSON; its answer is a line, too. Stop, which Jupyter sends to every
process of a kernel, ends the command that runs, and nothing else.

Not run on AWS by its authors. Taught in notebooks/12_ship_it.ipynb
"""

import json
import os
import signal
import sys
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

ASKING = {"deploy", "destroy", "smoke", "load"}  # they ask first, and have --yes
ACTING = {*ASKING, "status"}  # they act on an account
PLAY = "play"


def main() -> None:
    """Run a command for each line of standard input, a list in JSON; answer with its status and what it said.

    Without options that say where, an account is played for as long as this process lives.
    """
    from orderlab.ops.aws.rehearsal import Rehearsal

    where = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Stop of another cell; the played account is deaf to it, too
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
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
                try:
                    told = _command([command, *more], where)
                except KeyboardInterrupt:  # at its very end
                    told = {"status": 130, "said": ""}
            elif played:
                played.play(*more)
            print(json.dumps(told), flush=True)


def _command(argv: list[str], where: list[str]) -> dict[str, Any]:
    from orderlab import commands

    said, name = StringIO(), argv[0]
    argv = [*argv, *(where if name in ACTING else []), *(["--yes"] if name in ASKING else [])]
    with redirect_stdout(said), redirect_stderr(said):
        try:
            signal.signal(signal.SIGINT, _once)
            status = commands.run(argv)
        except SystemExit as error:  # a wrong option
            status = error.code if isinstance(error.code, int) else 1
        except KeyboardInterrupt:
            status = commands.complain("stopped", 130)
        except Exception as error:  # a defect of ours, which must not take the terminal with it
            status = commands.complain(
                f"{name} failed, and that is the course's fault ({type(error).__name__}: {error})"
            )
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    return {"status": status, "said": said.getvalue()}


def _once(number: int, frame: object) -> None:
    """Stop the command that runs; it is told twice, and must be let finish what it does then."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _make_ready() -> None:
    """Load what every command needs, and read the template once."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM's translator asks for one
    from orderlab.ops.aws import deploy, destroy, status, template  # noqa: F401
    from orderlab.ops.bill.estimate import estimate

    template.read()
    estimate()


if __name__ == "__main__":
    main()
