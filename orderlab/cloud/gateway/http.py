"""The API over HTTP: to the library `requests` at its address on AWS, and to anything else at one on this machine.

A request over HTTP is answered as `cloud.request` answers: the world runs until the answer is there, and what follows
from it is due at the next request or `cloud.run()`. A path that is not below the stage is 403 "Forbidden".
`requests` is caught before the network by moto's own means; urllib and other clients are not, and the network guard
refuses them: `cloud.serve()` is for them, for curl and for a browser. It listens on 127.0.0.1 only, and answers only
who calls it so: a page from elsewhere, in a browser, cannot reach it under another name.
Source: API Gateway developer guide, how-to-call-api; moto's documentation, "Responses".
Departures: http, not https; the client's own time-outs do not see virtual time.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
import os
import re
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import responses
from moto.core.models import RESPONSES_METHODS, responses_mock

from .. import guard
from ..wire.answers import NotYet
from .admission import MAX_BODY
from .exchange import Response, Values

Answer = Callable[[str, str, Values, bytes], Response]  # method, path with its query, headers and body


def below(stage: str, target: str) -> str | None:
    """The path below the stage, with its query; None for a path that is not below it."""
    path, mark, query = target.partition("?")
    name, _, rest = path.lstrip("/").partition("/")
    return f"/{rest}{mark}{query}" if name == stage else None


def forbidden() -> Response:
    """What the host of an API answers where there is no stage."""
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}
    return Response(403, headers, '{"message":"Forbidden"}')


def intercept(api_id: str, answer: Answer) -> None:
    """From here on `requests` to the API's host are answered here, until moto is stopped."""

    def called(request: Any) -> tuple[int, dict[str, str], str]:
        body = request.body if request.body is not None else b""
        if not isinstance(body, str | bytes):
            body = body.read() if hasattr(body, "read") else b"".join(body)
        address = urlsplit(request.url)
        target = address.path + (f"?{address.query}" if address.query else "")
        sent = {name: [value if isinstance(value, str) else value.decode()] for name, value in request.headers.items()}
        found = answer(request.method, target, sent, body.encode() if isinstance(body, str) else body)
        return found.status, found.headers, found.body

    for registered in responses_mock.registered():
        if type(registered) is responses.CallbackResponse:
            responses_mock.remove(registered)  # moto's, made at the deployment: it would come first
    host = re.compile(rf"https://{api_id}\.execute-api\.{guard.REGION}\.amazonaws\.com(/|$)")
    for method in RESPONSES_METHODS:
        responses_mock.add(responses.CallbackResponse(method, host, called, content_type=None))


class Server:
    """The API on a port of 127.0.0.1, 0 for any free one. Raises OSError and ValueError that name the port."""

    def __init__(self, port: int, stage: str, answer: Answer) -> None:
        if not 0 <= port <= 65_535:
            raise ValueError(f"there is no port {port}: ports go from 1 to 65535, and 0 takes any free one")

        class Handler(_Handler):
            reply = staticmethod(answer)

        try:
            self._server = _Listener(("127.0.0.1", port), Handler)
        except OSError as error:
            why = f"cannot listen on port {port} of 127.0.0.1 ({error.strerror}): choose another, or 0 for a free one"
            raise OSError(error.errno, why) from None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/{stage}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; twice does no harm."""
        self._server.shutdown()
        self._server.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # on Windows it would let two servers listen on one port

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would look the name of the address up


class _Handler(BaseHTTPRequestHandler):
    reply: Answer

    def answer(self) -> None:
        found = self._find()
        body = found.body.encode()
        self.send_response(found.status)
        for name, value in found.headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value.replace("\r", " ").replace("\n", " "))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer

    def _find(self) -> Response:
        if not guard.is_loopback(f"//{self.headers.get('Host', '')}"):
            return forbidden()
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            return Response(411, {"Content-Type": "application/json"}, '{"message":"Length Required"}')
        sent: Values = {}
        for name, value in self.headers.items():
            sent.setdefault(name, []).append(value)
        try:
            return self.reply(self.command, self.path, sent, self.rfile.read(min(int(length), MAX_BODY + 1)))
        except Exception as error:  # the client is not in the cell: it must be told here
            status = 501 if isinstance(error, NotYet) else 500
            return Response(status, {"Content-Type": "application/json"}, json.dumps({"orderlab": str(error)}))

    def log_message(self, format: str, *args: Any) -> None:
        """The trace tells what was asked."""
