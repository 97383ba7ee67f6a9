"""Event source mappings SQS -> Lambda: batches, window, concurrency, answers, errors, throttles, filters, FIFO."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from moto import mock_aws
from moto.backends import get_backend

from orderlab.cloud.faults import Faults
from orderlab.cloud.functions.service import Result
from orderlab.cloud.mappings import poller as mappings_module
from orderlab.cloud.mappings.partial import judge
from orderlab.cloud.mappings.service import Mappings
from orderlab.cloud.mappings.settings import check, read
from orderlab.cloud.queues.messages import md5, md5_of_attributes
from orderlab.cloud.queues.service import Queues
from orderlab.cloud.scheduler import Scheduler
from orderlab.cloud.stack.resources import Resource, Stack
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.trace import Trace
from orderlab.cloud.wire.answers import NotYet, Refusal

START = 1_767_603_600.0  # 2026-01-05T09:00:00Z
NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]


def arn(name: str) -> str:
    """A queue's ARN."""
    return f"arn:aws:sqs:us-east-1:123456789012:{name}"


def failed(*ids: str) -> Result:
    """A partial answer that names these messages."""
    return Result(json.dumps({"batchItemFailures": [{"itemIdentifier": each} for each in ids]}))


@dataclass
class Call:
    """One invocation: when, with which bodies and records, and its `done`."""

    at: float
    bodies: list[str]
    records: list[dict[str, Any]]
    done: Callable[[Result], None]


@dataclass
class FakeFunctions:
    """Stands for Lambda: `answer` decides the result and how many seconds it takes."""

    scheduler: Scheduler
    timeout: float = 10.0
    seconds: float = 1.0
    answer: Callable[[Call], Result] = field(default=lambda call: Result("null"))
    calls: list[Call] = field(default_factory=list)
    running: int = 0
    most: int = 0
    throttle_until: float = 0.0
    throttled: list[float] = field(default_factory=list)

    @dataclass(frozen=True)
    class Settings:
        """What `check` looks at."""

        timeout: float

    def resolve(self, name: str) -> Settings:
        return self.Settings(self.timeout)

    def start(self, name: str, event: Any, done: Callable[[Result], None], *, source: str, **told: Any) -> None:
        if self.scheduler.now < self.throttle_until:
            self.throttled.append(self.scheduler.now - START)
            done(Result(throttled=True))
            return
        records = json.loads(json.dumps(event))["Records"]
        call = Call(self.scheduler.now - START, [each["body"] for each in records], records, done)
        self.calls.append(call)
        self.running += 1
        self.most = max(self.most, self.running)
        self.scheduler.after(self.seconds, lambda: self._end(call))

    def _end(self, call: Call) -> None:
        self.running -= 1
        call.done(self.answer(call))

    @property
    def batches(self) -> list[list[str]]:
        """The bodies of each invocation."""
        return [call.bodies for call in self.calls]


@dataclass
class World:
    """Queues, a fake Lambda, and mappings between them."""

    scheduler: Scheduler
    trace: Trace
    queues: Queues
    functions: FakeFunctions
    mappings: Mappings

    def queue(self, name: str, **attributes: str) -> None:
        """Create a queue; its visibility timeout is 60 s unless given."""
        self.queues.backend.create_queue(name, **{"VisibilityTimeout": "60", **attributes})

    def map(self, name: str = "work", **properties: Any) -> None:
        """Map the queue to the function "worker"."""
        self.mappings.add(name, {"EventSourceArn": arn(name), "FunctionName": "worker", **properties})

    def send(self, *bodies: str, name: str = "work") -> None:
        """Send messages."""
        for body in bodies:
            self.queues.send(name, body)

    def left(self, name: str = "work") -> list[str]:
        """The bodies that a queue still holds."""
        return [message.body for message in self.queues.messages(name)]


@pytest.fixture
def world() -> Iterator[World]:
    """A queue "work" and nothing mapped."""
    with mock_aws():
        scheduler = Scheduler(START, 1)
        trace = Trace(lambda: scheduler.now)
        queues = Queues(scheduler, trace, Faults(), get_backend("sqs")["123456789012"]["us-east-1"])
        functions = FakeFunctions(scheduler)
        made = World(scheduler, trace, queues, functions, Mappings(scheduler, trace, queues, functions, Stack(), {}))
        made.queue("work")
        yield made


# ------------------------------------------------------------------------------------------------------- the verdict


def test_every_row_of_the_partial_batch_table_is_judged_as_on_aws(vectors: Callable[[str], Any]) -> None:
    """Which messages are deleted, for each recorded or documented answer."""
    table = vectors("aws_semantics.json")["sqs_esm_partial_batch"]
    for case in table["cases"]:
        payload = case["response_raw"] if "response_raw" in case else json.dumps(case.get("response"))
        error = {"errorType": "E", "errorMessage": "m"} if case.get("function_error") or case.get("timeout") else None
        result = Result(payload, error, timed_out=bool(case.get("timeout")))
        deleted = judge(table["batch"], result, case.get("report_batch_item_failures_enabled", True))
        assert deleted == set(case["deleted"]), case


@pytest.mark.parametrize(
    ("payload", "deleted"),
    [
        ("null", "xyz"),
        ("{}", "xyz"),
        ('{"batchItemFailures": []}', "xyz"),
        ('{"statusCode": 200}', "xyz"),
        ('{"batchItemFailures": [{"itemIdentifier": "x"}, {"itemIdentifier": "x"}]}', "yz"),
        ('{"batchItemFailures": [{"itemIdentifier": "x", "reason": "why"}]}', "yz"),
        ('{"batchItemFailures": [{"itemIdentifier": "x"}, {"itemIdentifier": "y"}, {"itemIdentifier": "z"}]}', ""),
        ('{"batchItemFailures": [{"itemIdentifier": "x"}, {"itemIdentifier": "elsewhere"}]}', ""),
        ('{"batchItemFailures": [{"itemIdentifier": 7}]}', ""),
        ('{"batchItemFailures": [{"ItemIdentifier": "x"}]}', ""),
        ('{"batchItemFailures": ["x"]}', ""),
        ('{"batchItemFailures": [null]}', ""),
        ('{"batchItemFailures": {"itemIdentifier": "x"}}', ""),
        ('{"batchItemFailures": "x"}', ""),
        ('"done"', ""),
        ("[]", ""),
        ("{broken", ""),
    ],
)
def test_an_answer_that_cannot_be_read_fails_the_whole_batch(payload: str, deleted: str) -> None:
    """Beyond the table: nothing is lost by a malformed answer, and with the setting off no answer is read."""
    assert judge(["x", "y", "z"], Result(payload), True) == set(deleted)
    assert judge(["x", "y", "z"], Result(payload), False) == {"x", "y", "z"}


def test_an_error_a_timeout_and_a_throttle_delete_nothing_with_or_without_the_setting() -> None:
    """Whatever the payload says."""
    for result in (
        Result("{}", {"errorType": "E"}),
        Result("{}", {"errorType": "Sandbox.Timedout"}, timed_out=True),
        Result("{}", timed_out=True),
        Result("null", throttled=True),
    ):
        assert judge(["x"], result, True) == judge(["x"], result, False) == set()


# ------------------------------------------------------------------------------------------------- batches and polls


def test_messages_are_invoked_in_batches_within_milliseconds_and_deleted_after_success(world: World) -> None:
    """Twelve messages with a batch size of 5: 5, 5, 2; nothing is left, and the world falls quiet."""
    world.map(BatchSize=5)
    world.send(*NAMES)
    world.scheduler.run()
    assert world.functions.batches == [NAMES[:5], NAMES[5:10], NAMES[10:]]
    times = [call.at for call in world.functions.calls]
    assert all(0.005 <= later - earlier <= 0.020 for earlier, later in pairwise([0.0, *times]))
    assert world.left() == []
    assert world.scheduler.now == START + times[-1] + world.functions.seconds
    assert Counter(row.kind for row in world.trace) == {"send": 12, "receive": 3, "delete": 12}


def test_a_queue_without_messages_costs_nothing(world: World) -> None:
    """No polling: running to quiet ends at once, and an hour passes without a row in the trace."""
    world.map()
    world.scheduler.run()
    assert world.scheduler.now == START
    world.scheduler.advance(3600)
    assert len(world.trace) == 0


def test_a_mapping_that_is_made_later_finds_what_is_there(world: World) -> None:
    """Messages that were sent before it."""
    world.send("a")
    world.map()
    world.scheduler.run()
    assert world.functions.batches == [["a"]]


def test_a_disabled_mapping_does_nothing(world: World) -> None:
    """Enabled: false."""
    world.map(Enabled=False)
    world.send("a")
    world.scheduler.run()
    assert world.functions.calls == [] and world.left() == ["a"]


def test_a_window_gathers_until_it_ends_or_the_batch_is_full(world: World) -> None:
    """Three messages over 4 s make one batch at the window's end; five at once do not wait for it."""
    world.map(BatchSize=5, MaximumBatchingWindowInSeconds=10)
    world.send("a")
    world.scheduler.after(2, lambda: world.send("b"))
    world.scheduler.after(4, lambda: world.send("c"))
    world.scheduler.run(START + 20)
    assert world.functions.batches == [["a", "b", "c"]]
    assert 10.005 <= world.functions.calls[0].at <= 10.020
    world.send(*NAMES[:7])
    world.scheduler.run()
    assert world.functions.batches[1:] == [NAMES[:5], NAMES[5:7]]
    assert world.functions.calls[1].at < 20.1 and world.functions.calls[2].at > 30
    assert world.left() == []


def test_a_batch_that_fills_up_takes_its_window_with_it(world: World) -> None:
    """The next message starts a window of its own."""
    world.map(BatchSize=3, MaximumBatchingWindowInSeconds=10)
    for at, bodies in ((0, "a"), (5, "bc"), (7, "d")):
        world.scheduler.after(at, lambda bodies=bodies: world.send(*bodies))
    world.scheduler.run()
    assert world.functions.batches == [["a", "b", "c"], ["d"]]
    assert world.functions.calls[0].at < 5.1 and 17 <= world.functions.calls[1].at <= 17.1


def test_a_poll_takes_its_time_however_many_messages_arrive_meanwhile(world: World) -> None:
    """One receive at a time, 5 to 20 ms apart."""
    world.map(BatchSize=1)
    for number in range(30):
        world.scheduler.after(number * 0.001, lambda: world.send("m"))
    world.scheduler.run()
    times = [call.at for call in world.functions.calls]
    assert len(times) == 30 and all(later - earlier >= 0.005 for earlier, later in pairwise(times))


def test_a_large_batch_takes_more_than_ten_and_no_more_than_six_megabytes(world: World) -> None:
    """A batch size of 100 with a window; ten messages of 1 MiB do not fit into one invocation."""
    world.map(BatchSize=100, MaximumBatchingWindowInSeconds=1)
    world.send(*(str(number) for number in range(100)))
    world.scheduler.run()
    assert [len(batch) for batch in world.functions.batches] == [100]
    sent = world.scheduler.now - START
    world.send(*(letter * 1024 * 1024 for letter in NAMES[:10]))
    world.scheduler.run()
    assert [len(batch) for batch in world.functions.batches[1:]] == [5, 5]
    assert all(call.at < sent + 0.1 for call in world.functions.calls[1:]), "6 MB do not wait for the window"
    assert world.left() == []


# -------------------------------------------------------------------------------------------------------- concurrency


def test_maximum_concurrency_keeps_the_rest_in_the_queue_uncounted(world: World) -> None:
    """At most two at once; what waits is visible, and its receive count stays 0 until its turn."""
    world.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    world.send(*NAMES[:6])
    world.scheduler.run(START + 0.5)
    assert world.queues.counts("work") == (4, 2, 0)
    world.scheduler.run()
    assert world.functions.most == 2 and len(world.functions.calls) == 6
    assert {record["attributes"]["ApproximateReceiveCount"] for call in world.functions.calls
            for record in call.records} == {"1"}  # fmt: skip


def test_without_a_maximum_five_run_and_three_hundred_more_for_each_minute_of_backlog(world: World) -> None:
    """Slow functions and 400 messages: 5 at first, 305 after a minute, 400 after two; idle again, it is 5 again."""
    world.queue("deep", VisibilityTimeout="900")
    world.functions.seconds = 300.0
    world.map("deep", BatchSize=1)
    world.send(*map(str, range(400)), name="deep")
    running = []
    for minute in (0.9, 1.9, 2.9):
        world.scheduler.run(START + 60 * minute)
        running.append(world.functions.running)
    assert running == [5, 305, 400]
    world.scheduler.run()
    assert world.left("deep") == []
    world.send(*map(str, range(20)), name="deep")
    world.scheduler.advance(30)
    assert world.functions.running == 5


def test_the_six_megabytes_do_not_break_the_maximum(world: World) -> None:
    """The second part of a batch that was too large waits for a free slot too."""
    world.map(BatchSize=10, ScalingConfig={"MaximumConcurrency": 2})
    world.send("small")
    world.scheduler.advance(0.1)
    world.send(*(letter * 1024 * 1024 for letter in NAMES[:10]))
    world.scheduler.run()
    assert world.functions.most == 2 and world.left() == []
    assert [len(batch) for batch in world.functions.batches] == [1, 5, 5]


def test_a_mapping_receives_nothing_that_it_cannot_invoke(world: World) -> None:
    """A steady stream: once both slots are taken, what is in flight is being worked on, and nothing more."""
    properties = {"BatchSize": 1000, "MaximumBatchingWindowInSeconds": 1, "ScalingConfig": {"MaximumConcurrency": 2}}
    world.map(**properties)
    world.functions.seconds = 50.0
    for number in range(400):
        world.scheduler.after(number * 0.01, lambda: world.send("m"))
    world.scheduler.run(START + 20)
    assert world.functions.running == 2
    visible, in_flight, _ = world.queues.counts("work")
    assert in_flight == sum(map(len, world.functions.batches)) == 400 - visible


# ------------------------------------------------------------------------------------------------- errors and retries


def test_what_a_function_names_as_failed_comes_back_after_the_visibility_timeout(world: World) -> None:
    """Alone, with receive count 2; the rest of its batch was deleted."""
    world.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    world.functions.answer = lambda call: (
        failed(*(record["messageId"] for record in call.records if record["body"] == "b"))
        if len(world.functions.calls) == 1
        else Result("{}")
    )
    world.send("a", "b", "c")
    world.scheduler.run(START + 59)
    assert world.left() == ["b"] and world.queues.counts("work") == (0, 1, 0)
    world.scheduler.run()
    first, second = world.functions.calls
    assert second.bodies == ["b"] and 60 <= second.at - first.at <= 60.02
    assert second.records[0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert world.left() == []


@pytest.mark.parametrize("timed_out", [False, True])
def test_an_error_or_a_timeout_brings_the_whole_batch_back_and_then_to_the_dead_letters(
    world: World, timed_out: bool
) -> None:
    """maxReceiveCount 3: three attempts a visibility timeout apart, then both are in the dead-letter queue."""
    world.queue("dead")
    policy = json.dumps({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 3})
    world.queue("poisoned", RedrivePolicy=policy)
    world.map("poisoned", FunctionResponseTypes=["ReportBatchItemFailures"])
    world.functions.answer = lambda call: Result("{}", {"errorType": "E"}, timed_out=timed_out)
    ids = [world.queues.send("poisoned", body).id for body in ("a", "b")]
    world.scheduler.run()
    assert world.functions.batches == [["a", "b"]] * 3
    times = [call.at for call in world.functions.calls]
    assert all(60 <= later - earlier <= 60.1 for earlier, later in pairwise(times))
    assert world.left("poisoned") == [] and [message.id for message in world.queues.messages("dead")] == ids
    assert Counter(row.kind for row in world.trace) == {"send": 2, "receive": 3, "retry": 6, "dead": 2}


def test_without_the_setting_a_partial_answer_counts_as_success(world: World) -> None:
    """The classic mistake: failures are named, nobody listens, the messages are gone."""
    world.map()
    world.functions.answer = lambda call: failed(call.records[0]["messageId"])
    world.send("a", "b")
    world.scheduler.run()
    assert len(world.functions.calls) == 1 and world.left() == []


def test_a_throttled_batch_is_tried_again_and_its_receive_count_stays(world: World) -> None:
    """The same batch, at growing seeded waits, until Lambda takes it."""
    world.map()
    world.functions.throttle_until = START + 20
    world.send("a", "b")
    world.scheduler.run()
    assert 3 < len(world.functions.throttled) < 20 and world.functions.batches == [["a", "b"]]
    assert world.functions.calls[0].records[0]["attributes"]["ApproximateReceiveCount"] == "1"
    assert 20 <= world.functions.calls[0].at <= 30
    assert world.left() == []


def test_a_throttled_batch_is_dropped_back_when_its_visibility_timeout_is_nearly_over(world: World) -> None:
    """Never invoked after it; the messages are received again, count 2."""
    world.map()
    world.functions.throttle_until = START + 70
    world.send("a")
    world.scheduler.run()
    received = [row.at - START for row in world.trace.select("receive")]
    assert len(received) == 2 and any(at < received[0] + 60 for at in world.functions.throttled)
    assert world.functions.batches == [["a"]], "the batch that was dropped is not tried once more"
    assert world.functions.calls[0].records[0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert world.left() == []


def test_a_function_that_is_slower_than_the_visibility_timeout_works_twice_and_deletes_once(world: World) -> None:
    """The queue's timeout was lowered after the mapping was made: the first delete has an old handle."""
    world.map()
    world.queues.backend.queues["work"].visibility_timeout = 5
    world.functions.seconds = 8.0
    world.send("a")
    world.scheduler.run(START + 9)
    assert world.functions.batches == [["a"], ["a"]] and world.left() == ["a"], "deleting with the first handle failed"
    world.scheduler.run(START + 14)
    assert world.left() == ["a"]
    world.queues.backend.queues["work"].visibility_timeout = 60
    world.scheduler.run()
    assert world.left() == []


# ------------------------------------------------------------------------------------------------- filters and records


def test_what_no_filter_matches_is_deleted_and_never_invoked(world: World) -> None:
    """Two filters, either is enough; a body that is no JSON does not match a pattern for its fields."""
    patterns = [{"body": {"total": [{"numeric": [">=", 100]}]}}, {"body": ["plain"]}]
    world.map(FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})
    world.send('{"total": 100}', '{"total": 99}', "plain", "other", '"plain"', "[1]")
    world.scheduler.run()
    assert world.functions.batches == [['{"total": 100}', "plain"]]
    assert world.left() == []
    assert len([row for row in world.trace.select("delete") if row.detail.get("why") == "filtered"]) == 4


def test_a_batch_of_nothing_but_filtered_messages_invokes_nothing(world: World) -> None:
    """And the next one is invoked."""
    world.map(BatchSize=2, FilterCriteria={"Filters": [{"Pattern": '{"body": ["yes"]}'}]})
    world.send("no", "no", "yes")
    world.scheduler.run()
    assert world.functions.batches == [["yes"]] and world.left() == []


def test_a_record_is_what_lambda_sends(world: World) -> None:
    """The recorded fields, in AWS's spelling, attributes and their digest included."""
    attributes = {
        "Title": {"DataType": "String", "StringValue": "The Whistler"},
        "Raw": {"DataType": "Binary", "BinaryValue": "AAE="},
    }
    world.map()
    message = world.queues.send("work", "body", attributes=attributes)
    world.scheduler.run()
    [record] = world.functions.calls[0].records
    received = int((START + world.functions.calls[0].at) * 1000)
    assert record == {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": "body",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(int(START * 1000)),
            "SenderId": record["attributes"]["SenderId"],
            "ApproximateFirstReceiveTimestamp": str(received),
        },
        "messageAttributes": {
            "Title": {
                "stringValue": "The Whistler",
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            },
            "Raw": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        },
        "md5OfMessageAttributes": md5_of_attributes(attributes),
        "md5OfBody": md5("body"),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn("work"),
        "awsRegion": "us-east-1",
    }


def test_the_digest_of_no_attributes_is_null_with_a_window_and_absent_without(world: World) -> None:
    """A quirk in every recorded call."""
    world.queue("windowed")
    world.map()
    world.map("windowed", MaximumBatchingWindowInSeconds=1)
    world.send("a")
    world.send("a", name="windowed")
    world.scheduler.run()
    plain, windowed = (call.records[0] for call in world.functions.calls)
    assert "md5OfMessageAttributes" not in plain and windowed["md5OfMessageAttributes"] is None


# -------------------------------------------------------------------------------------------------------------- FIFO


def test_a_failing_message_of_a_fifo_queue_blocks_its_group_and_no_other(world: World) -> None:
    """Recorded on AWS: four messages, the handler returns the failed one and all behind it; order is kept."""
    world.queue("work.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    world.map("work.fifo", BatchSize=3, FunctionResponseTypes=["ReportBatchItemFailures"])

    def answer(call: Call) -> Result:
        bodies = call.bodies
        return failed(*(r["messageId"] for r in call.records[1:])) if bodies == ["g1", "g2", "g3"] else Result("{}")

    world.functions.answer = answer
    for body in ("g1", "g2", "g3", "g4", "other1"):
        world.queues.send("work.fifo", body, group=body[:-1])
    world.scheduler.run(START + 50)
    assert world.functions.batches == [["g1", "g2", "g3"], ["other1"]]
    world.scheduler.run()
    assert world.functions.batches[2:] == [["g2", "g3", "g4"]]
    attributes = world.functions.calls[2].records[0]["attributes"]
    assert attributes["MessageGroupId"] == "g" and len(attributes["SequenceNumber"]) == 20
    assert attributes["ApproximateReceiveCount"] == "2"
    assert world.left("work.fifo") == []


def test_groups_of_a_fifo_queue_run_side_by_side_and_each_in_order(world: World) -> None:
    """One message per invocation: as many at once as there are groups."""
    world.queue("work.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    world.map("work.fifo", BatchSize=1)
    for body in ("a1", "a2", "b1", "b2", "c1", "a3"):
        world.queues.send("work.fifo", body, group=body[0])
    world.scheduler.run()
    assert world.functions.most == 3
    order = [call.bodies[0] for call in world.functions.calls]
    assert [body for body in order if body[0] == "a"] == ["a1", "a2", "a3"]
    assert order[:3] == ["a1", "b1", "c1"] and world.left("work.fifo") == []


def test_a_slow_function_on_a_fifo_queue_does_not_stop_the_mapping(world: World) -> None:
    """Deleting with an expired handle is an error there; the message comes again."""
    world.queue("work.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    world.map("work.fifo")
    world.queues.backend.queues["work.fifo"].visibility_timeout = 5
    world.functions.seconds = 8.0
    world.queues.send("work.fifo", "a", group="g")
    world.scheduler.run(START + 9)
    world.queues.backend.queues["work.fifo"].visibility_timeout = 60
    world.scheduler.run()
    assert len(world.functions.calls) >= 2 and world.left("work.fifo") == []


# ----------------------------------------------------------------------------------------------------------- refusals


def test_a_function_that_may_outlast_the_visibility_timeout_is_refused_with_the_remedy(world: World) -> None:
    """As AWS does at CreateEventSourceMapping; equal is allowed."""
    world.functions.timeout = 61.0
    with pytest.raises(Refusal) as caught:
        world.map(MaximumBatchingWindowInSeconds=4)
    message = caught.value.message
    assert "work: Queue visibility timeout: 60 seconds is less than Function timeout: 61 seconds" in message
    assert "at least 370 seconds (6 x the function's timeout + the batching window)" in message
    world.functions.timeout = 60.0
    world.map()
    queue = world.queues.backend.queues["work"]
    check(read("m", {"EventSourceArn": arn("work"), "FunctionName": "f"}), world.functions.resolve("f"), queue)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"BatchSize": 11}, "window in seconds must be greater than 0"),
        ({"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "BatchSize 10001"),
        ({"BatchSize": 0}, "BatchSize 0"),
        ({"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds 301"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "MaximumConcurrency 1"),
        ({"EventSourceArn": arn("q.fifo"), "BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, "BatchSize 11"),
        ({"EventSourceArn": arn("q.fifo"), "MaximumBatchingWindowInSeconds": 1}, "Seconds 1 is not between 0 and 0"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "simple string"}]}}, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{}]}}, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": {"a": "not a list"}}'}]}}, "Invalid filter pattern"),
    ],
)
def test_settings_that_aws_refuses_are_refused_and_name_the_mapping(properties: dict[str, Any], words: str) -> None:
    """One error that says which mapping and what of it."""
    with pytest.raises(Refusal) as caught:
        read("StockMapping", {"EventSourceArn": arn("work"), "FunctionName": "f", **properties})
    assert words in caught.value.message and caught.value.message.startswith("StockMapping: ")
    assert caught.value.code == "InvalidParameterValueException"


def test_a_setting_that_is_not_honoured_stops_and_names_it() -> None:
    """Never ignored."""
    with pytest.raises(NotYet, match="StockMapping: the event source mapping's ProvisionedPollerConfig"):
        read("StockMapping", {"EventSourceArn": arn("q"), "FunctionName": "f", "ProvisionedPollerConfig": {}})


def test_a_second_mapping_of_the_same_queue_and_function_is_a_conflict(world: World) -> None:
    """ResourceConflictException, naming the first."""
    world.map()
    with pytest.raises(Refusal, match="already exists") as caught:
        world.mappings.add("again", {"EventSourceArn": arn("work"), "FunctionName": "worker"})
    assert caught.value.code == "ResourceConflictException" and caught.value.message.endswith("UUID work")


def test_a_stack_s_queue_mappings_are_started_and_a_wrong_one_stops_the_stack(world: World) -> None:
    """What AWS refuses is an error of the template."""
    kind = "AWS::Lambda::EventSourceMapping"
    good = {"EventSourceArn": arn("work"), "FunctionName": "worker", "BatchSize": 5}
    stack = Stack(resources={"Good": Resource("Good", kind, "Good", good)})
    parts = (world.scheduler, world.trace, world.queues, world.functions)
    assert list(Mappings(*parts, stack, {}).working) == ["Good"]
    stack.resources["Bad"] = Resource("Bad", kind, "Bad", {**good, "BatchSize": 50, "FunctionName": "other"})
    with pytest.raises(TemplateError, match="Bad: Maximum batch window"):
        Mappings(*parts, stack, {})


# ------------------------------------------------------------------------------------------------- clearing and seeds


def test_clearing_forgets_batches_under_way_and_goes_on_with_new_messages(world: World) -> None:
    """An answer from before does not count, and no slot stays taken."""
    world.map(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    world.send("a", "b", "c")
    world.scheduler.run(START + 0.5)
    late = world.functions.calls[0]
    world.scheduler.reset(START, 1)
    world.queues.clear()
    world.mappings.clear()
    world.functions.running = world.functions.most = 0
    world.send("x", "y", "z")
    late.done(Result("null"))
    world.scheduler.run()
    assert world.functions.batches[2:] == [["x"], ["y"], ["z"]]
    assert world.functions.most == 2 and world.left() == []


def test_the_same_seed_gives_the_same_history_and_another_a_different_one() -> None:
    """Byte for byte, throttles and failures included."""

    def history(seed: int) -> str:
        with mock_aws():
            scheduler = Scheduler(START, seed)
            trace = Trace(lambda: scheduler.now)
            queues = Queues(scheduler, trace, Faults(seed), get_backend("sqs")["123456789012"]["us-east-1"])
            functions = FakeFunctions(scheduler, throttle_until=START + 5)
            functions.answer = lambda call: Result("{}", {"errorType": "E"} if len(functions.calls) < 3 else None)
            world = World(
                scheduler, trace, queues, functions, Mappings(scheduler, trace, queues, functions, Stack(), {})
            )
            world.queue("work")
            world.map(BatchSize=2)
            world.send(*NAMES)
            scheduler.run()
            assert world.left() == []
            return trace.text()

    assert history(3) == history(3)
    assert history(3) != history(4)


def test_the_numbers_that_aws_prescribes() -> None:
    """Five batches at once, 300 more a minute, 1,000 at most; 6 MB in one invocation."""
    assert (mappings_module.FIRST_SLOTS, mappings_module.MORE_SLOTS, mappings_module.MOST_SLOTS) == (5, 300, 1000)
    assert mappings_module.PAYLOAD == 6 * 1024 * 1024
