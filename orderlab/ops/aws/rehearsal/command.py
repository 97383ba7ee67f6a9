"""`python3 -m orderlab rehearse`: an account that is played on this machine, until Ctrl-C.

deploy, status and destroy work on it as on AWS: each takes the `--endpoint` that it prints. Nothing of it leaves this
machine, it needs no credentials and costs nothing.

Taught in notebooks/12_ship_it.ipynb
"""

import argparse
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from orderlab.installing import Problem

from .scenarios import SCENARIOS

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)  # a Monday morning, as in the local cloud


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status. Raises Problem when the port is taken."""
    listed = "\n".join(f"  {one.name:14} {one.what}" for one in SCENARIOS.values())
    parser = argparse.ArgumentParser(
        prog="orderlab rehearse",
        description="Play an AWS account on this machine, to rehearse deploy, status and destroy.",
        epilog=f"scenarios:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", nargs="?", default="smooth", help="what happens; default: smooth")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--for-a-program", action="store_true", help=argparse.SUPPRESS)
    said = parser.parse_args(argv)
    if said.scenario not in SCENARIOS:
        raise Problem(f"there is no scenario {said.scenario!r}; there are {', '.join(SCENARIOS)}")
    from orderlab.cloud.loading import quickly

    with quickly():
        from . import server  # moto takes a second to load

    account = server.PlayedAccount(SCENARIOS[said.scenario], START if said.for_a_program else datetime.now(UTC))
    try:
        running = server.serve(account, said.port)
    except OSError as error:
        raise Problem(f"port {said.port} cannot be had ({error.strerror}): take another --port") from None
    address = f"http://127.0.0.1:{running.server_address[1]}"
    if said.for_a_program:
        print(address, flush=True)
        threading.Thread(target=_end_with_parent, args=(running,), daemon=True).start()
    else:
        what = f"{said.scenario}: {SCENARIOS[said.scenario].what}"
        print(f"{address} plays an AWS account ({what}) until Ctrl-C; its clock runs ahead. In another terminal:")
        for name in ("deploy", "status", "destroy"):
            print(f"  python3 -m orderlab {name} --endpoint {address}", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        print("the rehearsal is over, and its account is gone", flush=True)
    finally:
        running.server_close()
    return 0


def _end_with_parent(running: Any) -> None:
    """Whoever started this holds the other end of stdin."""
    sys.stdin.read()
    running.shutdown()


if __name__ == "__main__":
    sys.exit(main())
