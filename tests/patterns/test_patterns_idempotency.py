"""Idempotency: Powertools' traces, a ten-line model, and what happens when things die at the wrong moment."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderlab.patterns.idempotency import (
    COMPLETED,
    INPROGRESS,
    InProgress,
    MemoryStore,
    MissingKey,
    PayloadMismatch,
    Record,
    begin,
    completed_record,
    free,
    idempotent,
    payload_hash,
    replay,
)


class Killed(BaseException):
    """The environment is gone: nothing that is written after it runs."""


class Failed(Exception):
    """The work raises."""


class Work:
    """Does what it is told and counts how often it ran."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, outcome: object = "done"):
        """A function for `idempotent`."""

        def work() -> object:
            self.runs += 1
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        return work


def ask(store, work, *, key="k", payload=None, now=0.0, expires_after=60.0, remaining=30.0):
    """One request with everyday values."""
    return idempotent(key, payload, work, store=store, now=now, expires_after=expires_after, remaining=remaining)


@pytest.mark.parametrize("epoch", [0.0, 1_793_000_000.0])
def test_it_agrees_with_powertools_on_every_trace(vectors, epoch):
    """Which calls ran, what came back, what was raised; from the rule alone."""
    names = {InProgress: "IdempotencyAlreadyInProgressError", PayloadMismatch: "IdempotencyValidationError"}
    names |= {MissingKey: "IdempotencyKeyError", Failed: "handler_exception", Killed: "killed"}
    for row in vectors("idempotency_traces.json"):
        store, now = MemoryStore(), epoch
        for step in row["steps"]:
            if "advance_s" in step:
                now += step["advance_s"]
                continue
            call, work = step["call"], Work()
            outcome = {"ok": {"n": step["step_no"]}, "raise": Failed(), "killed_by_timeout": Killed()}
            seen: dict[str, object] = {}
            try:
                seen["returned"] = ask(
                    store,
                    work(outcome[step["outcome_if_run"]]),
                    key=call["order_id"],
                    payload=call["amount"] if row["payload_validation"] else None,
                    now=now,
                    expires_after=row["expires_after_s"],
                    remaining=step["remaining_ms"] / 1000,
                )
            except (*names,) as error:
                seen["raised"] = names[type(error)]
            seen["ran"] = work.runs == 1
            expected = {name: step[name] for name in ("returned", "raised", "ran") if name in step}
            assert seen == expected, f"row {row['id']}, step {step['step_no']}"


def test_the_second_request_gets_the_first_answer_and_nothing_runs():
    """Also when the answer is one that Python takes for nothing."""
    for answer in ({"n": 1}, {}, 0, "", [], None, False):
        store, work = MemoryStore(), Work()
        assert ask(store, work(answer)) == answer
        again = ask(store, work("another"))
        assert (again, type(again), work.runs) == (answer, type(answer), 1)


def test_a_stored_answer_cannot_be_changed_by_who_got_it():
    """Each gets a copy, as from a real store."""
    store, work = MemoryStore(), Work()
    ask(store, work({"items": [1]}))["items"].append(2)
    ask(store, work())["items"].append(3)
    assert ask(store, work()) == {"items": [1]}


def test_an_error_frees_the_key():
    """The next request runs."""
    store, work = MemoryStore(), Work()
    with pytest.raises(Failed):
        ask(store, work(Failed()))
    assert ask(store, work("done")) == "done"


def test_a_killed_invocation_blocks_until_its_lease_is_over_and_not_until_the_expiry():
    """Remaining 30 s: in progress up to and including 30 s, which is not yet over; then the work runs again."""
    store, work = MemoryStore(), Work()
    with pytest.raises(Killed):
        ask(store, work(Killed()), expires_after=None)
    with pytest.raises(InProgress, match="in 20 s") as raised:
        ask(store, work(), now=10.0)
    assert raised.value.retry_in == 20.0
    with pytest.raises(InProgress):
        ask(store, work(), now=30.0)
    assert ask(store, work("done"), now=30.001) == "done"


def test_no_time_left_is_a_lease_of_no_time_and_not_no_lease():
    """Powertools' old bug (issue 4759): 0 read as "unknown" leaves the record stuck."""
    for remaining in (0, 0.0, -0.5):
        store, work = MemoryStore(), Work()
        with pytest.raises(Killed):
            ask(store, work(Killed()), expires_after=None, remaining=remaining)
        assert store.records["k"].in_progress_expiry == 0.0
        assert ask(store, work("done"), now=0.001, expires_after=None) == "done"


def test_a_record_without_a_lease_blocks_until_it_expires():
    """Nothing here writes one, but another program may have."""
    store, work = MemoryStore(), Work()
    store.records["k"] = Record("k", INPROGRESS, expiry=60.0)
    with pytest.raises(InProgress, match=r"is in progress; ask again$") as raised:
        ask(store, work(), now=60.0)
    assert raised.value.retry_in is None
    assert ask(store, work("done"), now=60.001) == "done"


def test_a_lease_says_nothing_about_what_is_completed():
    """Powertools leaves the lease in a record when it completes it: the answer holds until the expiry."""
    store, work = MemoryStore(), Work()
    store.records["k"] = Record("k", COMPLETED, expiry=60.0, in_progress_expiry=30.0, answer="done")
    assert ask(store, work(), now=59.0) == "done" and work.runs == 0


def test_after_the_expiry_it_is_a_new_request_and_without_one_never():
    """At 60 s the answer is still there; a redrive after the expiry does the work twice."""
    store, work = MemoryStore(), Work()
    ask(store, work(1), expires_after=60)
    assert ask(store, work(2), now=60.0) == 1
    assert ask(store, work(2), now=60.001) == 2
    ask(store, work(1), key="for ever", expires_after=None)
    assert ask(store, work(2), key="for ever", now=1e12, expires_after=None) == 1


def test_another_payload_under_the_same_key_is_refused_done_or_not():
    """Before the question whether it is in progress, as in Powertools; the order of its fields is no difference."""
    store, work = MemoryStore(), Work()
    ask(store, work(1), payload={"a": 1, "b": 2})
    assert ask(store, work(2), payload={"b": 2, "a": 1}) == 1
    with pytest.raises(PayloadMismatch, match="'k' was used before with another payload"):
        ask(store, work(2), payload={"a": 1})
    with pytest.raises(Killed):
        ask(store, work(Killed()), key="dead", payload=1)
    with pytest.raises(PayloadMismatch):
        ask(store, work(2), key="dead", payload=2)
    with pytest.raises(InProgress):
        ask(store, work(2), key="dead", payload=1)


def test_a_payload_of_none_is_not_compared():
    """But one that is compared must be the first one."""
    store, work = MemoryStore(), Work()
    ask(store, work(1), payload=None)
    assert ask(store, work(2), payload=None) == 1
    with pytest.raises(PayloadMismatch):
        ask(store, work(2), payload=5)
    ask(store, work(1), key="x", payload=5)
    assert ask(store, work(2), key="x", payload=None) == 1


@pytest.mark.parametrize("key", [None, "", 0, 5, ["k"]])
def test_without_a_key_nothing_runs(key):
    """It would be everybody's key."""
    store, work = MemoryStore(), Work()
    with pytest.raises(MissingKey, match="an idempotency key is a text that is not empty"):
        ask(store, work(), key=key)
    assert work.runs == 0 and store.records == {}


@pytest.mark.parametrize(
    "times",
    [
        {"now": math.nan},
        {"now": math.inf},
        {"expires_after": 0},
        {"expires_after": -1},
        {"expires_after": math.nan},
        {"remaining": math.nan},
        {"remaining": math.inf},
    ],
)
def test_times_that_make_no_sense_are_refused_before_anything_runs(times):
    """A NaN in a record would never be over."""
    store, work = MemoryStore(), Work()
    with pytest.raises(ValueError, match=f"{next(iter(times))} is seconds"):
        ask(store, work(), **times)
    assert work.runs == 0 and store.records == {}


class Broken(MemoryStore):
    """A store that fails at one operation."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at

    def put_if_free(self, record: Record, now: float) -> Record | None:
        """Or not."""
        if self.at == "put":
            raise OSError("store")
        return super().put_if_free(record, now)

    def complete(self, record: Record) -> None:
        """Or not."""
        if self.at == "complete":
            raise OSError("store")
        super().complete(record)

    def delete(self, key: str) -> None:
        """Or not."""
        if self.at == "delete":
            raise OSError("store")
        super().delete(key)


def test_a_store_that_fails_first_lets_nothing_run():
    """Better not done than done twice."""
    work = Work()
    with pytest.raises(OSError):
        ask(Broken("put"), work())
    assert work.runs == 0


def test_a_store_that_fails_last_leaves_the_key_in_progress():
    """The work is done and not remembered: after the lease it runs again. Only one transaction prevents that."""
    store, work = Broken("complete"), Work()
    with pytest.raises(OSError):
        ask(store, work())
    with pytest.raises(InProgress):
        ask(store, work(), now=30.0)
    store.at = ""
    ask(store, work(), now=31.0)
    assert work.runs == 2


def test_an_error_that_cannot_free_the_key_is_still_the_error_that_is_raised():
    """With a note; the lease frees it later."""
    store, work = Broken("delete"), Work()
    with pytest.raises(Failed) as raised:
        ask(store, work(Failed()))
    assert "stays in progress until its lease is over" in raised.value.__notes__[0]
    with pytest.raises(InProgress):
        ask(store, work())


def test_a_late_failure_never_removes_what_is_completed():
    """A zombie that outlived its lease fails after another has done the work."""
    store, work = MemoryStore(), Work()

    def slow() -> None:
        ask(store, work("done"), now=31.0)
        raise Failed

    with pytest.raises(Failed):
        ask(store, slow, remaining=30.0)
    assert ask(store, work("again"), now=32.0) == "done"


def test_record_and_business_row_can_be_one_transaction():
    """The caller writes both under one condition; a repetition meets the condition and gets the stored answer."""
    ledger: list[int] = []
    table: dict[str, Record] = {}

    def charge(key: str, amount: int, now: float) -> object:
        wanted = begin(key, amount, now=now, expires_after=None, remaining=0.0)
        if not free(table.get(key), now):  # the transaction's condition
            return replay(table[key], wanted, now)
        ledger.append(amount)
        table[key] = completed_record(wanted, {"charged": amount})
        return table[key].answer

    assert charge("ORD-1", 5, 0.0) == charge("ORD-1", 5, 1e9) == {"charged": 5}
    assert ledger == [5]
    with pytest.raises(PayloadMismatch):
        charge("ORD-1", 6, 2e9)
    assert table["ORD-1"] == Record("ORD-1", COMPLETED, None, None, payload_hash(5), {"charged": 5})


@pytest.mark.parametrize("payload", [{"at": object()}, {1, 2}])
def test_a_payload_that_json_cannot_say_is_refused(payload):
    """It has no canonical form to compare."""
    with pytest.raises(TypeError):
        payload_hash(payload)


requests = st.tuples(
    st.sampled_from(["a", "b"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from(["ok", "fail", "kill"]),
    st.floats(0, 40),
    st.none() | st.sampled_from([10.0, 60.0]),
    st.sampled_from([0.0, 5.0, 30.0]),
)


@given(st.lists(requests, min_size=10, max_size=40))
def test_it_agrees_with_a_ten_line_model(requests):
    """A dictionary of (until when, how it ended, payload), asked in random order at random times."""
    store, model, now = MemoryStore(), {}, 0.0
    for number, (key, payload, outcome, passed, expires_after, remaining) in enumerate(requests):
        now, work = now + passed, Work()
        until, kept, answer, old_payload = model.get(key, (-1.0, -1.0, None, None))
        if now > until or now > kept:
            expected: object = {"ok": number, "fail": Failed, "kill": Killed}[outcome]
            keep = math.inf if expires_after is None else now + expires_after
            entry = {"ok": (math.inf, keep, number, payload), "kill": (now + remaining, keep, InProgress, payload)}
            model.pop(key, None)
            model |= {key: entry[outcome]} if outcome in entry else {}
        else:
            expected = PayloadMismatch if payload is not None and payload != old_payload else answer
        do = work({"ok": number, "fail": Failed(), "kill": Killed()}[outcome])
        try:
            seen: object = ask(
                store, do, key=key, payload=payload, now=now, expires_after=expires_after, remaining=remaining
            )
        except (Failed, Killed, InProgress, PayloadMismatch) as error:
            seen = type(error)
        assert seen == expected


overlapping = st.tuples(
    st.sampled_from("ab"), st.sampled_from(["ok", "fail", "kill"]), st.floats(0, 20), st.integers(0, 2), st.booleans()
)


@given(st.lists(overlapping, min_size=10, max_size=40))
def test_however_requests_overlap_two_never_work_within_a_lease_and_what_is_done_stays_done(requests):
    """Requests that come while others work, some of which outlive their lease of 20 s and end as they like."""
    store, now, done = MemoryStore(), 0.0, {}
    working: list[tuple[str, float]] = []  # key, and when its lease ends

    def request() -> None:
        nonlocal now
        key, outcome, passed, meanwhile, forever = requests.pop()
        number, now = len(requests), now + passed
        until = math.inf if forever else now + 60.0

        def work() -> int:
            assert all(other != key or ends < now for other, ends in working), "two at work within a lease"
            assert key not in done or done[key][1] < now, "done, and done again"
            working.append((key, begun + 20.0))
            for _ in range(min(meanwhile, len(requests))):
                if requests:
                    request()
            working.pop()
            if outcome != "ok":
                raise {"fail": Failed, "kill": Killed}[outcome]
            done[key] = (number, until)
            return number

        begun = now
        try:
            answer = ask(store, work, key=key, now=now, expires_after=None if forever else 60.0, remaining=20.0)
        except Failed:
            assert outcome == "fail"
        except Killed:
            assert outcome == "kill"
            working_dead.append((key, begun + 20.0))
        except InProgress:
            assert any(other == key and ends >= begun for other, ends in working + working_dead)
        else:
            assert answer == done[key][0]

    working_dead: list[tuple[str, float]] = []  # killed: nobody works, and the lease goes on
    while requests:
        request()
