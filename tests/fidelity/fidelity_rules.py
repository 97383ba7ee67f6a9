"""The probes: one rule of AWS each, asked by boto3 and HTTP, with what AWS answers and where that is written.

One line here, and its probe, is all that a new row of the table takes.
"""

import json
from typing import Any

from fidelity_rule import Rule, compact, finish, soon
from fidelity_worlds import World


def _put(w: World, **entry: Any) -> dict[str, Any]:
    given = {"Source": "probe", "DetailType": "d", "Detail": "{}", "EventBusName": "probes"} | entry
    answer = w.client("events").put_events(Entries=[{k: v for k, v in given.items() if v is not None}])
    return {**answer["Entries"][0], "failed": answer["FailedEntryCount"]}


def _rule(w: World, name: str, *targets: dict[str, Any], **settings: Any) -> None:
    """A rule for events whose source is its name."""
    pattern = {"EventPattern": json.dumps({"source": [name]})} | settings
    w.client("events").put_rule(Name=name, EventBusName="probes", **pattern)
    w.client("events").put_targets(Rule=name, EventBusName="probes", Targets=list(targets))


def _delivered(w: World, name: str, event: dict[str, Any], **target: Any) -> str:
    """What reaches a queue through a rule with this target."""
    w.client("sqs").purge_queue(QueueUrl=w.url("open")) if w.count("open") else None
    _rule(w, name, {"Id": "t", "Arn": w.arn("open"), **target})
    _put(w, Source=name, Detail=json.dumps(event))
    w.wait(1.0)
    found = w.receive("open")
    for message in found:
        w.client("sqs").delete_message(QueueUrl=w.url("open"), ReceiptHandle=message["ReceiptHandle"])
    w.client("events").remove_targets(Rule=name, EventBusName="probes", Ids=["t"])
    return compact(found[0]["Body"]) if found else "nothing"


def _send(w: World, queue: str, body: str, **settings: Any) -> str:
    return str(w.client("sqs").send_message(QueueUrl=w.url(queue), MessageBody=body, **settings)["MessageId"])


def _drain(w: World, queue: str) -> None:
    while found := w.receive(queue):
        for message in found:
            w.client("sqs").delete_message(QueueUrl=w.url(queue), ReceiptHandle=message["ReceiptHandle"])


# Queues


def comes_back(w: World) -> str:
    _send(w, "plain", "m")
    first = w.receive("plain", VisibilityTimeout=2)
    hidden = len(w.receive("plain"))
    w.wait(3.0)
    again = w.receive("plain")
    counts = [m["Attributes"]["ApproximateReceiveCount"] for m in (*first, *again)]
    _drain(w, "plain")
    finish(w, "plain", again)
    return f"hidden, then back: receive counts {', '.join(counts)}" if not hidden else "not hidden"


def visible_at_once(w: World) -> str:
    _send(w, "plain", "m")
    (first,) = w.receive("plain", VisibilityTimeout=30)
    w.client("sqs").change_message_visibility(
        QueueUrl=w.url("plain"), ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
    )
    again = w.receive("plain")
    w.wait(1.0)
    finish(w, "plain", again or w.receive("plain"))
    return "visible at once" if again else "hidden still"


def stale_handle(w: World) -> str:
    _send(w, "plain", "m")
    (first,) = w.receive("plain", VisibilityTimeout=1)
    w.wait(2.0)
    second = w.receive("plain", VisibilityTimeout=30)
    finish(w, "plain", [first])
    left = w.count("plain")
    finish(w, "plain", second)
    return f"no error, {left} message left"


def delayed(w: World) -> str:
    _send(w, "plain", "m", DelaySeconds=2)
    before = len(w.receive("plain"))
    w.wait(3.0)
    after = w.receive("plain")
    finish(w, "plain", after)
    return f"{before}, then {len(after)}"


def deduplicated(w: World) -> str:
    for _ in range(2):
        _send(w, "order.fifo", "m", MessageGroupId="a", MessageDeduplicationId="once")
        found = w.receive("order.fifo")
        finish(w, "order.fifo", found)
    return f"{len(found)} delivered again"


def group_waits(w: World) -> str:
    for n in range(2):
        _send(w, "order.fifo", str(n), MessageGroupId="g", MessageDeduplicationId=f"g{n}")
    queue = w.url("order.fifo")
    first = w.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=1)["Messages"]
    second = w.receive("order.fifo")
    finish(w, "order.fifo", [*first, *second])
    _drain(w, "order.fifo")
    return f"{len(second)} of its group while one is in flight"


def dead_letter(w: World) -> str:
    sent = _send(w, "source", "m")
    receives = 0
    while receives < 5 and w.receive("source", VisibilityTimeout=1):
        receives += 1
        w.wait(1.5)
    dead = w.receive("dead", VisibilityTimeout=1)
    return f"after {receives} receives, {'same' if dead and dead[0]['MessageId'] == sent else 'no'} message id"


def moved_back(w: World) -> str:
    w.wait(2.0)  # what the probe before has received is visible again
    if not w.count("dead"):
        return "nothing to move"
    w.client("sqs").start_message_move_task(SourceArn=w.arn("dead"))
    w.wait(2.0)
    back = w.receive("source", VisibilityTimeout=30)
    finish(w, "source", back)
    return f"{len(back)} back, receive count {back[0]['Attributes']['ApproximateReceiveCount']}" if back else "0 back"


def _batch(w: World, ids: list[str]) -> str:
    entries = [{"Id": name, "MessageBody": "m"} for name in ids]
    answer = w.client("sqs").send_message_batch(QueueUrl=w.url("plain"), Entries=entries)
    _drain(w, "plain")
    return f"{len(answer.get('Successful', []))} sent"


def too_long(w: World) -> str:
    _send(w, "plain", "m" * (1024 * 1024 + 1))
    _drain(w, "plain")
    return "sent"


def long_enough(w: World) -> str:
    _send(w, "plain", "m" * (1024 * 1024))
    _drain(w, "plain")
    return "sent"


# The bus


def misspelt_bus(w: World) -> str:
    answer = _put(w, EventBusName="no-such-bus")
    return f"{answer['failed']} failed, {'an' if answer.get('EventId') else 'no'} event id"


def six_targets(w: World) -> str:
    _rule(w, "six", *({"Id": str(n), "Arn": w.arn("open")} for n in range(6)))
    return "taken"


def bad_pattern(w: World) -> str:
    pattern = {"detail": {"n": [{"numeric": ["=", "x"]}]}}
    _rule(w, "bad", {"Id": "t", "Arn": w.arn("open")}, EventPattern=json.dumps(pattern))
    return "taken"


def too_much(w: World) -> str:
    return f"taken, {_put(w, Detail=json.dumps({'a': 'x' * 1_100_000}))['failed']} failed"


def disabled(w: World) -> str:
    _rule(w, "off", {"Id": "t", "Arn": w.arn("open")}, State="DISABLED")
    _put(w, Source="off")
    w.wait(1.0)
    found = w.receive("open")
    finish(w, "open", found)
    return f"{len(found)} delivered"


def fields(w: World) -> str:
    return _delivered(w, "fields", {"a": 1}).removeprefix("the whole event: ")


def _letter(w: World, name: str, arn: str) -> str:
    """What a dead letter says of an event that could not be delivered to `arn`."""
    _rule(w, name, {"Id": "t", "Arn": arn, "DeadLetterConfig": {"Arn": w.arn("letters")}})
    failed = _put(w, Source=name)["failed"]
    w.wait(2.0)
    found = w.receive("letters")
    finish(w, "letters", found)
    told = found[0].get("MessageAttributes", {}) if found else {}
    code = told.get("ERROR_CODE", {}).get("StringValue", "no code") if found else "no dead letter"
    return f"{failed} failed, {code}"


def _transformed(w: World, name: str, template: str, event: dict[str, Any], **paths: str) -> str:
    return _delivered(w, name, event, InputTransformer={"InputPathsMap": paths, "InputTemplate": template})


def test_pattern(w: World) -> str:
    event = {"id": "1", "source": "s", "detail-type": "d", "account": "123456789012", "time": "2026-01-05T09:00:00Z",
             "region": "us-east-1", "resources": [], "detail": {"n": 5}}  # fmt: skip
    ask = w.client("events").test_event_pattern
    patterns = [{"detail": {"n": [{"numeric": [">", 4]}]}}, {"detail": {"n": [{"numeric": [">", 5]}]}}]
    return " ".join(str(ask(EventPattern=json.dumps(p), Event=json.dumps(event))["Result"]) for p in patterns)


# Functions


def _invoke(w: World, function: str, payload: Any, **settings: Any) -> dict[str, Any]:
    answer = w.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload), **settings)
    return {**answer, "text": answer["Payload"].read().decode()}


def failed_call(w: World, **payload: Any) -> str:
    answer = _invoke(w, "double", payload)
    error = (
        json.loads(answer["text"]).get("errorType", "no errorType") if answer.get("FunctionError") else answer["text"]
    )
    return f"{answer['StatusCode']} {answer.get('FunctionError', 'no error')} {error}"


def accepted(w: World) -> str:
    answer = _invoke(w, "double", {"number": 1}, InvocationType="Event")
    return f"{answer['StatusCode']} {answer['text'] or 'no payload'}"


def _record(w: World, function: str, queue: str, seconds: float) -> str:
    _invoke(w, function, {"a": 1}, InvocationType="Event")
    w.wait(seconds)
    found = w.receive(queue)
    if not found:
        return "no record"
    context = json.loads(found[0]["Body"])["requestContext"]
    return f"{context['condition']} {context['approximateInvokeCount']}"


# Event source mappings


def _answered(w: World, answer: str, queue: str = "batches") -> str:
    """Two messages go to the function in one batch; how many are left when it has answered."""
    before = w.count(queue)
    entries = [{"Id": str(n), "MessageBody": f"{answer} {n}"} for n in (1, 2)]
    w.client("sqs").send_message_batch(QueueUrl=w.url(queue), Entries=entries)
    w.wait(4.0)
    return f"{w.count(queue) - before} left"


def poisoned(w: World) -> str:
    _send(w, "poison", "m")
    found = soon(w, "poisoned")
    return f"{len(found)} dead letter"


def filtered(w: World) -> str:
    _send(w, "filtered", '{"kind": "other"}')
    w.wait(3.0)
    return f"{w.count('filtered')} left"


def kept(w: World) -> str:
    _send(w, "filtered", '{"kind": "wanted"}')
    w.wait(3.0)
    return f"{w.count('filtered')} left"


# Tables


def _rows(w: World) -> Any:
    return w.client("dynamodb")


def condition(w: World) -> str:
    _rows(w).put_item(TableName="rows", Item={"id": {"S": "c"}, "v": {"N": "1"}})
    try:
        _rows(w).put_item(
            TableName="rows",
            Item={"id": {"S": "c"}},
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except w.client("dynamodb").exceptions.ConditionalCheckFailedException as error:
        return f"refused, row {error.response.get('Item', {}).get('v', {}).get('N', 'not told')}"
    return "taken"


def cancelled(w: World) -> str:
    _rows(w).put_item(TableName="rows", Item={"id": {"S": "t"}})
    there = {"ConditionExpression": "attribute_not_exists(id)"}
    try:
        _rows(w).transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "rows", "Item": {"id": {"S": "t-new"}}}},
                {"Put": {"TableName": "rows", "Item": {"id": {"S": "t"}}, **there}},
            ]
        )
    except w.client("dynamodb").exceptions.TransactionCanceledException as error:
        reasons = ", ".join(r["Code"] for r in error.response["CancellationReasons"])
        new = "Item" in _rows(w).get_item(TableName="rows", Key={"id": {"S": "t-new"}})
        return f"{reasons}; the first is {'written' if new else 'not written'}"
    return "taken"


def _transact(w: World, ids: list[str], **settings: Any) -> str:
    puts = [{"Put": {"TableName": "rows", "Item": {"id": {"S": name}}}} for name in ids]
    _rows(w).transact_write_items(TransactItems=puts, **settings)
    return "taken"


EVENTS = "localstack test_events.snapshot.json (recorded on AWS)"
ESM = "Lambda guide, services-sqs-errorhandling; recorded on AWS"
APIGW = "API Gateway guide, api-gateway-method-request-validation; recorded on AWS"
ORDER = {"x_shop": "s", "content_type": "application/json"}

RULES = (
    Rule("sqs-visibility", "queues", "A message that is not deleted comes back after its visibility timeout.",
         "hidden, then back: receive counts 1, 2", "SQS guide, sqs-visibility-timeout", comes_back),
    Rule("sqs-visible-now", "queues", "ChangeMessageVisibility to 0 makes a message visible at once.",
         "visible at once", "SQS guide, sqs-visibility-timeout", visible_at_once),
    Rule("sqs-stale-handle", "queues", "Deleting with an older receipt handle succeeds and deletes nothing.",
         "no error, 1 message left", "SQS API, DeleteMessage", stale_handle),
    Rule("sqs-delay", "queues", "A delayed message cannot be received before its delay is over.",
         "0, then 1", "SQS guide, sqs-message-timers", delayed),
    Rule("sqs-fifo-dedup", "queues", "A FIFO queue drops a duplicate for 5 minutes, also after the first was deleted.",
         "0 delivered again", "localstack test_sqs (recorded on AWS)", deduplicated),
    Rule("sqs-fifo-group", "queues", "A message group waits while one of its messages is in flight.",
         "0 of its group while one is in flight", "SQS guide, FIFO-key-terms", group_waits),
    Rule("sqs-dead-letter", "queues", "A message received maxReceiveCount times becomes a dead letter, with its id.",
         "after 2 receives, same message id", "SQS guide, sqs-dead-letter-queues", dead_letter),
    Rule("sqs-redrive", "queues", "StartMessageMoveTask brings dead letters back as new messages.",
         "1 back, receive count 1", "SQS API, StartMessageMoveTask", moved_back),
    Rule("sqs-batch-ids", "queues", "A batch whose ids are not distinct is refused.",
         "BatchEntryIdsNotDistinct", "SQS API, SendMessageBatch", lambda w: _batch(w, ["a", "a"])),
    Rule("sqs-batch-11", "queues", "A batch has at most 10 entries.", "TooManyEntriesInBatchRequest",
         "SQS API, SendMessageBatch", lambda w: _batch(w, [str(n) for n in range(11)])),
    Rule("sqs-size", "queues", "A message is at most 1 MiB.", "InvalidParameterValue", "SQS guide, quotas-messages",
         too_long),
    Rule("sqs-size-ok", "queues", "A message of 1 MiB is taken.", "sent", "SQS guide, quotas-messages", long_enough),
    Rule("bus-misspelt", "bus", "An event for a bus that does not exist is answered 200 with an id, and is gone.",
         "0 failed, an event id", EVENTS, misspelt_bus),
    Rule("bus-array", "bus", "A Detail that is an array fails its entry.", "MalformedDetail", EVENTS,
         lambda w: _put(w, Detail="[1]").get("ErrorCode", "taken")),
    Rule("bus-string", "bus", "A Detail that is a JSON string fails its entry.", "MalformedDetail", EVENTS,
         lambda w: _put(w, Detail='"{}"').get("ErrorCode", "taken")),
    Rule("bus-broken", "bus", "A Detail that is not JSON fails its entry.", "MalformedDetail", EVENTS,
         lambda w: _put(w, Detail="{").get("ErrorCode", "taken")),
    Rule("bus-source", "bus", "An entry without a Source fails.", "InvalidArgument", EVENTS,
         lambda w: _put(w, Source=None).get("ErrorCode", "taken")),
    Rule("bus-aws", "bus", "A Source that begins with aws. is not for customers.", "NotAuthorizedForSourceException",
         "EventBridge API, PutEventsResultEntry", lambda w: _put(w, Source="aws.s3").get("ErrorCode", "taken")),
    Rule("bus-11", "bus", "PutEvents takes at most 10 entries.", "ValidationException", EVENTS,
         lambda w: str(w.client("events").put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}] * 11)
                       ["FailedEntryCount"])),
    Rule("bus-size", "bus", "The entries of a call stay below 1 MB.", "ValidationException",
         "our reading: EventBridge API, PutEvents gives the limit and no code", too_much),
    Rule("bus-disabled", "bus", "A disabled rule delivers nothing.", "0 delivered", "EventBridge API, DisableRule",
         disabled),
    Rule("bus-pattern", "bus", "A pattern that makes no sense is refused when the rule is made.",
         "InvalidEventPatternException", EVENTS,
         bad_pattern),
    Rule("bus-targets", "bus", "A rule has at most five targets.", "LimitExceededException",
         "EventBridge guide, eb-quota", six_targets),
    Rule("bus-event", "bus", "A delivered event has its nine fields.",
         "account detail detail-type id region resources source time version",
         "EventBridge guide, eb-events-structure", fields),
    Rule("bus-path", "bus", "InputPath delivers one part of the event.", '{"a":1}', EVENTS,
         lambda w: _delivered(w, "path", {"a": 1}, InputPath="$.detail")),
    Rule("bus-transform", "bus", "A transformer fills its placeholders; inside a string without quotation marks.",
         '{"say":"order 7"}', EVENTS,
         lambda w: _transformed(w, "say", '{"say":"order <id>"}', {"id": "7"}, id="$.detail.id")),
    Rule("bus-placeholder", "bus", "A placeholder that the paths do not define is refused.", "ValidationException",
         EVENTS, lambda w: _transformed(w, "unknown", '{"say":<who>}', {"id": "7"}, id="$.detail.id")),
    Rule("bus-not-json", "bus", "A template that renders to no JSON is dropped in silence.", "nothing", EVENTS,
         lambda w: _transformed(w, "broken", '{"say": "<list>"}', {"list": ["7"]}, list="$.detail.list")),
    Rule("bus-one-input", "bus", "Input and InputPath exclude each other.", "ValidationException", EVENTS,
         lambda w: _delivered(w, "two", {}, Input="{}", InputPath="$.detail")),
    Rule("bus-missing-target", "bus", "A target that is not there: the producer sees nothing, a dead letter tells.",
         "0 failed, NO_RESOURCE", "EventBridge guide, eb-rule-dlq",
         lambda w: _letter(w, "gone", w.arn("open").replace("open", "gone"))),
    Rule("bus-forbidden", "bus", "A queue that does not let the rule in: straight to the target's dead letters.",
         "0 failed, NO_PERMISSIONS", "EventBridge guide, eb-rule-dlq", lambda w: _letter(w, "closed", w.arn("closed"))),
    Rule("bus-test-pattern", "bus", "TestEventPattern judges an event.", "True False",
         "EventBridge API, TestEventPattern", test_pattern),
    Rule("lambda-sync", "functions", "A synchronous invoke answers what the handler returned.",
         '{"doubled": 42}', "Lambda guide, invocation-sync", lambda w: _invoke(w, "double", {"number": 21})["text"]),
    Rule("lambda-error", "functions", "An error of the handler is a 200 with FunctionError and its own type.",
         "200 Unhandled ValueError", "Lambda guide, python-exceptions", lambda w: failed_call(w, **{"raise": "no"})),
    Rule("lambda-timeout", "functions", "A handler that is too slow is stopped.", "200 Unhandled Sandbox.Timedout",
         "answers that users of Lambda have published (recorded on AWS)", lambda w: failed_call(w, number=1, sleep=3)),
    Rule("lambda-async", "functions", "An asynchronous invoke is answered 202 at once, without a payload.",
         "202 no payload", "Lambda API, Invoke", accepted),
    Rule("lambda-retries", "functions", "An asynchronous event is tried three times in three minutes, then recorded.",
         "RetriesExhausted 3", "localstack test_lambda_destinations (recorded on AWS)",
         lambda w: _record(w, "failing", "records", 200.0)),
    Rule("lambda-no-retry", "functions", "With MaximumRetryAttempts 0 it is tried once.", "RetriesExhausted 1",
         "localstack test_lambda_destinations (recorded on AWS)",
         lambda w: _record(w, "failing-once", "records-of-one", 4.0)),
    Rule("esm-null", "mappings", "An answer of null deletes the batch.", "0 left", ESM,
         lambda w: _answered(w, "nothing")),
    Rule("esm-empty", "mappings", "An empty batchItemFailures deletes the batch.", "0 left", ESM,
         lambda w: _answered(w, "empty")),
    Rule("esm-partial", "mappings", "The message that is named stays, the other is deleted.", "1 left", ESM,
         lambda w: _answered(w, "second")),
    Rule("esm-blank", "mappings", "An empty itemIdentifier fails the whole batch.", "2 left", ESM,
         lambda w: _answered(w, "blank")),
    Rule("esm-null-id", "mappings", "An itemIdentifier of null fails the whole batch.", "2 left", ESM,
         lambda w: _answered(w, "null")),
    Rule("esm-misspelt", "mappings", "A misspelt itemIdentifier fails the whole batch.", "2 left", ESM,
         lambda w: _answered(w, "misspelt")),
    Rule("esm-unknown", "mappings", "An identifier that is not of the batch fails the whole batch.", "2 left", ESM,
         lambda w: _answered(w, "unknown")),
    Rule("esm-off", "mappings", "Without ReportBatchItemFailures the answer is not read.", "0 left",
         "Lambda guide, services-sqs-errorhandling", lambda w: _answered(w, "second", "unread")),
    Rule("esm-poison", "mappings", "A message that always fails ends in the dead-letter queue.", "1 dead letter",
         "Lambda guide, services-sqs-errorhandling", poisoned),
    Rule("esm-filtered", "mappings", "What the filter does not want is deleted without an invocation.", "0 left",
         "Lambda guide, invocation-eventfiltering", filtered),
    Rule("esm-wanted", "mappings", "What the filter wants is invoked: here it fails, and stays.", "1 left",
         "Lambda guide, invocation-eventfiltering", kept),
    Rule("ddb-condition", "tables", "A failed condition can return the row that stands there.", "refused, row 1",
         "DynamoDB API, PutItem", condition),
    Rule("ddb-cancelled", "tables", "A transaction is all or nothing, with a reason for each item.",
         "None, ConditionalCheckFailed; the first is not written", "DynamoDB API, TransactWriteItems", cancelled),
    Rule("ddb-twice", "tables", "Two actions on one item are refused.", "ValidationException",
         "DynamoDB API, TransactWriteItems", lambda w: _transact(w, ["x", "x"])),
    Rule("ddb-101", "tables", "A transaction has at most 100 items.", "ValidationException",
         "DynamoDB API, TransactWriteItems", lambda w: _transact(w, [str(n) for n in range(101)])),
)  # fmt: skip

FRONT_RULES = (
    Rule("api-ok", "gateway", "A good request reaches the function.", "200 taken", APIGW,
         lambda w: w.request("/orders", '{"a": 1}', **ORDER)),
    Rule("api-parameter", "gateway", "A missing required header is refused, by name.",
         "400 Missing required request parameters: [x-shop]", APIGW,
         lambda w: w.request("/orders", '{"a": 1}', content_type="application/json")),
    Rule("api-body", "gateway", "A body that does not fit the model is refused.", "400 Invalid request body", APIGW,
         lambda w: w.request("/orders", '{"b": 1}', **ORDER)),
    Rule("api-order", "gateway", "Parameters are checked before the body.",
         "400 Missing required request parameters: [x-shop]", APIGW,
         lambda w: w.request("/orders", '{"b": 1}', content_type="application/json")),
    Rule("api-text", "gateway", "A body whose content type has no model is not checked.", "200 taken", APIGW,
         lambda w: w.request("/orders", "a=1", x_shop="s", content_type="text/plain")),
    Rule("api-malformed", "gateway", "A function's answer that is no proxy answer is a 502.",
         "502 Internal server error", "Lambda guide, services-apigateway-errors",
         lambda w: w.request("/orders", "malformed", x_shop="s", content_type="text/plain")),
    Rule("api-route", "gateway", "An unknown path is a 403.", "403 Missing Authentication Token",
         "API Gateway guide, supported-gateway-response-types", lambda w: w.request("/nothing", "", **ORDER)),
)  # fmt: skip
