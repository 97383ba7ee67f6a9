"""What queueing theory knows without simulating: M/M/1, M/M/c, and how often there is no room.

Requests come in a Poisson process of `rate` requests/s, service times are exponential with mean `time` seconds, and
`servers` of them work at once: M/M/c. Exact in the long run, from an empty system only after a while. The closer the
load comes to 1, the longer the queue: it grows with 1 / (1 - load), and so does the time until averages can be trusted.

Sources: L. Kleinrock, "Queueing Systems", volume 1, 1975, chapter 3; A. K. Erlang, 1917.
Taught in notebooks/08_waiting_well.ipynb.
"""

import math


def utilisation(rate: float, time: float, servers: int = 1) -> float:
    """The load: the share of time that a server is busy, 0 to 1. Raises ValueError from 1 on: the queue only grows."""
    load = rate * time / servers
    if not 0 <= load < 1:
        raise ValueError(f"rate * time / servers is below 1, or the queue grows for ever; got {load:g}")
    return load


def erlang_c(rate: float, time: float, servers: int = 1) -> float:
    """The probability, 0 to 1, that a request must wait (Erlang C). ValueError as in `utilisation`."""
    load = utilisation(rate, time, servers)
    free = 1.0  # Erlang B, by its recursion, which cannot overflow
    for server in range(1, servers + 1):
        free = rate * time * free / (server + rate * time * free)
    return free / (1 - load * (1 - free))


def waiting(rate: float, time: float, servers: int = 1) -> float:
    """The mean wait in the queue, in seconds, over all requests. ValueError as in `utilisation`."""
    return erlang_c(rate, time, servers) * time / (servers * (1 - utilisation(rate, time, servers)))


def sojourn(rate: float, time: float, servers: int = 1) -> float:
    """The mean time from arrival to departure, in seconds; times `rate`, the mean number in the system (Little)."""
    return waiting(rate, time, servers) + time


def sojourn_percentile(share: float, rate: float, time: float) -> float:
    """For one server: the time within which a `share` (0-1) of the requests leaves, in seconds; it is exponential."""
    return -math.log(1 - share) * time / (1 - utilisation(rate, time))


def refused(rate: float, time: float, room: int) -> float:
    """For one server: the share of requests, 0 to 1, that find all `room` places taken, service included: M/M/1/K."""
    load = rate * time
    return load**room / sum(load**taken for taken in range(room + 1))
