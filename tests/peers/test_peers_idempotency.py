"""Powertools' idempotency and ours, row by row: what is asked, what Powertools does, what ours does; both are run.

One row is one situation. Where the two columns differ, the docstring of orderlab.patterns.idempotency says so.
"""

import random
from collections.abc import Callable
from typing import Any

import pytest
from peers_powertools import (
    EPOCH,
    Away,
    Clock,
    Failed,
    IdempotencyTable,
    Killed,
    ask_powertools,
    idempotency_errors,
)

from orderlab.patterns.idempotency import (
    InProgress,
    MemoryStore,
    MissingKey,
    PayloadMismatch,
    Record,
    idempotent,
)

Step = dict[str, Any] | float  # a request, or seconds that pass
ERRORS: dict[type[BaseException], str] = {
    idempotency_errors.IdempotencyAlreadyInProgressError: "in progress",
    idempotency_errors.IdempotencyValidationError: "another payload",
    idempotency_errors.IdempotencyKeyError: "no key",
    idempotency_errors.IdempotencyPersistenceLayerError: "store",
    InProgress: "in progress",
    PayloadMismatch: "another payload",
    MissingKey: "no key",
    Away: "store",
    Failed: "failed",
    Killed: "killed",
    ValueError: "refused",
}


class Table(MemoryStore):
    """Ours, which fails on demand."""

    fails_at = ""

    def put_if_free(self, record: Record, now: float) -> Record | None:
        """See Store."""
        self._answer("put")
        return super().put_if_free(record, now)

    def complete(self, record: Record) -> None:
        """See Store."""
        self._answer("complete")
        super().complete(record)

    def delete(self, key: str) -> None:
        """See Store."""
        self._answer("delete")
        super().delete(key)

    def _answer(self, operation: str) -> None:
        if operation == self.fails_at:
            raise Away


def ask_ours(table: Table, work: Callable[[], Any], *, clock: Clock, **asked: Any) -> Any:
    """One request of ours."""
    asked.pop("must_have_key", None)
    return idempotent(asked.pop("key"), asked.pop("payload"), work, store=table, now=clock.now, **asked)


def run(clock: Clock, steps: list[Step], ours: bool) -> list[Any]:
    """What came of each request: "ran" and its answer, "stored" and its answer, or the name of the error."""
    clock.now = EPOCH
    table: Any = Table() if ours else IdempotencyTable(clock)
    seen: list[Any] = []

    def ask(step: dict[str, Any]) -> None:
        asked = {"key": "k", "payload": None, "expires_after": 60, "remaining": 30.0, **step}
        table.fails_at, answer = asked.pop("store_fails", ""), asked.pop("answer", {"n": 1})
        ran, during, takes = [], asked.pop("during", None), asked.pop("takes", 0)

        def work() -> Any:
            ran.append(True)
            clock.now += takes
            if during is not None:
                ask(during)
            if isinstance(answer, type):
                raise answer
            return answer

        try:
            found = ask_ours(table, work, clock=clock, **asked) if ours else ask_powertools(table, work, **asked)
            seen.append(("ran" if ran else "stored", found))
        except tuple(ERRORS) as error:
            name = next(name for kind, name in ERRORS.items() if isinstance(error, kind))
            seen.append((name, "ran") if ran and name == "store" else name)

    for step in steps:
        if isinstance(step, dict):
            ask(step)
        else:
            clock.now += step
    return seen


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of both."""
    made = Clock()
    made.install(monkeypatch)
    return made


ONE, TWO = {"n": 1}, {"n": 2}
RAN, AGAIN, STORED = ("ran", ONE), ("ran", TWO), ("stored", ONE)
SECOND = {"answer": TWO}
SAME: list[tuple[str, list[Step], list[Any]]] = [
    ("a repetition gets the first answer", [{}, SECOND, 60, SECOND], [RAN, STORED, STORED]),
    ("after the expiry it is a new request", [{}, 61, SECOND], [RAN, AGAIN]),
    ("an error frees the key", [{"answer": Failed}, {}], ["failed", RAN]),
    ("what is in progress is not done again", [{"answer": Killed}, 30, {}], ["killed", "in progress"]),
    ("after its lease it is", [{"answer": Killed}, 31, {}], ["killed", RAN]),
    ("no time left is a lease of no time", [{"answer": Killed, "remaining": 0.0}, 1, {}], ["killed", RAN]),
    ("during the work it is in progress", [{"during": SECOND}], ["in progress", RAN]),
    ("another payload is refused", [{"payload": 5}, {"payload": 6}], [RAN, "another payload"]),
    ("and also in progress", [{"payload": 5, "answer": Killed}, {"payload": 6}], ["killed", "another payload"]),
    ("a payload is not compared with none", [{"payload": 5}, {**SECOND}], [RAN, STORED]),
    ("but none with a payload", [{}, {"payload": 5}], [RAN, "another payload"]),
    ("without a key nothing runs, if it must have one", [{"key": None}, {"key": ""}], ["no key", "no key"]),
    ("a store that fails first lets nothing run", [{"store_fails": "put"}, {}], ["store", RAN]),
    (
        "one that fails last leaves it in progress",
        [{"store_fails": "complete"}, {}, 31, SECOND],
        [("store", "ran"), "in progress", AGAIN],
    ),
    (
        "a zombie's late success is the answer",
        [{"takes": 31, "during": SECOND}, {}],
        [AGAIN, RAN, STORED],
    ),
]
DIFFERENT: list[tuple[str, list[Step], list[Any], list[Any]]] = [
    # the situation, the steps, Powertools, ours
    ("falsy answer", [{"answer": {}}, SECOND], [("ran", {}), ("stored", None)], [("ran", {}), ("stored", {})]),
    ("expiry from the start", [{"takes": 10}, 55, SECOND], [RAN, STORED], [RAN, AGAIN]),
    ("whole seconds", [0.9, {}, 60.05, SECOND], [RAN, STORED], [RAN, AGAIN]),
    (
        "late failure",
        [{"takes": 31, "during": SECOND, "answer": Failed}, {}],
        [AGAIN, "failed", RAN],
        [AGAIN, "failed", ("stored", TWO)],
    ),
    (
        "freeing fails",
        [{"answer": Failed, "store_fails": "delete"}, {}],
        [("store", "ran"), "in progress"],
        ["failed", "in progress"],
    ),
    ("there always is a key", [{"key": None, "must_have_key": False}], [RAN], ["no key"]),
    ("the key is a text", [{"key": 0}, {"key": 0}], [RAN, STORED], ["no key", "no key"]),
    ("for ever", [{"expires_after": None}], ["store"], [RAN]),  # its timedelta of None, in the store's error
    ("no expiry of nothing", [{"expires_after": 0}], [RAN], ["refused"]),
]


@pytest.mark.parametrize(("name", "steps", "both"), SAME, ids=[row[0] for row in SAME])
def test_the_same(clock: Clock, name: str, steps: list[Step], both: list[Any]) -> None:
    """Powertools and ours do what the row says."""
    assert run(clock, steps, ours=False) == both
    assert run(clock, steps, ours=True) == both


@pytest.mark.parametrize(("name", "steps", "theirs", "ours"), DIFFERENT, ids=[row[0] for row in DIFFERENT])
@pytest.mark.filterwarnings("ignore:No idempotency key value found")
def test_a_named_difference(clock: Clock, name: str, steps: list[Step], theirs: list[Any], ours: list[Any]) -> None:
    """Each does what its column says, and the columns differ."""
    assert theirs != ours
    assert run(clock, steps, ours=False) == theirs
    assert run(clock, steps, ours=True) == ours


def test_they_agree_on_every_visible_trace(clock: Clock, vectors: Callable[[str], Any]) -> None:
    """And with the label."""
    outcomes: dict[str, Any] = {"raise": Failed, "killed_by_timeout": Killed}
    labels = {
        "IdempotencyAlreadyInProgressError": "in progress",
        "IdempotencyValidationError": "another payload",
        "IdempotencyKeyError": "no key",
        "handler_exception": "failed",
        "killed": "killed",
    }
    for row in vectors("idempotency_traces.json"):
        steps: list[Step] = []
        expected = []
        for step in row["steps"]:
            if "advance_s" in step:
                steps.append(float(step["advance_s"]))
                continue
            call = step["call"]
            steps.append(
                {
                    "key": call["order_id"],
                    "payload": call["amount"] if row["payload_validation"] else None,
                    "expires_after": row["expires_after_s"],
                    "remaining": step["remaining_ms"] / 1000,
                    "answer": outcomes.get(step["outcome_if_run"], {"n": step["step_no"]}),
                }
            )
            answered = ("ran" if step["ran"] else "stored", step.get("returned"))
            expected.append(labels[step["raised"]] if "raised" in step else answered)
        assert run(clock, steps, ours=False) == run(clock, steps, ours=True) == expected, f"row {row['id']}"


def test_they_agree_on_random_traces(clock: Clock) -> None:
    """Whole seconds, answers that are something, no work that takes time: there is no difference but those named."""
    ends: set[Any] = set()
    for seed in range(600):
        rng = random.Random(seed)
        steps: list[Step] = []
        for number in range(rng.randrange(12)):
            if rng.random() < 0.5:
                steps.append(float(rng.choice([0, 1, 5, 29, 30, 31, 59, 60, 61])))
            request = {
                "key": rng.choice("ab"),
                "payload": rng.choice([None, 1, 2]),
                "answer": rng.choice([{"n": number}, {"n": number}, Failed, Killed]),
                "expires_after": rng.choice([10, 60]),
                "remaining": float(rng.choice([0, 5, 30])),
                "store_fails": rng.choice(["", "", "", "", "put", "complete"]),
            }
            steps.append(request | ({"during": request | {"answer": {"n": -number}}} if rng.random() < 0.2 else {}))
        theirs, ours = run(clock, steps, ours=False), run(clock, steps, ours=True)
        assert theirs == ours, f"seed {seed}: {steps}"
        ends |= {end if isinstance(end, str) else end[0] for end in ours}
    assert ends == {"ran", "stored", "store", "in progress", "another payload", "failed", "killed"}
