"""Who calls, and how: the arrival process on one side, the strategy of a single client on the other.

open loop    requests come whether or not the last ones are answered: users of the internet. Nothing that a client does
             about one request takes load off the next one
closed loop  a fixed number of clients, each waiting for its answer before it goes on: workers. When the service is
             slow they all wait, and the load falls by itself
serial       work comes by itself, but each client does it one piece after the other: a queue with one consumer. A
             client that backs off sends less, and its work waits

A strategy is made of the very objects that ship to Lambda, `orderlab.patterns`, and asked as there: the breaker before
each attempt, the retry policy after each failure.

Sources: B. Schroeder et al., "Open Versus Closed: A Cautionary Tale", NSDI 2006; M. Brooker, "What is backoff for?",
2022. Taught in notebooks/08_waiting_well.ipynb.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orderlab.patterns.breaker import Permit
from orderlab.patterns.checks import whole
from orderlab.patterns.retry import Retry

from .times import Draw


class Breaker(Protocol):
    """What is asked of a circuit breaker: CircuitBreaker, SharedBreaker and sim.throttle all have it."""

    def allow(self, now: float) -> Permit | None:
        """A permit, or None: do not call."""

    def success(self, now: float, permit: Permit | None = None) -> None:
        """An attempt succeeded."""

    def failure(self, now: float, permit: Permit | None = None) -> None:
        """An attempt failed, was refused or timed out."""

    def retry_in(self, now: float) -> float:
        """Seconds until a call may pass."""


@dataclass(frozen=True)
class Strategy:
    """What one client does about failure: retry policy, circuit breaker, seconds that it waits for each attempt.

    Raises ValueError for a timeout that is not above 0; math.inf is none.
    """

    retry: Retry | None = None
    breaker: Breaker | None = None
    timeout: float = math.inf

    def __post_init__(self) -> None:
        if not self.timeout > 0:
            raise ValueError(f"timeout is seconds above 0, or math.inf, got {self.timeout!r}")


Factory = Callable[[], Strategy]
"""Called once for each client and run, because budgets and breakers have state: `lambda: Strategy(...)`."""

Rate = float | Sequence[tuple[float, float]]


@dataclass(frozen=True)
class OpenLoop:
    """Requests in a Poisson process, each to a random one of `clients`, none of which waits for answers.

    rate      requests/s of all clients together; or [(from_second, rate), ...], constant between
    strategy  a factory, called once for each client
    """

    rate: Rate
    strategy: Factory
    clients: int = 1

    def __post_init__(self) -> None:
        steps(self.rate)
        whole("clients", self.clients)
        factory(self.strategy)


@dataclass(frozen=True)
class ClosedLoop:
    """`clients` that all send at 0 s; each sends its next request when the last one has ended and it has thought.

    think     seconds between the end of a request and the next one; None for none
    requests  of each client; None for no limit. One each is a thundering herd
    """

    clients: int
    strategy: Factory
    think: Draw | None = None
    requests: int | None = None

    def __post_init__(self) -> None:
        whole("clients", self.clients)
        factory(self.strategy)
        if self.requests is not None:
            whole("requests", self.requests)


@dataclass(frozen=True)
class Serial:
    """Work in a Poisson process, `rate` pieces/s in all (or steps, as in OpenLoop), each for a random one of `clients`.

    A client does one piece after the other, retries included; what comes meanwhile waits at the client.
    """

    rate: Rate
    strategy: Factory
    clients: int = field(kw_only=True)

    def __post_init__(self) -> None:
        steps(self.rate)
        whole("clients", self.clients)
        factory(self.strategy)


Clients = OpenLoop | ClosedLoop | Serial


def steps(rate: Rate) -> list[tuple[float, float]]:
    """A rate as [(from_second, requests/s), ...], from 0 on. Raises ValueError for one that makes no sense."""
    found = [(0.0, rate)] if isinstance(rate, (int, float)) else list(rate)
    begins = [begin for begin, _ in found]
    right = begins[:1] == [0] and all(math.isfinite(begin) for begin in begins) and begins == sorted(set(begins))
    if not (right and all(math.isfinite(height) and height >= 0 for _, height in found)):
        raise ValueError(f"rate is requests/s, or [(0, rate), (from_second, rate), ...] in order, got {rate!r}")
    return found


def factory(strategy: Factory) -> None:
    """Raises ValueError for a strategy that is none: most likely a Strategy itself, whose state all would share."""
    if not callable(strategy):
        raise ValueError(f"strategy makes a Strategy for each client: write lambda: Strategy(...), got {strategy!r}")
