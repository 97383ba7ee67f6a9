"""Who is connected to whom, read from the stack that the template makes: the facts behind the picture.

Nothing is listed by hand. A request comes in where a method's integration points; a queue or a stream is read where
there is a mapping; an event goes where an enabled rule has a target; and a function reads, writes or asks what its role
allows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .rights import Places, allowed, at, function_at, places

if TYPE_CHECKING:
    from orderlab.cloud.stack.resources import Resource, Stack

KINDS = {
    "AWS::ApiGateway::Method": "method",
    "AWS::Lambda::Function": "function",
    "AWS::SQS::Queue": "queue",
    "AWS::Events::EventBus": "bus",
    "AWS::DynamoDB::Table": "table",
    "AWS::S3::Bucket": "bucket",
}


@dataclass(frozen=True)
class Box:
    """Something in the picture: its logical id, its kind (a value of KINDS), and the name that is written into it."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True)
class Arrow:
    """What goes from one box to another.

    Its kind is one of call, poll, stream, rule, write, read, ask, publish, send, and "give up" for what takes failures.
    """

    start: str
    end: str
    kind: str
    label: str = ""


@dataclass(frozen=True)
class Wiring:
    """The boxes by logical id, in the template's order; the arrows; how many enabled rules there are."""

    boxes: dict[str, Box]
    arrows: tuple[Arrow, ...]
    rules: int

    def of_kind(self, kind: str) -> list[str]:
        """The boxes of one kind."""
        return [name for name, box in self.boxes.items() if box.kind == kind]

    def ends(self, start: str, *kinds: str) -> list[str]:
        """The boxes to which arrows of these kinds go from `start`, each once."""
        return list(dict.fromkeys(arrow.end for arrow in self.arrows if arrow.start == start and arrow.kind in kinds))

    def starts(self, end: str, *kinds: str) -> list[str]:
        """The boxes from which arrows of these kinds come to `end`, each once."""
        return list(dict.fromkeys(arrow.start for arrow in self.arrows if arrow.end == end and arrow.kind in kinds))

    @property
    def tables(self) -> list[str]:
        """The tables whose stream somebody reads: the middle of the picture."""
        return list(dict.fromkeys(arrow.start for arrow in self.arrows if arrow.kind == "stream"))

    @property
    def safety_net(self) -> list[str]:
        """What only takes things that failed: nothing reads it, and no rule sends to it."""
        given = {arrow.end for arrow in self.arrows if arrow.kind in ("give up", "send")}
        used = {
            box for arrow in self.arrows if arrow.kind not in ("give up", "send") for box in (arrow.start, arrow.end)
        }
        return [name for name in self.boxes if name in given - used]


def read(stack: "Stack") -> Wiring:
    """The wiring of a stack."""
    boxes = {r.logical_id: Box(r.logical_id, KINDS[r.type], _label(r, stack)) for r in stack.resources.values()
             if r.type in KINDS}  # fmt: skip
    rules = [rule for rule in stack.of_type("AWS::Events::Rule") if rule.properties.get("State") != "DISABLED"]
    known = places(stack)
    found = [*_calls(stack, known), *_mappings(stack, known), *_rules(rules, known), *_rights(stack, known)]
    given_up = {(arrow.start, arrow.end) for arrow in found if arrow.kind == "give up"}
    arrows = dict.fromkeys(
        arrow
        for arrow in found
        if arrow.start in boxes
        and arrow.end in boxes
        and (arrow.kind != "write" or (arrow.start, arrow.end) not in given_up)  # Lambda's use of the right, not theirs
    )
    return Wiring(boxes, tuple(arrows), len(rules))


def _label(resource: "Resource", stack: "Stack") -> str:
    """A function by its logical id, a method by its route, the rest by its name without the prefix."""
    if resource.type == "AWS::Lambda::Function":
        return resource.logical_id
    if resource.type == "AWS::ApiGateway::Method":
        return f"{resource.properties['HttpMethod']} {_path(resource.properties['ResourceId'], stack)}"
    name = resource.physical_id.rpartition("/")[2]
    if resource.type == "AWS::S3::Bucket":  # ends in what makes it unique in the world
        name = re.sub(r"-\d{12}-.*", "", name)
    return name.partition("-")[2] or name


def _path(resource_id: str, stack: "Stack") -> str:
    """The route of an API resource: its parts from the root down."""
    for resource in stack.of_type("AWS::ApiGateway::Resource"):
        if resource.physical_id == resource_id:
            return f"{_path(resource.properties['ParentId'], stack)}/{resource.properties['PathPart']}"
    return ""


def _calls(stack: "Stack", known: Places) -> Iterator[Arrow]:
    """From each method to its function, or to what its own role lets it use."""
    for method in stack.of_type("AWS::ApiGateway::Method"):
        integration = method.properties.get("Integration") or {}
        target = re.search(r"functions/([^/]+)/invocations", str(integration.get("Uri")))
        if target:
            yield Arrow(method.logical_id, function_at(target.group(1), known), "call")
        for _, end in () if target else allowed(integration.get("Credentials"), stack, known):
            yield Arrow(method.logical_id, end, "call")


def _mappings(stack: "Stack", known: Places) -> Iterator[Arrow]:
    """What Lambda polls for a function, and where everything goes that is given up."""
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping"):
        given = mapping.properties
        source, function = str(given["EventSourceArn"]), function_at(given["FunctionName"], known)
        yield Arrow(at(source, known), function, "stream" if "/stream/" in source else "poll")
        yield Arrow(function, at(_on_failure(given), known), "give up")
    for queue in stack.of_type("AWS::SQS::Queue"):
        redrive = queue.properties.get("RedrivePolicy") or {}
        yield Arrow(queue.logical_id, at(redrive.get("deadLetterTargetArn"), known), "give up")
    for settings in stack.of_type("AWS::Lambda::EventInvokeConfig"):
        function = function_at(settings.properties["FunctionName"], known)
        yield Arrow(function, at(_on_failure(settings.properties), known), "give up")


def _rules(rules: list["Resource"], known: Places) -> Iterator[Arrow]:
    """From the bus to each target, one arrow for each thing that the rule asks for."""
    for rule in rules:
        bus = known.get(f"event-bus/{str(rule.properties.get('EventBusName')).rpartition('/')[2]}", "")
        for target in rule.properties.get("Targets") or []:
            for wanted in _wanted(rule.properties.get("EventPattern") or {}):
                yield Arrow(bus, at(target["Arn"], known), "rule", wanted)
            yield Arrow(bus, at((target.get("DeadLetterConfig") or {}).get("Arn"), known), "give up")


def _wanted(pattern: dict[str, Any]) -> list[str]:
    """What a rule's pattern asks for: the types of event, then what their content must be."""
    signs = {">=": "≥", "<=": "≤"}
    lines = [str(kind) for kind in pattern.get("detail-type") or ["any event"]]
    for field, conditions in (pattern.get("detail") or {}).items():
        for condition in conditions if isinstance(conditions, list) else []:
            numeric = condition.get("numeric") if isinstance(condition, dict) else None
            words = " ".join(f"{w:,}" if isinstance(w, int) else signs.get(str(w), str(w)) for w in numeric or [])
            lines.append(f"if {field} {words or 'fits'}")
    return lines


def _rights(stack: "Stack", known: Places) -> Iterator[Arrow]:
    """What each function may do by its role; a read goes from what is read to the reader."""
    for function in stack.of_type("AWS::Lambda::Function"):
        for verb, other in allowed(function.properties.get("Role"), stack, known):
            ends = (other, function.logical_id) if verb == "read" else (function.logical_id, other)
            yield Arrow(*ends, verb)


def _on_failure(given: dict[str, Any]) -> Any:
    return ((given.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
