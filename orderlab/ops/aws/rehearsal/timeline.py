"""The events of one operation on a stack, in the order in which CloudFormation was seen to tell them.

Pure: from resources in the order of their dependencies to a list of events. See `recorded` for where each order was
seen. What is left out: several resources at once (here one after the other), and nested stacks.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from .recorded import CANCELLED, INITIATED, LEFT_BEHIND, STARTED, UPDATE_CANCELLED


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


def update(
    changed: Sequence[Made], new: Set[str], gone: Sequence[Made] = (), staying: Mapping[str, str] = {}
) -> Iterator[Step]:
    """What is new (logical ids) is created, the rest of `changed` updated; then what is gone is deleted.

    What cannot be deleted then, by logical id with the reason, is the stack's no longer: nobody deletes it.
    """
    yield Step(None, "UPDATE_IN_PROGRESS", STARTED)
    for made in changed:
        yield from _created(made) if made.logical_id in new else _updated(made)
    yield Step(None, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    yield from _all_deleted(gone, staying)
    left = any(made.logical_id in staying for made in gone)
    yield Step(None, "UPDATE_COMPLETE", LEFT_BEHIND.rows[-1][2] if left else "")


def failed_update(changed: Sequence[Made], new: Set[str], failing: Mapping[str, str]) -> Iterator[Step]:
    """The first resource that fails takes its successor with it; what was updated goes back, what is new goes."""
    yield Step(None, "UPDATE_IN_PROGRESS", STARTED)
    first = next(number for number, made in enumerate(changed) if made.logical_id in failing)
    done, broken = changed[:first], changed[first : first + 2]
    kinds = {made.logical_id: "create" if made.logical_id in new else "update" for made in changed}
    for made in done:
        yield from _created(made) if kinds[made.logical_id] == "create" else _updated(made)
    for made in broken:
        yield Step(made, f"{kinds[made.logical_id].upper()}_IN_PROGRESS")
    for made in broken:
        kind = kinds[made.logical_id]
        cancelled = CANCELLED if kind == "create" else UPDATE_CANCELLED
        yield Step(made, f"{kind.upper()}_FAILED", failing[made.logical_id] if made is broken[0] else cancelled)
    reason = ""
    for kind in ("create", "update"):
        if names := [made.logical_id for made in broken if kinds[made.logical_id] == kind]:
            reason += f"The following resource(s) failed to {kind}: [{', '.join(names)}]. "
    yield Step(None, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
    for made in [*done, *broken]:
        if kinds[made.logical_id] == "update":
            yield from _updated(made)
    yield Step(None, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    yield from _all_deleted([made for made in [*done, *broken] if made.logical_id in new], {})
    yield Step(None, "UPDATE_ROLLBACK_COMPLETE")


def deletion(resources: Sequence[Made], staying: Mapping[str, str] = {}) -> Iterator[Step]:
    """In the opposite order; what cannot be deleted, by logical id with the reason, stays, and the stack with it."""
    yield Step(None, "DELETE_IN_PROGRESS", STARTED)
    yield from _all_deleted(resources, staying)
    if staying:
        yield Step(None, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(staying)}]. ")
    else:
        yield Step(None, "DELETE_COMPLETE")


def _created(made: Made) -> Iterator[Step]:
    yield Step(made, "CREATE_IN_PROGRESS", physical=False)
    yield Step(made, "CREATE_IN_PROGRESS", INITIATED)
    yield Step(made, "CREATE_COMPLETE")


def _updated(made: Made) -> Iterator[Step]:
    yield Step(made, "UPDATE_IN_PROGRESS")
    yield Step(made, "UPDATE_COMPLETE")


def _all_deleted(resources: Sequence[Made], staying: Mapping[str, str]) -> Iterator[Step]:
    for made in reversed(resources):
        if made.logical_id in staying:
            yield Step(made, "DELETE_IN_PROGRESS")
            yield Step(made, "DELETE_FAILED", staying[made.logical_id])
        else:
            yield from _deleted(made)


def _deleted(made: Made) -> Iterator[Step]:
    yield Step(made, "DELETE_IN_PROGRESS")
    yield Step(made, "DELETE_COMPLETE")
