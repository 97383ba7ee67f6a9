"""SQS in virtual time: visibility, receipt handles, dead letters and redrive, batches, long polls, FIFO, the seam."""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
import moto.sqs.models as moto_sqs
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.backends import get_backend

from orderlab.cloud.faults import Faults
from orderlab.cloud.queues import control as sqs_moto
from orderlab.cloud.queues import limits as sqs_limits
from orderlab.cloud.queues import operations as sqs_operations
from orderlab.cloud.queues.messages import md5_of_attributes
from orderlab.cloud.queues.service import Queues
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire import hooks
from orderlab.cloud.wire.answers import NotYet, Refusal
from orderlab.cloud.wire.calls import Wire

START = 1_767_603_600.0  # 2026-01-05T09:00:00Z


@dataclass
class World:
    """Queues on moto's settings, a boto3 client that reaches them, and their virtual time."""

    scheduler: Scheduler
    trace: Trace
    faults: Faults
    queues: Queues
    sqs: Any

    def make(self, name: str, **attributes: Any) -> str:
        """Create a queue and return its URL."""
        settings = {key: value if isinstance(value, str) else json.dumps(value) for key, value in attributes.items()}
        return self.sqs.create_queue(QueueName=name, Attributes=settings)["QueueUrl"]

    def with_dead_letters(self, most: int, **attributes: Any) -> tuple[str, str]:
        """A queue "work" that buries in "dead" after `most` receives: both URLs."""
        dead = self.make("dead")
        policy = {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": most}
        return self.make("work", RedrivePolicy=policy, **attributes), dead

    def receive(self, url: str, **parameters: Any) -> list[dict[str, Any]]:
        """ReceiveMessage of up to ten messages with everything that is known of them."""
        asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"], **parameters}
        return self.sqs.receive_message(QueueUrl=url, **asked).get("Messages", [])

    def bodies(self, url: str, **parameters: Any) -> list[str]:
        """The bodies of what a receive returns."""
        return [message["Body"] for message in self.receive(url, **parameters)]

    def counts(self, url: str) -> tuple[int, int, int]:
        """GetQueueAttributes: visible, in flight, delayed."""
        names = ["", "NotVisible", "Delayed"]
        asked = [f"ApproximateNumberOfMessages{name}" for name in names]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
        visible, in_flight, delayed = (int(found[name]) for name in asked)
        return visible, in_flight, delayed


def arn(name: str) -> str:
    """A queue's ARN."""
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    """Call, and return the code and message of the error that must come."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@cache
def client() -> Any:
    """One boto3 client for all tests: making one takes longer than a test."""
    return boto3.client("sqs", region_name="us-east-1")


@pytest.fixture
def world() -> Iterator[World]:
    """An empty world."""
    with mock_aws():
        scheduler, faults = Scheduler(START, 1), Faults(1)
        trace = Trace(lambda: scheduler.now)
        queues = Queues(scheduler, trace, faults, get_backend("sqs")["123456789012"]["us-east-1"])
        calls = Wire(scheduler, trace, faults)
        for (service, operation), answer in queues.operations().items():
            calls.own(service, operation, answer)
        hooks.connect(calls)
        queues.install()
        try:
            yield World(scheduler, trace, faults, queues, client())
        finally:
            queues.uninstall()
            hooks.disconnect(calls)


# ------------------------------------------------------------------------------------------------------- visibility


def test_a_received_message_is_hidden_until_exactly_its_visibility_timeout(world: World) -> None:
    """Visible when visible_at <= now: hidden at 29.999 s, there at 30 s, with receive count 2 and another handle."""
    url = world.make("q")
    sent = world.sqs.send_message(QueueUrl=url, MessageBody="hello")
    [first] = world.receive(url)
    assert (first["MessageId"], first["Attributes"]["ApproximateReceiveCount"]) == (sent["MessageId"], "1")
    assert world.counts(url) == (0, 1, 0)
    world.scheduler.advance(29.999)
    assert world.receive(url) == []
    world.scheduler.advance(START + 30 - world.scheduler.now)
    assert world.counts(url) == (1, 0, 0)
    [again] = world.receive(url)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["Attributes"]["ApproximateFirstReceiveTimestamp"] == str(int(START * 1000))
    assert again["ReceiptHandle"] != first["ReceiptHandle"]


def test_changing_the_visibility_counts_from_now_and_zero_shows_at_once(world: World) -> None:
    """Ten seconds more from the call on; 0 gives the message back in the same instant, for one receive."""
    url = world.make("q")
    world.queues.send(url, "m")
    [message] = world.receive(url)
    world.scheduler.advance(25)
    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    world.sqs.change_message_visibility(**handle, VisibilityTimeout=10)
    world.scheduler.advance(9.9)
    assert world.receive(url) == []
    world.sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    assert world.bodies(url) == ["m"]
    assert world.receive(url) == []


def test_a_message_is_never_hidden_for_more_than_twelve_hours_in_all(world: World) -> None:
    """The limit counts from the first receive."""
    url = world.make("q")
    world.queues.send(url, "m")
    [message] = world.receive(url, VisibilityTimeout=43200)
    world.scheduler.advance(60)
    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    code, text = refused(world.sqs.change_message_visibility, **handle, VisibilityTimeout=43200)
    assert code == "InvalidParameterValue" and "beyond the limit [43200 seconds]" in text
    world.sqs.change_message_visibility(**handle, VisibilityTimeout=43140)


def test_a_delay_hides_a_new_message_and_the_message_s_own_wins_over_the_queue_s(world: World) -> None:
    """DelaySeconds 5 of the queue, 0 and 20 of single messages."""
    url = world.make("q", DelaySeconds="5")
    for body, delay in (("queue's", {}), ("none", {"DelaySeconds": 0}), ("long", {"DelaySeconds": 20})):
        world.sqs.send_message(QueueUrl=url, MessageBody=body, **delay)
    assert world.bodies(url) == ["none"]
    assert world.counts(url) == (0, 1, 2)
    world.scheduler.advance(5)
    assert world.bodies(url) == ["queue's"]
    world.scheduler.advance(15)
    assert world.bodies(url) == ["long"]


def test_running_to_quiet_ends_at_the_last_hidden_message_and_never_at_a_deleted_one(world: World) -> None:
    """A delete takes the timer with it."""
    url = world.make("q")
    world.queues.send(url, "a")
    [message] = world.receive(url)
    world.scheduler.run()
    assert world.scheduler.now == START + 30
    [message] = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    world.scheduler.run()
    assert world.scheduler.now == START + 30


def test_a_message_older_than_the_retention_is_gone_wherever_it_is(world: World) -> None:
    """Visible, in flight and delayed ones alike; at exactly the retention period it is too late."""
    url = world.make("q", MessageRetentionPeriod="60")
    world.queues.send(url, "in flight")
    assert world.bodies(url, VisibilityTimeout=300) == ["in flight"]
    world.queues.send(url, "visible")
    world.queues.send(url, "delayed", delay=300)
    world.scheduler.advance(59.9)
    assert len(world.queues.messages(url)) == 3
    world.scheduler.advance(0.1)
    assert world.queues.messages(url) == [] and world.receive(url) == []
    assert world.counts(url) == (0, 0, 0)
    world.scheduler.run()
    assert world.scheduler.now == START + 60


# -------------------------------------------------------------------------------------------------- receipt handles


def test_an_old_handle_deletes_nothing_and_says_it_did(world: World) -> None:
    """The newest handle deletes even after the visibility timeout; an older one answers 200 and the message stays."""
    url = world.make("q")
    world.queues.send(url, "m")
    [old] = world.receive(url)
    world.scheduler.advance(30)
    [new] = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=old["ReceiptHandle"])
    assert world.counts(url) == (0, 1, 0)
    world.scheduler.advance(30)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=new["ReceiptHandle"])
    assert world.queues.messages(url) == []
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=new["ReceiptHandle"])


def test_an_old_handle_still_changes_the_visibility(world: World) -> None:
    """Recorded on AWS: the handle of the first receive shows a message that was received again."""
    url = world.make("q")
    world.queues.send(url, "m")
    [old] = world.receive(url, VisibilityTimeout=0)
    world.receive(url)
    change = {"QueueUrl": url, "ReceiptHandle": old["ReceiptHandle"], "VisibilityTimeout": 0}
    world.sqs.change_message_visibility(**change)
    assert world.bodies(url) == ["m"]


def test_what_is_no_handle_is_refused_and_a_deleted_message_cannot_be_hidden(world: World) -> None:
    """Garbage and another queue's handle: ReceiptHandleIsInvalid; the visibility of what is gone cannot change."""
    url, other = world.make("q"), world.make("other")
    world.queues.send(url, "m")
    [message] = world.receive(url)
    delete, hide = world.sqs.delete_message, world.sqs.change_message_visibility
    for at, handle in ((url, "garbage"), (url, "bm90IG9uZQ=="), (other, message["ReceiptHandle"])):
        for call, more in ((delete, {}), (hide, {"VisibilityTimeout": 5})):
            code, text = refused(call, QueueUrl=at, ReceiptHandle=handle, **more)
            assert code == "ReceiptHandleIsInvalid"
            assert text == f'The input receipt handle "{handle}" is not a valid receipt handle.'
    handle = message["ReceiptHandle"]
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    change = {"QueueUrl": url, "ReceiptHandle": handle, "VisibilityTimeout": 5}
    assert refused(world.sqs.change_message_visibility, **change) == (
        "InvalidParameterValue",
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available "
        "for visibility timeout change.",
    )


# ------------------------------------------------------------------------------------------ dead letters and redrive


def test_a_message_received_too_often_moves_with_its_id_and_its_time_of_sending(world: World) -> None:
    """maxReceiveCount 3: three receives, and the fourth finds it in the dead-letter queue, where the count goes on."""
    work, dead = world.with_dead_letters(3)
    sent = world.sqs.send_message(QueueUrl=work, MessageBody="poison", MessageAttributes={"a": text("1")})
    for count in ("1", "2", "3"):
        [message] = world.receive(work)
        assert message["Attributes"]["ApproximateReceiveCount"] == count
        world.scheduler.advance(30)
    assert world.counts(work) == (1, 0, 0) and world.counts(dead) == (0, 0, 0)
    assert world.receive(work) == []
    [letter] = world.receive(dead, MessageAttributeNames=["All"])
    assert letter["MessageId"] == sent["MessageId"] and letter["MessageAttributes"] == {"a": text("1")}
    assert letter["Attributes"]["SentTimestamp"] == str(int(START * 1000))
    assert letter["Attributes"]["ApproximateReceiveCount"] == "4"
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn("work")
    assert [row.detail["to"] for row in world.trace.select("dead")] == ["dead"]


def test_the_retention_of_a_dead_letter_counts_from_its_first_sending(world: World) -> None:
    """A dead-letter queue that keeps no longer than its source loses the letter early."""
    dead = world.make("dead", MessageRetentionPeriod="100")
    work = world.make("work", RedrivePolicy={"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1})
    world.queues.send(work, "poison")
    world.receive(work)
    world.scheduler.advance(80)
    assert world.receive(work) == [] and world.counts(dead) == (1, 0, 0)
    world.scheduler.advance(20)
    assert world.receive(dead) == []


def test_an_expired_message_is_never_received_even_behind_a_younger_one(world: World) -> None:
    """A dead letter comes late into its queue, and is older than what stands before it."""
    dead = world.make("dead", MessageRetentionPeriod="100")
    work = world.make("work", RedrivePolicy={"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1})
    world.queues.send(work, "poison")
    world.receive(work)
    world.scheduler.advance(30)
    world.queues.send(dead, "younger")
    assert world.receive(work) == [] and world.counts(dead) == (2, 0, 0)
    world.scheduler.advance(70)
    assert [message.body for message in world.queues.messages(dead)] == ["younger"]
    assert world.bodies(dead) == ["younger"] and world.counts(dead) == (0, 1, 0)


def test_a_poisoned_head_does_not_shorten_a_receive(world: World) -> None:
    """What moves to the dead-letter queue makes room for the next message in the same answer."""
    work, dead = world.with_dead_letters(1)
    world.queues.send(work, "poison")
    world.receive(work, VisibilityTimeout=0)
    for body in ("a", "b"):
        world.queues.send(work, body)
    assert world.bodies(work, MaxNumberOfMessages=2) == ["a", "b"]
    assert world.counts(dead) == (1, 0, 0)


def buried(world: World, bodies: list[str]) -> tuple[str, str]:
    """A work queue and its dead-letter queue that holds these messages."""
    work, dead = world.with_dead_letters(1)
    for body in bodies:
        world.queues.send(work, body)
    world.receive(work, VisibilityTimeout=0)
    assert world.receive(work) == [] and world.counts(dead)[0] == len(bodies)
    return work, dead


def test_a_move_task_brings_dead_letters_back_as_new_messages(world: World) -> None:
    """To the source by default, with new ids and receive count 0; the task tells how many moved."""
    work, dead = buried(world, ["a", "b", "c"])
    before = {message.id for message in world.queues.messages(dead)}
    world.scheduler.advance(100)
    handle = world.sqs.start_message_move_task(SourceArn=arn("dead"))["TaskHandle"]
    [task] = world.sqs.list_message_move_tasks(SourceArn=arn("dead"))["Results"]
    assert (task["Status"], task["TaskHandle"], task["ApproximateNumberOfMessagesToMove"]) == ("RUNNING", handle, 3)
    world.scheduler.run()
    [task] = world.sqs.list_message_move_tasks(SourceArn=arn("dead"))["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert "TaskHandle" not in task and "DestinationArn" not in task
    assert world.counts(dead) == (0, 0, 0)
    home = world.receive(work)
    assert [message["Body"] for message in home] == ["a", "b", "c"]
    assert not before & {message["MessageId"] for message in home}
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in home} == {"1"}
    assert int(home[0]["Attributes"]["SentTimestamp"]) >= int((START + 100) * 1000)
    assert "DeadLetterQueueSourceArn" not in home[0]["Attributes"]


def test_a_move_task_has_a_rate_a_destination_and_an_end(world: World) -> None:
    """One message a second to another queue, a second task refused, and a cancel that leaves the rest."""
    _, dead = buried(world, ["a", "b", "c", "d"])
    other = world.make("other")
    start = {"SourceArn": arn("dead"), "DestinationArn": arn("other"), "MaxNumberOfMessagesPerSecond": 1}
    handle = world.sqs.start_message_move_task(**start)["TaskHandle"]
    assert "already a task running" in refused(world.sqs.start_message_move_task, **start)[1]
    world.scheduler.advance(1)
    assert world.sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 2
    world.scheduler.run()
    assert world.bodies(other) == ["a", "b"] and world.counts(dead)[0] == 2
    assert refused(world.sqs.cancel_message_move_task, TaskHandle=handle)[0] == "ResourceNotFoundException"
    assert refused(world.sqs.cancel_message_move_task, TaskHandle="x")[0] == "InvalidParameterValue"
    world.sqs.start_message_move_task(SourceArn=arn("dead"))
    world.scheduler.run()
    statuses = world.sqs.list_message_move_tasks(SourceArn=arn("dead"), MaxResults=10)["Results"]
    assert [task["Status"] for task in statuses] == ["COMPLETED", "CANCELLED"]


def test_a_move_task_wants_a_dead_letter_queue_and_letters_that_came_from_somewhere(world: World) -> None:
    """No dead-letter queue, no queue, no destination: refused; a letter that was sent there directly fails the task."""
    work, dead = buried(world, ["a"])
    start = world.sqs.start_message_move_task
    plain = ("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert refused(start, SourceArn=arn("work")) == plain
    assert refused(start, SourceArn=arn("nothing"))[0] == "ResourceNotFoundException"
    code, message = refused(start, SourceArn=arn("dead"), DestinationArn=arn("nothing"))
    assert code == "ResourceNotFoundException" and "DestinationArn" in message
    world.queues.send(dead, "direct")
    start(SourceArn=arn("dead"))
    world.scheduler.run()
    [task] = world.sqs.list_message_move_tasks(SourceArn=arn("dead"))["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert [message.body for message in world.queues.messages(dead)] == ["direct"]
    assert world.bodies(dead) == ["direct"] and world.bodies(work) == ["a"]


@pytest.mark.parametrize(
    ("policy", "let_in"),
    [
        (None, True),
        ({"redrivePermission": "allowAll"}, True),
        ({"redrivePermission": "denyAll"}, False),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [arn("work"), arn("x")]}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [arn("x")]}, False),
    ],
)
def test_a_dead_letter_queue_says_who_may_use_it(world: World, policy: dict[str, Any] | None, let_in: bool) -> None:
    """RedriveAllowPolicy: CreateQueue and SetQueueAttributes of the source fail, and leave the source as it was."""
    dead = world.sqs.create_queue(QueueName="dead")["QueueUrl"]
    if policy is not None:
        world.sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(policy)})
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": "3"})}
    if not let_in:
        code, message = refused(world.sqs.create_queue, QueueName="work", Attributes=redrive)
        assert code == "InvalidParameterValue" and "for parameter RedrivePolicy is invalid" in message
        assert f"RedriveAllowPolicy of dead is {policy['redrivePermission']}" in message  # type: ignore[index]
        assert "QueueUrls" not in world.sqs.list_queues(QueueNamePrefix="work")
    work = world.sqs.create_queue(QueueName="work", Attributes=redrive if let_in else {})["QueueUrl"]
    if not let_in:
        assert refused(world.sqs.set_queue_attributes, QueueUrl=work, Attributes=redrive)[0] == "InvalidParameterValue"
    told = world.sqs.get_queue_attributes(QueueUrl=work, AttributeNames=["All"])["Attributes"]
    assert ("RedrivePolicy" in told) is let_in


def test_a_template_s_queue_that_may_not_use_its_dead_letter_queue_stops_the_stack(world: World) -> None:
    """With the names of both: CloudFormation's queues are looked at when the cloud is made."""
    backend = world.queues.backend
    backend.create_queue("dead", RedriveAllowPolicy={"redrivePermission": "denyAll"})
    backend.create_queue("work", RedrivePolicy={"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 3})
    with pytest.raises(TemplateError, match=r"queue work: .*RedriveAllowPolicy of dead is denyAll"):
        Queues(world.scheduler, world.trace, world.faults, backend)


# ---------------------------------------------------------------------------------------------- messages and batches


def text(value: str) -> dict[str, str]:
    """A message attribute of type String."""
    return {"DataType": "String", "StringValue": value}


def test_digests_are_amazon_s(world: World) -> None:
    """MD5 of body and attributes as recorded from AWS calls, binary values included."""
    url = world.make("q")
    recorded = {
        "timestamp": {"DataType": "Number", "StringValue": "1493147359900"},
    }
    answer = world.sqs.send_message(QueueUrl=url, MessageBody="test", MessageAttributes=recorded)
    assert answer["MD5OfMessageBody"] == "098f6bcd4621d373cade4e832627b4f6"
    assert answer["MD5OfMessageAttributes"] == "235c5c510d26fb653d073faed50ae77c"
    assert world.receive(url, MessageAttributeNames=["All"])[0]["MD5OfBody"] == "098f6bcd4621d373cade4e832627b4f6"
    binary = {"attr1": {"DataType": "Binary", "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-"
                        b"2d2482211f6489da-01"}}  # fmt: skip
    answer = world.sqs.send_message(QueueUrl=url, MessageBody="test", MessageAttributes=binary)
    assert answer["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"
    [received] = world.receive(url, MessageAttributeNames=["attr1"])
    assert received["MessageAttributes"] == binary
    assert received["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"


def test_a_receive_gives_the_attributes_that_it_was_asked_for(world: World) -> None:
    """Exact names, a prefix, all, or none; the digest covers what is given; both lists of system names count."""
    url = world.make("q", VisibilityTimeout="0")
    attributes = {"Help.Me": text("Me"), "Hello": text("There"), "General": text("Kenobi")}
    world.sqs.send_message(QueueUrl=url, MessageBody="msg", MessageAttributes=attributes)
    asked = {"All": 3, ".*": 3, "*": 3, "Hel.*": 2, "Hello": 1, "Help": 0}
    for names, count in asked.items():
        [message] = world.receive(url, MessageAttributeNames=[names])
        given = message.get("MessageAttributes", {})
        assert len(given) == count, names
        assert message.get("MD5OfMessageAttributes") == (md5_of_attributes(given) if given else None)
    [bare] = world.sqs.receive_message(QueueUrl=url)["Messages"]
    assert set(bare) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}
    names = {"AttributeNames": ["SenderId"], "MessageSystemAttributeNames": ["SentTimestamp"]}
    [some] = world.sqs.receive_message(QueueUrl=url, **names)["Messages"]
    assert set(some["Attributes"]) == {"SenderId", "SentTimestamp"}


def test_a_batch_names_what_failed_and_does_the_rest(world: World) -> None:
    """Sizes, characters, delays and attributes fail alone; the others are there."""
    url = world.make("q", MaximumMessageSize="1024")
    entries = [
        {"Id": "good", "MessageBody": "ä" * 512},
        {"Id": "long", "MessageBody": "ä" * 512 + "x"},
        {"Id": "full", "MessageBody": "x" * 1016, "MessageAttributes": {"n": text("1")}},
        {"Id": "wide", "MessageBody": "x" * 1016, "MessageAttributes": {"nn": text("1")}},
        {"Id": "control", "MessageBody": "\x01"},
        {"Id": "late", "MessageBody": "x", "DelaySeconds": 901},
        {"Id": "name", "MessageBody": "x", "MessageAttributes": {"AWS.no": text("1")}},
        {"Id": "fifo", "MessageBody": "x", "MessageDeduplicationId": "1"},
        {"Id": "fine", "MessageBody": "x"},
    ]
    answer = world.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["good", "full", "fine"]
    failed = {each["Id"]: each["Code"] for each in answer["Failed"]}
    assert failed.pop("control") == "InvalidMessageContents"
    assert failed == dict.fromkeys(["long", "wide", "late", "name", "fifo"], "InvalidParameterValue")
    assert all(each["SenderFault"] for each in answer["Failed"])
    messages = world.receive(url)
    handles = [message["ReceiptHandle"] for message in messages]
    change = [{"Id": "a", "ReceiptHandle": handles[0], "VisibilityTimeout": 0},
              {"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 0}]  # fmt: skip
    answer = world.sqs.change_message_visibility_batch(QueueUrl=url, Entries=change)
    assert [each["Id"] for each in answer["Successful"]] == ["a"]
    assert [each["Code"] for each in answer["Failed"]] == ["ReceiptHandleIsInvalid"]
    assert world.counts(url) == (1, 2, 0)
    delete = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate([*handles, "nonsense"])]
    answer = world.sqs.delete_message_batch(QueueUrl=url, Entries=delete)
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1", "2"]
    assert [each["Id"] for each in answer["Failed"]] == ["3"]
    assert world.queues.messages(url) == []


def test_a_batch_that_is_malformed_is_refused_whole(world: World) -> None:
    """No entry, eleven, an id twice, an id with a colon, more than 1 MiB in all; nothing of it is sent."""
    url = world.make("q")

    def entries(count: int, size: int = 1) -> list[dict[str, str]]:
        return [{"Id": str(n), "MessageBody": "x" * size} for n in range(count)]

    cases = {
        "EmptyBatchRequest": [],
        "TooManyEntriesInBatchRequest": entries(11),
        "BatchEntryIdsNotDistinct": entries(2) + entries(1),
        "InvalidBatchEntryId": [{"Id": "a:b", "MessageBody": "x"}],
        "BatchRequestTooLong": entries(2, sqs_limits.LIMIT // 2 + 1),
    }
    for code, given in cases.items():
        found, _ = refused(world.sqs.send_message_batch, QueueUrl=url, Entries=given)
        assert found == f"AWS.SimpleQueueService.{code}"
    assert refused(world.sqs.delete_message_batch, QueueUrl=url, Entries=[])[0].endswith("EmptyBatchRequest")
    assert world.queues.messages(url) == []


def test_limits_and_parameters_are_refused_in_aws_s_words(world: World) -> None:
    """1 MiB to the byte, ten attributes, empty values, numbers out of range, an unknown queue."""
    url = world.make("q")
    world.sqs.send_message(QueueUrl=url, MessageBody="x" * sqs_limits.LIMIT)
    send = world.sqs.send_message
    reason = "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
    too_long = {"QueueUrl": url, "MessageBody": "x" * (sqs_limits.LIMIT + 1)}
    assert refused(send, **too_long) == ("InvalidParameterValue", reason)
    assert refused(send, QueueUrl=url, MessageBody="")[0] == "MissingParameter"
    for body in ("\x00", "a\x08", "\ufffe", "x\uffff"):
        assert refused(send, QueueUrl=url, MessageBody=body)[0] == "InvalidMessageContents"
    world.sqs.send_message(QueueUrl=url, MessageBody="\t\n\r £ \U0001f4e6")
    bad = [
        {f"a{n}": text("1") for n in range(11)},
        {"a": {"DataType": "String", "StringValue": ""}},
        {"a": {"DataType": "Text", "StringValue": "x"}},
        {"a": text("\x08")},
        *({name: text("x")} for name in ("aws.x", ".x", "x.", "x y", "L" * 257)),
    ]
    for attributes in bad:
        parameters = {"QueueUrl": url, "MessageBody": "x", "MessageAttributes": attributes}
        assert refused(send, **parameters)[0] == "InvalidParameterValue", attributes
    receive = world.sqs.receive_message
    assert refused(receive, QueueUrl=url, MaxNumberOfMessages=11)[1] == (
        "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
    )
    assert refused(receive, QueueUrl=url, WaitTimeSeconds=21)[1] == (
        "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided."
    )
    assert refused(receive, QueueUrl=url, VisibilityTimeout=43201)[0] == "InvalidParameterValue"
    missing = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    nowhere = {"QueueUrl": url + "-not"}
    assert refused(send, MessageBody="x", **nowhere) == missing
    assert refused(receive, **nowhere) == missing
    assert refused(world.sqs.delete_message, ReceiptHandle="x", **nowhere) == missing


def test_a_parameter_that_is_missing_is_named(world: World) -> None:
    """For clients that do not check parameters themselves; in a batch the entry fails."""
    url, answers = world.make("q"), world.queues.operations()
    for operation, given, missing in (
        ("SendMessage", {"QueueUrl": url}, "MessageBody"),
        ("ReceiveMessage", {}, "QueueUrl"),
        ("DeleteMessage", {"QueueUrl": url}, "ReceiptHandle"),
        ("DeleteMessageBatch", {"Entries": [{"Id": "1"}]}, "QueueUrl"),
        ("ChangeMessageVisibility", {"QueueUrl": url, "ReceiptHandle": "x"}, "VisibilityTimeout"),
        ("PurgeQueue", {}, "QueueUrl"),
        ("StartMessageMoveTask", {}, "SourceArn"),
        ("ListMessageMoveTasks", {}, "SourceArn"),
        ("CancelMessageMoveTask", {}, "TaskHandle"),
    ):
        with pytest.raises(Refusal, match=f"MissingParameter: .* parameter {missing}"):
            answers["sqs", operation](given)
    [failed] = answers["sqs", "DeleteMessageBatch"]({"QueueUrl": url, "Entries": [{"Id": "1"}]})["Failed"]
    assert failed["Code"] == "MissingParameter"


def test_a_purge_empties_the_queue_and_is_refused_within_the_minute(world: World) -> None:
    """Visible, delayed and in flight; a second purge has to wait 60 s."""
    url = world.make("q")
    world.queues.send(url, "in flight")
    world.receive(url)
    world.queues.send(url, "visible")
    world.queues.send(url, "delayed", delay=10)
    world.sqs.purge_queue(QueueUrl=url)
    assert world.counts(url) == (0, 0, 0)
    world.scheduler.run()
    assert world.scheduler.now == START
    world.scheduler.advance(59)
    assert refused(world.sqs.purge_queue, QueueUrl=url)[0] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    world.scheduler.advance(1)
    world.sqs.purge_queue(QueueUrl=url)


def test_a_queue_that_is_deleted_and_made_again_is_empty_and_knows_no_old_handle(world: World) -> None:
    """Messages belong to the queue that they were sent to."""
    url = world.make("q")
    world.queues.send(url, "old")
    [old] = world.receive(url)
    world.sqs.delete_queue(QueueUrl=url)
    assert refused(world.sqs.receive_message, QueueUrl=url)[0].endswith("NonExistentQueue")
    world.make("q", VisibilityTimeout="7")
    assert world.queues.messages(url) == []
    world.queues.send(url, "new")
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=old["ReceiptHandle"])
    assert world.bodies(url) == ["new"]
    world.scheduler.run()
    assert world.scheduler.now == START + 7, "nothing of the old queue goes on: its timers are gone too"


def test_too_many_messages_in_flight_are_refused_to_a_short_poll_and_kept_from_a_long_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OverLimit for a standard queue; the number is AWS's 120,000, here 3."""
    monkeypatch.setattr(sqs_operations, "IN_FLIGHT_LIMIT", 3)
    url = world.make("q")
    for _ in range(4):
        world.queues.send(url, "m")
    assert len(world.receive(url, MaxNumberOfMessages=3)) == 3
    assert refused(world.sqs.receive_message, QueueUrl=url)[0] == "OverLimit"
    assert world.receive(url, WaitTimeSeconds=1) == []


# -------------------------------------------------------------------------------------------------------- long polls


def test_a_long_poll_in_a_cell_runs_the_world_until_the_first_message(world: World) -> None:
    """It returns at 3 s with what was sent then, or at its end with nothing; the queue's own wait counts too."""
    url, waiting = world.make("q"), world.make("waiting", ReceiveMessageWaitTimeSeconds="4")
    world.scheduler.after(3, lambda: world.queues.send(url, "m"))
    assert world.bodies(url, WaitTimeSeconds=20) == ["m"]
    assert world.scheduler.now == START + 3
    assert world.receive(url, WaitTimeSeconds=20) == []
    assert world.scheduler.now == START + 23
    assert world.bodies(url, WaitTimeSeconds=20) == ["m"], "its visibility timeout ends at 33 s"
    assert world.scheduler.now == START + 33
    assert world.receive(waiting) == []
    assert world.scheduler.now == START + 37
    assert world.receive(waiting, WaitTimeSeconds=0) == []
    assert world.scheduler.now == START + 37


def test_two_long_polls_in_tasks_share_one_message_and_the_loser_waits_on(world: World) -> None:
    """Parked in virtual time; whoever comes second waits out its own time and gets nothing."""
    url, ended = world.make("q"), []

    def poll(name: str) -> None:
        answer = sqs_operations.receive_message(world.queues, {"QueueUrl": url, "WaitTimeSeconds": 10})
        ended.append((name, len(answer.get("Messages", [])), world.scheduler.now - START))

    for name in ("a", "b"):
        world.scheduler.spawn(lambda name=name: poll(name), lambda outcome: None)
    world.scheduler.after(4, lambda: world.queues.send(url, "m"))
    world.scheduler.run(START + 20)
    assert ended == [("a", 1, 4.0), ("b", 0, 10.0)]


def test_a_long_poll_sees_a_message_that_comes_back(world: World) -> None:
    """Not only new ones: a visibility timeout that ends wakes it as well."""
    url = world.make("q", VisibilityTimeout="5")
    world.queues.send(url, "m")
    world.receive(url)
    assert world.bodies(url, WaitTimeSeconds=20) == ["m"]
    assert world.scheduler.now == START + 5


# -------------------------------------------------------------------------------------------------------------- FIFO


def fifo(world: World, **attributes: Any) -> str:
    """A FIFO queue with deduplication by content."""
    return world.make("q.fifo", FifoQueue="true", ContentBasedDeduplication="true", **attributes)


def send_to_groups(world: World, url: str, *bodies: str) -> None:
    """Messages like "g1-m1": the part before the hyphen is the group."""
    for body in bodies:
        world.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body.split("-")[0])


def test_fifo_keeps_the_order_of_a_group_and_blocks_it_while_one_is_in_flight(world: World) -> None:
    """Groups go one after another; a group in flight is skipped, and comes back in its order."""
    url = fifo(world)
    send_to_groups(world, url, "g1-m1", "g2-m1", "g1-m2", "g1-m3", "g3-m1")
    assert world.bodies(url, MaxNumberOfMessages=2) == ["g1-m1", "g1-m2"]
    assert world.bodies(url) == ["g2-m1", "g3-m1"]
    assert world.receive(url) == []
    world.scheduler.advance(30)
    assert world.bodies(url)[:3] == ["g1-m1", "g1-m2", "g1-m3"]


def test_fifo_hides_what_stands_behind_a_hidden_message_and_nothing_before_it(world: World) -> None:
    """Recorded on AWS: the second of three is hidden for longer, so only the first comes back."""
    url = fifo(world)
    send_to_groups(world, url, "g-m1", "g-m2", "g-m3")
    messages = world.receive(url)
    change = {"QueueUrl": url, "ReceiptHandle": messages[1]["ReceiptHandle"], "VisibilityTimeout": 300}
    world.sqs.change_message_visibility(**change)
    world.scheduler.advance(30)
    assert world.bodies(url) == ["g-m1"]


def test_fifo_frees_a_group_when_its_messages_in_flight_are_deleted(world: World) -> None:
    """Partly deleted, it stays blocked."""
    url = fifo(world)
    send_to_groups(world, url, "g1-m1", "g1-m2", "g1-m3", "g2-m1")
    first, second = world.receive(url, MaxNumberOfMessages=2)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert world.bodies(url, VisibilityTimeout=5) == ["g2-m1"]
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert world.bodies(url) == ["g1-m3"]


def test_fifo_takes_a_repeated_message_once_for_five_minutes_even_after_it_was_deleted(world: World) -> None:
    """The same id and sequence number are answered; at 300 s it is a new message."""
    url = fifo(world)
    send = {"QueueUrl": url, "MessageBody": "m", "MessageGroupId": "g"}
    first = world.sqs.send_message(**send)
    [message] = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    world.scheduler.advance(299.9)
    again = world.sqs.send_message(**{**send, "MessageGroupId": "other"})
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert world.receive(url) == []
    world.scheduler.advance(0.1)
    later = world.sqs.send_message(**send)
    assert int(later["SequenceNumber"]) > int(first["SequenceNumber"]) and len(first["SequenceNumber"]) == 20
    [message] = world.receive(url)
    assert message["Attributes"]["MessageGroupId"] == "g"
    assert message["Attributes"]["SequenceNumber"] == later["SequenceNumber"]
    assert len(message["Attributes"]["MessageDeduplicationId"]) == 64


def test_fifo_deduplicates_within_a_group_when_told_to(world: World) -> None:
    """DeduplicationScope messageGroup (high throughput)."""
    url = fifo(world, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    for group in ("a", "b", "a"):
        world.sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId=group, MessageDeduplicationId="d")
    assert len(world.receive(url)) == 2


def test_fifo_has_one_delay_for_all_messages(world: World) -> None:
    """The queue's; DelaySeconds 0 of a message does not change it (recorded on AWS)."""
    url = fifo(world, DelaySeconds="2")
    for body in ("m1", "m2"):
        world.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="g", DelaySeconds=0)
    assert world.receive(url) == []
    world.scheduler.advance(2)
    assert world.bodies(url) == ["m1", "m2"]


def test_fifo_refuses_what_a_fifo_queue_refuses(world: World) -> None:
    """No group, no deduplication id, a delay of its own, an expired handle; a batch fails whole for a missing id."""
    url = world.make("q.fifo", FifoQueue="true")
    send = world.sqs.send_message
    message = {"QueueUrl": url, "MessageBody": "m"}
    assert refused(send, **message, MessageDeduplicationId="1") == (
        "MissingParameter", "The request must contain the parameter MessageGroupId.")  # fmt: skip
    assert "ContentBasedDeduplication enabled" in refused(send, **message, MessageGroupId="g")[1]
    ids = {"MessageGroupId": "g", "MessageDeduplicationId": "1"}
    assert "not valid for this queue type" in refused(send, **message, **ids, DelaySeconds=2)[1]
    assert "1 to 128 in length" in refused(send, **message, **{**ids, "MessageGroupId": "a b"})[1]
    entries = [{"Id": "1", "MessageBody": "m", **ids}, {"Id": "2", "MessageBody": "m", "MessageGroupId": "g"}]
    assert refused(world.sqs.send_message_batch, QueueUrl=url, Entries=entries)[0] == "InvalidParameterValue"
    assert world.queues.messages(url) == []
    send(**message, **ids, DelaySeconds=0)
    [received] = world.receive(url)
    world.scheduler.advance(30)
    handle = received["ReceiptHandle"]
    code, words = refused(world.sqs.delete_message, QueueUrl=url, ReceiptHandle=handle)
    assert code == "InvalidParameterValue" and words.endswith("Reason: The receipt handle has expired.")
    with pytest.raises(NotYet, match="ReceiveRequestAttemptId"):
        world.sqs.receive_message(QueueUrl=url, ReceiveRequestAttemptId="x")


def test_fifo_dead_letters_start_a_new_retention_and_cannot_be_duplicates(world: World) -> None:
    """The time of sending is that of the move, the deduplication id is the message's own id."""
    world.make("dead.fifo", FifoQueue="true")
    policy = {"deadLetterTargetArn": arn("dead.fifo"), "maxReceiveCount": 1}
    url = fifo(world, RedrivePolicy=policy)
    send_to_groups(world, url, "g-m1", "g-m2")
    world.receive(url, MaxNumberOfMessages=1)
    world.scheduler.advance(50)
    assert world.bodies(url) == ["g-m2"], "the head moves out of the way"
    [dead] = world.receive("dead.fifo")
    assert dead["Attributes"]["MessageDeduplicationId"] == dead["MessageId"]
    assert dead["Attributes"]["SentTimestamp"] == str(int((START + 50) * 1000))


# --------------------------------------------------------------------------------------------- faults, watching, seam


def test_a_duplicated_message_is_delivered_twice_under_one_id(world: World) -> None:
    """Deleting one copy leaves the other: at-least-once delivery."""
    url = world.make("orders")
    world.faults.at_rate("duplicate", 1.0, where="orders", limit=1)
    world.queues.send(url, "m")
    [first] = world.receive(url)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    world.scheduler.run()
    [second] = world.receive(url)
    assert second["MessageId"] == first["MessageId"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_message_overtakes_or_comes_late_on_order(world: World) -> None:
    """The faults reorder and delay, in the queue that they were asked for only."""
    url, other = world.make("orders"), world.make("other")
    world.faults.at_rate("reorder", 1.0, where="orders")
    for body in ("a", "b", "c"):
        world.queues.send(url, body)
        world.queues.send(other, body)
    assert world.bodies(url) == ["c", "b", "a"] and world.bodies(other) == ["a", "b", "c"]
    world.faults.stop()
    world.faults.at_rate("delay", 1.0, where="orders", seconds=7)
    world.queues.send(url, "late")
    world.scheduler.advance(6.9)
    assert world.receive(url) == []
    world.scheduler.advance(0.1)
    assert world.bodies(url) == ["late"]


def test_who_watches_is_told_in_the_loop_whenever_something_becomes_receivable(world: World) -> None:
    """After a send, a delay, a visibility timeout and a change to 0; once for many sends at one instant."""
    url, seen = world.make("q"), []
    world.queues.watch(url, lambda: seen.append(world.scheduler.now - START))
    world.queues.send(url, "a")
    world.queues.send(url, "b")
    world.queues.send(url, "c", delay=2)
    assert seen == [], "not inside the call"
    world.scheduler.run(START + 1)
    assert seen == [0.0]
    world.scheduler.run(START + 2)
    assert seen == [0.0, 2.0]
    messages = world.receive(url)
    world.queues.change_visibility(url, messages[0]["ReceiptHandle"], 0)
    world.scheduler.run(START + 3)
    assert seen == [0.0, 2.0, 2.0]
    world.scheduler.run()
    assert seen == [0.0, 2.0, 2.0, 32.0]


def test_clearing_forgets_messages_and_keeps_the_queues_and_the_watchers(world: World) -> None:
    """As after start-up; a move task that ran is gone too."""
    work, dead = buried(world, ["a"])
    world.sqs.start_message_move_task(SourceArn=arn("dead"), MaxNumberOfMessagesPerSecond=1)
    seen: list[str] = []
    world.queues.watch(work, lambda: seen.append("told"))
    world.queues.send(work, "forgotten before anybody was told")
    world.sqs.purge_queue(QueueUrl=dead)
    world.scheduler.reset(START, 1)
    world.queues.clear()
    world.sqs.purge_queue(QueueUrl=dead)
    assert world.counts(work) == world.counts(dead) == (0, 0, 0)
    assert world.sqs.list_message_move_tasks(SourceArn=arn("dead")).get("Results", []) == []
    world.queues.send(work, "b")
    world.scheduler.run()
    assert seen == ["told"]


def test_moto_s_own_senders_and_counts_use_the_same_messages(world: World) -> None:
    """SNS publishes to a queue through moto; without the seam moto keeps its own."""
    url = world.make("q")
    sns = boto3.client("sns", region_name="us-east-1")
    topic = sns.create_topic(Name="t")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("q"), Attributes=raw)
    sns.publish(TopicArn=topic, Message="news", MessageAttributes={"a": text("1")})
    assert world.counts(url) == (1, 0, 0)
    [message] = world.receive(url, MessageAttributeNames=["All"])
    assert (message["Body"], message["MessageAttributes"]) == ("news", {"a": text("1")})
    elsewhere = get_backend("sqs")["123456789012"]["eu-west-1"]
    elsewhere.create_queue("q")
    elsewhere.send_message("q", "of another region")
    assert [getattr(elsewhere.queues["q"], name) for name in sqs_moto.COUNTS] == [1, 0, 0]
    assert [message.body for message in world.queues.messages(url)] == ["news"]
    world.queues.uninstall()
    assert world.counts(url) == (0, 0, 0)
    world.queues.backend.send_message("q", "moto's own")
    assert world.queues.messages(url)[0].body == "news" and world.counts(url) == (1, 0, 0)


def test_the_names_of_moto_that_are_leant_on_are_there() -> None:
    """A canary: settings that are read, and the four names that are replaced."""
    with mock_aws():
        backend = get_backend("sqs")["123456789012"]["us-east-1"]
        queue = backend.create_queue("canary")
        assert backend.queues["canary"] is queue
        for name in ("visibility_timeout", "delay_seconds", "message_retention_period", "maximum_message_size",
                     "receive_message_wait_time_seconds", "redrive_policy", "dead_letter_queue", "fifo_queue",
                     "content_based_deduplication", "deduplication_scope", "queue_arn", "name"):  # fmt: skip
            assert hasattr(queue, name), name
    assert {"add_message", *sqs_moto.COUNTS} <= set(vars(moto_sqs.Queue))


# ---------------------------------------------------------------------------------------- the original, and the price


def test_a_standard_queue_agrees_with_moto_s_on_random_operations(scale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send, receive, delete, change visibility, wait, dead letters: the same messages, counts and places throughout.

    Known differences, which are kept out: moto hides a message still at the very end of its timeout (so the clock
    never stands there: each step takes a millisecond and a bit), it deletes by old handles (so the newest is used),
    and it hands out what came back first (so each receive takes all there is, and sets are compared).
    """
    for seed in range(200 if scale == "all" else 20):
        compare_with_moto(seed, monkeypatch)


def compare_with_moto(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One random history in both."""
    chance, scheduler = random.Random(seed), Scheduler(START, seed)
    monkeypatch.setattr(moto_sqs, "unix_time", lambda: scheduler.now)
    monkeypatch.setattr(moto_sqs, "unix_time_millis", lambda: scheduler.now * 1000)
    with mock_aws():
        backend = get_backend("sqs")["123456789012"]["us-east-1"]
        ours = Queues(scheduler, Trace(lambda: scheduler.now), Faults(), backend)
        for side in ("ours", "theirs"):
            backend.create_queue(f"{side}-dead")
            policy = json.dumps({"deadLetterTargetArn": arn(f"{side}-dead"), "maxReceiveCount": 3})
            backend.create_queue(f"{side}-work", RedrivePolicy=policy, VisibilityTimeout="30")
        handles: dict[str, tuple[str, str, str]] = {}  # body to its queue and the newest handle on both sides
        for step in range(120):
            scheduler.advance(0.001 + chance.random() / 1000)
            action = chance.choice(["send", "send", "receive", "receive", "delete", "hide", "wait"])
            queue = chance.choice(["work", "work", "dead"])
            stored = sum(len(ours.messages(f"ours-{name}")) for name in ("work", "dead"))
            if action == "send" and stored < 10:
                delay = chance.choice([0, 0, 5])
                ours.send("ours-work", f"m{step}", delay=delay)
                backend.send_message("theirs-work", f"m{step}", delay_seconds=delay)
            elif action == "receive":
                seconds = chance.choice([10, 30])
                mine = ours.receive(f"ours-{queue}", 10, visibility=seconds)
                others = backend.receive_message(f"theirs-{queue}", 10, 0, seconds)
                found = {m.body: m.receives for m in mine}
                assert found == {m.body: m.approximate_receive_count for m in others}, (seed, step)
                by_body = {m.body: m.receipt_handle for m in others}
                handles.update({m.body: (queue, m.handle, by_body[m.body]) for m in mine})
            elif action in ("delete", "hide") and handles:
                body = chance.choice(sorted(handles))
                place, my_handle, their_handle = handles[body]
                if body not in {m.body for m in ours.messages(f"ours-{place}")}:
                    handles.pop(body)  # it has moved to the dead-letter queue: the old handle is of no use
                elif action == "delete":
                    handles.pop(body)
                    ours.delete(f"ours-{place}", my_handle)
                    backend.delete_message(f"theirs-{place}", their_handle)
                else:
                    seconds = chance.choice([0, 3, 60])
                    ours.change_visibility(f"ours-{place}", my_handle, seconds)
                    backend.change_message_visibility(f"theirs-{place}", their_handle, seconds)
            elif action == "wait":
                scheduler.advance(chance.uniform(0, 20))
            scheduler.advance(0.001 + chance.random() / 1000)
            for name in ("work", "dead"):
                theirs = backend.queues[f"theirs-{name}"]
                counted = tuple(getattr(theirs, count) for count in sqs_moto.COUNTS)
                assert ours.counts(f"ours-{name}") == counted, (seed, step, name)
                assert {m.body for m in ours.messages(f"ours-{name}")} == {m.body for m in theirs._messages}


def test_a_call_costs_the_same_however_many_messages_wait(world: World) -> None:
    """Steps of Python per send, receive and delete at depth 3,000 against an empty queue: no loop over messages."""

    def steps(url: str) -> int:
        counted = 0

        def count(*_: Any) -> Any:
            nonlocal counted
            counted += 1
            return count

        before = sys.gettrace()
        sys.settrace(count)
        try:
            world.queues.send(url, "m")
            [message] = world.queues.receive(url, 1)
            world.queues.delete(url, message.handle)
        finally:
            sys.settrace(before)
        return counted

    empty, deep = world.make("empty"), world.make("deep")
    steps(empty)
    for number in range(3000):
        world.queues.send(deep, "waiting", delay=600 if number % 3 == 0 else 0)
    world.queues.receive(deep, 1000)
    steps(deep)
    assert steps(deep) <= 1.1 * steps(empty)


def test_the_same_seed_gives_the_same_ids_handles_and_rows() -> None:
    """Two worlds, one history; another seed gives other ids."""

    def history(seed: int) -> list[str]:
        with mock_aws():
            scheduler = Scheduler(START, seed)
            trace = Trace(lambda: scheduler.now)
            queues = Queues(scheduler, trace, Faults(seed), get_backend("sqs")["123456789012"]["us-east-1"])
            queues.backend.create_queue("q")
            queues.send("q", "a")
            queues.send("q", "b")
            handles = [message.handle for message in queues.receive("q", 1)]
            scheduler.run()
            return [*handles, *map(str, trace)]

    assert history(1) == history(1)
    assert history(1) != history(2)
