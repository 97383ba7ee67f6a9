"""SNS: topics, subscriptions, filters, what subscribers get, and what cannot be delivered."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.sns.models import SNSBackend

from orderlab.cloud import Faults
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.topics.notices import Notice, wanted
from orderlab.cloud.wire.answers import NotYet, Refusal

TEMPLATE = """
App: {Type: AWS::Serverless::Function, Properties: {FunctionName: app, Handler: app.handler}}
News: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
Inbox: {Type: AWS::SQS::Queue, Properties: {QueueName: inbox}}
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
ToInbox:
  Type: AWS::SNS::Subscription
  Properties:
    TopicArn: !Ref News
    Protocol: sqs
    Endpoint: !GetAtt Inbox.Arn
    RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}
InboxPolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Inbox, !Ref Dead]
    PolicyDocument:
      Statement:
        - Effect: Allow
          Principal: {Service: sns.amazonaws.com}
          Action: sqs:SendMessage
          Resource: "*"
          Condition: {ArnEquals: {"aws:SourceArn": !Ref News}}
AppPermission:
  Type: AWS::Lambda::Permission
  Properties:
    FunctionName: !Ref App
    Action: lambda:InvokeFunction
    Principal: sns.amazonaws.com
    SourceArn: !Ref News
Bus: {Type: AWS::Events::EventBus, Properties: {Name: orders}}
Told:
  Type: AWS::Events::Rule
  Properties:
    Name: told
    EventBusName: !Ref Bus
    EventPattern: {detail-type: [OrderPlaced]}
    Targets: [{Id: news, Arn: !Ref News, InputPath: $.detail, DeadLetterConfig: {Arn: !GetAtt Undelivered.Arn}}]
Undelivered: {Type: AWS::SQS::Queue, Properties: {QueueName: undelivered}}
UndeliveredPolicy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Undelivered]
    PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: sqs:SendMessage, Resource: "*"}]}
"""
OPEN = """
NewsPolicy:
  Type: AWS::SNS::TopicPolicy
  Properties:
    Topics: [!Ref News]
    PolicyDocument:
      Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sns:Publish, Resource: !Ref News}]
"""
APP = "import json\n\ndef handler(event, context):\n    print(json.dumps(event))"
NEWS = "arn:aws:sns:us-east-1:123456789012:news"
CLOSED = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:app"


@pytest.fixture
def cloud(world: Callable[..., Any]) -> Any:
    return world(APP, TEMPLATE)


def bodies(cloud: Any, queue: str = "inbox") -> list[str]:
    return [message.body for message in cloud.queues.messages(queue)]


def publish(message: str = "hello", **parts: Any) -> str:
    return str(boto3.client("sns").publish(TopicArn=NEWS, Message=message, **parts)["MessageId"])


def subscribe(protocol: str, endpoint: str, **attributes: Any) -> str:
    sns = boto3.client("sns")
    return str(
        sns.subscribe(TopicArn=NEWS, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)["SubscriptionArn"]
    )


def setting(name: str, value: Any) -> None:
    """Change the template's one subscription."""
    sns = boto3.client("sns")
    (mine,) = (each for each in sns.list_subscriptions()["Subscriptions"] if each["Endpoint"].endswith(":inbox"))
    text = value if isinstance(value, str) else json.dumps(value)
    arn = mine["SubscriptionArn"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=text)


def strings(**values: str) -> dict[str, Any]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


# what subscribers get


def test_a_queue_gets_the_message_in_an_envelope(cloud: Any) -> None:
    """The fields that were recorded on AWS; no Subject where there was none."""
    first = publish(MessageAttributes=strings(kind="a"), Subject="News of today")
    cloud.advance(1)
    publish()
    cloud.run()
    one, two = map(json.loads, bodies(cloud))
    common = ["Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature",
              "SigningCertURL", "UnsubscribeURL"]  # fmt: skip
    assert set(one) == {*common, "Subject", "MessageAttributes"}
    assert set(two) == set(common)
    assert (one["Type"], one["MessageId"], one["TopicArn"], one["Message"]) == ("Notification", first, NEWS, "hello")
    assert (one["Subject"], one["Timestamp"]) == ("News of today", "2026-01-05T09:00:00.000Z")
    assert one["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    assert bodies(cloud)[0].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')


def test_raw_delivery_gives_the_message_alone_with_its_attributes(cloud: Any) -> None:
    """As if it had been sent to the queue; more than ten attributes do not fit there."""
    setting("RawMessageDelivery", "true")
    publish("bare", MessageAttributes={**strings(kind="a"), "b": {"DataType": "Binary", "BinaryValue": b"x"}})
    cloud.run()
    url = cloud.stack.resources["Inbox"].physical_id
    answer = boto3.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])
    (message,) = answer["Messages"]
    assert message["Body"] == "bare"
    found = {
        name: value.get("StringValue", value.get("BinaryValue")) for name, value in message["MessageAttributes"].items()
    }
    assert found == {"kind": "a", "b": b"x"}
    publish("many", MessageAttributes=strings(**{f"a{n}": "x" for n in range(11)}))
    cloud.run()
    (row,) = cloud.trace.select("undeliverable")
    assert (row.detail["code"], row.detail["lost"]) == (
        "InvalidParameterValue",
        "dead-letter queue dead: InvalidParameterValue",
    )


def test_a_function_gets_a_record_and_is_invoked_asynchronously(cloud: Any) -> None:
    """Subject null, attributes an empty object, and `Url` where a queue's envelope has `URL`."""
    arn = subscribe("lambda", FUNCTION)
    message = publish("hello")
    cloud.run()
    (event,) = (json.loads(row.what) for row in cloud.trace.select("log"))
    (record,) = event["Records"]
    sns = record.pop("Sns")
    assert record == {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": arn}
    assert (sns["MessageId"], sns["Message"], sns["Subject"], sns["MessageAttributes"]) == (message, "hello", None, {})
    assert {"SigningCertUrl", "UnsubscribeUrl"} < set(sns)
    assert [row.actor for row in cloud.trace.select("queued")] == ["App"]


def test_a_mail_or_a_web_call_is_told_in_the_trace(cloud: Any) -> None:
    """Nothing leaves this machine."""
    subscribe("email", "ops@example.com")
    publish(Subject="Alarm")
    cloud.run()
    told = [row for row in cloud.trace.select("notify") if "ops@example.com" in row.what]
    assert (told[0].what, told[0].detail["subject"]) == ("a message by email goes to ops@example.com", "Alarm")


# filters


@pytest.mark.parametrize(
    ("policy", "attributes", "passes"),
    [
        ({"kind": ["a"]}, {"kind": ("String", "a")}, True),
        ({"kind": ["a"]}, {"kind": ("String", "b")}, False),
        ({"kind": ["a"]}, {}, False),
        ({"kind": [{"exists": False}]}, {}, True),
        ({"kind": [{"anything-but": ["b"]}]}, {"kind": ("String", "a")}, True),
        ({"price": [{"numeric": [">", 100]}]}, {"price": ("Number", "210.75")}, True),
        ({"price": [{"numeric": [">", 100]}]}, {"price": ("String", "210.75")}, False),
        ({"price": [{"numeric": [">", 1]}]}, {"price": ("Number", "007")}, False),
        ({"likes": ["rugby"]}, {"likes": ("String.Array", "[rugby")}, False),
        ({"likes": ["rugby"]}, {"likes": ("String.Array", '["soccer", "rugby"]')}, True),
        ({"likes": ["tennis"]}, {"likes": ("String.Array", '["soccer", "rugby"]')}, False),
        ({"a": ["x"], "b": ["y"]}, {"a": ("String", "x")}, False),
        ({"kind": [{"exists": False}]}, {"kind": ("Binary", "eA==")}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": ("String", "y")}, True),
    ],
)
def test_a_filter_policy_looks_at_the_attributes(policy: Any, attributes: Any, passes: bool) -> None:
    """Every name must match, and one of its alternatives."""
    given = {name: {"Type": kind, "Value": value} for name, (kind, value) in attributes.items()}
    notice = Notice("id", NEWS, "hello", 0.0, attributes=given)
    assert wanted(notice, {"FilterPolicy": json.dumps(policy)}) is passes


def test_a_message_that_no_filter_lets_pass_is_gone_and_the_trace_says_so(cloud: Any) -> None:
    """Set by boto3, on the attributes unless the scope says otherwise."""
    setting("FilterPolicy", {"kind": ["a"]})
    publish("no"), publish("yes", MessageAttributes=strings(kind="a"))
    cloud.run()
    assert [json.loads(body)["Message"] for body in bodies(cloud)] == ["yes"]
    assert cloud.trace.select("publish")[0].detail["lost"] == "no subscription wants it"


def test_a_filter_policy_may_look_at_the_body(cloud: Any) -> None:
    """Nested; a body that is no JSON object never passes."""
    setting("FilterPolicyScope", "MessageBody")
    setting("FilterPolicy", {"order": {"total": [{"numeric": [">=", 100]}]}})
    for total in (99, 100):
        publish(json.dumps({"order": {"total": total}}))
    for text in ("plain", "[100]", "100"):
        publish(text)
    cloud.run()
    assert [json.loads(json.loads(body)["Message"]) for body in bodies(cloud)] == [{"order": {"total": 100}}]


# what cannot be delivered


def test_what_is_forbidden_or_gone_is_a_dead_letter_at_once(cloud: Any) -> None:
    """The body is what the subscriber would have got; without a dead-letter queue it is lost, and the trace says so."""
    sqs = boto3.client("sqs")
    sqs.set_queue_attributes(
        QueueUrl=cloud.stack.resources["Inbox"].physical_id, Attributes={"Policy": json.dumps(CLOSED)}
    )
    publish("one")
    cloud.run()
    sqs.delete_queue(QueueUrl=cloud.stack.resources["Inbox"].physical_id)
    publish("two")
    cloud.run()
    assert [json.loads(body)["Message"] for body in bodies(cloud, "dead")] == ["one", "two"]
    subscribe("lambda", FUNCTION.replace("app", "gone"))
    publish("three")
    cloud.run()
    codes = [(row.what, row.detail["code"], row.detail.get("lost")) for row in cloud.trace.select("undeliverable")]
    assert codes[:2] == [("inbox", "forbidden", None), ("inbox", "AWS.SimpleQueueService.NonExistentQueue", None)]
    assert ("gone", "no such function", "no dead-letter queue") in codes
    assert cloud.now - cloud.trace.start < 1


def test_another_topic_may_not_use_the_queue(cloud: Any) -> None:
    """The policy names one topic; a function's permission too."""
    sns = boto3.client("sns")
    other = sns.create_topic(Name="other")["TopicArn"]
    sns.subscribe(TopicArn=other, Protocol="sqs", Endpoint=cloud.stack.resources["Inbox"].arn)
    sns.subscribe(TopicArn=other, Protocol="lambda", Endpoint=FUNCTION)
    sns.publish(TopicArn=other, Message="hello")
    cloud.run()
    assert [row.detail["code"] for row in cloud.trace.select("undeliverable")] == ["forbidden", "forbidden"]


REFUSED: list[tuple[str, str, dict[str, Any]]] = [
    ("NotFound", "Topic does not exist", {"TopicArn": NEWS + "x"}),
    ("InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1",
     {"TopicArn": "news"}),
    ("InvalidParameter", "Invalid parameter: Empty message", {"Message": ""}),
    ("InvalidParameter", "Invalid parameter: Message too long", {"Message": "x" * 262_145}),
    ("InvalidParameter", "Invalid parameter: Subject", {"Subject": "x" * 101}),
    ("InvalidParameter", "Invalid parameter: Subject", {"Subject": "two\nlines"}),
]  # fmt: skip


def test_what_publish_refuses(cloud: Any) -> None:
    """In AWS's words, through boto3 and for a service."""
    for code, words, asked in REFUSED:
        with pytest.raises(ClientError) as error:
            boto3.client("sns").publish(**{"TopicArn": NEWS, "Message": "m", **asked})
        assert (error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]) == (code, words)
        with pytest.raises(Refusal, match=f"{code}: {words}"):
            cloud.topics.publish(asked.get("TopicArn", NEWS), asked.get("Message", "m"), subject=asked.get("Subject"))
    assert not cloud.trace.select("publish")


def test_a_batch_names_what_failed(cloud: Any) -> None:
    """Ten at most; the others go on."""
    entries = [{"Id": "a", "Message": "one"}, {"Id": "b", "Message": ""}, {"Id": "c", "Message": "three"}]
    answer = boto3.client("sns").publish_batch(TopicArn=NEWS, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a", "c"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("b", "InvalidParameter", True)
    cloud.run()
    assert sorted(json.loads(body)["Message"] for body in bodies(cloud)) == ["one", "three"]
    many = [{"Id": str(n), "Message": "m"} for n in range(11)]
    with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
        boto3.client("sns").publish_batch(TopicArn=NEWS, PublishBatchRequestEntries=many)


def test_what_a_topic_here_has_not_is_refused_by_name(world: Callable[..., Any]) -> None:
    """FIFO topics, SMS, and a subscription's other settings."""
    world(APP, TEMPLATE)
    sns = boto3.client("sns")
    fifo = sns.create_topic(Name="f.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    with pytest.raises(NotYet, match=r"f\.fifo: the local cloud has neither mobile push nor FIFO topics"):
        sns.publish(TopicArn=fifo, Message="m", MessageGroupId="g")
    with pytest.raises(NotYet, match="MessageStructure json"):
        sns.publish(TopicArn=NEWS, Message='{"default": "m"}', MessageStructure="json")
    with pytest.raises(NotYet, match="no SMS"):
        sns.publish(PhoneNumber="+15550100", Message="m")
    with pytest.raises(TemplateError, match=r"News .*: its property FifoTopic is not"):
        world(APP, TEMPLATE.replace("TopicName: news", "TopicName: news.fifo, FifoTopic: true"))
    with pytest.raises(TemplateError, match=r"ToInbox .*: its property DeliveryPolicy is not"):
        world(APP, TEMPLATE.replace("Protocol: sqs", "Protocol: sqs\n    DeliveryPolicy: {}"))
    with pytest.raises(TemplateError, match="ToInbox: Event pattern is not valid"):
        world(APP, TEMPLATE.replace("Protocol: sqs", "Protocol: sqs\n    FilterPolicy: {a: [{prefix: 1}]}"))


# from the bus


def test_a_rule_publishes_to_a_topic_that_lets_it(world: Callable[..., Any]) -> None:
    """With a topic policy for EventBridge; the topic's default policy is for its own account only."""
    entry = {"EventBusName": "orders", "Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"n": 1}'}
    cloud = world(APP, TEMPLATE + OPEN)
    boto3.client("events").put_events(Entries=[entry])
    cloud.run()
    assert json.loads(bodies(cloud)[0])["Message"] == '{"n":1}'
    assert cloud.trace.select("publish")[0].detail["source"] == "told"
    cloud = world(APP, TEMPLATE)
    boto3.client("events").put_events(Entries=[entry])
    cloud.run()
    (message,) = cloud.queues.messages("undelivered")
    assert message.attributes["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def test_a_topic_that_is_not_there_is_no_resource(world: Callable[..., Any]) -> None:
    """Straight to the rule's dead letters."""
    cloud = world(APP, TEMPLATE + OPEN)
    boto3.client("sns").delete_topic(TopicArn=NEWS)
    entry = {"EventBusName": "orders", "Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"n": 1}'}
    boto3.client("events").put_events(Entries=[entry])
    cloud.run()
    (message,) = cloud.queues.messages("undelivered")
    assert message.attributes["ERROR_CODE"]["StringValue"] == "NO_RESOURCE"


# and moto


def test_a_reset_gives_the_templates_topics_back_and_the_same_history(cloud: Any) -> None:
    """Subscriptions and settings that were made at run time are gone."""

    def story() -> str:
        for n in range(3):
            publish(str(n))
        cloud.run()
        return str(cloud.trace.text())

    first = story()
    setting("FilterPolicy", {"kind": ["a"]})
    subscribe("lambda", FUNCTION)
    boto3.client("sns").create_topic(Name="other")
    cloud.reset()
    assert [topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]] == [NEWS]
    assert story() == first


def test_a_function_publishes_and_its_call_is_told_and_can_be_throttled(world: Callable[..., Any]) -> None:
    """Through the wire: the topic's name in the trace, and SNS's throttling error as boto3 raises it."""
    app = (
        f'import boto3\n\ndef handler(event, context):\n    boto3.client("sns").publish(TopicArn="{NEWS}", Message="m")'
    )
    faults = Faults().at_rate("throttle", 1.0, where="sns.Publish news", limit=1)
    cloud = world(app, TEMPLATE, faults=faults)
    boto3.client("lambda").invoke(FunctionName="app")
    cloud.run()
    first, second = cloud.trace.select("call", contains="sns.Publish")
    assert (first.detail["topic"], first.detail["error"], "error" in second.detail) == ("news", "Throttled", False)
    assert len(bodies(cloud)) == 1


def test_moto_gets_its_own_publish_back(cloud: Any) -> None:
    """A canary for what is replaced, and for what is read."""
    ours = SNSBackend.publish
    topic = cloud.topics.backend.topics[NEWS]
    (subscription,) = cloud.topics.backend.subscriptions.values()
    assert (topic.arn, subscription.topic_arn, subscription.protocol) == (NEWS, NEWS, "sqs")
    assert subscription.endpoint == cloud.stack.resources["Inbox"].arn
    assert {"FilterPolicy", "RedrivePolicy", "RawMessageDelivery"} & set(subscription.attributes) == {
        "RedrivePolicy",
        "RawMessageDelivery",
    }
    assert "AWS:SourceOwner" in topic.policy
    cloud.close()
    assert SNSBackend.publish is not ours
    assert SNSBackend.publish.__module__ == "moto.sns.models"
