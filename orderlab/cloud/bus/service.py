"""EventBridge: PutEvents takes events, rules choose, targets get them. The producer learns only that the bus has them.

PutEvents answers 200 with one result per entry: a producer that does not look at FailedEntryCount loses events without
an error, and one that misspells the bus's name gets an EventId for an event that goes nowhere. Every enabled rule of
the bus whose pattern matches sends the event to each of its targets (five at most), see `delivery`; what an archive
keeps and a replay brings back is in `archives` and `replays`. A rule that feeds itself is stopped, see `hops`.
moto keeps buses, rules, targets and archives. Patterns and targets are checked before moto sees them, see `checks`.
Source: EventBridge API reference, PutEvents ("the total entry size must be less than 1MB", since January 2026; 256 KB
before) and PutEventsResultEntry; texts, limits and the misspelt bus as recorded in localstack's test_events.
Not done: global endpoints, schedules, from bus to bus.

Taught in notebooks/03_the_bus.ipynb.
"""

import copy
from collections.abc import Callable
from typing import Any

from .. import rules
from ..faults import Faults
from ..functions.service import Functions
from ..queues.service import Queues
from ..scheduler import Scheduler
from ..stack.resources import Stack
from ..topics.service import Topics
from ..trace import Trace
from ..wire.answers import NotYet, Refusal, refusing
from . import checks, entries
from .archives import Archives
from .delivery import Deliveries
from .replays import Replays
from .targets import Targets

MAX_ENTRIES = 10
MAX_SIZE = 1024 * 1024  # bytes of all entries together; they must stay below it
REFUSED = "ListArchives ListReplays CancelReplay"
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
        topics: Topics | None = None,
    ) -> None:
        self.scheduler, self.trace, self.faults, self.backend = scheduler, trace, faults, events_backend
        self.targets = Targets(queues, functions, stack, topics)
        self.deliveries = Deliveries(scheduler, trace, faults, self.targets)
        self.archives = Archives(scheduler, events_backend, _matches)
        self.replays = Replays(self.archives, trace, self._replay)
        checks.check_template(events_backend)
        self._rules = {name: copy.deepcopy(bus.rules) for name, bus in events_backend.event_buses.items()}
        self._archives = dict(events_backend.archives)

    def operations(self) -> dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any] | None]]:
        """What is answered here; None as an answer means "checked, let moto go on"."""
        return {
            ("eventbridge", "PutEvents"): self.put_events,
            ("eventbridge", "PutRule"): checks.check_rule,
            ("eventbridge", "PutTargets"): lambda asked: checks.check_targets(self.backend, asked),
            ("eventbridge", "TestEventPattern"): _test_event_pattern,
            ("eventbridge", "CreateArchive"): checks.check_pattern,
            ("eventbridge", "UpdateArchive"): checks.check_pattern,
            **self.archives.operations(),
            **self.replays.operations(),
            **refusing("eventbridge", REFUSED, "the local cloud does not list them, and lets a replay end"),
        }

    def clear(self) -> None:
        """As new: the rules and archives of the template, and no event kept or replayed."""
        for name, bus in self.backend.event_buses.items():
            bus.rules.clear()
            bus.rules.update(copy.deepcopy(self._rules.get(name, {})))
        self.backend.archives.clear()
        self.backend.archives.update(self._archives)
        self.archives.clear()
        self.replays.clear()

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
        event, now = entries.event(entry, self.scheduler.new_id(), self.scheduler.now), self.scheduler.now
        self.archives.keep(bus, event, entries.seconds(entry.get("Time"), now), entries.size(entry))
        self._match(bus, event, "event", None, source=event["source"], **self._sender())
        return {"EventId": event["id"]}

    def _replay(self, bus: str, event: dict[str, Any], rule_arns: list[str] | None) -> None:
        self._match(bus, event, "replayed", rule_arns, replay=event["replay-name"])

    def _match(self, name: str, event: dict[str, Any], row: str, only: list[str] | None, **told: Any) -> None:
        """Hand the event to the targets of every enabled rule (of those in `only`) that it matches."""
        bus, kind, short = self.backend.event_buses.get(name), event["detail-type"], event["id"][:8]
        matched = [
            rule
            for rule in (bus.rules.values() if bus is not None else ())
            if rule.state != "DISABLED"
            and not rule.managed_by  # an archive's own rule
            and (only is None or rule.arn in only)
            and (pattern := rule.event_pattern.dump())  # a schedule has none
            and _matches(pattern, event)
        ]
        lost = {} if matched else {"lost": "no such bus" if bus is None else "no rule matches"}
        self.trace.add(row, name, kind, event=short, **told, **lost)
        for rule in matched:
            self.trace.add("match", rule.name, kind, event=short, targets=len(rule.targets))
            for target in rule.targets:
                self.deliveries.start(rule, target, event)

    def _sender(self) -> dict[str, str]:
        """The request of the invocation that put the event on the bus, if it was one."""
        task = self.scheduler.current()
        request = getattr(task.context, "request_id", "") if task is not None else ""
        return {"request": request[:8]} if request else {}


def _matches(pattern: str | None, event: dict[str, Any]) -> bool:
    return not pattern or rules.parse(pattern).matches(event)


def _test_event_pattern(params: dict[str, Any]) -> dict[str, Any]:
    checks.check_pattern(params)
    return {"Result": rules.matches(params["EventPattern"], params["Event"])}
