"""What stops a request at the front door, before any function runs or costs anything.

The order is API Gateway's: size, route, signature, API key, throttling and quota, required parameters (there and not
blank), then the body against the model of its content type. A body whose content type has no model walks through, so
the function must check again.
Source: API Gateway developer guide, api-gateway-method-request-validation, api-gateway-api-usage-plans,
api-gateway-execution-service-limits-table (10 MB); recordings in localstack's test_apigateway_common.
Departures: content types are compared without their parameters and case, and a missing one counts as application/json;
above 10 MB AWS's edge answers 413 as plain text, here the gateway response REQUEST_TOO_LARGE does.

Taught in notebooks/02_the_front_door.ipynb.
"""

from collections.abc import Callable
from dataclasses import replace

from . import responses, routes, signature
from .exchange import Call
from .responses import Refusal
from .routes import Method

MAX_BODY = 10 * 1024 * 1024  # bytes


def admit(call: Call, throttle: Callable[[Call], Refusal | None]) -> tuple[Call, Refusal | None]:
    """What is known of the request after the checks, with the method that it met, and why it gets no further."""
    request, api = call.request, call.api
    if len(request.body) > MAX_BODY:
        return call, responses.TOO_LARGE
    met = routes.match(api.methods, request.method, request.path)
    if met is None:
        return call, responses.NO_ROUTE
    method, path_parameters = met
    call = replace(call, method=method, path_parameters=path_parameters)
    if method.signed:
        signer = signature.judge(api.id, api.stage, request)
        if isinstance(signer, Refusal):
            return call, signer
        call = replace(call, signer=signer)
    if method.needs_key:
        key = request.header("x-api-key")
        if key is None or key not in api.keys:
            why = "no x-api-key" if key is None else "x-api-key is no key of this stage"
            return call, responses.BAD_KEY.because(why)
        call = replace(call, key=key)
    return call, throttle(call) or _check_parameters(call, method) or _check_body(call, method)


def _check_parameters(call: Call, method: Method) -> Refusal | None:
    absent = [name for name in method.required if not (responses.parameter(call, name) or "").strip()]
    return responses.missing([name.split(".", 3)[3] for name in absent]) if absent else None


def _check_body(call: Call, method: Method) -> Refusal | None:
    kind = responses.media_type(call.request.header("content-type"))
    models = {name.lower(): model for name, model in (method.models or {}).items()}
    model = models.get(kind) or models.get("$default")
    if model is None:
        return None  # a content type without a model walks through
    errors = call.api.models.errors(model, call.request.body.decode(errors="replace"))
    return responses.bad_body(errors) if errors else None
