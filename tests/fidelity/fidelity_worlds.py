"""Three worlds for the same probes: the local cloud, plain moto, and ministack where it is installed.

Each is made from one template, which AWS would take as it is, and is then asked by boto3 and by HTTP alone. The local
cloud and moto live in virtual time; ministack lives in real time, so a probe that needs more than a few seconds is not
run there.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import BotoCoreError, ClientError

TEMPLATE = Path(__file__).with_name("world.yaml")
FRONT = Path(__file__).with_name("front.yaml")
SERVICES = Path(__file__).with_name("services.yaml")
KEYS = Path(__file__).with_name("keys.yaml")
PROCESSES = Path(__file__).with_name("processes.yaml")  # ours runs it with real processes
PATIENCE = 5.0  # seconds of real time that one probe may wait


class NotRun(Exception):
    """This world cannot be asked that: it needs hours of real time, say."""


class World:
    """What a probe sees: boto3 clients, time that passes, and the API of the template."""

    def __init__(
        self,
        client: Callable[[str], Any],
        wait: Callable[[float], None],
        request: Callable[..., tuple[int, str]],
        broken: str = "",
        fetch: Callable[..., tuple[int, str]] | None = None,
    ) -> None:
        self.client, self.wait, self.send, self.broken = client, wait, request, broken
        self.fetch = fetch  # by a client that knows no more than the address on AWS; None where that leads elsewhere

    def request(self, path: str, body: str = "", *, fetch: bool = False, **headers: str) -> str:
        """POST to the API: the status, and the message of a JSON answer."""
        send = self.fetch if fetch else self.send
        if send is None:
            raise NotRun
        status, text = send(path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        try:
            return f"{status} {json.loads(text).get('message', '')}".strip()
        except (ValueError, AttributeError):
            return str(status)

    def url(self, queue: str) -> str:
        """A queue's URL."""
        return str(self.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"])

    def arn(self, queue: str) -> str:
        """A queue's ARN."""
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def receive(self, queue: str, **settings: Any) -> list[dict[str, Any]]:
        """Up to ten messages, with everything that is known of them."""
        found = self.client("sqs").receive_message(
            QueueUrl=self.url(queue),
            MaxNumberOfMessages=10,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **settings,
        )
        return list(found.get("Messages") or [])

    def made(self) -> float:
        """When the table `expiring` was made, seconds since the epoch: about this world's now."""
        return float(
            self.client("dynamodb").describe_table(TableName="expiring")["Table"]["CreationDateTime"].timestamp()
        )

    def count(self, queue: str) -> int:
        """Messages in a queue, hidden ones too."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


def ask(probe: Callable[[World], str], world: World) -> str:
    """A probe's answer in this world, as short plain text."""
    if world.broken:
        return world.broken
    try:
        return probe(world)
    except NotRun:
        return "not run"
    except ClientError as error:
        return str(error.response["Error"]["Code"]).rsplit(".", 1)[-1]
    except (
        BotoCoreError,
        NotImplementedError,
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        OSError,
        StopIteration,
    ) as error:
        return type(error).__name__


@contextmanager
def ours(template: Path) -> Iterator[World]:
    """The local cloud."""
    from orderlab.cloud import Cloud

    with Cloud(template=template, runner="processes" if template == PROCESSES else "in-process") as cloud:

        def request(path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
            route, _, query = path.partition("?")
            asked = dict(part.split("=") for part in query.split("&") if part)
            answer = cloud.request("POST", route, body=body or None, headers=headers, query=asked)
            return answer.status, answer.body

        yield World(boto3.client, cloud.advance, request, fetch=_http(_address_of(template)))


@contextmanager
def moto(template: Path) -> Iterator[World]:
    """Plain moto in this process, its clock moved; its functions without Docker, which CI cannot count on."""
    from moto import mock_aws

    from orderlab.cloud import clock, guard

    guard.hide_credentials()
    now = [1_767_603_600.0]
    clock.install(lambda: now[0])
    boto3.DEFAULT_SESSION = None
    try:
        with mock_aws(config={"lambda": {"use_docker": False}}), ExitStack() as patched:

            def wait(seconds: float) -> None:
                now[0] += seconds

            streams = "moto.awslambda.models.LambdaBackend.send_dynamodb_items"  # needs Docker whatever is configured
            patched.enter_context(patch(streams, lambda *_: True))
            http = _http(_address_of(template))
            yield World(boto3.client, wait, http, broken=_create(boto3.client, template), fetch=http)
    finally:
        clock.uninstall()
        boto3.DEFAULT_SESSION = None


def _address_of(template: Path) -> Callable[[str], str]:
    return lambda path: f"https://{_api(boto3.client, template)}.execute-api.us-east-1.amazonaws.com/test{path}"


def _api(client: Callable[[str], Any], template: Path) -> str:
    """The id of the template's API, which has the file's name."""
    every = client("apigateway").get_rest_apis()["items"]
    return str(next(api["id"] for api in every if api["name"] == template.stem))


@contextmanager
def ministack(command: str, port: int = 45661) -> Iterator[Callable[[Path], World]]:
    """ministack as a process of its own on loopback; gives what makes a world of a template."""
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    process = subprocess.Popen([command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def client(service: str) -> Any:
        return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1",
                            aws_access_key_id="testing", aws_secret_access_key="testing")  # fmt: skip

    def wait(seconds: float) -> None:
        if seconds > PATIENCE:
            raise NotRun
        time.sleep(seconds)

    def make(template: Path) -> World:
        def address(path: str) -> str:
            return f"{endpoint}/restapis/{_api(client, template)}/test/_user_request_{path}"

        return World(client, wait, _http(address), broken=_create(client, template))

    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield make
    finally:
        process.terminate()
        process.wait(20)


def _create(client: Callable[[str], Any], template: Path) -> str:
    """Create the stack; why it is not there, else an empty text."""
    formation = client("cloudformation")
    try:
        formation.create_stack(
            StackName=template.stem, TemplateBody=template.read_text("utf-8"), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
    except Exception as error:  # whatever it is: every probe of this template then answers so
        return f"no stack: {type(error).__name__}"
    for _ in range(50):
        status = formation.describe_stacks(StackName=template.stem)["Stacks"][0]["StackStatus"]
        if not status.endswith("IN_PROGRESS"):
            return "" if status == "CREATE_COMPLETE" else f"no stack: {status}"
        time.sleep(0.2)
    return "no stack: not in time"


def _http(address: Callable[[str], str]) -> Callable[[str, str, dict[str, str]], tuple[int, str]]:
    def request(path: str, body: str, headers: dict[str, str]) -> tuple[int, str]:
        import requests  # moto answers this library, no other

        answer = requests.post(address(path), data=body, headers=headers, timeout=20)
        return answer.status_code, answer.text

    return request


def moto_version() -> str:
    """The version of moto that answers here."""
    return version("moto")
