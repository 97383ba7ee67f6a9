"""What an account of many people and things does to the commands: long lists, other regions, missing rights."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from orderlab.ops.aws import changeset, checks, names, proof, template
from orderlab.ops.aws.account import Account
from orderlab.ops.aws.target import Target

TARGET = Target("123456789012", "eu-west-1", None, "http://127.0.0.1:9")
HERE = "arn:aws:cloudformation:eu-west-1:123456789012:stack/orderlab/1"


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Account, Stubber]]:
    """An account whose service answers what it was told, each request and answer held against AWS's model."""
    account = Account(TARGET, sleep=lambda seconds: None)
    with Stubber(account.client(service)) as stub:
        yield account, stub
        stub.assert_no_pending_responses()


def role(name: str) -> dict:
    """A role as IAM lists it."""
    return {
        "Path": "/", "RoleName": name, "RoleId": "A" * 20, "Arn": f"arn:aws:iam::123456789012:role/{name}",
        "CreateDate": "2026-01-05",
    }  # fmt: skip


def ours() -> names.Names:
    """The template's names."""
    return names.of_template(template.read().body, TARGET)


def test_a_list_is_whole_or_an_error_when_aws_is_busy_in_the_middle_of_it() -> None:
    """A paginator that raised has ended; what it gave until then must not be taken for all there is."""
    first = {"Roles": [role("a")], "IsTruncated": True, "Marker": "more"}
    with stubbed("iam") as (account, stub):
        stub.add_response("list_roles", first)
        stub.add_client_error("list_roles", "Throttling")
        stub.add_response("list_roles", first)
        stub.add_response("list_roles", {"Roles": [role("b")], "IsTruncated": False}, {"Marker": "more"})
        assert account.every("iam", "list_roles", "Roles[].RoleName") == ["a", "b"]


def test_a_list_that_botocore_cannot_page_is_followed_all_the_same() -> None:
    """Event buses and archives come in pages too."""
    with stubbed("events") as (account, stub):
        stub.add_response("list_event_buses", {"EventBuses": [{"Name": "default"}], "NextToken": "more"})
        page = {"EventBuses": [{"Name": "orderlab-orders"}]}
        stub.add_response("list_event_buses", page, {"NamePrefix": "orderlab", "NextToken": "more"})
        assert proof.by_name(account, ours(), "AWS::Events::EventBus") == ("orderlab-orders",)


def test_more_queues_than_a_page_holds_are_asked_for() -> None:
    """SQS tells of further pages only when it is told how long a page is: at most 1,000."""
    told = {"QueueNamePrefix": "orderlab", "MaxResults": 1000}
    with stubbed("sqs") as (account, stub):
        stub.add_response("list_queues", {"QueueUrls": ["https://sqs/1/orderlab-x"], "NextToken": "more"}, told)
        page = {"QueueUrls": ["https://sqs/1/orderlab-stock"]}
        stub.add_response("list_queues", page, {**told, "NextToken": "more"})
        assert proof.by_name(account, ours(), "AWS::SQS::Queue") == ("https://sqs/1/orderlab-stock",)


@pytest.mark.parametrize(
    ("tags", "left"),
    [
        ([{"Key": "aws:cloudformation:stack-id", "Value": HERE}], True),
        ([{"Key": "aws:cloudformation:stack-id", "Value": HERE.replace("eu-west-1", "us-east-1")}], False),
        ([], True),
    ],
)
def test_a_role_of_the_same_prefix_in_another_region_is_not_left(tags, left) -> None:
    """Roles are the whole account's; the stack's id in their tags names the region."""
    name = "orderlab-PlaceOrderRole-1ABC"
    with stubbed("iam") as (account, stub):
        stub.add_response("list_roles", {"Roles": [role("other"), role(name)]})
        stub.add_response("list_role_tags", {"Tags": tags}, {"RoleName": name})
        assert proof.by_name(account, ours(), "AWS::IAM::Role") == ((name,) if left else ())


def test_a_bucket_that_s3_still_deletes_is_waited_for() -> None:
    """A deploy right after a destroy."""
    with stubbed("s3") as (account, stub):
        stub.add_client_error("create_bucket", "OperationAborted", "A conflicting conditional operation is in progress")
        stub.add_response("create_bucket", {})
        account.ask("s3", "create_bucket", Bucket="orderlab-artifacts")


def test_a_change_set_that_is_still_being_made_is_deleted_when_it_can_be() -> None:
    """As after a Ctrl-C; in the end CloudFormation's no is told."""
    where = {"StackName": "orderlab", "ChangeSetName": "deploy-1"}
    with stubbed("cloudformation") as (account, stub):
        stub.add_client_error("delete_change_set", "InvalidChangeSetStatus", "is in CREATE_IN_PROGRESS")
        stub.add_response("delete_change_set", {}, where)
        changeset.forget(account, where)
        for _ in range(changeset.DELETABLE):
            stub.add_client_error("delete_change_set", "InvalidChangeSetStatus", "is in CREATE_IN_PROGRESS")
        with pytest.raises(ClientError):
            changeset.forget(account, where)


@pytest.mark.parametrize(
    "wording", ["The submitted information didn't contain changes. Submit …", "No updates are to be performed."]
)
def test_a_change_set_without_changes_is_no_error(wording) -> None:
    """In both of CloudFormation's wordings."""
    answer = {"Status": "FAILED", "StatusReason": wording}
    with stubbed("cloudformation") as (account, stub):
        stub.add_client_error("delete_change_set", "ChangeSetNotFound")
        stub.add_response("create_change_set", {"Id": HERE, "StackId": HERE})
        stub.add_response("describe_change_set", answer)
        stub.add_response("delete_change_set", {})
        assert changeset.make(account, "https://b/t.yaml", {}, "UPDATE", "deploy-1") is None


def test_what_would_be_lost_is_said_and_stands_first_in_the_table() -> None:
    """A table that is removed or replaced, also when the table of changes is long; a role has nothing to lose."""
    changes = [changeset.Change("Modify", f"F{n}", "AWS::Lambda::Function", "False") for n in range(50)]
    changes += [
        changeset.Change("Modify", "OrdersTable", "AWS::DynamoDB::Table", "True"),
        changeset.Change("Modify", "StockQueue", "AWS::SQS::Queue", "Conditional"),
        changeset.Change("Remove", "ReceiptsBucket", "AWS::S3::Bucket"),
        changeset.Change("Remove", "Role", "AWS::IAM::Role"),
        changeset.Change("Modify", "StockTable", "AWS::DynamoDB::Table", "False"),
    ]
    wanted = changeset.ChangeSet("c", "s", tuple(changes))
    assert wanted.losses() == [
        "OrdersTable (AWS::DynamoDB::Table) will be replaced by an empty one, and what is in it is lost",
        "StockQueue (AWS::SQS::Queue) may be replaced by an empty one, and what is in it is lost",
        "ReceiptsBucket (AWS::S3::Bucket) will be removed, and what is in it is lost",
    ]
    assert re.findall(r"\w+", str(wanted).splitlines()[1])[1] == "OrdersTable"
    assert "ReceiptsBucket" in str(wanted)


def test_what_the_stack_has_reserved_already_does_not_stand_in_its_way() -> None:
    """An account of 300: the first deploy reserves 105, and the second keeps what the first has."""
    on = {"ReservedConcurrency": "on"}
    body = template.read().body
    aside = checks.reserved(body, on)
    limit = {"AccountLimit": {"ConcurrentExecutions": 300, "UnreservedConcurrentExecutions": 300 - aside}}
    with stubbed("lambda") as (account, stub):
        stub.add_response("get_account_settings", limit)
        checks.limits(account, body, on, on)
