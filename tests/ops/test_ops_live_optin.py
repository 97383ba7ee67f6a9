"""No command of an operator reaches for an account that was not named, whatever lies in the environment."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine, and everybody who called there."""
    called: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                called.append(str(address))
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield server.getsockname()[1], called


def run(port: int, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command with credentials that look real, and every way out of this machine leading to the listener."""
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": url,
        "HTTPS_PROXY": url,
        "HTTP_PROXY": url,
        "NO_PROXY": "",
    }
    told = [sys.executable, "-m", "orderlab.commands", *command]
    return subprocess.run(told, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize(
    ("command", "status", "why"),
    [
        (("cost", "--orders", "10"), 0, ""),
        (("demo", "--orders", "2"), 0, "auditing"),
        (("demo", "--target", "aws"), 2, "name it and the region"),
        (("demo", "--account", "111122223333", "--region", "eu-west-1"), 2, "add --target aws"),
        (("demo", "--prefix", "ann"), 2, "--prefix is about a deployed stack"),
        (("demo", "--record", "answers.jsonl"), 2, "--record is about a deployed stack"),
        (("cost", "--json", "--decline", "0.1"), 2, "--json prints the bill of a month"),
        (("package", "--folder", f"{__file__}/build"), 1, "cannot be written (Not a directory): name another one"),
        (("smoke",), 1, "name it and the region"),
        (("load", "--region", "eu-west-1"), 1, "name it and the region"),
        (("smoke", "--endpoint", "http://example.com:4566"), 1, "is not on this machine"),
    ],
)
def test_nobody_is_called_without_the_opt_in(command, status, why, listener) -> None:
    """With credentials, an endpoint and proxies in the environment: one line at most, and no connection."""
    port, called = listener
    done = run(port, *command)
    assert (done.returncode, called) == (status, []) and why in done.stderr
    assert "AKIAIOSFODNN7EXAMPLE" not in done.stdout + done.stderr


def test_an_endpoint_where_nobody_answers_is_one_line(listener) -> None:
    """Neither the proxy nor the endpoint of the environment is asked instead."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    done = run(listener[0], "smoke", "--endpoint", f"http://127.0.0.1:{free}")
    assert done.returncode == 1 and listener[1] == []
    assert done.stderr.count("\n") == 1 and f"nobody answers at http://127.0.0.1:{free}" in done.stderr
