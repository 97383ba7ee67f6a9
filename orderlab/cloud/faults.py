"""Faults on order: by seed at a rate, or exactly at one step of the history.

A step is one call from a handler to AWS; the trace numbers them ("step"), so a history that was seen once can be
run again with a crash before or after any one of its calls.
"""

import random
from dataclasses import dataclass, field

KINDS = (
    "duplicate",  # at-least-once delivery: a message, a rule's delivery, an asynchronous event comes twice
    "reorder",  # a queue hands out a later message first
    "delay",  # a message becomes visible `seconds` later
    "crash-before",  # the execution environment dies just before a call takes effect
    "crash-after",  # … just after it took effect, before the handler learns of it
    "lost-response",  # the call took effect, and its answer never arrives: the client sees a read time-out
    "throttle",  # the call is refused with the service's throttling error; a transaction is cancelled with it
    "conflict",  # DynamoDB only: another transaction is at the row, or at one of the transaction's rows
    "error",  # the call is answered by the service's own internal error, 500, and nothing was done
    "slow",  # the call takes `seconds` longer
    "put-events",  # PutEvents refuses single entries inside an answer of 200
    "cold-start",  # Lambda takes a function's idle environments away before an event
    "clock-skew",  # an execution environment's clock is `seconds` ahead
)


AT_A_STEP = ("crash-before", "crash-after", "lost-response", "throttle", "error", "conflict", "put-events")


@dataclass(frozen=True)
class Rate:
    """Strike with this probability wherever `where` is part of the name of the place, at most `limit` times."""

    kind: str
    rate: float
    where: str = ""
    seconds: float = 0.0
    limit: int | None = None


@dataclass
class Faults:
    """The plan of what goes wrong. Empty by default: nothing does."""

    seed: int = 0
    rates: list[Rate] = field(default_factory=list)
    steps: dict[int, str] = field(default_factory=dict)
    struck: int = 0

    def __post_init__(self) -> None:
        self._rng = random.Random(f"faults {self.seed}")
        self._struck: dict[Rate, int] = {}

    def at_rate(
        self, kind: str, rate: float, *, where: str = "", seconds: float = 0.0, limit: int | None = None
    ) -> "Faults":
        """Add a fault at a rate between 0 and 1, `limit` times at most. `where` is part of a queue's, function's
        or call's name ("stock", "ChargePayment", "dynamodb.PutItem")."""
        if kind not in KINDS:
            raise ValueError(f"unknown fault {kind!r}: use one of {', '.join(KINDS)}")
        if not 0.0 <= rate <= 1.0:
            raise ValueError(f"the rate of fault {kind!r} must be between 0 and 1, not {rate}")
        self.rates.append(Rate(kind, rate, where, seconds, limit))
        return self

    def at_step(self, step: int, kind: str) -> "Faults":
        """Add one fault of AT_A_STEP at exactly that step. A step that it does not fit (a conflict where no row is
        written) is passed by."""
        if kind not in AT_A_STEP:
            raise ValueError(f"a fault at a step is one of {', '.join(AT_A_STEP)}, not {kind!r}")
        self.steps[step] = kind
        return self

    def stop(self, kind: str | None = None) -> None:
        """End the faults of this kind, or all of them."""
        self.rates = [rate for rate in self.rates if kind is not None and rate.kind != kind]
        if kind is None:
            self.steps.clear()

    def become(self, other: "Faults") -> None:
        """Take over another plan, from its beginning."""
        self.seed, self.rates, self.steps, self.struck = other.seed, list(other.rates), dict(other.steps), 0
        self._rng.seed(f"faults {self.seed}")
        self._struck.clear()

    def strikes(self, kind: str, where: str) -> bool:
        """Does this fault strike here, now? Draws from the seed only if such a fault was asked for."""
        return self._find(kind, where) is not None

    def amount(self, kind: str, where: str) -> float:
        """For delay, slow and clock-skew: how many seconds strike here, now; 0.0 for none."""
        found = self._find(kind, where)
        return found.seconds if found else 0.0

    def _find(self, kind: str, where: str) -> Rate | None:
        for rate in self.rates:
            struck = self._struck.get(rate, 0)
            applies = rate.kind == kind and rate.where in where and struck != rate.limit
            if applies and self._rng.random() < rate.rate:
                self._struck[rate] = struck + 1
                self.struck += 1
                return rate
        return None
