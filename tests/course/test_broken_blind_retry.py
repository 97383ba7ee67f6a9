"""The article's retry: how long it sleeps, what it retries, and what Lambda does with it; beside the shipped one."""

import dataclasses
import math
import random
import time

import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.course.broken.blind_retry import Waits, charge_anew, charge_payment, retry_with_backoff, waits
from orderlab.course.experiments.rushing import rush
from orderlab.course.shop import audited, open_shop, provider_down
from orderlab.orders import asking, payment
from orderlab.patterns.backoff import additive_jitter, full_jitter
from orderlab.patterns.breaker import Open
from orderlab.patterns.retry import Retry

LASTS = 3.0  # seconds: Lambda's default time-out
RUNS = 1000
SHIPPED = Retry(4, full_jitter(0.5, 20.0), retry_on=TimeoutError)


def mean_of_sum(low: float, high: float) -> tuple[float, float]:
    """Mean and standard error over RUNS of three waits, uniform from `low` to `high` times 0.5, 1 and 2 seconds."""
    widths = [(high - low) * base for base in (0.5, 1.0, 2.0)]
    mean = sum(0.5 * (low + high) * base for base in (0.5, 1.0, 2.0))
    return mean, math.sqrt(sum(width**2 for width in widths) / 12 / RUNS)


def test_three_retries_sleep_from_three_and_a_half_to_seven_seconds() -> None:
    """0.5 + 1 + 2, and up to as much again: 5.25 s on average, and even the luckiest run outlasts the function."""
    found = waits(TimeoutError(), runs=RUNS)
    mean, error = mean_of_sum(1, 2)
    assert mean == 5.25 and abs(found.mean - mean) < 3 * error
    assert LASTS < 3.5 <= found.shortest < 3.8 and 6.7 < found.longest <= 7.0
    assert found.tries == 4


def test_full_jitter_waits_a_third_of_that() -> None:
    """1.75 s on average for the same three retries."""
    found = waits(TimeoutError(), SHIPPED, runs=RUNS)
    mean, error = mean_of_sum(0, 1)
    assert mean == 1.75 and abs(found.mean - mean) < 3 * error
    assert found.shortest < 0.3 and found.longest <= 3.5 and found.tries == 4


def test_the_shipped_retry_never_sleeps_beyond_its_deadline() -> None:
    """The deadline ends it instead of Lambda; few runs lose a try to it."""
    found = waits(TimeoutError(), dataclasses.replace(SHIPPED, deadline=LASTS), runs=RUNS)
    assert found.longest < LASTS
    assert 3.9 < found.tries < 4


def test_its_jitter_never_makes_anybody_early() -> None:
    """Wait for wait it is `additive_jitter`; full jitter is below the plain delay each time."""
    slept: list[float] = []
    rng, same = random.Random(3), random.Random(3).random
    for _ in range(100):
        with pytest.raises(TimeoutError):
            retry_with_backoff(failing(TimeoutError()), sleep=slept.append, uniform=rng.uniform)
    added = additive_jitter(0.5, 100.0)
    assert slept == pytest.approx([added(n % 3 + 1, 0.0, same) for n in range(300)])
    assert all(wait >= 0.5 * 2 ** (n % 3) for n, wait in enumerate(slept))
    full = full_jitter(0.5, 100.0)
    assert all(full(n, 0.0, same) < 0.5 * 2 ** (n - 1) for n in (1, 2, 3) * 100)


@pytest.mark.parametrize("error", [TypeError("a bug"), asking.Refused("wrong amount"), Open(30.0), ValueError("a 400")])
def test_it_retries_what_will_never_work_and_the_shipped_one_does_not(error: Exception) -> None:
    """Four tries and five seconds for a bug, a refusal and an open circuit; or one try, and none."""
    blind, seeing = waits(error, runs=100), waits(error, SHIPPED, runs=100)
    assert (blind.tries, blind.shortest >= 3.5) == (4, True)
    assert (seeing.tries, seeing.longest) == (1, 0)


def test_it_answers_with_what_worked_and_raises_the_last_error() -> None:
    """It is a retry, after all; and there is no sleep after the last try."""
    slept: list[float] = []
    outcomes = [OSError(1), OSError(2), None]
    assert retry_with_backoff(lambda: replay(outcomes), sleep=slept.append, uniform=lambda low, high: high) == "done"
    assert slept == [1.0, 2.0]
    outcomes = [OSError(n) for n in range(4)]
    with pytest.raises(OSError, match="3"):
        retry_with_backoff(lambda: replay(outcomes), sleep=slept.append, uniform=lambda low, high: low)
    assert slept == [1.0, 2.0, 0.5, 1.0, 2.0] and outcomes == []


def test_lambda_stops_it_before_its_last_try() -> None:
    """GetOrder may last 3 s, Lambda's default: the article's retry is stopped in its sleep, the shipped one answers."""

    def naive(event, context):
        def attempt():
            print("try")
            raise TimeoutError

        return retry_with_backoff(attempt, sleep=time.sleep, uniform=random.uniform)

    def shipped(event, context):
        def attempt():
            print("try")
            raise TimeoutError

        def remaining():
            return context.get_remaining_time_in_millis() / 1000

        try:
            SHIPPED.call(attempt, clock=time.monotonic, sleep=time.sleep, rng=random.random, remaining=remaining)
        except TimeoutError:
            return {"statusCode": 503}

    with Cloud(seed=0) as cloud:
        asked = {"x-api-key": cloud.api_key}
        for handler, status, stopped in ((naive, 502, True), (shipped, 503, False)):
            cloud.replace("GetOrder", handler)
            begin = len(cloud.trace)
            for _ in range(5):
                assert cloud.request("GET", "/orders/ORD-1", headers=asked).status == status
            rows = cloud.trace.rows[begin:]
            tries = sum(row.kind == "log" and row.what == "try" for row in rows)
            assert any("Task timed out after 3.00 seconds" in str(row) for row in rows) is stopped
            assert (5 <= tries <= 15) if stopped else (15 < tries <= 20)


def test_it_sleeps_on_an_open_breaker_and_lambda_bills_it() -> None:
    """Ten orders, ten minutes of outage: as many runs and calls as the shipped one, and thirty times the time."""
    found = {}
    with Cloud(seed=0) as cloud:
        for charge in (payment.handler, charge_payment):
            cloud.reset()
            cloud.replace("ChargePayment", charge)
            opening = open_shop(cloud)
            provider_down(cloud, minutes=10)
            placed = rush(cloud, 10)
            assert set(audited(cloud, opening, placed).counts.values()) == {0}
            ends = cloud.trace.select("end", "error", actor="ChargePayment")
            calls = len(cloud.trace.select("invoke", actor="PaymentProvider"))
            found[charge] = len(ends), calls, sum(row.detail["seconds"] for row in ends)
    (runs, calls, seconds), (naive_runs, naive_calls, naive_seconds) = found.values()
    assert abs(runs - naive_runs) <= 3 and abs(calls - naive_calls) <= 3
    assert naive_seconds > 30 * seconds


def test_killed_in_its_sleep_it_charges_customers_twice() -> None:
    """A time-out of 3 s, every second call fails, a key for each run: a batch that was killed comes back whole."""
    with Cloud(seed=0) as cloud:
        cloud.reset(faults=Faults(0).at_rate("error", 0.5, where="lambda.Invoke"))
        name = "orderlab-charge-payment"
        cloud.client("lambda").update_function_configuration(FunctionName=name, Timeout=3)
        cloud.replace("ChargePayment", charge_anew)
        opening = open_shop(cloud)
        counts = audited(cloud, opening, rush(cloud, 10)).counts
        assert len(cloud.trace.select("timeout", actor="ChargePayment")) > 3
        assert counts["charged_twice"] > 2 and counts["lost"] == 0


def test_what_it_costs_is_told_in_a_line() -> None:
    """For a notebook's output."""
    assert repr(Waits(4.0, 3.5, 5.25, 7.0)) == "4.00 tries, 3.50 to 7.00 s of sleep, 5.25 s on average"


def failing(error: Exception):
    """A call that always fails."""

    def fail() -> None:
        raise error

    return fail


def replay(outcomes: list[Exception | None]) -> str:
    """The next outcome of a list."""
    outcome = outcomes.pop(0)
    if outcome is not None:
        raise outcome
    return "done"
