"""A Task calls a Lambda function through the integration lambda:invoke.

It sends Parameters.Payload and answers with an object around the function's answer. An error of the function is named
by its errorType, which for Python is the exception's class; a function that ran out of its own time is
Sandbox.Timedout, one that Lambda throttled Lambda.TooManyRequestsException. The cause is the error as Lambda tells it,
as JSON text.
Source: Step Functions developer guide, connect-lambda, concepts-error-handling; events, results and causes as recorded
in localstack's services/test_lambda_task_service, error_handling/test_task_service_lambda.
Departures: of the HTTP metadata in the answer only the status and the request id are there. A function's ARN as the
Resource is refused by name when the machine is created.
Taught in notebooks/10_undoing.ipynb
"""

import json
from contextlib import suppress
from typing import Any

from ..functions.service import Result
from .errors import Failed, too_large
from .execution import Execution, text, within_limit

RESOURCE = {"resourceType": "lambda", "resource": "invoke"}


def request(asked: dict[str, Any]) -> tuple[str, Any]:
    """Which function to call, and with which event."""
    payload = asked.get("Payload")
    if payload is None:
        payload = {}
    elif isinstance(payload, str):
        with suppress(ValueError):
            payload = json.loads(payload)  # text that is JSON is sent as it stands
    return str(asked["FunctionName"]), payload


def scheduled(execution: Execution, now: float, asked: Any, limit: float | None) -> None:
    """Write into the history that the call is made."""
    timeout = {} if limit is None else {"timeoutInSeconds": limit}
    told = {**RESOURCE, "region": execution.arn.split(":")[3], "parameters": text(asked), **timeout}
    execution.record(now, "TaskScheduled", taskScheduledEventDetails=told)
    execution.record(now, "TaskStarted", taskStartedEventDetails=RESOURCE)


def ended(execution: Execution, now: float, how: str, details: dict[str, Any]) -> None:
    """Write into the history how the call ended: Succeeded, Failed or TimedOut."""
    told: dict[str, Any] = {f"task{how}EventDetails": {**RESOURCE, **details}}
    execution.record(now, f"Task{how}", **told)


def read(result: Result) -> Any:
    """The task's result, of what the function answered. Raises Failed with the error as Step Functions names it."""
    if result.throttled:
        raise refused(429, "TooManyRequestsException", "Rate Exceeded.", result.request_id)
    if result.error is not None:
        raise Failed(str(result.error["errorType"]), text(result.error))
    value = {
        "ExecutedVersion": "$LATEST",
        "Payload": json.loads(result.payload),
        "SdkHttpMetadata": {"HttpStatusCode": 200},
        "SdkResponseMetadata": {"RequestId": result.request_id},
        "StatusCode": 200,
    }
    if not within_limit(value):
        raise too_large("lambda")
    return value


def refused(status: int, code: str, message: str, request_id: str = "") -> Failed:
    """An error of Lambda's own API."""
    said = f"Service: AWSLambda; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; Proxy: null"
    return Failed(f"Lambda.{code}", f"{message} ({said})")
