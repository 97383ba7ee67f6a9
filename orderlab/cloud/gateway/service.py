"""API Gateway (REST): the front door, from a request's arrival to its response.

What passes `admission` goes to the function behind the method, which has 29 seconds. Whatever fails on the way is
answered by a gateway response: 500 when Lambda refuses the invoke, 502 for an error or a malformed answer of the
function, 504 when it is too late (the function goes on, and nobody hears it).
Source: API Gateway developer guide, set-up-lambda-proxy-integrations, api-gateway-execution-service-limits-table;
Lambda developer guide, services-apigateway-errors.
Departures: a request takes a seeded 5-15 ms each way, AWS promises nothing. An event above Lambda's 6 MB is answered
413. Only Lambda proxy integrations are done: any other raises NotYet, with the method's name, when it is used.

Taught in notebooks/02_the_front_door.ipynb.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable
from functools import partial

from .. import access, wire
from ..functions.service import Functions, Result
from ..guard import ACCOUNT, REGION
from ..scheduler import Scheduler, Timer
from ..stack import Stack
from ..trace import Trace
from ..wire import NotYet
from . import admission, api, proxy, responses
from .exchange import Call, Request, Response
from .responses import Refusal

__all__ = ["Gateway", "Pending", "Request", "Response"]

NETWORK = (0.005, 0.015)  # seconds each way
MAX_EVENT = 6 * 1024 * 1024  # bytes of an invoke
TIMEOUT = 29.0  # seconds for the integration
_FUNCTION = re.compile(r":lambda:path/[^/]+/functions/(.+)/invocations$")


class Pending:
    """A request that was sent; `response` is None until it is answered."""

    def __init__(self) -> None:
        self.response: Response | None = None

    def answer(self, response: Response) -> None:
        self.response = response


class Gateway:
    """The API of one local cloud, on its one stage. Raises TemplateError or NotYet for an API that cannot be served."""

    def __init__(self, scheduler: Scheduler, trace: Trace, functions: Functions, stack: Stack) -> None:
        self.scheduler, self.trace, self.functions, self.stack = scheduler, trace, functions, stack
        self.api = api.read(stack, scheduler.rng)

    @property
    def key(self) -> str:
        """The value of the first usable API key, for the header x-api-key. Raises LookupError when there is none."""
        for value in self.api.keys if self.api else ():
            return value
        raise LookupError(
            "the API has no usable key: it must be Enabled and in a usage plan of the stage (UsagePlanKey)"
        )

    def handle(self, request: Request) -> Response:
        """Send a request and let the world run until it is answered."""
        pending = Pending()
        self.start(request, pending.answer)
        self.scheduler.wait(lambda: pending.response is not None)
        assert pending.response is not None  # every path below ends in an answer
        return pending.response

    def start(self, request: Request, done: Callable[[Response], None]) -> None:
        """Send a request; `done` gets the response in the loop."""
        if self.api is None:
            raise NotYet(f"{request.method} {request.path}: the template has no AWS::ApiGateway::RestApi to send it to")
        self.scheduler.after(self.scheduler.latency(*NETWORK), partial(self._arrive, self.api, request, done))

    def _arrive(self, served: api.Api, request: Request, done: Callable[[Response], None]) -> None:
        call = self._call(served, request)
        self.trace.add("request", "gateway", f"{request.method} {request.path}", request=call.id[:8])
        call, refusal = admission.admit(call)
        if refusal is None:
            self._integrate(call, done)
        else:
            self._refuse(call, done, refusal)

    def _call(self, served: api.Api, request: Request) -> Call:
        rng = self.scheduler.rng
        at = self.scheduler.now
        return Call(
            served,
            request,
            id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            extended_id=base64.b64encode(rng.randbytes(11)).decode(),
            trace_id=f"Root=1-{int(at):08x}-{rng.getrandbits(96):024x}",
            at=at,
        )

    def _integrate(self, call: Call, done: Callable[[Response], None]) -> None:
        assert call.method is not None
        method, settings = call.method, call.method.integration
        if settings.get("Type") != "AWS_PROXY":
            raise NotYet(
                f"{method.logical_id} ({method.verb} {method.path}) is an {settings.get('Type')} integration; "
                "the local cloud runs only AWS_PROXY (Lambda proxy) yet, no mapping templates"
            )
        function = self._function(call)
        if isinstance(function, Refusal):
            self._refuse(call, done, function)
            return
        event = proxy.event(call)
        if len(call.request.body) > MAX_EVENT // 2 and len(json.dumps(event)) > MAX_EVENT:
            self._refuse(call, done, responses.TOO_LARGE)
            return
        timeout = float(settings.get("TimeoutInMillis", TIMEOUT * 1000)) / 1000
        timer = self.scheduler.after(timeout, lambda: self._refuse(call, done, responses.TIMED_OUT))
        self.functions.start(function, event, partial(self._answered, call, done, timer), source="gateway")

    def _function(self, call: Call) -> str | Refusal:
        """The ARN of the function behind the method, or why it cannot be invoked."""
        assert call.method is not None
        method, settings = call.method, call.method.integration
        uri = re.sub(
            r"\$\{stageVariables\.(\w+)\}", lambda m: call.api.variables.get(m.group(1), ""), settings.get("Uri", "")
        )
        found = _FUNCTION.search(uri)
        if found is None:
            raise NotYet(f"{method.logical_id}: the Uri {uri} is no Lambda function; only those are proxied yet")
        if settings.get("IntegrationHttpMethod") != "POST":
            return responses.not_invoked(f"IntegrationHttpMethod of {method.logical_id} must be POST")
        try:
            function = self.functions.resolve(found.group(1))
        except wire.Refusal:
            return responses.not_invoked(f"there is no function {found.group(1)}")
        place = f"{call.api.id}/{call.api.stage}/{call.request.method}{method.path}"
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{place}"
        if not settings.get("Credentials") and not access.may_invoke(function, access.GATEWAY, source):
            return responses.not_invoked(f"no AWS::Lambda::Permission lets {source} invoke {function.arn}")
        return function.arn

    def _answered(self, call: Call, done: Callable[[Response], None], timer: Timer, result: Result) -> None:
        if timer.when <= self.scheduler.now:
            return  # the client had its 504; the function went on, and nobody hears its answer
        timer.cancel()
        if result.throttled:
            self._refuse(call, done, responses.not_invoked("the function is throttled"))
        elif result.error is not None:
            self._refuse(call, done, responses.bad_answer(str(result.error.get("errorType"))))
        else:
            response = proxy.answer(call, result.payload)
            if isinstance(response, str):
                self._refuse(call, done, responses.bad_answer(f"malformed proxy answer: {response}"))
            else:
                response.headers.setdefault("X-Amzn-Trace-Id", call.trace_id)
                self._send(call, done, response)

    def _refuse(self, call: Call, done: Callable[[Response], None], refusal: Refusal) -> None:
        self._send(call, done, responses.render(call, refusal), type=refusal.type, reason=refusal.reason)

    def _send(self, call: Call, done: Callable[[Response], None], response: Response, **why: str) -> None:
        response.headers.update({"x-amzn-RequestId": call.id, "x-amz-apigw-id": call.extended_id})
        told = {name: text for name, text in why.items() if text}
        seconds = round(self.scheduler.now - call.at, 6)
        self.trace.add("response", "gateway", str(response.status), request=call.id[:8], seconds=seconds, **told)
        self.scheduler.after(self.scheduler.latency(*NETWORK), lambda: done(response))
