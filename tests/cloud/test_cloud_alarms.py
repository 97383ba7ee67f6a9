"""Alarms: what they make of their data points, when they act, and what is refused."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderlab.cloud.metrics.evaluation import Criterion, judge
from orderlab.cloud.stack.template import TemplateError
from orderlab.cloud.wire.answers import NotYet

APP = """
    import json
    def work(event, context):
        print(json.dumps({"_aws": {"Timestamp": event["at"] * 1000, "CloudWatchMetrics": [
            {"Namespace": "Shop", "Dimensions": [["dependency"]], "Metrics": [{"Name": "BreakerOpen"}]}]},
            "dependency": "provider", "BreakerOpen": 1}))
    def called(event, context):
        print("called " + json.dumps(event))
"""
STACK = """
    Work:
      Type: AWS::Serverless::Function
      Properties: {Handler: app.work, FunctionName: worker}
    Person:
      Type: AWS::Serverless::Function
      Properties: {Handler: app.called, FunctionName: person}
    Entry:
      Type: AWS::Lambda::Permission
      Properties:
        Action: lambda:InvokeFunction
        FunctionName: !Ref Person
        Principal: sns.amazonaws.com
        SourceArn: !Ref People
    People:
      Type: AWS::SNS::Topic
      Properties: {TopicName: people, Subscription: [{Protocol: lambda, Endpoint: !GetAtt Person.Arn}]}
    BreakerOpen:
      Type: AWS::CloudWatch::Alarm
      Properties:
        AlarmName: breaker-open
        AlarmDescription: The provider is not asked
        Namespace: Shop
        MetricName: BreakerOpen
        Dimensions: [{Name: dependency, Value: provider}]
        Statistic: Sum
        Period: 60
        EvaluationPeriods: 1
        ComparisonOperator: GreaterThanOrEqualToThreshold
        Threshold: 1
        TreatMissingData: notBreaching
        AlarmActions: [!Ref People]
"""
ONE = {
    "AlarmName": "mine", "Namespace": "Shop", "MetricName": "x", "Statistic": "Maximum", "Period": 60,
    "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0,
}  # fmt: skip
KEEPS = "keeps"
WAYS = ("missing", "ignore", "breaching", "notBreaching")


@pytest.fixture
def cloud(world):
    """Two functions, and an alarm on what one of them prints, which calls the other by a topic."""
    return world(APP, STACK)


def _judged(pattern: str, to_alarm: int | None, missing: str, periods: int = 3) -> str:
    """The state for data points as AWS's guide writes them, newest on the right."""
    values: list[tuple[float, float | None]] = [
        (60.0 * n, {"0": 0.0, "X": 9.0, "-": None}[mark]) for n, mark in enumerate(pattern.split())
    ]
    found = judge(Criterion("GreaterThanThreshold", 5.0, periods, to_alarm, missing), values[::-1])
    return found[0] if found else KEEPS


@pytest.mark.parametrize(
    ("points", "to_alarm", "states"),
    [
        ("0 - X - X", 3, "OK OK OK OK"),
        ("0 - - - -", 3, "OK OK OK OK"),
        ("- - - - -", 3, "INSUFFICIENT_DATA keeps ALARM OK"),
        ("0 X X - X", 3, "ALARM ALARM ALARM ALARM"),
        ("- - X - -", 3, "ALARM keeps ALARM OK"),
        ("0 - X - X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 0 X 0 X", 2, "ALARM ALARM ALARM ALARM"),
        ("0 - X - -", 2, "OK OK ALARM OK"),
        ("- - - - 0", 2, "OK OK ALARM OK"),
        ("- - - X -", 2, "ALARM keeps ALARM OK"),
        ("- - - - X", 3, "keeps keeps ALARM OK"),
        ("- - - X -", 3, "keeps keeps ALARM OK"),
        ("- - - X 0", 3, "OK OK OK OK"),
    ],
)
def test_missing_data_is_treated_as_in_the_tables_of_awss_guide(points: str, to_alarm: int, states: str) -> None:
    """Ten rows of the guide and the three of its text on premature alarms, for all four settings."""
    assert [_judged(points, to_alarm, missing) for missing in WAYS] == states.split()


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [6]),
        ("GreaterThanOrEqualToThreshold", [5, 6]),
        ("LessThanThreshold", [4]),
        ("LessThanOrEqualToThreshold", [4, 5]),
    ],
)
def test_the_threshold_itself_breaches_only_where_the_operator_says_so(comparison: str, breaching: list[int]) -> None:
    """Judged by one data point of 4, 5 and 6 against 5."""
    judged = {n: judge(Criterion(comparison, 5.0, 1), [(0.0, float(n)), (0, None), (0, None)]) for n in (4, 5, 6)}
    assert [n for n, found in judged.items() if found and found[0] == "ALARM"] == breaching


@pytest.mark.parametrize(
    ("criterion", "values", "reason"),
    [
        (
            Criterion("GreaterThanThreshold", 0.0, 1),
            [1.0],
            "Threshold Crossed: 1 datapoint [1.0 (05/01/26 09:00:00)] was greater than the threshold (0.0).",
        ),
        (
            Criterion("GreaterThanThreshold", 5.0, 1, 1),
            [6.0],
            "Threshold Crossed: 1 out of the last 1 datapoints [6.0 (05/01/26 09:00:00)] was greater than the "
            "threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            Criterion("GreaterThanOrEqualToThreshold", 1.0, 2, 2),
            [0.0, 2.0],
            "Threshold Crossed: 1 out of the last 2 datapoints [0.0 (05/01/26 09:00:00)] was not greater than or equal "
            "to the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
        ),
        (
            Criterion("LessThanThreshold", 1.0, 2, None, "breaching"),
            [0.0, None, None, None],
            "Threshold Crossed: 1 datapoint [0.0 (05/01/26 09:00:00)] was less than the threshold (1.0) and 1 missing "
            "datapoint was treated as [Breaching].",
        ),
        (
            Criterion("GreaterThanThreshold", 0.0, 1, None, "notBreaching"),
            [None],
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
            "[NonBreaching].",
        ),
        (Criterion("GreaterThanThreshold", 0.0, 1), [None], "Insufficient Data: 1 datapoint was unknown."),
    ],
)
def test_the_reason_reads_as_on_aws(criterion: Criterion, values: list[float | None], reason: str) -> None:
    """Texts of published notifications: the longer one comes with DatapointsToAlarm."""
    found = judge(criterion, [(1_767_603_600.0 - 60 * n, value) for n, value in enumerate(values)])
    assert found is not None
    assert found[1] == reason


def _open_breaker(cloud: Any) -> None:
    boto3.client("lambda").invoke(FunctionName="worker", Payload=json.dumps({"at": cloud.now}))


def test_breaker_open_fires_within_a_minute_tells_its_topic_and_ends(cloud) -> None:
    """A log line becomes a metric, the metric an alarm, the alarm a message; one row for each change of state."""
    assert cloud.alarms == {"BreakerOpen": "OK"}
    start = cloud.now
    _open_breaker(cloud)
    cloud.advance(60)
    assert cloud.alarms == {"BreakerOpen": "ALARM"}
    cloud.advance(600)
    rows = cloud.trace.select("alarm")
    assert [(row.at - start, row.actor, row.what) for row in rows] == [
        (60, "BreakerOpen", "ALARM"), (240, "BreakerOpen", "OK"),
    ]  # fmt: skip
    (line,) = cloud.trace.select("log", actor="Person")
    told = json.loads(json.loads(line.what.removeprefix("called "))["Records"][0]["Sns"]["Message"])
    assert (told["OldStateValue"], told["NewStateValue"]) == ("OK", "ALARM")
    assert told["NewStateReason"] == rows[0].detail["reason"]
    assert told["AlarmArn"].endswith(":alarm:breaker-open")
    assert told["Trigger"]["Namespace"] == "Shop"


def test_an_alarm_acts_only_when_its_state_changes(cloud) -> None:
    """It stays in ALARM for ten minutes and calls once; without ActionsEnabled it calls nobody."""
    watch, topic = boto3.client("cloudwatch"), cloud.stack.resources["People"].physical_id
    for _ in range(10):
        _open_breaker(cloud)
        cloud.advance(60)
    assert len(cloud.trace.select("invoke", actor="Person")) == 1
    watch.put_metric_alarm(**ONE | {"AlarmActions": [topic], "ActionsEnabled": False})
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Value": 9}])
    cloud.advance(60)
    assert cloud.alarms["mine"] == "ALARM"
    assert len(cloud.trace.select("invoke", actor="Person")) == 1


def test_an_alarm_of_boto3_begins_without_data_and_is_judged_every_minute(cloud) -> None:
    """A period of five minutes slides: the value of minute 2 is in it until minute 7, and in range for ten more."""
    watch = boto3.client("cloudwatch")
    watch.put_metric_alarm(**ONE | {"Period": 300})
    (alarm,) = watch.describe_alarms(AlarmNames=["mine"])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    start = cloud.now
    cloud.advance(90)
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Value": 9}])
    cloud.advance(30)
    (alarm,) = watch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["AlarmName"] == "mine"
    assert alarm["StateTransitionedTimestamp"].timestamp() == start + 120
    cloud.advance(3600)
    rows = cloud.trace.select("alarm", actor="mine")
    assert [(row.what, row.at - start) for row in rows] == [("ALARM", 120), ("INSUFFICIENT_DATA", 17 * 60)]


def test_m_out_of_n_data_points_make_the_alarm(cloud) -> None:
    """Two of three; a third minute without one is forgiven, two are not."""
    watch = boto3.client("cloudwatch")
    watch.put_metric_alarm(**ONE | {"EvaluationPeriods": 3, "DatapointsToAlarm": 2})
    seen = []
    for value in (9, 1, 9, 1, 1):
        watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Value": value}])
        cloud.advance(60)
        seen.append(cloud.alarms["mine"])
    assert seen == ["INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"]


def test_a_deleted_alarm_is_gone_and_a_changed_one_keeps_its_state(cloud) -> None:
    """DeleteAlarms takes all or none; PutMetricAlarm on a known name replaces its settings; a reset undoes it all."""
    watch = boto3.client("cloudwatch")
    watch.put_metric_alarm(**ONE)
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Value": 1}])
    cloud.advance(60)
    watch.put_metric_alarm(**ONE | {"Threshold": 50.0})
    (alarm,) = watch.describe_alarms(AlarmNamePrefix="mi")["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"]) == ("OK", 50)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        watch.delete_alarms(AlarmNames=["mine", "another"])
    watch.delete_alarms(AlarmNames=["mine", "breaker-open"])
    assert cloud.alarms == {}
    watch.put_metric_alarm(**ONE)
    cloud.reset()
    assert cloud.alarms == {"BreakerOpen": "OK"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Metrics": [{"Id": "m", "Expression": "a / b"}]}, "BreakerOpen .*: its property Metrics is not"),
        ({"ThresholdMetricId": "band"}, "BreakerOpen .*: its property ThresholdMetricId is not"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "BreakerOpen: the ComparisonOperator Greater"),
        ({"ExtendedStatistic": "p90"}, "BreakerOpen .*: its property ExtendedStatistic is not"),
        ({"Unit": "Seconds"}, "BreakerOpen .*: its property Unit is not"),
        ({"AlarmActions": ["arn:aws:lambda:us-east-1:123456789012:function:person"]}, "BreakerOpen: the alarm action"),
        (
            {"Namespace": "AWS/Lambda", "MetricName": "AsyncEventAge"},
            "BreakerOpen: the metric AWS/Lambda Async",
        ),
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "BreakerOpen: the alarm action arn:aws:automate"),
        ({"Period": 10}, "BreakerOpen: a Period of 10 s"),
        ({"Period": 90}, "BreakerOpen: Period must be"),
        ({"Statistic": "tm90"}, "BreakerOpen: the statistic tm90"),
        ({"Statistic": None}, "BreakerOpen: an alarm needs Statistic"),
        ({"Threshold": None}, "BreakerOpen: an alarm needs Threshold"),
        ({"DatapointsToAlarm": 2}, "BreakerOpen: DatapointsToAlarm must be"),
        ({"TreatMissingData": "never"}, "BreakerOpen: TreatMissingData cannot be never"),
    ],
)
def test_an_alarm_that_cannot_be_honoured_stops_the_template_by_name(world, change: Any, says: str) -> None:
    """Nothing of an alarm is silently passed over."""
    with pytest.raises(TemplateError, match=says):
        world(APP, STACK, overrides={"BreakerOpen": change})


def test_composite_alarms_and_anomaly_detectors_stop_the_template(world) -> None:
    """By the resource's name, as everything that nobody knows."""
    for kind in ("CompositeAlarm", "AnomalyDetector"):
        with pytest.raises(TemplateError, match=f"Both is a AWS::CloudWatch::{kind}"):
            world(APP, f"Both:\n  Type: AWS::CloudWatch::{kind}\n  Properties: {{AlarmRule: x}}\n")


def test_what_boto3_asks_wrongly_is_an_error_of_aws_and_what_is_missing_says_so(cloud) -> None:
    """A ClientError for the first, NotYet for the second; the alarm is not made."""
    watch = boto3.client("cloudwatch")
    with pytest.raises(ClientError, match="ValidationError"):
        watch.put_metric_alarm(**ONE | {"Period": 61})
    with pytest.raises(NotYet, match="DescribeAlarmHistory"):
        watch.describe_alarm_history()
    with pytest.raises(NotYet, match="an alarm with Unit"):
        watch.put_metric_alarm(**ONE | {"Unit": "Seconds"})
    with pytest.raises(NotYet, match="SetAlarmState"):
        watch.set_alarm_state(AlarmName="breaker-open", StateValue="ALARM", StateReason="a drill")
    with pytest.raises(NotYet, match="DescribeAlarms with ActionPrefix"):
        watch.describe_alarms(ActionPrefix="arn")
    assert "mine" not in cloud.alarms


def test_an_alarm_whose_topic_is_gone_goes_on(cloud) -> None:
    """The state changes, the failed action is in the trace, and the world runs on."""
    watch = boto3.client("cloudwatch")
    watch.put_metric_alarm(**ONE | {"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:nobody"]})
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "x", "Value": 9}])
    cloud.advance(60)
    assert cloud.alarms["mine"] == "ALARM"
    (row,) = cloud.trace.select("action")
    assert (row.what, row.detail["error"]) == ("nobody", "NotFound")


def test_a_topic_gets_the_message_that_aws_sends(cloud) -> None:
    """Through whatever publishes to SNS: subject, states, reason and the trigger."""
    sent: list[Any] = []
    cloud.alarm_service.publish = lambda topic, message, **more: sent.append((topic, json.loads(message), more))
    watch, topic = boto3.client("cloudwatch"), "arn:aws:sns:us-east-1:123456789012:people"
    watch.put_metric_alarm(**ONE | {"AlarmActions": [topic], "Dimensions": [{"Name": "page", "Value": "home"}]})
    datum = {"MetricName": "x", "Value": 9, "Dimensions": [{"Name": "page", "Value": "home"}]}
    watch.put_metric_data(Namespace="Shop", MetricData=[datum])
    cloud.advance(60)
    ((where, message, more),) = sent
    assert where == topic
    assert more == {"subject": 'ALARM: "mine" in US East (N. Virginia)', "source": "mine"}
    assert (message["OldStateValue"], message["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    assert message["StateChangeTime"] == "2026-01-05T09:01:00.000+0000"
    trigger = message["Trigger"]
    assert trigger["Dimensions"] == [{"value": "home", "name": "page"}]
    assert (trigger["StatisticType"], trigger["Statistic"], trigger["Period"]) == ("Statistic", "MAXIMUM", 60)


def test_the_same_seed_gives_the_same_history_with_alarms_in_it(cloud) -> None:
    """After a reset, byte for byte; and an alarm's look never keeps the world awake."""

    def history() -> str:
        _open_breaker(cloud)
        cloud.advance(400)
        cloud.run()
        return str(cloud.trace.text())

    first, end = history(), cloud.now
    cloud.reset()
    assert history() == first
    assert cloud.now == end
    assert "alarm" in first
