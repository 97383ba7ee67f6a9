"""Plays a day on a deployed system: opens the shop, sends every request at a steady rate, and troubles it on order.

The clients are as patient as those of the local day: no answer, 429 or 5xx, and they ask again with the same
Idempotency-Key, after a wait with full jitter. The day's hours are not waited for: only the order of requests counts.
Taught in notebooks/12_ship_it.ipynb
"""

import random
import time

from ..aws.talk import Say
from ..days.day import Day, Request, opening_stock
from ..days.play import KNOB, TRIES, Played, Trouble, open_shop, poison_ids, put_poison, turn_knob
from .door import Answer
from .site import Site

# seconds: the longest of the first wait of a client that asks again, doubled up to the second
WAIT, MOST_WAIT = 0.5, 8.0


def play(site: Site, day: Day, trouble: Trouble, seed: int | str, rate: float, deadline: float, say: Say) -> Played:
    """Send the whole day at `rate` requests/s. What is not sent by `deadline` (of the site's clock) is never sent.

    The provider's knob stays as it is turned here: `calm` turns it back, once the orders are decided. A seed with the
    run's name in it keeps the poison of two runs apart.
    """
    rng = random.Random(f"live {seed}")
    played = Played(opening_stock(day.usable, trouble.stock), poison_ids(trouble.poison, seed))
    open_shop(site.client, site.outputs, day.catalogue, played.opening)
    down = trouble.provider_down
    calm(site)
    wanted = {"declineRate": trouble.decline, "downUntil": site.wall() + down if down else 0.0}
    if any(wanted.values()):
        turn_knob(site.client, site.outputs, **{name: value for name, value in wanted.items() if value})
    if trouble.poison:
        at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(site.wall()))
        put_poison(site.client, site.outputs, played.poison, at)
    begun = site.clock()
    todo = [(n, request) for n, request in enumerate(day.requests) if request.body is not None]
    for sent, (n, request) in enumerate(todo):
        _until(site, begun + sent / rate)
        if site.clock() >= deadline:
            say(f"the time is over: {len(todo) - sent} of {len(todo)} requests are not sent")
            break
        answer = ask(site, request, rng, deadline)
        played.answers[n] = (answer.status, answer.body)
        if (sent + 1) % max(1, len(todo) // 5) == 0:
            say(f"{sent + 1} of {len(todo)} requests are sent")
    _until(site, begun + down)
    return played


def calm(site: Site) -> None:
    """Turn the provider's knob back: a value that is not there leaves the word to the stack's parameter Chaos."""
    site.client("dynamodb").update_item(
        TableName=site.outputs["LedgerTableName"],
        Key={"key": {"S": KNOB}},
        UpdateExpression="REMOVE declineRate, downUntil",
    )


def ask(site: Site, request: Request, rng: random.Random, deadline: float) -> Answer:
    """One request, up to TRIES times; the last answer."""
    assert request.body is not None
    answer = site.door.place(request.key, request.body)
    for attempt in range(1, TRIES):
        if not answer.again or site.clock() >= deadline:
            break
        site.sleep(rng.uniform(0.0, min(MOST_WAIT, WAIT * 2 ** (attempt - 1))))
        answer = site.door.place(request.key, request.body)
    return answer


def _until(site: Site, moment: float) -> None:
    if moment > site.clock():
        site.sleep(moment - site.clock())
