"""API Gateway's Lambda proxy integration: the request as the function gets it, the answer as the gateway wants it.

The payload format is 1.0. An answer without statusCode, and an exception, become a 502 with a message of the gateway's.
Taught in notebooks/02_the_front_door.ipynb
"""

import base64
import json
from typing import Any

from orderlab.orders.order import Invalid

Response = dict[str, Any]


def respond(status: int, content: dict[str, Any], **headers: str) -> Response:
    """An answer with this content as JSON."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **headers},
        "body": json.dumps(content),
    }


def header(event: dict[str, Any], name: str) -> object:
    """A header by its name, in whatever case the client wrote it; None where it is missing."""
    headers: dict[str, object] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def body(event: dict[str, Any]) -> str:
    """The body as text. Raises Invalid when it is no text."""
    content = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(content)
    try:
        return base64.b64decode(content, validate=True).decode()
    except ValueError:
        raise Invalid("the body is not JSON") from None
