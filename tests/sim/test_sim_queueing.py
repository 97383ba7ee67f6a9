"""The simulator against queueing theory: what is known exactly comes out within 2 %, Little's law without any error."""

import math

import numpy as np
import pytest

from orderlab.patterns.backoff import full_jitter
from orderlab.patterns.retry import Retry
from orderlab.sim import OpenLoop, Outage, Run, Service, Strategy, queueing, simulate, simulate_many, times

PLAIN = Strategy()
SEEDS = range(20)


def runs(rate: float, service: Service, requests: int) -> list[Run]:
    """Independent runs of so many requests in all, on average."""
    seconds = requests / rate / len(SEEDS)
    return list(simulate_many(OpenLoop(rate, lambda: PLAIN), service, seconds=seconds, seeds=SEEDS).runs)


def close(found: list[float], exact: float, share: float = 0.02) -> bool:
    """Is the mean within 2 % of the formula? The standard error over the seeds is at most 1.3 %, by assertion."""
    error = float(np.std(found, ddof=1)) / math.sqrt(len(found))
    assert error <= share * 2 / 3 * exact, (
        f"standard error {error:g}: too few requests for a bound of {share * exact:g}"
    )
    return abs(float(np.mean(found)) - exact) < share * exact


def test_the_formulas_are_the_textbooks() -> None:
    """Tables of Erlang C and M/M/1 (service time 1 s): 0.8, 0.7111, 0.5541 and 0.4092 wait; the means that follow."""
    for servers, wait, mean in ((1, 0.8, 4.0), (2, 0.7111, 1.7778), (5, 0.5541, 0.5541), (10, 0.4092, 0.2046)):
        assert queueing.erlang_c(0.8 * servers, 1, servers) == pytest.approx(wait, abs=5e-5)
        assert queueing.waiting(0.8 * servers, 1, servers) == pytest.approx(mean, abs=5e-5)
    assert queueing.sojourn(0.9, 1) == pytest.approx(10)
    assert queueing.sojourn_percentile(0.95, 0.8, 1) == pytest.approx(14.98, abs=0.005)
    assert queueing.refused(1, 1, 5) == pytest.approx(1 / 6)
    assert queueing.erlang_c(950, 1, 1000) < 0.1  # no overflow of 950 ** 1000
    with pytest.raises(ValueError, match="below 1"):
        queueing.waiting(1, 1)


@pytest.mark.parametrize(("servers", "load", "requests"), [(1, 0.5, 400_000), (2, 0.5, 400_000), (5, 0.7, 240_000)])
def test_m_m_c_is_as_erlang_says(servers: int, load: float, requests: int) -> None:
    """Share that waits (Erlang C), mean wait, utilisation and number in the system, each within 2 %.

    The mean wait where so few requests tell it: one and two servers.
    """
    rate = load * servers
    found = runs(rate, Service(servers, times.exponential(1.0)), requests)
    waits = [(run.begun - run.sent)[~np.isnan(run.begun)] for run in found]
    if servers < 5:
        assert close([float(wait.mean()) for wait in waits], queueing.waiting(rate, 1, servers))
    assert close([float((wait > 0).mean()) for wait in waits], queueing.erlang_c(rate, 1, servers))
    assert close([float(run.summary()["utilisation"][0]) for run in found], load)
    assert close([float(run.summary()["in system"][0]) for run in found], rate * queueing.sojourn(rate, 1, servers))


def test_the_95th_percentile_of_m_m_1_is_three_means() -> None:
    """Sojourn times are exponential: 95 % leave within -ln 0.05 / (mu - lambda), 6.0 s at a load of one half."""
    found = runs(0.5, Service(time=times.exponential(1.0)), 120_000)
    percentiles = [float(run.summary()["p95"][0]) for run in found]
    assert close(percentiles, queueing.sojourn_percentile(0.95, 0.5, 1))


def test_a_full_queue_refuses_as_often_as_m_m_1_k() -> None:
    """Load 1, one in service and four waiting: one in six is refused (Kleinrock 3.6)."""
    found = runs(1.0, Service(time=times.exponential(1.0), queue=4), 120_000)
    assert close([1 - float(run.ok[~np.isnan(run.ended)].mean()) for run in found], queueing.refused(1, 1, 5))


def test_without_a_limit_nobody_waits_and_the_number_in_service_is_the_load() -> None:
    """M/G/infinity: 20 requests/s of 0.5 s are 10 in service on average, whatever the distribution."""
    for time in (times.constant(0.5), times.uniform(0.0, 1.0), times.exponential(0.5)):
        found = runs(20.0, Service(math.inf, time), 40_000)
        assert all(np.array_equal(run.begun, run.sent) for run in found)
        assert close([float(run.summary()["in system"][0]) for run in found], 10.0)


@pytest.mark.parametrize("faults", [(), (Outage(50, 60), Outage(120, 130, "stall"), Outage(150, 155, "silent"))])
def test_littles_law_holds_exactly_in_every_run(faults: tuple[Outage, ...]) -> None:
    """L = lambda W: the area under the count is the sum of the times, under retries, time-outs and outages too."""
    retry = Retry(4, full_jitter(0.1, 1.0), retry_on=Exception)
    clients = OpenLoop(0.9, lambda: Strategy(retry=retry, timeout=5.0), clients=7)
    for seed in range(5):
        run = simulate(clients, Service(time=times.exponential(1.0), faults=faults), seconds=200, seed=seed)
        begins, counts = run.in_system()
        area = float(np.sum(np.diff([*begins, run.seconds]) * counts))
        ended = np.where(np.isnan(run.ended), run.seconds, run.ended)
        assert area == pytest.approx(float(np.sum(ended - run.asked)), rel=1e-12)
        assert counts.min() >= 0
        assert counts[-1] == np.isnan(run.ended).sum()
        assert run.summary()["in system"][0] == pytest.approx(area / run.seconds, rel=1e-12)


def test_times_have_the_mean_and_spread_that_they_say() -> None:
    """20,000 draws of each, within four standard errors; a folded normal time is never below 0."""
    import random

    rng = random.Random(1).random
    for draw, mean, sd in (
        (times.constant(0.2), 0.2, 0.0),
        (times.exponential(0.2), 0.2, 0.2),
        (times.uniform(0.1, 0.3), 0.2, 0.2 / math.sqrt(12)),
        (times.normal(0.2, 0.02), 0.2, 0.02),
    ):
        drawn = np.array([draw(rng) for _ in range(20_000)])
        assert abs(drawn.mean() - mean) <= 4 * sd / math.sqrt(20_000) + 1e-12
        assert drawn.std() == pytest.approx(sd, rel=0.05, abs=1e-12)
    folded = [times.normal(0.0, 1.0)(rng) for _ in range(20_000)]
    assert min(folded) >= 0
    assert np.mean(folded) == pytest.approx(math.sqrt(2 / math.pi), rel=0.03)  # half-normal
