"""The hunt: every crash that can happen, taken from the history itself, and the audit after each.

A run without faults leaves a trace in which every call of every handler to AWS has a step number. The hunt runs the
same little day again once for each step, with the execution environment dying just before that call or just after it,
and reads the books when the system has come to rest. Nothing is listed by hand: a new call is hunted the day it is
written. Taught in notebooks/11_game_day.ipynb
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from .audit import Audit, audit
from .books import Books, read_books
from .findings import Expected
from .play import turn_knob, write_rows

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

CRASHES = ("crash-before", "crash-after")
OPENING = {"lamp": 3, "mug": 9}
PRICES = {"lamp": 1295, "mug": 110_000}
ORDERS = (
    ("C-1", "1", {"lamp": 1, "mug": 1}),  # goes well, and is big enough for the review queue
    ("C-2", "2", {"mug": 1, "lamp": 100}),  # more than there is: the payment is undone
    ("C-3", "3", {"mug": 2}),
    ("C-4", "4", {"lamp": 1}),  # one of these two is declined: its stock is undone
)


@dataclass(frozen=True)
class Step:
    """One call of one handler in the history without faults."""

    number: int
    function: str
    call: str


@dataclass(frozen=True)
class Catch:
    """A run that came out wrong: its seed, its crashes, and what the audit says."""

    seed: int
    crashes: tuple[tuple[Step, str], ...]
    verdict: Audit

    def __str__(self) -> str:
        where = " and ".join(f"{kind} {step.call} of {step.function} (step {step.number})"
                             for step, kind in self.crashes) or "no fault at all"  # fmt: skip
        return f"seed {self.seed}, {where}: " + "; ".join(
            [f"{found.kind} {found.subject}: {found.why}" for found in self.verdict.findings]
            + [f"{order} is {end.state}" for order, end in self.verdict.ends.items() if not _ended(end.state)]
        )


def play(cloud: "Cloud", seed: int, crashes: Iterable[tuple[int, str]] = (), decline: float = 0.5) -> Audit:
    """Play the little day once, with these crashes at these steps, and judge the books.

    The clients are patient: who gets no 202 asks again with the same key. So is the operator: at the end the dead
    letters are moved back once.
    """
    from orderlab.cloud import Faults

    faults = Faults(seed)
    for number, kind in crashes:
        faults.at_step(number, kind)
    cloud.reset(seed=seed, faults=faults)
    _open_shop(cloud, decline)
    accepted = set()
    pending = {n: _send(cloud, n, cloud.now + n * 0.3) for n in range(len(ORDERS))}
    pending[len(ORDERS)] = _send(cloud, 0, cloud.now + 0.35)  # an impatient client: the first order twice
    for _ in range(5):
        cloud.run()
        accepted |= {answer.response.json()["orderId"] for answer in pending.values() if _status(answer) == 202}
        again = [n for n, answer in pending.items() if _status(answer) != 202]
        if not again:
            break
        pending = {n: _send(cloud, n % len(ORDERS), cloud.now + 1.0) for n in again}
    return audit(books_of(cloud), Expected(OPENING, accepted))


def books_of(cloud: "Cloud") -> Books:
    """The books of a local cloud, its messages looked at without being received."""
    return read_books(cloud.client, cloud.outputs, lambda url: [m.body for m in cloud.queues.messages(url)])


def steps(cloud: "Cloud") -> list[Step]:
    """The calls to AWS in the trace of the run before, in their order."""
    return [Step(row.detail["step"], row.actor, row.what) for row in cloud.trace.select("call")]


def is_clean(verdict: Audit, orders: int = len(ORDERS)) -> bool:
    """Four zeros, and every order came to a good end: confirmed or cancelled."""
    return not verdict.findings and len(verdict.ends) == orders and all(
        _ended(end.state) for end in verdict.ends.values())  # fmt: skip


def singles(cloud: "Cloud", seed: int, only: str | None = None) -> Iterator[Catch]:
    """Each crash alone: before and after every call of every handler (or of one). Yields what came out wrong."""
    first = play(cloud, seed)
    found = steps(cloud)
    if not is_clean(first):
        yield Catch(seed, (), first)
    for step, kind in product(found, CRASHES):
        if only is None or step.function == only:
            yield from _judge(cloud, seed, ((step, kind),))


def pairs(cloud: "Cloud", seed: int, function: str) -> Iterator[Catch]:
    """Two crashes in one run, at every pair of calls of one function. Yields what came out wrong.

    The second is chosen in the history that the first leads to, where the retried calls have steps of their own.
    """
    play(cloud, seed)
    for first, kind in product([step for step in steps(cloud) if step.function == function], CRASHES):
        play(cloud, seed, [(first.number, kind)])
        later = [step for step in steps(cloud) if step.function == function and step.number > first.number]
        for second, other in product(later, CRASHES):
            yield from _judge(cloud, seed, ((first, kind), (second, other)))


def _judge(cloud: "Cloud", seed: int, crashes: tuple[tuple[Step, str], ...]) -> Iterator[Catch]:
    verdict = play(cloud, seed, [(step.number, kind) for step, kind in crashes])
    if not is_clean(verdict):
        yield Catch(seed, crashes, verdict)


def _open_shop(cloud: "Cloud", decline: float) -> None:
    tables, outputs = cloud.client("dynamodb"), cloud.outputs
    write_rows(tables, outputs["CatalogueTableName"],
               [{"sku": {"S": s}, "price": {"N": str(p)}, "name": {"S": s}} for s, p in PRICES.items()])  # fmt: skip
    write_rows(tables, outputs["StockTableName"],
               [{"sku": {"S": s}, "onHand": {"N": str(n)}} for s, n in OPENING.items()])  # fmt: skip
    turn_knob(cloud.client, outputs, declineRate=decline)


def _send(cloud: "Cloud", n: int, when: float) -> Any:
    customer, key, items = ORDERS[n % len(ORDERS)]
    body = {"customerId": customer, "items": [{"sku": sku, "quantity": q} for sku, q in items.items()]}
    headers = {"Content-Type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": key}
    return cloud.request_at(when, "POST", "/orders", body=body, headers=headers)


def _status(pending: Any) -> int:
    return pending.response.status if pending.response is not None else 0


def _ended(state: str) -> bool:
    return state in ("confirmed", "cancelled")


def main(arguments: list[str]) -> int:
    """`orderlab hunt`: every single crash and every pair for payment, for so many seeds. Exit 1 if anything is caught."""
    parser = argparse.ArgumentParser(prog="orderlab hunt", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds (default 1)")
    parser.add_argument("--pairs", action="store_true", help="two crashes in a run as well, for ChargePayment")
    given = parser.parse_args(arguments)
    from orderlab.cloud import Cloud

    caught = 0
    with Cloud() as cloud:
        for seed in range(given.seeds):
            catches = [*singles(cloud, seed), *(pairs(cloud, seed, "ChargePayment") if given.pairs else ())]
            for catch in catches:
                print(catch)
            caught += len(catches)
            print(f"seed {seed}: {len(catches)} caught", file=sys.stderr)
    print(f"{given.seeds} seeds hunted, {caught} caught")
    return 1 if caught else 0
