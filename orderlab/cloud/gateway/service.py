"""API Gateway (REST): the front door, from a request's arrival to its response.

What passes `admission` goes to what is behind the method, which has 29 seconds: a function by `proxy`, or a function or
DynamoDB by a `mapping`. Whatever fails on the way is answered by a gateway response: 500 when Lambda refuses the
invoke, 502 for an error or a malformed answer of the function, 504 when it is too late (the function goes on unheard).
Source: API Gateway developer guide, set-up-lambda-proxy-integrations, api-gateway-execution-service-limits-table;
Lambda developer guide, services-apigateway-errors.
Departures: a request takes a seeded 5-15 ms each way, AWS promises nothing. An event above Lambda's 6 MB is answered
413. A role in Credentials must be there for DynamoDB; what it allows is not looked at.

Taught in notebooks/02_the_front_door.ipynb.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ReadTimeoutError

from ..functions.service import Functions, Result
from ..scheduler import Outcome, Scheduler
from ..stack.resources import Stack
from ..trace import Trace
from ..wire.answers import NotYet
from ..wire.calls import Crash
from . import admission, api, mapping, proxy, responses, variables
from .exchange import Call, Pending, Request, Response, arrived
from .responses import Refusal
from .throttling import Throttle

__all__ = ["Gateway", "Pending", "Request", "Response"]

NETWORK = (0.005, 0.015)  # seconds each way
MAX_EVENT = 6 * 1024 * 1024  # bytes of an invoke
TIMEOUT = 29.0  # seconds for the integration
Ask = Callable[[str, bytes], tuple[int, str]]  # an action and its body to status and body


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
        self.scheduler, self.trace, self.functions, self.ask = scheduler, trace, functions, ask
        self.api, self.throttle = api.read(stack, scheduler.rng), Throttle()
        methods = self.api.methods if self.api is not None else ()
        self.plans = {method.logical_id: mapping.read(stack.resources[method.logical_id]) for method in methods}

    def clear(self) -> None:
        """As new: nothing throttled, nothing counted."""
        self.throttle.clear()

    @property
    def key(self) -> str:
        """The value of the first usable API key, for the header x-api-key. Raises LookupError when there is none."""
        for value in self.api.keys if self.api else ():
            return value
        raise LookupError("no usable API key: it must be Enabled and in a plan of the stage (UsagePlanKey)")

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
        call = arrived(served, request, self.scheduler.now, self.scheduler.rng)
        self.trace.add("request", "gateway", f"{request.method} {request.path}", request=call.id[:8])
        call, refusal = admission.admit(call, self.throttle.check)
        plan = self.plans[call.method.logical_id] if call.method is not None else None
        if refusal is not None:
            self._answer(call, done, refusal)
        elif plan is not None and plan.action:
            self._ask(plan, call, done)
        else:
            self._invoke(plan, call, done)

    def _invoke(self, plan: mapping.Plan | None, call: Call, done: Callable[[Response], None]) -> None:
        known = variables.of(call) if plan is not None else {}
        function: str | Refusal = proxy.function(call, self.functions)
        event = proxy.event(call) if plan is None else mapping.request(plan, call, known)
        if isinstance(event, Refusal):
            function = event
        elif isinstance(event, str):
            try:
                event = json.loads(event or "{}")
            except ValueError:
                function = responses.NOT_INVOKED.because("the request for the function is not JSON")
        if isinstance(function, str) and len(call.request.body) > MAX_EVENT // 2 and len(json.dumps(event)) > MAX_EVENT:
            function = responses.TOO_LARGE
        if isinstance(function, Refusal):
            self._answer(call, done, function)
            return
        in_time = self._deadline(call, done)

        def ended(result: Result) -> None:
            if not in_time():
                return
            if result.throttled:
                told: Response | Refusal | str = responses.NOT_INVOKED.because("the function is throttled")
            elif plan is not None:
                told = mapping.response(plan, call, known, mapping.error_message(result.payload), result.payload)
            elif result.error is not None:
                told = str(result.error.get("errorType"))
            else:
                told = proxy.answer(call, result.payload)
            self._answer(call, done, responses.BAD_ANSWER.because(told) if isinstance(told, str) else told)

        self.functions.start(function, event, ended, source="gateway")

    def _ask(self, plan: mapping.Plan, call: Call, done: Callable[[Response], None]) -> None:
        """DynamoDB by its HTTP API, without the retries of an SDK."""
        known = variables.of(call)
        asked, ask = mapping.request(plan, call, known), self.ask
        if isinstance(asked, Refusal):
            self._answer(call, done, asked)
            return
        assert ask is not None
        body = asked.encode()
        in_time = self._deadline(call, done)

        def ended(outcome: Outcome) -> None:
            if not in_time():
                return
            if outcome.error is None:
                status, text = outcome.value
                self._answer(call, done, mapping.response(plan, call, known, str(status), text))
            elif isinstance(outcome.error, Crash | ReadTimeoutError):
                self._answer(call, done, responses.UNREACHABLE.because(type(outcome.error).__name__))
            else:
                raise outcome.error

        self.scheduler.spawn(lambda: ask(plan.action, body), ended, Caller(call.id))

    def _deadline(self, call: Call, done: Callable[[Response], None]) -> Callable[[], bool]:
        """Give the backend its time; the answer tells whether it is in time. Too late, the client has had its 504."""
        assert call.method is not None
        timeout = float(call.method.integration.get("TimeoutInMillis", TIMEOUT * 1000)) / 1000
        timer = self.scheduler.after(timeout, lambda: self._answer(call, done, responses.TIMED_OUT))

        def in_time() -> bool:
            timer.cancel()
            return timer.when > self.scheduler.now

        return in_time

    def _answer(self, call: Call, done: Callable[[Response], None], told: Response | Refusal) -> None:
        """Send the client the backend's response, or the API's own."""
        why = {}
        if isinstance(told, Refusal):
            response = responses.render(call, told)
            why = {name: text for name, text in (("type", told.type), ("reason", told.reason)) if text}
        else:
            response = told
            response.headers.setdefault("X-Amzn-Trace-Id", call.trace_id)
        response.headers.update({"x-amzn-RequestId": call.id, "x-amz-apigw-id": call.extended_id})
        seconds = round(self.scheduler.now - call.at, 6)
        self.trace.add("response", "gateway", str(response.status), request=call.id[:8], seconds=seconds, **why)
        self.scheduler.after(self.scheduler.latency(*NETWORK), lambda: done(response))
