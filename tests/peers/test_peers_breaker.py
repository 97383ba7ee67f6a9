"""Powertools' circuit breaker and ours on the same traces: until one of nine named differences, they agree.

The differences are in the table of orderlab.patterns.shared_breaker. Each has a test of its own here, which shows both.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from peers_powertools import Away, CircuitBreakerConfig, Clock, Failed, Ignored, Killed, Powertools

from orderlab.patterns import shared_breaker
from orderlab.patterns.breaker import CircuitBreaker, Open
from orderlab.patterns.shared_breaker import MemoryStore, SharedBreaker

DIFFERENCES = (
    "count",
    "late result",
    "probers",
    "ignored probe",
    "store away",
    "cached state",
    "whole seconds",
    "writes",
    "good probes",
)


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Call:
    """An environment asks: "ok", "fail", "ignored" or "killed"; `during` is what happens before its call ends."""

    who: int
    outcome: str
    during: list["Wait | Call"] = field(default_factory=list)


RAISES = {"fail": Failed, "ignored": Ignored, "killed": Killed}


class Side:
    """A fleet of one make: what a trace does to it. `seen` has who was let in, and the state after each call."""

    def __init__(self, clock: Clock, settings: dict[str, Any]) -> None:
        self.clock, self.settings = clock, settings
        self.fleet: dict[int, Any] = {}
        self.seen: list[Any] = []

    def new(self) -> Any:
        """An execution environment."""
        raise NotImplementedError

    def state(self) -> str:
        """What the table says."""
        raise NotImplementedError

    def ask(self, who: int, work: Callable[[], None]) -> bool:
        """One call; False when it was refused."""
        return bool(self.fleet[who].call(work))

    def run(self, steps: list[Wait | Call]) -> list[Any]:
        """All steps; who was let in and the state after each."""
        for step in steps:
            if isinstance(step, Wait):
                self.clock.now += step.seconds
            else:
                self.step(step)
        return self.seen

    def step(self, step: Call) -> None:
        """One call, and what happens during it."""
        if step.who not in self.fleet:
            self.fleet[step.who] = self.new()

        def work() -> None:
            self.seen.append((step.who, "let in"))
            self.run(step.during)
            if step.outcome in RAISES:
                raise RAISES[step.outcome]

        try:
            if not self.ask(step.who, work):
                self.seen.append((step.who, "refused"))
        except Killed:
            del self.fleet[step.who]  # the next call of this number meets a new environment
        except (Failed, Ignored):
            pass
        self.seen.append(self.state())


class Theirs(Side):
    """Powertools, which reads its table at every call unless `local_cache_max_age` says otherwise."""

    rows: dict[str, Any]

    def new(self) -> Powertools:
        """See Side."""
        self.rows = getattr(self, "rows", {})
        return Powertools(self.rows, self.clock, **{"local_cache_max_age": 0, **self.settings})

    def state(self) -> str:
        """See Side."""
        return str(self.rows["it"].state).lower().replace("_", "-") if "it" in self.rows else "closed"


class Ours(Side):
    """The shared breaker. `first` is the place in `seen` and the name of the first difference that was met."""

    def __init__(self, clock: Clock, settings: dict[str, Any]) -> None:
        super().__init__(clock, settings)
        self.store = MemoryStore()
        self.first: tuple[int, str] | None = None
        self.met: Counter[str] = Counter()
        self.counting: SharedBreaker | None = None  # the environment of the last result that counted

    def new(self) -> SharedBreaker:
        """See Side."""
        return SharedBreaker(self.store, CircuitBreaker(**self.settings))

    def record(self) -> dict[str, Any]:
        """What the store says."""
        return self.store.load()[0] or CircuitBreaker().record()

    def state(self) -> str:
        """See Side."""
        return str(self.record()["state"])

    def ask(self, who: int, work: Callable[[], None]) -> bool:
        """See Side; and looks out for what the two see differently."""
        breaker, before = self.fleet[who], self.record()
        permit = breaker.allow(self.clock.now)
        if before["successes"] and breaker is not self.counting:
            self.meet("probers")
        if permit is None:
            return False
        if permit.probe:
            self.counting = breaker
        try:
            work()
        except Ignored:
            if permit.probe:
                self.meet("ignored probe")
            breaker.release(self.clock.now, permit)
            raise
        except Failed:
            self.told(breaker, permit)
            breaker.failure(self.clock.now, permit)
            raise
        self.told(breaker, permit)
        breaker.success(self.clock.now, permit)
        return True

    def told(self, breaker: SharedBreaker, permit: Any) -> None:
        """A result is about to be told."""
        now = self.record()
        lost = permit.probe and permit.probe not in dict(now["probes"])
        if permit.period != now["period"] or lost:
            self.meet("late result")
        elif now["state"] == "closed":
            if now["failures"] and breaker is not self.counting:
                self.meet("count")
            self.counting = breaker

    def meet(self, name: str) -> None:
        """From here on the two may differ."""
        self.met[name] += 1
        self.first = self.first or (len(self.seen), name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of both."""
    made = Clock()
    made.install(monkeypatch)
    return made


def both(clock: Clock, steps: list[Wait | Call], **settings: Any) -> tuple[Theirs, Ours]:
    """The same steps for both, from the same instant."""
    started = clock.now
    theirs = Theirs(clock, settings)
    theirs.run(steps)
    clock.now, settings = started, {k: v for k, v in settings.items() if k != "local_cache_max_age"}
    ours = Ours(clock, settings)
    ours.run(steps)
    return theirs, ours


def let_in(side: Side) -> int:
    """How many calls passed."""
    return sum(entry[1] == "let in" for entry in side.seen if isinstance(entry, tuple))


def disagreement(theirs: Theirs, ours: Ours) -> str | None:
    """Where the two differ although no named difference was met before; None where they do not."""
    agreed = ours.first[0] if ours.first else max(len(theirs.seen), len(ours.seen))
    if theirs.seen[:agreed] == ours.seen[:agreed]:
        return None
    place = next(n for n, pair in enumerate(zip(theirs.seen, ours.seen, strict=False)) if pair[0] != pair[1])
    return f"at {place}: Powertools {theirs.seen[: place + 1]}, ours {ours.seen[: place + 1]}"


def test_they_agree_on_every_trace_of_one_environment(clock: Clock, vectors: Callable[[str], Any]) -> None:
    """The traces' seconds are milliseconds here, since Powertools counts in whole ones."""
    for row in vectors("circuit_breaker_traces.json"):
        steps: list[Wait | Call] = [
            Wait(round(step["seconds"] * 1000)) if step["op"] == "advance" else Call(0, step["outcome"])
            for step in row["steps"]
        ]
        theirs, ours = both(
            clock,
            steps,
            failure_threshold=row["fail_max"],
            recovery_timeout=round(row["reset_timeout"] * 1000),
            success_threshold=row["success_threshold"],
        )
        assert theirs.seen == ours.seen and not ours.met, f"row {row['id']}"
        assert let_in(ours) == sum(answer["admitted"] for answer in row["expected"] if answer), f"row {row['id']}"


def random_steps(rng: random.Random, free: list[int], depth: int = 0) -> Iterator[Wait | Call]:
    """A fleet's day: an environment handles one call at a time, so those during a call are others'."""
    for _ in range(rng.randrange(25) if depth == 0 else rng.choice([0, 0, 0, 1, 3])):
        if rng.random() < 0.35:
            yield Wait(rng.choice([0, 1, 4, 9, 10, 11, 20]))
        elif free:
            who = rng.choice(free)
            outcome = rng.choice(["ok", "fail", "fail", "fail", "ignored", "killed"])
            during = list(random_steps(rng, [n for n in free if n != who], depth + 1)) if depth < 3 else []
            yield Call(who, outcome, during)


def test_they_agree_on_random_traces_until_a_named_difference(clock: Clock) -> None:
    """Overlapping calls, dead probers, leases, up to four environments; a difference without a name fails."""
    met: Counter[str] = Counter()
    whole = compared = 0
    for seed in range(1500):
        rng = random.Random(seed)
        settings = {"failure_threshold": rng.choice([1, 1, 2, 3]), "success_threshold": rng.choice([1, 1, 2])}
        steps = list(random_steps(rng, list(range(rng.choice([1, 2, 4])))))
        theirs, ours = both(clock, steps, recovery_timeout=10, **settings)
        found = disagreement(theirs, ours)
        assert found is None, f"seed {seed}, {settings}, {found}\n{steps}"
        met[ours.first[1] if ours.first else "none"] += 1
        whole += "half-open" in ours.seen and not ours.first
        compared += ours.first[0] if ours.first else len(ours.seen)
    assert set(met) == {"none", "count", "late result", "probers", "ignored probe"}
    assert whole > 100 and compared > 10_000


def test_a_difference_without_a_name_is_seen(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail: with one more second in our timeout it does."""
    real = CircuitBreaker.retry_in
    monkeypatch.setattr(CircuitBreaker, "retry_in", lambda self, now: real(self, now - 1.0))
    assert disagreement(*both(clock, [Call(0, "fail"), Wait(10), Call(0, "ok")], failure_threshold=1,
                              recovery_timeout=10, success_threshold=1))  # fmt: skip


def test_the_table_of_the_module_names_each_difference() -> None:
    """And nothing else: a row that no test shows is none."""
    document = shared_breaker.__doc__ or ""
    table = document[document.index("Powertools") :].partition("\n\n")[2].partition("\n\n")[0]
    assert tuple(line[4:18].strip() for line in table.splitlines() if line[4:5].strip()) == DIFFERENCES


FIVE = {"failure_threshold": 5, "recovery_timeout": 30, "success_threshold": 1}
ONE = {**FIVE, "failure_threshold": 1}


def test_count(clock: Clock) -> None:
    """Fifty environments that fail in turn: theirs let 250 calls through, ours five."""
    steps: list[Wait | Call] = [Call(n % 50, "fail") for n in range(300)]
    theirs, ours = both(clock, steps, **FIVE)
    assert let_in(ours) == 5
    assert let_in(theirs) == 50 * 4 + 1  # in turn, the first one's fifth error opens it for all
    away = [Call(n % 50, "fail") for n in range(300)]
    theirs, _ = both(clock, away, **FIVE, local_cache_max_age=5)
    assert let_in(theirs) == 250  # and each believes for 5 s what it has read


def test_late_result(clock: Clock) -> None:
    """A call from before the trip fails while a probe is under way: theirs ends the half-open, ours does not count."""
    during: list[Wait | Call] = [Call(1, "fail"), Wait(30), Call(2, "ok", [Call(3, "fail")])]
    steps: list[Wait | Call] = [Call(0, "fail", during), Call(4, "ok")]
    theirs, ours = both(clock, steps, **ONE)
    assert [theirs.seen[-2:], ours.seen[-2:]] == [[(4, "refused"), "open"], [(4, "let in"), "closed"]]


def test_probers(clock: Clock) -> None:
    """Two good probes are wanted: theirs must come from the same environment, ours from any."""
    steps = [Call(0, "fail"), Wait(30), Call(0, "ok"), Call(1, "ok")]
    theirs, ours = both(clock, steps, **{**ONE, "success_threshold": 2})
    assert [theirs.state(), ours.state()] == ["half-open", "closed"]


def test_ignored_probe(clock: Clock) -> None:
    """A probe ends in an error that does not count: theirs keeps the place until the lease is over, ours gives it."""
    steps = [Call(0, "fail"), Wait(30), Call(0, "ignored"), Call(1, "ok")]
    theirs, ours = both(clock, steps, **ONE)
    assert [theirs.seen[-2:], ours.seen[-2:]] == [[(1, "refused"), "half-open"], [(1, "let in"), "closed"]]


def test_store_away(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table cannot be reached: theirs lets everything through for ever, ours five failures for each environment."""
    failing: list[Wait | Call] = [Call(0, "fail")] * 20
    theirs = Theirs(clock, {**FIVE})
    theirs.fleet[0] = theirs.new()
    theirs.fleet[0].table.away = True
    theirs.run(failing)

    def away(self: MemoryStore) -> None:
        raise Away

    monkeypatch.setattr(MemoryStore, "load", away)
    alone = SharedBreaker(MemoryStore(), CircuitBreaker(5, 30.0, 1))
    passed = 0
    for _ in range(20):
        try:
            alone.call(fail, clock=lambda: clock.now)
        except Failed:
            passed += 1
        except Open:
            continue
    assert (let_in(theirs), passed) == (20, 5)


def fail() -> None:
    """A call that fails."""
    raise Failed


def test_cached_state(clock: Clock) -> None:
    """Theirs believes for 5 s what it has read (a setting); ours reads at every call."""
    steps = [Call(1, "ok"), Call(0, "fail"), Wait(4), Call(1, "ok"), Wait(1), Call(1, "ok")]
    theirs, ours = both(clock, steps, **ONE, local_cache_max_age=5)
    assert [entry[1] for entry in theirs.seen if entry[0] == 1] == ["let in", "let in", "refused"]
    assert [entry[1] for entry in ours.seen if entry[0] == 1] == ["let in", "refused", "refused"]


def test_whole_seconds(clock: Clock) -> None:
    """Opened at 0.9 s: theirs probes at 30.0 s, 29.1 s later, ours at 30.9 s."""
    steps: list[Wait | Call] = [Wait(0.9), Call(0, "fail"), Wait(29.1), Call(0, "ok")]
    theirs, ours = both(clock, steps, **ONE)
    assert [theirs.state(), ours.state()] == ["closed", "open"]


def test_writes(clock: Clock) -> None:
    """A failure before the threshold: theirs writes nothing, ours the count. While all is well nobody writes."""
    for outcome, written in (("ok", False), ("fail", True)):
        theirs, ours = both(clock, [Call(0, outcome)], **FIVE)
        assert (theirs.rows, ours.store.version > 0) == ({}, written)


def test_good_probes() -> None:
    """How many close it, unless said otherwise: theirs three, ours one, like the article's and pybreaker's."""
    theirs, ours = CircuitBreakerConfig(), CircuitBreaker()
    assert (theirs.failure_threshold, theirs.recovery_timeout) == (ours.failure_threshold, ours.recovery_timeout)
    assert (theirs.success_threshold, ours.success_threshold) == (3, 1)
