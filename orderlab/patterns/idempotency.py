"""Do it once, though it is asked for again: remember, under a key, that it was done and what the answer was.

Queues, streams and asynchronous invokes of AWS deliver at least once, and a client that heard nothing asks again. A
record goes through three states, each step one conditional write:

    (free) --put_if_free--> INPROGRESS --complete--> COMPLETED        put_if_free succeeds where no record lives:
       ^________delete_________|  (the work raised)                   none, an expired one, or an INPROGRESS one whose
                                                                      lease is over (its invocation was killed)

The rules are those of Powertools for AWS Lambda 3.37: an exception frees the key; a killed invocation leaves INPROGRESS
until its lease (start + remaining time) is over; a live INPROGRESS raises InProgress; a stored answer is returned
without running; another payload under the key raises PayloadMismatch; times are over strictly after them. Different
here: the key is the caller's own text, and there always is one; the payload's hash is SHA-256; times are not cut to
whole seconds; the expiry counts from the start of the work; a falsy answer ({} or 0) comes back as it was, not as None;
an error that frees a key is raised also when freeing fails; a late failure never removes what is COMPLETED; a record
can be kept for ever; the store's own errors are not wrapped. tests/peers runs both, row by row.

A consumer must not rely on a record that expires: a standard queue keeps a message for up to 14 days, the time in its
dead-letter queue included, and a redrive begins them anew; after the expiry it does the work twice. Either keep the
record for ever (`expires_after=None`) or let the business row itself say that it is done. And between the work and
`complete` a crash leaves work done and not remembered, unless both are one transaction: write
`completed_record(begin(...), answer)` together with the business row, under the condition of `free`, and answer
`replay(...)` of the old record if that fails.

Taught in notebooks/07_exactly_once_nearly.ipynb.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

from orderlab.patterns.checks import finite, seconds

INPROGRESS, COMPLETED = "INPROGRESS", "COMPLETED"


class MissingKey(Exception):
    """There is no key: without one every request would be the same request."""


class InProgress(Exception):
    """Another invocation is at work on this key. `retry_in`: seconds until its lease is over; None: it has none."""

    def __init__(self, key: str, retry_in: float | None) -> None:
        super().__init__(key, retry_in)
        self.key, self.retry_in = key, retry_in

    def __str__(self) -> str:
        return f"{self.key!r} is in progress; ask again" + ("" if self.retry_in is None else f" in {self.retry_in:g} s")


class PayloadMismatch(Exception):
    """The key was used before with another payload: a client's mistake (HTTP 422), not a repetition."""


@dataclass(frozen=True)
class Record:
    """What is remembered under a key. Times are seconds since 1970, None is never; the answer is what JSON can say."""

    key: str
    status: str
    expiry: float | None = None
    in_progress_expiry: float | None = None
    payload_hash: str = ""
    answer: Any = None


class Store(Protocol):
    """Where records are kept."""

    def put_if_free(self, record: Record, now: float) -> Record | None:
        """Write the record if `free(old one, now)`, atomically. None: the key is ours; else the record in the way."""

    def complete(self, record: Record) -> None:
        """Replace the record of this key."""

    def delete(self, key: str) -> None:
        """Remove the record of this key while it is INPROGRESS (what is COMPLETED stays)."""


def idempotent(
    key: str,
    payload: Any,
    work: Callable[[], Any],
    *,
    store: Store,
    now: float,
    expires_after: float | None,
    remaining: float,
) -> Any:
    """Run `work` unless it was done under this key before, and answer what it answered.

    `payload` is compared with the first request's (None: not compared). `remaining` is the invocation's time left, in
    seconds; 0 is 0. The record is forgotten after `expires_after` seconds, or with None never.
    Raises MissingKey, InProgress, PayloadMismatch, ValueError for times that make no sense, and whatever `work` or the
    store raises. Only Exceptions free the key: what kills an invocation does not.
    """
    record = begin(key, payload, now=now, expires_after=expires_after, remaining=remaining)
    in_the_way = store.put_if_free(record, now)
    if in_the_way is not None:
        return replay(in_the_way, record, now)
    try:
        answer = work()
    except Exception as error:
        try:
            store.delete(key)
        except Exception as problem:
            error.add_note(f"and {key!r} stays in progress until its lease is over: freeing it failed, {problem!r}")
        raise
    store.complete(completed_record(record, answer))
    return answer


def begin(key: str, payload: Any, *, now: float, expires_after: float | None, remaining: float) -> Record:
    """The INPROGRESS record of a request that begins at `now`. Raises MissingKey, and ValueError for bad times."""
    if not isinstance(key, str) or not key:
        raise MissingKey(f"an idempotency key is a text that is not empty, got {key!r}")
    lease_ends = finite("now", now) + max(0.0, finite("remaining", remaining))
    expiry = None if expires_after is None else now + seconds("expires_after", expires_after)
    return Record(key, INPROGRESS, expiry, lease_ends, payload_hash(payload))


def completed_record(record: Record, answer: Any) -> Record:
    """The record of the same request when it is done."""
    return replace(record, status=COMPLETED, in_progress_expiry=None, answer=answer)


def free(record: Record | None, now: float) -> bool:
    """May a new request take the key of this record? As a condition for DynamoDB: attribute_not_exists(key) OR
    expiry < :now OR (status = INPROGRESS AND in_progress_expiry < :now)."""
    if record is None or (record.expiry is not None and record.expiry < now):
        return True
    return record.status == INPROGRESS and record.in_progress_expiry is not None and record.in_progress_expiry < now


def replay(in_the_way: Record, wanted: Record, now: float) -> Any:
    """What a repeated request gets: the stored answer. Raises PayloadMismatch or InProgress."""
    if wanted.payload_hash and in_the_way.payload_hash != wanted.payload_hash:
        raise PayloadMismatch(f"{wanted.key!r} was used before with another payload")
    if in_the_way.status == INPROGRESS:
        lease = in_the_way.in_progress_expiry
        raise InProgress(wanted.key, None if lease is None else max(0.0, lease - now))
    return in_the_way.answer


def payload_hash(payload: Any) -> str:
    """SHA-256 of the payload as JSON with sorted keys; "" for None. Raises TypeError for what JSON cannot say."""
    return "" if payload is None else sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


class MemoryStore:
    """A store in memory, for lessons and tests. Answers go through JSON, as they would through a real one."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}

    def put_if_free(self, record: Record, now: float) -> Record | None:
        """See Store."""
        old = self.records.get(record.key)
        if old is not None and not free(old, now):
            return replace(old, answer=json.loads(json.dumps(old.answer)))
        self.records[record.key] = record
        return None

    def complete(self, record: Record) -> None:
        """See Store."""
        self.records[record.key] = replace(record, answer=json.loads(json.dumps(record.answer)))

    def delete(self, key: str) -> None:
        """See Store."""
        if key in self.records and self.records[key].status == INPROGRESS:
            del self.records[key]
