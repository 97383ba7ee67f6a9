"""What is answered to a call: a reply, a refusal in any of AWS's protocols, or that something is not done here."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse


class Refusal(Exception):
    """An error that AWS would answer: boto3 raises it as a ClientError with this code, and with `more` in its body."""

    def __init__(self, code: str, message: str, status: int = 400, *, more: dict[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.more = code, message, status, more or {}


class NotYet(NotImplementedError):
    """Something that AWS does and this local cloud does not do yet. It says so instead of pretending."""


def refusing(service: str, names: str, why: str) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]]:
    """Answers for operations (their names, separated by blanks) that are not done here: each says so, and why."""

    def answer(name: str, params: dict[str, Any]) -> dict[str, Any]:
        raise NotYet(f"{service} {name}: {why}")

    return {(service, name): partial(answer, name) for name in names.split()}


def reply(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: str | bytes) -> AWSResponse:
    """An HTTP answer as botocore expects it."""
    return AWSResponse(request.url, status, headers, MockRawResponse(body))


def refuse(request: AWSPreparedRequest, refusal: Refusal) -> AWSResponse:
    """The HTTP answer that says no, in any of AWS's protocols."""
    shape = getattr(refusal, "shape", refusal.code)  # SQS has two names for an error: boto3's classes go by the shape
    body = json.dumps({"__type": shape, "message": refusal.message, "Message": refusal.message, **refusal.more})
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amzn-errortype": shape,
        "x-amzn-query-error": f"{refusal.code};Sender",
    }
    if "//sns." in request.url:
        error = f"<Type>Sender</Type><Code>{refusal.code}</Code><Message>{refusal.message}</Message>"
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    if ".s3." in request.url or "//s3." in request.url:
        body = f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>"
    return reply(request, refusal.status, headers, body)


def error_code(response: AWSResponse) -> str:
    """The code of an error that AWS answered, wherever its protocol puts it."""
    found = re.search(r'(?:"__type": ?"[^"]*?|<Code>)(\w+)["<]', response.content.decode(errors="replace"))
    return found.group(1) if found else str(response.headers.get("x-amzn-errortype", response.status_code))
