"""One breaker in fifty execution environments of the local cloud: what ships, overlapping, over a table of DynamoDB.

Each environment has modules, memory, a clock and clients of its own; every call to the table hands over to the others.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orderlab.cloud import Cloud, Faults

ROOT = Path(__file__).resolve().parents[2]
FIFTY = 50
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Metadata: {OrderLab: {Package: {build/: [../app.py, ROOT/__init__.py, ROOT/orders, ROOT/patterns]}}}
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: build/
      Handler: app.handler
      Timeout: 20
      Environment: {Variables: {BREAKER_TABLE: breaker}}
  Breaker:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: breaker
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: name, AttributeType: S}]
      KeySchema: [{AttributeName: name, KeyType: HASH}]
"""
APP = '''
"""Asks a dependency under the very breaker of orders.asking, which is what ChargePayment has."""

import os
import time
from functools import cache

from orderlab.orders import asking, clients, rows
from orderlab.orders.breaker_store import BreakerStore
from orderlab.patterns.breaker import CircuitBreaker, Open
from orderlab.patterns.shared_breaker import SharedBreaker


class Down(Exception):
    """The dependency's error."""


class Unconditional(BreakerStore):
    """A store that replaces whatever is there."""

    def save(self, record, version):
        row = {"name": self.name, "version": version + 1, "record": record, "mark": ""}
        clients.dynamodb().put_item(TableName=os.environ["BREAKER_TABLE"], Item=rows.to_item(row))


@cache
def local():
    return CircuitBreaker(5, 30.0, 1)


@cache
def careless():
    return SharedBreaker(Unconditional("provider"), CircuitBreaker(5, 30.0, 1))


def handler(event, context):
    """After `wait` seconds asks `calls` times, each of which takes `seconds` and fails or not."""
    breaker = {"shared": asking.breaker, "local": local, "careless": careless}[event.get("breaker", "shared")]()

    def dependency():
        print("asked")
        time.sleep(event.get("seconds", 0.1))
        if event.get("fails", True):
            raise Down

    def ask():
        try:
            breaker.call(dependency, clock=time.time)
        except Open:
            return "refused"
        except Down:
            return "failed"
        return "answered"

    time.sleep(event.get("wait", 0.0))
    return [ask() for _ in range(event.get("calls", 1))]
'''


class Fleet:
    """Fifty environments, and what came of what they were asked."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def ask(self, events: Iterable[dict[str, Any]], seconds: float | None = None) -> Counter[str]:
        """Invoke with all events at this instant, each in an environment of its own; how the calls ended.

        Runs to the end, or for so many seconds of virtual time. What was killed counts as "killed".
        """
        ended: Counter[str] = Counter()

        def done(result: Any) -> None:
            ended.update(["killed"] if result.error else json.loads(result.payload))

        for event in events:
            self.cloud.functions.start("App", event, done, source="a test")
        self.cloud.run() if seconds is None else self.cloud.advance(seconds)
        return ended

    def race(self, **event: Any) -> Counter[str]:
        """All fifty at once with the same event."""
        return self.ask([event] * FIFTY)

    def begin(self, seed: int = 0, faults: Faults | None = None) -> None:
        """As new, with fifty warm environments and a closed breaker, on time."""
        self.cloud.reset(seed=seed, faults=faults)
        assert self.race(calls=0) == {}
        assert sum(row.detail["cold"] for row in self.cloud.trace.select("invoke")) == FIFTY

    def trip(self) -> float:
        """Five failures; the time at which it opened, by the clock of whoever saw the fifth."""
        for n in range(5):
            assert self.ask([{"seconds": 0.0}]) == {"failed": 1}, n
        assert self.record()["state"] == "open"
        return float(self.record()["opened_at"])

    def record(self) -> dict[str, Any]:
        """What the table says."""
        from orderlab.orders import rows

        found = self.cloud.client("dynamodb").get_item(TableName="breaker", Key={"name": {"S": "provider"}})
        return dict(rows.from_item(found["Item"])["record"])

    def asked(self) -> int:
        """How many calls have reached the dependency."""
        return sum(row.what == "asked" for row in self.cloud.trace.select("log"))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud of one function, with what ships and the handler above, and one table."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "infra").mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "infra" / "template.yaml").write_text(TEMPLATE.replace("ROOT", (ROOT / "orderlab").as_posix()))
    with Cloud(template=folder / "infra" / "template.yaml") as opened:
        yield opened


@pytest.fixture
def fleet(cloud: Cloud) -> Callable[..., Fleet]:
    """`fleet(seed, faults)`: fifty warm environments and a closed breaker."""

    def begin(seed: int = 0, faults: Faults | None = None) -> Fleet:
        made = Fleet(cloud)
        made.begin(seed, faults)
        return made

    return begin


def test_of_fifty_environments_exactly_one_probes_for_every_seed(fleet: Callable[..., Fleet], scale: str) -> None:
    """At the instant when the timeout is over, a thousand seeds under --all: each is another order of the same calls.

    The environments stay warm from seed to seed, as Lambda's do: what they remember of the last round is part of it.
    """
    made, orders = fleet(), set()
    made.trip()
    for seed in range(1000 if scale == "all" else 20):
        made.cloud.run(until=made.record()["opened_at"] + 30.0)
        made.cloud.scheduler.rng.seed(f"scheduler {seed}")
        made.cloud.trace.rows.clear()
        assert made.race() == {"failed": 1, "refused": 49}, seed
        assert made.asked() == 1, seed
        orders.add(tuple(row.detail["request"] for row in made.cloud.trace.select("call")))
    assert len(orders) == seed + 1


def test_without_the_condition_of_the_write_many_probe(fleet: Callable[..., Fleet]) -> None:
    """The same race over a store that only writes: so the test above can fail."""
    made = fleet()
    made.trip()
    made.cloud.run(until=made.record()["opened_at"] + 30.0)
    assert made.race(breaker="careless")["failed"] > 1


def test_fifty_environments_need_five_errors_in_all_and_not_250(fleet: Callable[..., Fleet]) -> None:
    """Each asks six times, one environment after the other; a breaker of its own lets five of them through."""
    made = fleet()
    in_turn = [{"wait": n / 3, "calls": 6, "seconds": 0.0} for n in range(FIFTY)]
    assert made.ask(in_turn) == {"failed": 5, "refused": 295}
    assert made.ask([{**event, "breaker": "local"} for event in in_turn]) == {"failed": 250, "refused": 50}


def test_what_is_under_way_when_it_trips_cannot_be_called_back(fleet: Callable[..., Fleet]) -> None:
    """All fifty at once fail together: a breaker, shared or not, only stops what comes after the fifth error."""
    made = fleet()
    assert made.race(seconds=1.0) == {"failed": 50}
    assert made.race() == {"refused": 50}


def test_after_a_good_probe_it_is_closed_for_all(fleet: Callable[..., Fleet]) -> None:
    """One probe, and then everybody passes."""
    made = fleet()
    made.trip()
    made.cloud.run(until=made.record()["opened_at"] + 30.0)
    assert made.race(fails=False, seconds=1.0) == {"answered": 1, "refused": 49}
    assert made.race(fails=False) == {"answered": 50}


@pytest.mark.parametrize("seed", range(2))
def test_when_the_prober_dies_its_lease_frees_the_others_and_again_one_probes(
    fleet: Callable[..., Fleet], seed: int
) -> None:
    """Killed by its time-out 20 s into the probe: nobody until 30 s after it began, then one."""
    made = fleet(seed)
    opened = made.trip()
    made.cloud.run(until=opened + 30.0)
    assert made.race(seconds=60.0) == {"killed": 1, "refused": 49}
    ((_, began),) = made.record()["probes"]
    made.ask([{"calls": 0}] * FIFTY)  # a cold start in place of the dead one
    made.cloud.run(until=began + 29.9)
    assert made.race() == {"refused": 50}
    made.cloud.run(until=began + 30.0)
    assert made.race() == {"failed": 1, "refused": 49}


def test_a_prober_that_dies_between_the_write_and_the_call_is_freed_by_its_lease_too(
    fleet: Callable[..., Fleet],
) -> None:
    """The row names it, the dependency never heard of it."""
    made = fleet()
    opened = made.trip()
    made.cloud.run(until=opened + 30.0)
    made.cloud.trace.rows.clear()
    made.cloud.faults.at_rate("crash-after", 1.0, where="PutItem", limit=1)
    assert made.ask([{}]) == {"killed": 1} and made.asked() == 0
    assert made.race() == {"refused": 50}
    made.ask([{"calls": 0}] * FIFTY)
    made.cloud.run(until=opened + 61.0)
    assert made.race() == {"failed": 1, "refused": 49}


def test_when_the_table_is_away_there_are_fifty_local_breakers(fleet: Callable[..., Fleet]) -> None:
    """250 errors before all are open, and fifty probes: no worse than without the table; then it is one again."""
    made = fleet()
    made.cloud.faults.at_rate("error", 1.0, where="dynamodb")
    away = {"seconds": 0.0, "calls": 5}
    assert made.race(**away) == {"failed": 250}
    assert made.race(seconds=0.0) == {"refused": 50}
    made.cloud.advance(31.0)
    assert made.race(seconds=0.0) == {"failed": 50}
    made.cloud.faults.stop()
    made.trip()
    assert made.race() == {"refused": 50}


def test_a_table_that_goes_away_while_it_is_open_leaves_it_open(fleet: Callable[..., Fleet]) -> None:
    """Each goes on from the state that it saw last."""
    made = fleet()
    made.trip()
    assert made.race() == {"refused": 50}
    made.cloud.faults.at_rate("error", 1.0, where="dynamodb")
    assert made.race() == {"refused": 50}


SKEW = 12.0  # seconds: half of the clocks are ahead by it
TIMEOUT = LEASE = 30.0  # seconds


@pytest.mark.parametrize("seed", range(2))
def test_skewed_clocks_make_recovery_that_much_early_or_late_and_never_two_probes(
    fleet: Callable[..., Fleet], seed: int
) -> None:
    """Whoever tripped it: nobody probes before 18 s, somebody by 42 s, and nobody else while it takes under 18 s."""
    made = fleet(seed, Faults(seed).at_rate("clock-skew", 1.0, seconds=SKEW, limit=FIFTY // 2))
    made.trip()
    tripped = made.cloud.now
    made.cloud.run(until=tripped + TIMEOUT - SKEW - 0.1)
    assert made.race() == {"refused": 50}
    made.cloud.run(until=tripped + TIMEOUT + SKEW)
    made.cloud.trace.rows.clear()
    began = made.cloud.now
    made.ask([{"seconds": LEASE - SKEW - 0.1}] * FIFTY, seconds=1.0)
    assert made.asked() == 1
    made.cloud.run(until=began + LEASE - SKEW - 0.2)
    assert made.ask([{}] * (FIFTY - 1), seconds=0.05) == {"refused": 49}
    made.cloud.run()
    assert made.asked() == 1 and made.record()["state"] == "open"


def test_the_promise_about_skewed_clocks_has_no_slack(fleet: Callable[..., Fleet]) -> None:
    """A probe that takes longer than its lease minus the skew can meet a second one: who is ahead sees it as lost."""
    made, probes = fleet(0, Faults().at_rate("clock-skew", 1.0, seconds=SKEW, limit=FIFTY // 2)), set()
    made.trip()
    for _ in range(8):
        made.cloud.run(until=made.cloud.now + TIMEOUT + SKEW)
        made.cloud.trace.rows.clear()
        made.ask([{"seconds": LEASE - SKEW + 1.0}] * FIFTY, seconds=LEASE - SKEW + 0.5)
        made.ask([{}] * (FIFTY - 1))
        probes.add(made.asked())
    assert probes == {1, 2}
