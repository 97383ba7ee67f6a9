"""A made-up day with the mix of a real one: clean orders, and what a shop's door has to deal with.

On one day of the public "Online Retail" data set 143 requests came: 6 cancellations, which are orders of fewer than no
units; 16 without a customer; 17 that name a code twice; 2 of over 500 lines. Here are the same numbers in another shop.
Each request is sent as it is, so that the order system meets every flaw.

Source: D. Chen, Online Retail, UCI Machine Learning Repository, 2015: 1 December 2010.
Taught in notebooks/02_the_front_door.ipynb
"""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .day import Day, Refusal, Request, flaw_of
from .plausible import plausible_day

REQUESTS = 143
CANCELLATIONS, WITHOUT_CUSTOMER, CODE_TWICE, ENDLESS = 6, 16, 17, 2
LONGEST = 500  # lines: an endless order has more

Body = dict[str, Any]


def typical_day(seed: int) -> Day:
    """143 requests over one day, 41 of them flawed; the same for the same seed. `flaw` says what is wrong with one."""
    day, rng = plausible_day(REQUESTS, seed), random.Random(f"typical day {seed}")
    counts: list[tuple[int, Callable[[Body], Body]]] = [
        (CANCELLATIONS, _cancelled),
        (WITHOUT_CUSTOMER, lambda body: {"items": body["items"]}),
        (CODE_TWICE, lambda body: body | {"items": [*body["items"], rng.choice(body["items"])]}),
        (ENDLESS, lambda body: body | {"items": _many(list(day.catalogue), rng)}),
    ]
    spoil = [change for count, change in counts for _ in range(count)]
    chosen = dict(zip(rng.sample(range(REQUESTS), len(spoil)), spoil, strict=True))
    requests = tuple(_flawed(one, chosen[n]) if n in chosen else one for n, one in enumerate(day.requests))
    return replace(day, source=f"a typical day, seed {seed}", requests=requests)


def _flawed(request: Request, change: Callable[[Body], Body]) -> Request:
    body = change(request.body or {})
    reason = flaw_of(body, request.key)
    return replace(request, body=body, flaw=Refusal(request.line, reason) if reason else None)


def _cancelled(body: Body) -> Body:
    return body | {"items": [item | {"quantity": -item["quantity"]} for item in body["items"]]}


def _many(codes: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """More lines than the real day's longest orders had: every code of the shop, and some once more."""
    lines = [*codes, *rng.sample(codes, LONGEST + rng.randint(10, 60) - len(codes))]
    return [{"sku": sku, "quantity": rng.randint(1, 6)} for sku in lines]
