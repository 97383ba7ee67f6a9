"""Allowed and needed, role by role: they must be equal, both ways.

What is allowed and was never needed is a gift to whoever takes the function over. What was needed and is not allowed is
an outage on the first day on AWS; locally nothing checks a role, so only this comparison finds it.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import actions, behalf, roles
from .actions import Needed
from .heard import Call

if TYPE_CHECKING:
    from orderlab.cloud import Cloud


@dataclass(frozen=True)
class Role:
    """One role of the stack: what it may do, and what was done under it, with why (a function's code, or AWS)."""

    name: str
    allowed: frozenset[Needed]
    needed: dict[Needed, str] = field(default_factory=dict)

    @property
    def unused(self) -> list[Needed]:
        """Allowed, and never needed."""
        return sorted(self.allowed - self.needed.keys())

    @property
    def missing(self) -> list[Needed]:
        """Needed, and not allowed."""
        return sorted(self.needed.keys() - self.allowed)


def seen(cloud: "Cloud", calls: Iterable[Call]) -> list[Role]:
    """The roles of one run, with resources by their logical ids. Raises actions.Unknown."""
    stack, who = cloud.stack, roles.roles_of(cloud.stack)
    needed: dict[str, dict[Needed, str]] = {}
    for role, rights, (action, arn) in behalf.used(cloud):
        needed.setdefault(role, {})[action, roles.legible(arn, stack)] = rights.what
    for call in calls:
        for action, arn in actions.needs(call):
            needed.setdefault(who[call.caller], {})[action, roles.legible(arn, stack)] = f"{call.caller} calls it"
    return [
        Role(
            role.logical_id,
            frozenset(
                (action, roles.legible(arn, stack)) for action, arn in roles.allowed(roles.with_policies(role, stack))
            ),
            needed.get(str(role.arn), {}),
        )
        for role in stack.of_type("AWS::IAM::Role")
    ]


def compare(runs: Iterable[Sequence[Role]]) -> list[Role]:
    """The roles of several runs of the same settings together: what was needed in any of them. By name."""
    found: dict[str, Role] = {}
    for role in (role for run in runs for role in run):
        one = found.get(role.name, role)
        found[role.name] = Role(role.name, one.allowed | role.allowed, one.needed | role.needed)
    return [found[name] for name in sorted(found)]


def findings(compared: Iterable[Role]) -> list[str]:
    """One line for each right too many or too few; none when every role may do what it does, and no more."""
    return [
        *(f"{r.name}: may do {a} on {what}, which no run needed" for r in compared for a, what in r.unused),
        *(
            f"{r.name}: needs {a} on {what} ({r.needed[a, what]}), and may not"
            for r in compared
            for a, what in r.missing
        ),
    ]


def rights_table(compared: Iterable[Role], *, only: str = "") -> str:
    """Every right as a line: role, action, resource, why it is needed; ones too many and too few are marked.

    `only` chooses the roles with this text in their name.
    """
    lines = [("role", "action", "on", "because")]
    for role in (role for role in compared if only in role.name):
        for action, what in sorted(role.allowed | role.needed.keys()):
            why = role.needed.get((action, what), "NOTHING NEEDED IT")
            lines.append((role.name, action, what, why if (action, what) in role.allowed else f"MISSING: {why}"))
    wide = [max(len(line[n]) for line in lines) for n in range(3)]
    return "\n".join("  ".join((*(cell.ljust(wide[n]) for n, cell in enumerate(line[:3])), line[3])) for line in lines)
