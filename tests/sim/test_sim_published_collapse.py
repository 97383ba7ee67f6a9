"""Brooker's simple collapse: a server that slows down with its load, clients that time out and try three times.

Source: simple_collapse_sim in github.com/mbrooker/simulator_example (2023). The counts: 11 of 40 runs of that code and
54 of 200 of another model of it recover from the spike without backoff, 200 of 200 with it.
"""

import math

import numpy as np

from orderlab.patterns.backoff import full_jitter, none
from orderlab.sim import simulate
from orderlab.sim.published import RAMP, SPIKE, collapse
from orderlab.sim.results import TIMED_OUT

RUNS = 60
JITTER = full_jitter(20, 40)  # up to 20 s before the second attempt, up to 40 s before the third


def run_of(load, backoff, seed):
    """80 s: (answers that are still wanted, time-outs) in each second."""
    run = simulate(*collapse(load, backoff), seconds=80, seed=seed)
    times = run.ended[run.ok], run.answered[run.outcome == TIMED_OUT]
    return [np.histogram(when, bins=80, range=(0, 80))[0] for when in times]


def test_after_a_spike_it_either_recovers_whole_or_not_at_all():
    """Bistable: 27 % of runs (54 of 200) end at the full 40 answers/s, to 3 binomial standard errors; others at 0."""
    goodput, timeouts = np.array([run_of(SPIKE, none(), seed) for seed in range(RUNS)])[:, :, 60:].mean(axis=2).T
    recovered = goodput > 20
    error = math.sqrt(0.27 * 0.73 * (1 / RUNS + 1 / 200))
    assert abs(recovered.mean() - 54 / 200) <= 3 * error
    assert (abs(goodput[recovered] - 40) <= 4 * math.sqrt(40 / 20)).all()  # 4: the worst of some twenty runs
    assert (goodput[~recovered] < 5).all()
    assert abs(timeouts[~recovered].mean() - 3 * 40) <= 3 * 3 * math.sqrt(40 / 20 / sum(~recovered))


def test_backoff_with_jitter_brings_every_run_back_within_six_seconds():
    """60 of 60 (were it 95 % of runs, one time in twenty); by 31 s more than 20 answers/s, and so to the end."""
    for seed in range(RUNS):
        goodput, _ = run_of(SPIKE, JITTER, seed)
        assert (goodput[31:] >= 20).all(), f"seed {seed}"


def test_a_slow_ramp_brings_both_down_for_good():
    """Up to 80/s at 25 s and down to 0.1/s at 75 s: not one good answer from 30 s on, with backoff or without."""
    for backoff in (none(), JITTER):
        for seed in range(3):
            goodput, _ = run_of(RAMP, backoff, seed)
            assert goodput[5:20].min() > 20
            assert not goodput[30:].any()


def test_a_spike_that_never_comes_harms_nobody():
    """The same server, 40 requests/s all the time: one time-out in a thousand, full goodput: the spike is the cause."""
    goodput, timeouts = run_of([(0, 40)], none(), 0)
    assert timeouts.sum() < 0.001 * 40 * 80
    assert abs(goodput[5:].mean() - 40) <= 3 * math.sqrt(40 / 75)
