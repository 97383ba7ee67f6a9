"""The orchestrated saga: its entry points on plain moto, and the template's own machine run by moto's interpreter."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda.models import LambdaFunction
from samtranslator.yaml_helper import yaml_parse

from orderlab.orders import asking, saga, transactions
from orderlab.orders.events import Outcome
from orderlab.orders.order import Invalid
from orderlab.orders.payment import Contradiction
from orderlab.orders.settlement import UnknownOrder

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "template.yaml"
STEPS = {"SagaReserve": saga.reserve, "SagaRelease": saga.release, "SagaCharge": saga.charge,
         "SagaUndoCharge": saga.undo_charge, "SagaSettle": saga.settle}  # fmt: skip
ENDS = [(5, 0, "CONFIRMED"), (1, 0, "CANCELLED"), (2, 1, "CANCELLED")]  # units, decline rate, status
PAUSE = Event()  # its `wait` is real time, while the shop's `time.sleep` is only written down


def run(step: Callable[..., dict[str, str]], detail: Any, tools: Any) -> str:
    """The status that a step answers with."""
    return step(detail, tools.Context())["status"]


# the entry points


def test_the_steps_in_order_confirm_an_order_and_each_may_come_twice(shop, tools) -> None:
    """The same answer from the same row: one reservation, one charge, one decision."""
    shop.goods(mug=5)
    order_id, event = shop.placed({"mug": 2})
    for step, status in ((saga.reserve, "RESERVED"), (saga.charge, "CAPTURED"), (saga.settle, "CONFIRMED")):
        assert step(event["detail"], tools.Context()) == {"orderId": order_id, "status": status}
        assert step(event["detail"], tools.Context()) == {"orderId": order_id, "status": status}
    assert (shop.on_hand(), len(shop.asked)) == ({"mug": 3}, 1)
    assert shop.happenings(order_id) == ["OrderConfirmed", "StockReserved", "PaymentCaptured"]


@pytest.mark.parametrize("step", STEPS.values())
@pytest.mark.parametrize("detail", [None, [], "ORD-1", {}, {"orderId": 7}, {"orderId": "ORD-1", "items": []}])
def test_what_is_no_order_is_refused_before_any_effect(shop, tools, step, detail, capsys) -> None:
    """By the name that the machine never retries, and with one line in the log."""
    with pytest.raises(Invalid):
        step(detail, tools.Context())
    assert (shop.all("orders"), shop.asked) == ([], [])
    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["message"].split(":")[0]) == ("ERROR", "Invalid")


@pytest.mark.parametrize("step", [saga.reserve, saga.charge])
def test_a_total_that_is_not_the_sum_of_the_items_takes_neither_goods_nor_money(shop, tools, step) -> None:
    """What the machine hands over is trusted no more than a message."""
    shop.goods(mug=5)
    _, event = shop.placed({"mug": 2})
    with pytest.raises(Invalid, match="not the sum"):
        step(event["detail"] | {"total": 1}, tools.Context())
    assert (shop.on_hand(), shop.asked) == ({"mug": 5}, [])


def test_an_error_keeps_its_name_and_the_row_stays_open(shop, tools) -> None:
    """The machine reads the class's name: Unknown is retried, and asks again with the same key."""
    shop.goods(mug=5)
    order_id, event = shop.placed({"mug": 2})
    shop.knob(downUntil=shop.now + 60)
    with pytest.raises(asking.Unknown):
        saga.charge(event["detail"], tools.Context())
    assert shop.status(order_id, "PAYMENT") == "CHARGING"
    shop.now += 61
    assert run(saga.charge, event["detail"], tools) == "CAPTURED"


def test_compensation_that_comes_first_makes_the_step_harmless(shop, tools) -> None:
    """A second execution that is late finds tombstones."""
    shop.goods(mug=5)
    order_id, event = shop.placed({"mug": 2})
    asked = {"orderId": order_id}
    assert (run(saga.undo_charge, asked, tools), run(saga.release, asked, tools)) == ("TOMBSTONE", "TOMBSTONE")
    assert run(saga.reserve, event["detail"], tools) == run(saga.charge, event["detail"], tools) == "TOMBSTONE"
    assert (shop.on_hand(), shop.asked) == ({"mug": 5}, [])


def test_an_order_is_never_settled_by_rows_that_say_nothing(shop, tools) -> None:
    """Before stock and payment have answered there is nothing to decide; and nobody placed an order without a row."""
    shop.goods(mug=5)
    order_id, event = shop.placed({"mug": 2})
    with pytest.raises(saga.Undecided):
        saga.settle(event["detail"], tools.Context())
    run(saga.reserve, event["detail"], tools)
    with pytest.raises(saga.Undecided, match="RESERVED"):
        saga.settle(event["detail"], tools.Context())
    assert shop.status(order_id, "ORDER") == "PENDING"
    ghost = event["detail"] | {"orderId": "ORD-" + "0" * 20}
    run(saga.reserve, ghost, tools)
    with pytest.raises(UnknownOrder):
        saga.settle(ghost, tools.Context())


def test_work_that_was_undone_cancels_an_order_and_never_confirms_it(shop, tools) -> None:
    """Also when no row carries a cause; and a confirmed order whose goods went back is a contradiction."""
    shop.goods(mug=5)
    order_id, event = shop.placed({"mug": 2})
    for step in (saga.reserve, saga.charge, saga.undo_charge, saga.release):
        run(step, event["detail"], tools)
    assert run(saga.settle, event["detail"], tools) == "CANCELLED"
    assert shop.row(order_id, "ORDER")["reason"] == "payment refunded"
    other, event = shop.placed({"mug": 2}, key="2")
    for step in (saga.reserve, saga.charge, saga.settle, saga.release):
        run(step, event["detail"], tools)
    with pytest.raises(Contradiction, match=f"{other} is CONFIRMED"):
        saga.settle(event["detail"], tools.Context())


def test_the_cause_is_what_the_order_is_cancelled_for() -> None:
    """A declined payment is the reason, not that the goods went back because of it."""
    order_id = "ORD-" + "1" * 20
    detail = json.dumps({"orderId": order_id, "reason": "payment declined"})
    event = {"id": "1", "source": "orders.payment", "type": "PaymentDeclined", "detail": detail}
    stock = {"orderId": order_id, "status": "RELEASED"}
    payment = {"orderId": order_id, "status": "DECLINED", "event": event}
    assert saga.outcomes(stock, payment) == [Outcome(order_id, "payment", "DECLINED", "payment declined")]
    assert saga.outcomes(stock, None) == [Outcome(order_id, "stock", "REJECTED", "stock released")]
    assert saga.outcomes(None, None) == []


# the machine of the template, run by moto's interpreter (its waits and its jitter included: time.sleep is written down)


class Machine:
    """The template's definition on moto; its tasks call the entry points directly."""

    def __init__(self, shop: Any, context: Any, role: str) -> None:
        self.shop, self.states = shop, boto3.client("stepfunctions", region_name="us-east-1")
        self.called: list[str] = []
        self.upset: dict[str, list[Exception]] = {}  # the errors that a step meets, one a call
        self.context = context
        self.before: tuple[int, Callable[[], object]] | None = None  # something that happens just before this call
        text = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Resources"]["SagaMachine"]["Properties"]
        text = text["DefinitionString"]["Fn::Sub"].replace("${AWS::Partition}", "aws")
        definition = re.sub(r"\$\{(\w+)\.Arn\}", r"arn:aws:lambda:us-east-1:123456789012:function:\1", text)
        made = self.states.create_state_machine(name="saga", definition=definition, roleArn=role)
        self.arn = made["stateMachineArn"]

    def invoke(self, function: Any, body: str, headers: Any, answered: dict[str, str]) -> str:
        """In place of moto's: what Lambda answers for the entry point of this function."""
        name = function.function_name
        self.called.append(name)
        if self.before and self.before[0] == len(self.called):
            (_, action), self.before = self.before, None
            action()
        try:
            if self.upset.get(name):
                raise self.upset[name].pop(0)
            return json.dumps(STEPS[name](json.loads(body), self.context()))
        except Exception as error:
            answered["x-amz-function-error"] = "Unhandled"
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)})

    def start(self, detail: dict[str, Any], name: str = "one") -> str:
        """Start an execution; its ARN."""
        answer = self.states.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(detail))
        return str(answer["executionArn"])

    def end(self, execution: str) -> dict[str, Any]:
        """Wait, in real time, until an execution has ended; how."""
        for _ in range(1000):
            found = self.states.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return dict(found)
            PAUSE.wait(0.01)
        raise AssertionError(f"{execution} still runs after 10 s; it called {self.called}")

    def ends(self) -> list[dict[str, Any]]:
        """All executions there were."""
        return list(self.states.list_executions(stateMachineArn=self.arn)["executions"])

    def run(self, detail: dict[str, Any], name: str = "one") -> dict[str, Any]:
        """One execution from its start to its end."""
        return self.end(self.start(detail, name))


@pytest.fixture
def machine(shop, tools, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A shop whose orders are driven by the template's state machine."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}
        iam = boto3.client("iam", region_name="us-east-1")
        try:
            role = iam.create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        except iam.exceptions.EntityAlreadyExistsException:
            role = iam.get_role(RoleName="any")["Role"]["Arn"]
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as package:
            package.writestr("app.py", "")
        functions = boto3.client("lambda", region_name="us-east-1")
        for name in STEPS:
            functions.create_function(
                FunctionName=name, Runtime="python3.13", Role=role, Handler="x.y", Code={"ZipFile": content.getvalue()}
            )
        made = Machine(shop, tools.Context, role)
        monkeypatch.setattr(LambdaFunction, "invoke", lambda function, *call: made.invoke(function, *call))
        yield made
        made.states.delete_state_machine(stateMachineArn=made.arn)
        for name in STEPS:
            functions.delete_function(FunctionName=name)


def test_the_machine_confirms_an_order(machine) -> None:
    """Three steps; the last one's row carries OrderConfirmed, which Relay publishes."""
    machine.shop.goods(mug=5)
    order_id, event = machine.shop.placed({"mug": 2})
    end = machine.run(event["detail"])
    assert (end["status"], json.loads(end["output"])["order"]) == ("SUCCEEDED", {"status": "CONFIRMED"})
    assert machine.called == ["SagaReserve", "SagaCharge", "SagaSettle"]
    assert machine.shop.happenings(order_id) == ["OrderConfirmed", "StockReserved", "PaymentCaptured"]
    assert (machine.shop.on_hand(), machine.shop.slept) == ({"mug": 3}, [])


def test_what_is_sold_out_is_cancelled_and_never_charged(machine) -> None:
    """Nothing is asked of the provider; a tombstone in the place of the payment stops a second execution too."""
    machine.shop.goods(mug=1)
    order_id, event = machine.shop.placed({"mug": 2})
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert machine.called == ["SagaReserve", "SagaUndoCharge", "SagaRelease", "SagaSettle"]
    order = machine.shop.row(order_id, "ORDER")
    assert (order["status"], order["reason"], order["event"]["type"]) == (
        "CANCELLED", "out of stock: mug", "OrderCancelled")  # fmt: skip
    assert (machine.shop.status(order_id, "PAYMENT"), machine.shop.asked) == ("TOMBSTONE", [])
    assert machine.shop.on_hand() == {"mug": 1}


def test_a_declined_payment_is_cancelled_and_its_goods_go_back(machine) -> None:
    """In reverse order: the charge, then the stock; the reason is the provider's."""
    machine.shop.goods(mug=5)
    machine.shop.knob(declineRate=1)
    order_id, event = machine.shop.placed({"mug": 2})
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert machine.called == ["SagaReserve", "SagaCharge", "SagaUndoCharge", "SagaRelease", "SagaSettle"]
    order = machine.shop.row(order_id, "ORDER")
    assert (order["status"], order["reason"]) == ("CANCELLED", "payment declined")
    assert [machine.shop.status(order_id, part) for part in ("STOCK", "PAYMENT")] == ["RELEASED", "DECLINED"]
    assert machine.shop.on_hand() == {"mug": 5}


def test_a_refusal_of_the_provider_is_caught_and_undone(machine) -> None:
    """It is an answer, not a silence: no retry; the charge is called off, the goods go back, the order is cancelled."""
    machine.shop.goods(mug=5)
    order_id, event = machine.shop.placed({"mug": 2})

    def refuse(wanted: dict[str, Any], answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return {"answer": "refused", "message": "no"} if wanted["action"] == "charge" else answer()

    machine.shop.upset = refuse
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert machine.called == ["SagaReserve", "SagaCharge", "SagaUndoCharge", "SagaRelease", "SagaSettle"]
    order = machine.shop.row(order_id, "ORDER")
    assert (order["status"], order["reason"], machine.shop.slept) == ("CANCELLED", "payment voided", [])
    assert (machine.shop.ledger(), machine.shop.on_hand()) == ({order_id: "cancelled"}, {"mug": 5})


def test_no_answer_is_asked_again_with_jitter_and_charged_once(machine) -> None:
    """Unknown and Open are waited out, each wait below twice the one before; then the order is confirmed."""
    machine.shop.goods(mug=5)
    order_id, event = machine.shop.placed({"mug": 2})
    upset = [asking.Unknown(), asking.Unknown(), transactions.Busy(), asking.Unknown()]
    machine.upset = {"SagaCharge": upset, "SagaReserve": [transactions.Busy()], "SagaSettle": [transactions.Busy()]}
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert machine.called == ["SagaReserve"] * 2 + ["SagaCharge"] * 5 + ["SagaSettle"] * 2
    assert len(machine.shop.slept) == 6
    for slept, most in zip(machine.shop.slept, [2, 2, 4, 8, 16, 2], strict=True):
        assert 0 <= slept <= most
    assert not set(machine.shop.slept) & {2, 4, 8, 16}, "full jitter is never the whole wait"
    assert machine.shop.ledger() == {order_id: "captured"}


def test_an_outage_that_outlasts_the_retries_fails_loudly_and_a_new_start_goes_on(machine) -> None:
    """Nothing is undone on silence: the order stays pending, and the same event, sent again, brings it home."""
    machine.shop.goods(mug=5)
    order_id, event = machine.shop.placed({"mug": 2})
    machine.upset = {"SagaCharge": [asking.Unknown() for _ in range(26)]}
    end = machine.run(event["detail"])
    assert (end["status"], end["error"], machine.called.count("SagaCharge")) == ("FAILED", "Unknown", 26)
    assert set(machine.called) == {"SagaReserve", "SagaCharge"}
    assert machine.shop.status(order_id, "ORDER") == "PENDING"
    assert max(machine.shop.slept) <= 180
    assert machine.run(event["detail"], "again")["status"] == "SUCCEEDED"
    assert (machine.shop.status(order_id, "ORDER"), machine.shop.on_hand()) == ("CONFIRMED", {"mug": 3})


def test_what_no_retry_mends_fails_at_once_and_what_is_new_gets_five_tries(machine) -> None:
    """A poisoned event is not asked about for half an hour."""
    machine.shop.goods(mug=5)
    order_id, event = machine.shop.placed({"mug": 2})
    end = machine.run({"orderId": order_id, "items": [], "total": 0})
    assert (end["status"], end["error"], machine.called) == ("FAILED", "Invalid", ["SagaReserve"])
    machine.called.clear()
    machine.upset = {"SagaReserve": [KeyError("new") for _ in range(6)]}
    end = machine.run(event["detail"], "two")
    assert (end["status"], end["error"], machine.called) == ("FAILED", "KeyError", ["SagaReserve"] * 6)


@pytest.mark.parametrize(("stock", "decline", "status"), ENDS)
def test_two_executions_of_one_order_make_one_result(machine, stock: int, decline: int, status: str) -> None:
    """EventBridge may deliver twice: both end well, and the books are those of one."""
    machine.shop.goods(mug=stock)
    machine.shop.knob(declineRate=decline)
    order_id, event = machine.shop.placed({"mug": 2})
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert machine.shop.status(order_id, "ORDER") == status
    once = (machine.shop.all("orders"), machine.shop.on_hand(), machine.shop.ledger(), len(machine.shop.asked))
    assert machine.run(event["detail"], "two")["status"] == "SUCCEEDED"
    twice = (machine.shop.all("orders"), machine.shop.on_hand(), machine.shop.ledger(), len(machine.shop.asked))
    assert twice == once


@pytest.mark.parametrize(
    ("stock", "decline", "status", "at"),
    [(*end, at) for end, steps in zip(ENDS, (3, 4, 5), strict=True) for at in range(1, steps + 1)],
)
def test_a_second_execution_in_the_middle_of_the_first_changes_nothing(
    machine, stock: int, decline: int, status: str, at: int
) -> None:
    """All of the second one runs just before step `at` of the first; both end well."""
    machine.shop.goods(mug=stock)
    machine.shop.knob(declineRate=decline)
    order_id, event = machine.shop.placed({"mug": 2})
    machine.before = (at, lambda: machine.run(event["detail"], "two"))
    assert machine.run(event["detail"])["status"] == "SUCCEEDED"
    assert (machine.before, {n["status"] for n in machine.ends()}) == (None, {"SUCCEEDED"})
    assert machine.shop.status(order_id, "ORDER") == status
    sold = status == "CONFIRMED"
    assert machine.shop.on_hand() == {"mug": stock - 2 if sold else stock}
    assert list(machine.shop.ledger().values()) == (["captured"] if sold else ["declined"] if decline else [])
