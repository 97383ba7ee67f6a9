"""The stack: the template as it is deployed, or a clear refusal."""

import boto3
import pytest

from orderlab.cloud.stack.template import TemplateError, override, read

QUEUE = "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, VisibilityTimeout: 60}}\n"


def test_an_override_changes_one_property_and_the_file_stays_as_it_is(world) -> None:
    """A lesson breaks the system from outside."""
    cloud = world("", QUEUE, overrides={"Queue": {"VisibilityTimeout": 5}})
    assert cloud.stack.resources["Queue"].properties == {"QueueName": "q", "VisibilityTimeout": 5}
    url = boto3.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
    answer = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert answer["Attributes"] == {"VisibilityTimeout": "5"}
    assert world("", QUEUE).stack.resources["Queue"].properties["VisibilityTimeout"] == 60


def test_overrides_merge_dicts_take_away_with_none_and_name_what_is_not_there() -> None:
    """Three rules, and no silent miss."""
    template = {"Resources": {"A": {"Properties": {"x": {"a": 1, "b": 2}, "y": [1]}}, "B": {}}}
    changed = override(template, {"A": {"x": {"b": 3, "c": 4}, "y": None}, "B": None})
    assert changed == {"Resources": {"A": {"Properties": {"x": {"a": 1, "b": 3, "c": 4}}}}}
    assert template["Resources"]["A"]["Properties"]["y"] == [1]
    with pytest.raises(TemplateError, match="override of C: the template has no such resource"):
        override(template, {"C": {}})


def test_a_resource_that_nobody_knows_stops_the_stack_with_its_name(world) -> None:
    """moto would skip it without a word."""
    with pytest.raises(TemplateError, match="Pipe is a AWS::Pipes::Nonsense"):
        world("", QUEUE + "Pipe: {Type: AWS::Pipes::Nonsense, Properties: {}}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources: [", "is not YAML"),
        ("Description: nothing", "has no Resources"),
    ],
)
def test_a_broken_template_is_one_clear_error(tmp_path, text: str, message: str) -> None:
    """It names the file and what is wrong."""
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(TemplateError, match=message):
        read(path)
    with pytest.raises(TemplateError, match=r"there is no template nothing\.yaml"):
        read(tmp_path / "nothing.yaml")


def test_a_reference_to_nothing_stops_the_stack(world) -> None:
    """And the cloud that failed leaves nothing open: the next one works."""
    with pytest.raises(TemplateError):
        world("", "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}\n")
    assert world("", QUEUE).stack.resources["Queue"].physical_id.endswith("/q")


def test_an_unknown_parameter_is_named(world) -> None:
    """Not ignored."""
    with pytest.raises(TemplateError, match="no parameter Sagga"):
        world("", QUEUE, parameters={"Sagga": "orchestration"})


@pytest.mark.parametrize(("name", "value"), [("Saga", "neither"), ("NamePrefix", "Bad_"), ("Cache", "perhaps")])
def test_a_parameter_value_that_cloudformation_would_refuse_is_refused(name: str, value: str) -> None:
    """moto would create half a system with it."""
    from orderlab.cloud import Cloud

    with pytest.raises(TemplateError, match=f"parameter {name} cannot be '{value}'"):
        Cloud(parameters={name: value})


def test_a_recorded_resource_keeps_its_resolved_properties(world) -> None:
    """A queue policy's ARNs are real ones."""
    policy = (
        "Policy:\n  Type: AWS::SQS::QueuePolicy\n  Properties:\n    Queues: [!Ref Queue]\n"
        "    PolicyDocument: {Statement: [{Effect: Allow, Resource: !GetAtt Queue.Arn}]}\n"
    )
    properties = world("", QUEUE + policy).stack.of_type("AWS::SQS::QueuePolicy")[0].properties
    assert properties["PolicyDocument"]["Statement"][0]["Resource"] == "arn:aws:sqs:us-east-1:123456789012:q"


def test_a_second_stack_takes_no_longer_for_having_been_made_before(world) -> None:
    """Translation is cached by content, so a changed template is translated again."""
    world("", QUEUE)
    assert world("", QUEUE.replace("60", "61")).stack.resources["Queue"].properties["VisibilityTimeout"] == 61
