"""DynamoDB's HTTP API, for a mapping that calls it: what boto3 would check first is checked here."""

import json
from functools import lru_cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest
from botocore.model import OperationNotFoundError
from botocore.validate import ParamValidator
from moto.core.models import botocore_stubber

from .. import guard
from ..wire.answers import Refusal, refuse
from ..wire.calls import Wire


def ask(wire: Wire, action: str, body: bytes) -> tuple[int, str]:
    """Call DynamoDB from inside a task: the status and the body of its answer."""
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{action}", "Content-Type": "application/x-amz-json-1.0"}
    url = f"https://dynamodb.{guard.REGION}.amazonaws.com/"
    request = AWSPreparedRequest("POST", url, headers, body, False)
    refusal = _unreadable(action, body)
    if refusal is not None:
        response = refuse(request, refusal)
    else:
        response = wire.call(f"before-send.dynamodb.{action}", request, botocore_stubber)
    return response.status_code, response.text


def _unreadable(action: str, body: bytes) -> Refusal | None:
    """What DynamoDB says of a request that boto3 would not have sent, and that moto would stumble over."""
    try:
        report = ParamValidator().validate(json.loads(body), _dynamodb().operation_model(action).input_shape)
    except ValueError:
        return Refusal("SerializationException", "the body is not JSON")
    except OperationNotFoundError:
        return Refusal("UnknownOperationException", f"{action} is no operation")
    return Refusal("ValidationException", report.generate_report()) if report.has_errors() else None


@lru_cache(maxsize=1)
def _dynamodb() -> Any:
    return botocore.session.get_session().get_service_model("dynamodb")
