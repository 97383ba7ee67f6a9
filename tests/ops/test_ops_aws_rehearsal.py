"""The played account is true to AWS's own models and to the recordings; what AWS could not answer is not sent."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.core.utils import get_service_model

from orderlab.cloud import guard
from orderlab.installing import Problem
from orderlab.ops.aws import explain, names, proof, record, template
from orderlab.ops.aws.rehearsal import SCENARIOS, answers, dependencies, recorded, timeline
from orderlab.ops.aws.rehearsal.timeline import Made
from orderlab.ops.aws.target import Target
from orderlab.ops.live.site import open_site

QUEUE, TABLE, BUCKET = Made("Q", "AWS::SQS::Queue", "q"), Made("T", "AWS::DynamoDB::Table", "t"), Made(
    "B", "AWS::S3::Bucket", "b"
)  # fmt: skip
NOW = datetime(2026, 1, 5, tzinfo=UTC)
RECORDINGS = [one for one in vars(recorded).values() if isinstance(one, recorded.Recording)]


def rows(steps) -> list[tuple[str, str, str]]:
    """Steps as recordings tell them."""
    return [("resource" if step.made else "stack", step.status, step.reason) for step in steps]


def in_this_order(wanted, found) -> bool:
    """Do the wanted rows come in this order, others between them?"""
    rest = iter(found)
    return all(any(row[:2] == other[:2] and alike(row[2], other[2]) for other in rest) for row in wanted)


def alike(recorded_reason: str, played: str) -> bool:
    """Is it the same sentence about other names?"""
    plain = [
        re.sub(r"\[.*?\]", "[]", text).replace(". .", ".").split("Rollback")[0] for text in (recorded_reason, played)
    ]
    return plain[0] == plain[1]


def test_an_order_on_a_played_account_is_one_line_that_says_where_orders_go(stage) -> None:
    """Its stack has no API behind it: smoke, load and demo name the endpoint and the command that needs none."""
    stage.deploy()
    try:
        with pytest.raises(Problem, match=r"^http://127.* takes no orders; python3 -m orderlab demo") as caught:
            open_site(stage.account)
    finally:
        stage.destroy()
    assert "\n" not in str(caught.value) and "AWS refused" not in str(caught.value)


def test_a_creation_goes_as_it_was_recorded() -> None:
    """Twice in progress, then complete; the stack first and last."""
    found = rows(timeline.creation([TABLE, QUEUE]))
    assert in_this_order(recorded.CREATED.rows, found) and in_this_order(recorded.CREATED.rows * 2, found)
    assert found[0] == ("stack", "CREATE_IN_PROGRESS", recorded.STARTED)
    assert found[-1][:2] == ("stack", "CREATE_COMPLETE")


def test_a_failure_goes_as_it_was_recorded() -> None:
    """The one that failed, the ones that were cancelled, the stack's reason, and what was made is deleted."""
    why = recorded.FAILED.rows[0][2]
    found = rows(timeline.failed_creation([TABLE, QUEUE, BUCKET], {"Q": why}))
    assert in_this_order(recorded.FAILED.rows, found)
    assert in_this_order(recorded.ROLLED_BACK.rows, found) and found[-1][1] == "ROLLBACK_COMPLETE"


def test_a_deletion_that_fails_goes_as_it_was_recorded() -> None:
    """The bucket's own reason, then the stack's."""
    found = rows(timeline.deletion([BUCKET, QUEUE], {"B": recorded.NOT_EMPTY.rows[0][2]}))
    assert in_this_order(recorded.NOT_EMPTY.rows + recorded.NOT_DELETED.rows, found)


def test_an_update_ends_with_a_clean_up() -> None:
    """As recorded."""
    assert in_this_order(recorded.UPDATED.rows, rows(timeline.update([QUEUE], set())))


def test_an_update_creates_what_is_new_and_deletes_what_is_gone_last() -> None:
    """As recorded; what cannot be deleted is left behind, with half a sentence."""
    found = rows(timeline.update([QUEUE, TABLE], {"Q"}, [BUCKET]))
    assert in_this_order(recorded.ADDED.rows, [(kind, status, "") for kind, status, _ in found])
    clean_up = ("stack", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "")
    assert in_this_order([("resource", "UPDATE_COMPLETE", ""), clean_up, ("resource", "DELETE_COMPLETE", "")], found)
    left = rows(timeline.update([QUEUE], set(), [BUCKET], {"B": recorded.LEFT_BEHIND.rows[0][2]}))
    assert in_this_order(recorded.LEFT_BEHIND.rows, left)


def test_an_update_that_fails_goes_as_it_was_recorded() -> None:
    """What failed, what was cancelled, the stack's reason; then everything as it was before."""
    steps = [*timeline.failed_update([TABLE, QUEUE, BUCKET], {"T", "B"}, {"Q": recorded.UPDATE_FAILED.rows[0][2]})]
    assert in_this_order(recorded.UPDATE_FAILED.rows, rows(steps))
    assert in_this_order(recorded.UPDATE_ROLLED_BACK.rows, [(kind, status, "") for kind, status, _ in rows(steps)])
    last = {step.made.logical_id: step.status for step in steps if step.made}
    assert last == {"Q": "UPDATE_COMPLETE", "T": "DELETE_COMPLETE", "B": "DELETE_COMPLETE"}


def test_an_order_that_was_not_recorded_is_seen() -> None:
    """The comparison can fail."""
    found = rows(timeline.creation([TABLE]))
    assert not in_this_order(recorded.FAILED.rows, found)
    assert not in_this_order(recorded.CREATED.rows[::-1], found)


@pytest.mark.parametrize("one", [*RECORDINGS, *SCENARIOS.values()], ids=lambda one: getattr(one, "name", "recording"))
def test_every_recording_and_every_scenario_names_its_source(one) -> None:
    """A public page each."""
    assert re.match(r"https://(github\.com/\S+/\S+/(?:issues|pull)/\d+|docs\.aws\.amazon\.com/\S+)$", one.source)


def test_resources_come_after_those_that_they_need() -> None:
    """Ref, GetAtt, Sub and DependsOn."""
    resources = {
        "A": {"Properties": {"X": {"Fn::Sub": "${D.Arn}/x"}}, "DependsOn": ["C"]},
        "B": {"Properties": [{"Ref": "A"}]},
        "C": {"Properties": {"Y": {"Fn::GetAtt": ["D", "Arn"]}}},
        "D": {},
    }
    assert dependencies.in_order(resources) == ["D", "C", "A", "B"]


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("DescribeStacks", {"Stacks": [{"StackName": "s", "StackStatus": "CREATE_COMPLETE"}]}, "CreationTime"),
        (
            "DescribeStacks",
            {"Stacks": [{"StackName": "s", "CreationTime": NOW, "StackStatus": "FINE"}]},
            "'FINE' is no",
        ),
        ("DescribeStacks", {"Stax": []}, 'Unknown parameter in input: "Stax"'),
        ("DescribeChangeSet", {"ChangeSetName": 7}, "Invalid type"),
        ("DescribeStackEvents", {"StackEvents": [{"ResourceStatus": "DONE"}]}, "'DONE' is no ResourceStatus"),
    ],
)
def test_an_answer_that_the_model_does_not_know_is_not_sent(name, answer, words) -> None:
    """A member that is missing or unknown, a wrong type, a value that the enumeration lacks."""
    with pytest.raises(answers.Unlike, match=words):
        answers.write("cloudformation", name, answer)


def test_botocore_reads_back_what_was_played(stage) -> None:
    """Every operation that is played, parsed by botocore's own parser and held against its own model once more."""
    heard: list[tuple[str, str]] = []

    def listen(http_response, parsed, model, **_):
        if http_response.status_code < 300 and model.output_shape is not None:
            answer = {key: value for key, value in parsed.items() if key != "ResponseMetadata"}
            service = model.service_model.service_name
            if service in ("cloudformation", "sts", "resourcegroupstaggingapi", "ec2"):
                assert [*answers.wrong(model.output_shape, answer)] == []
                heard.append((service, model.name))

    for service in ("cloudformation", "sts", "resourcegroupstaggingapi", "ec2"):
        stage.account.client(service).meta.events.register("after-call", listen)
    assert stage.deploy() == 0
    assert stage.destroy() == 0
    for service in ("cloudformation", "sts", "resourcegroupstaggingapi", "ec2"):
        stage.account.client(service).meta.events.unregister("after-call", listen)
    assert {name for _, name in heard} >= {
        "CreateChangeSet", "DescribeChangeSet", "DescribeStacks", "DescribeStackEvents", "ListStackResources",
        "GetCallerIdentity", "GetResources", "DescribeRegions",
    }  # fmt: skip
    assert stage.is_empty()


def test_what_is_not_played_is_refused(stage) -> None:
    """An operation that nobody wrote here does not pretend to have worked."""
    with pytest.raises(ClientError, match="Could not find operation ListExports"):
        stage.account.ask("cloudformation", "list_exports")


def test_the_proof_asks_for_every_type_that_the_template_makes() -> None:
    """By name, by tag, or with the thing that it is part of; a type that nobody asks for is found."""
    types = template.read().types
    assert proof.unproved(types) == set()
    assert proof.unproved({*types, "AWS::Kinesis::Stream"}) == {"AWS::Kinesis::Stream"}


def test_a_name_is_ours_only_if_the_template_gives_it() -> None:
    """Names, ARNs, addresses and log groups; not another learner's, whose prefix begins like ours."""
    described = template.read()
    ours = names.of_template(described.body, Target(guard.ACCOUNT, guard.REGION))
    for type, name in (
        ("AWS::DynamoDB::Table", "orderlab-stock"),
        ("AWS::Logs::LogGroup", "/aws/lambda/orderlab-place-order"),
        ("AWS::SQS::Queue", "https://sqs.us-east-1.amazonaws.com/123456789012/orderlab-stock-dead"),
        ("AWS::Lambda::EventSourceMapping", "arn:aws:lambda:us-east-1:123456789012:function:orderlab-relay"),
        ("AWS::IAM::Role", "orderlab-PlaceOrderRole-1ABC"),
        ("AWS::S3::Bucket", "orderlab-receipts-123456789012-us-east-1"),
        ("AWS::S3::Bucket", "orderlab-artifacts-123456789012-us-east-1"),
        ("AWS::Budgets::Budget", "orderlab-month-us-east-1"),
    ):
        assert ours.has(type, name), name
    for type, name in (
        ("AWS::SQS::Queue", "orderlab-ann-stock"),
        ("AWS::SQS::Queue", "orderlab"),
        ("AWS::SQS::Queue", "orderlab-reserve-stock"),  # a function of ours, and a queue of one `orderlab-reserve`
        ("AWS::Logs::LogGroup", "/aws/lambda/orderlab-ann-relay"),
        ("AWS::Logs::LogGroup", "orderlab-relay"),
        ("AWS::S3::Bucket", "orderlab-orders"),  # a table of ours, and a bucket that may be anybody's
        ("AWS::IAM::Role", "orderlab-PlaceOrder"),
    ):
        assert not ours.has(type, name), name


def test_a_record_tells_what_was_answered_and_nothing_of_the_account(stage, tmp_path) -> None:
    """Status and members of each answer; no id of the account, no user, no key."""
    path = tmp_path / "answers.jsonl"
    kept = record.Record(path)
    target = stage.rehearsal.target()
    for service, operation, request in (
        ("sts", "get_caller_identity", {}),
        ("cloudformation", "describe_stacks", {"StackName": "nobody"}),
        ("s3", "list_buckets", {}),
    ):
        client = target.client(service)
        kept.listen(client)
        try:
            getattr(client, operation)(**request)
        except ClientError:
            assert operation == "describe_stacks"
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["operation"] for line in lines] == ["GetCallerIdentity", "DescribeStacks", "ListBuckets"]
    assert lines[0]["answer"]["Account"] == "111122223333" and lines[0]["answer"]["UserId"] == "hidden"
    assert lines[1]["status"] == 400 and lines[1]["answer"]["Error"]["Code"] == "ValidationError"
    assert "123456789012" not in text and "learner" not in text and "AIDA" not in text


def test_a_record_keeps_nothing_of_what_others_have_in_the_account(tmp_path) -> None:
    """Their functions' variables, buckets and roles; no e-mail address, no other account, no id of ours."""
    kept = record.Record(tmp_path / "answers.jsonl")
    theirs = {"FunctionName": "payroll", "Environment": {"Variables": {"DB_PASSWORD": "hunter2"}}}
    ours = {"FunctionName": "orderlab-relay", "RevisionId": "5f1f1b0e-0000-4000-8000-000000000000"}
    tell(kept, "lambda", "ListFunctions", {"Functions": [theirs, ours, {"FunctionName": "or-orderlab-x"}]})
    parameters = [{"ParameterKey": "Budget", "ParameterValue": "ann@example.org"}]
    outputs = [{"OutputKey": "ApiId", "OutputValue": "abcde12345"}, {"OutputKey": "Q", "OutputValue": "orderlab-stock"}]
    stack = {"StackName": "orderlab", "Parameters": parameters, "Outputs": outputs}
    tell(kept, "cloudformation", "DescribeStacks", {"Stacks": [stack, {"StackName": "payroll"}]})
    tell(kept, "sts", "GetCallerIdentity", {"Account": "999988887777"})
    text = kept.path.read_text()
    for secret in ("payroll", "hunter2", "or-orderlab-x", "5f1f1b0e", "ann@", "abcde12345", "999988887777"):
        assert secret not in text, secret
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["answer"] == {"Functions": [{"FunctionName": "orderlab-relay", "RevisionId": "hidden"}]}
    assert lines[1]["answer"]["Stacks"][0]["Outputs"][1]["OutputValue"] == "orderlab-stock"


def tell(kept, service, operation, answer) -> None:
    """An answer for the record."""
    model = get_service_model(service).operation_model(operation)
    kept._answered(SimpleNamespace(status_code=200), answer, model)


def test_a_record_knows_every_list_of_the_proof_and_adds_to_its_file(tmp_path) -> None:
    """A list of the whole account that is not known as one would be kept whole; what is in the file stays."""
    for service, operation, *_ in proof.LISTS.values():
        (name,) = [name for name in get_service_model(service).operation_names if xform_name(name) == operation]
        assert name in record.WHOLE_ACCOUNT
    path = tmp_path / "notes.txt"
    path.write_text("mine\n")
    tell(record.Record(path), "sts", "GetCallerIdentity", {})
    assert path.read_text().startswith("mine\n{")


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (recorded.CONCURRENCY.rows[0][2], "deploy with --set ReservedConcurrency=off"),
        (recorded.NOT_EMPTY.rows[0][2], "run destroy again: it empties the bucket first"),
        ("orderlab-orders already exists", "deploy with another --prefix"),
        ("You must wait 60 seconds after deleting a queue before you can create another", "wait and deploy again"),
        ("API: iam:CreateRole User: arn:… is not authorized to perform", "your user lacks that right"),
        ("Maximum number of VPCs: limit exceeded", "have it raised"),
        ("Rate exceeded", "AWS was busy"),
        ("Something new", "mend that and run it again"),
    ],
)
def test_each_reason_of_a_failure_has_its_remedy(reason, remedy) -> None:
    """One line, without the ids of requests."""
    event = {"LogicalResourceId": "X", "ResourceType": "AWS::T", "ResourceStatusReason": reason}
    line = explain.failure_of(event, "created")
    assert remedy in line and "\n" not in line and "Request ID" not in line
