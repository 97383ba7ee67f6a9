"""The orchestrated saga on the local cloud: the machine is created and not run; its tasks are run."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from orderlab.cloud import Cloud
from orderlab.cloud.wire import NotYet

PRICE = 700


@pytest.fixture
def orchestrated() -> Iterator[Any]:
    """A cloud whose orders wait for the state machine."""
    with Cloud(parameters={"Saga": "orchestration"}) as cloud:
        yield cloud


@pytest.fixture
def quiet() -> Iterator[Any]:
    """The same, with the machine's rule switched off, so that a test can take the place of the machine."""
    with Cloud(parameters={"Saga": "orchestration"}, overrides={"SagaRule": {"State": "DISABLED"}}) as cloud:
        yield cloud


def open_shop(cloud: Any, units: int) -> None:
    """One article, and so many of it."""
    tables = cloud.client("dynamodb")
    mug = {"sku": {"S": "mug"}}
    catalogue = {**mug, "price": {"N": str(PRICE)}, "name": {"S": "mug"}}
    tables.put_item(TableName=cloud.outputs["CatalogueTableName"], Item=catalogue)
    tables.put_item(TableName=cloud.outputs["StockTableName"], Item={**mug, "onHand": {"N": str(units)}})


def order(cloud: Any, quantity: int) -> str:
    """Place an order; its id."""
    body = {"customerId": "C-1", "items": [{"sku": "mug", "quantity": quantity}]}
    headers = {"x-api-key": cloud.api_key, "Idempotency-Key": "k1", "content-type": "application/json"}
    answer = cloud.request("POST", "/orders", body=json.dumps(body), headers=headers)
    assert answer.status == 202
    return str(answer.json()["orderId"])


def row(cloud: Any, order_id: str, part: str = "ORDER") -> dict[str, Any]:
    """One row of an order, in DynamoDB's JSON."""
    key = {"orderId": {"S": order_id}, "part": {"S": part}}
    found = boto3.client("dynamodb").get_item(TableName=cloud.outputs["OrdersTableName"], Key=key)
    return dict(found.get("Item", {}))


def step(name: str, detail: dict[str, Any]) -> str:
    """Call one task as the machine does; the status that it answers with."""
    answer = boto3.client("lambda").invoke(FunctionName=f"orderlab-saga-{name}", Payload=json.dumps(detail))
    assert "FunctionError" not in answer
    return str(json.loads(answer["Payload"].read())["status"])


def test_the_machine_is_created_listed_and_refused_when_an_order_reaches_it(orchestrated) -> None:
    """The error names the rule and its target; no order pretends to be settled."""
    open_shop(orchestrated, 5)
    assert orchestrated.not_yet["SagaMachine"] == "executions are not run"
    assert orchestrated.outputs["SagaMachineArn"].endswith(":stateMachine:orderlab-saga")
    with pytest.raises(NotYet, match=r"rule orderlab-saga has the target saga \(arn:aws:states:.*orderlab-saga\)"):
        order(orchestrated, 2)
        orchestrated.run()


@pytest.mark.parametrize(
    ("units", "steps", "status", "left"),
    [
        (5, ["reserve", "charge", "settle"], "CONFIRMED", "3"),
        (1, ["reserve", "undo-charge", "release", "settle"], "CANCELLED", "1"),
    ],
)
def test_the_tasks_alone_settle_an_order_and_relay_tells_the_customer(quiet, units, steps, status, left) -> None:
    """No queue has a part in it: the disabled rules let nothing through, and the last row's event reaches Notify."""
    open_shop(quiet, units)
    order_id = order(quiet, 2)
    quiet.run()
    placed = row(quiet, order_id)
    assert placed["status"]["S"] == "PENDING"
    detail = json.loads(placed["event"]["M"]["detail"]["S"])
    said = [step(name, detail) for name in steps]
    quiet.run()
    assert (said[-1], row(quiet, order_id)["status"]["S"]) == (status, status)
    told = boto3.client("dynamodb").scan(TableName=quiet.outputs["NotificationsTableName"])["Items"]
    assert [entry for entry in told if order_id in json.dumps(entry)]
    stock = boto3.client("dynamodb").scan(TableName=quiet.outputs["StockTableName"])["Items"]
    assert stock[0]["onHand"] == {"N": left}
    assert not quiet.trace.select("receive", actor="orderlab-settlement")
