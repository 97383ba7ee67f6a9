"""EventBridge: PutEvents takes events, rules choose, targets get them. The producer learns only that the bus has them.

PutEvents answers 200 with one result per entry: a producer that does not look at FailedEntryCount loses events without
an error, and one that misspells the bus's name gets an EventId for an event that goes nowhere. Every enabled rule of
the bus whose pattern matches sends the event to each of its targets (five at most), see `delivery`.
moto keeps buses, rules, targets and archives. Patterns and targets are checked before moto sees them.
Source: EventBridge API reference, PutEvents ("the total entry size must be less than 1MB", since January 2026; 256 KB
before) and PutEventsResultEntry; texts, limits and the misspelt bus as recorded in localstack's test_events.
Not done yet: global endpoints, schedules, replays, buses of other accounts; events are not kept in archives yet.

Taught in notebooks/03_the_bus.ipynb.
"""

import uuid
from collections.abc import Callable
from typing import Any

from .. import rules
from ..faults import Faults
from ..functions.service import Functions
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack import Stack, TemplateError
from ..trace import Trace
from ..wire import NotYet, Refusal
from . import entries
from .delivery import Deliveries

MAX_ENTRIES, MAX_TARGETS = 10, 5
MAX_SIZE = 1024 * 1024  # bytes of all entries together; they must stay below it
TRANSIENT = {  # what PutEvents refuses single entries with, and a producer should send again
    "ThrottlingException": "Rate exceeded",
    "InternalFailure": "The request processing has failed because of an unknown error, exception or failure.",
}


class Bus:
    """The event buses of one local cloud. Raises TemplateError when a rule of the template would be refused by AWS."""

    def __init__(
        self,
        scheduler: Scheduler,
        trace: Trace,
        faults: Faults,
        queues: Queues,
        functions: Functions,
        stack: Stack,
        events_backend: Any,
    ) -> None:
        self.scheduler, self.trace, self.faults, self.backend = scheduler, trace, faults, events_backend
        self.deliveries = Deliveries(scheduler, trace, faults, queues, functions, stack)
        self._check_rules()

    def operations(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]]:
        """What is answered here; None as an answer means "checked, let moto go on"."""
        return {
            ("eventbridge", "PutEvents"): self.put_events,
            ("eventbridge", "PutRule"): _check_put_rule,
            ("eventbridge", "PutTargets"): self._check_put_targets,
            ("eventbridge", "TestEventPattern"): _test_event_pattern,
            ("eventbridge", "StartReplay"): _no_replay,
        }

    def put_events(self, params: dict[str, Any]) -> dict[str, Any]:
        """The operation PutEvents: parameters in, result out. Raises Refusal when the whole call is refused."""
        sent = params.get("Entries") or []
        if params.get("EndpointId"):
            raise NotYet("PutEvents with an EndpointId: the local cloud has no global endpoints")
        if not 1 <= len(sent) <= MAX_ENTRIES:
            bound = f"less than or equal to {MAX_ENTRIES}" if sent else "greater than or equal to 1"
            raise Refusal(
                "ValidationException",
                f"1 validation error detected: Value '[{len(sent)} x PutEventsRequestEntry]' at 'entries' failed to "
                f"satisfy constraint: Member must have length {bound}",
            )
        if sum(map(entries.size, sent)) >= MAX_SIZE:
            raise Refusal("ValidationException", "Total size of the entries in the request is over the limit.")
        results = [self._accept(entry) for entry in sent]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _accept(self, entry: dict[str, Any]) -> dict[str, str]:
        bus = (entry.get("EventBusName") or "default").rsplit("/", 1)[-1]
        code, message = entries.error(entry)
        kind = str(entry.get("DetailType") or "?")
        if not code and self.faults.strikes("put-events", f"eventbridge.PutEvents {bus} {kind}"):
            code = self.scheduler.rng.choice(sorted(TRANSIENT))
            message = TRANSIENT[code]
        if code:
            self.trace.add("refused", bus, kind, code=code, **self._sender())
            return {"ErrorCode": code, "ErrorMessage": message}
        event = entries.event(entry, self._new_id(), self.scheduler.now)
        self._match(bus, event)
        return {"EventId": event["id"]}

    def _match(self, name: str, event: dict[str, Any]) -> None:
        """Hand the event to the targets of every enabled rule that it matches."""
        bus, kind, short = self.backend.event_buses.get(name), event["detail-type"], event["id"][:8]
        matched = [
            rule
            for rule in (bus.rules.values() if bus is not None else ())
            if rule.state != "DISABLED"
            and not rule.managed_by  # an archive's own rule
            and (pattern := rule.event_pattern.dump())  # a schedule has none
            and rules.parse(pattern).matches(event)
        ]
        lost = {} if matched else {"lost": "no such bus" if bus is None else "no rule matches"}
        self.trace.add("event", name, kind, event=short, source=event["source"], **self._sender(), **lost)
        for rule in matched:
            self.trace.add("match", rule.name, kind, event=short, targets=len(rule.targets))
            for target in rule.targets:
                self.deliveries.start(rule, target, event)

    def _sender(self) -> dict[str, str]:
        """The request of the invocation that put the event on the bus, if it was one."""
        task = self.scheduler.current()
        request = getattr(task.context, "request_id", "") if task is not None else ""
        return {"request": request[:8]} if request else {}

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.scheduler.rng.getrandbits(128), version=4))

    def _check_put_targets(self, params: dict[str, Any]) -> None:
        bus = self.backend.event_buses.get((params.get("EventBusName") or "default").rsplit("/", 1)[-1])
        rule = bus.rules.get(params.get("Rule")) if bus is not None else None
        targets = params.get("Targets") or []
        ids = {target["Id"] for target in [*targets, *(rule.targets if rule is not None else [])]}
        if len(ids) > MAX_TARGETS:
            raise Refusal("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        for target in targets:
            try:
                rules.validate_target(target)
            except rules.InvalidTarget as error:
                raise Refusal("ValidationException", str(error)) from None

    def _check_rules(self) -> None:
        """The rules that CloudFormation made went past PutRule: check them as PutRule and PutTargets would have."""
        for bus in self.backend.event_buses.values():
            for rule in bus.rules.values():
                if rule.managed_by:
                    continue
                try:
                    _check_put_rule({"EventPattern": rule.event_pattern.dump()})
                    self._check_put_targets({"EventBusName": bus.name, "Rule": rule.name, "Targets": rule.targets})
                except Refusal as refusal:
                    raise TemplateError(f"rule {rule.name}: {refusal}") from None


def _check_put_rule(params: dict[str, Any]) -> None:
    if params.get("EventPattern"):
        try:
            rules.parse(params["EventPattern"])
        except rules.InvalidPattern as error:
            raise Refusal("InvalidEventPatternException", str(error)) from None


def _test_event_pattern(params: dict[str, Any]) -> dict[str, Any]:
    _check_put_rule(params)
    return {"Result": rules.matches(params["EventPattern"], params["Event"])}


def _no_replay(params: dict[str, Any]) -> None:
    raise NotYet(f"StartReplay {params.get('ReplayName')}: the local cloud creates archives but keeps no events yet")
