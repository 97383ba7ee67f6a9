"""Hops: how many deliveries of a bus lie between what happens now and what set it off.

A rule whose function puts an event that the same rule matches feeds itself, and on AWS nothing stops it but the bill.
Here each delivery of a rule counts one hop. The count goes where the cause goes: the scheduler hands it on from a timer
or a task to whatever that starts, a message and a stream's record keep it, a retry or a redrive has what was there
before. A batch has the smallest count of its records: what comes of it may come of any of them, and with the largest,
orders that only share batches would lend each other their hops without end. A chain of more than LIMIT hops ends the
run with one error.
Source: EventBridge user guide, eb-patterns-best-practices (infinite loops).
Departures: AWS has no such limit. What it does have, the recursive loop detection of Lambda for queues, topics and
buckets (it stops a function after about 16 rounds), is not done. A loop that doubles its events in every round is too
many events before it is 50 rounds, and one whose events always share a batch with new ones is seen when those end.

Taught in notebooks/03_the_bus.ipynb.
"""

LIMIT = 50  # hops; an order of this system takes fewer than 12


class LoopError(RuntimeError):
    """A rule feeds itself: its target causes an event that it matches, and so on for ever."""


def check(hops: int, rule: str, kind: str, sender: str) -> None:
    """Raise LoopError for a delivery of more than LIMIT hops. `sender` is the function that put the event of `kind`."""
    if hops > LIMIT:
        raise LoopError(
            f"rule {rule} feeds itself: {sender or 'whoever'} has put {kind} on the bus, and that came of {hops - 1} "
            "deliveries one after the other. Let the rule's pattern not match what its own target causes"
        )
