"""Event source mappings on the wire: what boto3 creates, changes, lists and deletes takes effect at once.

The template's mappings and those of run time are the same thing, known by a UUID. moto describes mappings too, and
runs them wrongly: it is not asked. Source: Lambda API reference, Create-, Get-, List-, Update- and
DeleteEventSourceMapping; recorded calls. Departures: a mapping is Enabled, Disabled or gone at once, where AWS takes
some seconds; a list is never paged. Taught in notebooks/04_the_queue.ipynb
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from ..functions.service import Functions
from ..guard import ACCOUNT
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..wire.answers import NotYet, Refusal, refuse, reply
from .service import Mappings
from .settings import QUEUE, STREAM, invalid, is_queue

Answer = Callable[[AWSPreparedRequest, Any], AWSResponse]
Given = dict[str, Any]


@dataclass
class Description:
    """One mapping: its name here (logical id or UUID), its properties, and when they changed last."""

    name: str
    properties: Given
    modified: float


class Operations:
    """The mappings of one local cloud as boto3 sees them, by UUID."""

    def __init__(self, scheduler: Scheduler, stack: Stack, functions: Functions, mappings: Mappings) -> None:
        self.scheduler, self.stack, self.functions, self.mappings = scheduler, stack, functions, mappings
        self.known = {
            resource.physical_id: Description(resource.logical_id, dict(resource.properties), scheduler.now)
            for resource in stack.of_type("AWS::Lambda::EventSourceMapping")
        }

    def operations(self) -> dict[tuple[str, str], Answer]:
        """The operations that are answered here: (service, operation) to a function of the HTTP request."""
        answers = {
            "CreateEventSourceMapping": (202, self.create),
            "GetEventSourceMapping": (200, lambda name, _: self._describe(name)),
            "UpdateEventSourceMapping": (202, self.update),
            "DeleteEventSourceMapping": (202, self.delete),
            "ListEventSourceMappings": (200, self.list),
        }
        return {("lambda", name): _answering(status, answer) for name, (status, answer) in answers.items()}

    def create(self, _: str, given: Given) -> Given:
        """Make a mapping that begins to work at once."""
        name, source = self.scheduler.new_id(), str(given.get("EventSourceArn"))
        if source.split(":")[2:3] not in (["sqs"], ["dynamodb"]):
            if "EventSourceArn" not in given:
                raise invalid("Unrecognized event source.")
            raise NotYet(f"CreateEventSourceMapping: the event source {source}; there are queues and tables' streams")
        self._do(self.mappings.add, name, given)
        self.known[name] = Description(name, given, self.scheduler.now)
        return {**self._describe(name), "State": "Creating"}

    def update(self, name: str, given: Given) -> Given:
        """Change a mapping; what runs already ends as it began."""
        known = self._find(name)
        properties = {**known.properties, **given}
        self._do(self.mappings.change, known.name, properties)
        turned = {True: "Enabling", False: "Disabling", None: "Updating"}[given.get("Enabled")]
        known.properties, known.modified = properties, self.scheduler.now
        return {**self._describe(name), "State": turned}

    def delete(self, name: str, _: Given) -> Given:
        """End a mapping."""
        told = {**self._describe(name), "State": "Deleting"}
        self.mappings.remove(self.known.pop(name).name)
        return told

    def list(self, _: str, given: Given) -> Given:
        """Describe the mappings, those of one function or one source if one is named."""
        found = [self._describe(name) for name in self.known]
        if "EventSourceArn" in given:
            found = [each for each in found if each["EventSourceArn"] == given["EventSourceArn"]]
        if "FunctionName" in given:
            arn = self.functions.resolve(given["FunctionName"]).arn
            found = [each for each in found if each["FunctionArn"] == arn]
        return {"EventSourceMappings": found}

    def _do(self, change: Callable[[str, Given], None], name: str, properties: Given) -> None:
        """Make a change; a refusal is told in AWS's words, which know UUIDs and no name of a template."""
        try:
            change(name, properties)
        except Refusal as refusal:
            words = refusal.message.removeprefix(f"{name}: ")
            for unique, known in self.known.items():
                if words.endswith(f" UUID {known.name}"):
                    words = words.replace(f" UUID {known.name}", f" UUID {unique}")
            raise Refusal(refusal.code, words, refusal.status) from None

    def _find(self, name: str) -> Description:
        if name not in self.known:
            raise Refusal("ResourceNotFoundException", "The resource you requested does not exist.", 404)
        return self.known[name]

    def _describe(self, name: str) -> Given:
        known = self._find(name)
        untold = ("Enabled", "FunctionName", "Tags")
        properties = {key: value for key, value in known.properties.items() if key not in untold}
        function = str(known.properties["FunctionName"]).rpartition(":")[2]  # which may be gone
        queue = is_queue(str(properties["EventSourceArn"]))
        enabled = str(known.properties.get("Enabled", True)).lower() == "true"
        return {
            **(QUEUE if queue else {**STREAM, "LastProcessingResult": "No records processed"}),
            "FunctionResponseTypes": [],
            **properties,
            "UUID": name,
            "FunctionArn": f"arn:aws:lambda:{self.stack.region}:{ACCOUNT}:function:{function}",
            "EventSourceMappingArn": f"arn:aws:lambda:{self.stack.region}:{ACCOUNT}:event-source-mapping:{name}",
            "LastModified": known.modified,
            "State": "Enabled" if enabled else "Disabled",
            "StateTransitionReason": "USER_INITIATED" if queue else "User action",
        }


def _answering(status: int, operation: Callable[[str, Given], Given]) -> Answer:
    """An operation of Lambda's REST protocol: the mapping's UUID ends the path, parameters are in query and body."""

    def answer(request: AWSPreparedRequest, _: Any) -> AWSResponse:
        url = urlsplit(request.url)
        given = {**dict(parse_qsl(url.query)), **json.loads(request.body or "{}")}
        try:
            told = operation(url.path.rstrip("/").rpartition("/")[2], given)
        except Refusal as refusal:
            return refuse(request, refusal)
        return reply(request, status, {"content-type": "application/json"}, json.dumps(told))

    return answer
