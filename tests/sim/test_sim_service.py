"""What a service does with what arrives: disciplines, limits, faults, time-outs and layers, on exact small cases."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from orderlab.patterns.backoff import none
from orderlab.patterns.breaker import CircuitBreaker
from orderlab.patterns.retry import Retry
from orderlab.sim import (
    BrownOut,
    Call,
    ClosedLoop,
    OpenLoop,
    Outage,
    Run,
    Serial,
    Service,
    SlowStart,
    Strategy,
    simulate,
    times,
)
from orderlab.sim.log import FAILED, OK, PENDING, REFUSED, TIMED_OUT

SECOND = times.constant(1.0)
TWICE = Retry(2, none(), retry_on=Exception)


def at_once(clients: int, service: Service, strategy: Strategy | None = None, seconds: float = 100) -> Run:
    """So many clients with one request each, all at 0 s."""
    wanted = ClosedLoop(clients, lambda: strategy or Strategy(), requests=1)
    return simulate(wanted, service, seconds=seconds, seed=1)


def test_first_come_first_served_or_last() -> None:
    """One slot, one second each: four clients end at 1, 2, 3, 4 s; of those that wait, lifo takes the last first."""
    assert at_once(4, Service(time=SECOND)).ended.tolist() == [1, 2, 3, 4]
    assert at_once(4, Service(time=SECOND, discipline="lifo")).ended.tolist() == [1, 4, 3, 2]


def test_slots_work_side_by_side_and_the_queue_has_an_end() -> None:
    """Two slots and one place to wait: of five, two are served at once, one waits, two are refused at 0 s."""
    run = at_once(5, Service(2, SECOND, queue=1))
    assert run.ended.tolist() == [1, 1, 2, 0, 0]
    assert run.outcome.tolist() == [OK, OK, OK, REFUSED, REFUSED]
    assert run.ok.tolist() == [True, True, True, False, False]


def test_a_time_out_ends_the_wait_but_not_the_work() -> None:
    """Three clients that wait 1.5 s for one slot: the second is served till 2 s and the third till 3 s, for nobody."""
    run = at_once(3, Service(time=SECOND), Strategy(timeout=1.5))
    assert run.ended.tolist() == [1, 1.5, 1.5]
    assert run.outcome.tolist() == [OK, TIMED_OUT, TIMED_OUT]
    assert run.left.tolist() == [1, 2, 3]


def test_drop_dead_serves_nobody_who_has_gone() -> None:
    """The same, but the third is thrown away unserved: by 2 s the service is free."""
    run = at_once(3, Service(time=SECOND, discipline="drop-dead"), Strategy(timeout=1.5))
    assert run.left[:2].tolist() == [1, 2]
    assert np.isnan(run.left[2])
    assert np.isnan(run.begun[2])


def test_a_late_answer_changes_nothing() -> None:
    """An answer after 1 s for who waits 0.6 s, twice: two attempts are served, the request has failed at 1.2 s."""
    run = at_once(1, Service(2, SECOND), Strategy(retry=TWICE, timeout=0.6))
    assert run.sent.tolist() == [0, 0.6]
    assert run.outcome.tolist() == [TIMED_OUT, TIMED_OUT]
    assert run.left.tolist() == [1, 1.6]
    assert (run.ended.tolist(), run.ok.tolist()) == ([1.2], [False])


def test_the_network_takes_its_time_both_ways_and_the_clock_of_a_time_out_starts_at_the_client() -> None:
    """0.25 s there, 1 s of service, 0.25 s back; a time-out of 1.4 s meets an answer that is on its way."""
    service = Service(time=SECOND, network=times.constant(0.25))
    run = at_once(1, service)
    assert (run.begun[0], run.left[0], run.answered[0], run.ended[0]) == (0.25, 1.25, 1.5, 1.5)
    assert at_once(1, service, Strategy(timeout=1.4)).outcome.tolist() == [TIMED_OUT]
    assert at_once(1, Service(1, SECOND, failure=1.0, network=times.constant(0.25))).ended.tolist() == [1.5]


@pytest.mark.parametrize(
    ("how", "ended", "outcome"),
    [("refuse", 0.0, REFUSED), ("stall", 11.0, OK), ("silent", math.nan, PENDING)],
)
def test_an_outage_refuses_stalls_or_is_silent(how: Any, ended: float, outcome: int) -> None:
    """From 0 to 10 s: refused at once; or served when it is over; or never answered."""
    run = at_once(1, Service(time=SECOND, faults=(Outage(0, 10, how),)))
    assert run.ended.tolist() == pytest.approx([ended], nan_ok=True)
    assert run.outcome.tolist() == [outcome]


def test_after_a_stall_all_slots_begin_at_once_and_what_was_in_service_is_finished() -> None:
    """Work of 1 s, two slots, a stall from 0.5 to 5 s: two end at 1 s, the next two at 6 s, the fifth at 7 s."""
    run = at_once(5, Service(2, SECOND, faults=(Outage(0.5, 5, "stall"),)))
    assert run.ended.tolist() == [1, 1, 6, 6, 7]


def test_an_outage_is_over_when_it_is_over() -> None:
    """A client that asks again every 4 s is refused at 0 and 4 s, and served from 8 s on."""
    patient = Strategy(retry=Retry(9, lambda attempt, previous, rng: 4.0, retry_on=Exception))
    run = at_once(1, Service(time=SECOND, faults=(Outage(0, 8),)), patient)
    assert run.outcome.tolist() == [REFUSED, REFUSED, OK]
    assert run.ended.tolist() == [9]


def test_a_brown_out_slows_what_begins_and_fails_what_ends_in_it() -> None:
    """Three times as slow from 1 to 5 s: work begun at 0, 1, 4 and 7 s ends at 1, 4, 7 and 8 s."""
    slow = Service(time=SECOND, faults=(BrownOut(1, 5, slower=3.0),))
    assert at_once(4, slow).ended.tolist() == [1, 4, 7, 8]
    failing = Service(time=SECOND, faults=(BrownOut(2, 4, failing=1.0),))
    assert at_once(4, failing).outcome.tolist() == [OK, FAILED, FAILED, OK]


def test_a_brown_out_fails_the_share_that_it_says_on_top_of_the_usual() -> None:
    """20 % fail anyway and half of the others: 60 % of 10,000, within four standard errors of 0.5 %."""
    service = Service(math.inf, SECOND, failure=0.2, faults=(BrownOut(0, 100, failing=0.5),))
    assert abs(1 - at_once(10_000, service).ok.mean() - 0.6) < 4 * math.sqrt(0.6 * 0.4 / 10_000)


def test_a_slow_start_warms_up_in_a_straight_line() -> None:
    """Three times as slow at 2 s, as ever at 6 s: what begins at 0, 1, 2, 5 and 6.5 s takes 1, 1, 3, 1.5 and 1 s."""
    run = at_once(5, Service(time=SECOND, faults=(SlowStart(2, 4, slower=3.0),)))
    assert (run.left - run.begun).tolist() == [1, 1, 3, 1.5, 1]


def test_service_time_may_depend_on_how_many_are_in_service() -> None:
    """One second, and a tenth for each that is in service, this one included: Brooker's collapsing server."""
    run = at_once(3, Service(math.inf, lambda rng, busy: 1.0 + 0.1 * busy))
    assert run.ended.tolist() == pytest.approx([1.1, 1.2, 1.3])


def layered(depth: int, retry: Retry | None, bottom: Service) -> Service:
    """A service on top of `depth` others, each with as many slots as it likes and no time of its own."""
    for _ in range(depth):
        call = Call(bottom, lambda: Strategy(retry=retry))
        bottom = Service(math.inf, times.constant(0.0), calls=call)
    return bottom


def test_a_slot_is_held_while_the_layer_below_is_asked() -> None:
    """One slot above, 0.5 s of its own; 1 s below: two requests end at 1.5 and 3 s, not at 1.5 and 2.5 s."""
    service = Service(time=times.constant(0.5), calls=Call(Service(9, SECOND), Strategy))
    run = at_once(2, service)
    assert run.left.tolist() == [1.5, 3]
    assert run.below is not None
    assert run.below.sent.tolist() == [0.5, 2.0]
    assert run.summary()["utilisation"][0] == pytest.approx(3 / 100)


def test_layers_multiply_attempts() -> None:
    """Three attempts at each of three layers are 27 at the bottom for one request (Google SRE book, chapter 22)."""
    thrice = Retry(3, none(), retry_on=Exception)
    run: Run | None = at_once(1, layered(2, thrice, Service(math.inf, SECOND, failure=1.0)), Strategy(retry=thrice))
    attempts = []
    while run is not None:
        attempts.append(len(run.sent))
        run = run.below
    assert attempts == [3, 9, 27]


def test_the_layers_below_have_clients_that_take_turns() -> None:
    """Five requests over two clients with a breaker of two failures each: the fifth is not sent any more."""
    call = Call(Service(9, SECOND, failure=1.0), lambda: Strategy(breaker=CircuitBreaker(2)), clients=2)
    clients = ClosedLoop(1, Strategy, requests=5)
    run = simulate(clients, Service(time=times.constant(0.0), calls=call), seconds=100, seed=1)
    assert run.below is not None
    assert run.below.client.tolist() == [0, 1, 0, 1, 0]
    assert run.below.tries.tolist() == [1, 1, 1, 1, 0]
    assert run.ended.tolist() == [1, 2, 3, 4, 4]


def test_a_client_that_gave_up_leaves_dead_work_all_the_way_down() -> None:
    """The caller waits 0.5 s, the layer below works 1 s: the slot above is held until 1 s all the same."""
    service = Service(time=times.constant(0.0), calls=Call(Service(1, SECOND), Strategy))
    run = at_once(1, service, Strategy(timeout=0.5))
    assert (run.ended[0], run.left[0]) == (0.5, 1.0)


def make(**settings: Any) -> Callable[[], object]:
    """A service that is not made yet."""
    return lambda: Service(**settings)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (make(capacity=0), "capacity"),
        (make(capacity=1.5), "capacity"),
        (make(capacity=math.nan), "capacity"),
        (make(time=0.1), "time"),
        (make(queue=-1), "queue"),
        (make(queue=1.5), "queue"),
        (make(discipline="random"), "discipline"),
        (make(failure=1.1), "failure"),
        (make(network=0.1), "network"),
        (make(faults=[Outage(0, 1)]), "faults"),
        (make(calls=Service()), "calls"),
        (lambda: Outage(2, 2), "start"),
        (lambda: Outage(0, 1, "quiet"), "how"),  # type: ignore[arg-type]
        (lambda: BrownOut(0, 1, slower=0), "slower"),
        (lambda: BrownOut(0, 1, failing=2), "failing"),
        (lambda: SlowStart(0, 0, slower=2), "seconds"),
        (lambda: Call(Service(), Strategy, clients=0), "clients"),
        (lambda: Call(Service(), Strategy()), "strategy"),  # type: ignore[arg-type]
        (lambda: Strategy(timeout=0), "timeout"),
        (lambda: OpenLoop(-1, Strategy), "rate"),
        (lambda: OpenLoop([(1, 5)], Strategy), "rate"),
        (lambda: OpenLoop([(0, 5), (0, 6)], Strategy), "rate"),
        (lambda: OpenLoop(1, Strategy, clients=0), "clients"),
        (lambda: OpenLoop(1, Strategy()), "strategy"),  # type: ignore[arg-type]
        (lambda: ClosedLoop(0, Strategy), "clients"),
        (lambda: ClosedLoop(1, Strategy, requests=0), "requests"),
        (lambda: Serial(1, Strategy, clients=0), "clients"),
        (lambda: times.exponential(-1), "mean"),
        (lambda: times.uniform(2, 1), "low"),
        (lambda: simulate(OpenLoop(1, Strategy), Service(), seconds=0, seed=1), "seconds"),
        (lambda: simulate(OpenLoop(1, Strategy), Service(), seconds=math.inf, seed=1), "seconds"),
        (lambda: simulate(OpenLoop(1, lambda: 5), Service(), seconds=1, seed=1), "strategy"),  # type: ignore
        (lambda: at_once(1, Service(time=lambda rng: -1.0)), "time"),
        (lambda: at_once(1, Service(time=lambda rng: math.nan)), "time"),
        (lambda: at_once(1, Service(network=lambda rng: -1.0)), "network"),
        (lambda: simulate(ClosedLoop(1, Strategy, lambda rng: -1.0), Service(), seconds=1, seed=1), "think"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(wrong: Callable[[], object], named: str) -> None:
    """One ValueError that names the argument."""
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        wrong()


def test_time_that_stands_still_is_an_error_and_no_endless_loop() -> None:
    """Retries without delay against a service that refuses at once would go on for ever at one instant."""
    for_ever = Strategy(retry=Retry(10**9, none(), retry_on=Exception))
    with pytest.raises(ValueError, match="time stands still at 0 s"):
        at_once(2, Service(queue=0, time=SECOND), for_ever)
