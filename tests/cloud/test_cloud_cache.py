"""The cache server: real, on loopback, and never an orphan."""

import os
import signal
import subprocess
import sys
import time

import pytest
import valkey

from orderlab.cloud.cache import CacheServer


def test_the_server_answers_and_is_gone_after_close() -> None:
    """A real Valkey speaks to the real client."""
    server = CacheServer()
    client = valkey.Valkey.from_url(server.url)
    client.set("price", 255)
    assert client.get("price") == b"255"
    server.close()
    with pytest.raises(valkey.exceptions.ConnectionError):
        valkey.Valkey.from_url(server.url).ping()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX; Windows ends the pipe in the same way")
def test_the_server_does_not_outlive_a_killed_kernel() -> None:
    """SIGKILL leaves no chance to clean up; the watchdog's pipe ends all the same."""
    script = (
        "from orderlab.cloud.cache import CacheServer as C; import time; print(C().url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url = parent.stdout.readline().strip()
    assert valkey.Valkey.from_url(url).ping()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    limit = time.monotonic() + 20
    while time.monotonic() < limit:  # ends as soon as the server is gone
        try:
            valkey.Valkey.from_url(url).ping()
        except valkey.exceptions.ConnectionError:
            return
    pytest.fail("the cache server is still there 20 s after its parent was killed")
