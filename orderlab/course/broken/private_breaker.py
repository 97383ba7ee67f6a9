"""The article's breaker, "opens after five errors": one in the memory of each execution environment.

Fifty environments are fifty breakers: 250 errors before the last one opens, and fifty probes when the time is over. The
shipped way is patterns.shared_breaker: five errors in all, one probe. Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from dataclasses import dataclass
from typing import Any

from orderlab.orders import asking, payment
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.shared_breaker import MemoryStore, SharedBreaker

BREAKER = CircuitBreaker(5, 30.0, 1)


def charge_payment(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """ChargePayment with this environment's breaker in place of the one that all share."""
    asking.breaker = lambda: BREAKER  # type: ignore[assignment]
    return payment.handler(event, context)


@dataclass(frozen=True)
class Outage:
    """What a dependency that is down gets from a fleet: calls until every breaker is open, and probes 30 s later."""

    errors: int
    probes: int


def outage(environments: int = 50, *, shared: bool = False) -> Outage:
    """One environment after the other calls until it may not; when the time is over, all ask for a probe at once."""
    store, errors = MemoryStore(), 0
    own = [CircuitBreaker(5, 30.0, 1) for _ in range(environments)]
    fleet = [SharedBreaker(store, one) for one in own] if shared else own
    for one in fleet:
        while (permit := one.allow(0.0)) is not None:
            one.failure(0.0, permit)
            errors += 1
    return Outage(errors, sum(one.allow(30.0) is not None for one in fleet))
