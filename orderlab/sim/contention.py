"""Clients that contend for one row: what each backoff costs in calls, and in time until all have written.

Optimistic concurrency control: a client reads the row with its version and writes it back on condition that the version
is still the same, as DynamoDB's conditional writes do. Who comes second has read in vain: it waits as its backoff says,
and reads again. All begin at once, each wants one write, nobody gives up. Every message takes a hop of its own; the row
itself takes no time, so clients disturb each other only by a write that falls between another's read and its write.

AWS's simulator keeps a version and four events an attempt. One event is enough: a write succeeds exactly when no other
has succeeded since its read. Every wait is a call of the function from `orderlab.patterns.backoff`, nothing is copied.

Where the model lies: no message is lost or very late (a normal distribution has hardly a tail), the row never has a
queue, and a cap of 2 s is fifty round trips, which shows plain exponential backoff at its worst.

Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, and its simulator,
github.com/aws-samples/aws-arch-backoff-simulator. Taught in notebooks/08_waiting_well.ipynb.
"""

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace

import numpy as np

from orderlab.patterns.backoff import Backoff, decorrelated_jitter, equal_jitter, exponential, full_jitter, none

HOP, SPREAD = 0.010, 0.002  # seconds, mean and standard deviation of a hop in the article
BLOCK = 256  # round trips drawn at a time: drawing them singly takes most of the time


@dataclass(frozen=True, eq=False)
class Contention:
    """One run.

    writes    (calls,) seconds from the start at which each write reached the row, in order, the refused ones included
    finished  (clients,) seconds from the start at which each client knew that it had written
    """

    writes: np.ndarray
    finished: np.ndarray

    @property
    def calls(self) -> int:
        """Writes that reached the row, the refused ones included: the article's measure of work."""
        return len(self.writes)

    @property
    def seconds(self) -> float:
        """From the start until the last client knew that it had written: the article's completion time."""
        return float(self.finished.max())


@dataclass(frozen=True, eq=False)
class Contentions:
    """Runs that differ by their seed only: `calls` and `seconds` of each, both of shape (seeds,)."""

    calls: np.ndarray
    seconds: np.ndarray


def article_strategies(base: float = 0.005, cap: float = 2.0) -> dict[str, Backoff]:
    """The article's five strategies by the names in its simulator; `base` and `cap` are what it calls so, in seconds.

    It counts the first retry as attempt 1 of `base * 2 ** attempt`, so its first window is twice its base. Our first
    window is the base, so ours get 10 ms for its 5; decorrelated jitter counts no attempts, and gets 5 as it does.
    Raises ValueError as `orderlab.patterns.backoff` does.
    """
    return {
        "None": none(),
        "Exponential": exponential(2 * base, cap),
        "EqualJitter": equal_jitter(2 * base, cap),
        "FullJitter": full_jitter(2 * base, cap),
        "Decorr": decorrelated_jitter(base, cap),
    }


def contend(clients: int, backoff: Backoff, *, seed: int, hop: float = HOP, spread: float = SPREAD) -> Contention:
    """Let `clients` write one row, all from the same instant, until each has written once.

    A hop takes |N(hop, spread)| seconds, drawn for every message. A client is refused at most once for each other that
    succeeds, so no backoff makes more than clients * (clients + 1) / 2 calls, and every run ends. The same seed gives
    the same run. Raises ValueError for an argument that makes no sense, and for a backoff that answers no wait.
    """
    if not isinstance(clients, int) or clients < 1:
        raise ValueError(f"clients is a whole number, at least 1, got {clients!r}")
    if not (math.isfinite(hop) and math.isfinite(spread) and hop > 0 and spread >= 0):
        raise ValueError(f"hop is seconds above 0 and spread at least 0, got hop={hop!r}, spread={spread!r}")
    draw, network = random.Random(seed).random, np.random.default_rng(seed)
    reads, answers = _hops(network, hop, spread, clients), _hops(network, hop, spread, clients)
    trips = _trips(network, hop, spread)
    # the next write of each client: when it arrives, when its read was served, who, how many retries, the last wait
    pending = [(read + next(trips)[1], read, client, 0, 0.0) for client, read in enumerate(reads.tolist())]
    heapify(pending)
    writes: list[float] = []
    finished = np.empty(clients)
    succeeded = -math.inf  # when the last write that succeeded arrived
    while pending:
        now, read, client, retries, wait = pending[0]
        writes.append(now)
        if succeeded <= read:
            succeeded = now
            finished[client] = now + answers[client]
            heappop(pending)
        else:
            retries += 1
            wait = backoff(retries, wait, draw)
            if not 0 <= wait < math.inf:  # with one NaN in the heap the loop would never end
                raise ValueError(f"backoff answers seconds, finite and at least 0, got {wait!r}")
            to_read, to_write = next(trips)
            read = now + to_read + wait
            heapreplace(pending, (read + to_write, read, client, retries, wait))
    return Contention(np.array(writes), finished)


def contend_many(
    clients: int, backoff: Backoff, *, seeds: Iterable[int], hop: float = HOP, spread: float = SPREAD
) -> Contentions:
    """`contend` once for each seed: calls and seconds of every run. Raises ValueError as it does, or for no seed."""
    runs = [contend(clients, backoff, seed=seed, hop=hop, spread=spread) for seed in seeds]
    if not runs:
        raise ValueError("seeds is at least one seed, got none")
    return Contentions(np.array([run.calls for run in runs]), np.array([run.seconds for run in runs]))


def _trips(network: np.random.Generator, hop: float, spread: float) -> Iterator[tuple[float, float]]:
    """For ever: seconds from a refused write to the next read, and from that read to its write; two hops each."""
    while True:
        back, read, answer, write = _hops(network, hop, spread, (4, BLOCK))
        yield from zip((back + read).tolist(), (answer + write).tolist(), strict=True)


def _hops(network: np.random.Generator, hop: float, spread: float, shape: int | tuple[int, int]) -> np.ndarray:
    return np.abs(hop + spread * network.standard_normal(shape))
