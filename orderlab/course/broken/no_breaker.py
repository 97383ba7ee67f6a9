"""ChargePayment without a circuit breaker: each message asks the provider anew, and waits out its time-outs.

Retry, budget and deadline are the shipped ones. While the provider hangs every message of the queue is asked for in
vain, three seconds at a time, and holds one concurrent execution meanwhile. The shipped way is orders.asking: five
failures in a row, and then nobody waits. Taught in notebooks/09_knowing_when_to_stop.ipynb
"""

from collections.abc import Callable
from typing import Any, TypeVar

from orderlab.orders import asking, payment

T = TypeVar("T")


class NoBreaker:
    """Lets everything through."""

    def call(self, fn: Callable[[], T], *, clock: Callable[[], float], ignore: tuple[type[Exception], ...] = ()) -> T:
        """Call `fn`."""
        return fn()


def charge_payment(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """ChargePayment with nothing between it and the provider."""
    asking.breaker = lambda: NoBreaker()  # type: ignore[assignment]
    return payment.handler(event, context)
