"""The loopback socket of one process: its requests become letters in an inbox, its answers come from who reads them.

A child process reaches Lambda's Runtime API, and its parent for calls to AWS, at the one address of its endpoint. The
threads here touch nothing of the cloud: they put a request into the inbox and wait, so that the world stays with one.
Source: Lambda developer guide, runtimes-api.
Taught in notebooks/06_where_state_lives.ipynb
"""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from time import perf_counter
from typing import Any


@dataclass(eq=False)
class Asked:
    """One request of the child, and when it came (real seconds); `answer` is waited for."""

    method: str
    path: str
    headers: Any
    body: bytes
    at: float = field(default_factory=perf_counter)
    reply: "SimpleQueue[tuple[int, Mapping[str, str], bytes] | None]" = field(default_factory=SimpleQueue)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send the answer on its way."""
        self.reply.put((status, headers, body))


class _Exchange(BaseHTTPRequestHandler):
    """One connection, kept open from request to request; `server` is the endpoint."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one packet: two would wait 40 ms for each other
    server: Any

    def handle_expect_100(self) -> bool:
        going_on = super().handle_expect_100()
        self.wfile.flush()  # the other side would wait a second for it
        return going_on

    def log_message(self, *_: Any) -> None:
        """Say nothing: the trace tells what was called."""

    def _exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.take(Asked(self.command, self.path, self.headers, body))
        if answer is None:
            self.close_connection = True
            return
        status, headers, told = answer
        self.send_response_only(status)
        for name, value in {**headers, "Content-Length": str(len(told))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = _exchange


class Endpoint:
    """An open loopback port. `deliver` gets each request, in a thread of its own."""

    def __init__(self, deliver: Callable[[Asked], None]) -> None:
        self._deliver = deliver
        self._open: set[Asked] = set()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self, asked: Asked) -> tuple[int, Mapping[str, str], bytes] | None:
        """Deliver a request and wait for its answer; None when the endpoint closes first."""
        self._open.add(asked)
        if self._closed:
            return None
        self._deliver(asked)
        try:
            return asked.reply.get()
        finally:
            self._open.discard(asked)

    def close(self) -> None:
        """Close the port; whoever still waits for an answer is cut off."""
        self._closed = True
        with suppress(OSError):  # wakes the thread that accepts, on every system
            socket.create_connection(self._listener.getsockname(), timeout=1).close()
        self._listener.close()
        for asked in list(self._open):
            asked.reply.put(None)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._closed:
                connection, address = self._listener.accept()
                if not self._closed:
                    threading.Thread(target=self._converse, args=(connection, address), daemon=True).start()

    def _converse(self, connection: socket.socket, address: Any) -> None:
        with connection, suppress(OSError, ValueError):  # a child that was killed resets its connections
            _Exchange(connection, address, self)  # type: ignore[arg-type]
