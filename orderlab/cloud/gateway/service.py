"""API Gateway (REST): the front door, from a request's arrival to its response.

What passes `admission` goes to what is behind the method, which has 29 seconds: a function by proxy, or a function,
DynamoDB or nothing at all (MOCK) through a `mapping`. Whatever fails on the way is answered by a gateway response: 500
when Lambda refuses the invoke, 502 for an error or a malformed answer of the function, 504 when it is too late (the
function goes on, and nobody hears it).
Source: API Gateway developer guide, set-up-lambda-proxy-integrations, api-gateway-execution-service-limits-table;
Lambda developer guide, services-apigateway-errors.
Departures: a request takes a seeded 5-15 ms each way, AWS promises nothing. An event above Lambda's 6 MB is answered
413. A role in Credentials must be there for DynamoDB; what it allows is not looked at.

Taught in notebooks/02_the_front_door.ipynb.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ReadTimeoutError

from .. import access, wire
from ..functions.service import Functions, Result
from ..guard import ACCOUNT, REGION
from ..scheduler import Outcome, Scheduler
from ..stack import Stack
from ..trace import Trace
from ..wire import Crash, NotYet
from . import admission, api, mapping, proxy, responses, variables
from .exchange import Call, Request, Response
from .responses import Refusal
from .throttling import Throttle

__all__ = ["Gateway", "Pending", "Request", "Response"]

NETWORK = (0.005, 0.015)  # seconds each way
MAX_EVENT = 6 * 1024 * 1024  # bytes of an invoke
TIMEOUT = 29.0  # seconds for the integration
_FUNCTION = re.compile(r":lambda:path/[^/]+/functions/(.+)/invocations$")
_ACTION = re.compile(r":dynamodb:action/(\w+|\{\w+\})$")
Ask = Callable[[str, bytes], tuple[int, str, dict[str, str]]]  # an action and its body to status, body and headers


class Pending:
    """A request that was sent; `response` is None until it is answered."""

    def __init__(self) -> None:
        self.response: Response | None = None

    def answer(self, response: Response) -> None:
        self.response = response


@dataclass(frozen=True)
class Caller:
    """The gateway itself, as the one who calls DynamoDB."""

    request_id: str
    name: str = "gateway"
    dead: bool = False


class Gateway:
    """The API of one local cloud, on its one stage. Raises TemplateError or NotYet for an API that cannot be served."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, functions: Functions, stack: Stack, ask: Ask | None = None
    ) -> None:
        """`ask` calls DynamoDB from inside a task."""
        self.scheduler, self.trace, self.functions, self.stack = scheduler, trace, functions, stack
        self.api, self.ask = api.read(stack, scheduler.rng), ask
        if self.api is not None:
            self.throttle = Throttle(stack, self.api.id, self.api.stage)
            self.plans = {method.logical_id: self._plan(method.logical_id) for method in self.api.methods}

    def _plan(self, name: str) -> mapping.Plan | None:
        plan = mapping.read(self.stack.resources[name])
        if plan is not None and plan.type == "AWS" and not (_FUNCTION.search(plan.uri) or _ACTION.search(plan.uri)):
            raise NotYet(f"{name} integrates {plan.uri}; the local cloud has Lambda, dynamodb:action/… and MOCK")
        return plan

    def clear(self) -> None:
        """As new: nothing throttled, nothing counted."""
        if self.api is not None:
            self.throttle.clear()

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
        call, refusal = admission.admit(call, self.throttle.check)
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
        settings, plan = call.method.integration, self.plans[call.method.logical_id]
        if plan is None:
            event = proxy.event(call)
            if len(call.request.body) > MAX_EVENT // 2 and len(json.dumps(event)) > MAX_EVENT:
                self._refuse(call, done, responses.TOO_LARGE)
            else:
                self._invoke(call, done, settings.get("Uri", ""), event, partial(self._proxied, call, done))
            return
        known = variables.of(call)
        asked = mapping.request(plan, call, known)
        if isinstance(asked, Refusal):
            self._refuse(call, done, asked)
            return
        uri, body = asked
        mapped = partial(self._mapped, plan, call, known, done)
        if plan.type == "MOCK":
            status = mapping.mock(body)
            if status is None:
                self._refuse(call, done, responses.misconfigured("the request template makes no statusCode"))
            else:
                mapped(str(status), "", {})
        elif found := _ACTION.search(uri):
            self._ask(call, done, found[1], body, mapped)
        else:
            try:
                event = json.loads(body or "{}")
            except ValueError:
                self._refuse(call, done, responses.not_invoked("the request for the function is not JSON"))
                return
            self._invoke(
                call, done, uri, event, lambda told: mapped(mapping.error_message(told.payload), told.payload, {})
            )

    def _invoke(
        self, call: Call, done: Callable[[Response], None], uri: str, event: Any, answer: Callable[[Result], None]
    ) -> None:
        function = self._function(call, uri)
        if isinstance(function, Refusal):
            self._refuse(call, done, function)
            return
        in_time = self._deadline(call, done)

        def ended(result: Result) -> None:
            if not in_time():
                return
            if result.throttled:
                self._refuse(call, done, responses.not_invoked("the function is throttled"))
            else:
                answer(result)

        self.functions.start(function, event, ended, source="gateway")

    def _ask(
        self, call: Call, done: Callable[[Response], None], action: str, body: str, answer: Callable[..., None]
    ) -> None:
        """DynamoDB by its HTTP API, without the retries of an SDK."""
        assert call.method is not None and self.ask is not None
        settings, ask = call.method.integration, self.ask
        if settings.get("IntegrationHttpMethod") != "POST" or not settings.get("Credentials"):
            self._refuse(
                call, done, responses.misconfigured("DynamoDB needs IntegrationHttpMethod POST and Credentials")
            )
            return
        in_time = self._deadline(call, done)

        def ended(outcome: Outcome) -> None:
            if not in_time():
                return
            if outcome.error is None:
                status, body, headers = outcome.value
                answer(str(status), body, headers)
            elif isinstance(outcome.error, Crash | ReadTimeoutError):
                self._refuse(call, done, responses.unreachable(type(outcome.error).__name__))
            else:
                raise outcome.error

        self.scheduler.spawn(lambda: ask(action, body.encode()), ended, Caller(call.id))

    def _deadline(self, call: Call, done: Callable[[Response], None]) -> Callable[[], bool]:
        """Give the backend its time; the answer tells whether it is in time. Too late, the client has had its 504."""
        assert call.method is not None
        timeout = float(call.method.integration.get("TimeoutInMillis", TIMEOUT * 1000)) / 1000
        timer = self.scheduler.after(timeout, lambda: self._refuse(call, done, responses.TIMED_OUT))

        def in_time() -> bool:
            timer.cancel()
            return timer.when > self.scheduler.now

        return in_time

    def _function(self, call: Call, uri: str) -> str | Refusal:
        """The ARN of the function behind the method, or why it cannot be invoked."""
        assert call.method is not None
        method, settings = call.method, call.method.integration
        uri = re.sub(r"\$\{stageVariables\.(\w+)\}", lambda m: call.api.variables.get(m.group(1), ""), uri)
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

    def _proxied(self, call: Call, done: Callable[[Response], None], result: Result) -> None:
        if result.error is not None:
            self._refuse(call, done, responses.bad_answer(str(result.error.get("errorType"))))
            return
        response = proxy.answer(call, result.payload)
        if isinstance(response, str):
            self._refuse(call, done, responses.bad_answer(f"malformed proxy answer: {response}"))
        else:
            self._answer(call, done, response)

    def _mapped(
        self,
        plan: mapping.Plan,
        call: Call,
        known: dict[str, Any],
        done: Callable[[Response], None],
        selection: str,
        body: str,
        headers: dict[str, str],
    ) -> None:
        response = mapping.response(plan, call, known, selection, body, headers)
        if isinstance(response, Refusal):
            self._refuse(call, done, response)
        else:
            self._answer(call, done, response)

    def _answer(self, call: Call, done: Callable[[Response], None], response: Response) -> None:
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
