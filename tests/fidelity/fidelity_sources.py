"""The probes of streams, destinations, mappings and tables' clocks, and of metrics and alarms."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from fidelity_rule import Rule, compact, finish, soon
from fidelity_worlds import World

DAY = 86_400.0  # seconds


def _write(w: World, table: str, *ids: str) -> None:
    puts = [{"PutRequest": {"Item": {"id": {"S": name}}}} for name in ids]
    w.client("dynamodb").batch_write_item(RequestItems={table: puts})


def _given_up(w: World, table: str, *ids: str) -> str:
    """The records that a stream's mapping has given up, as its destination is told of them."""
    _write(w, table, *ids)
    found = soon(w, f"of-{table}")
    told = [json.loads(message["Body"]) for message in found]
    rows = ", ".join(f"{one['DDBStreamBatchInfo']['batchSize']}" for one in told)
    return f"given up: {rows} row, {told[0]['requestContext']['condition']}" if told else "nothing given up"


def lowest(w: World) -> str:
    """Four rows, of which the function names the third and the second: what is given up begins at the second."""
    _write(w, "named", "a", "bad-b", "bad-c", "d")
    found = soon(w, "of-named")
    return (
        f"{json.loads(found[0]['Body'])['DDBStreamBatchInfo']['batchSize']} of 4 rows" if found else "nothing given up"
    )


def in_a_bucket(w: World) -> str:
    _write(w, "stored", "bad-a")
    w.wait(4.5)
    found = w.client("s3").list_objects_v2(Bucket="of-stored").get("Contents", [])
    if not found:
        return "no object"
    text = w.client("s3").get_object(Bucket="of-stored", Key=found[0]["Key"])["Body"].read()
    rows = json.loads(json.loads(text).get("payload", "{}")).get("Records", [])
    return f"{found[0]['Key'].split('/')[0]}/…, {len(rows)} row in its payload"


# Destinations of asynchronous events


def _tell(w: World, function: str) -> None:
    w.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload='{"n": 1}')


def success(w: World) -> str:
    _tell(w, "echo")
    found = soon(w, "ends")
    if not found:
        return "no record"
    read = json.loads(found[0]["Body"])
    return f"{read['requestContext']['condition']} {compact(json.dumps(read['responsePayload']))}"


def buried(w: World) -> str:
    _tell(w, "breaking")
    found = soon(w, "buried")
    if not found:
        return "no dead letter"
    return f"{compact(found[0]['Body'])} {' '.join(sorted(found[0].get('MessageAttributes', {})))}"


def attributes(w: World) -> str:
    _tell(w, "breaking")
    found = soon(w, "buried")
    told = found[0].get("MessageAttributes", {}) if found else {}
    return " ".join(told[name]["StringValue"] for name in ("ErrorCode", "ErrorMessage") if name in told) or "none"


def on_a_bus(w: World) -> str:
    w.client("events").put_rule(Name="ends", EventBusName="memory", EventPattern='{"source": ["lambda"]}')
    w.client("events").put_targets(Rule="ends", EventBusName="memory", Targets=[{"Id": "t", "Arn": w.arn("inbox")}])
    _tell(w, "breaking")
    found = soon(w, "inbox")
    return str(json.loads(found[0]["Body"])["detail-type"]) if found else "no event"


# Mappings made at run time


def _map(w: World, queue: str) -> None:
    w.client("lambda").create_event_source_mapping(FunctionName="echo", EventSourceArn=w.arn(queue))


def mapped(w: World) -> str:
    w.client("sqs").create_queue(QueueName="late")
    _map(w, "late")
    w.client("sqs").send_message(QueueUrl=w.url("late"), MessageBody="{}")
    w.wait(4.0)
    return f"{w.count('late')} left"


def mapped_twice(w: World) -> str:
    w.client("sqs").create_queue(QueueName="twice")
    _map(w, "twice")
    _map(w, "twice")
    return "taken"


# Tables


def _add(w: World, token: str, amount: str = "1") -> str:
    update = {"TableName": "expiring", "Key": {"id": {"S": token}}, "UpdateExpression": "ADD n :n",
              "ExpressionAttributeValues": {":n": {"N": amount}}}  # fmt: skip
    w.client("dynamodb").transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken=token)
    row = w.client("dynamodb").get_item(TableName="expiring", Key={"id": {"S": token}}).get("Item", {})
    return str(row.get("n", {}).get("N"))


def tokened(w: World) -> str:
    return f"{_add(w, 'once')}, then {_add(w, 'once')}"


def mismatched(w: World) -> str:
    return f"{_add(w, 'other')}, then {_add(w, 'other', '2')}"


def _expire(w: World, name: str, value: dict[str, str]) -> str:
    """A row with this value in the table's TTL attribute: is it there at once, and after three days?"""
    ttl = {"Enabled": True, "AttributeName": "until"}
    told = w.client("dynamodb").describe_time_to_live(TableName="expiring")["TimeToLiveDescription"]
    if told["TimeToLiveStatus"] == "DISABLED":
        w.client("dynamodb").update_time_to_live(TableName="expiring", TimeToLiveSpecification=ttl)
    w.client("dynamodb").put_item(TableName="expiring", Item={"id": {"S": name}, "until": value})

    def there() -> str:
        return (
            "there"
            if "Item" in w.client("dynamodb").get_item(TableName="expiring", Key={"id": {"S": name}})
            else "gone"
        )

    before = there()
    w.wait(3 * DAY)
    return f"{before}, then {there()}"


def expired_twice(w: World) -> str:
    ttl = {"Enabled": True, "AttributeName": "until"}
    for _ in range(2):
        w.client("dynamodb").update_time_to_live(TableName="expiring", TimeToLiveSpecification=ttl)
    return "taken"


# Metrics and alarms


def _sum(w: World, namespace: str, name: str, **dimensions: str) -> str:
    start = w.made() // 60 * 60 - 3600
    found = w.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName=name, Period=3600, Statistics=["Sum"],
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=datetime.fromtimestamp(start, UTC), EndTime=datetime.fromtimestamp(start + 30 * DAY, UTC),
    )["Datapoints"]  # fmt: skip
    return f"{sum(one['Sum'] for one in found):g}"


def errors(w: World) -> str:
    """One more invocation of a function, which fails: by how much its counts rise."""
    counts = []
    for payload in ("", '{"Records": [{"dynamodb": {"Keys": {"id": {"S": "bad"}}}}]}'):
        if payload:
            w.client("lambda").invoke(FunctionName="fussy", Payload=payload)
        w.wait(120.0)
        counts.append([float(_sum(w, "AWS/Lambda", name, FunctionName="fussy")) for name in ("Invocations", "Errors")])
    return " and ".join(f"{after - before:g}" for before, after in zip(*counts, strict=True))


def embedded(w: World) -> str:
    now = int(w.made() * 1000)
    metrics = [{"Namespace": "Shop", "Dimensions": [["kind"]], "Metrics": [{"Name": "Sold", "Unit": "Count"}]}]
    log = {"_aws": {"Timestamp": now, "CloudWatchMetrics": metrics}, "kind": "mug", "Sold": 3}
    w.client("lambda").invoke(FunctionName="echo", Payload=json.dumps({"log": log}))
    w.wait(120.0)
    return _sum(w, "Shop", "Sold", kind="mug")


def _alarm(w: World, name: str, **more: Any) -> None:
    w.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="Probe", MetricName=name, Statistic="Maximum", Period=60, EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold", Threshold=5.0, **more,
    )  # fmt: skip


def _state(w: World, name: str) -> str:
    return str(w.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def alarmed(w: World) -> str:
    topic = w.client("sns").create_topic(Name="alarms")["TopicArn"]
    w.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=w.arn("inbox"))
    _alarm(w, "hot", AlarmActions=[topic])
    data = [{"MetricName": "hot", "Value": 9.0}]
    w.client("cloudwatch").put_metric_data(Namespace="Probe", MetricData=data)
    w.wait(75.0)
    state, found = _state(w, "hot"), w.receive("inbox")
    finish(w, "inbox", found)
    message = json.loads(json.loads(found[0]["Body"])["Message"])["NewStateValue"] if found else "nobody told"
    return f"{state}, {message}"


def silent(w: World) -> str:
    _alarm(w, "quiet", TreatMissingData="notBreaching")
    _alarm(w, "mute", TreatMissingData="missing")
    w.wait(180.0)
    return f"{_state(w, 'quiet')} {_state(w, 'mute')}"


# Processes


def _count(w: World, payload: str = "1") -> str:
    answer = w.client("lambda").invoke(FunctionName="counting", Payload=payload)
    text = answer["Payload"].read().decode()
    return str(json.loads(text).get("errorType", "no errorType")) if answer.get("FunctionError") else text.strip()


def own_memory(w: World) -> str:
    return f"{_count(w)} {_count(w)}"


def ended(w: World) -> str:
    return re.sub(r"\s+", " ", f"{_count(w, chr(34) + 'exit' + chr(34))}, then {_count(w)}")


# The gateway: templates, keys, its own address


def _mapped(w: World, who: str, **more: Any) -> str:
    return w.request("/mapped", json.dumps({"who": who}), content_type="application/json", x_shop="leeds", **more)


def _keyed(w: World, *keys: str) -> str:
    """One request with each key: the first ones' status, the last one's status and message."""
    asked = [{"x_api_key": key} if key else {} for key in keys]
    answers = [w.request("/keyed", "{}", content_type="application/json", **headers) for headers in asked]
    return ", then ".join([*(answer[:3] for answer in answers[:-1]), answers[-1]])


STREAMS = "Lambda guide, services-dynamodb-errors"
RECORDS = "Lambda guide, invocation-async-retain-records; localstack test_lambda_destinations (recorded on AWS)"
TOKENS = "DynamoDB API, TransactWriteItems"
TTL = "DynamoDB guide, howitworks-ttl"
EMF = "CloudWatch guide, CloudWatch_Embedded_Metric_Format_Specification"
ALARMS = "CloudWatch guide, alarm-evaluation"
OVERRIDES = "API Gateway guide, apigateway-override-request-response-parameters; recorded on AWS"

SOURCE_RULES = (
    Rule("stream-bisect", "streams", "A batch that fails is halved until the bad row is alone.",
         "given up: 1 row, RetryAttemptsExhausted", STREAMS,
         lambda w: _given_up(w, "halved", "a", "b", "bad-c", "d", "e")),
    Rule("stream-lowest", "streams", "Of the rows that are named, the lowest is where the batch is tried again.",
         "3 of 4 rows", "Lambda guide, services-ddb-batchfailurereporting", lowest),
    Rule("stream-filter", "streams", "What the filter does not want is passed over.",
         "given up: 1 row, RetryAttemptsExhausted", "Lambda guide, invocation-eventfiltering",
         lambda w: _given_up(w, "sifted", "bad-other", "bad-wanted")),
    Rule("stream-bucket", "streams", "A bucket as on-failure destination gets the rows too.",
         "aws/…, 1 row in its payload", STREAMS, in_a_bucket),
    Rule("async-success", "functions", "An on-success destination gets what the function returned.", 'Success {"n":1}',
         RECORDS, success),
    Rule("async-dead", "functions", "A dead-letter queue gets the bare event, with three attributes.",
         '{"n":1} ErrorCode ErrorMessage RequestID', "Lambda guide, invocation-async-retain-records", buried),
    Rule("async-dead-why", "functions", "They tell the status and the message of the error.", "200 broken",
         "Lambda guide, invocation-async-retain-records",
         attributes),
    Rule("async-bus", "functions", "A bus as destination gets the record as an event.",
         "Lambda Function Invocation Result - Failure", RECORDS, on_a_bus),
    Rule("esm-late", "mappings", "A mapping that boto3 makes polls its queue.", "0 left",
         "Lambda API, CreateEventSourceMapping", mapped),
    Rule("esm-twice", "mappings", "One function is mapped to one queue once.", "ResourceConflictException",
         "Lambda API, CreateEventSourceMapping", mapped_twice),
    Rule("ddb-token", "tables", "A transaction with a token that has succeeded is not done again.", "1, then 1", TOKENS,
         tokened),
    Rule("ddb-mismatch", "tables", "Another transaction under that token is refused.",
         "IdempotentParameterMismatchException", TOKENS, mismatched),
    Rule("ttl-gone", "tables", "An expired row can be read at first, and is deleted within days.", "there, then gone",
         TTL, lambda w: _expire(w, "old", {"N": str(int(w.made()))})),
    Rule("ttl-text", "tables", "A TTL attribute that is no number deletes nothing.", "there, then there", TTL,
         lambda w: _expire(w, "text", {"S": str(int(w.made()))})),
    Rule("ttl-ancient", "tables", "A time more than five years past deletes nothing.", "there, then there", TTL,
         lambda w: _expire(w, "ancient", {"N": "1"})),
    Rule("ttl-twice", "tables", "What is enabled already cannot be enabled.", "ValidationException",
         "DynamoDB API, UpdateTimeToLive", expired_twice),
    Rule("metric-errors", "metrics", "Lambda counts each function's invocations and errors.",
         "1 and 1", "Lambda guide, monitoring-metrics-types", errors),
    Rule("metric-embedded", "metrics", "A log line in embedded metric format becomes a metric.", "3", EMF, embedded),
    Rule("alarm-topic", "metrics", "A period above the threshold: ALARM, and its topic is told.", "ALARM, ALARM",
         ALARMS, alarmed),
    Rule("alarm-missing", "metrics", "Missing data is good, or not enough, as the alarm says.", "OK INSUFFICIENT_DATA",
         "CloudWatch guide, alarms-and-missing-data", silent),
)  # fmt: skip

KEY_RULES = (
    Rule("api-template", "gateway", "Mapping templates make the function's event, and the answer.",
         "200 ann of leeds", "API Gateway guide, request-response-data-mappings; recorded on AWS",
         lambda w: _mapped(w, "ann")),
    Rule("api-selection", "gateway", "A function's error is matched by a selection pattern.",
         "404 not found: nobody", "localstack test_apigateway_lambda (recorded on AWS)",
         lambda w: _mapped(w, "nobody")),
    Rule("api-override", "gateway", "A template overrides the status.", "418 teapot of leeds", OVERRIDES,
         lambda w: _mapped(w, "teapot")),
    Rule("api-host", "gateway", "Any HTTP client reaches the API at its execute-api host.", "200 ann of leeds",
         "API Gateway guide, how-to-call-api", lambda w: _mapped(w, "ann", fetch=True)),
    Rule("api-key", "gateway", "A method that wants a key answers 403 without one, and to a wrong one.",
         "403, then 403 Forbidden", "API Gateway guide, api-gateway-api-usage-plans",
         lambda w: _keyed(w, "", "wrong-0123456789-0123456789")),
    Rule("api-throttle", "gateway", "More than a plan's burst at once: 429.", "200, then 429 Too Many Requests",
         "API Gateway guide, api-gateway-request-throttling",
         lambda w: _keyed(w, *["slow-0123456789-0123456789"] * 2)),
    Rule("api-quota", "gateway", "More than a plan's quota: 429.", "200, then 429 Limit Exceeded",
         "API Gateway guide, api-gateway-api-usage-plans", lambda w: _keyed(w, *["few-0123456789-0123456789"] * 2)),
)  # fmt: skip

PROCESS_RULES = (
    Rule("process-memory", "processes", "An environment keeps its memory from one invocation to the next.", "1 2",
         "Lambda guide, lambda-runtime-environment", own_memory),
    Rule("process-exit", "processes", "A process that ends is named, and the next invocation has a new one.",
         "Runtime.ExitError, then 1", "README of aws-cloudformation/cloudformation-guard (recorded on AWS)", ended),
)  # fmt: skip
