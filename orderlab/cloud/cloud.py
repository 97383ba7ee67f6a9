"""`Cloud()`: the whole template on this machine, in virtual time, behind boto3 as it is.

It is the system that `infra/template.yaml` describes, made of moto (tables, buckets, CloudFormation) and of the pieces
of this room (functions, queues, mappings, bus, gateway, metrics). One cloud is open in a process at a time: a
new one closes the one before it.
"""

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import moto.moto_api._internal
from botocore.config import Config
from moto import mock_aws

from . import clock, fidelity, guard, services, speed
from .bus.service import Bus
from .faults import Faults
from .functions.service import Functions
from .gateway import http, signature
from .gateway.service import Gateway, Pending, Request, Response
from .machines.service import Machines
from .mappings.service import Mappings
from .metrics.alarms import Alarms
from .metrics.service import Metrics
from .queues.service import Queues
from .scheduler import Scheduler
from .stack import creation, formation
from .stack.resources import Stack
from .stack.template import TEMPLATE, override, read
from .tables.service import Tables
from .topics.service import Topics
from .trace import Trace
from .wire import hooks
from .wire.answers import NotYet
from .wire.calls import Listener, Wire

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()  # a Monday morning
_open: "Cloud | None" = None
_session: boto3.Session | None = None  # kept from cloud to cloud: it remembers the service models it has read


class Cloud:
    """The order system, or any template of the same kinds of resources, on this machine.

    `seed` decides every chance in it: the same seed gives the same history. `parameters` are the template's,
    `overrides` change resources' properties (see `stack.template.override`), `faults` is the plan of what goes wrong.
    `runner` says where handlers run: "in-process", in virtual time and the same for the same seed, or "processes", each
    environment a real process (see `functions.processes`).
    Raises `stack.template.TemplateError` for a template that cannot be honoured.
    """

    stack: Stack
    outputs: dict[str, str]
    queues: Queues
    functions: Functions
    mappings: Mappings
    tables: Tables
    topics: Topics
    machines: Machines
    bus: Bus
    gateway: Gateway
    metrics: Metrics
    alarm_service: Alarms

    def __init__(
        self,
        *,
        seed: int = 0,
        template: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
        faults: Faults | None = None,
        runner: str = "in-process",
    ) -> None:
        global _open
        if runner not in ("in-process", "processes"):
            raise ValueError(f'runner is "in-process" or "processes", not {runner!r}')
        if _open is not None:
            _open.close()
        self.seed = seed
        self.hidden = guard.hide_credentials()
        path = template or TEMPLATE
        described = override(read(path), dict(overrides or {}))
        self.scheduler = Scheduler(START, seed)
        self.trace = Trace(lambda: self.scheduler.now)
        self.faults = faults if faults is not None else Faults(seed)
        self._wire = Wire(self.scheduler, self.trace, self.faults)
        self._clients: dict[str, Any] = {}
        self._ending = ExitStack()  # what is given back when this cloud closes, the last first
        self._processes: Any = None
        if runner == "processes":
            from .functions.processes import Processes  # only here: whoever runs in process does not wait for it

            self._processes = Processes(self.scheduler, self._wire, self.trace.add)
            self._ending.callback(self._processes.close)
        self._ending.enter_context(mock_aws())
        _open = self
        try:
            self._build(described, path.parent, dict(parameters or {}))
        except BaseException:
            self.close()
            raise

    def _build(self, described: dict[str, Any], folder: Path, parameters: dict[str, str]) -> None:
        global _session
        for install, uninstall in (
            (lambda: clock.install(lambda: self.scheduler.now), clock.uninstall),
            (speed.install, speed.uninstall),
            (formation.install, lambda: None),
            (lambda: hooks.connect(self._wire), lambda: hooks.disconnect(self._wire)),
        ):
            install()
            self._ending.callback(uninstall)
        _collect_rarely(self._ending)
        _session = boto3.DEFAULT_SESSION = _session or boto3.Session(region_name=guard.REGION)
        moto.moto_api._internal.mock_random.seed(self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto's remarks on types that are recorded here
            self.stack = creation.create(described, folder, parameters, self.client)
        self.outputs = self.stack.outputs
        services.make(self)
        services.join(self, self._ending)
        _keep()
        self._reset(self.seed, self.faults)  # whatever was drawn while building: every world starts from here

    @property
    def now(self) -> float:
        """The virtual time, seconds since the epoch."""
        return self.scheduler.now

    @property
    def alarms(self) -> dict[str, str]:
        """The state of each alarm (OK, ALARM, INSUFFICIENT_DATA), by logical id; alarms made by boto3 by name."""
        return self.alarm_service.states

    def run(self, until: float | None = None) -> None:
        """Let the world run: to quiet, or to the instant `until` (seconds since the epoch)."""
        self.scheduler.run(until)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of virtual time pass."""
        self.scheduler.advance(seconds)

    def client(self, service: str) -> Any:
        """A boto3 client. A `boto3.client(...)` of your own sees the same world; this one checks parameters less."""
        if service not in self._clients:
            config = Config(parameter_validation=False, account_id_endpoint_mode="disabled")
            self._clients[service] = boto3.client(service, region_name=guard.REGION, config=config)
        return self._clients[service]

    def request(
        self,
        method: str,
        path: str,
        *,
        body: str | bytes | dict[str, Any] | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        signed: bool = False,
    ) -> Response:
        """Send a request to the API and let the world run until it is answered; signed where a method wants AWS_IAM."""
        with self.scheduler.lock:
            pending = self.request_at(self.now, method, path, body=body, headers=headers, query=query, signed=signed)
            self.scheduler.wait(lambda: pending.response is not None, 60.0)
        if pending.response is None:
            raise RuntimeError(f"{method} {path} was never answered")
        return pending.response

    def request_at(
        self,
        when: float,
        method: str,
        path: str,
        *,
        body: str | bytes | dict[str, Any] | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
        query: Mapping[str, str | list[str]] | None = None,
        signed: bool = False,
    ) -> Pending:
        """Send a request at an instant; its answer is in `.response` once the world has run that far."""
        request = Request.of(method, path, body=body, headers=dict(headers or {}), query=dict(query or {}))
        if signed and self.gateway.api is not None:
            request = signature.sign(self.gateway.api.id, self.gateway.api.stage, request, when)
        pending = Pending()
        with self.scheduler.lock:
            self.scheduler.at(when, lambda: self.gateway.start(request, pending.answer))
        return pending

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """`with cloud.serve() as url:` has the API's stage at `url`, on this machine, for curl, a browser, any client.

        Every request lets the world run until it is answered, also while a cell waits for one. Raises OSError for a
        port that is taken, RuntimeError while a handler stands in the middle of its work.
        """
        if self.gateway.api is None:
            raise NotYet("the template has no AWS::ApiGateway::RestApi to serve")
        self.scheduler.share()
        server = http.Server(port, self.gateway.api.stage, self._over_http)
        self._ending.callback(server.close)  # a cloud that closes takes its servers along
        try:
            yield server.url
        finally:
            server.close()

    def _over_http(self, method: str, target: str, headers: Mapping[str, list[str]], body: bytes) -> Response:
        assert self.gateway.api is not None
        path = http.below(self.gateway.api.stage, target)
        return http.forbidden() if path is None else self.request(method, path, body=body, headers=headers)

    @contextmanager
    def listening(self, hear: Listener) -> Iterator[None]:
        """Have `hear` called when a handler or the gateway makes a call to AWS, and again when it was answered.

        It gets a `wire.calls.Heard`: what the trace leaves out, such as the request, and the trace's row of the call.
        """
        self._wire.listeners.append(hear)
        try:
            yield
        finally:
            self._wire.listeners.remove(hear)

    @property
    def api_key(self) -> str:
        """The value of the template's API key, for the header x-api-key."""
        return self.gateway.key

    def fidelity(self) -> fidelity.Fidelity:
        """Rule by rule: what AWS does, what this cloud, moto and ministack do, and what is left out here."""
        return fidelity.table()

    def replace(self, logical_id: str, handler: Callable[[Any, Any], Any]) -> None:
        """Run `handler` in a function's place, from its next cold start on (its warm environments are taken away).

        A module's function is loaded with that module, which may import what ships and what is installed. A cell's
        function imports what it uses of `orderlab.orders` inside itself: what the cell has imported is this process's.
        """
        if self._processes is not None:
            self._processes.check(handler)  # what cannot be sent to a process is refused here
        self.functions.replace(logical_id, handler)

    def reset(self, *, seed: int | None = None, faults: Faults | None = None) -> None:
        """As new: no rows, messages, objects or environments, the clock at its start, the seed's chances ahead.

        The stack stays, which makes this some twenty times faster than a new cloud. Handlers that were replaced stay
        replaced; faults end, unless new ones are given.
        """
        seed = self.seed if seed is None else seed
        with self.scheduler.lock:
            self._reset(seed, faults if faults is not None else Faults(seed))

    def _reset(self, seed: int, faults: Faults) -> None:
        self.seed = seed
        self.faults.become(faults)
        self.scheduler.reset(START, seed)
        self._wire.steps = 0
        moto.moto_api._internal.mock_random.seed(seed)
        if self._processes is not None:
            self._processes.clear()
        self.trace.rows.clear()
        services.empty(self)

    def close(self) -> None:
        """Give moto and the clock back. The trace stays readable; boto3 calls are refused until another cloud opens."""
        global _open
        if _open is self:
            _open = None
            self.scheduler.reset(self.scheduler.now, self.seed)
            self.scheduler.lock.close()
            self._ending.close()

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _collect_rarely(ending: ExitStack) -> None:
    """Python's search for garbage costs a third of the time of a cloud whose rows are nearly all still in use.

    While a cloud is open Python looks every 50,000 new things, not every 700: a dozen orders' worth.
    """
    ending.callback(gc.set_threshold, *gc.get_threshold())
    gc.set_threshold(50_000, *gc.get_threshold()[1:])


@cache
def _keep() -> None:
    """The models of services, which the first cloud of a process loads and which stay, are never searched again."""
    gc.collect()
    gc.freeze()
