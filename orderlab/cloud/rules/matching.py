"""EventBridge rules: does an event match a pattern, why not, and what does a target get of it.

On AWS a pattern is a JSON object shaped like the event. Every field it names must match (and), a field matches if any
of its listed alternatives accepts any of its values (or), and "$or" holds at least two objects of which one must match.
A pattern that breaks the language is refused when the rule is made, never when an event comes. How patterns are written
is in `language`, the operators in `operators`, paths and arrays in `fields`, what a target gets in `transform`. Source:
AWS docs eb-event-patterns; recordings of TestEventPattern; for what these leave open aws/event-ruler 2.0.1, the
service's open engine.

Taught in notebooks/03_the_bus.ipynb.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from . import fields, language, numeric
from .language import Field

_NOTHING = object()


class InvalidPattern(ValueError):
    """A pattern that PutRule refuses with InvalidEventPatternException; the text is AWS's, where it was recorded."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Event pattern is not valid. Reason: {reason}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready for use: an event matches if it meets all fields of one of the branches."""

    branches: tuple[tuple[Field, ...], ...]

    def matches(self, event: dict[str, Any]) -> bool:
        return any(next(_unmet(branch, event), _NOTHING) is _NOTHING for branch in self.branches)

    def explain(self, event: dict[str, Any]) -> list[str]:
        """Why the event does not match, a sentence for each reason; empty if it matches."""
        reasons = [[_sentence(field, branch, event) for field in _unmet(branch, event)] for branch in self.branches]
        if not all(reasons):
            return []
        if len(reasons) == 1:
            return reasons[0]
        return [f"$or, way {number}: {reason}" for number, each in enumerate(reasons, 1) for reason in each]


def matches(pattern: dict[str, Any] | str, event: dict[str, Any] | str) -> bool:
    """Whether the event matches the pattern; both as dicts or as JSON texts. Raises InvalidPattern."""
    return parse(pattern).matches(_event(event))


def explain(pattern: dict[str, Any] | str, event: dict[str, Any] | str) -> list[str]:
    """Why the event does not match the pattern, a sentence for each reason; empty if it does. Raises InvalidPattern."""
    return parse(pattern).explain(_event(event))


def parse(pattern: dict[str, Any] | str) -> Pattern:
    """Checks a pattern as PutRule does and makes it ready for many events. Raises InvalidPattern."""
    try:
        text = pattern if isinstance(pattern, str) else json.dumps(pattern, ensure_ascii=False, separators=(",", ":"))
        return _parse(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidPattern(str(error)) from None


@lru_cache(maxsize=1024)
def _parse(text: str) -> Pattern:
    return Pattern(tuple(tuple(branch[path] for path in sorted(branch)) for branch in language.read(text)))


def _unmet(branch: tuple[Field, ...], event: dict[str, Any]) -> Iterator[Field | None]:
    """The fields that an event does not meet, found one by one: whoever only asks whether, stops at the first.

    None comes last where each field is met, but not inside the same elements of the event's arrays.
    """
    choices = []
    for field in branch:
        passing, present = choice = field.choice(event)
        if passing or (present is not None and () not in present):
            choices.append(choice)
        else:
            yield field
    if len(choices) == len(branch) and not fields.consistent(choices):
        yield None


def _sentence(unmet: Field | None, branch: tuple[Field, ...], event: dict[str, Any]) -> str:
    if unmet is None:
        inside = [field.path for field in branch if any(trail for _, trail in fields.values(event, field.ways))]
        return f"{', '.join(inside)} are met one by one, but not in the same element of the array"
    wanted = " or ".join(_written(each) for each in unmet.alternatives)
    seen = ", ".join(_written(value) for value, _ in fields.values(event, unmet.ways))
    return f"{unmet.path} is {seen or 'missing'}; the pattern wants {wanted}"


def _written(value: Any) -> str:
    """A part of a pattern or an event as JSON; an object of a pattern is a tuple of pairs."""
    if isinstance(value, tuple):
        return "{" + ", ".join(f"{json.dumps(key)}: {_written(each)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def _event(event: dict[str, Any] | str) -> dict[str, Any]:
    return json.loads(event, parse_float=numeric.exact) if isinstance(event, str) else event
