"""What a failed invocation answers, where an asynchronous event ends, and what boto3 changes while the world runs."""

import io
import json
import zipfile
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud.functions import errors
from orderlab.cloud.functions import invoke as sync
from orderlab.cloud.wire.answers import NotYet

ONE = """
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler}
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:app"


def invoke(event: Any = None, **settings: Any) -> dict[str, Any]:
    answer = boto3.client("lambda").invoke(FunctionName="app", Payload=json.dumps(event), **settings)
    text = answer["Payload"].read()
    return {"error": answer.get("FunctionError"), "body": json.loads(text) if text else None}


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


def change(source: str) -> None:
    boto3.client("lambda").update_function_code(FunctionName="app", ZipFile=zipped(source))


# ------------------------------------------------------------------------------------------------- the error object


def test_an_error_has_its_own_type_its_message_and_the_stack_of_the_package(world) -> None:
    """Recorded form: one text a frame, with the line of code; a library's frames are left out, chained errors too."""
    world(
        """
        import json
        class OutOfStock(Exception):
            pass
        def check(text):
            try:
                json.loads(text)
            except ValueError as error:
                raise OutOfStock("no mugs") from error
        def handler(event, context):
            return json.loads("{") if event else check("x")
        """,
        ONE,
    )
    answer = invoke()
    assert answer["error"] == "Unhandled" and len(answer["body"].pop("requestId")) == 36
    assert answer["body"] == {
        "errorMessage": "no mugs",
        "errorType": "OutOfStock",
        "stackTrace": [
            '  File "/var/task/app.py", line 11, in handler\n    return json.loads("{") if event else check("x")\n',
            '  File "/var/task/app.py", line 9, in check\n    raise OutOfStock("no mugs") from error\n',
        ],
    }
    assert invoke(1)["body"]["errorType"] == "JSONDecodeError" and len(invoke(1)["body"]["stackTrace"]) == 1


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message", "stack"),
    [
        ("import nothing", "app.handler", "Runtime.ImportModuleError",
         "Unable to import module 'app': No module named 'nothing'", []),
        ("", "nothing.handler", "Runtime.ImportModuleError",
         "Unable to import module 'nothing': No module named 'nothing'", []),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError",
         "Syntax error in module 'app': invalid syntax (app.py, line 1)",
         ['  File "/var/task/app.py" Line 1\n    def handler(:']),
        ("", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'", []),
        ("", "app", "Runtime.MalformedHandlerName",
         "Bad handler 'app': not enough values to unpack (expected 2, got 1)", []),
        ("raise Exception('Runtime startup fails')", "app.handler", "Exception", "Runtime startup fails",
         ['  File "/var/task/app.py", line 1, in <module>\n    raise Exception(\'Runtime startup fails\')\n']),
    ],
)  # fmt: skip
def test_an_error_at_init_is_named_as_the_runtime_names_it_and_has_no_request_id(
    world, source: str, handler: str, kind: str, message: str, stack: list[str]
) -> None:
    """And the next invoke runs the init again. The template is right, or no stack is made: boto3 makes it wrong."""
    cloud = world("def handler(event, context): pass", ONE)
    change(source)
    boto3.client("lambda").update_function_configuration(FunctionName="app", Handler=handler)
    for _ in range(2):
        body = invoke()["body"]
        assert (body["errorType"], body["errorMessage"], body["requestId"]) == (kind, message, "")
        assert [line.rstrip("\n") for line in body["stackTrace"]] == [line.rstrip("\n") for line in stack]
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, True]


def test_answers_that_are_no_json_and_processes_that_end_have_lambda_s_names(world) -> None:
    """A Decimal is a number; a set is nothing; exit 0 gives no reason; the environment survives a bad answer only."""
    app = """
    import decimal, sys, time
    answers = {"set": {1}, "whole": decimal.Decimal("3"), "part": decimal.Decimal("0.5")}
    def handler(event, context):
        time.sleep(9 if event == "slow" else 0)
        return sys.exit(event) if isinstance(event, int) else answers[event]
    """
    cloud = world(app, ONE)
    assert (invoke("whole")["body"], invoke("part")["body"]) == (3, 0.5)
    body = invoke("set")["body"]
    assert body.pop("requestId") and body == {
        "errorType": "Runtime.MarshalError",
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "stackTrace": [],
    }
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, False, False]
    for event, kind, ending in (
        (0, "Runtime.ExitError", " Error: Runtime exited without providing a reason"),
        (3, "Runtime.ExitError", " Error: Runtime exited with error: exit status 3"),
        ("slow", "Sandbox.Timedout", " Error: Task timed out after 3.00 seconds"),
    ):
        body = invoke(event)["body"]
        assert set(body) == {"errorType", "errorMessage"} and body["errorType"] == kind
        assert body["errorMessage"].startswith("RequestId: ") and body["errorMessage"].endswith(ending)
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")][3:] == [False, True, True]


def test_payloads_have_limits_in_both_directions(world, monkeypatch: pytest.MonkeyPatch) -> None:
    """6 MB and 1 MB as AWS has them; here smaller, for the test's speed."""
    assert sync.LIMITS == {"RequestResponse": 6_291_456, "Event": 1_048_576}
    assert errors.LARGEST_ANSWER == 6_291_556
    monkeypatch.setattr(sync, "LIMITS", {"RequestResponse": 60, "Event": 10})
    monkeypatch.setattr(errors, "LARGEST_ANSWER", 40)
    world("def handler(event, context):\n    return event", ONE)
    assert invoke("x" * 38) == {"error": None, "body": "x" * 38}
    assert invoke("x" * 39) == {
        "error": "Unhandled",
        "body": {
            "errorMessage": "Response payload size exceeded maximum allowed payload size (40 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        },
    }
    for kind, size, limit in (("RequestResponse", 61, 60), ("Event", 11, 10)):
        with pytest.raises(ClientError) as caught:
            invoke("x" * (size - 2), InvocationType=kind)
        response = caught.value.response
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
        assert response["Error"]["Code"] == "RequestEntityTooLargeException"
        words = f"{size} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        assert words in response["Error"]["Message"]


@pytest.mark.parametrize("settings", [{"Qualifier": "1"}, {"LogType": "Tail"}, {"ClientContext": "e30="}])
def test_what_an_invoke_cannot_honour_is_refused_by_name(world, settings: dict[str, str]) -> None:
    """Never ignored; $LATEST is what there is."""
    world("def handler(event, context):\n    return 1", ONE)
    assert invoke(Qualifier="$LATEST")["body"] == 1
    with pytest.raises(NotYet, match=next(iter(settings))):
        invoke(**settings)
    with pytest.raises(NotYet, match="versions and aliases"):
        boto3.client("lambda").invoke(FunctionName=ARN + ":live")


# ------------------------------------------------------------------------------------------- where events end

ASYNC = """
Good: {Type: AWS::SQS::Queue, Properties: {QueueName: good}}
Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: failed}}
Bus: {Type: AWS::Events::EventBus, Properties: {Name: results}}
Rule:
  Type: AWS::Events::Rule
  Properties:
    EventBusName: results
    EventPattern: {source: [lambda]}
    Targets: [{Id: good, Arn: !GetAtt Good.Arn}]
  DependsOn: Bus
Policy:
  Type: AWS::SQS::QueuePolicy
  Properties:
    Queues: [!Ref Good]
    PolicyDocument:
      Statement: [{Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: "*"}]
Other:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: other, Handler: app.other}
App:
  Type: AWS::Serverless::Function
  Properties:
    FunctionName: app
    Handler: app.handler
    DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
    EventInvokeConfig: {MaximumRetryAttempts: 0}
"""
FAILS = """
import json
def handler(event, context):
    assert event != "bad", "it is bad"
    return "fine"
def other(event, context):
    print(json.dumps(event))
"""


def configure(**to: str) -> None:
    """Put an EventInvokeConfig with these destinations and no retries."""
    config = {name: {"Destination": arn} for name, arn in to.items()}
    lambdas = boto3.client("lambda")
    lambdas.put_function_event_invoke_config(FunctionName="app", MaximumRetryAttempts=0, DestinationConfig=config)
    told = lambdas.get_function_event_invoke_config(FunctionName="app")
    assert told["DestinationConfig"] == config and told["MaximumRetryAttempts"] == 0


def run(cloud: Any, event: Any) -> None:
    invoke(event, InvocationType="Event")
    cloud.run()


def test_a_dead_letter_queue_gets_the_bare_event_with_three_attributes(world) -> None:
    """Recorded: body, RequestID, ErrorCode 200 (a Number), ErrorMessage; beside a destination, on failure only."""
    cloud = world(FAILS, ASYNC)
    run(cloud, "good")
    assert cloud.queues.messages("dead") == []
    run(cloud, "bad")
    [message] = cloud.queues.messages("dead")
    [queued] = cloud.trace.select("queued", contains="invoke")[1:]
    assert json.loads(message.body) == "bad" and message.attributes.pop("RequestID")["StringValue"].startswith(
        queued.detail["request"]
    )
    assert message.attributes == {
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "it is bad"},
    }
    configure(OnFailure="arn:aws:sqs:us-east-1:123456789012:good")
    run(cloud, "bad")
    assert len(cloud.queues.messages("dead")) == 2 and len(cloud.queues.messages("good")) == 1
    assert [row.what for row in cloud.trace.select("destination")] == ["dead", "good", "dead"]


def test_a_bus_gets_the_record_as_an_event_with_both_resources(world) -> None:
    """Recorded: source lambda, the detail type says how it ended."""
    cloud = world(FAILS, ASYNC)
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/results"
    configure(OnSuccess=bus, OnFailure=bus)
    for event in ("good", "bad"):
        run(cloud, event)
    first, second = (json.loads(message.body) for message in cloud.queues.messages("good"))
    assert first["detail-type"] == "Lambda Function Invocation Result - Success"
    assert second["detail-type"] == "Lambda Function Invocation Result - Failure"
    assert first["source"] == "lambda" and first["resources"] == [bus, ARN + ":$LATEST"]
    assert (first["detail"]["requestPayload"], first["detail"]["responsePayload"]) == ("good", "fine")
    context = second["detail"]["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", 1)


def test_a_function_a_bucket_and_a_topic_get_the_record_too(world) -> None:
    """The function asynchronously; the bucket under the function's name and the day; the topic by its publisher."""
    cloud = world(FAILS, ASYNC)
    configure(OnSuccess=ARN.replace("app", "other"), OnFailure="arn:aws:s3:::failed")
    for event in ("good", "bad"):
        run(cloud, event)
    [printed] = cloud.trace.select("log")
    assert json.loads(printed.what)["requestContext"]["condition"] == "Success"
    s3 = boto3.client("s3")
    [stored] = s3.list_objects_v2(Bucket="failed")["Contents"]
    assert stored["Key"].startswith("aws/lambda/async/app/2026/01/05/2026-01-05T09.")
    record = json.loads(s3.get_object(Bucket="failed", Key=stored["Key"])["Body"].read())
    assert record["responsePayload"]["stackTrace"][0].startswith('  File "/var/task/app.py", line 4, in handler\n')
    topic = "arn:aws:sns:us-east-1:123456789012:news"
    configure(OnSuccess=topic)
    cloud.functions.destinations.publish = None
    with pytest.raises(NotYet, match=topic):
        run(cloud, "good")
    published: list[str] = []
    cloud.functions.destinations.publish = lambda arn, message, source: published.append(arn)
    run(cloud, "good")
    assert published == [topic]


def test_a_throttled_event_ages_out_and_was_never_run(world) -> None:
    """EventAgeExceeded after the age that was put at run time; 1, 2, 4, ... seconds between the attempts."""
    cloud, lambdas = world(FAILS, ASYNC), boto3.client("lambda")
    configure(OnFailure="arn:aws:sqs:us-east-1:123456789012:good")
    lambdas.update_function_event_invoke_config(FunctionName="app", MaximumEventAgeInSeconds=60)
    lambdas.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    run(cloud, "bad")
    assert [row.what for row in cloud.trace.select("retry")] == [f"in {n} s" for n in (1, 2, 4, 8, 16)]
    record = json.loads(cloud.queues.messages("good")[0].body)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 0 and "responsePayload" not in record
    [dead] = cloud.queues.messages("dead")
    assert dead.attributes["ErrorCode"]["StringValue"] == "429"


def test_an_event_that_fails_too_late_for_another_attempt_is_too_old(world) -> None:
    """Recorded: one attempt, EventAgeExceeded, with the answer of that attempt."""
    cloud = world(FAILS, ASYNC)
    config = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:good"}}
    boto3.client("lambda").put_function_event_invoke_config(
        FunctionName="app", MaximumEventAgeInSeconds=60, MaximumRetryAttempts=2, DestinationConfig=config
    )
    run(cloud, "bad")
    record = json.loads(cloud.queues.messages("good")[0].body)
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["responsePayload"]["errorMessage"] == "it is bad"


# --------------------------------------------------------------------------------------- changed while the world runs


def test_new_code_and_new_settings_are_met_by_a_cold_start_and_a_new_reservation_is_not(world) -> None:
    """Warm environments of the old version are not used again, not even one that was running meanwhile."""
    cloud, lambdas = world("def handler(event, context):\n    return 'old'", ONE), boto3.client("lambda")
    assert invoke()["body"] == "old"
    change(
        "import os, time\ndef handler(event, context):\n    time.sleep(event or 0)\n    return os.environ.get('WHO')"
    )
    assert invoke()["body"] is None
    results: list = []
    cloud.functions.start("App", 2, results.append, source="test")
    cloud.advance(1)
    lambdas.update_function_configuration(FunctionName="app", Environment={"Variables": {"WHO": "me"}}, Timeout=1)
    assert invoke()["body"] == "me"
    cloud.run()
    assert results[0].payload == "null"
    assert invoke(2)["body"]["errorMessage"].endswith("timed out after 1.00 seconds")
    invoke()
    lambdas.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=1)
    invoke()
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, True, False, True, False, True, False]


def test_a_reservation_put_at_run_time_throttles_at_once(world) -> None:
    """429 above it; taken away, all run."""
    world("def handler(event, context):\n    return 1", ONE)
    lambdas = boto3.client("lambda")
    lambdas.put_function_concurrency(FunctionName="app", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke()
    lambdas.delete_function_concurrency(FunctionName="app")
    assert invoke()["body"] == 1


def test_a_function_made_at_run_time_runs_and_one_that_is_deleted_is_a_404(world) -> None:
    """With its own role, code and name."""
    cloud = world("def handler(event, context):\n    return 1", ONE)
    lambdas, iam = boto3.client("lambda"), boto3.client("iam")
    role = iam.create_role(RoleName="made", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    given = {"FunctionName": "made", "Role": role, "Handler": "app.run", "Runtime": "python3.13"}
    code = {"ZipFile": zipped("def run(event, context):\n    return [event, context.function_name]")}
    with pytest.raises(NotYet, match="DeadLetterConfig"):
        lambdas.create_function(**given, Code=code, DeadLetterConfig={"TargetArn": ARN})
    lambdas.create_function(**given, Code=code)
    assert json.loads(lambdas.invoke(FunctionName="made", Payload="7")["Payload"].read()) == [7, "made"]
    lambdas.invoke(FunctionName="made", InvocationType="Event", Payload="8")
    lambdas.delete_function(FunctionName="made")
    with pytest.raises(ClientError, match=r"Function not found: .*:function:made:\$LATEST"):
        lambdas.invoke(FunctionName="made")
    cloud.run()
    assert len(cloud.trace.select("error", contains="ResourceNotFoundException")) == 3
    lambdas.create_function(**{**given, "Runtime": "nodejs22.x"}, Code=code)
    with pytest.raises(NotYet, match=r"nodejs22\.x"):
        lambdas.invoke(FunctionName="made")


def test_permissions_given_and_taken_at_run_time_decide(world) -> None:
    """A rule that was not allowed to invoke is let in by AddPermission, and kept out again by RemovePermission."""
    rule = """
Rule:
  Type: AWS::Events::Rule
  Properties: {EventPattern: {source: [shop]}, Targets: [{Id: app, Arn: !GetAtt App.Arn}]}
"""
    cloud = world("def handler(event, context):\n    print('invoked')", ONE + rule)
    lambdas, events = boto3.client("lambda"), boto3.client("events")

    def put() -> int:
        events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}])
        cloud.run()
        return len(cloud.trace.select("log"))

    assert put() == 0
    [name] = [each["Name"] for each in events.list_rules()["Rules"]]
    source = f"arn:aws:events:us-east-1:123456789012:rule/{name}"
    permission = {"Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com", "SourceArn": source}
    lambdas.add_permission(FunctionName="app", StatementId="let-in", **permission)
    assert put() == 1
    lambdas.remove_permission(FunctionName="app", StatementId="let-in")
    assert put() == 1
