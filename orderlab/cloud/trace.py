"""What happened, in order: one row for every hop, call, wait and failure, in virtual time.

CloudWatch and X-Ray tell such a story on AWS, sampled and late. Here it is complete, and the same for the same seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that happened: row number, virtual time (seconds since the epoch), kind, who, what, and details."""

    n: int
    at: float
    kind: str
    actor: str
    what: str
    detail: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        more = "  ".join(f"{name}={value}" for name, value in self.detail.items())
        return f"{self.kind:<9} {self.actor:<16} {self.what}  {more}".rstrip()


class Trace:
    """The rows, oldest first. `clock` gives the virtual time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.rows: list[Row] = []
        self.start = clock()

    def add(self, kind: str, actor: str, what: str, **detail: Any) -> int:
        """Write one row and return its number."""
        n = len(self.rows)
        self.rows.append(Row(n, self._clock(), kind, actor, what, detail))
        return n

    def select(self, *kinds: str, actor: str | None = None, contains: str | None = None) -> list[Row]:
        """The rows of these kinds (all, if none is named), by this actor, with this text anywhere in them."""
        return [
            row
            for row in self.rows
            if (not kinds or row.kind in kinds)
            and (actor is None or row.actor == actor)
            and (contains is None or contains in row.what or contains in str(row.detail))
        ]

    def text(self, rows: list[Row] | None = None) -> str:
        """The rows as lines, each with the seconds since the start of the world."""
        return "\n".join(f"{row.at - self.start:10.3f} s  {row}" for row in (self.rows if rows is None else rows))

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)
