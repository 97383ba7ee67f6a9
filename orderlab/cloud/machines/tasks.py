"""A Task calls a Lambda function: through the integration lambda:invoke, or straight by the function's ARN.

The integration sends Parameters.Payload and answers with an object around the function's answer; the ARN sends and
answers the bare value. An error of the function is named by its errorType, which for Python is the exception's class;
a function that ran out of its own time is Sandbox.Timedout, one that Lambda throttled Lambda.TooManyRequestsException.
The cause is the error as Lambda tells it, as JSON text.
Source: Step Functions developer guide, connect-lambda, concepts-error-handling; events, results and causes as recorded
in localstack's services/test_lambda_task*, error_handling/test_task_*lambda.
Departure: of the HTTP metadata in the integration's answer only the status and the request id are there.
Taught in notebooks/10_undoing.ipynb
"""

import json
from contextlib import suppress
from typing import Any

from ..functions.service import Result
from .definition import INVOKE
from .errors import Failed, too_large
from .execution import Execution, data, text, within_limit

RESOURCE = {"resourceType": "lambda", "resource": "invoke"}


def is_integration(resource: str) -> bool:
    """Is this Resource lambda:invoke? Else it is a function's ARN."""
    return INVOKE.fullmatch(resource) is not None


def request(resource: str, asked: Any) -> tuple[str, Any]:
    """Which function to call, and with which event."""
    if not is_integration(resource):
        return resource, asked
    payload = asked.get("Payload")
    if payload is None:
        payload = {}
    elif isinstance(payload, str):
        with suppress(ValueError):
            payload = json.loads(payload)  # text that is JSON is sent as it stands
    return str(asked["FunctionName"]), payload


def scheduled(execution: Execution, now: float, asked: Any, limit: float | None) -> None:
    """Write into the history that the call is made."""
    resource, timeout = execution.state["Resource"], {} if limit is None else {"timeoutInSeconds": limit}
    if is_integration(resource):
        told = {**RESOURCE, "region": execution.arn.split(":")[3], "parameters": text(asked), **timeout}
        execution.record(now, "TaskScheduled", taskScheduledEventDetails=told)
        execution.record(now, "TaskStarted", taskStartedEventDetails=RESOURCE)
    else:
        told = {"resource": resource, **data("input", text(asked)), **timeout}
        execution.record(now, "LambdaFunctionScheduled", lambdaFunctionScheduledEventDetails=told)
        execution.record(now, "LambdaFunctionStarted")


def ended(execution: Execution, now: float, how: str, details: dict[str, Any]) -> None:
    """Write into the history how the call ended: Succeeded, Failed or TimedOut."""
    service = is_integration(execution.state["Resource"])
    kind, field = ("Task", "task") if service else ("LambdaFunction", "lambdaFunction")
    told: dict[str, Any] = {f"{field}{how}EventDetails": {**RESOURCE, **details} if service else details}
    execution.record(now, f"{kind}{how}", **told)


def read(resource: str, result: Result) -> Any:
    """The task's result, of what the function answered. Raises Failed with the error as Step Functions names it."""
    if result.throttled:
        raise refused(429, "TooManyRequestsException", "Rate Exceeded.", result.request_id)
    if result.error is not None:
        raise Failed(str(result.error["errorType"]), text(result.error))
    value = json.loads(result.payload)
    if is_integration(resource):
        value = {
            "ExecutedVersion": "$LATEST",
            "Payload": value,
            "SdkHttpMetadata": {"HttpStatusCode": 200},
            "SdkResponseMetadata": {"RequestId": result.request_id},
            "StatusCode": 200,
        }
    if not within_limit(value):
        raise too_large("lambda" if is_integration(resource) else resource)
    return value


def refused(status: int, code: str, message: str, request_id: str = "") -> Failed:
    """An error of Lambda's own API."""
    said = f"Service: AWSLambda; Status Code: {status}; Error Code: {code}; Request ID: {request_id}; Proxy: null"
    return Failed(f"Lambda.{code}", f"{message} ({said})")
