"""A service: so many requests at once, each for so long; the others wait, are refused, or find it out of order.

`capacity` is what AWS calls concurrency: a Lambda function with 10 concurrent executions, a database with 10
connections. What does not find a free slot waits; what does not find a place to wait is refused at once, as Lambda
refuses with 429. Work that has begun is finished, even when nobody waits for the answer any more: that dead work is
what keeps an overloaded service down. The discipline says who is next:

fifo       who came first: under overload everybody waits nearly until the time-out, and then in vain
lifo       who came last: under overload some are served at once, the others never
drop-dead  who came first, but requests whose client has timed out are thrown away unserved (they keep their place in
           the queue until their turn comes)

Source: "Using load shedding to avoid overload", Amazon Builders' Library.
Taught in notebooks/09_knowing_when_to_stop.ipynb.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from orderlab.patterns.backoff import Rng
from orderlab.patterns.checks import whole

from .clients import Factory, factory
from .faults import Fault
from .times import Draw, exponential

Discipline = Literal["fifo", "lifo", "drop-dead"]
ServiceTime = Draw | Callable[[Rng, int], float]
"""`time(rng)`, or `time(rng, busy)` where `busy` requests are in service, this one included: seconds."""


class Failed(Exception):
    """The service answered with an error."""


class Refused(Failed):
    """The service answered at once that it has no room, or is out of order; nothing was done."""


@dataclass(frozen=True)
class Service:
    """What clients call.

    capacity    requests in service at the same time; math.inf for no limit
    time        seconds of service, drawn when it begins
    queue       how many may wait, beyond which a request is refused; None for no limit
    discipline  "fifo", "lifo" or "drop-dead"
    failure     the share of attempts that fail, after their service time
    network     one-way delay in seconds, drawn for each way of each attempt; None for no delay
    faults      Outage, BrownOut, SlowStart
    calls       the service below, which is called after the service time while the slot is held

    Raises ValueError, naming the argument, when one makes no sense.
    """

    capacity: float = 1
    time: ServiceTime = field(default_factory=lambda: exponential(0.01))
    queue: int | None = None
    discipline: Discipline = "fifo"
    failure: float = 0.0
    network: Draw | None = None
    faults: tuple[Fault, ...] = ()
    calls: "Call | None" = None

    def __post_init__(self) -> None:
        if not (self.capacity >= 1 and self.capacity in (math.inf, self.capacity // 1)):
            raise ValueError(f"capacity is a whole number of slots, at least 1, or math.inf, got {self.capacity!r}")
        if self.queue is not None and (not isinstance(self.queue, int) or self.queue < 0):
            raise ValueError(f"queue is how many may wait, at least 0, or None, got {self.queue!r}")
        if self.discipline not in ("fifo", "lifo", "drop-dead"):
            raise ValueError(f'discipline is "fifo", "lifo" or "drop-dead", got {self.discipline!r}')
        if not 0 <= self.failure <= 1:
            raise ValueError(f"failure is a share between 0 and 1, got {self.failure!r}")
        for name in ("time", "network"):
            if not callable(getattr(self, name)) and not (name == "network" and self.network is None):
                raise ValueError(f"{name} draws seconds, such as times.exponential(0.01), got {getattr(self, name)!r}")
        if not isinstance(self.faults, tuple) or not all(isinstance(fault, Fault) for fault in self.faults):
            raise ValueError(f"faults is a tuple of Outage, BrownOut and SlowStart, got {self.faults!r}")
        if not (self.calls is None or isinstance(self.calls, Call)):
            raise ValueError(f"calls is a Call of the service below, or None, got {self.calls!r}")


@dataclass(frozen=True)
class Call:
    """The next layer down: `service`, and the strategy with which the layer above calls it.

    `clients` are the execution environments that call, in turn, each with a strategy of its own from the factory.
    """

    service: Service
    strategy: Factory
    clients: int = 1

    def __post_init__(self) -> None:
        whole("clients", self.clients)
        factory(self.strategy)
