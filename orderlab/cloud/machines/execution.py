"""One execution of a state machine: where it stands, its history, and its context object.

The history is what GetExecutionHistory shows: events numbered from 1, each with the id of the event that led to it,
all at most 25,000. An execution that would need more fails; so a machine that goes round in circles ends, here as on
AWS.
Source: Step Functions API reference, HistoryEvent; developer guide, service quotas; ids as recorded in localstack.
Taught in notebooks/10_undoing.ipynb
"""

import json
from dataclasses import dataclass, field
from typing import Any

from ..clock import iso
from ..scheduler import Timer
from . import paths
from .definition import Definition, State

LIMIT = 262_144  # bytes of any input, output or result, as JSON in UTF-8
MOST_EVENTS = 25_000
FULL = f"The execution reached the maximum number of history events ({MOST_EVENTS})."


@dataclass
class Execution:
    """One execution. Times are seconds since the epoch; `input` and `output` are JSON text."""

    arn: str
    machine: str  # ARN
    logical_id: str  # as the trace shows the machine
    role: str
    definition: Definition
    input: str
    started: float
    status: str = "RUNNING"
    stopped: float | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    redrives: int = 0
    redriven: float | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    at: str = ""  # the state it stands in
    data: Any = None  # the raw input of that state
    entered: int = 0  # the id of the event by which it was entered; 0 before that
    entered_at: float = 0.0
    retries: int = 0  # of this state
    tried: dict[int, int] = field(default_factory=dict)  # its retrier to the number of times it was used
    turn: int = 0  # goes up when what was waited for is no longer wanted, so that a late answer is known as late
    timers: list[Timer] = field(default_factory=list)  # of this turn
    deadline: Timer | None = None

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.arn.rsplit(":", 1)[-1]

    @property
    def state(self) -> State:
        """The state it stands in."""
        return self.definition.states[self.at]

    def failure(self) -> dict[str, str]:
        """Its error and its cause, as far as there are any."""
        said = {"error": self.error, "cause": self.cause}
        return {name: value for name, value in said.items() if value is not None}

    def room(self) -> bool:
        """Has the history room for one more attempt, and for the end?"""
        return len(self.events) + 6 <= MOST_EVENTS

    def record(self, now: float, kind: str, *, root: bool = False, **details: Any) -> int:
        """Add an event of this type with its details, and return its id. At the root nothing led to it."""
        number = len(self.events) + 1
        previous = 0 if root or number <= 2 else number - 1  # the first state has no predecessor either, recorded
        self.events.append({"timestamp": now, "type": kind, "id": number, "previousEventId": previous, **details})
        return number

    def end(self, now: float, status: str, said: dict[str, str | None]) -> None:
        """It has ended, with an output, or an error and a cause: nothing is waited for, and this is the last event."""
        self.turn_over()
        if self.deadline is not None:
            self.deadline.cancel()
        self.status, self.stopped, self.output = status, now, said.get("output")
        self.error, self.cause = said.get("error"), said.get("cause")
        details = data("output", self.output) if self.output is not None else self.failure()
        kind, root = status.title().replace("_", ""), status in ("ABORTED", "TIMED_OUT")  # no state led to those
        self.record(now, f"Execution{kind}", root=root, **{f"execution{kind}EventDetails": details})

    def redrive(self, now: float) -> None:
        """It goes on with the state that failed, on its old input, with all its retries again."""
        self.status, self.stopped, self.error, self.cause = "RUNNING", None, None, None
        self.redrives, self.redriven = self.redrives + 1, now
        self.record(now, "ExecutionRedriven", executionRedrivenEventDetails={"redriveCount": self.redrives})
        self.forget_retries()

    def enter(self, now: float) -> None:
        """Its state is entered now."""
        told, self.entered_at = {"name": self.at, **data("input", text(self.data))}, now
        self.entered = self.record(now, f"{self.state['Type']}StateEntered", stateEnteredEventDetails=told)

    def leave(self, now: float, output: Any) -> None:
        """Its state is left now, with this output."""
        told, kind = {"name": self.at, **data("output", text(output))}, self.state["Type"]
        self.record(now, f"{kind}StateExited", stateExitedEventDetails=told)

    def go(self, state: str, value: Any) -> None:
        """It goes to a state, with this raw input."""
        self.turn_over()
        self.at, self.data, self.entered = state, value, 0
        self.forget_retries()

    def part(self, field: str, value: Any) -> Any:
        """What the path in a field of its state finds in a value. Raises paths.NotFound."""
        path = self.state.get(field, "$")
        return {} if path is None else paths.find(path, value, self.context())

    def rendered(self, field: str, value: Any) -> Any:
        """What a payload template in a field of its state makes of a value. Raises paths.NotFound."""
        template = self.state.get(field)
        return value if template is None else paths.render(template, value, self.context())

    def turn_over(self) -> None:
        """Whatever was waited for, an answer, a time-out, the end of a wait: it is no longer waited for."""
        self.turn += 1
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def forget_retries(self) -> None:
        """The state is new, or begun anew: its retriers have all their attempts."""
        self.retries, self.tried = 0, {}

    def context(self) -> dict[str, Any]:
        """The context object, what "$$" means."""
        started, again = iso(self.started, "milliseconds"), self.redriven
        execution = {"Id": self.arn, "Input": json.loads(self.input), "StartTime": started, "Name": self.name}
        execution |= {"RoleArn": self.role, "RedriveCount": self.redrives}
        execution |= {} if again is None else {"RedriveTime": iso(again, "milliseconds")}
        state: dict[str, Any] = {"EnteredTime": iso(self.entered_at, "milliseconds"), "Name": self.at}
        if self.state["Type"] == "Task":
            state["RetryCount"] = self.retries
        return {
            "Execution": execution,
            "StateMachine": {"Id": self.machine, "Name": self.machine.rsplit(":", 1)[-1]},
            "State": state,
        }

    def listed(self) -> dict[str, Any]:
        """What ListExecutions says of it."""
        told: dict[str, Any] = {"executionArn": self.arn, "stateMachineArn": self.machine, "name": self.name}
        told["status"] = self.status
        told |= {"startDate": self.started, "stopDate": self.stopped}
        told |= {"redriveCount": self.redrives, "redriveDate": self.redriven}
        return {name: value for name, value in told.items() if value is not None}


def text(value: Any) -> str:
    """A value as the history shows it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def within_limit(value: Any) -> bool:
    """May a state pass this value on?"""
    return len(text(value).encode()) <= LIMIT


def data(field: str, value: str) -> dict[str, Any]:
    """An input or output (JSON text) in an event's details, with what says that it is whole."""
    return {field: value, f"{field}Details": {"truncated": False}}
