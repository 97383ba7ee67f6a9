"""What cannot be honoured stops the stack: one clear error, with the resource's name and what to do."""

import re
from typing import Any

import pytest

from orderlab.cloud.functions import package
from orderlab.cloud.stack import formation, honoured
from orderlab.cloud.stack.resource_types import TYPES, WHY
from orderlab.cloud.stack.template import TemplateError

QUEUE = "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, VisibilityTimeout: 60}}\n"
APP = "def handler(event, context): return event\n"
FUNCTION = "App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}\n"


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


@pytest.mark.parametrize(
    "kind",
    ["AWS::Kinesis::Stream", "AWS::Pipes::Pipe", "AWS::Scheduler::Schedule", "AWS::SecretsManager::Secret",
     "AWS::ApiGatewayV2::Api", "AWS::Lambda::Alias", "AWS::EC2::Instance", "Custom::Thing"],
)  # fmt: skip
def test_a_type_that_nothing_here_runs_is_refused_even_where_moto_would_make_it(world, kind: str) -> None:
    """It would stand there and do nothing."""
    with pytest.raises(TemplateError, match=f'Thing is a {kind}, which the local cloud .*overrides={{"Thing": None}}'):
        world("", QUEUE + f"Thing: {{Type: '{kind}', Properties: {{}}}}\n")


REFUSED = [
    ("Queue: {Type: AWS::SQS::Queue, Properties: {Delay: 3}}", "Queue (AWS::SQS::Queue): its property Delay is not"),
    ("Rule: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 minute)}}", "Rule.*ScheduleExpression"),
    (
        "Rule:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {source: [a]}\n"
        "    Targets: [{Id: a, Arn: 'arn:aws:sqs:us-east-1:123456789012:q', EcsParameters: {}}]",
        "Rule.*Targets.EcsParameters is not honoured",
    ),
    (
        "Rule:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {source: [a]}\n"
        "    Targets: [!If [Some, {Id: a, Arn: !Ref Q, HttpParameters: {}}, {Id: a, Arn: !Ref Q}]]",
        "Rule.*Targets.HttpParameters is not honoured",
    ),
    (
        "Rule:\n  Type: AWS::Events::Rule\n  Properties:\n    EventPattern: {source: [a]}\n"
        "    Targets: [{Id: box, Arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s'}]",
        "rule orderlab-Rule-.*: the target box is arn:aws:kinesis.*delivers to lambda, sns, sqs, states only",
    ),
    ("Rule: {Type: AWS::Events::Rule, Properties: {State: ENABLED}}", "Rule: a rule without an EventPattern"),
    ("Bucket: {Type: AWS::S3::Bucket, Properties: {NotificationConfiguration: {}}}", "Bucket.*NotificationConfig"),
    ("Queue: {Type: AWS::SQS::Queue, UpdatePolicy: {}}", "Queue: the resource attribute UpdatePolicy"),
    ("Queue: {Type: AWS::SQS::Queue, Depends: Other}", "Queue: the resource attribute Depends"),
    ("Queue: {Properties: {QueueName: q}}", "Queue has no Type"),
    ("Queue: AWS::SQS::Queue", "Queue is not a mapping"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: [QueueName]}", "Queue: its Properties are not a mapping"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Upper q}}", "Queue uses Fn::Upper"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: {'Fn::ImportValue': q}}}", "Queue uses Fn::ImportValue"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}", "Queue refers to Nobody"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Nobody.Arn}}", "Queue refers to Nobody"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'a-${Nobody}'}}", "Queue refers to Nobody"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'a-${Nobody.Arn}'}}", "Queue refers to Nobody"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub ['${a}${b}', {a: 1}]}}", "Queue refers to b"),
    ("Queue: {Type: AWS::SQS::Queue, DependsOn: [Nobody]}", "Queue refers to Nobody"),
    ("Queue: {Type: AWS::SQS::Queue, Condition: Perhaps}", "Queue: Condition names Perhaps"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !If [Perhaps, a, b]}}", "Queue: Fn::If names Perhaps"),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !FindInMap [M, a, b]}}", "Queue: Fn::FindInMap names M"),
    (
        QUEUE + "Other: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Queue.Name}}",
        "Other asks for Queue.Name; of AWS::SQS::Queue there is: Arn, QueueName, QueueUrl",
    ),
    (
        "One: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt Two.QueueName}}\n"
        "Two: {Type: AWS::SQS::Queue, DependsOn: Three}\n"
        "Three: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'x-${One}'}}",
        "circular dependency between resources: One -> Two -> Three -> One",
    ),
    ("Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Queue}}", "circular dependency.*Queue -> Queue"),
    (FUNCTION.replace("app.handler", "app.hanlder"), "App: its Handler app.hanlder cannot be loaded: app has no"),
    (FUNCTION.replace("app.handler", "ap.handler"), "App: its Handler ap.handler.*no module ap; it has app"),
    (FUNCTION.replace("app.handler", "handler"), "App: its Handler handler.*written module.function"),
    (FUNCTION.replace("FunctionName: app", "Runtime: nodejs22.x"), "App: only functions in Python.*nodejs22.x"),
    (
        FUNCTION.replace("FunctionName: app", "Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:x:1']"),
        "App .*Layers is not honoured",
    ),
    (
        FUNCTION + "Map:\n  Type: AWS::Lambda::EventSourceMapping\n  Properties: {FunctionName: !Ref App, "
        "EventSourceArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/s', StartingPosition: LATEST}",
        "Map: the event source arn:aws:kinesis.* is not served here",
    ),
]


@pytest.mark.parametrize(("resources", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_honoured_stops_the_stack_with_the_resource_s_name(world, resources: str, message: str) -> None:
    """Each of these is made, or skipped, without a word by moto."""
    with pytest.raises(TemplateError, match=message.replace("(AWS::SQS::Queue)", r"\(AWS::SQS::Queue\)")) as refused:
        world(APP, resources + "\n")
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("section", "message"),
    [({"Rules": {}}, "section Rules"), ({"Transform": "AWS::Include"}, "Transform AWS::Include is not known"),
     ({"Transform": [honoured.SAM, "Mine"]}, "Transform Mine"), ({"Hooks": {}}, "section Hooks")],
)  # fmt: skip
def test_a_section_that_nobody_reads_is_refused(section: dict[str, Any], message: str) -> None:
    """Rules would check parameters, a macro would change the template."""
    with pytest.raises(TemplateError, match=message):
        honoured.check_shape({"Resources": {}, **section})


def test_what_is_right_passes(world) -> None:
    """References of every form, a condition, a map, pseudo parameters, a handler behind an import."""
    app = "try:\n    from json import dumps as handler\nexcept ImportError:\n    handler = None\n"
    cloud = world(
        app,
        FUNCTION + QUEUE + "Other:\n  Type: AWS::SQS::Queue\n  DependsOn: Queue\n  DeletionPolicy: Retain\n"
        "  Metadata: {why: a test}\n  Properties:\n"
        "    QueueName: !Sub ['${AWS::Region}-${tail}-${Queue.QueueName}', {tail: !Ref AWS::AccountId}]\n",
    )
    assert cloud.stack.resources["Other"].physical_id.endswith("/us-east-1-123456789012-q")


@pytest.mark.parametrize(
    ("source", "found"),
    [("def f(): ...", True), ("async def f(): ...", True), ("class f: ...", True), ("f = print", True),
     ("f: int = 3", True), ("a, (b, f) = 1, (2, 3)", True), ("import f.g", True), ("import g.f", False),
     ("from g import f", True), ("from g import f as h", False), ("from g import *", True),
     ("if x:\n  def f(): ...", True), ("try: ...\nexcept E: f = 1", True), ("with x as f: ...", True),
     ("def g():\n  f = 1\n  def f(): ...", False), ("class G:\n  def f(self): ...", False), ("print(f)", False),
     ("def f(:", True)],
)  # fmt: skip
def test_a_handler_is_looked_for_by_reading_its_module(tmp_path, source: str, found: bool) -> None:
    """Nothing of it runs. What is not Python is AWS's to report, at each invocation."""
    (tmp_path / "m.py").write_text(source)
    zipped = package.build({"pkg/m.py": tmp_path / "m.py"})
    assert (package.missing(zipped, "pkg.m.f") == "") is found
    assert package.missing(zipped, "pkg/m.f") == package.missing(zipped, "pkg.m.f")


def test_every_property_is_in_one_list_and_what_has_no_effect_has_a_reason() -> None:
    """A reason for each, and none for nobody."""
    used = set()
    for kind, known in TYPES.items():
        both = set(known.honoured.split()) & set(known.without_effect.split())
        assert not both, kind
        for name in known.without_effect.split():
            assert re.search(r"\w", honoured.without_effect(kind, name))
            used.add(kind.rpartition("::")[0] if name == "*" else name.rpartition(".")[2])
    assert used == set(WHY)


def test_every_known_type_is_one_that_moto_makes_or_that_is_recorded() -> None:
    """A type that is let through is not skipped."""
    import moto.cloudformation.parsing as parsing

    formation.install()
    assert set(TYPES) <= set(parsing.get_model_map())


def test_what_only_creation_finds_out_names_the_resource_too(world) -> None:
    """A queue's name with a blank in it."""
    with pytest.raises(TemplateError, match=r"^Bad cannot be created: .*alphanumeric"):
        world("", QUEUE + "Bad: {Type: AWS::SQS::Queue, Properties: {QueueName: a b}}\n")
    assert world("", QUEUE).stack.resources["Queue"].physical_id.endswith("/q")
