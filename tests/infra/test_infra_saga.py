"""The machine of the orchestrated saga keeps the numbers of the design: as patient as the queue "payment"."""

import json
from typing import Any

import pytest

from orderlab.ops.policy.saga import FINAL, TRANSIENT, patience, retrier_of, waits
from orderlab.ops.policy.template import Resources, named, of_type, settle, source, translate


@pytest.fixture(scope="module")
def resources() -> Resources:
    """The resources of the stack under orchestration, translated and settled."""
    found: Resources = settle(translate(source()), Saga="orchestration")["Resources"]
    return found


@pytest.fixture(scope="module")
def states(resources: Resources) -> dict[str, Any]:
    """The machine's states by name."""
    found: dict[str, Any] = json.loads(resources["SagaMachine"]["Properties"]["DefinitionString"])["States"]
    return found


@pytest.fixture(scope="module")
def tasks(states: dict[str, Any]) -> dict[str, Any]:
    """Its tasks by name."""
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def test_the_steps_are_five_functions_one_after_the_other(states: dict[str, Any], tasks: dict[str, Any]) -> None:
    """Reserve, charge, settle; and what is not as hoped is undone in reverse order, and settled by the same step."""
    assert [named(task["Parameters"]["FunctionName"]) for task in tasks.values()] == [
        "SagaReserve", "SagaCharge", "SagaUndoCharge", "SagaRelease", "SagaSettle",
    ]  # fmt: skip
    onward = {name: state.get("Next") for name, state in tasks.items()}
    assert onward == {
        "Reserve": "Reserved?", "Charge": "Charged?", "UndoCharge": "ReleaseStock",
        "ReleaseStock": "Settle", "Settle": None,
    }  # fmt: skip
    for choice, status, then in (("Reserved?", "RESERVED", "Charge"), ("Charged?", "CAPTURED", "Settle")):
        (rule,) = states[choice]["Choices"]
        assert (rule["StringEquals"], rule["Next"], states[choice]["Default"]) == (status, then, "UndoCharge")


def test_every_step_is_tried_for_half_an_hour_as_a_payment_is_by_its_queue(tasks: dict[str, Any]) -> None:
    """27 minutes there, 29 on average here; 15 minutes are ridden out, 40 hardly ever, and no wait is above 180 s."""
    for name, task in tasks.items():
        (retrier,) = {json.dumps(retrier_of(task, error), sort_keys=True) for error in TRANSIENT}
        drawn = patience(json.loads(retrier))
        assert max(waits(json.loads(retrier))) == 180, name
        assert 27 * 60 < sum(drawn) / len(drawn) < 31 * 60, name
        assert drawn[len(drawn) // 1000] > 15 * 60, name
        assert drawn[-len(drawn) // 100] < 40 * 60, name


def test_what_no_retry_mends_is_not_retried_and_what_is_new_gets_five_tries(tasks: dict[str, Any]) -> None:
    """The names are those of the exceptions in the code: a class that is renamed is noticed here."""
    from orderlab.orders import asking, order, payment, settlement, transactions
    from orderlab.patterns import breaker

    named_so = {error.__name__ for error in (transactions.Busy, asking.Unknown, breaker.Open)}
    assert named_so == {name for name in TRANSIENT if "." not in name}
    final = (order.Invalid, asking.Refused, payment.Contradiction, settlement.UnknownOrder)
    assert {error.__name__ for error in final} == FINAL
    for task in tasks.values():
        assert all(retrier_of(task, error)["MaxAttempts"] == 0 for error in FINAL)
        assert retrier_of(task, "KeyError")["MaxAttempts"] == 5


def test_the_rule_hands_the_machine_the_order_and_keeps_what_it_cannot_deliver(resources: Resources) -> None:
    """Retried for a day, then a dead letter; the rule of the queues has the same pattern and is off."""
    rule = resources["SagaRule"]["Properties"]
    assert rule["Targets"] == [
        {
            "Id": "saga",
            "Arn": "${SagaMachine}",
            "RoleArn": "${SagaRuleRole.Arn}",
            "InputPath": "$.detail",
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
            "DeadLetterConfig": {"Arn": "${UndeliveredQueue.Arn}"},
        }
    ]
    assert rule["State"] == "ENABLED"
    assert rule["EventPattern"] == resources["OrderPlacedRule"]["Properties"]["EventPattern"]


def test_nothing_of_the_machine_exists_under_choreography() -> None:
    """Neither the machine nor its functions, roles, logs, rule and alarm."""
    with_it = settle(translate(source()), Saga="orchestration")["Resources"]
    without = settle(translate(source()))["Resources"]
    assert without.keys() < with_it.keys()
    assert all(name.startswith("Saga") for name in with_it.keys() - without.keys())
    assert not of_type(without, "AWS::StepFunctions::StateMachine")
