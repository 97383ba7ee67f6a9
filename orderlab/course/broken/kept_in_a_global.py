"""State in a function's memory: a counter and a basket, right on a laptop, where one process serves one tester.

On Lambda each execution environment has such a memory of its own, keeps it from one customer to the next, and loses it
whenever AWS likes. What each visit works on is let pass in `WORK`, so that visits overlap as they do on AWS.
Taught in notebooks/06_where_state_lives.ipynb
"""

import time
from typing import Any

WORK = 0.1  # seconds that a visit takes

visits = 0
basket: list[str] = []


def count(event: dict[str, Any], context: Any) -> int:
    """Tell a customer how many visits there have been."""
    global visits
    visits += 1
    time.sleep(WORK)
    return visits


def add(event: dict[str, Any], context: Any) -> list[str]:
    """Put an article into the customer's basket, and show the basket."""
    basket.append(event["sku"])
    time.sleep(WORK)
    return basket
