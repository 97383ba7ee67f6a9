"""Updates of a played stack: what is new is there, what is gone is not; some fail or leave something."""

import re

import pytest

from orderlab.installing import Problem
from orderlab.ops.aws import checks, stacks
from orderlab.ops.aws.rehearsal.world import delete_network

ALL = (
    "Saga=orchestration", "Cache=on", "Authorization=iam", "Tracing=on", "Dashboard=on", "AccessLogs=on", "Chaos=on",
    "ReservedConcurrency=on", "Budget=a@example.org",
)  # fmt: skip
NONE = (
    "Saga=choreography", "Cache=off", "Authorization=api-key", "Tracing=off", "Dashboard=off", "AccessLogs=off",
    "Chaos=off", "ReservedConcurrency=off", "Budget=off",
)  # fmt: skip


@pytest.fixture(autouse=True)
def with_logging(monkeypatch) -> None:
    """The account may write access logs."""
    monkeypatch.setattr(checks, "logging", lambda *_: None)


def there(stage) -> dict[str, list[str]]:
    """Names by type, without what AWS adds to a role's; networks have ids only, so they are counted."""
    found = stage.rehearsal.left()
    networks = found.pop("AWS::EC2::VPC", [])
    found.pop("AWS::CloudFormation::Stack")
    return {
        **{type: sorted(re.sub("-[A-Z0-9]{12}$", "", name) for name in names) for type, names in found.items()},
        "networks": [str(len(networks))],
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Saga=orchestration",), ("Saga=choreography",)),
        ((), ("Saga=orchestration",)),
        (("Cache=on",), ("Cache=off",)),
        ((), ("Cache=on",)),
        (NONE, ALL),
        (ALL, NONE),
    ],
    ids=["no saga", "a saga", "no cache", "a cache", "everything", "nothing"],
)
def test_an_update_leaves_what_a_new_stack_would_have(stage, first, second) -> None:
    """Deployed in two steps or in one: the same things are there, and destroy takes all of them."""
    assert stage.deploy(*second) == 0
    wanted = there(stage)
    assert stage.destroy() == 0 and stage.is_empty()
    assert stage.deploy(*first) == 0
    assert there(stage) != wanted
    assert stage.deploy(*second) == 0
    assert "UPDATE_COMPLETE" in stage.text
    assert there(stage) == wanted
    assert stage.destroy() == 0 and stage.is_empty()


def test_a_parameter_that_only_changes_resources_is_a_change(stage) -> None:
    """Conditions within a resource are decided before two templates are compared."""
    assert stage.deploy() == 0
    stage.said.clear()
    assert stage.deploy("ReservedConcurrency=on") == 0
    assert "Modify" in stage.text and "PlaceOrder" in stage.text and "Add  " not in stage.text
    stage.said.clear()
    assert stage.deploy("ReservedConcurrency=on") == 0
    assert "nothing to change" in stage.text
    assert stage.destroy() == 0 and stage.is_empty()


def test_an_update_that_fails_is_explained_and_changes_nothing(stage) -> None:
    """It is rolled back; the stack keeps its parameters and can be deployed to again."""
    assert stage.deploy() == 0
    before = there(stage)
    stage.rehearsal.play("create-fails")
    stage.said.clear()
    assert stage.deploy("ReservedConcurrency=on", "Saga=orchestration") == 1
    assert "PlaceOrder (AWS::Lambda::Function) could not be updated" in stage.text
    assert "Remedy: this account's limit of concurrent executions" in stage.text
    assert "UPDATE_ROLLBACK_COMPLETE" in stage.text
    stack = stacks.find(stage.account)
    assert stack.status == "UPDATE_ROLLBACK_COMPLETE" and stack.parameters == {"NamePrefix": "orderlab"}
    assert there(stage) == before
    assert stage.deploy("Saga=orchestration") == 0
    assert stage.destroy() == 0 and stage.is_empty()


def test_a_network_that_is_still_in_use_stops_a_destroy_and_the_next_one_ends_it(stage) -> None:
    """One line with the reason and the remedy; nothing is lost, and the second destroy proves the end."""
    assert stage.deploy("Cache=on") == 0
    stage.rehearsal.play("network-stays")
    with pytest.raises(
        Problem, match=r"could not be deleted: .* Remedy: a function's network interfaces .* destroy again"
    ):
        stage.destroy()
    assert stacks.find(stage.account).status == "DELETE_FAILED"
    with pytest.raises(Problem, match="DELETE_FAILED and cannot be deployed to"):
        stage.deploy()
    stage.rehearsal.play("smooth")
    assert stage.destroy() == 0 and stage.is_empty()


def test_what_an_update_leaves_behind_is_named_by_it_and_by_destroy(stage) -> None:
    """CloudFormation calls that a success. The deploy does not, and destroy finds by tag what is no stack's now."""
    assert stage.deploy("Cache=on") == 0
    stage.rehearsal.play("network-stays")
    stage.said.clear()
    assert stage.deploy("Cache=off") == 1
    assert "One or more resources could not be deleted" in stage.text
    told = stage.text.partition("these could not be deleted")[2]
    assert "PlaceOrderSecurityGroup (AWS::EC2::SecurityGroup sg-" in told and "by hand" in told
    stage.rehearsal.play("smooth")
    stage.said.clear()
    assert stage.destroy() == 1
    left = [line for line in stage.said if line.startswith("left: ")]
    assert len(left) == 4 and any(":security-group/sg-" in line for line in left)
    ec2 = stage.account.client("ec2")  # what a learner does by hand in the console
    delete_network(ec2, *[one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]])
    assert stage.destroy() == 0 and stage.is_empty()
