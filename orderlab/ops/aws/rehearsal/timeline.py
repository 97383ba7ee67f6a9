"""The events of one operation on a stack, in the order in which CloudFormation was seen to tell them.

Pure: from resources in the order of their dependencies to a list of events. See `recorded` for where each order was
seen. What is left out: several resources at once (here one after the other), and nested stacks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .recorded import CANCELLED, INITIATED, NOT_EMPTY, STARTED


@dataclass(frozen=True)
class Made:
    """A resource: logical id, type, physical id."""

    logical_id: str
    type: str
    physical_id: str


@dataclass(frozen=True)
class Step:
    """One event to come: of a resource, or of the stack itself (None)."""

    made: Made | None
    status: str
    reason: str = ""
    physical: bool = True  # before a resource is begun, it has no physical id


def creation(resources: Sequence[Made]) -> Iterator[Step]:
    """All goes well."""
    yield Step(None, "CREATE_IN_PROGRESS", STARTED)
    for made in resources:
        yield from _created(made)
    yield Step(None, "CREATE_COMPLETE")


def failed_creation(resources: Sequence[Made], failing: Mapping[str, str]) -> Iterator[Step]:
    """The first resource that fails takes its successor with it, and all that was made is deleted again."""
    yield Step(None, "CREATE_IN_PROGRESS", STARTED)
    done: list[Made] = []
    for number, made in enumerate(resources):
        if made.logical_id not in failing:
            yield from _created(made)
            done.append(made)
            continue
        yield Step(made, "CREATE_IN_PROGRESS", physical=False)
        beside = resources[number + 1 : number + 2]
        for one in beside:
            yield Step(one, "CREATE_IN_PROGRESS", physical=False)
        yield Step(made, "CREATE_FAILED", failing[made.logical_id])
        for one in beside:
            yield Step(one, "CREATE_FAILED", CANCELLED)
        names = ", ".join(one.logical_id for one in [made, *beside])
        reason = f"The following resource(s) failed to create: [{names}]. Rollback requested by user."
        yield Step(None, "ROLLBACK_IN_PROGRESS", reason)
        break
    for made in reversed(done):
        yield from _deleted(made)
    yield Step(None, "ROLLBACK_COMPLETE")


def update(changed: Sequence[Made]) -> Iterator[Step]:
    """What changed is updated, one after the other."""
    yield Step(None, "UPDATE_IN_PROGRESS", STARTED)
    for made in changed:
        yield Step(made, "UPDATE_IN_PROGRESS")
        yield Step(made, "UPDATE_COMPLETE")
    yield Step(None, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    yield Step(None, "UPDATE_COMPLETE")


def deletion(resources: Sequence[Made], full: Sequence[str] = ()) -> Iterator[Step]:
    """In the opposite order; a bucket that is full (its logical id) stays, and the stack with it."""
    yield Step(None, "DELETE_IN_PROGRESS", STARTED)
    for made in reversed(resources):
        if made.logical_id in full:
            yield Step(made, "DELETE_IN_PROGRESS")
            yield Step(made, "DELETE_FAILED", NOT_EMPTY.rows[0][2])
        else:
            yield from _deleted(made)
    if full:
        yield Step(None, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(full)}]. ")
    else:
        yield Step(None, "DELETE_COMPLETE")


def _created(made: Made) -> Iterator[Step]:
    yield Step(made, "CREATE_IN_PROGRESS", physical=False)
    yield Step(made, "CREATE_IN_PROGRESS", INITIATED)
    yield Step(made, "CREATE_COMPLETE")


def _deleted(made: Made) -> Iterator[Step]:
    yield Step(made, "DELETE_IN_PROGRESS")
    yield Step(made, "DELETE_COMPLETE")


def in_order(resources: Mapping[str, Any]) -> list[str]:
    """The logical ids, each after those that it refers to or depends on."""
    done: dict[str, None] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        for other in sorted(set(referred(resources[name])) & {*resources} - {name}):
            visit(other)
        done[name] = None

    for name in resources:
        visit(name)
    return [*done]


def referred(value: Any) -> Iterator[str]:
    """Every logical id that a resource's description names: Ref, GetAtt, Sub and DependsOn."""
    if isinstance(value, list):
        for each in value:
            yield from referred(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [each] if isinstance(each, str) else each
            elif key == "Fn::GetAtt":
                yield each[0] if isinstance(each, list) else each.split(".")[0]
            elif key == "Fn::Sub":
                text = each if isinstance(each, str) else each[0]
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
            yield from referred(each)
