"""Metrics: what AWS's services report of themselves, what a program sends, and what a log line carries."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud.metrics.data import Metric
from orderlab.cloud.metrics.embedded import metrics_of
from orderlab.cloud.wire.answers import NotYet

APP = """
    import json, time
    def work(event, context):
        time.sleep(event.get("seconds", 1))
        if "print" in event:
            print(json.dumps(event["print"]))
        if event.get("fail"):
            raise ValueError("no")
        return {}
"""
STACK = """
    Work:
      Type: AWS::Serverless::Function
      Properties: {Handler: app.work, Timeout: 200, FunctionName: worker, ReservedConcurrentExecutions: 1}
    Other:
      Type: AWS::Serverless::Function
      Properties: {Handler: app.work, Timeout: 200, FunctionName: other}
    Queue:
      Type: AWS::SQS::Queue
      Properties: {QueueName: q, RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}}
    Dead:
      Type: AWS::SQS::Queue
      Properties: {QueueName: dead}
"""
EMF = {
    "_aws": {
        "Timestamp": 1_767_603_600_000,
        "CloudWatchMetrics": [
            {"Namespace": "Shop", "Dimensions": [["dependency"], []], "Metrics": [{"Name": "open", "Unit": "Count"}]}
        ],
    },
    "dependency": "provider",
    "open": [1, 2.5],
}


@pytest.fixture
def cloud(world):
    """A function and two queues."""
    return world(APP, STACK)


def test_a_queue_reports_its_depth_once_a_minute_with_the_minutes_beginning(cloud) -> None:
    """Two messages, one of them delayed: 1 visible, 1 delayed, 2 sent; the next minute reports no more sends."""
    start, q = cloud.now, {"QueueName": "q"}
    cloud.queues.send("q", "a")
    cloud.queues.send("q", "b", delay=90)
    assert cloud.metrics.series("AWS/SQS", "ApproximateNumberOfMessagesVisible", q) == []
    cloud.advance(120)
    read = cloud.metrics.series
    assert read("AWS/SQS", "ApproximateNumberOfMessagesVisible", q) == [(start, 1), (start + 60, 2)]
    assert read("AWS/SQS", "ApproximateNumberOfMessagesDelayed", q) == [(start, 1)]  # nothing to report, no zero
    assert read("AWS/SQS", "NumberOfMessagesSent", q, statistic="Sum") == [(start, 2), (start + 60, 0)]


def test_the_looks_at_the_queues_never_make_time_pass(cloud) -> None:
    """A world with nothing to do is quiet; a minute that nobody lets pass is not reported."""
    cloud.queues.send("q", "a")
    before = cloud.now
    cloud.run()
    assert cloud.now == before
    assert cloud.metrics.series("AWS/SQS", "NumberOfMessagesSent", {"QueueName": "q"}) == []


def test_a_queue_that_nobody_uses_reports_for_six_hours_and_then_nothing(cloud) -> None:
    """And one that never was used reports nothing at all."""
    message = cloud.queues.send("q", "a")
    (message,) = cloud.queues.receive("q", 1)
    cloud.queues.delete("q", message.handle)
    cloud.advance(8 * 3600)
    seen = cloud.metrics.series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "q"})
    assert [value for _, value in seen] == [0] * (6 * 60 - 1)
    assert cloud.metrics.series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "dead"}) == []


def test_the_age_counts_from_the_move_in_a_dead_letter_queue(cloud) -> None:
    """Ten minutes old when it moves, its age begins anew; receives, deletes and what is in flight are counted."""
    cloud.queues.send("q", "a")
    cloud.queues.receive("q", 1, visibility=600)
    cloud.advance(600)
    cloud.queues.receive("q", 1)
    cloud.advance(120)
    q, dead = {"QueueName": "q"}, {"QueueName": "dead"}
    ages = [value for _, value in cloud.metrics.series("AWS/SQS", "ApproximateAgeOfOldestMessage", q)]
    assert ages == [60.0 * n for n in range(1, 11)]
    assert [v for _, v in cloud.metrics.series("AWS/SQS", "ApproximateAgeOfOldestMessage", dead)] == [60.0, 120.0]
    assert len(cloud.metrics.series("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", q)) == 9
    assert sum(v for _, v in cloud.metrics.series("AWS/SQS", "NumberOfMessagesReceived", q)) == 1


def test_a_poison_message_is_not_the_oldest(cloud) -> None:
    """After three receives the age is that of the next message."""
    queue = boto3.client("sqs").create_queue(QueueName="plain")["QueueUrl"]
    cloud.queues.send(queue, "poison")
    cloud.advance(300)
    cloud.queues.send(queue, "good")
    for _ in range(3):
        cloud.queues.receive(queue, 1, visibility=0)
        cloud.queues.store(queue).overtake(next(iter(cloud.queues.store(queue).messages.values())))
    cloud.advance(60)
    ages = cloud.metrics.series("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "plain"})
    assert [value for _, value in ages] == [60, 120, 180, 240, 300, 60]


def test_lambda_reports_an_invocation_at_the_time_it_began(cloud) -> None:
    """An error after 90 s lies in the first minute; a throttled one is no invocation; errors have zeros."""
    start, lambdas = cloud.now, boto3.client("lambda")
    lambdas.invoke(FunctionName="worker", InvocationType="Event", Payload=json.dumps({"seconds": 90, "fail": True}))
    cloud.advance(10)
    with pytest.raises(ClientError, match="TooManyRequests"):
        boto3.client("lambda").invoke(FunctionName="worker", Payload="{}")
    cloud.advance(85)
    mine, read = {"FunctionName": "worker"}, cloud.metrics.series
    assert read("AWS/Lambda", "Errors", mine, statistic="Sum") == [(start, 1)]
    assert read("AWS/Lambda", "Invocations", mine, statistic="Sum") == [(start, 1)]
    assert read("AWS/Lambda", "Throttles", mine, statistic="Sum") == [(start, 3)]  # boto3 tried three times
    ((_, duration),) = read("AWS/Lambda", "Duration", mine)
    assert 90_000 < duration < 91_000
    cloud.advance(60)  # Lambda tries the event again after a minute
    assert [v for _, v in read("AWS/Lambda", "Invocations", {}, statistic="Sum")] == [1, 1]


def test_a_line_in_the_embedded_metric_format_becomes_a_metric(cloud) -> None:
    """Each value of the list counts, by each set of dimensions; the function made no call."""
    document = {**EMF, "_aws": {**EMF["_aws"], "Timestamp": cloud.now * 1000}}
    boto3.client("lambda").invoke(FunctionName="worker", Payload=json.dumps({"print": document}))
    for dimensions in ({"dependency": "provider"}, {}):
        assert [v for _, v in cloud.metrics.series("Shop", "open", dimensions, statistic="Sum")] == [3.5]
        assert [v for _, v in cloud.metrics.series("Shop", "open", dimensions, statistic="SampleCount")] == [2]
    assert cloud.metrics.series("Shop", "open", {"dependency": "another"}) == []
    assert not cloud.trace.select("call", contains="PutMetricData")


def _without(*path: str) -> str:
    copy = json.loads(json.dumps(EMF))
    place = copy
    for name in path[:-1]:
        place = place[name][0] if isinstance(place[name], list) else place[name]
    del place[path[-1]]
    return json.dumps(copy)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(EMF)[:-1],
        "",
        "[]",
        '{"_aws": 1}',
        '{"_aws": {"Timestamp": 1, "CloudWatchMetrics": {"a": 1}}}',
        _without("open"),
        _without("dependency"),
        _without("_aws", "Timestamp"),
        _without("_aws", "CloudWatchMetrics", "Namespace"),
        _without("_aws", "CloudWatchMetrics", "Dimensions"),
        json.dumps({**EMF, "open": "1"}),
        json.dumps({**EMF, "open": True}),
        json.dumps({**EMF, "open": float("nan")}),
        json.dumps({**EMF, "open": [1] * 101}),
        json.dumps({**EMF, "dependency": 7}),
    ],
)
def test_an_invalid_document_is_a_log_line_and_nothing_else(line: str) -> None:
    """No metric, and no error for the function that printed it."""
    assert metrics_of(line) == []


def test_a_document_may_stand_behind_lambdas_own_words() -> None:
    """A timestamp and a request id before the first brace."""
    assert len(metrics_of("2026-01-05T09:00:00Z 1234 INFO " + json.dumps(EMF))) == 4


def test_boto3_writes_and_reads_metrics_in_virtual_time(cloud) -> None:
    """Several statistics of one metric, one of several; moto's own metrics are not among them."""
    watch, start = boto3.client("cloudwatch"), cloud.now
    one = {"MetricName": "latency", "Dimensions": [{"Name": "page", "Value": "home"}], "Unit": "Milliseconds"}
    watch.put_metric_data(Namespace="Shop", MetricData=[{**one, "Value": value} for value in (10, 15, 35)])
    cloud.advance(60)
    watch.put_metric_data(Namespace="Shop", MetricData=[{**one, "Value": 50}])
    answer = watch.get_metric_statistics(
        Namespace="Shop", MetricName="latency", Dimensions=one["Dimensions"], StartTime=start, EndTime=start + 120,
        Period=60, Statistics=["Average", "Maximum", "Minimum", "SampleCount"],
    )  # fmt: skip
    first, second = answer["Datapoints"]
    assert (first["Average"], first["Maximum"], first["Minimum"], first["Unit"]) == (20, 35, 10, "Milliseconds")
    assert (first["SampleCount"], first["Timestamp"].timestamp()) == (3, start)
    assert (second["Average"], second["Maximum"]) == (50, 50)
    asked = {"Metric": {"Namespace": "Shop", "MetricName": "latency", "Dimensions": one["Dimensions"]}}
    query = {"Id": "m", "MetricStat": {**asked, "Period": 60, "Stat": "Sum"}}
    (found,) = watch.get_metric_data(MetricDataQueries=[query], StartTime=start, EndTime=start + 120)[
        "MetricDataResults"
    ]
    assert found["Values"] == [50, 60]  # newest first


def test_a_large_put_arrives_compressed_and_counts_all_the_same(cloud) -> None:
    """botocore compresses PutMetricData above 10 KB; this canary also says when boto3 leaves the JSON protocol."""
    watch = boto3.client("cloudwatch")
    assert watch.meta.service_model.resolved_protocol == "json"
    sent = [{"MetricName": f"a-metric-with-a-long-name-{n}", "Value": n} for n in range(900)]
    watch.put_metric_data(Namespace="Shop", MetricData=sent)
    assert len(cloud.metrics.data.points) == 900


def test_what_is_asked_wrongly_or_is_not_there_is_refused_by_name(cloud) -> None:
    """AWS's own namespaces, too many data points; metric math, sets of values and percentiles are not done."""
    watch = boto3.client("cloudwatch")
    when = {"StartTime": cloud.now - 1e6, "EndTime": cloud.now}
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        watch.put_metric_data(Namespace="AWS/SQS", MetricData=[{"MetricName": "x", "Value": 1}])
    with pytest.raises(ClientError, match="x needs a Value"):
        watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "y", "Value": 1}, {"MetricName": "x"}])
    with pytest.raises(NotYet, match="PutMetricData with Values"):
        watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Values": [1]}])
    with pytest.raises(ClientError, match="1,440"):
        watch.get_metric_statistics(Namespace="S", MetricName="x", Period=60, Statistics=["Sum"], **when)
    with pytest.raises(NotYet, match="the query m, with Expression"):
        watch.get_metric_data(MetricDataQueries=[{"Id": "m", "Expression": "SUM(METRICS())"}], **when)
    with pytest.raises(NotYet, match="the statistic p99"):
        cloud.metrics.series("Shop", "x", statistic="p99")
    with pytest.raises(NotYet, match="AWS/Lambda ConcurrentExecutions"):
        cloud.metrics.series("AWS/Lambda", "ConcurrentExecutions")
    with pytest.raises(NotYet, match="GetMetricStatistics with ExtendedStatistics"):
        watch.get_metric_statistics(Namespace="S", MetricName="x", Period=60, ExtendedStatistics=["p9"], **when)
    with pytest.raises(NotYet, match="ListMetrics"):
        watch.list_metrics()
    with pytest.raises(NotYet, match="PutCompositeAlarm"):
        watch.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(a) AND ALARM(b)")
    assert cloud.metrics.data.points == {}


def test_a_late_data_point_takes_its_place_and_dimensions_must_be_all(cloud) -> None:
    """A metric with two dimensions is not found by one of them, however they are ordered."""
    watch = boto3.client("cloudwatch")
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    for late in (0, 60, 30):
        datum = {"MetricName": "x", "Dimensions": dimensions, "Value": late, "Timestamp": cloud.now - late}
        watch.put_metric_data(Namespace="Shop", MetricData=[datum])
    both = cloud.metrics.series("Shop", "x", {"a": "1", "b": "2"}, statistic="Sum")
    assert both == [(cloud.now - 60, 90), (cloud.now, 0)]
    assert cloud.metrics.series("Shop", "x", {"a": "1"}) == []


def test_after_a_reset_no_metric_is_left_and_the_same_history_comes_again(cloud) -> None:
    """The timer is there again as well."""

    def history() -> list[tuple[float, float]]:
        cloud.queues.send("q", "a")
        cloud.advance(180)
        return cloud.metrics.series("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "q"})

    first = history()
    cloud.reset()
    assert cloud.metrics.data.points == {}
    assert history() == first
    assert len(first) == 3


def test_a_metric_is_the_same_whatever_the_form_of_its_dimensions() -> None:
    """A mapping as a learner writes it, a list as a template has it."""
    assert Metric.of("S", "x", {"b": "2", "a": "1"}) == Metric.of(
        "S", "x", [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    )
