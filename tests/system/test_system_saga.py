"""Both sagas on the local cloud: by choreography and by the state machine, the same orders settle to the same books."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from orderlab.cloud import Cloud, Faults
from orderlab.cloud.cloud import START
from orderlab.ops import hunt
from orderlab.ops.audit.books import Books, books_of
from orderlab.ops.audit.findings import Expected, order_of
from orderlab.ops.audit.verdict import audit
from orderlab.ops.days.play import turn_knob, write_rows

OPENING = {"mug": 60, "lamp": 3}
PRICES = {"mug": 700, "lamp": 1295}
ORCHESTRATION = {"Saga": "orchestration"}
SCENARIOS: dict[str, dict[str, float]] = {
    "declined and sold out": {"lamps": 100, "decline": 0.3},
    "outage": {"outage": 15 * 60},
    "twice": {"lamps": 100, "decline": 0.3, "again": 1},
    "crashes": {"lamps": 100, "crash": 0.01},
}
CASES = [(scenario, seed) for seed, scenario in enumerate(["declined and sold out", *SCENARIOS])]


def open_shop(cloud: Any, seed: int, faults: Faults | None = None, **knob: float) -> None:
    """As new, with two articles, and a provider that does as it is told."""
    cloud.reset(seed=seed, faults=faults)
    tables, outputs = cloud.client("dynamodb"), cloud.outputs
    stock = [{"sku": {"S": sku}, "onHand": {"N": str(n)}} for sku, n in OPENING.items()]
    write_rows(tables, outputs["StockTableName"], stock)
    catalogue = [{"sku": {"S": sku}, "price": {"N": str(p)}, "name": {"S": sku}} for sku, p in PRICES.items()]
    write_rows(tables, outputs["CatalogueTableName"], catalogue)
    if knob:
        turn_knob(cloud.client, outputs, **knob)


def order(cloud: Any, key: str, items: dict[str, float]) -> str:
    """Place an order, again and again until it is accepted; its id."""
    body = {"customerId": "C-1", "items": [{"sku": sku, "quantity": int(n)} for sku, n in items.items()]}
    headers = {"x-api-key": cloud.api_key, "Idempotency-Key": key, "content-type": "application/json"}
    for _ in range(5):
        answer = cloud.request("POST", "/orders", body=body, headers=headers)
        if answer.status == 202:
            return str(answer.json()["orderId"])
        cloud.advance(1)
    raise AssertionError(f"order {key} was never accepted")


def executions(cloud: Any) -> list[dict[str, Any]]:
    """What the machine has run, or runs."""
    arn = cloud.outputs["SagaMachineArn"]
    return list(boto3.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"])


def start_again(cloud: Any) -> None:
    """A second execution for every order, as EventBridge may start one."""
    states = boto3.client("stepfunctions")
    for found in executions(cloud):
        given = states.describe_execution(executionArn=found["executionArn"])["input"]
        states.start_execution(stateMachineArn=found["stateMachineArn"], name=found["name"] + "-2", input=given)


def summary(books: Books) -> dict[str, Any]:
    """What must be the same, however an order was settled: its status, stock, money kept, sales, and who was told.

    By the queues an order that is sold out may have been charged first, and has a refund; by the machine it never was.
    """
    kept = [order_of(row) for row in books.ledger if row.get("answer") == "captured"]
    told = {i for i, parts in books.orders.items() if parts["ORDER"]["event"]["id"] in books.notifications}
    return {
        "statuses": {i: parts["ORDER"]["status"] for i, parts in books.orders.items()},
        "stock": books.stock,
        "kept": sorted(kept),
        "sales": books.sales,
        "told": told,
        "letters about": len(books.notifications),
        "receipts": {i for i in books.receipts if books.orders[i]["ORDER"]["status"] == "CONFIRMED"},
    }


def play(
    cloud: Any,
    seed: int,
    *,
    lamps: float = 0,
    decline: float = 0,
    outage: float = 0,
    again: float = 0,
    crash: float = 0,
) -> tuple[dict[str, Any], list[str]]:
    """Six orders, one every 0.3 s; the summary of the books and the audit's findings."""
    faults = Faults(seed).at_rate("crash-before", crash).at_rate("crash-after", crash)
    open_shop(cloud, seed, faults, declineRate=decline, downUntil=START + outage)
    ids = []
    for n in range(6):
        items: dict[str, float] = {"mug": 1 + n % 3} | ({"lamp": lamps} if lamps and n == 1 else {})
        ids.append(order(cloud, f"k{n}", items))
        cloud.advance(0.3)
        if again and n == 4 and "SagaMachineArn" in cloud.outputs:
            start_again(cloud)  # some of the first ones have ended, some are on their way
    cloud.run()
    verdict = audit(books_of(cloud), Expected(OPENING, ids))
    return summary(books_of(cloud)), [str(found) for found in verdict.findings]


@pytest.fixture(scope="module")
def orchestrated() -> Iterator[Any]:
    """The cloud of the state machine."""
    with Cloud(parameters=ORCHESTRATION) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def played() -> dict[tuple[str, str, int], tuple[Any, Any]]:
    """Every case on both. One cloud is open at a time, so this comes first."""
    found = {}
    for saga in ("choreography", "orchestration"):
        with Cloud(parameters={"Saga": saga}) as cloud:
            for scenario, seed in CASES:
                found[saga, scenario, seed] = play(cloud, seed, **SCENARIOS[scenario])
    return found


@pytest.mark.parametrize(("scenario", "seed"), CASES)
def test_both_sagas_settle_the_same_orders_to_the_same_books(played, scenario: str, seed: int) -> None:
    """Statuses, stock, the money that was kept, sales and mail; and four zeros in both audits."""
    by_queues, by_machine = (played[saga, scenario, seed] for saga in ("choreography", "orchestration"))
    assert by_queues[1] == by_machine[1] == []
    assert by_queues[0] == by_machine[0]
    statuses = set(by_machine[0]["statuses"].values())
    assert statuses == ({"CONFIRMED"} if scenario == "outage" else {"CONFIRMED", "CANCELLED"})


def test_the_machine_settles_an_order_without_the_queues(orchestrated) -> None:
    """Nothing of it is missing; reserve, charge, settle; no queue of the saga has a message."""
    open_shop(orchestrated, 0)
    order(orchestrated, "k", {"mug": 2})
    orchestrated.run()
    rows = orchestrated.trace.select("execution", "state", actor="SagaMachine")
    assert [row.what for row in rows] == [
        "started", "Reserve", "Reserved?", "Charge", "Charged?", "Settle", "succeeded",
    ]  # fmt: skip
    assert {row.actor for row in orchestrated.trace.select("receive")} <= {"orderlab-notify", "orderlab-review"}
    assert orchestrated.now - orchestrated.trace.start < 5


def test_the_steps_of_the_machine_are_undone_in_reverse(orchestrated) -> None:
    """A declined payment: undo the charge, release the stock, settle."""
    open_shop(orchestrated, 0, declineRate=1)
    order(orchestrated, "k", {"mug": 2})
    orchestrated.run()
    states = [row.what for row in orchestrated.trace.select("state") if row.detail.get("type") == "Task"]
    assert states == ["Reserve", "Charge", "UndoCharge", "ReleaseStock", "Settle"]


def test_no_single_crash_in_a_step_loses_or_doubles_anything(orchestrated, scale) -> None:
    """Before and after every call of every step; the slice takes every sixtieth case, --all every one."""
    assert hunt.is_clean(hunt.play(orchestrated, 0))
    hunted = {step.function for step in hunt.steps(orchestrated)}
    assert {"SagaReserve", "SagaCharge", "SagaUndoCharge", "SagaRelease", "SagaSettle"} <= hunted
    caught = hunt.singles(orchestrated, 0, only="Saga", every=1 if scale == "all" else 60)
    assert [str(catch) for catch in caught] == []


def test_an_outage_that_outlasts_the_retries_fails_and_is_redriven(orchestrated) -> None:
    """Nothing is undone on silence: the orders stay pending. Redriven, each goes on with its charge."""
    open_shop(orchestrated, 0, downUntil=orchestrated.trace.start + 90 * 60)
    ids = [order(orchestrated, f"k{n}", {"mug": 1}) for n in range(3)]
    orchestrated.run()
    ends = executions(orchestrated)
    assert {end["status"] for end in ends} == {"FAILED"}
    assert {parts["ORDER"]["status"] for parts in books_of(orchestrated).orders.values()} == {"PENDING"}
    failed = orchestrated.trace.select("execution", contains="failed")
    assert {row.detail["error"] for row in failed} <= {"Unknown", "Open"}
    orchestrated.run(until=orchestrated.trace.start + 91 * 60)
    begun = len(orchestrated.trace.select("invoke", actor="SagaReserve"))
    for end in ends:
        boto3.client("stepfunctions").redrive_execution(executionArn=end["executionArn"])
    orchestrated.run()
    assert {(end["status"], end["redriveCount"]) for end in executions(orchestrated)} == {("SUCCEEDED", 1)}
    assert len(orchestrated.trace.select("invoke", actor="SagaReserve")) == begun
    books = books_of(orchestrated)
    assert {parts["ORDER"]["status"] for parts in books.orders.values()} == {"CONFIRMED"}
    assert not audit(books, Expected(OPENING, ids)).findings


def test_the_same_seed_gives_the_same_history_byte_for_byte(orchestrated) -> None:
    """Names of executions, jitter and all; another seed gives another."""
    histories = []
    for seed in (4, 4, 5):
        play(orchestrated, seed, decline=0.2, outage=20)
        histories.append(orchestrated.trace.text())
    assert histories[0] == histories[1] != histories[2]
