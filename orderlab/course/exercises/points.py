"""Exercise 7.2's table of markers and points: an environment dies at a call, or another consumer comes between.

Taught in notebooks/07_exactly_once_nearly.ipynb
"""

from collections import Counter
from collections.abc import Callable
from typing import Any


class Died(BaseException):
    """The execution environment is gone: no except of the answer's own is for this."""


class Points:
    """Exercise 7.2's table: markers by key and points by customer, with a death or another consumer at some call."""

    def __init__(self, dies: tuple[int, str] | None, meanwhile: tuple[int, Callable[[], None]] | None) -> None:
        self.keys, self.points, self.calls = set[str](), Counter[str](), 0
        self.dies, self.meanwhile = dies, meanwhile

    def get(self, key: str) -> bool:
        """Is there a marker of this key?"""
        return self._call(lambda: key in self.keys)

    def put(self, key: str) -> bool:
        """Write the marker; False if it was there already."""
        return self._call(lambda: self._put(key))

    def add(self, customer: str, points: int) -> None:
        """Add points to a customer's."""
        self._call(lambda: self.points.update({customer: points}))

    def transact(self, *, put: str, add: tuple[str, int]) -> bool:
        """Write the marker and add the points, or do neither and answer False, if the marker was there already."""

        def both() -> bool:
            new = self._put(put)
            if new:
                self.points.update({add[0]: add[1]})
            return new

        return self._call(both)

    def _put(self, key: str) -> bool:
        new = key not in self.keys
        self.keys.add(key)
        return new

    def _call(self, act: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.meanwhile and self.meanwhile[0] == self.calls:
            (_, other), self.meanwhile = self.meanwhile, None
            other()
        dies, self.dies = (self.dies, None) if self.dies and self.dies[0] == self.calls else (None, self.dies)
        if dies and dies[1] == "before":
            raise Died
        answer = act()
        if dies:
            raise Died
        return answer


def give(
    answer: Any, messages: list[dict[str, Any]], dies: tuple[int, str] | None = None, at_once: int = 0
) -> dict[str, int]:
    """Deliver these messages, one that died again, and with `at_once` a copy just before that call of the first."""
    table = Points(dies, (at_once, lambda: answer(dict(messages[0]), table)) if at_once else None)
    for message in messages:
        for _ in range(2):
            try:
                answer(dict(message), table)
            except Died:
                continue  # the message shows up again
            break
    return dict(table.points)
