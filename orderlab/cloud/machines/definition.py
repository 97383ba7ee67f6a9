"""A state machine's definition: read from its JSON, and refused, when the machine is created, if it could not be run.

Step Functions checks a definition once, at CreateStateMachine: its fields, where each state leads to, that every state
can be reached. What this cloud does not run is refused here too, by name, so that no execution finds it out later:
JSONata, variables, Parallel and Map, activities, callbacks and .sync, every Resource but lambda:invoke, and the fields
that FIELDS does not have (SecondsPath, Timestamp, ErrorPath and their like).
Source: Amazon States Language specification; texts as recorded in localstack (test_sfn_api, test_base_scenarios,
#12487).
Departure: AWS lists all findings, here the first one is told; some texts for malformed fields are ours.
Taught in notebooks/10_undoing.ipynb
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import choice, errors, paths
from .errors import FOREVER

State = dict[str, Any]
INVOKE = re.compile(r"arn:aws[\w-]*:states:::lambda:invoke")
TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
FIELDS = {  # of each type that is run; beside Type and Comment
    "Task": "Next End InputPath OutputPath ResultPath Parameters ResultSelector Resource Retry Catch TimeoutSeconds",
    "Pass": "Next End InputPath OutputPath ResultPath Parameters Result",
    "Wait": "Next End InputPath OutputPath Seconds",
    "Choice": "InputPath OutputPath Choices Default",
    "Succeed": "InputPath OutputPath",
    "Fail": "Error Cause",
}


LONGEST = 31_536_000  # seconds that an execution may be open: one year


class InvalidDefinition(ValueError):
    """The definition is none, or asks for something that this cloud does not run; the text says where."""


@dataclass(frozen=True)
class Definition:
    """A definition that can be run: states by name as they are written, `timeout` of an execution in seconds."""

    start_at: str
    states: dict[str, State]
    timeout: float


@lru_cache(maxsize=64)
def parse(text: str) -> Definition:
    """The definition in this JSON text. Raises InvalidDefinition with AWS's code, what is wrong, and where."""
    try:
        machine = json.loads(text)
    except ValueError as error:
        raise InvalidDefinition(f"INVALID_JSON_DESCRIPTION: {error}") from None
    if not isinstance(machine, dict):
        raise _invalid("Definition must be a valid JSON object")
    missing = [name for name in ("States", "StartAt") if name not in machine]
    if missing:
        raise _invalid(f"These fields are required: [{', '.join(missing)}] at /")
    _fields(machine, {"StartAt", "States", "TimeoutSeconds", "Version", "Comment", "QueryLanguage"}, "/")
    _json_path(machine, "/")
    states, timeout = machine["States"], machine.get("TimeoutSeconds", FOREVER)
    if not isinstance(states, dict) or not all(isinstance(state, dict) for state in states.values()):
        raise _invalid("States must be an object of objects at /States")
    _seconds("TimeoutSeconds", timeout, 1, "/")
    for name, state in states.items():
        _state(name, state)
    _reach(machine["StartAt"], states)
    return Definition(machine["StartAt"], states, float(min(timeout, LONGEST)))


def _invalid(text: str) -> InvalidDefinition:
    return InvalidDefinition(f"SCHEMA_VALIDATION_FAILED: {text}")


def _at(where: str, check: Callable[..., Any], *values: Any) -> None:
    """Run a check whose ValueError does not know where it is."""
    try:
        check(*values)
    except ValueError as error:
        raise _invalid(f"{error} at {where}") from None


def _fields(part: Any, known: set[str], where: str) -> None:
    if not isinstance(part, dict):
        raise _invalid(f"An object is expected at {where}")
    strange = sorted(part.keys() - known)
    if strange:
        raise _invalid(f"Field {strange[0]} is not supported, or not run by the local cloud, at {where}")


def _json_path(part: State, where: str) -> None:
    if part.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise _invalid(f"QueryLanguage {part['QueryLanguage']} is not run by the local cloud, at {where}")


def _state(name: str, state: State) -> None:
    where, kind = f"/States/{name}", state.get("Type")
    if kind not in TYPES:
        raise _invalid(f"The field 'Type' should have one of these values: [{', '.join(TYPES)}] at {where}/Type")
    if kind not in FIELDS:
        raise _invalid(f"{kind} states are not run by the local cloud, at {where}")
    _json_path(state, where)
    _fields(state, {"Type", "Comment", "QueryLanguage", *FIELDS[kind].split()}, where)
    if kind in ("Task", "Pass", "Wait") and ("Next" in state) == (state.get("End") is True):
        raise _invalid(f"One of Next and End is required at {where}")
    _paths(state, where)
    for field in ("Parameters", "ResultSelector"):
        if field in state:
            _at(f"{where}/{field}", paths.check, state[field] if isinstance(state[field], dict | list) else {})
    if kind == "Task":
        _task(where, state)
    elif kind == "Choice":
        _choice(where, state)
    elif kind == "Wait":
        _seconds("Seconds", state.get("Seconds"), 0, where)


def _paths(part: State, where: str) -> None:
    for field, path in part.items():
        if field.endswith("Path") and path is not None:
            _at(f"{where}/{field}", paths.steps, path if isinstance(path, str) else repr(path))
            if field == "ResultPath" and path.startswith("$$"):
                raise _invalid(f"ResultPath cannot be in the context object at {where}/ResultPath")


def _task(where: str, state: State) -> None:
    resource, given = state.get("Resource"), state.get("Parameters") or {}
    if not isinstance(resource, str) or not INVOKE.fullmatch(resource):
        raise _invalid(f"The resource {resource} is not run by the local cloud (lambda:invoke is), at {where}/Resource")
    _fields(given, {"FunctionName", "FunctionName.$", "Payload", "Payload.$"}, f"{where}/Parameters")
    if not {"FunctionName", "FunctionName.$"} & given.keys():
        raise _invalid(f"The field 'FunctionName' is required but was missing at {where}/Parameters")
    _seconds("TimeoutSeconds", state.get("TimeoutSeconds", 1), 1, where)
    for field, more in (("Retry", errors.RETRIER.keys()), ("Catch", {"Next", "ResultPath"})):
        for n, part in enumerate(state.get(field) or []):
            place, last = f"{where}/{field}[{n}]", n == len(state[field]) - 1
            _fields(part, {"ErrorEquals", "Comment", *more}, place)
            _at(place, errors.check, part, last)
            _paths(part, place)


def _seconds(field: str, value: Any, least: int, where: str) -> None:
    if type(value) is not int or not least <= value <= FOREVER:
        raise _invalid(f"{field} must be an integer from {least} to {FOREVER} at {where.rstrip('/')}/{field}")


def _choice(where: str, state: State) -> None:
    if not isinstance(state.get("Choices"), list) or not state["Choices"]:
        raise _invalid(f"Choices must be a non-empty array at {where}")
    for n, rule in enumerate(state["Choices"]):
        _at(f"{where}/Choices[{n}]", choice.check, rule)
        if "Next" not in rule:
            raise _invalid(f"These fields are required: [Next] at {where}/Choices[{n}]")


def _reach(start: str, states: dict[str, State]) -> None:
    """Every target is a state, and every state can be reached."""
    reached: set[str] = set()
    todo: list[tuple[str, str, Any]] = [("", "StartAt", start)]
    while todo:
        where, field, target = todo.pop()
        if not isinstance(target, str) or target not in states:
            raise InvalidDefinition(f"MISSING_TRANSITION_TARGET: Missing '{field}' target: {target} at {where}/{field}")
        if target not in reached:
            reached.add(target)
            state, here = states[target], f"/States/{target}"
            todo += [(here, field, state[field]) for field in ("Next", "Default") if field in state]
            todo += [
                (here, "Next", part.get("Next")) for name in ("Choices", "Catch") for part in state.get(name) or []
            ]
    for name in (name for name in states if name not in reached):
        raise InvalidDefinition(f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at /States/{name}')
