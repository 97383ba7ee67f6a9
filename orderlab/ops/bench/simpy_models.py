"""The two systems that are simulated with SimPy for comparison: a queue, and a thundering herd.

Written as SimPy's own examples are: a process for each customer, a Resource for the server. The retry policy is the
very object that our simulator drives, here through its generator, which was made for drivers like this one. Written
down is what one needs to know: when attempts were sent, when requests came and ended.
"""

from random import Random
from typing import Any

from orderlab.sim import Refused, Strategy

REFUSED = Refused("no room")


def queue(customers: int, rate: float, strategy: Strategy, seed: int) -> tuple[list[float], list[float]]:
    """M/M/1 with a mean service time of 1 s, for so many customers: when each that has left came, and when it left."""
    import simpy

    rng, env = Random(seed), simpy.Environment()
    server = simpy.Resource(env, capacity=1)
    retry: Any = strategy.retry
    came: list[float] = []
    left: list[float] = []

    def customer() -> Any:
        began = env.now
        waits = retry.decisions(began, rng.random)
        next(waits)
        with server.request() as slot:
            yield slot
            yield env.timeout(rng.expovariate(1.0))
        waits.send((env.now, None))
        came.append(began)
        left.append(env.now)

    def source() -> Any:
        for _ in range(customers):
            yield env.timeout(rng.expovariate(rate))
            env.process(customer())

    env.process(source())
    env.run()
    return came, left


def herd(clients: int, slots: int, mean: float, strategy: Strategy, seed: int) -> tuple[list[float], list[float]]:
    """All clients at once on a server that refuses when it is busy: when attempts were sent, when each client was done.

    `mean` is the service time in seconds.
    """
    import simpy

    rng, env = Random(seed), simpy.Environment()
    server = simpy.Resource(env, capacity=slots)
    retry: Any = strategy.retry
    sent: list[float] = []
    ended: list[float] = []

    def client() -> Any:
        waits = retry.decisions(env.now, rng.random)
        wait = next(waits)
        while wait is not None:
            if wait:
                yield env.timeout(wait)
            sent.append(env.now)
            if server.count >= slots:
                wait = waits.send((env.now, REFUSED))
                continue
            with server.request() as slot:
                yield slot
                yield env.timeout(rng.expovariate(1 / mean))
            wait = waits.send((env.now, None))
        ended.append(env.now)

    for _ in range(clients):
        env.process(client())
    env.run()
    return sent, ended
