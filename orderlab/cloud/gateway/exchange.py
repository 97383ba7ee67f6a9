"""One exchange with the API: the request, the response, and what API Gateway knows of a request on its way.

That knowledge is `requestContext` in a function's event and `$context` in gateway responses and mapping templates.
Header names are compared without their case, as HTTP has it; the case in which they were sent is kept.
Source: API Gateway developer guide, api-gateway-mapping-template-reference; the fields as recorded in localstack's
test_apigateway_lambda.snapshot.json.

Taught in notebooks/02_the_front_door.ipynb.
"""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl

from ..guard import ACCOUNT, REGION
from .api import Api
from .routes import Method

Values = dict[str, list[str]]
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NO_SIGNATURE = (  # known only of a signed request
    *("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType"),
    *("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"),
)


@dataclass(frozen=True)
class Request:
    """An HTTP request to the API: the path below the stage, percent-encoded, and every header and query value."""

    method: str
    path: str
    headers: Values = field(default_factory=dict)
    query: Values = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str | list[str]] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
    ) -> "Request":
        """A request from plain values. The path may carry a ?query; a body that is no text or bytes is sent as JSON."""
        path, _, text = path.partition("?")
        asked: Values = {}
        for name, value in [*parse_qsl(text, keep_blank_values=True), *_pairs(query or {})]:
            asked.setdefault(name, []).append(value)
        sent: Values = {}
        for name, value in _pairs(headers or {}):
            sent.setdefault(next((known for known in sent if known.lower() == name.lower()), name), []).append(value)
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
        return cls(method.upper(), path, sent, asked, body.encode() if isinstance(body, str) else body or b"")

    def header(self, name: str) -> str | None:
        """The header's value (the last of several), whatever the case of its name."""
        found = [values[-1] for known, values in self.headers.items() if known.lower() == name.lower()]
        return found[0] if found else None


@dataclass(frozen=True)
class Response:
    """What the client gets."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not."""
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        """The header's value, whatever the case of its name."""
        return next((value for known, value in self.headers.items() if known.lower() == name.lower()), None)


class Pending:
    """A request that was sent; `response` is None until it is answered."""

    def __init__(self) -> None:
        self.response: Response | None = None

    def answer(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True)
class Call:
    """One request on its way through the API: its ids, the method it met, and its path parameters."""

    api: Api
    request: Request
    id: str
    extended_id: str
    trace_id: str
    at: float
    method: Method | None = None
    path_parameters: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    signer: str | None = None  # the access key of whoever signed


def arrived(api: Api, request: Request, at: float, rng: Random) -> Call:
    """A request that reaches the API, with its ids drawn."""
    return Call(
        api,
        request,
        id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        extended_id=base64.b64encode(rng.randbytes(11)).decode(),
        trace_id=f"Root=1-{int(at):08x}-{rng.getrandbits(96):024x}",
        at=at,
    )


def context(call: Call) -> dict[str, Any]:
    """`requestContext`, which gateway responses and mapping templates know as $context."""
    api, request, method = call.api, call.request, call.method
    at = time.gmtime(call.at)
    identity: dict[str, Any] = {
        **dict.fromkeys(_NO_SIGNATURE),
        "sourceIp": "127.0.0.1",
        "userAgent": request.header("user-agent"),
    }
    if call.key is not None:
        identity |= {"apiKey": call.key, "apiKeyId": api.keys[call.key]}
    if call.signer is not None:
        user = f"arn:aws:iam::{ACCOUNT}:user/{call.signer}"
        identity |= {"accessKey": call.signer, "accountId": ACCOUNT, "userArn": user}
    found = {"resourceId": method.resource_id, "resourcePath": method.path} if method else {}
    return {
        "accountId": ACCOUNT,
        "apiId": api.id,
        "deploymentId": api.deployment_id,
        "domainName": f"{api.id}.execute-api.{REGION}.amazonaws.com",
        "domainPrefix": api.id,
        "extendedRequestId": call.extended_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": f"/{api.stage}{request.path}",
        "protocol": "HTTP/1.1",
        "requestId": call.id,
        "requestTime": f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{time.strftime('%H:%M:%S', at)} +0000",
        "requestTimeEpoch": int(call.at * 1000),
        **found,
        "stage": api.stage,
    }


def _pairs(values: Mapping[str, str | list[str]]) -> list[tuple[str, str]]:
    return [(name, str(v)) for name, value in values.items() for v in (value if isinstance(value, list) else [value])]
