"""A method with AuthorizationType AWS_IAM: who calls must sign the request (Signature Version 4), and is then known.

What AWS adds is left out: there is one identity here, the well-known fake one of this process, and it may do anything.
Unsigned is 403 "Missing Authentication Token", as a wrong path is; a signature over something else than what was sent,
or with another secret, is 403 too.
Source: API Gateway developer guide, permissions, supported-gateway-response-types; IAM user guide,
reference_sigv-create-signed-request. The signature is botocore's own SigV4Auth.
Departures: the age of a signature (5 minutes on AWS) is not looked at, because a client's clock is not the virtual one;
the texts of the last two refusals are those of AWS's other services.

Taught in notebooks/02_the_front_door.ipynb.
"""

import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ..guard import FAKE, REGION
from . import responses
from .exchange import Request
from .responses import Refusal

_TOKEN = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/[\w-]+/[\w-]+/aws4_request, ?SignedHeaders=([^,]+), ?"
                    r"Signature=([0-9a-f]{64})")  # fmt: skip
_ME = Credentials(FAKE["AWS_ACCESS_KEY_ID"], FAKE["AWS_SECRET_ACCESS_KEY"], FAKE["AWS_SESSION_TOKEN"])
_STRANGER = Refusal("DEFAULT_4XX", 403, "The security token included in the request is invalid.",
                    "UnrecognizedClientException")  # fmt: skip
_WRONG = Refusal("INVALID_SIGNATURE", 403, "The request signature we calculated does not match the signature you "
                 "provided.", "InvalidSignatureException")  # fmt: skip


def sign(api_id: str, stage: str, request: Request, at: float) -> Request:
    """The same request, signed by this process's fake identity at an instant (seconds since the epoch)."""
    host = _host(api_id)
    given = {"host": host, **{name: ",".join(values) for name, values in request.headers.items()}}
    asked, auth = _asked(stage, request, host, given), SigV4Auth(_ME, "execute-api", REGION)
    asked.context["timestamp"] = datetime.fromtimestamp(at, UTC).strftime(SIGV4_TIMESTAMP)
    auth._modify_request_before_signing(asked)
    signed = auth.headers_to_sign(asked)
    token = (
        f"AWS4-HMAC-SHA256 Credential={auth.scope(asked)}, SignedHeaders={auth.signed_headers(signed)}, "
        f"Signature={_signature(auth, asked)}"
    )
    added = {"Authorization": token, **{name: asked.headers[name] for name in ("X-Amz-Date", "X-Amz-Security-Token")}}
    return replace(request, headers={**request.headers, **{name: [value] for name, value in added.items()}})


def judge(api_id: str, stage: str, request: Request) -> str | Refusal:
    """The access key that signed this request, or why it gets no further."""
    token = request.header("authorization")
    if token is None:
        return responses.NO_ROUTE.because("the request is not signed")
    found = _TOKEN.fullmatch(token.strip())
    if found is None:
        return _WRONG.because("the header Authorization is no Signature Version 4")
    key, names, signature = found.groups()
    if key != _ME.access_key:
        return _STRANGER.because(f"{key} is no access key here")
    host = request.header("host") or _host(api_id)
    known = {"host": host, **{name.lower(): ",".join(values) for name, values in request.headers.items()}}
    signed = {name: known[name] for name in names.split(";") if name in known}
    if "host" not in signed or "x-amz-date" not in signed:
        return _WRONG.because("host and x-amz-date must be signed")
    asked = _asked(stage, request, host, signed)
    asked.context["timestamp"] = signed["x-amz-date"]
    mine = _signature(SigV4Auth(_ME, "execute-api", REGION), asked)
    return key if hmac.compare_digest(mine, signature) else _WRONG.because("the signature does not fit the request")


def _host(api_id: str) -> str:
    return f"{api_id}.execute-api.{REGION}.amazonaws.com"


def _asked(stage: str, request: Request, host: str, headers: dict[str, str]) -> AWSRequest:
    pairs = [(name, value) for name, values in request.query.items() for value in values]
    query = f"?{urlencode(pairs, quote_via=quote, safe='-_.~')}" if pairs else ""
    return AWSRequest(request.method, f"https://{host}/{stage}{request.path}{query}", headers, request.body)


def _signature(auth: SigV4Auth, asked: AWSRequest) -> str:
    text: Any = auth.signature(auth.string_to_sign(asked, auth.canonical_request(asked)), asked)
    return str(text)
