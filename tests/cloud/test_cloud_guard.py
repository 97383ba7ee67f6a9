"""Safe by default: nothing leaves this machine, and no real credential is in sight."""

import os
import socket
import urllib.request

import boto3
import pytest

from orderlab.cloud import guard

QUEUE = "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}\n"


def test_real_looking_credentials_are_hidden_and_named(world, monkeypatch) -> None:
    """The learner's own keys are replaced in this process, and Cloud says which variables held them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://example.com")
    cloud = world("", QUEUE)
    assert cloud.hidden == ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE"]
    assert os.environ["AWS_ACCESS_KEY_ID"] != "AKIAIOSFODNN7EXAMPLE"
    assert "AWS_PROFILE" not in os.environ


def test_a_connection_to_another_machine_is_refused_with_a_clear_error(world) -> None:
    """By name, by address, by urllib: none of them gets out."""
    world("", QUEUE)
    with pytest.raises(guard.Refused, match=r"look-up of sqs\.us-east-1\.amazonaws\.com"):
        socket.create_connection(("sqs.us-east-1.amazonaws.com", 443), timeout=1)
    with pytest.raises(guard.Refused, match=r"connection to 192\.0\.2\.1:443"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("http://192.0.2.1/", timeout=1)


def test_loopback_is_not_refused(world) -> None:
    """Jupyter, the cache and a learner's own server live there."""
    world("", QUEUE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_without_a_cloud_a_call_is_refused_and_not_sent(world) -> None:
    """After close() boto3 has nobody to answer it; the network is not asked."""
    cloud = world("", QUEUE)
    sqs = boto3.client("sqs")
    assert sqs.list_queues()["QueueUrls"]
    cloud.close()
    with pytest.raises(guard.Refused, match="no local cloud is open"):
        sqs.list_queues()


def test_an_operation_that_nobody_answers_is_refused_by_name(world) -> None:
    """moto does not know every service; the local cloud says so instead of trying the network."""
    world("", QUEUE)
    with pytest.raises(Exception, match=r"(?i)chime|not yet|refused|404"):
        boto3.client("chime-sdk-voice").list_phone_numbers()


def test_a_new_cloud_closes_the_one_before(world) -> None:
    """One world at a time: the old one's trace stays readable, its queues are gone."""
    first = world("", QUEUE)
    boto3.client("sqs").create_queue(QueueName="extra")
    second = world("", QUEUE)
    assert [url.rsplit("/", 1)[1] for url in boto3.client("sqs").list_queues()["QueueUrls"]] == ["q"]
    first.close()  # closing it again changes nothing
    assert boto3.client("sqs").list_queues()["QueueUrls"]
    assert second.now >= first.trace.start
