"""Plays a day on the local cloud: opens the shop, sends every request at its time, and troubles the system on order.

The clients are patient: one that is answered by nobody, by 429 or by 5xx, asks again with the same Idempotency-Key.
Everything goes through the front door and the public API of each service; the hours between cost nothing in virtual
time.

Taught in notebooks/00_start_here.ipynb
"""

import hashlib
import json
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .day import Day, Product, Request, opening_stock

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

DAY = 86_400.0  # seconds
TRIES = 5  # of one client for one order
KNOB = "#knob"  # the row of the ledger's table that makes the stand-in provider misbehave


@dataclass(frozen=True)
class Trouble:
    """What makes the day interesting."""

    decline: float = 0.0  # the share of charges that the provider declines
    provider_down: float = 0.0  # seconds of outage, when the shop is busiest
    poison: int = 0  # events OrderPlaced without items, in the middle of the day
    stock: Decimal = Decimal(1)  # the share of what will be ordered that is in stock

    def told(self) -> dict[str, float]:
        """As the result of a day names it."""
        return {**vars(self), "stock": float(self.stock)}


@dataclass(frozen=True)
class Played:
    """What the outside world knows when the day is over."""

    opening: dict[str, int]  # sku -> units
    poison: tuple[str, ...]  # the order ids in the poisonous events
    answers: dict[int, tuple[int, dict[str, Any]]] = field(default_factory=dict)  # index of the request -> status, body

    @property
    def accepted(self) -> dict[int, str]:
        """The order id of every request that was answered 202, by index of the request."""
        return {n: str(body.get("orderId")) for n, (status, body) in self.answers.items() if status == 202}


def play(cloud: "Cloud", day: Day, trouble: Trouble, seed: int, say: Callable[[str], None]) -> Played:
    """Play the whole day and let the system come to rest. `say` gets a line of progress now and then."""
    played = Played(opening_stock(day.usable, trouble.stock), poison_ids(trouble.poison, seed))
    open_shop(cloud.client, cloud.outputs, day.catalogue, played.opening)
    if trouble.decline:
        turn_knob(cloud.client, cloud.outputs, declineRate=trouble.decline)
    midnight = (cloud.now // DAY + 1) * DAY
    sent = {n: request for n, request in enumerate(day.requests) if request.body is not None}
    pending = {n: _send(cloud, request, midnight + request.arrives) for n, request in sent.items()}
    times = [midnight + request.arrives for request in sent.values()]
    for when, act in sorted(_moments(cloud, trouble, played.poison, times, say), key=lambda moment: moment[0]):
        cloud.run(until=when)
        act()
    say(f"all {len(times)} requests are sent; the system comes to rest")
    cloud.run()
    for _ in range(TRIES - 1):
        unanswered = [n for n, answer in pending.items() if _again(answer)]
        if not unanswered:
            break
        pending |= {n: _send(cloud, sent[n], cloud.now + 1.0) for n in unanswered}
        cloud.run()
    say(f"at rest at {_clock(cloud.now)}")
    played.answers.update((n, _read(answer)) for n, answer in pending.items())
    return played


def open_shop(
    client: Callable[[str], Any], outputs: Mapping[str, str], catalogue: dict[str, Product], opening: dict[str, int]
) -> None:
    """Write the price list and the opening stock, both by code."""
    prices = [{"sku": {"S": s}, "price": {"N": str(p.price)}, "name": {"S": p.name}} for s, p in catalogue.items()]
    write_rows(client("dynamodb"), outputs["CatalogueTableName"], prices)
    stock = [{"sku": {"S": sku}, "onHand": {"N": str(units)}} for sku, units in opening.items()]
    write_rows(client("dynamodb"), outputs["StockTableName"], stock)


def write_rows(tables: Any, table: str, items: list[dict[str, Any]]) -> None:
    """BatchWriteItem takes 25 rows, and hands back those that it had no capacity for."""
    for start in range(0, len(items), 25):
        todo = {table: [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]}
        while todo:
            todo = tables.batch_write_item(RequestItems=todo).get("UnprocessedItems") or {}


def turn_knob(client: Callable[[str], Any], outputs: Mapping[str, str], **values: float) -> None:
    """Set the stand-in provider's knob: declineRate, errorRate, latency (s), downUntil (seconds since the epoch)."""
    names = {f"#{name}": name for name in values}
    client("dynamodb").update_item(
        TableName=outputs["LedgerTableName"],
        Key={"key": {"S": KNOB}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{name}": {"N": repr(value)} for name, value in values.items()},
    )


def poison_ids(count: int, seed: int | str) -> tuple[str, ...]:
    """Ids as orders have them, of orders that nobody placed."""
    return tuple(f"ORD-{hashlib.sha256(f'poison {seed} {n}'.encode()).hexdigest()[:20]}" for n in range(count))


def put_poison(client: Callable[[str], Any], outputs: Mapping[str, str], order_ids: Iterable[str], at: str) -> None:
    """Put one OrderPlaced without items on the bus for each id. Raises RuntimeError if the bus refuses one."""
    details = [{"version": "1", "orderId": order_id, "at": at, "customerId": "C-poison"} for order_id in order_ids]
    entries = [
        {
            "EventBusName": outputs["BusName"],
            "Source": "orders.api",
            "DetailType": "OrderPlaced",
            "Detail": json.dumps(d),
        }
        for d in details
    ]
    for start in range(0, len(entries), 10):
        answer = client("events").put_events(Entries=entries[start : start + 10])
        if answer["FailedEntryCount"]:
            raise RuntimeError(f"the bus refused poison: {answer['Entries']}")


def _moments(
    cloud: "Cloud", trouble: Trouble, poison: tuple[str, ...], times: list[float], say: Callable[[str], None]
) -> Iterator[tuple[float, Callable[[], None]]]:
    """What happens at which time of the day beside the requests: progress, the outage, the poison."""
    for tenth in range(1, 10):
        done = len(times) * tenth // 10
        if done:
            yield times[done - 1], lambda done=done: say(f"{_clock(cloud.now)}  {done} of {len(times)} requests sent")  # type: ignore[misc]
    down = trouble.provider_down
    if down:
        begins = busiest(times, down)

        def outage() -> None:
            say(f"{_clock(cloud.now)}  the payment provider goes down for {down:g} s")
            turn_knob(cloud.client, cloud.outputs, downUntil=begins + down)

        yield begins, outage
    if poison:

        def spoil() -> None:
            say(f"{_clock(cloud.now)}  {len(poison)} poisonous events go on the bus")
            at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(cloud.now))
            put_poison(cloud.client, cloud.outputs, poison, at)

        yield times[(len(times) - 1) // 2], spoil


def busiest(times: list[float], span: float) -> float:
    """The first of these sorted times from which on the most of them fall into `span` seconds."""
    return max(times, key=lambda start: (bisect_left(times, start + span) - bisect_left(times, start), -start))


def _send(cloud: "Cloud", request: Request, when: float) -> Any:
    headers = {"Content-Type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": request.key}
    return cloud.request_at(when, "POST", "/orders", body=json.dumps(request.body), headers=headers)


def _again(pending: Any) -> bool:
    return pending.response is None or pending.response.status == 429 or pending.response.status >= 500


def _read(pending: Any) -> tuple[int, dict[str, Any]]:
    if pending.response is None:
        return 0, {}
    try:
        body = json.loads(pending.response.body)
    except ValueError:
        body = {"message": pending.response.body}
    return pending.response.status, body if isinstance(body, dict) else {"message": str(body)}


def _clock(now: float) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(now))
