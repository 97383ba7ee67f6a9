"""The patterns and one peer in turn: `python -m orderlab.ops.bench.pattern_runs NAME` prints seconds a call as JSON.

Run by the Python of the environment where that peer is, with our package on its path, which needs nothing installed.
Both sides get the same policy and the same work, none of them ever sleeps, and what takes turns meets the same machine.
CPU time, the minimum of several rounds: what disturbs can only add.
"""

import json
import random
import sys
from collections.abc import Callable
from functools import partial
from itertools import cycle
from time import monotonic, process_time
from typing import Any

from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.batch import process
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.retry import Retry

ROUNDS, ROUND = 7, 0.05  # how many, and seconds of each
BASE, CAP = 0.1, 0.5  # seconds of back-off, which nobody waits for
BACKOFF = full_jitter(BASE, CAP)
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"

Act = Callable[[], Any]


class Transient(Exception):
    """Goes away by itself."""


def in_turn(**acts: Act) -> dict[str, float]:
    """Seconds a call of each."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(ROUNDS):
        for name, act in acts.items():
            calls, begun = 0, process_time()
            while (passed := process_time() - begun) < ROUND:
                for _ in range(100):
                    act()
                calls += 100
            taken[name].append(passed / calls)
    return {name: min(seconds) for name, seconds in taken.items()}


def works() -> int:
    """The call that is protected."""
    return 1


def fails_twice() -> Act:
    """A call that fails twice, then works, and so on."""
    outcomes = cycle((Transient, Transient, None))

    def act() -> int:
        if next(outcomes) is None:
            return 1
        raise Transient

    return act


def no_sleep(seconds: float) -> None:
    """Wait for nothing."""


def ours(act: Act) -> Act:
    """Our retry as a decorator: three attempts, full jitter."""
    policy = Retry(3, BACKOFF, retry_on=Transient)
    return policy.wrap(clock=monotonic, sleep=no_sleep, rng=random.Random(7).random)(act)


def by_hand(act: Act) -> Act:
    """The same policy as a closure written for one place: no deadline, budget, hook or note."""
    rng = random.Random(7).random

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        attempt, wait = 1, 0.0
        while True:
            try:
                return act(*args, **kwargs)
            except Transient:
                if attempt == 3:
                    raise
            wait = BACKOFF(attempt, wait, rng)
            no_sleep(wait)
            attempt += 1

    return wrapper


def batch() -> dict[str, Any]:
    """Ten messages as SQS gives them to a function."""
    same = {"receiptHandle": "AQEB", "messageAttributes": {}, "attributes": {"ApproximateReceiveCount": "1"}}
    same |= {"eventSource": "aws:sqs", "eventSourceARN": QUEUE, "awsRegion": "us-east-1"}
    bodies = (json.dumps({"orderId": f"ORD-{n}", "total": 100 * n}) for n in range(10))
    return {"Records": [{"messageId": f"message-{n}", "body": body, **same} for n, body in enumerate(bodies)]}


def handle(record: Any) -> Any:
    """What a consumer begins with."""
    return json.loads(record["body"])


def loop(event: dict[str, Any]) -> dict[str, Any]:
    """A partial batch response as one would write it by hand: no order, no time, no check of the ids."""
    failures = []
    for record in event["Records"]:
        try:
            handle(record)
        except Exception:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def alone() -> dict[str, float]:
    """Ours against what one would write without a library."""
    event = batch()
    acts = {"ours": ours(works), "closure": by_hand(works)}
    return in_turn(**acts, process=lambda: process(event, handle), loop=lambda: loop(event))


def tenacity() -> dict[str, float]:
    """The happy path, and two failures then success."""
    from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

    stop, wait = stop_after_attempt(3), wait_random_exponential(BASE, CAP)
    theirs = retry(stop=stop, wait=wait, retry=retry_if_exception_type(Transient), sleep=no_sleep, reraise=True)
    failing = in_turn(ours=ours(fails_twice()), theirs=theirs(fails_twice()))
    return {**in_turn(ours=ours(works), theirs=theirs(works)), **{f"{name} failing": s for name, s in failing.items()}}


def stamina() -> dict[str, float]:
    """The happy path."""
    import stamina

    theirs = stamina.retry(on=Transient, attempts=3, wait_initial=BASE, wait_max=CAP)
    return in_turn(ours=ours(works), theirs=theirs(works))


def circuitbreaker() -> dict[str, float]:
    """A closed circuit; theirs as a decorator, since its `call` alone would not look whether the circuit is open."""
    from circuitbreaker import CircuitBreaker as Theirs

    breaker, theirs = CircuitBreaker(5, 30.0), Theirs(failure_threshold=5, recovery_timeout=30)
    return in_turn(ours=lambda: breaker.call(works, clock=monotonic), theirs=theirs(works))


def pybreaker() -> dict[str, float]:
    """A closed circuit."""
    from pybreaker import CircuitBreaker as Theirs

    breaker, theirs = CircuitBreaker(5, 30.0), Theirs(fail_max=5, reset_timeout=30)
    return in_turn(ours=lambda: breaker.call(works, clock=monotonic), theirs=lambda: theirs.call(works))


def powertools() -> dict[str, float]:
    """Ten records, all of which succeed."""
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

    event, processor = batch(), BatchProcessor(event_type=EventType.SQS)

    def read(record: Any) -> Any:
        return json.loads(record.body)

    theirs = partial(process_partial_response, event=event, record_handler=read, processor=processor)
    return in_turn(theirs=theirs, loop=lambda: loop(event))


RUNS = {act.__name__: act for act in (alone, tenacity, stamina, circuitbreaker, pybreaker, powertools)}

if __name__ == "__main__":
    print(json.dumps(RUNS[sys.argv[1]]()))
