"""The hunt: every crash that can happen, taken from the history itself, and the audit after each.

A run without faults leaves a trace in which every call of every handler to AWS has a step number. The hunt runs the
same little day again once for each step, with the execution environment dying just before that call or just after it
(an invoke or a PutEvents also loses its answer, or is refused in part), and reads the books when all is at rest.
Nothing is listed by hand: a new call is hunted the day it is written. Taught in notebooks/11_game_day.ipynb
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .audit.books import books_of
from .audit.findings import Expected
from .audit.verdict import Audit, audit
from .days.day import Product
from .days.play import TRIES, open_shop, turn_knob

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

CRASHES = ("crash-before", "crash-after")
MORE = {"lambda.Invoke": ("lost-response",), "eventbridge.PutEvents": ("lost-response", "put-events")}
OPENING = {"lamp": 3, "mug": 9}
CATALOGUE = {"lamp": Product(1295, "lamp"), "mug": Product(110_000, "mug")}
Order = tuple[str, str, dict[str, int]]  # customer, Idempotency-Key, quantity by code
Orders = Sequence[Order]
ORDERS: Orders = (
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
    """A run that came out wrong: its seed, its faults, and what the audit says."""

    seed: int
    faults: tuple[tuple[Step, str], ...]
    verdict: Audit

    def __str__(self) -> str:
        where = " and ".join(f"{kind} {step.call} of {step.function} (step {step.number})"
                             for step, kind in self.faults) or "no fault at all"  # fmt: skip
        return f"seed {self.seed}, {where}: " + "; ".join(
            [f"{found.kind} {found.subject}: {found.why}" for found in self.verdict.findings]
            + [f"{order} is {end.state}" for order, end in self.verdict.ends.items() if not _ended(end.state)]
        )


def play(cloud: "Cloud", seed: int, faults: Iterable[tuple[int, str]] = (), orders: Orders = ORDERS) -> Audit:
    """Play the little day once, with these faults at these steps, and judge the books.

    The clients are patient: who is answered by no 202 asks again with the same key; the first order is sent twice.
    """
    from orderlab.cloud import Faults

    plan = Faults(seed)
    for number, kind in faults:
        plan.at_step(number, kind)
    cloud.reset(seed=seed, faults=plan)
    open_shop(cloud.client, cloud.outputs, CATALOGUE, OPENING)
    turn_knob(cloud.client, cloud.outputs, declineRate=0.5)
    waiting = [(order, _send(cloud, order, cloud.now + n * 0.3)) for n, order in enumerate(orders)]
    waiting.append((orders[0], _send(cloud, orders[0], cloud.now + 0.35)))
    accepted = set()
    for _ in range(TRIES):
        cloud.run()
        accepted |= {sent.response.json()["orderId"] for _, sent in waiting if _is_accepted(sent)}
        waiting = [(order, _send(cloud, order, cloud.now + 1.0)) for order, sent in waiting if not _is_accepted(sent)]
        if not waiting:
            break
    return audit(books_of(cloud), Expected(OPENING, accepted))


def steps(cloud: "Cloud") -> list[Step]:
    """The calls to AWS in the trace of the run before, in their order."""
    return [Step(row.detail["step"], row.actor, row.what) for row in cloud.trace.select("call")]


def is_clean(verdict: Audit) -> bool:
    """Four zeros, and every order came to a good end: confirmed or cancelled."""
    return not verdict.findings and all(_ended(end.state) for end in verdict.ends.values())


def singles(cloud: "Cloud", seed: int, *, only: str = "", every: int = 1, first: int = 0) -> Iterator[Catch]:
    """Each fault alone, at every call of every handler (or of one). Yields what came out wrong.

    `every` and `first` take a slice: each n-th case, from the given one on.
    """
    verdict = play(cloud, seed)
    if not is_clean(verdict):
        yield Catch(seed, (), verdict)
    cases = [(step, kind) for step in steps(cloud) if only in step.function for kind in _kinds(step)]
    for case in cases[first % every :: every]:
        yield from _judge(cloud, seed, (case,), ORDERS)


def pairs(cloud: "Cloud", seed: int, function: str) -> Iterator[Catch]:
    """Two crashes in one run, at every pair of calls of one function, for one order. Yields what came out wrong.

    The second is chosen in the history that the first leads to, where the repeated calls have steps of their own.
    """
    orders = ORDERS[:1]
    play(cloud, seed, orders=orders)
    for case in [(step, kind) for step in steps(cloud) if step.function == function for kind in CRASHES]:
        play(cloud, seed, [(case[0].number, case[1])], orders)
        later = [step for step in steps(cloud) if step.function == function and step.number > case[0].number]
        for other in [(step, kind) for step in later for kind in CRASHES]:
            yield from _judge(cloud, seed, (case, other), orders)


def _kinds(step: Step) -> tuple[str, ...]:
    return CRASHES + MORE.get(step.call, ())


def _judge(cloud: "Cloud", seed: int, faults: tuple[tuple[Step, str], ...], orders: Orders) -> Iterator[Catch]:
    verdict = play(cloud, seed, [(step.number, kind) for step, kind in faults], orders)
    if not is_clean(verdict):
        yield Catch(seed, faults, verdict)


def _send(cloud: "Cloud", order: Order, when: float) -> Any:
    customer, key, items = order
    body = {"customerId": customer, "items": [{"sku": sku, "quantity": n} for sku, n in items.items()]}
    headers = {"Content-Type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": key}
    return cloud.request_at(when, "POST", "/orders", body=body, headers=headers)


def _is_accepted(sent: Any) -> bool:
    return sent.response is not None and sent.response.status == 202


def _ended(state: str) -> bool:
    return state in ("confirmed", "cancelled")


def main(arguments: list[str]) -> int:
    """`orderlab hunt`: every single crash and every pair for payment, for some seeds. Exit 1 if anything is caught."""
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
