"""The API of a deployed system over HTTP: with its API key, and signed where the stage asks for IAM.

An answer that never comes is an answer here too: status 0. Nothing is tried again: who asks decides that.
Source: API Gateway developer guide, how-to-call-api; IAM user guide, signing of requests (SigV4, service execute-api).
Taught in notebooks/12_ship_it.ipynb
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

CONNECT, READ = 5.0, 30.0  # seconds; API Gateway itself waits 29 for an integration
MOST_CONNECTIONS = 64

Send = Callable[[AWSPreparedRequest], Any]  # to an answer with status_code and content


@dataclass(frozen=True)
class Answer:
    """What the API said: an HTTP status (0: nothing) and the body, if it is a JSON object; the seconds that it took."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def said(self) -> str:
        """The status as a person reads it."""
        return str(self.status) if self.status else "nothing"

    @property
    def again(self) -> bool:
        """Is it worth asking again: no answer, throttled, or a failure of the server?"""
        return self.status == 0 or self.status == 429 or self.status >= 500


@dataclass(frozen=True)
class Door:
    """Where the API is: the stage's URL, its key, another name for the host, and credentials with which to sign."""

    url: str
    key: str
    clock: Callable[[], float]
    send: Send
    host: str = ""
    signer: SigV4Auth | None = None

    def __repr__(self) -> str:
        return f"Door({self.url})"  # never the key

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request. `headers` come on top of the key's, and an empty value takes one away."""
        named = {"Content-Type": "application/json", "x-api-key": self.key, **(headers or {})}
        if self.host:
            named["Host"] = self.host
        named = {name: value for name, value in named.items() if value}
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(method, self.url.rstrip("/") + path, headers=named, data=data)
        if self.signer is not None:
            self.signer.add_auth(request)
        begun = self.clock()
        try:
            answer = self.send(request.prepare())
        except (HTTPClientError, BotoCoreError, OSError):
            return Answer(0, {}, self.clock() - begun)
        return Answer(answer.status_code, _object(answer.content), self.clock() - begun)

    def place(self, key: str, body: Mapping[str, Any]) -> Answer:
        """POST /orders with this Idempotency-Key."""
        return self.ask("POST", "/orders", body, {"Idempotency-Key": key})

    def order(self, order_id: str) -> Answer:
        """GET /orders/{orderId}."""
        return self.ask("GET", f"/orders/{order_id}")


def sender(url: str) -> Send:
    """A pool of connections to this address, through the user's proxy where one is set; none to this machine."""
    loopback = url.startswith("http://")
    proxies = {} if loopback else get_environ_proxies(url)
    session = URLLib3Session(proxies=proxies, timeout=(CONNECT, READ), max_pool_connections=MOST_CONNECTIONS)
    return session.send


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content or b"{}")
    except ValueError:
        found = content.decode(errors="replace")[:200]
    return found if isinstance(found, dict) else {"message": str(found)}
