"""Exercise 7.3's table of records: work that is repeated, fails, or is killed while its lease runs.

Taught in notebooks/07_exactly_once_nearly.ipynb
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from .points import Died

LEASE = 30.0  # seconds


class Records:
    """Exercise 7.3's table. Once the environment has died it takes no call until the next request."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.dead, self.loses_put = False, False

    def put_if(self, key: str, row: dict[str, Any], free: Callable[[dict[str, Any] | None], bool]) -> Any:
        """Write the row if `free(the row that is there, or None)`, in one step: None. Else the row that is there."""
        self._alive()
        old = self.rows.get(key)
        if not free(None if old is None else dict(old)):
            return dict(old or {})
        self.rows[key] = dict(row)
        return None

    def put(self, key: str, row: dict[str, Any]) -> None:
        """Write the row, whatever is there."""
        self.dead = self.dead or self.loses_put
        self._alive()
        self.rows[key] = dict(row)

    def delete(self, key: str) -> None:
        """Remove the row."""
        self._alive()
        self.rows.pop(key, None)

    def _alive(self) -> None:
        if self.dead:
            raise Died


class Failed(Exception):
    """The work raised an error."""


def ask(answer: Any, requests: list[dict[str, Any]]) -> list[Any]:
    """What came of each request, in the order in which they ended; one may come during another's work."""
    table, seen, runs = Records(), list[Any](), Counter[str]()

    def one(at: float, key: str = "k", work: str = "", during: dict[str, Any] | None = None) -> None:
        def do() -> dict[str, int]:
            runs["all"] += 1
            number = runs["all"]
            if during is not None:
                one(**during)
            if work == "is killed":
                table.dead = True
                raise Died
            if work == "fails":
                raise Failed("the work failed")
            return {} if work == "has nothing to say" else {"receipt": number}

        table.dead, table.loses_put = False, work == "is done, and killed before the record"
        try:
            seen.append(answer(table, key, do, at, LEASE))
        except Failed:
            seen.append("failed")
        except Died:
            seen.append("killed")

    for request in requests:
        one(**request)
    return [*seen, f"runs: {runs['all']}"]
