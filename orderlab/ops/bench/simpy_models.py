"""The two systems that are simulated with SimPy for comparison: a queue, and a thundering herd.

Written as SimPy's own examples are: a process for each customer, a Resource for the server. The retry policy is the
very object that our simulator drives, here through its generator, which was made for drivers like this one. Written
down is what one needs to know: when attempts were sent, when requests came and ended.
"""

from random import Random
from typing import Any

from orderlab.sim import Refused, Strategy

REFUSED = Refused("no room")


def queue(customers: int, rate: float, strategy: Strategy, seed: int) -> list[tuple[float, float, float]]:
    """M/M/1 with a mean service time of 1 s, for so many customers: when each came, was begun and left, in seconds."""
    import simpy

    rng, env = Random(seed), simpy.Environment()
    server = simpy.Resource(env, capacity=1)
    retry: Any = strategy.retry
    served: list[tuple[float, float, float]] = []

    def customer() -> Any:
        began = env.now
        waits = retry.decisions(began, rng.random)
        next(waits)
        with server.request() as slot:
            yield slot
            begun = env.now
            yield env.timeout(rng.expovariate(1.0))
        waits.send((env.now, None))
        served.append((began, begun, env.now))

    def source() -> Any:
        for _ in range(customers):
            yield env.timeout(rng.expovariate(rate))
            env.process(customer())

    env.process(source())
    env.run()
    return served


def herd(
    clients: int, slots: int, mean: float, strategy: Strategy, seed: int
) -> tuple[list[tuple[int, float, bool]], list[float]]:
    """All clients at once on a server that refuses when it is busy; `mean` is the service time in seconds.

    Returns of each attempt who sent it, when, and whether it was served; and when each client was done.
    """
    import simpy

    rng, env = Random(seed), simpy.Environment()
    server = simpy.Resource(env, capacity=slots)
    retry: Any = strategy.retry
    attempts: list[tuple[int, float, bool]] = []
    ended: list[float] = []

    def client(number: int) -> Any:
        waits = retry.decisions(env.now, rng.random)
        wait = next(waits)
        while wait is not None:
            if wait:
                yield env.timeout(wait)
            sent = env.now
            if server.count >= slots:
                attempts.append((number, sent, False))
                wait = waits.send((sent, REFUSED))
                continue
            with server.request() as slot:
                yield slot
                yield env.timeout(rng.expovariate(1 / mean))
            attempts.append((number, sent, True))
            wait = waits.send((env.now, None))
        ended.append(env.now)

    for number in range(clients):
        env.process(client(number))
    env.run()
    return attempts, ended
