"""Functions: synchronous and asynchronous invokes, environments, time-outs, crashes, throttling."""

import json
import time

import boto3
import botocore
import pytest
from botocore.config import Config

from orderlab.cloud import Faults

ONE = """
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler, Environment: {Variables: {NAME: one}}}
"""
ASYNC = """
App:
  Type: AWS::Serverless::Function
  Properties:
    FunctionName: app
    Handler: app.handler
    EventInvokeConfig:
      DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
"""


def invoke(event: object = None, kind: str = "RequestResponse", **config: object) -> dict:
    client = boto3.client("lambda", config=Config(**config) if config else None)
    answer = client.invoke(FunctionName="app", Payload=json.dumps(event), InvocationType=kind)
    text = answer["Payload"].read()
    return {
        "status": answer["StatusCode"],
        "error": answer.get("FunctionError"),
        "body": json.loads(text) if text else None,
    }


def test_an_invoke_runs_the_handler_and_returns_its_answer(world) -> None:
    """The real code, with its own variables, and a JSON round trip."""
    world("import os\ndef handler(event, context):\n    return {'got': event, 'name': os.environ['NAME']}", ONE)
    assert invoke({"a": [1]}) == {"status": 200, "error": None, "body": {"got": {"a": [1]}, "name": "one"}}


def test_an_error_of_the_handler_is_a_200_with_function_error(world) -> None:
    """Not an exception in the caller: that is easy to miss."""
    world("def handler(event, context):\n    raise ValueError('no items')", ONE)
    answer = invoke()
    assert (answer["status"], answer["error"]) == (200, "Unhandled")
    assert (answer["body"]["errorType"], answer["body"]["errorMessage"]) == ("ValueError", "no items")


def test_a_warm_environment_keeps_its_globals_and_a_slow_one_makes_a_second(world) -> None:
    """One event at a time per environment."""
    cloud = world(
        """
        import time
        seen = 0
        def handler(event, context):
            global seen
            seen += 1
            time.sleep(event)
            return seen
        """,
        ONE,
    )
    assert [invoke(0)["body"], invoke(0)["body"]] == [1, 2]
    results: list = []
    for _ in range(2):
        cloud.functions.start("App", 1, results.append, source="test")
    cloud.run()
    assert sorted(result.payload for result in results) == ["1", "3"]
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, False, False, True]


def test_a_timeout_stops_the_handler_and_its_environment_in_virtual_time(world) -> None:
    """Three virtual seconds, none real; the next event meets a cold start."""
    cloud = world(
        """
        import time
        seen = 0
        def handler(event, context):
            global seen
            seen += 1
            left = context.get_remaining_time_in_millis()
            time.sleep(event)
            return [seen, left]
        """,
        ONE,
    )
    real = time.monotonic()
    answer = invoke(60)
    assert answer["body"]["errorType"] == "Sandbox.Timedout"
    assert "timed out after 3.00 seconds" in answer["body"]["errorMessage"]
    assert invoke(0)["body"] == [1, 3000]
    assert cloud.now < cloud.trace.start + 5
    assert time.monotonic() - real < 30


def test_no_code_of_a_dead_environment_has_an_effect(world) -> None:
    """`finally` does not run on a machine that is gone."""
    cloud = world(
        """
        import boto3, time
        def handler(event, context):
            try:
                time.sleep(60)
            finally:
                boto3.client("sqs").send_message(QueueUrl=event, MessageBody="ghost")
        """,
        ONE + "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: ghosts}}\n",
    )
    invoke(boto3.client("sqs").get_queue_url(QueueName="ghosts")["QueueUrl"])
    cloud.run()
    assert cloud.queues.messages("ghosts") == []


def test_the_callers_read_time_out_is_honoured_while_the_callee_goes_on(world) -> None:
    """A time-out means unknown: the work is done all the same."""
    cloud = world("import time\ndef handler(event, context):\n    time.sleep(2)\n    print('done')", ONE)
    start = cloud.now
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        invoke(read_timeout=1, retries={"total_max_attempts": 1})
    assert cloud.now == start + 1
    assert not cloud.trace.select("log")
    cloud.run()
    assert [row.what for row in cloud.trace.select("log")] == ["done"]


def test_botocores_own_retries_wait_in_virtual_time(world) -> None:
    """Three attempts of a client that was never told otherwise: three invocations."""
    cloud = world("import time\ndef handler(event, context):\n    time.sleep(2)", ONE)
    real = time.monotonic()
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        invoke(read_timeout=1)
    cloud.run()
    assert len(cloud.trace.select("invoke")) == 3
    assert time.monotonic() - real < 30


def test_an_event_is_answered_202_and_tried_three_times_over_three_minutes(world) -> None:
    """Then the on-failure destination has AWS's record of it."""
    cloud = world("def handler(event, context):\n    raise RuntimeError('always')", ASYNC)
    start = cloud.now
    assert invoke({"n": 1}, "Event") == {"status": 202, "error": None, "body": None}
    cloud.run()
    assert [round(row.at - start) for row in cloud.trace.select("error")] in ([0, 60, 180], [0, 61, 181], [0, 60, 181])
    record = json.loads(cloud.queues.messages("dead")[0].body)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "RuntimeError"


def test_above_the_reserved_concurrency_an_invoke_is_throttled(world) -> None:
    """429, and botocore names it."""
    cloud = world(
        "import time\ndef handler(event, context):\n    time.sleep(1)",
        ONE.replace("{FunctionName", "{ReservedConcurrentExecutions: 1, FunctionName"),
    )
    results: list = []
    cloud.functions.start("App", 0, results.append, source="test")
    with pytest.raises(botocore.exceptions.ClientError, match="TooManyRequestsException"):
        invoke(retries={"total_max_attempts": 1})
    cloud.run()
    assert results[0].error is None


def test_a_throttled_event_waits_in_lambdas_queue_and_is_not_lost(world) -> None:
    """1 s, doubling: throttling spends none of the two retries."""
    cloud = world(
        "import time\ndef handler(event, context):\n    time.sleep(2)\n    print(event)",
        ONE.replace("{FunctionName", "{ReservedConcurrentExecutions: 1, FunctionName"),
    )
    for n in range(4):
        invoke(n, "Event")
    cloud.run()
    assert sorted(row.what for row in cloud.trace.select("log")) == ["0", "1", "2", "3"]
    assert cloud.trace.select("throttled")


@pytest.mark.parametrize(("kind", "effects"), [("crash-before", 0), ("crash-after", 1)])
def test_a_crash_is_exactly_before_or_after_the_effect_of_a_call(world, kind: str, effects: int) -> None:
    """The same step of the same seed."""
    cloud = world(
        """
        import boto3
        def handler(event, context):
            boto3.client("sqs").send_message(QueueUrl=event, MessageBody="hello")
            print("never printed")
        """,
        ONE + "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: hello}}\n",
        faults=Faults().at_step(1, kind),
    )
    answer = invoke(boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"])
    assert answer["body"]["errorType"] == "Runtime.ExitError"
    assert len(cloud.queues.messages("hello")) == effects
    assert not cloud.trace.select("log")


def test_a_wrong_handler_is_an_init_error_that_names_it(world) -> None:
    """As on AWS: the invocation fails, with the module's name. (What can be seen in the zip stops the stack before.)"""
    world("def handler(event, context):\n    pass\ndel handler", ONE)
    answer = invoke()
    assert answer["body"]["errorType"] == "Runtime.HandlerNotFound"
    assert "Handler 'handler' missing on module 'app'" in answer["body"]["errorMessage"]


def test_an_unknown_function_is_a_404(world) -> None:
    """ResourceNotFoundException."""
    world("def handler(event, context):\n    pass", ONE)
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFoundException"):
        boto3.client("lambda").invoke(FunctionName="nobody")


def test_a_handler_is_replaced_from_outside(world) -> None:
    """A lesson's naive version runs in the function's place, in virtual time."""
    cloud = world("def handler(event, context):\n    return 'shipped'", ONE)
    assert invoke()["body"] == "shipped"
    cloud.replace("App", lambda event, context: "naive")
    assert invoke()["body"] == "naive"


def test_the_same_seed_gives_the_same_history(world) -> None:
    """Row for row; another seed differs."""
    app = (
        "import random, time\ndef handler(event, context):\n    time.sleep(random.random())\n    print(random.random())"
    )

    def history(seed: int) -> str:
        cloud = world(app, ASYNC, seed=seed)
        for n in range(5):
            invoke(n, "Event")
        cloud.run()
        return cloud.trace.text()

    assert history(1) == history(1) != history(2)


def test_what_moto_invokes_is_queued_and_runs_outside_moto(world) -> None:
    """moto would look for Docker; here the handler runs, asynchronously, as on AWS."""
    cloud = world("def handler(event, context):\n    print(event['Records'][0]['s3']['object']['key'])", ONE)
    s3, arn = boto3.client("s3"), cloud.functions.resolve("App").arn
    s3.create_bucket(Bucket="letters")
    told = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="letters", NotificationConfiguration=told)
    s3.put_object(Bucket="letters", Key="hello", Body=b"")
    assert not cloud.trace.select("log")
    cloud.run()
    assert [row.what for row in cloud.trace.select("log")] == ["hello"]
