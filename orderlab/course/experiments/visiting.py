"""`visits()`: customers who call one function, so many at the same moment, and what each of them was told.

Lambda handles one event at a time in an execution environment, so customers who come together meet different ones.
Taught in notebooks/06_where_state_lives.ipynb
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderlab.cloud import Cloud
    from orderlab.cloud.functions.invocation import Result

ROUND = 1.0  # seconds after a round of customers, before the next


def visits(cloud: "Cloud", function: str, events: Sequence[Any], at_once: int = 1) -> list[Any]:
    """Call a function once for each event, `at_once` of them at a moment. The answers, in order.

    After each round the world comes to rest, and then a second passes. Raises RuntimeError when a call failed.
    """
    answers: dict[int, Any] = {}

    def take(n: int, result: "Result") -> None:
        answers[n] = RuntimeError(str(result.error)) if result.error else json.loads(result.payload)

    for first in range(0, len(events), at_once):
        for n in range(first, min(first + at_once, len(events))):
            cloud.functions.start(function, events[n], partial(take, n), source="a customer")
        cloud.run()  # real processes may take longer than a round to start
        cloud.advance(ROUND)
    for answer in answers.values():
        if isinstance(answer, RuntimeError):
            raise answer
    return [answers[n] for n in range(len(events))]


def environments(cloud: "Cloud", function: str) -> int:
    """How many execution environments Lambda has made for a function since the cloud began: its cold starts."""
    return sum(bool(row.detail["cold"]) for row in cloud.trace.select("invoke", actor=function))
