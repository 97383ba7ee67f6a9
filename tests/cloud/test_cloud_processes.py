"""The second runner: each execution environment a real process. One test really waits (1 s): the kill."""

import _thread
import ctypes
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from orderlab.cloud import Faults
from orderlab.cloud.functions import child as child_process
from orderlab.cloud.functions import sandbox
from orderlab.cloud.functions.shipping import RunnerError

ONE = """
App:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: app, Handler: app.handler, Timeout: 30, Environment: {Variables: {NAME: one}}}
"""
QUEUE = "Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: hello}}\n"
TWO = (
    ONE
    + """
Other:
  Type: AWS::Serverless::Function
  Properties: {FunctionName: other, Handler: app.other, Timeout: 60}
"""
)


@pytest.fixture
def child(world: Any) -> Any:
    """`child(app, resources, **arguments)`: a cloud whose functions are processes."""
    return lambda app, resources=ONE, **arguments: world(app, resources, runner="processes", **arguments)


def invoke(event: object = None, **config: Any) -> Any:
    """The answer's body, and its FunctionError in front if there is one."""
    client = boto3.client("lambda", config=Config(**config) if config else None)
    answer = client.invoke(FunctionName="app", Payload=json.dumps(event))
    body = json.loads(answer["Payload"].read())
    return (answer["FunctionError"], body) if "FunctionError" in answer else body


def is_alive(pid: int) -> bool:
    """Is there such a process? (A kill waits for the end, so there is nothing to wait for here.)"""
    if os.name != "posix":
        return bool(ctypes.windll.kernel32.OpenProcess(0x1000, False, pid))
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def test_a_handler_runs_in_a_process_of_its_own_and_keeps_its_globals(child) -> None:
    """State leaks from one invocation to the next, and never to another environment."""
    cloud = child(
        """
        import os
        seen = 0
        def handler(event, context):
            global seen
            seen += 1
            return [event, seen, os.getpid(), context.aws_request_id, context.function_name]
        """
    )
    first, second = invoke({"a": [1]}), invoke("é")
    assert (first[0], first[1], second[0], second[1]) == ({"a": [1]}, 1, "é", 2)
    assert first[2] == second[2] != os.getpid()
    assert first[3] != second[3] and first[4] == "app"
    cloud.functions.recycle("App")
    assert not is_alive(first[2])
    assert invoke()[1] == 1
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, False, True]
    assert len(cloud.trace.select("init")) == 2


def test_the_child_has_the_functions_variables_and_none_of_the_hosts(child, monkeypatch) -> None:
    """What Lambda documents, what the template says; no secret of this machine."""
    monkeypatch.setenv("A_SECRET", "of the host")
    monkeypatch.setenv("HOME", "/home/somebody")
    child("import os, sys\ndef handler(event, context):\n    return [dict(os.environ), os.getcwd(), sys.argv[1:]]")
    variables, folder, arguments = invoke()
    assert not {"A_SECRET", "HOME"} & variables.keys()
    assert variables["NAME"] == "one"
    assert (variables["_HANDLER"], variables["AWS_LAMBDA_FUNCTION_NAME"]) == ("app.handler", "app")
    assert variables["AWS_ACCESS_KEY_ID"] == "testing"
    assert Path(variables["LAMBDA_TASK_ROOT"]).resolve() == Path(folder).resolve()
    assert variables["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert arguments == []


def test_a_timeout_really_kills_the_process_and_what_it_started(child) -> None:
    """One real second; the next event meets a cold start."""
    cloud = child(
        """
        import os, subprocess, sys, time
        def handler(event, context):
            if event:
                other = f"import socket, time; it = socket.create_connection(('127.0.0.1', {event})); time.sleep(60)"
                subprocess.Popen([sys.executable, "-c", other])
                print(os.getpid())
                while True:
                    time.sleep(60)
            return "quick"
        """,
        ONE.replace("Timeout: 30", "Timeout: 1"),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    start = time.monotonic()
    kind, body = invoke(listener.getsockname()[1])
    assert 1.0 <= time.monotonic() - start < 30.0
    assert (kind, body["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert body["errorMessage"].endswith(" Task timed out after 1.00 seconds")
    (line,) = cloud.trace.select("log")
    assert not is_alive(int(line.what))
    if os.name == "posix":
        listener.settimeout(10)
        with listener, listener.accept()[0] as other:
            other.settimeout(10)
            assert other.recv(1) == b""  # its end of the connection is gone with it
    (timeout,) = cloud.trace.select("timeout")
    assert timeout.at - cloud.trace.select("init")[0].at == pytest.approx(1.0, abs=0.01)
    assert invoke(0) == "quick"
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, True]


def test_a_timeout_inside_a_call_to_aws_kills_without_a_real_wait(child) -> None:
    """What waits for AWS waits in virtual time; nothing of the process is left to see the answer."""
    cloud = child(
        """
        import boto3, os
        def handler(event, context):
            print(os.getpid())
            boto3.client("sqs").get_queue_url(QueueName="hello")
            print("never printed")
        """,
        ONE + QUEUE,
        faults=Faults().at_rate("slow", 1.0, seconds=50.0),
    )
    real = time.monotonic()
    _, body = invoke()
    assert body["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - real < 25.0
    (line,) = cloud.trace.select("log")
    assert not is_alive(int(line.what))


def test_an_interrupt_from_the_keyboard_ends_the_child(child, monkeypatch) -> None:
    """Ctrl-C surfaces in the cell, and leaves no process behind."""
    cloud = child("import time\ndef handler(event, context):\n    time.sleep(event)")
    invoke(0)
    hear = sandbox.Process._hear

    def interrupted(process: Any, limit: float) -> Any:
        _thread.interrupt_main()  # as the keyboard does
        return hear(process, limit)

    monkeypatch.setattr(sandbox.Process, "_hear", interrupted)
    with pytest.raises(KeyboardInterrupt):
        invoke(60)
    assert not cloud._processes.alive


def test_an_error_is_reported_with_its_true_type_and_place(child) -> None:
    """And the environment lives on: an exception is not a crash."""
    cloud = child("class NoItems(Exception): pass\ndef handler(event, context):\n    if 1: raise NoItems('none')")
    kind, body = invoke()
    assert (kind, body["errorType"], body["errorMessage"]) == ("Unhandled", "NoItems", "none")
    assert body["stackTrace"] == ["  File \"/var/task/app.py\", line 3, in handler\n    if 1: raise NoItems('none')\n"]
    assert body["requestId"]
    invoke()
    assert [row.detail["cold"] for row in cloud.trace.select("invoke")] == [True, False]


EXITS = {
    "os._exit(7)": "Runtime exited with error: exit status 7",
    "sys.exit(3)": "Runtime exited with error: exit status 3",
    "sys.exit(0)": "Runtime exited without providing a reason",
    "os.kill(os.getpid(), 9)": "Runtime exited with error: signal: killed",
}


def test_a_process_that_ends_itself_is_an_exit_error(child) -> None:
    """With its status; what was printed before stays in the log; the next event meets a cold start."""
    exits = dict(list(EXITS.items())[: None if os.name == "posix" else 3])  # signals are POSIX
    cloud = child("import os, sys\ndef handler(event, context):\n    print('last words')\n    exec(event)")
    for statement, message in exits.items():
        _, body = invoke(statement)
        assert body["errorType"] == "Runtime.ExitError"
        assert body["errorMessage"].endswith(f"Error: {message}")
    assert [row.what for row in cloud.trace.select("log")] == ["last words"] * len(exits)
    assert all(row.detail["cold"] for row in cloud.trace.select("invoke"))


@pytest.mark.parametrize(
    ("app", "kind", "message"),
    [
        ("import nowhere", "Runtime.ImportModuleError", "Unable to import module 'app': No module named 'nowhere'"),
        ("def handler(): pass\ndel handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("{}['price']; import os", "KeyError", "'price'"),
        ("import os; os._exit(2)", "Runtime.ExitError", "Runtime exited with error: exit status 2"),
    ],
)
def test_an_init_error_fails_the_invocation_and_names_itself(child, app: str, kind: str, message: str) -> None:
    """As Lambda's own runtime names it. A handler stands in the text: without one the stack would not be made."""
    child(app if "handler" in app else f"{app}\ndef handler(event, context): pass")
    _, body = invoke()
    assert body["errorType"] == kind
    assert message in body["errorMessage"]


def test_an_initialisation_that_takes_too_long_is_stopped(child, monkeypatch) -> None:
    """10 s on AWS."""
    monkeypatch.setattr(sandbox, "INIT_LIMIT", 0.3)
    cloud = child("import time\ntime.sleep(60)\ndef handler(event, context): pass")
    _, body = invoke()
    assert body["errorType"] == "Sandbox.Timedout"
    assert not cloud._processes.alive


@pytest.mark.parametrize(("kind", "effects"), [("crash-before", 0), ("crash-after", 1)])
def test_a_crash_kills_the_process_before_or_after_the_effect_of_a_call(child, kind: str, effects: int) -> None:
    """The same fault, the same step as in process."""
    cloud = child(
        """
        import boto3, os
        def handler(event, context):
            print(os.getpid())
            boto3.client("sqs").send_message(QueueUrl=event, MessageBody="hello")
            print("never printed")
        """,
        ONE + QUEUE,
        faults=Faults().at_step(1, kind),
    )
    _, body = invoke(boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"])
    assert body["errorType"] == "Runtime.ExitError"
    assert len(cloud.queues.messages("hello")) == effects
    (line,) = cloud.trace.select("log")
    assert not is_alive(int(line.what))


def test_a_lost_answer_is_a_read_time_out_of_the_child_without_the_wait(child) -> None:
    """The client's own time-out passes in virtual time: botocore sees what it would see on AWS."""
    cloud = child(
        """
        import boto3, time
        from botocore.config import Config
        from botocore.exceptions import ReadTimeoutError
        sqs = boto3.client("sqs", config=Config(read_timeout=300, retries={"total_max_attempts": 1}))
        def handler(event, context):
            before = time.time()
            try:
                sqs.send_message(QueueUrl=event, MessageBody="hello")
            except ReadTimeoutError:
                return time.time() - before
        """,
        ONE.replace("Timeout: 30", "Timeout: 900") + QUEUE,
        faults=Faults().at_step(1, "lost-response"),
    )
    real = time.monotonic()
    url = boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"]
    assert 300.0 <= invoke(url, read_timeout=900) < 330.0
    assert time.monotonic() - real < 100.0
    assert len(cloud.queues.messages("hello")) == 1


def test_one_process_invokes_another_and_gives_up_when_its_client_does(child) -> None:
    """Nested synchronous invokes; the callee is slow in virtual time and goes on."""
    cloud = child(
        """
        import boto3, json
        from botocore.config import Config
        from botocore.exceptions import ReadTimeoutError
        made = boto3.client("lambda", config=Config(read_timeout=25, retries={"total_max_attempts": 1}))
        def handler(event, context):
            try:
                answer = made.invoke(FunctionName="other", Payload=json.dumps(event))
                return json.loads(answer["Payload"].read())
            except ReadTimeoutError:
                return "unknown"
        def other(event, context):
            boto3.client("sqs").get_queue_url(QueueName="hello")
            return ["other", event]
        """,
        TWO + QUEUE,
    )
    assert invoke(1) == ["other", 1]
    cloud.faults.at_rate("slow", 1.0, where="Other sqs", seconds=50.0, limit=1)
    assert invoke(2) == "unknown"
    cloud.run()
    assert [row.what for row in cloud.trace.select("end", actor="Other")] == ["ok", "ok"]


def test_a_childs_clock_is_the_clouds(child) -> None:
    """time and datetime, by every name, in the past and after a jump; a skewed one is off by its skew."""
    cloud = child(
        """
        import time, datetime
        from datetime import datetime as moment, timezone
        def handler(event, context):
            made = moment.now(timezone.utc)
            return [time.time(), time.time_ns() / 1e9, made.timestamp(), time.mktime(time.gmtime()), time.monotonic(),
                    datetime.datetime.utcnow().replace(tzinfo=timezone.utc).timestamp(),
                    isinstance(made, datetime.datetime), context.get_remaining_time_in_millis()]
        """
    )
    for _ in range(2):
        *times, is_datetime, left = invoke()
        assert all(abs(at - cloud.now) < 20.0 for at in times), times
        assert is_datetime and 0 < left <= 30_000
        cloud.advance(86400)
    cloud.reset(faults=Faults().at_rate("clock-skew", 1.0, seconds=500.0))
    assert invoke()[0] - cloud.now == pytest.approx(500.0, abs=20.0)


def test_time_in_the_child_passes_in_the_cloud(child) -> None:
    """And the deadline in the context comes nearer, by real time and by the virtual time of its calls."""
    cloud = child(
        """
        import boto3, time
        def handler(event, context):
            first = context.get_remaining_time_in_millis()
            time.sleep(0.05)
            second = context.get_remaining_time_in_millis()
            boto3.client("sqs").get_queue_url(QueueName="hello")
            return [first, second, context.get_remaining_time_in_millis()]
        """,
        ONE + QUEUE,
        faults=Faults().at_rate("slow", 1.0, where="sqs", seconds=1.0),
    )
    first, second, third = invoke()
    assert first - second >= 50
    assert second - third >= 1000
    (done,) = cloud.trace.select("end")
    assert done.detail["seconds"] > 1.05


def test_what_is_printed_stands_before_the_call_that_follows_it(child) -> None:
    """The log and the calls of a child in the order of its code; standard error is log too."""
    cloud = child(
        """
        import boto3, sys
        sqs = boto3.client("sqs")
        def handler(event, context):
            for n in range(5):
                print("line", n)
                sqs.get_queue_url(QueueName="hello")
            print("to err", file=sys.stderr)
            print("unended", end="")
        """,
        ONE + QUEUE,
    )
    invoke()
    seen = [row.what for row in cloud.trace.select("log", "call")]
    calls = [what for n in range(5) for what in (f"line {n}", "sqs.GetQueueUrl")]
    assert seen == [*calls, "to err", "unended"]


def test_a_thread_that_outlives_its_invocation_is_frozen_until_the_next(child) -> None:
    """On AWS nothing of an environment runs between two events: its call comes with the next one."""
    cloud = child(
        """
        import boto3, threading
        sqs = boto3.client("sqs")
        threads = []
        def handler(event, context):
            if not threads:
                threads.append(threading.Thread(target=sqs.send_message, kwargs=dict(QueueUrl=event, MessageBody="b")))
                threads[0].start()
            else:
                threads[0].join()
        """,
        ONE + QUEUE,
    )
    url = boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"]
    cloud.functions.start("App", url, lambda result: None, source="test")
    cloud.run()
    before = len(cloud.queues.messages("hello"))
    for process in cloud._processes.alive:
        process._since -= 1000.0  # a learner's long pause costs no time in the cloud
    assert invoke(url) is None
    assert len(cloud.queues.messages("hello")) == 1 >= before


def test_every_kind_of_call_reaches_the_same_cloud(child) -> None:
    """DynamoDB, S3 with awkward keys and large bodies, EventBridge, SNS, STS; errors with AWS's codes."""
    cloud = child(
        """
        import boto3, io
        def code(call, **parameters):
            try:
                call(**parameters)
            except Exception as error:
                return type(error).__name__
        def handler(event, context):
            s3, table = boto3.client("s3"), boto3.resource("dynamodb").Table("things")
            put = boto3.client("events").put_events
            table.put_item(Item={"id": "1", "n": 5})
            s3.put_object(Bucket="files", Key="a b/é+c.txt", Body=b"x" * 300_000)
            s3.upload_fileobj(io.BytesIO(b"streamed"), "files", "d")
            s3.copy_object(Bucket="files", Key="e", CopySource="files/d")
            return [
                int(table.get_item(Key={"id": "1"})["Item"]["n"]),
                len(s3.get_object(Bucket="files", Key="a b/é+c.txt")["Body"].read()),
                s3.head_object(Bucket="files", Key="d")["ContentLength"],
                [found["Key"] for found in s3.list_objects_v2(Bucket="files")["Contents"]],
                put(Entries=[dict(Source="s", DetailType="d", Detail="{}")])["FailedEntryCount"],
                boto3.client("sts").get_caller_identity()["Account"],
                code(s3.get_object, Bucket="files", Key="no"),
                code(table.put_item, Item={"id": "1"}, ConditionExpression="attribute_not_exists(id)"),
            ]
        """,
        ONE
        + """
Files: {Type: AWS::S3::Bucket, Properties: {BucketName: files}}
Things:
  Type: AWS::DynamoDB::Table
  Properties:
    TableName: things
    BillingMode: PAY_PER_REQUEST
    KeySchema: [{AttributeName: id, KeyType: HASH}]
    AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
""",
    )
    keys = ["a b/é+c.txt", "d", "e"]
    errors = ["NoSuchKey", "ConditionalCheckFailedException"]
    assert invoke() == [5, 300_000, 8, keys, 0, "123456789012", *errors]
    called = [row.what for row in cloud.trace.select("call")]
    assert called[:4] == ["dynamodb.PutItem", "s3.PutObject", "s3.PutObject", "s3.CopyObject"]
    assert cloud.trace.select("call")[0].detail["table"] == "things"
    assert boto3.client("s3").get_object(Bucket="files", Key="e")["Body"].read() == b"streamed"


def test_both_runners_answer_alike(world) -> None:
    """The same code, the same events: the same answers, errors and effects."""
    app = """
        import boto3
        from decimal import Decimal
        def handler(event, context):
            if event["do"] == "fail":
                raise LookupError("no such thing")
            if event["do"] == "call":
                boto3.client("sqs").send_message(QueueUrl=event["url"], MessageBody="hello")
            return {"did": event["do"], "text": "£ é", "number": 0.1, "price": Decimal("1.5"), "none": None}
        """

    def answers(runner: str) -> list[Any]:
        cloud = world(app, ONE + QUEUE, runner=runner)
        url = boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"]
        got = [invoke({"do": what, "url": url}) for what in ("return", "call", "fail", "return")]
        kept = {"errorType", "errorMessage"}
        got[2] = {name: value for name, value in got[2][1].items() if name in kept}
        kinds = [
            (row.kind, row.what, row.detail.get("cold")) for row in cloud.trace if row.kind not in ("init", "send")
        ]
        return [*got, kinds, [message.body for message in cloud.queues.messages("hello")]]

    assert answers("processes") == answers("in-process")


def test_nothing_is_left_behind(child) -> None:
    """recycle, reset, close: no process, no port, no folder; and a cloud that was reset works."""
    cloud = child(
        "import os\ndef handler(event, context):\n"
        "    return [os.getpid(), os.environ['AWS_LAMBDA_RUNTIME_API'], os.environ['LAMBDA_TASK_ROOT']]"
    )
    first = invoke()[0]
    cloud.reset()
    assert not is_alive(first)
    second, address, folder = invoke()
    assert Path(folder).exists()
    cloud.close()
    assert not is_alive(second)
    assert not Path(folder).exists()
    host, port = address.split(":")
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=1.0)


def test_a_reset_in_the_middle_of_an_invocation_ends_its_process(child) -> None:
    """The invocation waits for an answer of AWS while the world is thrown away."""
    cloud = child(
        "import boto3, os\ndef handler(event, context):\n    print(os.getpid())\n"
        "    boto3.client('sqs').get_queue_url(QueueName='hello')",
        ONE + QUEUE,
        faults=Faults().at_rate("slow", 1.0, seconds=2.0),
    )
    cloud.functions.start("App", None, lambda result: None, source="test")
    cloud.scheduler.wait(lambda: bool(cloud.trace.select("fault")), 10.0)
    pid = int(cloud.trace.select("log")[0].what)
    assert is_alive(pid)
    cloud.reset()
    assert not is_alive(pid)
    assert not cloud.trace.rows


def test_a_child_ends_when_its_parent_is_gone(child) -> None:
    """Even a busy one: the leash is its standard input, which every system closes with the parent."""
    cloud = child(
        "import threading, time\ndef work():\n    while True: time.sleep(1)\n"
        "def handler(event, context):\n    threading.Thread(target=work).start()"
    )
    invoke()
    (process,) = cloud._processes.alive
    process._child._process.stdin.close()
    assert process._child._process.wait(10) == 1


def test_a_child_reaches_no_other_machine(child) -> None:
    """The guard of the course stands in the child too."""
    child("import socket\ndef handler(event, context):\n    socket.create_connection(('192.0.2.1', 80), 1)")
    _, body = invoke()
    assert (body["errorType"], "refused" in body["errorMessage"]) == ("Refused", True)


def naive(event: object, context: object) -> str:
    """A lesson's version, in a module's file."""
    import os

    return f"naive {os.environ['NAME']} {os.getpid()}"


def test_a_handler_is_replaced_from_outside_by_a_copy(child, monkeypatch) -> None:
    """A function of a module's file, one of a cell with what it names; what it changes does not come back."""
    cloud = child("def handler(event, context):\n    return 'shipped'")
    assert invoke() == "shipped"
    monkeypatch.setitem(sys.modules, naive.__module__, sys.modules[naive.__module__])
    seen: list[str] = []

    def cell(event: object, context: object) -> list[str]:
        seen.append("called")
        return seen

    cloud.replace("App", cell)
    assert [invoke(), invoke()] == [["called"], ["called", "called"]]
    assert seen == []
    cloud.replace("App", lambda event, context: event * 2)
    assert invoke(21) == 42


def test_a_function_of_a_modules_file_is_shipped_with_its_file(child, tmp_path, monkeypatch) -> None:
    """Its module is imported in the child, beside the package."""
    (tmp_path / "lesson_naive.py").write_text(
        "import app\nstate = 0\ndef handler(event, context):\n    return app.word"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    cloud = child("word = 'from the package'\ndef handler(event, context):\n    return 'shipped'")
    import lesson_naive

    cloud.replace("App", lesson_naive.handler)
    assert invoke() == "from the package"
    monkeypatch.delitem(sys.modules, "lesson_naive")
    monkeypatch.delitem(sys.modules, "app", raising=False)


def test_what_cannot_be_sent_to_a_process_is_refused_at_once(child) -> None:
    """One clear error, when the handler is replaced."""
    cloud = child("def handler(event, context):\n    return 'shipped'")
    running = (n for n in range(3))
    with pytest.raises(RunnerError, match="cannot be sent to another process"):
        cloud.replace("App", lambda event, context: next(running))
    assert invoke() == "shipped"


def test_a_wrong_runner_or_a_python_that_does_not_start_is_one_clear_error(child, world, monkeypatch) -> None:
    """What is wrong, and what there is."""
    with pytest.raises(ValueError, match='"in-process" or "processes", not \'docker\''):
        world("", ONE, runner="docker")
    child("def handler(event, context):\n    return 1")
    monkeypatch.setattr(child_process, "command", lambda handler, offset: ["/no/such/python"])
    _, body = invoke()
    assert body["errorType"] == "RunnerError"
    assert "cannot start a process with /no/such/python" in body["errorMessage"]


RIC = os.environ.get("AWSLAMBDARIC_PYTHON", sys.executable)
RUN = f"""
import builtins, sys
sys.path.insert(0, {str(Path(child_process.__file__).parent)!r})
import line
builtins.__import__ = line.importing  # boto3's calls go to the parent; the rest is AWS's
del sys.path[0]
import awslambdaric.__main__
awslambdaric.__main__.main(sys.argv)
"""


def has_awslambdaric() -> bool:
    """Does that Python have AWS's runtime? One that was named for it must. (There are wheels for Linux only.)"""
    said = subprocess.run([RIC, "-c", "import awslambdaric, boto3"], capture_output=True, text=True)
    assert said.returncode == 0 or "AWSLAMBDARIC_PYTHON" not in os.environ, f"AWSLAMBDARIC_PYTHON={RIC}: {said.stderr}"
    return said.returncode == 0


def test_awss_own_runtime_runs_against_the_same_parent(child, monkeypatch) -> None:
    """awslambdaric, AWS's interface client: answers, errors, init errors, exits, boto3, the deadline."""
    if not has_awslambdaric():
        pytest.skip("awslambdaric is not installed here, and AWSLAMBDARIC_PYTHON names no Python that has it")
    monkeypatch.setattr(child_process, "command", lambda handler, offset: [RIC, "-c", RUN, handler])
    cloud = child(
        """
        import boto3, os
        seen = 0
        def handler(event, context):
            global seen
            seen += 1
            if event == "fail":
                raise LookupError("no such thing")
            if event == "exit":
                os._exit(4)
            if event == "set":
                return {1}
            print("hello")
            boto3.client("sqs").send_message(QueueUrl=event, MessageBody="from AWS's runtime")
            return [seen, context.invoked_function_arn, context.get_remaining_time_in_millis(), os.environ["NAME"]]
        """,
        ONE + QUEUE,
    )
    url = boto3.client("sqs").get_queue_url(QueueName="hello")["QueueUrl"]
    invoke("fail")
    count, arn, left, name = invoke(url)
    assert (count, arn.endswith(":function:app"), name) == (2, True, "one")
    assert 0 < left <= 30_000
    assert [message.body for message in cloud.queues.messages("hello")] == ["from AWS's runtime"]
    errors = [invoke(what)[1] for what in ("fail", "set", "exit")]
    kinds = ["LookupError", "Runtime.MarshalError", "Runtime.ExitError"]
    assert [error["errorType"] for error in errors] == kinds
    monkeypatch.setattr(child_process, "command", lambda handler, offset: [RIC, "-c", RUN, "app.nothing"])
    _, body = invoke()
    assert (body["errorType"], body["errorMessage"]) == (
        "Runtime.HandlerNotFound",
        "Handler 'nothing' missing on module 'app'",
    )
