"""PaymentProvider: a stand-in for the third party that takes the money, with a ledger, and a knob to make it fail.

    {"action": "charge", "key": …, "amount": pence}   answers captured, declined or cancelled
    {"action": "cancel", "key": …}                    answers cancelled (nothing was taken) or refunded

Each repeats its first answer for ever: the answer is kept in one transaction with the ledger's row. A cancel that
comes before its charge makes that charge answer "cancelled". A decline is an answer, not an error; "refused" is the
answer to a request that makes no sense. An exception is neither: whoever asked knows nothing, and asks again with the
same key.

The knob is a row of the ledger's table, {"key": "#knob"}, read at every call: `downUntil` (seconds since the epoch),
`latency` (seconds, before anything is done), `errorRate` and `lostRate` (shares of the calls: fail before the effect;
answer too late after it), `declineRate` (share of the keys). What the row does not say, the variable CHAOS does (JSON).
Taught in notebooks/01_ask_or_tell.ipynb and 09_knowing_when_to_stop.ipynb
"""

import json
import os
import random
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from orderlab.orders import clients, events, idempotency_store, log, order, rows, transactions
from orderlab.orders.order import Invalid
from orderlab.patterns import idempotency

KNOB = "#knob"
LOST = 2.0  # seconds by which a lost answer is late: twice the caller's read time-out
ROUNDS = 3  # a charge and a cancel can take the ledger's row from each other once


class Trouble(Exception):
    """The provider does not work now. Whether anything was done is not said."""


@dataclass(frozen=True)
class Asked:
    """A request that makes sense. Money in pence; a cancellation's amount means nothing."""

    action: str
    key: str
    amount: int


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The entry point, invoked synchronously. Answers as above; raises Trouble, and what AWS raises."""
    say = log.logger(context)
    try:
        asked = check(event)
        knob, record, ledger = _read(asked)
        hinder(knob)
        answer = settle(asked, record, ledger, knob.get("declineRate", 0))
    except (Invalid, idempotency.PayloadMismatch) as error:
        say("WARNING", f"refused: {error}")
        return {"answer": "refused", "message": str(error)}
    say("INFO", asked.action, asked.key, answer=answer["answer"])
    if _happens(knob.get("lostRate", 0)):
        time.sleep(LOST)
    return answer


def check(request: object) -> Asked:
    """Judge a request. Raises Invalid."""
    if not isinstance(request, dict) or request.get("action") not in ("charge", "cancel"):
        raise Invalid("the action must be charge or cancel")
    key = request.get("key")
    if not isinstance(key, str) or not 1 <= len(key) <= 64 or key.startswith("#"):
        raise Invalid("the key must have 1-64 characters and not begin with '#'")
    charge = request["action"] == "charge"
    return Asked(request["action"], key, order.whole(request.get("amount"), "amount", 0) if charge else 0)


def hinder(knob: rows.Row) -> None:
    """What the knob says, before any effect. Raises Trouble."""
    if time.time() < knob.get("downUntil", 0):
        raise Trouble("the provider is down")
    if knob.get("latency"):
        time.sleep(knob["latency"])
    if _happens(knob.get("errorRate", 0)):
        raise Trouble("the provider failed")


def settle(asked: Asked, record: rows.Row | None, ledger: rows.Row | None, decline_rate: float) -> dict[str, Any]:
    """The answer to this request: the first one if there was one, else one that is kept together with its effect.

    Raises PayloadMismatch for another amount under the same key, Trouble when others are too busy with it.
    """
    table = os.environ["LEDGER_TABLE"]
    for _ in range(ROUNDS):
        now = time.time()
        wanted = idempotency.begin(_memory(asked), [asked.amount], now=now, expires_after=None, remaining=0)
        if record is not None:
            return dict(idempotency.replay(idempotency_store.from_row(record, "key"), wanted, now))
        answer, row = decide(asked, ledger, decline_rate, events.timestamp(now))
        done = idempotency_store.to_row(idempotency.completed_record(wanted, answer), "key")
        writes = [{"Put": rows.new(table, done)}]
        if row is not None:
            seen = rows.over(table, row, ledger["answer"], of="answer") if ledger else rows.new(table, row)
            writes.append({"Put": seen})
        if not transactions.write(writes):
            return answer
        _, record, ledger = _read(asked)  # somebody was faster
    raise Trouble("others are at this key")


def decide(
    asked: Asked, ledger: rows.Row | None, decline_rate: float, at: str
) -> tuple[dict[str, Any], rows.Row | None]:
    """The first answer to a request, and the ledger's row after it (None: as it is). Pure; `at` is the time."""

    def answer(word: str, amount: int) -> dict[str, Any]:
        return {"answer": word, "key": asked.key, "amount": amount, "at": at}

    if asked.action == "charge":
        if ledger is not None:  # only its cancellation can have come before
            return answer("cancelled", 0), None
        said = answer("declined" if share(asked.key) < decline_rate else "captured", asked.amount)
        return said, {"key": asked.key, **said}
    if ledger is None:
        said = answer("cancelled", 0)
        return said, {"key": asked.key, **said}
    if ledger["answer"] == "captured":
        return answer("refunded", ledger["amount"]), ledger | {"answer": "refunded", "refundedAt": at}
    return answer("cancelled", 0), None  # it was declined: there is nothing to give back


def share(key: str) -> float:
    """Where in [0, 1) the key lies: the same at every retry, so that a decline is a property of the order."""
    return int(sha256(key.encode()).hexdigest()[:8], 16) / 2**32


def _read(asked: Asked) -> tuple[rows.Row, rows.Row | None, rows.Row | None]:
    """The knob, the memory of this request, and the ledger's row."""
    table, keys = os.environ["LEDGER_TABLE"], (KNOB, _memory(asked), asked.key)
    wanted = {table: {"Keys": [rows.to_item({"key": key}) for key in keys], "ConsistentRead": True}}
    answer = clients.dynamodb().batch_get_item(RequestItems=wanted)
    if answer.get("UnprocessedKeys"):
        raise Trouble("the ledger cannot be read")
    found = {row["key"]: row for row in map(rows.from_item, answer["Responses"].get(table, []))}
    knob = json.loads(os.environ.get("CHAOS", "{}")) | found.get(KNOB, {})
    return knob, found.get(keys[1]), found.get(asked.key)


def _memory(asked: Asked) -> str:
    return f"#{asked.action} {asked.key}"


def _happens(rate: float) -> bool:
    return rate > 0 and random.random() < rate
