"""Runs in which everything happens that the functions are written for: a day with trouble, then fault after fault.

A right that is needed only when things go wrong must be seen to be needed: an article that is not in the catalogue, a
customer's message that fails three times, an event that the bus will never take, a batch that the stream gives up on, a
charge that is found half done. All in virtual time; and the stream gives up after minutes here instead of a day, which
takes the same rights and fewer retries.

Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..days.plausible import plausible_day
from ..days.play import Trouble, play, turn_knob
from .compare import Role, compare, seen
from .heard import listening

if TYPE_CHECKING:
    from orderlab.cloud import Cloud

SAGAS = ("choreography", "orchestration")
SEED = 7
SOON = 300  # seconds, instead of a day
TROUBLE = Trouble(decline=0.2, provider_down=1200.0, poison=2, stock=Decimal("0.7"))


def measure(
    settings: Mapping[str, str] | None = None,
    *,
    sagas: Iterable[str] = SAGAS,
    orders: int = 30,
    **cloud: Any,
) -> list[Role]:
    """The roles of the stack under these parameters, with what was needed under either saga.

    `cloud` goes to the local cloud (`overrides=`, `template=`). One run after the other, each in a cloud of its own,
    which closes the one that is open. Raises actions.Unknown for a call whose rights nobody has looked up.
    """
    return compare([run({**(settings or {}), "Saga": saga}, orders, cloud) for saga in sagas])


def run(parameters: Mapping[str, str], orders: int, options: Mapping[str, Any]) -> list[Role]:
    """One run, and the roles as it needed them."""
    from orderlab.cloud import Cloud

    with Cloud(seed=SEED, parameters=parameters, **options) as cloud:
        return everything(cloud, orders)


def everything(cloud: "Cloud", orders: int = 30) -> list[Role]:
    """The same on a cloud that is open and as new. Afterwards its streams give up soon, until it is closed."""
    _give_up_soon(cloud)
    with listening(cloud) as calls:
        cloud.faults.at_rate("error", 0.5, where="Notify dynamodb.PutItem")
        day = plausible_day(orders, SEED)
        play(cloud, day, TROUBLE, SEED, lambda _: None)
        sku, code = next(iter(day.catalogue)), _sender(cloud)
        ask(cloud, code, sku)
        half_charged(cloud, code)
        unheard(cloud, code)
        never_published(cloud)
        given_up(cloud, code, "ProjectSales dynamodb.TransactWriteItems")
        given_up(cloud, code, "Relay eventbridge.PutEvents")
        return seen(cloud, calls)


def _give_up_soon(cloud: "Cloud") -> None:
    functions = cloud.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if ":dynamodb:" in mapping["EventSourceArn"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], MaximumRecordAgeInSeconds=SOON)


def ask(cloud: "Cloud", send: Callable[..., Any], sku: str) -> None:
    """What customers ask beside their orders: an article, an order, and an order of what is not sold here."""
    cloud.request("GET", f"/products/{sku}", headers={"x-api-key": cloud.api_key})
    send({"nothing-of-ours": 1}, "unknown")
    stock(cloud, "kettle", 100)
    order_id = send({"kettle": 1}, "known").json()["orderId"]
    outage(cloud)
    cloud.request("GET", f"/orders/{order_id}", headers={"x-api-key": cloud.api_key})


def half_charged(cloud: "Cloud", send: Callable[..., Any]) -> None:
    """An order of what is sold out, whose charge another execution has begun: the provider must cancel it."""
    stock(cloud, "teapot", 0)
    order_id = send({"teapot": 1}, "half charged").json()["orderId"]
    row = {"orderId": order_id, "part": "PAYMENT", "status": "CHARGING"}
    item: dict[str, Any] = {name: {"S": value} for name, value in row.items()} | {"amount": {"N": "500"}}
    cloud.client("dynamodb").put_item(TableName=cloud.outputs["OrdersTableName"], Item=item)
    outage(cloud)


def outage(cloud: "Cloud") -> None:
    """The provider fails for two minutes: every breaker has something to write down."""
    turn_knob(cloud.client, cloud.outputs, errorRate=1.0)
    cloud.run(until=cloud.now + 120)
    turn_knob(cloud.client, cloud.outputs, errorRate=0.0)
    cloud.run()


def unheard(cloud: "Cloud", send: Callable[..., Any]) -> None:
    """A message to a customer that cannot be sent, three times."""
    cloud.faults.at_rate("error", 1.0, where="Notify dynamodb.PutItem", limit=20)
    send({"kettle": 1}, "unheard")
    cloud.run()


def never_published(cloud: "Cloud") -> None:
    """A row with an event that is none: Relay sends it to its dead letters."""
    item = {"orderId": {"S": "ORD-00000000000000000000"}, "part": {"S": "NOTE"}, "event": {"M": {"id": {"S": "e-1"}}}}
    cloud.client("dynamodb").put_item(TableName=cloud.outputs["OrdersTableName"], Item=item)
    cloud.run()


def given_up(cloud: "Cloud", send: Callable[..., Any], call: str) -> None:
    """A call of a reader of the stream fails until the stream gives up."""
    cloud.faults.at_rate("error", 1.0, where=call)
    send({"kettle": 1}, call)
    cloud.run()


def stock(cloud: "Cloud", sku: str, units: int) -> None:
    """A new article in the price list, with so many units."""
    tables, outputs = cloud.client("dynamodb"), cloud.outputs
    priced = {"sku": {"S": sku}, "price": {"N": "500"}, "name": {"S": sku}}
    tables.put_item(TableName=outputs["CatalogueTableName"], Item=priced)
    tables.put_item(TableName=outputs["StockTableName"], Item={"sku": {"S": sku}, "onHand": {"N": str(units)}})


def _sender(cloud: "Cloud") -> Callable[..., Any]:
    def send(items: dict[str, int], key: str) -> Any:
        body = {"customerId": "C-1", "items": [{"sku": sku, "quantity": units} for sku, units in items.items()]}
        headers = {"content-type": "application/json", "x-api-key": cloud.api_key, "Idempotency-Key": key}
        return cloud.request("POST", "/orders", body=body, headers=headers)

    return send
