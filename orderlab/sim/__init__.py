"""Discrete-event simulation of clients and services: thousands of clients, minutes of load, in milliseconds.

What is simulated is what ships: the strategies are the very objects of orderlab.patterns, called with the simulation's
clock and chance. `simulate(OpenLoop(rate=80, strategy=lambda: Strategy(...)), Service(capacity=1), seconds=60, seed=1)`
gives a Run: arrays over requests and attempts, and small tables with units. Standard library and numpy.

Taught in notebooks/08_waiting_well.ipynb and 09_knowing_when_to_stop.ipynb.
"""

from . import queueing, times
from .clients import ClosedLoop, OpenLoop, Serial, Strategy
from .engine import simulate
from .faults import BrownOut, Outage, SlowStart
from .results import Run, Table
from .seeds import Band, Runs, simulate_many
from .service import Call, Failed, Refused, Service

__all__ = ["Band", "BrownOut", "Call", "ClosedLoop", "Failed", "OpenLoop", "Outage", "Refused", "Run", "Runs", "Serial"]
__all__ += ["Service", "SlowStart", "Strategy", "Table", "queueing", "simulate", "simulate_many", "times"]
