"""The policy for alarms: each place where work waits for a person calls one, and stops calling when it is empty.

CloudWatch takes any metric and dimension, misspelt ones too: such an alarm looks at nothing, for ever. What is idle
sends no data, so an alarm says that this is well; otherwise it would never end, or begin with the first quiet minute.
SQS does not count a message that it moves to a dead-letter queue as sent, so NumberOfMessagesSent stays 0 there. While
a stream tries a batch again there is no dead letter, and all behind it waits: only its age tells.
Sources: CloudWatch user guide, alarms-and-missing-data; SQS developer guide, sqs-dead-letter-queues and
sqs-available-cloudwatch-metrics; Lambda developer guide, monitoring-metrics-types.
Taught in notebooks/12_ship_it.ipynb
"""

from collections.abc import Iterator
from typing import Any

from .rights import rights
from .template import Resources, consumed, named, of_type

Alarm = dict[str, Any]
WAITING = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
FIRST = (("GreaterThanThreshold", 0), ("GreaterThanOrEqualToThreshold", 1))  # of a count: one is enough
HIGHEST = ("Maximum", "Sum", "Average")  # of a period with one message in it they are above 0; Minimum may not be


def check_alarms(resources: Resources) -> Iterator[str]:
    """Every finding about alarms, each beginning with the logical id it is about."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    for name, alarm in alarms.items():
        if alarm.get("TreatMissingData") != "notBreaching":
            yield f"{name}: must say that no data is no trouble, or it does not end in a quiet hour (TreatMissingData)"
    yield from _queues(resources, alarms)
    yield from _breakers(resources, alarms)
    yield from _streams(resources, alarms)


def _queues(resources: Resources, alarms: dict[str, Alarm]) -> Iterator[str]:
    """Every queue where messages wait for a person has an alarm: on its age, or on the first message."""
    queues = of_type(resources, "AWS::SQS::Queue")
    for queue in sorted(queues.keys() - consumed(resources)):
        called = (f"${{{queue}.QueueName}}", queues[queue].get("QueueName"))
        ways = [{"Name": "QueueName", "Value": name} for name in called]
        watching = {n: a for n, a in alarms.items() if any(_looks_at(a, "AWS/SQS", metric, ways) for metric in WAITING)}
        if not watching:
            yield f"{queue}: messages wait there for a person, and no alarm calls one"
        for name, alarm in watching.items():
            counts = _looks_at(alarm, "AWS/SQS", "ApproximateNumberOfMessagesVisible", ways)
            if "Metrics" not in alarm and not fires_at_once(alarm, counts=counts):
                yield f"{name}: stays silent while messages wait in {queue}"


def _breakers(resources: Resources, alarms: dict[str, Alarm]) -> Iterator[str]:
    for function in of_type(resources, "AWS::Lambda::Function").values():
        table = named(function.get("Environment", {}).get("Variables", {}).get("BREAKER_TABLE"))
        ways = [{"Name": "breaker", "Value": f"${{{table}}}/provider"}]
        if table and not _heard(alarms, "OrderLab", "BreakerOpened", ways, counts=True):
            yield f"{table}: a breaker of it opens, and no alarm calls a person"


def _streams(resources: Resources, alarms: dict[str, Alarm]) -> Iterator[str]:
    """What publishes the events of a stream is the way out of the order table: when it is late, a person hears."""
    functions, roles = of_type(resources, "AWS::Lambda::Function"), of_type(resources, "AWS::IAM::Role")
    for name, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping").items():
        reader = named(mapping["FunctionName"])
        function = functions.get(reader, {})
        publishes = any(
            action == "events:PutEvents" for action, _ in rights(roles.get(named(function.get("Role")), {}))
        )
        if not publishes or not mapping["EventSourceArn"].endswith(".StreamArn}"):
            continue
        ways = [{"Name": "FunctionName", "Value": name} for name in (f"${{{reader}}}", function.get("FunctionName"))]
        if not _heard(alarms, "AWS/Lambda", "IteratorAge", ways, counts=False):
            yield f"{name}: events wait behind a batch that fails, and no alarm calls a person (IteratorAge)"


def _heard(alarms: dict[str, Alarm], namespace: str, metric: str, ways: list[dict[str, Any]], *, counts: bool) -> bool:
    """Does an alarm on this metric, under one of these dimensions, fire at once?"""
    return any(_looks_at(one, namespace, metric, ways) and fires_at_once(one, counts=counts) for one in alarms.values())


def fires_at_once(alarm: Alarm, *, counts: bool) -> bool:
    """Is the first period enough, and of a metric that counts the first one?"""
    above = (alarm.get("ComparisonOperator"), alarm.get("Threshold"))
    if alarm.get("Statistic") not in HIGHEST or not str(above[0]).startswith("GreaterThan"):
        return False
    return not counts or (above in FIRST and (alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods")) == 1)


def _looks_at(alarm: Alarm, namespace: str, metric: str, ways: list[dict[str, Any]]) -> bool:
    """Does an alarm look at this metric, alone or in a sum of several, under one of these dimensions?"""
    looked = [each.get("MetricStat", {}).get("Metric", {}) for each in alarm.get("Metrics", [])] or [alarm]
    return any(
        (one.get("Namespace"), one.get("MetricName")) == (namespace, metric)
        and len(one.get("Dimensions", [])) == 1
        and one["Dimensions"][0] in ways
        for one in looked
    )
