"""`Cloud()`: the whole template on this machine, in virtual time, behind boto3 as it is.

It is the system that `infra/template.yaml` describes, made of moto (tables, buckets, CloudFormation) and of the pieces
of this room (functions, queues, mappings, streams, bus, gateway, metrics). One cloud is open in a process at a time: a
new one closes the one before it.
"""

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import moto.moto_api._internal
from botocore.config import Config
from moto import mock_aws
from moto.backends import get_backend

from . import cache, clock, fidelity, guard, speed, stack, wire
from .bus.service import Bus
from .faults import Faults
from .functions import invoke
from .functions.service import Functions
from .gateway import http
from .gateway.service import Gateway, Pending, Request, Response
from .machines.service import Machines
from .mappings.operations import Operations
from .mappings.service import Mappings
from .mappings.streams import Streams
from .metrics.alarms import Alarms
from .metrics.service import Metrics
from .queues.service import Queues
from .scheduler import Scheduler
from .tables.service import Tables
from .topics import Topics
from .trace import Trace

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()  # a Monday morning
_open: "Cloud | None" = None
_session: boto3.Session | None = None  # kept from cloud to cloud: it remembers the service models it has read


class Cloud:
    """The order system, or any template of the same kinds of resources, on this machine.

    `seed` decides every chance in it: the same seed gives the same history. `parameters` are the template's,
    `overrides` change resources' properties (see `stack.override`), `faults` is the plan of what goes wrong.
    `runner` says where handlers run: "in-process", in virtual time and the same for the same seed, or "processes", each
    environment a real process (see `functions.processes`).
    Raises `stack.TemplateError` for a template that cannot be honoured.
    """

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
        path = template or stack.TEMPLATE
        described = stack.override(stack.read(path), dict(overrides or {}))
        self.scheduler = Scheduler(START, seed)
        self.trace = Trace(lambda: self.scheduler.now)
        self.faults = faults if faults is not None else Faults(seed)
        self._wire = wire.Wire(self.scheduler, self.trace, self.faults)
        self._mock = mock_aws()
        self._cache: cache.CacheServer | None = None
        self._clients: dict[str, Any] = {}
        self._processes: Any = None
        if runner == "processes":
            from .functions.processes import Processes  # only here: whoever runs in process does not wait for it

            self._processes = Processes(self.scheduler, self._wire, self.trace.add)
        self._servers: list[http.Server] = []
        self._mock.start()
        _open = self
        try:
            self._build(described, path.parent, dict(parameters or {}))
        except BaseException:
            self.close()
            raise

    def _build(self, described: dict[str, Any], folder: Path, parameters: dict[str, str]) -> None:
        global _session
        clock.install(lambda: self.scheduler.now)
        speed.install()
        stack.install()
        wire.connect(self._wire)
        _session = boto3.DEFAULT_SESSION = _session or boto3.Session(region_name=guard.REGION)
        moto.moto_api._internal.mock_random.seed(self.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # moto's remarks on types that are recorded here
            self.stack = stack.create(described, folder, parameters, self.client)
        self.outputs = self.stack.outputs
        backend: dict[str, Any] = {
            name: get_backend(name)[guard.ACCOUNT][guard.REGION]
            for name in ("sqs", "lambda", "events", "dynamodb", "sns", "stepfunctions")
        }
        dynamodb = backend["dynamodb"]
        _silence_moto_mappings(backend)
        self.queues = Queues(self.scheduler, self.trace, self.faults, backend["sqs"])
        self.functions = Functions(
            self.scheduler, self.trace, self.faults, self.stack, self.queues, backend["lambda"], self.seed
        )
        if self._processes is not None:
            self.functions.make = self._processes.make
        self.mappings = Mappings(self.scheduler, self.trace, self.queues, self.functions, self.stack)
        self.streams = Streams(self.scheduler, self.trace, self.functions, self.stack, dynamodb.tables)
        self.tables = Tables(self.scheduler, self.trace, self.stack, dynamodb, lambda: self.streams.poke("DeleteItem"))
        self.topics = Topics(
            self.scheduler, self.trace, self.faults, self.queues, self.functions, self.stack, backend["sns"]
        )
        self.machines = Machines(self.scheduler, self.trace, self.functions, self.stack, backend["stepfunctions"])
        self.bus = Bus(
            self.scheduler,
            self.trace,
            self.faults,
            self.queues,
            self.functions,
            self.stack,
            backend["events"],
            topics=self.topics,
        )
        self.bus.targets.start_execution = self.machines.start
        self.gateway = Gateway(self.scheduler, self.trace, self.functions, self.stack, self._wire.ask_dynamodb)
        self.metrics = Metrics(self.scheduler, self.trace, self.stack, self.queues)
        self._alarms = Alarms(self.scheduler, self.trace, self.metrics, self.functions, self.stack, self.topics.publish)
        self.queues.install()
        self.functions.install()
        self.tables.install()
        self.topics.install()
        self._wire.refusals.update(self.tables.refusals())
        for piece in (self.queues, self.bus, self.tables, self.machines, self.metrics, self._alarms):
            for (service, operation), answer in piece.operations().items():
                self._wire.own(service, operation, answer)
        self.functions.destinations.put_events = self.bus.put_events
        self.functions.destinations.publish = self.topics.publish
        self.functions.destinations.s3 = lambda: self.client("s3")
        sources = Operations(self.scheduler, self.stack, self.functions, self.mappings, self.streams)
        for (service, operation), raw in sources.operations().items():
            self._wire.own_raw(service, operation, raw)
        self._wire.own_raw("lambda", "Invoke", partial(invoke.answer, self.functions))
        self._wire.own("lambda", "CreateFunction", self.functions.check_configuration)
        self._wire.own("lambda", "UpdateFunctionConfiguration", self.functions.check_configuration)
        self._wire.after("lambda", self.functions.notice)
        if self.gateway.api is not None:
            http.intercept(self.gateway.api.id, self._over_http)
        self._wire.after("dynamodb", self.streams.poke)
        if self.stack.of_type("AWS::ElastiCache::ServerlessCache"):
            self._start_cache()
        _keep()
        self.scheduler.reset(START, self.seed)  # whatever was drawn while building: reset() starts from here too
        self.tables.clear(self.seed)
        self.metrics.clear()

    def _start_cache(self) -> None:
        """Where the template has a cache, its functions find a real server: valkeys:// on AWS, valkey:// here."""
        self._cache = cache.CacheServer()
        for resource in self.stack.of_type("AWS::Lambda::Function"):
            variables = (resource.properties.get("Environment") or {}).get("Variables") or {}
            for name, value in variables.items():
                if "cache.local" in str(value):
                    self.functions.variables.setdefault(resource.physical_id, {})[name] = self._cache.url
        self.functions.notice("UpdateFunctionConfiguration")

    @property
    def now(self) -> float:
        """The virtual time, seconds since the epoch."""
        return self.scheduler.now

    @property
    def alarms(self) -> dict[str, str]:
        """The state of each alarm (OK, ALARM, INSUFFICIENT_DATA), by logical id; alarms made by boto3 by name."""
        return self._alarms.states

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
    ) -> Response:
        """Send a request to the API and let the world run until it is answered."""
        with self.scheduler.lock:
            pending = self.request_at(self.now, method, path, body=body, headers=headers, query=query)
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
    ) -> Pending:
        """Send a request at an instant; its answer is in `.response` once the world has run that far."""
        request = Request.of(method, path, body=body, headers=dict(headers or {}), query=dict(query or {}))
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
            raise wire.NotYet("the template has no AWS::ApiGateway::RestApi to serve")
        self.scheduler.share()
        server = http.Server(port, self.gateway.api.stage, self._over_http)
        self._servers.append(server)
        try:
            yield server.url
        finally:
            server.close()
            self._servers.remove(server)

    def _over_http(self, method: str, target: str, headers: Mapping[str, list[str]], body: bytes) -> Response:
        assert self.gateway.api is not None
        path = http.below(self.gateway.api.stage, target)
        return http.forbidden() if path is None else self.request(method, path, body=body, headers=headers)

    @property
    def api_key(self) -> str:
        """The value of the template's API key, for the header x-api-key."""
        return self.gateway.key

    def fidelity(self) -> fidelity.Fidelity:
        """Rule by rule: what AWS does, what this cloud, moto and ministack do, and what is left out here."""
        return fidelity.table()

    def replace(self, logical_id: str, handler: Callable[[Any, Any], Any]) -> None:
        """Run `handler` in a function's place, from its next cold start on (its warm environments are taken away)."""
        if self._processes is not None:
            self._processes.check(handler)  # what cannot be sent to a process is refused here
        self.functions.replace(logical_id, handler)

    def reset(self, *, seed: int | None = None, faults: Faults | None = None) -> None:
        """As new: no rows, messages, objects or environments, the clock at its start, the seed's chances ahead.

        The stack stays, which makes this some twenty times faster than a new cloud. Handlers that were replaced stay
        replaced; faults end, unless new ones are given.
        """
        with self.scheduler.lock:
            self._reset(seed, faults)

    def _reset(self, seed: int | None, faults: Faults | None) -> None:
        self.seed = self.seed if seed is None else seed
        self.faults.become(faults if faults is not None else Faults(self.seed))
        self.scheduler.reset(START, self.seed)
        self._wire.steps = 0
        moto.moto_api._internal.mock_random.seed(self.seed)
        if self._processes is not None:
            self._processes.clear()
        self.functions.reset(self.seed)
        self.queues.clear()
        self.tables.clear(self.seed)
        self.streams.clear()
        self.mappings.clear()
        self.topics.clear()
        self.bus.clear()
        self.machines.clear()
        self.gateway.clear()
        for bucket in get_backend("s3")[guard.ACCOUNT]["aws"].buckets.values():
            if bucket.name != stack.PACKAGES:
                bucket.keys.clear()
        self.trace.rows.clear()
        self.metrics.clear()
        self._alarms.clear()

    def close(self) -> None:
        """Give moto and the clock back. The trace stays readable; boto3 calls are refused until another cloud opens."""
        global _open
        if _open is not self:
            return
        _open = None
        for server in self._servers:
            server.close()
        self.scheduler.reset(self.scheduler.now, self.seed)
        self.scheduler.lock.close()
        if hasattr(self, "functions"):
            self.functions.reset(self.seed)
            self.functions.uninstall()
        if hasattr(self, "queues"):
            self.queues.uninstall()
        if hasattr(self, "topics"):
            self.topics.uninstall()
        wire.disconnect(self._wire)
        Tables.uninstall()
        speed.uninstall()
        clock.uninstall()
        self._mock.stop()
        if self._cache is not None:
            self._cache.close()
        if self._processes is not None:
            self._processes.close()

    def __enter__(self) -> "Cloud":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _keep() -> None:
    """Once a process: botocore's and moto's models stay, and looking through them again costs a third of the time."""
    if gc.get_freeze_count() == 0:
        gc.collect()
        gc.freeze()


def _silence_moto_mappings(backend: dict[str, Any]) -> None:
    """moto runs mappings by itself and loses messages: it keeps the descriptions, the mappings of this room run."""
    for queue in backend["sqs"].queues.values():
        queue.lambda_event_source_mappings.clear()
    for table in backend["dynamodb"].tables.values():
        table.lambda_event_source_mappings.clear()
