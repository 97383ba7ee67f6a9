"""Destinations: where Lambda gives the record of an event, or of a stream's batch, that has come to its end.

A queue, a topic, a function, a bus or a bucket gets the record; a function's dead-letter queue the bare event, with
three message attributes. Source: Lambda developer guide, invocation-async-retain-records, services-dynamodb-errors;
recorded calls. Departures: the rights of the function's role are not looked at; a dead-letter topic gets no message
attributes. Taught in notebooks/01_ask_or_tell.ipynb
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import EventInvokeConfig

from ..clock import iso
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..stack.template import TemplateError
from ..wire.answers import NotYet, Refusal
from .asynchronous import AsyncEvent, Settings, dead_letter, end


class Destinations:
    """Where Lambda gives records to. What comes later than functions is set by the cloud that has it.

    `put_events(parameters)` is the bus's, `publish(topic_arn, message, source=…)` the topics', `s3()` a client.
    """

    def __init__(
        self, scheduler: Scheduler, stack: Stack, queues: Queues, enqueue: Callable[..., str], backend: Any
    ) -> None:
        self.scheduler, self._queues, self._enqueue, self._backend = scheduler, queues, enqueue, backend
        self.put_events: Callable[[dict[str, Any]], Any] | None = None
        self.publish: Callable[..., None] | None = None
        self.s3: Callable[[], Any] | None = None
        self._dead_letters = {
            resource.physical_id: str(target)
            for resource in stack.of_type("AWS::Lambda::Function")
            if (target := (resource.properties.get("DeadLetterConfig") or {}).get("TargetArn"))
        }
        for resource in stack.of_type("AWS::Lambda::EventInvokeConfig"):  # moto's CloudFormation does not know it
            given = resource.properties
            if given.get("Qualifier", "$LATEST") != "$LATEST":
                raise NotYet(f"{resource.logical_id}: versions and aliases of functions ({given['Qualifier']})")
            found = backend.get_function(str(given["FunctionName"]))
            try:
                found.event_invoke_config = [EventInvokeConfig(found.function_arn, found.last_modified, dict(given))]
            except Exception as error:  # moto's own error types: AWS refuses it too
                raise TemplateError(f"{resource.logical_id}: {error}") from None

    @staticmethod
    def check_configuration(parameters: dict[str, Any]) -> None:
        """CreateFunction and UpdateFunctionConfiguration: refuse what moto would forget."""
        if parameters.get("DeadLetterConfig"):
            raise NotYet("a DeadLetterConfig given at run time; put it into the template")

    def notice(self, operation: str) -> None:
        """An EventInvokeConfig may have been put: moto keeps all of them, and tells of the first; the last counts."""
        for function in self._backend.list_functions():
            configs = function.event_invoke_config
            if len(configs) > 1 and operation == "UpdateFunctionEventInvokeConfig":
                configs[-1].config = {**configs[-2].config, **configs[-1].config}
            del configs[:-1]

    def deliver(self, waiting: AsyncEvent, result: Any, settings: Settings) -> list[str]:
        """Give a finished event to its destinations, and tell which they were."""
        failed = result.error is not None or result.throttled
        name = waiting.arn.rpartition(":")[2]
        reached = []
        target = settings.on_failure if failed else settings.on_success
        if target is not None:
            record = end(waiting, result, settings, self.timestamp())
            reached.append(self.send(target, record, source="lambda destination", folder=f"async/{name}"))
        if failed and name in self._dead_letters:
            told, dead = dead_letter(waiting, result), self._dead_letters[name]
            reached.append(self.send(dead, waiting.event, source="lambda dead letters", attributes=told))
        return [where for where in reached if where]

    def send(
        self, arn: str, record: Any, *, source: str, folder: str = "", attributes: dict[str, Any] | None = None
    ) -> str:
        """Send a record to a queue, topic, function, bus or bucket (there into a folder of aws/lambda).

        Returns the name of what took it, "" when that is not there. Raises NotYet for any other kind of destination.
        """
        service, name, text = arn.split(":")[2], arn.rpartition(":")[2], json.dumps(record)
        try:
            if service == "sqs":
                self._queues.send(arn, text, attributes=attributes, source=source)
            elif service == "lambda":
                self._enqueue(arn, record, source=source)
            elif service == "sns" and self.publish is not None:
                self.publish(arn, text, source=source)
            elif service == "events" and self.put_events is not None:
                self.put_events({"Entries": [_entry(arn, record, text)]})
            elif service == "s3" and self.s3 is not None:
                now = datetime.fromtimestamp(self.scheduler.now, UTC)
                key = f"aws/lambda/{folder}/{now:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{self.scheduler.new_id()}"
                self.s3().put_object(Bucket=name, Key=key, Body=text.encode())
            else:
                raise NotYet(f"{source}: a destination of this kind: {arn}")
        except Refusal:  # the queue, topic or function is gone
            return ""
        return name.rpartition("/")[2]

    def timestamp(self) -> str:
        """Now, as Lambda writes it into a record: UTC, to the millisecond."""
        return iso(self.scheduler.now, "milliseconds")


def _entry(bus: str, record: dict[str, Any], text: str) -> dict[str, Any]:
    """The event that a bus gets."""
    context = record["requestContext"]
    how = "Success" if context["condition"] == "Success" else "Failure"
    return {
        "EventBusName": bus,
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {how}",
        "Resources": [bus, context["functionArn"]],
        "Detail": text,
    }
