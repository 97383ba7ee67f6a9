"""The API over HTTP, and a world that more than one thread moves."""

import http.client
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from orderlab.cloud import Cloud, driving
from orderlab.cloud.driving import Driver
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.wire.answers import NotYet

APP = """
import json, os, time
import boto3

def handler(event, context):
    if "requestContext" in event:
        told = {name: event[name] for name in ("path", "httpMethod", "queryStringParameters", "body")}
        told["sent"] = event["multiValueHeaders"].get("X-Many")
        return {"statusCode": 201, "headers": {"X-From": "app"}, "body": json.dumps(told)}
    time.sleep(event.get("seconds", 1))
    if "queue" in event:
        boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=event["n"])
    return event["n"]
"""
RESOURCES = """
App: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, Timeout: 60}}
Queue: {Type: AWS::SQS::Queue}
Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: api}}
Part:
  Type: AWS::ApiGateway::Resource
  Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: "{all+}"}
Any:
  Type: AWS::ApiGateway::Method
  Properties:
    RestApiId: !Ref Api
    ResourceId: !Ref Part
    HttpMethod: ANY
    AuthorizationType: NONE
    Integration:
      Type: AWS_PROXY
      IntegrationHttpMethod: POST
      Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${App.Arn}/invocations"
May:
  Type: AWS::Lambda::Permission
  Properties: {FunctionName: !Ref App, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com}
Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Any, Properties: {RestApiId: !Ref Api}}
Stage:
  Type: AWS::ApiGateway::Stage
  Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: live}
"""
PATIENCE = 30.0  # real seconds after which a test calls it a deadlock


@pytest.fixture
def cloud(world: Callable[..., Any]) -> Cloud:
    return world(APP, RESOURCES)


def host(cloud: Cloud) -> str:
    return f"https://{cloud.gateway.api.id}.execute-api.us-east-1.amazonaws.com"  # type: ignore[union-attr]


def invoke(cloud: Cloud, **event: Any) -> Any:
    name = cloud.stack.resources["App"].physical_id
    answer = boto3.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"n": "1", **event}))
    return json.loads(answer["Payload"].read())


def pooled(work: Callable[[Any], Any], items: Any) -> list[Any]:
    """The results of `work` on four threads. A deadlock fails the test."""
    pool = ThreadPoolExecutor(4)
    try:
        return [future.result(timeout=PATIENCE) for future in [pool.submit(work, item) for item in items]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def same_anywhere(base: str) -> list[Any]:
    """What a few requests below `base` are answered."""
    answers = [
        requests.get(f"{base}/live/orders/7?a=1&b=x%20y"),
        requests.post(f"{base}/live/orders", json={"a": "é"}, headers={"X-Many": "1"}),
        requests.put(f"{base}/live/o", data="text"),
        requests.delete(f"{base}/live//o"),
        requests.post(f"{base}/live/o", data=iter([b"a", b"b"])) if base.startswith("https") else None,
        requests.get(f"{base}/other/orders"),
        requests.get(f"{base}/"),
        requests.get(f"{base}/live"),
    ]
    return [(r.status_code, r.headers.get("X-From"), r.json()) for r in answers if r is not None]


def test_requests_to_the_apis_host_reach_this_gateway(cloud: Cloud) -> None:
    """Path, query, body, headers and status; a wrong stage is forbidden, the stage itself has no method."""
    answers = same_anywhere(host(cloud))
    assert [status for status, _, _ in answers] == [201, 201, 201, 201, 201, 403, 403, 403]
    assert answers[0][1:] == ("app", {"path": "/orders/7", "httpMethod": "GET", "body": None, "sent": None,
                                      "queryStringParameters": {"a": "1", "b": "x y"}})  # fmt: skip
    assert (answers[1][2]["body"], answers[1][2]["sent"]) == (json.dumps({"a": "é"}), ["1"])
    assert answers[4][2]["body"] == "ab"
    assert [answer["message"] for _, _, answer in answers[5:]] == [
        "Forbidden",
        "Forbidden",
        "Missing Authentication Token",
    ]


def test_a_closed_cloud_answers_no_requests(world: Callable[..., Any]) -> None:
    """They are refused, not sent: neither this cloud nor moto stays in between."""
    cloud = world(APP, RESOURCES)
    address = host(cloud) + "/live/orders"
    assert requests.get(address).status_code == 201
    cloud.close()
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.get(address)


def test_the_server_answers_as_the_host_on_aws(cloud: Cloud) -> None:
    """The same answers over a real connection, while the cell waits for them."""
    expected = same_anywhere(host(cloud))
    del expected[4]
    with cloud.serve() as url:
        assert url.startswith("http://127.0.0.1:") and url.endswith("/live")
        assert same_anywhere(url.removesuffix("/live")) == expected
        assert requests.head(url + "/orders").text == ""
        assert invoke(cloud, seconds=2) == "1"
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/orders")


def raw(url: str, method: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.putrequest(method, "/live/orders", skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_page_from_elsewhere_and_a_body_without_length_are_refused(cloud: Cloud) -> None:
    """The Host must be this machine's; only a Content-Length tells where a body ends."""
    with cloud.serve() as url:
        assert raw(url, "GET", {"Host": "localhost"}) == 201
        assert raw(url, "GET", {"Host": "evil.example"}) == 403
        assert raw(url, "POST", {"Host": "127.0.0.1", "Transfer-Encoding": "chunked"}) == 411
        assert raw(url, "POST", {"Host": "127.0.0.1", "Content-Length": "-1"}) == 411


def test_a_port_that_is_taken_is_one_error_that_names_it(cloud: Cloud) -> None:
    """So is a port that there is not; the world goes on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=rf"cannot listen on port {port} of 127\.0\.0\.1"), cloud.serve(port):
            pass
    with pytest.raises(ValueError, match="no port 70000"), cloud.serve(70_000):
        pass
    assert cloud.request("GET", "/orders").status == 201


def test_the_server_closes_with_its_cloud(cloud: Cloud) -> None:
    """Also in the middle of its block."""
    with cloud.serve() as url:
        cloud.close()
        with pytest.raises(requests.ConnectionError):
            requests.get(url + "/orders")


def test_a_template_without_an_api_has_nothing_to_serve(world: Callable[..., Any]) -> None:
    """It says so."""
    with (
        pytest.raises(NotYet, match="no AWS::ApiGateway::RestApi"),
        world("", "Queue: {Type: AWS::SQS::Queue}").serve(),
    ):
        pass


def test_what_the_local_cloud_cannot_do_is_told_over_http(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is not in the cell."""

    def cannot(*_: Any, **__: Any) -> None:
        raise NotYet("no such thing")

    monkeypatch.setattr(cloud.gateway, "start", cannot)
    with cloud.serve() as url:
        answer = requests.get(url + "/orders")
    assert (answer.status_code, answer.json()) == (501, {"orderlab": "no such thing"})


# threads


def test_four_threads_invoke_at_once_and_each_gets_its_answer(cloud: Cloud) -> None:
    """No deadlock, nothing mixed up, virtual time for all of them."""
    start = cloud.now
    assert pooled(lambda n: invoke(cloud, n=str(n), seconds=3), range(12)) == [str(n) for n in range(12)]
    assert cloud.now - start >= 3 * 12 / 4


def test_four_threads_send_requests_and_messages_at_once(cloud: Cloud) -> None:
    """Every kind of call that moves the world or moto."""
    queue = cloud.stack.resources["Queue"].physical_id

    def work(n: int) -> int:
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=str(n))
        status = cloud.request("POST", "/orders", body=str(n)).json()["body"] == str(n)
        cloud.advance(1)
        received = boto3.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)
        return int(status) + len(received.get("Messages", []))

    assert sum(pooled(work, range(16))) == 16 + 16


def test_after_other_threads_the_cell_goes_on_as_before(cloud: Cloud) -> None:
    """run, advance, request and reset, and the history of the same seed."""
    stories = []
    for _ in range(2):
        cloud.reset()
        invoke(cloud, seconds=5)
        cloud.request_at(cloud.now + 3, "GET", "/orders")
        cloud.run()
        stories.append(cloud.trace.text())
        pooled(lambda n: invoke(cloud, n=str(n)), range(4))
    assert stories[0] == stories[1]


def test_a_handler_in_the_middle_of_its_work_cannot_change_its_thread(cloud: Cloud) -> None:
    """One clear error, that says what to do; after it everything works."""
    name = cloud.stack.resources["App"].physical_id
    boto3.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": "1", "seconds": 30})
    )
    cloud.advance(5)
    with (
        pytest.raises(RuntimeError, match=r"1 handlers stand in the middle .* call cloud\.run\(\) first"),
        cloud.serve(),
    ):
        pass
    with pytest.raises(RuntimeError, match=r"call cloud\.run"):
        pooled(lambda n: invoke(cloud), range(1))
    cloud.run()
    with cloud.serve() as url:
        assert requests.get(url + "/orders").status_code == 201


def test_an_error_in_the_world_comes_back_to_the_thread_that_moved_it() -> None:
    """And the world goes on."""
    scheduler = Scheduler(0.0, 0)
    scheduler.share()
    scheduler.at(1.0, lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    scheduler.at(2.0, lambda: None)
    with pytest.raises(ZeroDivisionError):
        scheduler.run()
    scheduler.run()
    assert scheduler.now == 2.0
    scheduler.lock.close()


def test_ctrl_c_stops_the_world_at_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waiting cell gets it, and the endless world behind it stands still."""
    scheduler = Scheduler(0.0, 0)
    scheduler.share()
    steps, interrupted = [0], threading.Event()

    def again() -> None:
        steps[0] += 1
        if steps[0] == 5:
            interrupted.set()
        scheduler.after(1.0, again)

    scheduler.at(0.0, again)
    wait = threading.Event.wait

    def pressed(event: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread() is threading.main_thread() and timeout == 0.2 and not interrupted.is_set():
            wait(interrupted, PATIENCE)
            raise KeyboardInterrupt
        return wait(event, timeout)

    monkeypatch.setattr(threading.Event, "wait", pressed)
    with pytest.raises(KeyboardInterrupt):
        scheduler.run()
    monkeypatch.undo()
    seen = steps[0]
    assert seen >= 5
    scheduler.run(scheduler.now)
    assert steps[0] - seen <= 1
    scheduler.lock.close()


def test_one_thread_alone_starts_no_other(cloud: Cloud) -> None:
    """The default way is what it was."""
    before = threading.active_count()
    invoke(cloud)
    cloud.request("GET", "/orders")
    cloud.run()
    assert threading.active_count() == before


def test_the_worlds_thread_ends_with_it() -> None:
    """No thread is left behind, and the turn can be taken again and again."""
    driver = Driver()
    driver.take_over(0)
    thread = driver._thread
    with driver, driver:
        driver.drive(lambda: False, 0)
    driver.close()
    assert thread is not None
    thread.join(PATIENCE)
    assert not thread.is_alive()
    with driver:
        driver.drive(lambda: False, 0)
    assert driver._thread is None


THREADS = """
from concurrent.futures import ThreadPoolExecutor
import boto3

def handler(event, context):
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda n: boto3.client("sqs").list_queues(), range(2)))
"""


def test_a_handler_that_waits_for_threads_of_its_own_gets_an_error_and_never_hangs(
    world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They have no turn while it waits."""
    monkeypatch.setattr(driving, "PATIENCE", 0.05)
    cloud = world(THREADS, RESOURCES)
    told = invoke(cloud)
    assert told["errorType"] == "RuntimeError"
    assert "let the handler make its calls itself" in told["errorMessage"]
    assert invoke(cloud)["errorType"] == "RuntimeError"


def test_a_reset_waits_for_its_turn(cloud: Cloud) -> None:
    """Never in the middle of somebody's step."""
    with cloud.serve(), ThreadPoolExecutor(1) as pool:
        with cloud.scheduler.lock:
            resetting = pool.submit(cloud.reset, seed=5)
            cloud.advance(3)
            assert not resetting.done()
        resetting.result(timeout=PATIENCE)
    assert cloud.seed == 5
