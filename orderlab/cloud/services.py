"""The services of one local cloud: made in the order in which they need each other, joined, and emptied.

On AWS each service is a company within the company, and they meet at public APIs. Here each is an object, and this is
the one place where they meet: which calls of boto3 a service answers, which service sends to which.
"""

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from . import cache, guard
from .bus.service import Bus
from .functions import invoke
from .functions.service import Functions
from .gateway import http
from .gateway.dynamodb import ask
from .gateway.service import Gateway
from .machines.service import Machines
from .mappings.operations import Operations
from .mappings.service import Mappings
from .metrics import operations as watch
from .metrics.alarms import Alarms
from .metrics.service import Metrics
from .queues.service import Queues
from .stack import packages
from .tables.service import Tables
from .topics.service import Topics

if TYPE_CHECKING:
    from .cloud import Cloud


def make(cloud: "Cloud") -> None:
    """Make the services of a cloud whose stack is there. Raises TemplateError for what cannot be honoured."""
    world = cloud.scheduler, cloud.trace
    sqs, dynamodb = _backend("sqs"), _backend("dynamodb")
    for holder in (*sqs.queues.values(), *dynamodb.tables.values()):
        holder.lambda_event_source_mappings.clear()  # moto runs mappings by itself and loses messages: ours run
    queues = cloud.queues = Queues(*world, cloud.faults, sqs)
    functions = cloud.functions = Functions(*world, cloud.faults, cloud.stack, queues, _backend("lambda"), cloud.seed)
    cloud.mappings = Mappings(*world, queues, functions, cloud.stack, dynamodb.tables)
    cloud.tables = Tables(*world, cloud.stack, dynamodb, partial(cloud.mappings.poke, "DeleteItem"))
    cloud.topics = Topics(*world, queues, functions, cloud.stack, _backend("sns"))
    cloud.machines = Machines(*world, functions, cloud.stack, _backend("stepfunctions"))
    cloud.bus = Bus(*world, cloud.faults, queues, functions, cloud.stack, _backend("events"), topics=cloud.topics)
    cloud.gateway = Gateway(*world, functions, cloud.stack, partial(ask, cloud._wire))
    cloud.metrics = Metrics(*world, cloud.stack, queues)
    cloud.alarm_service = Alarms(*world, cloud.metrics, cloud.stack, cloud.topics.publish)


def join(cloud: "Cloud", ending: ExitStack) -> None:
    """Connect them: to each other, to boto3 and to moto. `ending` learns what is to be given back."""
    wire, functions = cloud._wire, cloud.functions
    for lent in (cloud.queues, functions, cloud.tables, cloud.topics):  # each puts something into moto
        lent.install()
        ending.callback(lent.uninstall)
    ending.callback(lambda: functions.reset(cloud.seed))
    if cloud._processes is not None:
        functions.make = cloud._processes.make
    cloud.bus.targets.start_execution = cloud.machines.start
    functions.destinations.put_events = cloud.bus.put_events
    functions.destinations.publish = cloud.topics.publish
    functions.destinations.s3 = lambda: cloud.client("s3")
    wire.refusals.update(cloud.tables.refusals())
    answers = [piece.operations() for piece in (cloud.queues, cloud.bus, cloud.tables, cloud.machines)]
    for own in (*answers, watch.operations(cloud.metrics, cloud.alarm_service)):
        for (service, operation), answer in own.items():
            wire.own(service, operation, answer)
    sources = Operations(cloud.scheduler, cloud.stack, functions, cloud.mappings)
    for (service, operation), raw in sources.operations().items():
        wire.own_raw(service, operation, raw)
    wire.own_raw("lambda", "Invoke", partial(invoke.answer, functions))
    wire.own("lambda", "CreateFunction", functions.destinations.check_configuration)
    wire.own("lambda", "UpdateFunctionConfiguration", functions.destinations.check_configuration)
    wire.after("lambda", functions.destinations.notice)
    wire.after("dynamodb", cloud.mappings.poke)
    if cloud.gateway.api is not None:
        http.intercept(cloud.gateway.api.id, cloud._over_http)
    if cloud.stack.of_type("AWS::ElastiCache::ServerlessCache"):
        server = cache.CacheServer()
        ending.callback(server.close)
        _point_to(cloud, server.url)


def empty(cloud: "Cloud") -> None:
    """No rows, messages, objects, environments, executions or data points; what was described stays."""
    cloud.functions.reset(cloud.seed)
    cloud.tables.clear(cloud.seed)
    for piece in (
        *(cloud.queues, cloud.mappings, cloud.topics, cloud.bus),
        *(cloud.machines, cloud.gateway, cloud.metrics, cloud.alarm_service),
    ):
        piece.clear()
    for bucket in get_backend("s3")[guard.ACCOUNT]["aws"].buckets.values():
        if bucket.name != packages.PACKAGES:
            bucket.keys.clear()


def _point_to(cloud: "Cloud", url: str) -> None:
    """Where the template has a cache, its functions find a real server: valkeys:// on AWS, valkey:// here."""
    for resource in cloud.stack.of_type("AWS::Lambda::Function"):
        variables = (resource.properties.get("Environment") or {}).get("Variables") or {}
        for name, value in variables.items():
            if "cache.local" in str(value):
                cloud.functions.variables.setdefault(resource.physical_id, {})[name] = url


def _backend(name: str) -> Any:
    return get_backend(name)[guard.ACCOUNT][guard.REGION]  # type: ignore[call-overload]
