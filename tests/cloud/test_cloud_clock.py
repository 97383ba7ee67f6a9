"""Virtual time: moto's, the handlers', and never the process's own."""

import threading
import time
from datetime import UTC, datetime

import boto3
import moto.core.utils

from orderlab.cloud.cloud import START

TABLE = """
Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q, VisibilityTimeout: 30}}
"""


def test_moto_keeps_the_virtual_time_and_the_process_keeps_its_own(world) -> None:
    """An hour passes in the cloud in a moment of real time."""
    before = time.time()
    cloud = world("", TABLE)
    bucket = boto3.client("s3")
    bucket.create_bucket(Bucket="bucket")
    cloud.advance(3600)
    bucket.put_object(Bucket="bucket", Key="k", Body=b"")
    assert bucket.head_object(Bucket="bucket", Key="k")["LastModified"] == datetime.fromtimestamp(START + 3600, UTC)
    assert moto.core.utils.unix_time() == START + 3600
    assert before <= time.time() < before + 300


def test_another_thread_never_sees_virtual_time(world) -> None:
    """A widget's callback, the kernel's heartbeat: all of them live in real time."""
    cloud, seen = world("", TABLE), []
    thread = threading.Thread(target=lambda: seen.extend(time.time() for _ in range(1000)))
    thread.start()
    for _ in range(50):
        cloud.advance(100)
    thread.join()
    assert all(abs(moment - time.time()) < 300 for moment in seen)


def test_closing_gives_moto_its_own_clock_back(world) -> None:
    """The three functions read real time again."""
    world("", TABLE).close()
    assert abs(moto.core.utils.unix_time() - time.time()) < 60
    assert abs(moto.core.utils.unix_time_millis() / 1000 - time.time()) < 60
    assert moto.core.utils.utcnow().tzinfo is None


def test_a_learners_own_client_lives_in_the_same_time(world) -> None:
    """Received, hidden for 30 seconds, and exactly then there again."""
    cloud = world("", TABLE)
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
    cloud.advance(29.999)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    cloud.advance(0.001)
    assert len(sqs.receive_message(QueueUrl=url)["Messages"]) == 1
